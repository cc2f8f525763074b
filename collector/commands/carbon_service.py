"""`ictagent carbon service`: what providers run for the organisation; one without a statement is told as not reported."""

import time
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from collector.commands.carbon_options import ORGANISATION, REASON, STATE
from collector.commands.common import actor, database_of, echo_csv, plain_errors
from collector.database.lines import SERVICE_KINDS
from collector.register_queries import find_organisation
from collector.services import NewService, add_service, end_service, services, set_metered
from collector.taking import Who


@click.group()
def service() -> None:
    """Cloud, software as a service and colocation: every service is reported, or told as not reported.

    \b
    Examples:
      ictagent carbon service add "Microsoft 365" --provider Microsoft --kind saas --from 2024-04
      ictagent carbon service list
    """


@service.command(
    epilog="\b\nExamples:\n"
    '  ictagent carbon service add "Microsoft 365" --provider Microsoft --kind saas --from 2024-04\n'
    '  ictagent carbon service add "Hall B" --provider Acme --kind colocation --from 2025-01 --metered'
)
@click.argument("name")
@click.option("--provider", required=True, help="Who runs it.")
@click.option("--kind", type=click.Choice(SERVICE_KINDS), required=True, help="What it is.")
@click.option("--from", "first_month", required=True, help="First month, such as 2024-04.")
@click.option(
    "--category",
    type=click.Choice(["1", "8"]),
    help="Category of Scope 3; default: 1 purchased services, of colocation 8 leased space.",
)
@click.option("--site", default="", help="The site that it belongs to, where it has one.")
@click.option("--metered", is_flag=True, help="Its devices are in the ledger: its statements are memos, in no total.")
@ORGANISATION
@STATE
def add(
    name: str,
    provider: str,
    kind: str,
    first_month: str,
    category: str | None,
    site: str,
    metered: bool,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Add a service to the list."""
    new = NewService(name, provider, kind, first_month, category or "", site, metered)
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        add_service(connection, organisation_id, new, Who(actor(), int(time.time())))
    click.echo(f"{name} is in the list; every month from {first_month} on needs a statement", err=True)


@service.command("list", epilog="\b\nExample:\n  ictagent carbon service list --output json")
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def list_services(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """Every service with its months."""
    heads = ("service", "provider", "kind", "category", "site", "metered", "from", "to")
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        rows = [
            (
                *(row.name, row.provider, row.kind, row.scope_3_category, row.site or ""),
                *("yes" if row.metered else "no", row.first_month, row.last_month or ""),
            )
            for row in services(connection, organisation_id)
        ]
    if output == "json":
        echo_json([dict(zip(heads, row, strict=True)) for row in rows])
    elif output == "csv":
        echo_csv(heads, rows)
    elif rows:
        echo_table(heads, rows)
    else:
        click.echo("no services are in the list", err=True)


@service.command(
    "set",
    epilog='\b\nExample:\n  ictagent carbon service set "Hall B" --metered --reason "its PDUs are polled since May"',
)
@click.argument("name")
@click.option("--metered/--not-metered", required=True, help="Whether its devices are in the ledger.")
@REASON
@ORGANISATION
@STATE
def set_(name: str, metered: bool, reason: str, organisation: str | None, state_directory: Path | None) -> None:
    """Say whether a service's devices are in the ledger: then its statements are memos, and nothing counts twice."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        set_metered(connection, organisation_id, name, metered, reason, Who(actor(), int(time.time())))
    click.echo(f"{name}: its statements {'are memos' if metered else 'count'}", err=True)


@service.command(epilog='\b\nExample:\n  ictagent carbon service end "Old mail" --last 2025-09 --reason "moved to 365"')
@click.argument("name")
@click.option("--last", "last_month", required=True, help="Its last month, that one included.")
@REASON
@ORGANISATION
@STATE
def end(name: str, last_month: str, reason: str, organisation: str | None, state_directory: Path | None) -> None:
    """Let a service end: later months need no statement."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        end_service(connection, organisation_id, name, last_month, reason, Who(actor(), int(time.time())))
    click.echo(f"{name} ends with {last_month}", err=True)
