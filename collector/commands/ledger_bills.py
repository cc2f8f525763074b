"""`ictagent ledger bills`: suppliers' bills, kept beside the half-hours of the same meters and compared with them."""

import time
from dataclasses import asdict
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.units import kwh, kwh_exact
from carbon.wording import fixed
from collector.commands.common import actor, database_of, echo_csv, plain_errors
from collector.commands.ledger_options import taking_options
from collector.errors import BadRequest
from collector.half_hourly.bills import read_bills
from collector.meter_bills import BillPlan, Compared, apply_bills, compared, plan_bills
from collector.register_queries import find_organisation
from collector.supplier_maps import find_mapping
from collector.supply_meters import NewMeter, require_same
from collector.taking import Who

_SHOWN = 50
_HEADER = (
    "MPAN",
    "first day",
    "last day",
    "bill kWh",
    "bill is",
    "half-hours kWh",
    "coverage",
    "difference kWh",
    "difference",
    "verdict",
    "overlaps",
)


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent ledger bills bills-2026.csv --dry-run\n"
    "  ictagent ledger bills bills-2026.csv\n"
    "  ictagent ledger bills --compare --output csv > compared.csv",
)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--compare", is_flag=True, help="Show every bill beside the half-hours of its days.")
@click.option("--mpan", help="With --compare: of this meter alone.")
@taking_options
@output_option("table", "json", "csv")
def bills(
    file: Path | None,
    compare: bool,
    mpan: str | None,
    map_name: str | None,
    dry_run: bool,
    site: str | None,
    purpose: str | None,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Take over a table of bills (CSV or XLSX), or compare bills with half-hours.

    A bill and the half-hours of the same meter and days say the same thing twice: they are compared, in kWh and per cent
    with the part of the time that has half-hours, and never added. `ictagent ledger undo` takes a file of bills back.
    """
    if (file is None) != compare:
        raise click.UsageError("give a file of bills, or --compare")
    with database_of(state_directory) as database, plain_errors():
        with database.read() as connection:
            organisation_id = find_organisation(connection, organisation)[0]
            if file is None:
                _show_compared(compared(connection, organisation_id, mpan), output)
                return
            planned = plan_bills(connection, read_bills(file, find_mapping(connection, map_name)), organisation_id)
            require_same(connection, [one.mpan for one in planned.file.bills], site, purpose)
        if not planned.file.bills and not dry_run:
            first = next((f": {one.cell}: {one.problem}" for one in planned.file.faults), "")
            raise BadRequest(f"{file.name} has no bill that can be taken{first}", "see all of it with --dry-run")
        import_id = None
        if not dry_run and planned.same_as is None:
            new = NewMeter(site or "", purpose or "whole_building")
            import_id = apply_bills(database, planned, new, Who(actor(), int(time.time())))
    if output == "json":
        numbers = {name: len(getattr(planned, name)) for name in ("new", "changed", "unchanged")}
        told = {"faults": [asdict(one) for one in planned.file.faults], "assumed": list(planned.file.assumed)}
        same = {"import": import_id, "same_as": planned.same_as, "dry_run": dry_run}
        echo_json({"file": planned.file.name, "sha256": planned.file.sha256, **same, **numbers, **told})
        return
    _show(planned, import_id, output, dry_run=dry_run)


def _show(planned: BillPlan, import_id: int | None, output: str, *, dry_run: bool) -> None:
    rows = [
        (
            what,
            one.mpan,
            one.first_day,
            one.last_day,
            fixed(kwh(one.energy_uj), 3) if output == "table" else f"{kwh(one.energy_uj):.3f}",
            "estimated" if one.estimated else "actual",
        )
        for what in ("new", "changed", "unchanged")
        for one in getattr(planned, what)
    ]
    header = ("what", "MPAN", "first day", "last day", "kWh", "bill is")
    if output == "csv":
        echo_csv(header, rows)
    elif rows:
        echo_table(header, rows[:_SHOWN])
        if len(rows) > _SHOWN:
            click.echo(f"and {len(rows) - _SHOWN} more: see --output json")
    for text in planned.file.assumed:
        click.echo(f"assumed: {text}", err=True)
    if planned.file.faults:
        told = [(one.cell, one.severity, one.value, one.problem, one.remedy) for one in planned.file.faults[:_SHOWN]]
        if output == "table":
            echo_table(("cell", "what", "value", "problem", "remedy"), told)
        else:
            click.echo(f"{len(planned.file.faults)} faults: see the table", err=True)
    if planned.same_as is not None:
        click.echo(f"nothing to write: the same file was taken as import {planned.same_as}", err=True)
    elif dry_run:
        click.echo("nothing was written (--dry-run)", err=True)
    else:
        click.echo(f"written as import {import_id}; take it back with: ictagent ledger undo {import_id}", err=True)


def _show_compared(rows: list[Compared], output: str) -> None:
    if output == "json":
        exact = ("bill_uj", "half_hours_uj", "difference_uj")
        echo_json(
            [
                {
                    **asdict(one),
                    **{name.removesuffix("_uj") + "_kwh": str(kwh_exact(getattr(one, name))) for name in exact},
                }
                for one in rows
            ]
        )
        return
    if output == "csv":
        echo_csv(_HEADER, map(_cells, rows))
        return
    if not rows:
        click.echo("there is no bill: ictagent ledger bills FILE", err=True)
        return
    table = []
    for one in rows:
        first, *numbers = _cells(one)
        shown = [f"{cell:.3f}" if isinstance(cell, float) else cell for cell in numbers]
        shown[5] = f"{one.coverage:.1%}"
        shown[7] = "" if one.difference_ratio is None else f"{one.difference_ratio:+.1%}"
        table.append((first, *shown))
    echo_table(_HEADER, table)


def _cells(one: Compared) -> tuple[object, ...]:
    """A row of numbers as numbers: a text that begins with a minus would be made harmless."""
    return (
        one.mpan,
        one.first_day,
        one.last_day,
        kwh(one.bill_uj),
        "estimated" if one.bill_estimated else "actual",
        kwh(one.half_hours_uj),
        one.coverage,
        kwh(one.difference_uj),
        "" if one.difference_ratio is None else one.difference_ratio,
        one.verdict,
        "yes" if one.overlaps else "",
    )
