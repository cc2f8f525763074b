"""`ictagent carbon coverage`: classes of which little time was read, and the officer's written acceptance."""

import time
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.wording import percent
from collector.commands.carbon_options import ORGANISATION, REASON, STATE
from collector.commands.carbon_period import Months, period_options
from collector.commands.carbon_reading import read_report
from collector.commands.common import actor, database_of, moment, plain_errors
from collector.coverage_acceptance import (
    accept_coverage,
    coverage_acceptances,
    low_coverage,
    unaccepted_coverage,
    withdraw_acceptance,
)
from collector.register_queries import find_organisation
from collector.taking import Who


@click.group()
def coverage() -> None:
    """Time coverage by class: under 75% a class is published only with an officer's written acceptance.

    \b
    Examples:
      ictagent carbon coverage show --from FY2024
      ictagent carbon coverage accept server --from FY2024 --reason "agents since September; fills checked"
    """


@coverage.command(epilog="\b\nExample:\n  ictagent carbon coverage show --from FY2024")
@period_options
@ORGANISATION
@STATE
@output_option()
def show(
    first: Months | None, last: Months | None, organisation: str | None, state_directory: Path | None, output: str
) -> None:
    """Every class that can be read, with its time coverage, and what is to be accepted."""
    report = read_report(first, last, organisation, state_directory)
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        unaccepted = {one.asset_class for one in unaccepted_coverage(connection, organisation_id, report)}
    low = {one.asset_class for one in low_coverage(report)}
    rows = [
        (
            one.asset_class,
            float(one.time_coverage),
            "to be accepted" if one.asset_class in unaccepted else "accepted" if one.asset_class in low else "enough",
        )
        for one in report.coverage
        if one.time_coverage is not None
    ]
    if output == "json":
        echo_json([dict(zip(("class", "time_coverage", "state"), row, strict=True)) for row in rows])
    else:
        echo_table(("class", "time covered", "state"), [(name, percent(ratio), state) for name, ratio, state in rows])


@coverage.command(
    epilog="\b\nExample:\n"
    '  ictagent carbon coverage accept server --from FY2024 --reason "agents since September; fills checked"'
)
@click.argument("asset_class", metavar="CLASS")
@period_options
@REASON
@ORGANISATION
@STATE
def accept(
    asset_class: str,
    first: Months | None,
    last: Months | None,
    reason: str,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Accept a class's coverage in exactly these months. It holds while no less was read than now."""
    report = read_report(first, last, organisation, state_directory)
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        who = Who(actor(), int(time.time()))
        number = accept_coverage(connection, organisation_id, report, asset_class, reason, who)
    click.echo(f"accepted as {number}: {asset_class}, {report.first_month} to {report.last_month}", err=True)


@coverage.command("list", epilog="\b\nExample:\n  ictagent carbon coverage list")
@click.option("--all", "everything", is_flag=True, help="Those that were withdrawn too.")
@ORGANISATION
@STATE
@output_option()
def list_accepted(everything: bool, organisation: str | None, state_directory: Path | None, output: str) -> None:
    """What was accepted, by whom and why."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        rows = coverage_acceptances(connection, organisation_id, withdrawn=everything)
    if output == "json":
        echo_json([dict(row._mapping) for row in rows])
        return
    heads = ("id", "class", "from", "to", "time covered", "accepted", "by", "reason", "withdrawn")
    echo_table(
        heads,
        [
            (
                *(row.id, row.asset_class, row.first_month, row.last_month, percent(float(row.time_coverage))),
                *(moment(row.added_at), row.actor, row.reason, row.withdrawn_reason or ""),
            )
            for row in rows
        ],
    )


@coverage.command(epilog='\b\nExample:\n  ictagent carbon coverage withdraw 1 --reason "the fills were wrong"')
@click.argument("number", type=int)
@REASON
@ORGANISATION
@STATE
def withdraw(number: int, reason: str, organisation: str | None, state_directory: Path | None) -> None:
    """Take an acceptance back. What was published with it stays."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        withdraw_acceptance(connection, organisation_id, number, reason, Who(actor(), int(time.time())))
    click.echo(f"{number} is withdrawn", err=True)
