"""`ictagent carbon compare-bids`: options of a purchase over their whole life."""

import datetime
from decimal import Decimal
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from agent.errors import AgentError
from carbon.bids import Assumptions, Option, compare
from carbon.calendar import financial_year, financial_year_label
from carbon.errors import CarbonError
from carbon.factors import FactorSet
from carbon.green_book import grid_index
from carbon.units import kilograms
from carbon.wording import mass_words
from collector.bid_file import read_bids
from collector.commands.carbon_options import STATE, number
from collector.commands.common import database_of, echo_csv, plain_errors
from collector.factors import factor_sets
from collector.green_book_tables import standing_table

ILLUSTRATIVE_POUNDS_PER_KWH = Decimal("0.25")
"""Carbon reference, section 4: only when it is asked for, and named so."""


@click.command(
    "compare-bids",
    epilog="\b\nExamples:\n"
    "  ictagent carbon compare-bids laptops.xlsx\n"
    "  ictagent carbon compare-bids switches.csv --pue 1.8 --pounds-per-kwh 0.231 --output csv",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--first-year", type=int, help="Financial year in which use begins, such as 2027; this one without.")
@click.option("--pue", type=number, default="1", show_default=True, help="Of the rooms where they will stand.")
@click.option("--pounds-per-kwh", type=number, help="Your contract's rate; without it no pounds of electricity.")
@click.option("--illustrative-price", is_flag=True, help="25 p/kWh instead of a contract's rate, named illustrative.")
@STATE
@output_option("table", "json", "csv")
def compare_bids(
    file: Path,
    first_year: int | None,
    pue: Decimal,
    pounds_per_kwh: Decimal | None,
    illustrative_price: bool,
    state_directory: Path | None,
    output: str,
) -> None:
    """Whole-life kWh and carbon, carbon of making, and pounds of each option, in a CSV or workbook.

    Electricity follows the Green Book's grid average as an index on the last actual factors. A bid without a product
    carbon footprint gets its category's 90th percentile. A cell that cannot be taken refuses the file, and is named.
    """
    if pounds_per_kwh is not None and illustrative_price:
        raise click.UsageError("give --pounds-per-kwh or --illustrative-price, not both")
    if pue < 1:
        raise click.UsageError("a PUE is 1 or more")
    year = first_year or financial_year(datetime.datetime.now(datetime.UTC).date())
    rate = ILLUSTRATIVE_POUNDS_PER_KWH if illustrative_price else pounds_per_kwh
    with database_of(state_directory) as database, plain_errors():
        bids = read_bids(file)
        with database.read() as connection:
            last = [one for one in factor_sets(connection) if one.final][-1]
            table = standing_table(connection, "electricity_factors")
    try:
        options = compare(bids, Assumptions(last, grid_index("grid_average", table), year, pue, rate))
    except CarbonError as error:
        raise AgentError(str(error)) from error
    price_words = (
        "25 p/kWh, illustrative" if illustrative_price else f"£{rate}/kWh" if rate is not None else "none given"
    )
    told = {
        "first_year": financial_year_label(year),
        "factors": f"{last.name}, version {last.version}",
        "index": f"{table.label}, grid average",
        "pue": f"{pue:f}",
        "electricity_price": price_words,
    }
    if output == "json":
        echo_json({**told, "options": [_json(one) for one in options]})
    elif output == "csv":
        echo_csv(("option", *_CSV, *told), [(*_cells(one).values(), *told.values()) for one in options])
    else:
        _table(options, told, last)


_CSV = (
    *("devices", "whole_life_kwh", "use_kgco2e", "embodied_kgco2e", "total_kgco2e", "price_pounds"),
    *("electricity_pounds", "total_pounds", "devices_without_footprint"),
)


def _cells(one: Option) -> dict[str, object]:
    pounds = None if one.price is None or one.electricity_pounds is None else one.price + one.electricity_pounds
    figures = (
        one.devices,
        f"{one.kwh.normalize():f}",
        *(f"{kilograms(grams):f}" for grams in (one.use_g, one.embodied_g, one.total_g)),
        *("" if amount is None else f"{amount:.2f}" for amount in (one.price, one.electricity_pounds, pounds)),
        one.without_footprint,
    )
    return {"option": one.name, **dict(zip(_CSV, figures, strict=True))}


def _json(one: Option) -> dict[str, object]:
    lines = [
        {
            "class": line.bid.device_class,
            "description": line.bid.description,
            "devices": line.bid.devices,
            "life_years": f"{line.bid.life_years:f}",
            "whole_life_kwh": f"{line.kwh.normalize():f}",
            "use_kgco2e_by_year": {financial_year_label(year): f"{kilograms(g):f}" for year, g in line.use_g.items()},
            "embodied_kgco2e": f"{kilograms(line.embodied_g):f}",
            "embodied_source": line.embodied_source,
        }
        for line in one.lines
    ]
    return {**_cells(one), "lines": lines}


def _table(options: list[Option], told: dict[str, str], last: FactorSet) -> None:
    heads = ("option", "devices", "kWh over life", "use", "making", "CO2e in all", "price £", "electricity £")
    rows = [
        (
            *(one.name, one.devices, f"{one.kwh:,.0f}"),
            *(mass_words(kilograms(grams)) for grams in (one.use_g, one.embodied_g, one.total_g)),
            *("" if amount is None else f"{amount:,.0f}" for amount in (one.price, one.electricity_pounds)),
        )
        for one in options
    ]
    echo_table(heads, rows)
    least = min(options, key=lambda one: one.total_g)
    click.echo(f"\n{least.name} emits least over its life: {mass_words(kilograms(least.total_g))} CO2e")
    lives = {line.bid.life_years for one in options for line in one.lines}
    if len({one.devices for one in options}) > 1 or len(lives) > 1:
        click.echo("the options differ in devices or years of life: compare them with care", err=True)
    for one in options:
        if one.without_footprint:
            click.echo(
                f"{one.name}: no footprint came for {one.without_footprint} devices; nine of ten products of their "
                "category lie below what stands for them",
                err=True,
            )
    click.echo(
        f"from {told['first_year']} on; UK factors {last.name} x index of {told['index']}; PUE {told['pue']}; "
        f"electricity: {told['electricity_price']}",
        err=True,
    )
