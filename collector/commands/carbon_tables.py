"""`ictagent carbon tables`: the Green Book's electricity factors and carbon values, as versions."""

import time
from pathlib import Path
from typing import cast

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.green_book import COLUMNS, Kind, YearTable, YearValue
from collector.commands.common import actor, database_of, echo_csv, moment, plain_errors
from collector.green_book_file import read_green_book
from collector.green_book_tables import (
    changed_years,
    find_table,
    keep_table,
    kept_tables,
    standing_table,
    withdraw_table,
)

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
_KINDS: dict[str, Kind] = {"electricity": "electricity_factors", "carbon-values": "carbon_values"}
_KIND = click.option("--table", "kind", type=click.Choice(list(_KINDS)), required=True, help="Which table.")
_SHOWN = 10


@click.group()
def tables() -> None:
    """HM Treasury's Green Book tables by year: electricity factors as an index of the grid, and carbon values.

    \b
    Examples:
      ictagent carbon tables list
      ictagent carbon tables show --table electricity
      ictagent carbon tables import data-tables-1-19.xlsx --table electricity --dry-run
    """


@tables.command("list", epilog="\b\nExample:\n  ictagent carbon tables list --output json")
@_STATE
@output_option()
def list_tables(state_directory: Path | None, output: str) -> None:
    """Every version: packaged with this release (0), and imported; and which one holds."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        found = [(name, one) for name, kind in _KINDS.items() for one in kept_tables(connection, kind)]
    if output == "json":
        rows = [
            {
                "table": name,
                "id": one.id,
                "version": one.table.version,
                "unit": one.table.unit,
                "columns": {column: _span(one.table, column) for column in one.table.columns},
                "source": one.table.source,
                "sha256": one.table.sha256,
                "added_at": moment(one.added_at) if one.id else None,
                "actor": one.actor,
                "holds": one.holds,
                "withdrawn": one.withdrawn_reason,
            }
            for name, one in found
        ]
        echo_json(rows)
        return
    table = [
        (
            name,
            one.id,
            one.table.version,
            _span(one.table, next(iter(one.table.columns))),
            moment(one.added_at) if one.id else "packaged",
            one.actor,
            "holds" if one.holds else f"withdrawn: {one.withdrawn_reason}" if one.withdrawn_reason is not None else "",
        )
        for name, one in found
    ]
    echo_table(("table", "id", "version", "years", "added", "by", ""), table)


@tables.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon tables show --table electricity --from 2025 --to 2030\n"
    "  ictagent carbon tables show --table carbon-values --output csv"
)
@_KIND
@click.option("--id", "table_id", type=int, help="A version by its number; that which holds without.")
@click.option("--from", "first", type=int, help="First year; the table's without.")
@click.option("--to", "last", type=int, help="Last year; the table's without.")
@_STATE
@output_option("table", "json", "csv")
def show(
    kind: str, table_id: int | None, first: int | None, last: int | None, state_directory: Path | None, output: str
) -> None:
    """A table year by year, each value published or interpolated."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        kept = find_table(connection, _KINDS[kind], table_id)
    table, names = kept.table, COLUMNS[_KINDS[kind]]
    spans = [table.years(name) for name in names]
    years = range(max(first or 0, *(one[0] for one in spans)), min(last or 9999, *(one[-1] for one in spans)) + 1)
    if not years:
        raise click.UsageError(f"the table has the years {_span(table, names[0])}")
    rows = [(year, [table.at(name, year) for name in names]) for year in years]
    if output == "json":
        made = [{"year": year, **dict(zip(names, map(_value, values), strict=True))} for year, values in rows]
        told = {"table": kind, "id": kept.id, "version": table.version, "source": table.source}
        echo_json({**told, "sha256": table.sha256, "unit": table.unit, "years": made})
        return
    cells = [(year, *(f"{one.value:f}" for one in values), values[0].method) for year, values in rows]
    if output == "csv":
        echo_csv(("year", *names, "method"), cells)
        return
    click.echo(f"{table.label} ({table.unit}): {table.source}")
    short = [(year, *(f"{one.value:.7g}" for one in values), values[0].method) for year, values in rows]
    echo_table(("year", *(name.replace("_", " ") for name in names), "method"), short)
    if kind == "electricity":
        click.echo(
            "used as an index on the last actual factor, never as levels; the two columns are never added", err=True
        )


@tables.command(
    "import",
    epilog="\b\nExamples:\n"
    "  ictagent carbon tables import data-tables-1-19.xlsx --table electricity --dry-run\n"
    '  ictagent carbon tables import values.csv --table carbon-values --version "November 2023"',
)
@click.argument("file", type=click.Path(path_type=Path))
@_KIND
@click.option("--version", help='Month and year it is of, such as "November 2023", where the file does not say.')
@click.option("--dry-run", is_flag=True, help="Read and compare, and write nothing.")
@_STATE
@output_option()
def import_table(
    file: Path, kind: str, version: str | None, dry_run: bool, state_directory: Path | None, output: str
) -> None:
    """Take over the workbook of data tables as published, or a CSV of the columns, as the version that holds.

    A cell that is missing, no number or negative refuses the file, and is named.
    """
    with database_of(state_directory) as database, plain_errors():
        table = read_green_book(file, _KINDS[kind], version)
        with database.read() as connection:
            changes = changed_years(standing_table(connection, _KINDS[kind]), table)
        table_id = None
        if not dry_run:
            with database.write() as connection:
                table_id = keep_table(connection, table, actor(), int(time.time()))
    if output == "json":
        told = {"version": table.version, "unit": table.unit, "source": table.source, "sha256": table.sha256}
        heads = ("column", "year", "before", "after")
        made = [dict(zip(heads, one, strict=True)) for one in changes]
        echo_json({"table": kind, "id": table_id, "dry_run": dry_run, **told, "changes": made})
        return
    for name in table.columns:
        click.echo(f"{name.replace('_', ' ')}: {_span(table, name)}")
    click.echo(f"{len(changes)} values are not those that held" + (", of them:" if changes else ""))
    if changes:
        shown = [(name.replace("_", " "), *rest) for name, *rest in changes[:_SHOWN]]
        echo_table(("column", "year", "before", "after"), shown)
    if dry_run:
        click.echo("nothing was written (--dry-run)", err=True)
    else:
        click.echo(
            f"{table.label} holds now, as {table_id}; take it back with: ictagent carbon tables withdraw {table_id} "
            "--reason WHY",
            err=True,
        )


@tables.command(epilog='\b\nExample:\n  ictagent carbon tables withdraw 2 --reason "the draft, not the final file"')
@click.argument("table_id", metavar="ID", type=int)
@click.option("--reason", required=True, help="Why, for the audit log.")
@_STATE
def withdraw(table_id: int, reason: str, state_directory: Path | None) -> None:
    """Take an imported version back: what held before it holds again. It stays in the list."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        withdraw_table(connection, table_id, reason, actor(), int(time.time()))
    click.echo(f"{table_id} is withdrawn")


def _span(table: YearTable, name: str) -> str:
    years = table.years(name)
    return f"{years[0]} to {years[-1]}"


def _value(one: YearValue) -> dict[str, str]:
    return {"value": f"{one.value:f}", "method": cast(str, one.method)}
