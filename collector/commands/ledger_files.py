"""`ictagent ledger import|files|undo`: half-hourly files of electricity suppliers, into the ledger and back out of it."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.units import kwh, kwh_exact
from carbon.wording import fixed
from collector.commands.common import actor, database_of, echo_csv, moment, plain_errors
from collector.commands.ledger_options import ORGANISATION, STATE, taking_options
from collector.commands.progress import progress_bar
from collector.errors import BadRequest
from collector.half_hourly.reading import read_half_hours
from collector.half_hourly.rows import HalfHourlyFile
from collector.meter_file_list import files
from collector.meter_files import FilePlan, apply, plan
from collector.meter_files import undo as undo_file
from collector.register_queries import find_organisation
from collector.supplier_maps import find_mapping
from collector.supply_meters import NewMeter, require_same
from collector.taking import Who

_SHOWN = 50


@click.command(
    "import",
    epilog="\b\nExamples:\n"
    "  ictagent ledger import october.csv --dry-run      what it would do; writes nothing\n"
    '  ictagent ledger import october.csv --site "Town Hall"\n'
    "  ictagent ledger import october.xlsx --map npower --output json",
)
@click.argument("file", type=click.Path(path_type=Path))
@taking_options
@output_option()
def import_file(
    file: Path,
    map_name: str | None,
    dry_run: bool,
    site: str | None,
    purpose: str | None,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Take over a supplier's half-hourly file (CSV or XLSX), with a row a day or a row a half-hour.

    Its layout is told by its headers; a mapping says what they leave open. Active import alone is taken; other channels
    are named, and loss-adjusted figures refused. The same file again changes nothing; a newer file supersedes, and what
    it replaces is kept. `ictagent ledger undo` takes it back.
    """
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors():
        with database.read() as connection:
            organisation_id = find_organisation(connection, organisation)[0]
            read = read_half_hours(file, find_mapping(connection, map_name))
            planned = plan(connection, read, organisation_id)
            require_same(connection, [one.mpan for one in planned.meters], site, purpose)
        if not read.readings and not dry_run:
            first = next((f": {one.cell}: {one.problem}" for one in read.faults), "")
            raise BadRequest(f"{file.name} has no half-hour that can be taken{first}", "see all of it with --dry-run")
        import_id = None
        if not dry_run and planned.same_as is None:
            new = NewMeter(site or "", purpose or "whole_building")
            with progress_bar("half-hours") as progress:
                import_id = apply(database, planned, new, Who(actor(), now), progress)
    if output == "json":
        echo_json({"import": import_id, "dry_run": dry_run, **_as_json(planned)})
        return
    _show(planned, import_id, dry_run=dry_run)


def _as_json(planned: FilePlan) -> dict[str, Any]:
    file = planned.file
    return {
        "file": file.name,
        "sha256": file.sha256,
        "same_as": planned.same_as,
        "meters": [{**asdict(one), "kwh": str(kwh_exact(one.energy_uj))} for one in planned.meters],
        "faults": [asdict(one) for one in file.faults],
        "set_aside": dict(file.set_aside),
        "assumed": list(file.assumed),
        "missing": file.missing,
        "mapping": {name: value for name, value in asdict(file.mapping).items() if value},
    }


def _show(planned: FilePlan, import_id: int | None, *, dry_run: bool) -> None:
    file = planned.file
    header = ("MPAN", "from (UTC)", "to (UTC)", "kWh", "new", "changed", "unchanged", "estimated", "meter")
    rows = [
        (
            one.mpan,
            moment(one.first_half_hour),
            moment(one.last_half_hour + 1800),
            fixed(kwh(one.energy_uj), 3),
            one.new,
            one.changed,
            one.unchanged,
            one.estimated,
            "known" if one.known else "new",
        )
        for one in planned.meters
    ]
    if rows:
        echo_table(header, rows)
    show_reading(file)
    if sealed := sum(one.sealed for one in planned.meters):
        click.echo(f"{sealed} half-hours lie in a published period: higher revisions, and a restatement")
    if planned.same_as is not None:
        click.echo(f"nothing to write: the same file was taken as import {planned.same_as}")
        if later := sum(one.new + one.changed for one in planned.meters):
            click.echo(
                f"half-hours that a later file has otherwise: {later}; to have this one's again, take that one back: "
                "ictagent ledger files"
            )
    elif dry_run:
        click.echo("nothing was written (--dry-run)")
    else:
        click.echo(f"written as import {import_id}; take it back with: ictagent ledger undo {import_id}")


def show_reading(file: HalfHourlyFile) -> None:
    """What was assumed, set aside and wrong in a file."""
    label, clock = file.mapping.label, file.mapping.clock
    click.echo(f"half-hours go by their {label}; times are {'GMT all year' if clock == 'GMT' else 'local (UK)'}")
    for text in file.assumed:
        click.echo(f"assumed: {text}")
    for name, number in file.set_aside.items():
        click.echo(f"not taken, because it is another channel: {name} ({number})")
    if file.missing:
        click.echo(f"{file.missing} half-hours have a cell without a value: they stay unknown, and are not zero")
    if file.faults:
        told = [(one.cell, one.severity, one.value, one.problem, one.remedy) for one in file.faults[:_SHOWN]]
        echo_table(("cell", "what", "value", "problem", "remedy"), told)
        if len(file.faults) > _SHOWN:
            click.echo(f"and {len(file.faults) - _SHOWN} more: see --output json")


@click.command("files", epilog="\b\nExample:\n  ictagent ledger files --output json")
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def list_files(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """The files of suppliers that were taken, the newest first, and how much of each a newer one says otherwise."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        rows = files(connection, find_organisation(connection, organisation)[0])
    if output == "json":
        echo_json([asdict(row) for row in rows])
        return
    header = ("import", "what", "file", "readings", "superseded", "from (UTC)", "to (UTC)", "taken at", "by", "state")
    table = [
        (
            row.id,
            row.kind,
            row.name,
            row.readings,
            row.superseded,
            moment(row.first_at),
            moment(row.last_at + (1800 if row.kind == "half_hours" else 0)),
            moment(row.at),
            row.actor,
            row.state,
        )
        for row in rows
    ]
    if output == "csv":
        echo_csv(header, table)
    elif not rows:
        click.echo("no file of a supplier has been taken", err=True)
    else:
        echo_table(header, table)


@click.command("undo", epilog="\b\nExample:\n  ictagent ledger undo 3")
@click.argument("import_id", type=int)
@STATE
def undo(import_id: int, state_directory: Path | None) -> None:
    """Take a supplier's file back: the ledger has again what the other files say, and meters that it made are gone.

    In a published period nothing is removed: higher revisions say what holds.
    """
    with database_of(state_directory) as database, plain_errors(), progress_bar("half-hours") as progress:
        undo_file(database, import_id, Who(actor(), int(time.time())), progress)
    click.echo(f"import {import_id} is taken back")
