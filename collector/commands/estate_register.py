"""`ictagent estate import|imports|undo|export|reconcile`: the council's register of ICT."""

import datetime
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection, select

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import local_day
from carbon.class_profiles import packaged_profiles
from collector.commands.common import actor, collector_id, database_of, moment, plain_errors
from collector.commands.progress import progress_bar
from collector.database.engine import Database
from collector.database.schema import register_mapping
from collector.database.upsert import upsert
from collector.register.mapping import RegisterMapping, fingerprint, from_values, read_mapping
from collector.register.reading import read_register
from collector.register.rows import RegisterFile
from collector.register_export import as_csv, as_workbook, register_table
from collector.register_facts import State
from collector.register_import import apply
from collector.register_import import undo as undo_import
from collector.register_plan import Plan, plan, require_organisation
from collector.register_queries import Seen, find_organisation, imports, reconciliation
from collector.taking import Acting

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
_ORGANISATION = click.option("--organisation", help="Whose register it is; the first organisation's without.")
_SHOWN = 20
_LONGEST_VALUE = 40


@click.command(
    "import",
    epilog="\b\nExamples:\n"
    "  ictagent estate import register.xlsx --dry-run     what it would do; writes nothing\n"
    "  ictagent estate import register.xlsx --dry-run --save-map map.toml\n"
    "  ictagent estate import register.xlsx --map map.toml\n"
    "  ictagent estate import october.csv --as-at 2026-10-31",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="Which column is what (TOML).")
@click.option("--save-map", type=click.Path(path_type=Path), help="Write the mapping that was used to this file.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option("--as-at", type=click.DateTime(["%Y-%m-%d"]), help="The day on which the register was so; today without.")
@_ORGANISATION
@_STATE
@output_option()
def import_register(
    file: Path,
    map_file: Path | None,
    save_map: Path | None,
    dry_run: bool,
    as_at: datetime.datetime | None,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Take over a register (CSV or XLSX), whatever its columns are called.

    Columns are told by their headers; the mapping is shown, kept for files with the same headers, and can be given.
    Rows are matched with the devices that were seen by serial number, then asset tag, then host name and model. Rows
    that conflict or are wrong are shown with their cell and left as they were. `ictagent estate undo` takes all back.
    """
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors():
        with database.read() as connection:
            organisation_id, name, time_zone = find_organisation(connection, organisation)
            today = local_day(now - now % 1800, time_zone)
            read = _read(connection, file, map_file, organisation_id, today)
            require_organisation(read, name)
            planned = plan(connection, read, organisation_id, as_at.date() if as_at else today, time_zone)
        if save_map is not None:
            save_map.write_text(read.mapping.to_toml(), encoding="utf-8")
        import_id = None
        if not dry_run and (planned.writes or planned.sites):
            import_id = _apply(database, planned, Acting(actor(), now, collector_id(state_directory)))
    if output == "json":
        echo_json({**_summary(planned), "import": import_id, "dry_run": dry_run, "rows": _rows_json(planned)})
        return
    _show(planned, import_id, dry_run=dry_run)


def _read(
    connection: Connection, file: Path, map_file: Path | None, organisation_id: int, today: datetime.date
) -> RegisterFile:
    """The file by the mapping given, else by the one that was used for these headers before, else by a proposed one."""
    if map_file is not None:
        return read_register(file, read_mapping(map_file), today)

    def remembered(headers: Sequence[str]) -> RegisterMapping | None:
        query = select(register_mapping.c.mapping).where(
            register_mapping.c.organisation_id == organisation_id,
            register_mapping.c.fingerprint == fingerprint(headers),
        )
        saved = connection.execute(query).scalar()
        return None if saved is None else from_values(json.loads(saved), "the saved mapping")

    return read_register(file, None, today, remembered)


def _apply(database: Database, planned: Plan, who: Acting) -> int:
    mapping: RegisterMapping = planned.file.mapping
    with database.write() as connection:
        row = {
            "organisation_id": planned.organisation_id,
            "fingerprint": fingerprint(planned.file.headers),
            "mapping": json.dumps(mapping.to_json(), sort_keys=True),
            "saved_at": who.now,
        }
        upsert(connection, register_mapping, [row], ("mapping", "saved_at"))
    with progress_bar("rows written") as progress:
        return apply(database, planned, who, progress)


def _summary(planned: Plan) -> dict[str, Any]:
    faults = planned.file.faults
    return {
        "file": planned.file.name,
        "rows_read": planned.file.read_rows,
        "new": len(planned.of("new")),
        "changed": len(planned.of("changed")),
        "unchanged": len(planned.of("unchanged")),
        "matched": len(planned.matched),
        "conflicting": len(planned.of("conflicting")),
        "rejected": sum(one.severity == "rejected" for one in faults),
        "left_out": sum(one.severity == "left out" for one in faults),
        "warnings": sum(one.severity == "warning" for one in faults),
        "not_in_the_file": len(planned.absent),
        "sites_described": len(planned.sites),
    }


def _rows_json(planned: Plan) -> dict[str, Any]:
    return {
        "faults": [asdict(one) for one in planned.file.faults],
        "conflicting": [
            {"cell": one.cell, "row": one.row.where, "problem": one.problem} for one in planned.of("conflicting")
        ],
        "changed": [{"row": one.row.where, "changes": one.changes} for one in planned.of("changed")],
        "matched": [{"row": one.row.where, "device": one.device_id, "by": one.matched_by} for one in planned.matched],
        "mapping": planned.file.mapping.to_json(),
        "unmapped": list(planned.file.unmapped),
        "sheets_left_out": dict(planned.file.left_out_sheets),
    }


def _show(planned: Plan, import_id: int | None, *, dry_run: bool) -> None:
    file = planned.file
    how = "proposed from its headers" if file.proposed else "as the mapping says"
    click.echo(f"columns of {file.name}, {how}:")
    echo_table(("field", "column"), [(field, " or ".join(names)) for field, names in file.mapping.columns.items()])
    if file.unmapped:
        click.echo(f"not used: {', '.join(file.unmapped)}")
    for sheet, reason in file.left_out_sheets.items():
        click.echo(f"sheet {sheet} is not read: {reason}")
    click.echo()
    echo_table(("rows", "number"), [(name.replace("_", " "), value) for name, value in _summary(planned).items()])
    told: list[tuple[str, ...]] = [
        (one.cell, one.severity, _shortened(one.value), one.problem, one.remedy) for one in file.faults
    ]
    told += [
        (one.cell, "conflicting", "", one.problem, "correct the row, or the register")
        for one in planned.of("conflicting")
    ]
    if told:
        click.echo()
        echo_table(("cell", "what", "value", "problem", "remedy"), told)
    changed = planned.of("changed")
    if changed:
        rows = [
            (
                one.row.where,
                ", ".join(f"{name}: {old or '-'} → {new or '-'}" for name, (old, new) in one.changes.items()),
            )
            for one in changed[:_SHOWN]
        ]
        click.echo()
        echo_table(("changed", "from → to"), rows)
        if len(changed) > _SHOWN:
            click.echo(f"and {len(changed) - _SHOWN} more: see --output json")
    click.echo()
    if dry_run:
        click.echo("nothing was written (--dry-run)")
    elif import_id is None:
        click.echo("nothing to write: the register says all of it already")
    else:
        click.echo(f"written as import {import_id}; take it back with: ictagent estate undo {import_id}")


@click.command("imports", epilog="\b\nExample:\n  ictagent estate imports --output json")
@_ORGANISATION
@_STATE
@output_option()
def list_imports(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """The imports of the register, the newest first."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        rows = imports(connection, find_organisation(connection, organisation)[0])
    if output == "json":
        echo_json([asdict(row) for row in rows])
        return
    if not rows:
        click.echo("no register has been imported", err=True)
        return
    table = [(row.id, row.file_name, row.rows, moment(row.at), row.actor, row.state) for row in rows]
    echo_table(("import", "file", "rows", "at", "by", "state"), table)


@click.command("undo", epilog="\b\nExample:\n  ictagent estate undo 3")
@click.argument("import_id", type=int)
@_STATE
def undo(import_id: int, state_directory: Path | None) -> None:
    """Take an import of the register back as a whole: what it said, what it made, where it put devices."""
    who = Acting(actor(), int(time.time()), collector_id(state_directory))
    with database_of(state_directory) as database, plain_errors(), progress_bar("rows removed") as progress:
        undo_import(database, import_id, who, progress)
    click.echo(f"import {import_id} is undone")


@click.command(
    "export",
    epilog="\b\nExamples:\n  ictagent estate export register.xlsx\n  ictagent estate export - > register.csv",
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@_ORGANISATION
@_STATE
def export(file: Path, organisation: str | None, state_directory: Path | None) -> None:
    """Write the register in the columns of the last import, as .xlsx or .csv. Imported again, it changes nothing."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        headers, rows = register_table(connection, find_organisation(connection, organisation)[0])
    if str(file) == "-":
        click.echo(as_csv(headers, rows), nl=False)
        return
    if file.suffix.lower() not in (".csv", ".xlsx"):
        raise click.UsageError(f"{file} is neither .csv nor .xlsx")
    content = as_workbook(headers, rows) if file.suffix.lower() == ".xlsx" else as_csv(headers, rows).encode()
    file.write_bytes(content)
    click.echo(f"{len(rows)} items written to {file}", err=True)


@click.command("reconcile", epilog="\b\nExample:\n  ictagent estate reconcile --output json")
@_ORGANISATION
@_STATE
@output_option()
def reconcile(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """Compare the register with the devices that were seen: what either has and the other has not.

    Of each list the first 20 are shown; JSON has all of them.
    """
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        found = reconciliation(connection, find_organisation(connection, organisation)[0], int(time.time()))
    if output == "json":
        echo_json(
            {
                "seen_not_registered": [asdict(one) for one in found.seen_not_registered],
                "registered_not_seen_for_90_days": [
                    {"item": one.item_id, **one.facts, "device": asdict(seen)} for one, seen in found.unseen
                ],
                "registered_never_seen": found.never_seen,
                "model_unknown": [{"item": one.item_id, **one.facts} for one in found.model_unknown],
                "no_site": [{"item": one.item_id, **one.facts} for one in found.no_site],
            }
        )
        return
    _list(
        "seen, not registered",
        ("device", "name", "kind", "model", "serial", "site", "last seen"),
        [
            (one.device_id, one.host_name, one.kind, one.model, one.serial, one.site, _seen_at(one))
            for one in found.seen_not_registered
        ],
    )
    _list(
        "registered, not seen for 90 days",
        (*_ITEM, "site", "last seen"),
        [(*_item(one), seen.site, _seen_at(seen)) for one, seen in found.unseen],
    )
    click.echo(f"registered, never seen: {sum(found.never_seen.values())}")
    if found.never_seen:
        echo_table(("class", "number", "counted by"), [_never(*one) for one in found.never_seen.items()])
    click.echo()
    _list("model unknown", _ITEM, [_item(one) for one in found.model_unknown])
    _list("no site", _ITEM, [_item(one) for one in found.no_site])


_ITEM = ("asset tag", "serial", "name", "class")


def _item(one: State) -> tuple[str, ...]:
    return tuple(one.facts[name] for name in ("asset_tag", "serial", "host_name", "device_class"))


def _seen_at(one: Seen) -> str:
    return "never" if one.last_report_at is None else moment(one.last_report_at)


def _never(device_class: str, number: int) -> tuple[str, int, str]:
    """Devices of a class that were never seen, and what stands for them."""
    return (
        device_class,
        number,
        "class profile" if device_class in packaged_profiles() else "nothing, or your own profile",
    )


def _list(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The number of rows, and the first of them."""
    click.echo(f"{title}: {len(rows)}")
    if rows:
        echo_table(header, rows[:_SHOWN])
    if len(rows) > _SHOWN:
        click.echo(f"and {len(rows) - _SHOWN} more: see --output json")
    click.echo()


def _shortened(value: str) -> str:
    """A cell's text as a table has room for it; JSON has it whole."""
    return value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 3]}..."
