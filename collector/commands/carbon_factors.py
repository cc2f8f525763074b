"""`ictagent carbon factors`: the Government's conversion factors, imported as versions, compared and accepted."""

import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection, Row

from agent.commands.common import echo_json, echo_table, output_option
from carbon.factor_file import FactorRow
from carbon.factor_lines import ELECTRICITY, FACTOR_LINES
from carbon.factor_moves import Move, steps
from carbon.factors import FactorSet
from collector.commands.common import actor, database_of, echo_csv, moment, plain_errors
from collector.commands.progress import progress_bar
from collector.factor_files import read_file
from collector.factor_import import FactorPlan, apply, plan, rows_of
from collector.factor_import import accept as accept_moves
from collector.factors import acceptances, factor_sets, imports, read_set, set_named
from collector.taking import Who

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
_ROW_HEADS = ("id", "cell", "scope", "level 1", "level 2", "level 3", "level 4", "column text", "unit", "gas", "value")
_NOT_AVAILABLE = "not available"


@click.group()
def factors() -> None:
    """The Government's conversion factors: what a kilowatt-hour, a litre or a kilogram emits.

    \b
    Examples:
      ictagent carbon factors list
      ictagent carbon factors import ghg-conversion-factors-2026-flat-format.xlsx --dry-run
      ictagent carbon factors diff 2025 2026
    """


@factors.command(
    "import",
    epilog="\b\nExamples:\n  ictagent carbon factors import flat-file-2026.xlsx --dry-run\n"
    "  ictagent carbon factors import flat-file-2026.xlsx\n"
    '  ictagent carbon factors import flat-file-2026.xlsx --accept-change "method of 2026, methodology paper, page 12"',
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option(
    "--accept-change", "reason", metavar="REASON", help="Accept factors that moved by over half, for this reason."
)
@_STATE
@output_option()
def import_file(file: Path, dry_run: bool, reason: str | None, state_directory: Path | None, output: str) -> None:
    """Take over a flat file as published, .xlsx or .xls, as a version of its year.

    The newest version of a year holds; older ones stay for published reports. The same file again changes nothing.
    """
    with database_of(state_directory) as database, plain_errors():
        read = read_file(file)
        with database.read() as connection:
            planned = plan(connection, read)
        import_id = None
        if not dry_run:
            with progress_bar("marking the days whose factors change") as progress:
                import_id = apply(database, read, Who(actor(), int(time.time())), reason, progress)
    open_now = [] if import_id is not None and reason is not None else planned.moves
    if output == "json":
        echo_json(_plan_json(planned, import_id, open_now))
        return
    _show_plan(planned, dry_run, open_now)
    for move in planned.moves if import_id is not None and reason is not None else ():
        click.echo(f"accepted: {move.words}")


def _plan_json(planned: FactorPlan, import_id: int | None, open_now: Sequence[Move]) -> dict[str, Any]:
    file = planned.read.factors
    return {
        "file": planned.read.name,
        "sha256": planned.read.sha256,
        "year": file.year,
        "version": file.version,
        "final": file.final,
        "updated": file.updated,
        "next_publication": file.next_publication,
        "rows": len(file.rows),
        "managed_assets_left_out": file.managed_assets,
        "import": import_id,
        "same_as": planned.same_as,
        "holds": planned.holds,
        "lines": {key: _line_json(row) for key, row in file.lines.items()},
        "missing": list(file.missing),
        "unreadable": list(file.unreadable),
        "unaccepted": [one.words for one in open_now],
    }


def _line_json(row: FactorRow) -> dict[str, Any]:
    return {"value": None if row.value is None else f"{row.value:f}", "row_id": row.id, "cell": row.cell}


def _show_plan(planned: FactorPlan, dry_run: bool, open_now: Sequence[Move]) -> None:
    file, before = planned.read.factors, planned.before
    click.echo(
        f"UK Government conversion factors {file.year}, version {file.version}"
        f"{'' if file.final else ' (not final)'}, updated {file.updated or 'at a date not said'}\n"
        f"{len(file.rows)} rows, {file.managed_assets} of managed assets left out; SHA-256 {planned.read.sha256}\n"
    )
    known = {} if before is None else before.values
    changes = [
        (key, _number(row), "" if key not in known else f"{known[key]:f}", row.cell) for key, row in file.lines.items()
    ]
    echo_table(("line", "factor", "now", "cell"), changes)
    click.echo()
    for key in file.missing:
        click.echo(f"not in this file: {FACTOR_LINES[key].name}")
    if file.unreadable:
        click.echo(f"no numbers, in rows that no line needs: {', '.join(file.unreadable)}")
    if planned.same_as is not None:
        click.echo(f"this file was imported before, as import {planned.same_as}: nothing changes")
    elif not planned.holds and before is not None:
        click.echo(f"version {before.version} of {file.year} is newer and goes on to hold; this one is kept beside it")
    for move in open_now:
        click.echo(f"moved by over half: {move.words}")
    if open_now:
        click.echo(
            "no report is published with these before they are accepted: "
            f'ictagent carbon factors accept {file.year} --reason "..."'
        )
    if dry_run:
        click.echo("nothing was written")
    elif planned.same_as is None:
        click.echo("imported" + ("; series of the days that it changes are written anew" if planned.holds else ""))


@factors.command("list", epilog="\b\nExample:\n  ictagent carbon factors list --output csv > factors.csv")
@_STATE
@output_option("table", "json", "csv")
def list_sets(state_directory: Path | None, output: str) -> None:
    """All sets: those that hold, and imported versions that no longer do. Electricity in kgCO2e per kWh."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        rows = listed_sets(connection)
    if output == "json":
        echo_json(rows)
        return
    heads = ("year", "version", "state", "from", "holds", *ELECTRICITY, "imported", "by", "sha256")
    table = [tuple(row[head] if row[head] is not None else "" for head in heads) for row in rows]
    if output == "csv":
        echo_csv(heads, table)
        return
    echo_table(
        (
            "year",
            "version",
            "state",
            "from",
            "holds",
            "generation",
            "T&D",
            "WTT generation",
            "WTT T&D",
            "imported",
            "by",
        ),
        [row[:-1] for row in table],
    )
    for row in rows:
        for words in row["unaccepted"]:
            click.echo(f"\nto be accepted: {words}")
        if row["series"]:
            click.echo(
                f"\nthe import of {row['year']} was cut off before its series were marked: import the file again"
            )


def listed_sets(connection: Connection) -> list[dict[str, Any]]:
    """Every set that is known as JSON values: of each year the one that holds last."""
    rows = []
    for one in factor_sets(connection):
        mine = imports(connection, one.year)
        rows += [_set_json(read_set(connection, row), False, row) for row in mine if row.sha256 != one.sha256]
        own = next((row for row in mine if row.sha256 == one.sha256), None)
        rows.append(_set_json(one, True, own if one.provenance == "imported" else None))
    return rows


def _set_json(one: FactorSet, holds: bool, row: Row[Any] | None) -> dict[str, Any]:
    return {
        "year": one.year,
        "version": one.version,
        "state": "to be accepted" if one.unaccepted else "final" if one.final else "provisional",
        "from": one.provenance,
        "holds": "yes" if holds else "no",
        **{key: f"{getattr(one, key):f}" for key in ELECTRICITY},
        "imported": None if row is None else moment(row.at),
        "by": None if row is None else row.actor,
        "series": "due" if row is not None and not row.followed else "",
        "sha256": one.sha256,
        "unaccepted": list(one.unaccepted),
    }


@factors.command(
    epilog="\b\nExamples:\n  ictagent carbon factors show 2025\n  ictagent carbon factors show 2023 --version 1\n"
    "  ictagent carbon factors show 2025 --all --output csv > rows.csv"
)
@click.argument("year", type=int)
@click.option("--version", help="A certain version; without it the one that holds.")
@click.option("--all", "every", is_flag=True, help="Every row of the imported file.")
@_STATE
@output_option("table", "json", "csv")
def show(year: int, version: str | None, every: bool, state_directory: Path | None, output: str) -> None:
    """The lines of a set: factor, unit, row id and cell in the Government's file."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        one = set_named(connection, year, version)
        rows = rows_of(connection, one.sha256) if every else []
        accepted = acceptances(connection, [one.sha256]) if one.provenance == "imported" else []
    if every:
        _echo(_ROW_HEADS, [_row_cells(row) for row in rows], output)
        return
    heads = ("line", "name", "scope", "factor", "unit", "row_id", "cell")
    table = [
        (
            line.key,
            FACTOR_LINES[line.key].name,
            FACTOR_LINES[line.key].scope,
            _NOT_AVAILABLE if line.value is None else f"{line.value:f}",
            f"kgCO2e per {FACTOR_LINES[line.key].unit}",
            line.row_id,
            line.cell,
        )
        for line in one.lines
    ]
    if output == "table":
        click.echo(
            f"{one.year}, version {one.version}, {'final' if one.final else 'provisional'}, {one.provenance}"
            f"{f', SHA-256 {one.sha256}' if one.sha256 else ', no file read'}\n"
        )
    _echo(heads, table, output)
    if output == "table":
        for words in one.unaccepted:
            click.echo(f"\nto be accepted: {words}")
        for row in accepted:
            name = FACTOR_LINES[row.line].name
            step = f"{name}: {row.before} in {row.before_year} to {row.after}"
            click.echo(f"\naccepted {moment(row.at)} by {row.actor}: {step}; {row.reason}")


def _row_cells(row: FactorRow) -> tuple[str, ...]:
    return (row.id, row.cell, row.scope, *row.levels, row.column_text, row.unit, row.gas, _number(row))


def _number(row: FactorRow) -> str:
    return _NOT_AVAILABLE if row.value is None else f"{row.value:f}"


@factors.command(
    epilog="\b\nExamples:\n  ictagent carbon factors diff 2025 2026\n  ictagent carbon factors diff 2023:1 2023:1.1"
)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@_STATE
@output_option("table", "json", "csv")
def diff(before: str, after: str, state_directory: Path | None, output: str) -> None:
    """Each line in two sets and the step between them. A and B are years, or YEAR:VERSION."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        one, other = (set_named(connection, *_year_and_version(text)) for text in (before, after))
    heads = ("line", before, after, "change", "accept")
    found = {move.key: move for move in steps(one, other)}
    table = []
    for key in FACTOR_LINES:
        values = [of.values.get(key) for of in (one, other)]
        if values != [None, None]:
            change = found[key].change if key in found else None
            texts = [_NOT_AVAILABLE if value is None else f"{value:f}" for value in values]
            large = "over half" if key in found and found[key].large else ""
            table.append((key, *texts, _change(change, output), large))
    _echo(heads, table, output)


def _change(change: Decimal | None, output: str) -> str | Decimal:
    """A step as people read it, or as the number that programs take: part of the first set's factor."""
    if change is None:
        return ""
    exact = change.quantize(Decimal("0.000001"))
    return f"{change:+.1%}" if output == "table" else str(exact) if output == "json" else exact


def _year_and_version(text: str) -> tuple[int, str | None]:
    year, _, version = text.partition(":")
    if not year.isdigit():
        raise click.UsageError(f"{text} is no year, and no YEAR:VERSION such as 2023:1.1")
    return int(year), version or None


@factors.command(epilog='\b\nExample:\n  ictagent carbon factors accept 2026 --reason "one year of data lag less"')
@click.argument("year", type=int)
@click.option("--reason", required=True, help="What explains the step, for the auditor.")
@_STATE
def accept(year: int, reason: str, state_directory: Path | None) -> None:
    """Accept that factors of a year moved by over half against the year before, so that reports may be published."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        moves = accept_moves(connection, year, reason, Who(actor(), int(time.time())))
    for move in moves:
        click.echo(f"accepted: {move.words}")


def _echo(heads: tuple[str, ...], table: list[tuple[Any, ...]], output: str) -> None:
    if output == "json":
        echo_json([dict(zip(heads, row, strict=True)) for row in table])
    elif output == "csv":
        echo_csv(heads, table)
    else:
        echo_table(heads, table)
