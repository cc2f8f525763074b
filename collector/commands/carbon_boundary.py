"""`ictagent carbon boundary`: what is in the council's corporate (building) inventory already, by site and service."""

import datetime
import time
from pathlib import Path

import click
from sqlalchemy import Connection

from agent.commands.common import echo_json, echo_table, output_option
from carbon.activity import Inside
from carbon.calendar import day_bounds, half_hour_of, local_day
from carbon.device_classes import SERVICE_CATEGORIES
from collector.commands.carbon_options import DAY, ORGANISATION, STATE
from collector.commands.common import actor, database_of, echo_csv, plain_errors
from collector.corporate_inventory import BoundaryRow, boundary_rows, set_inside, undo_inside
from collector.database.footprint import INSIDE
from collector.errors import BadRequest
from collector.register_queries import find_organisation
from collector.taking import Who

_SITE = click.option("--site", default="", help="Of this site alone; of all on the organisation's own supply without.")
_CATEGORY = click.option(
    "--category",
    default="",
    type=click.Choice(["", *SERVICE_CATEGORIES]),
    help="Of this service alone; of all without.",
)
_SINCE = click.option("--from", "since", type=DAY, help="Local day from which it holds; since ever without.")


@click.group()
def boundary() -> None:
    """Whether energy is in the council's corporate inventory already: the total of its buildings' bills.

    Each row of a report says so, so that nobody adds ICT to a total that holds it. Where nothing is said, what buildings
    of the own supply use is in it, and homes and landlords' supplies are not.

    \b
    Examples:
      ictagent carbon boundary list
      ictagent carbon boundary set no --site "Data centre" --reason "metered apart, in no building's bill"
    """


@boundary.command("list", epilog="\b\nExample:\n  ictagent carbon boundary list --output csv")
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def list_boundary(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """All that was said, with its dates, reason and who said it."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, _, time_zone = find_organisation(connection, organisation)
        rows = boundary_rows(connection, organisation_id)
    heads = ("site", "category", "inside", "from", "until", "reason", "by")
    table = [
        (
            one.site or "all",
            one.service_category or "all",
            one.inside,
            _day(one.since, time_zone) if one.since else "",
            _day(one.until, time_zone) if one.until is not None else "",
            one.reason,
            one.actor,
        )
        for one in rows
    ]
    if output == "json":
        echo_json([dict(zip(heads, row, strict=True)) for row in table])
    elif output == "csv":
        echo_csv(heads, table)
    elif table:
        echo_table(heads, table)
    else:
        click.echo("nothing was said: own supply is inside, homes and landlords' supplies are not", err=True)


@boundary.command(
    "set",
    epilog="\b\nExamples:\n"
    '  ictagent carbon boundary set no --site "Data centre" --reason "metered apart, in no building\'s bill"\n'
    '  ictagent carbon boundary set part --category networks --reason "street cabinets are not" --from 2025-04-01',
)
@click.argument("inside", type=click.Choice(INSIDE))
@_SITE
@_CATEGORY
@click.option("--reason", required=True, help="Why, for the auditor.")
@_SINCE
@ORGANISATION
@STATE
def set_boundary(
    inside: Inside,
    site: str,
    category: str,
    reason: str,
    since: datetime.datetime | None,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Say that it is inside (yes), outside (no) or partly inside, from a day on. A month takes what holds at its start."""
    who = Who(actor(), int(time.time()))
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, begins = _since(connection, organisation, since, who.now)
        said = BoundaryRow(site, category, inside, reason, begins, None, who.actor)
        set_inside(connection, organisation_id, said, who)
    click.echo(f"{site or 'all sites'}, {category or 'all services'}: {inside}", err=True)


@boundary.command(epilog='\b\nExample:\n  ictagent carbon boundary undo --site "Data centre" --from 2025-04-01')
@_SITE
@_CATEGORY
@_SINCE
@ORGANISATION
@STATE
def undo(
    site: str,
    category: str,
    since: datetime.datetime | None,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Take back what was said to hold from that day on: what held before it holds on."""
    who = Who(actor(), int(time.time()))
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, begins = _since(connection, organisation, since, who.now)
        undo_inside(connection, organisation_id, site, category, begins, who)
    click.echo(f"{site or 'all sites'}, {category or 'all services'}: taken back", err=True)


def _since(
    connection: Connection, organisation: str | None, since: datetime.datetime | None, now: int
) -> tuple[int, int]:
    organisation_id, _, time_zone = find_organisation(connection, organisation)
    if since is None:
        return organisation_id, 0
    begins = day_bounds(since.date(), time_zone)[0]
    if begins > now:
        raise BadRequest(f"{since.date()} lies ahead", "give a day up to today")
    return organisation_id, begins


def _day(at: int, time_zone: str) -> str:
    return local_day(half_hour_of(at), time_zone).isoformat()
