"""`ictagent carbon fte|unit`: what intensities are told by, of each financial year, in a person's word."""

import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import financial_year_label
from carbon.device_classes import SERVICE_CATEGORIES
from collector.commands.carbon_options import NUMBER, ORGANISATION, STATE
from collector.commands.carbon_period import financial_year_of, period
from collector.commands.common import actor, database_of, echo_csv, moment, plain_errors
from collector.register_queries import find_organisation
from collector.taking import Who
from collector.yearly import (
    ServiceUnit,
    full_time_equivalents,
    service_units,
    set_full_time_equivalents,
    set_service_unit,
)

_SOURCE = click.option("--source", required=True, help="Where the figure is from, for the auditor.")


def year_argument(text: str) -> int:
    """The financial year that an argument names, by the year in which it begins."""
    first, last = period(text)
    if not first.endswith("-04") or financial_year_of(first) != financial_year_of(last) or not last.endswith("-03"):
        raise click.BadParameter(f"{text!r} is no financial year: write FY2024 or 2024/25")
    return financial_year_of(first)


YEAR = click.types.FuncParamType(year_argument)


@click.group()
def fte() -> None:
    """Full-time equivalents of staff by financial year: footprints are told for each of them.

    \b
    Examples:
      ictagent carbon fte set FY2024 4210.5 --source "workforce return, March 2025"
      ictagent carbon fte list
    """


@fte.command(
    "set", epilog='\b\nExample:\n  ictagent carbon fte set FY2024 4210.5 --source "workforce return, March 2025"'
)
@click.argument("year", type=YEAR)
@click.argument("value", type=NUMBER)
@_SOURCE
@ORGANISATION
@STATE
def set_fte(year: int, value: Decimal, source: str, organisation: str | None, state_directory: Path | None) -> None:
    """Say how many there were in a year. A later word on the same year holds, and the earlier one is kept."""
    who = Who(actor(), int(time.time()))
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        set_full_time_equivalents(connection, organisation_id, year, value, source, who)
    click.echo(f"{financial_year_label(year)}: {value} full-time equivalents", err=True)


@fte.command("list", epilog="\b\nExample:\n  ictagent carbon fte list --output json")
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def list_fte(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """The figures that hold, by year."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        rows = full_time_equivalents(connection, organisation_id)
    heads = ("financial_year", "full_time_equivalents", "source", "added", "by")
    table = [(financial_year_label(row.year), row.value, row.source, moment(row.added_at), row.actor) for row in rows]
    _show(heads, table, output, "none was entered: ictagent carbon fte set")


@click.group()
def unit() -> None:
    """Units of service by financial year, such as desktop sessions or cases: the R of software carbon intensity (SCI).

    \b
    Examples:
      ictagent carbon unit set FY2024 "desktop session" 1250000 --category servers --source "broker's log"
      ictagent carbon unit list
    """


@unit.command(
    "set",
    epilog='\b\nExample:\n  ictagent carbon unit set FY2024 "desktop session" 1250000 --category servers '
    '--source "broker\'s log"',
)
@click.argument("year", type=YEAR)
@click.argument("name")
@click.argument("amount", type=NUMBER)
@click.option(
    "--category",
    default="",
    type=click.Choice(["", *SERVICE_CATEGORIES]),
    help="Of this service alone; of all without.",
)
@_SOURCE
@ORGANISATION
@STATE
def set_unit(
    year: int,
    name: str,
    amount: Decimal,
    category: str,
    source: str,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Say how many units of a service there were in a year."""
    who = Who(actor(), int(time.time()))
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        set_service_unit(connection, organisation_id, ServiceUnit(year, category, name, amount, source), who)
    click.echo(f"{financial_year_label(year)}: {amount} x {name}", err=True)


@unit.command("list", epilog="\b\nExample:\n  ictagent carbon unit list --output csv")
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def list_units(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """The figures that hold, by year and service."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        rows = service_units(connection, organisation_id)
    heads = ("financial_year", "service_category", "unit", "amount", "source")
    table = [
        (financial_year_label(one.year), one.service_category or "all", one.unit, f"{one.amount:f}", one.source)
        for one in rows
    ]
    _show(heads, table, output, "none was entered: ictagent carbon unit set")


def _show(heads: tuple[str, ...], table: Sequence[tuple[str, ...]], output: str, none: str) -> None:
    if output == "json":
        echo_json([dict(zip(heads, row, strict=True)) for row in table])
    elif output == "csv":
        echo_csv(heads, table)
    elif table:
        echo_table(tuple(head.replace("_", " ") for head in heads), table)
    else:
        click.echo(none, err=True)
