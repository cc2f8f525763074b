"""`ictagent carbon footprint`: energy and emissions of a period by any key, exact in JSON and CSV, short on the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.footprint_groups import KEYS, Group, by_scope, groups, whole
from carbon.report import Report
from carbon.row_ranges import grams_range
from carbon.uncertainty import CONFIDENCE
from carbon.units import kilograms, kwh_exact
from carbon.wording import figure, mass_words, percent
from collector.commands.carbon_options import ORGANISATION, STATE
from collector.commands.carbon_period import Months, period_options
from collector.commands.carbon_reading import read_report
from collector.commands.common import echo_csv

_HEADS = ("kWh", "filled", "overhead", "CO2e", f"range at {CONFIDENCE}", "of it Scope 2", "time covered")


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon footprint                              this financial year by site\n"
    "  ictagent carbon footprint --from FY2024 --by scope\n"
    "  ictagent carbon footprint --from 2025-04 --to 2025-09 --by class --by month --output csv > classes.csv"
)
@period_options
@click.option(
    "--by",
    "names",
    type=click.Choice([*KEYS, "scope"]),
    multiple=True,
    help="What to add up by; may be given again, `scope` stands alone. Without: site.",
)
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def footprint(
    first: Months | None,
    last: Months | None,
    names: tuple[str, ...],
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """The footprint of a period: energy and emissions of every part of the estate, each kilowatt-hour once.

    Energy is measured, estimated or filled where nothing was read, with the rooms' overhead; emissions are location-based,
    all four lines, with the market-based beside Scope 2 in JSON and CSV.
    """
    keys = names or ("site",)
    if "scope" in keys and len(keys) > 1:
        raise click.UsageError("--by scope stands alone: an amount of energy has lines in two scopes")
    found = read_report(first, last, organisation, state_directory)
    if keys == ("scope",):
        _show_scopes(found, output)
    elif output == "json":
        rows = [{**dict(zip(keys, key, strict=True)), **exact(one)} for key, one in groups(found, keys).items()]
        echo_json({**about(found), "rows": rows, "total": exact(whole(found)), **beside(found)})
    elif output == "csv":
        rows_of = [(*key, *exact(one).values()) for key, one in groups(found, keys).items()]
        echo_csv((*keys, *exact(whole(found))), rows_of)
    else:
        _show(found, keys)


def about(found: Report) -> dict[str, Any]:
    """What a report is of, and what it rests on."""
    sets = sorted({f"{row.applied.factors.name} {row.applied.factors.version}" for row in found.rows})
    return {
        "organisation": found.organisation,
        "from": found.first_month,
        "to": found.last_month,
        "state": found.state,
        "year_rule": found.year_rule,
        "factor_sets": sets,
        "method_version": found.method_version,
        "confidence": CONFIDENCE,
    }


def beside(found: Report) -> dict[str, Any]:
    """What stands beside the rows."""
    return {
        "other_kgco2e": f"{kilograms(found.total_g - found.grams.total):f}",
        "total_kgco2e": f"{kilograms(found.total_g):f}",
        "schools_left_out_kgco2e": f"{kilograms(found.left_out_g):f}",
        "not_reported": list(found.not_reported),
        "notes": list(found.notes),
    }


def exact(one: Group) -> dict[str, str]:
    """A group's figures in full: kWh to the microjoule, kilograms to the gram."""
    energy = {
        "measured_kwh": one.measured_uj,
        "estimated_kwh": one.estimated_uj,
        "filled_kwh": one.filled_uj,
        "overhead_kwh": one.overhead_uj,
        "activity_kwh": one.activity_uj,
        "activity_low_kwh": one.energy_range_uj[0],
        "activity_high_kwh": one.energy_range_uj[1],
    }
    masses = {
        "generation_kgco2e": one.grams.s2_generation,
        "td_kgco2e": one.grams.s3_td,
        "wtt_generation_kgco2e": one.grams.s3_wtt_generation,
        "wtt_td_kgco2e": one.grams.s3_wtt_td,
        "kgco2e": one.grams.total,
        "low_kgco2e": one.grams_range[0],
        "high_kgco2e": one.grams_range[1],
        "scope_2_kgco2e": one.scope_2_g,
        "scope_2_market_kgco2e": one.scope_2_market_g,
    }
    return {
        "devices": f"{float(one.devices):.6f}",
        **{name: f"{kwh_exact(amount):f}" for name, amount in energy.items()},
        **{name: f"{kilograms(amount):f}" for name, amount in masses.items()},
        "time_coverage": "" if one.time_coverage is None else f"{one.time_coverage:.6f}",
    }


def _show(found: Report, keys: Sequence[str]) -> None:
    if not found.rows:
        click.echo(f"nothing is known of {found.first_month} to {found.last_month}", err=True)
    else:
        table = [(*(one or "-" for one in key), *_short(of)) for key, of in groups(found, keys).items()]
        table.append((*("total" if not place else "" for place in range(len(keys))), *_short(whole(found))))
        click.echo(f"{found.organisation}, {found.first_month} to {found.last_month}, {found.state}")
        echo_table((*keys, *_HEADS), table)
    _say_beside(found)


def _short(one: Group) -> tuple[str, ...]:
    low, high = (mass_words(kilograms(bound)) for bound in one.grams_range)
    return (
        figure(kwh_exact(one.activity_uj), 3),
        figure(kwh_exact(one.filled_uj), 3),
        figure(kwh_exact(one.overhead_uj), 3),
        mass_words(kilograms(one.grams.total)),
        f"{low} to {high}",
        mass_words(kilograms(one.scope_2_g)),
        "" if one.time_coverage is None else percent(one.time_coverage),
    )


def _show_scopes(found: Report, output: str) -> None:
    rows = by_scope(found)
    if output == "json":
        exact_rows = [
            {"scope": scope, "category": category, "kgco2e": f"{kilograms(grams):f}"}
            for (scope, category), grams in rows.items()
        ]
        echo_json({**about(found), "rows": exact_rows, **beside(found)})
    elif output == "csv":
        echo_csv(("scope", "category", "kgco2e"), [(*key, kilograms(grams)) for key, grams in rows.items()])
    else:
        click.echo(f"{found.organisation}, {found.first_month} to {found.last_month}, {found.state}")
        table = [(f"Scope {scope}", category or "-", mass_words(kilograms(g))) for (scope, category), g in rows.items()]
        echo_table(("scope", "category", "CO2e"), [*table, ("total", "", mass_words(kilograms(found.total_g)))])
        _say_beside(found, other=False)


def _say_beside(found: Report, *, other: bool = True) -> None:
    if other and (more := found.total_g - found.grams.total):
        low, high = (mass_words(kilograms(bound + more)) for bound in grams_range(found.rows))
        click.echo(
            f"\nother lines and services: {mass_words(kilograms(more))}; all: {mass_words(kilograms(found.total_g))}"
        )
        click.echo(f"({low} to {high}; other lines come without a range)")
    if found.left_out_g:
        click.echo(f"\nschools are outside of the boundary: {mass_words(kilograms(found.left_out_g))} are left out")
    excluded = sorted({one.device for one in found.fills if one.method == "excluded"})
    if excluded:
        click.echo(f"{len(excluded)} devices have gaps that nothing stands for: `carbon fills` lists them", err=True)
    for name in found.not_reported:
        click.echo(f"not reported: {name}", err=True)
    for note in found.notes:
        click.echo(note, err=True)
