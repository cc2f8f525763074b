"""`ictagent estate site list|set`: sites with address, postcode, UPRN and supply, each with its dates."""

import datetime
import time
from dataclasses import asdict
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import day_bounds, local_day
from collector.commands.common import actor, database_of, plain_errors
from collector.database.sites import TENURES
from collector.errors import BadRequest
from collector.register_queries import find_organisation
from collector.sites import find_site, set_site, sites

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
_ORGANISATION = click.option("--organisation", help="Whose site it is; the first organisation's without.")


@click.group()
def site() -> None:
    """Sites: where they are, and on whose supply.

    \b
    Examples:
      ictagent estate site list
      ictagent estate site set "Town Hall" --postcode "SW1A 1AA" --uprn 100023336956
      ictagent estate site set Library --tenure landlord --from 2026-04-01
    """


@site.command("list", epilog="\b\nExample:\n  ictagent estate site list --output json")
@_STATE
@output_option()
def list_sites(state_directory: Path | None, output: str) -> None:
    """Every site with what holds of it now."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        rows = sites(connection, int(time.time()))
    if output == "json":
        echo_json([asdict(row) for row in rows])
        return
    table = [
        (row.organisation, row.name, row.detail.address, row.detail.postcode, row.detail.uprn, row.detail.tenure)
        for row in rows
    ]
    echo_table(("organisation", "site", "address", "postcode", "UPRN", "tenure"), table)


@site.command("set", epilog='\b\nExample:\n  ictagent estate site set "Town Hall" --postcode "SW1A 1AA"')
@click.argument("name")
@click.option("--address", help="Street and town.")
@click.option("--postcode", help="The grid region follows from it.")
@click.option("--uprn", help="Unique property reference number.")
@click.option("--grid-region", help="Where the postcode does not tell it.")
@click.option("--tenure", type=click.Choice(TENURES), help="landlord: its electricity is on the landlord's supply.")
@click.option(
    "--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="Local day from which it holds; today without."
)
@_ORGANISATION
@_STATE
def set_details(
    name: str,
    address: str | None,
    postcode: str | None,
    uprn: str | None,
    grid_region: str | None,
    tenure: str | None,
    since: datetime.datetime | None,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Say where a site is and whose supply it is on. The past before --from stays."""
    given = {"address": address, "postcode": postcode, "uprn": uprn, "grid_region": grid_region, "tenure": tenure}
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise click.UsageError("nothing to set: give --address, --postcode, --uprn, --grid-region or --tenure")
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, _, time_zone = find_organisation(connection, organisation)
        day = since.date() if since else local_day(now - now % 1800, time_zone)
        begins = day_bounds(day, time_zone)[0]
        if begins > now:
            raise BadRequest(f"--from {day} lies ahead", "give the day from which it holds")
        set_site(connection, find_site(connection, organisation_id, name), changes, begins, actor(), now)
    click.echo(f"{name} is set")
