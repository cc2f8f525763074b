"""`ictagent carbon pathway`: every financial year from base to target, as it was, as it will be, and as it may be."""

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import financial_year_label
from carbon.pathway import SHAPES, Shape
from carbon.scenario import Chosen, Plan, PlannedYear, Scenario
from carbon.wording import mass_words
from collector.commands.carbon_options import ORGANISATION, STATE
from collector.commands.common import database_of, echo_csv, plain_errors
from collector.plans import Planned, planned
from collector.register_queries import find_organisation

_COLUMNS = ("allowed_g", "actual_g", "forecast_g", "with_measures_g", "residual_g", "offset_g")


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon pathway\n"
    "  ictagent carbon pathway --shape constant_rate --measures all\n"
    "  ictagent carbon pathway --trend=-0.03 --output csv > pathway.csv"
)
@click.option("--shape", type=click.Choice(list(SHAPES)), help="Of the pathway; as the target says without.")
@click.option(
    "--trend",
    type=Decimal,
    help="Yearly change of energy, such as -0.03; the organisation's own without.",
)
@click.option(
    "--measures",
    type=click.Choice(["none", "accepted", "all"]),
    default="accepted",
    show_default=True,
    help="Which are counted on.",
)
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def show_pathway(
    shape: Shape | None,
    trend: Decimal | None,
    measures: Chosen,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """The way to the target: what each year may emit, what it did, the forecast as things are and with measures.

    The forecast carries the last complete year on by the organisation's own trend and by the Green Book's index of the
    grid. Offsets stand apart.
    """
    with database_of(state_directory) as database, plain_errors():
        with database.read() as connection:
            organisation_id, name, _ = find_organisation(connection, organisation)
        scenario = Scenario(shape=shape, trend=trend, measures=measures)
        found = planned(database, organisation_id, int(time.time()), scenario)
    if output == "json":
        echo_json({"organisation": name, **body_of(found)})
    elif output == "csv":
        rows = [(financial_year_label(one.year), *_amounts(one)) for one in found.plan.years]
        echo_csv(("financial_year", *_COLUMNS), rows)
    else:
        _show(name, found)


def body_of(found: Planned) -> dict[str, Any]:
    """A plan as JSON values, grams and all."""
    one = found.plan
    return {
        "base_year": one.target.base_year,
        "base_g": one.target.base_g,
        "target_year": one.target.target_year,
        "target_g": one.target.target_g,
        "shape": one.shape,
        "trend": None if one.trend is None else str(one.trend),
        "index": found.index_label,
        "state": found.state,
        "arrival": one.arrival,
        "arrival_with_measures": one.arrival_with_measures,
        "gap_g": one.gap_g,
        "gap_with_measures_g": one.gap_with_measures_g,
        "budget_g": one.budget_g,
        "spent_g": one.spent_g,
        "years": [{"year": year.year, **dict(zip(_COLUMNS, _amounts(year), strict=True))} for year in one.years],
        "measures": [
            {"id": kept.id, "title": kept.measure.title, "state": kept.state, "saved_uj": net.total_uj}
            for kept, net in found.measures
        ],
    }


def _amounts(year: PlannedYear) -> tuple[int | None, ...]:
    return tuple(getattr(year, name) for name in _COLUMNS)


def _show(name: str, found: Planned) -> None:
    one = found.plan
    click.echo(f"{name}: {SHAPES[one.shape]}; figures are {found.state}")
    heads = ("year", "allowed", "actual", "forecast", "with measures", "left", "offsets, apart")
    echo_table(
        heads,
        [(financial_year_label(year.year), *(_words(grams) for grams in _amounts(year))) for year in one.years],
    )
    click.echo()
    for line in sentences(found):
        click.echo(line)


def _words(grams: int | None) -> str:
    return "" if grams is None else mass_words(Decimal(grams) / 1000) if grams else "0"


def sentences(found: Planned) -> list[str]:
    """What the plan comes to, in plain words."""
    one = found.plan
    trend = "energy as in the last complete year" if one.trend is None else f"energy {one.trend:+.1%} a year"
    lines = [f"As things are ({trend}; {found.index_label}): {_arrives(one, one.arrival, one.gap_g)}"]
    if found.measures:
        lines.append(
            f"With {len(found.measures)} measures: {_arrives(one, one.arrival_with_measures, one.gap_with_measures_g)}"
        )
    if one.budget_g:
        lines.append(
            f"The pathway allows {_words(one.budget_g)} after the base year; {_words(one.spent_g)} of it is emitted."
        )
    return lines


def _arrives(one: Plan, year: int | None, gap_g: int | None) -> str:
    if gap_g is None:
        return "no forecast yet, there is no complete financial year"
    goal = financial_year_label(one.target.target_year)
    if gap_g <= 0:
        met = financial_year_label(year) if year is not None else goal
        return f"the target is met from {met} on, in {goal} by {_words(-gap_g)} more than needed"
    return f"the target of {goal} is missed by {_words(gap_g)}"
