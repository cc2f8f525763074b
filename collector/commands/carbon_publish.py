"""`ictagent carbon publish` and `restate`: reports that stand, prepared by one person and approved by another."""

import sys
import time
from pathlib import Path
from typing import Any

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import half_hour_of, local_day
from carbon.units import kilograms
from collector.commands.carbon_options import ORGANISATION, REASON, STATE
from collector.commands.carbon_period import POSSIBLE, Months, months_of, read_period
from collector.commands.common import actor, database_of, moment, plain_errors
from collector.commands.progress import progress_bar
from collector.commands.signing import signed_by
from collector.database.engine import Database
from collector.publishing import (
    Restatement,
    pack_of,
    publications,
    published,
    restated_by,
)
from collector.publishing import (
    approve as approve_report,
)
from collector.publishing import (
    prepare as prepare_report,
)
from collector.publishing import (
    withdraw as withdraw_report,
)
from collector.register_queries import find_organisation
from collector.taking import Who
from collector.verifying import changed_since

_ACCOUNT = click.option(
    "--account", metavar="LOGIN", help="Whose act it is: an account of the collector; its password is asked for."
)


@click.group()
def publish() -> None:
    """Publish a report: one person prepares it, which seals its months, and another approves it.

    \b
    Examples:
      ictagent carbon publish prepare --from FY2024
      ictagent carbon publish approve 1 --account ben
      ictagent carbon publish pack 1 --output-file ict-2024-evidence.zip
    """


@publish.command(epilog="\b\nExample:\n  ictagent carbon publish prepare --from FY2024")
@click.option("--from", "first", required=True, callback=read_period, metavar="PERIOD", help=f"First: {POSSIBLE}.")
@click.option("--to", "last", callback=read_period, metavar="PERIOD", help="Last; without, the end of --from.")
@_ACCOUNT
@ORGANISATION
@STATE
def prepare(
    first: Months, last: Months | None, account: str | None, organisation: str | None, state_directory: Path | None
) -> None:
    """Seal the months and keep their report with its evidence pack, to be approved by somebody else.

    Refused, with everything at once, for months that are not over, provisional factors, factor changes and coverage that
    nobody accepted.
    """
    with database_of(state_directory) as database, plain_errors():
        who = Who(signed_by(database, account), int(time.time()))
        with database.read() as connection:
            organisation_id, _, time_zone = find_organisation(connection, organisation)
        # A month that has begun is refused by publishing itself, which says why.
        months = months_of(first, last, local_day(half_hour_of(who.now), time_zone))
        with progress_bar("reading the ledger") as progress:
            number = prepare_report(database, organisation_id, months, who, None, progress)
        _say_prepared(database, organisation_id, number)


@publish.command(
    epilog="\b\nExamples:\n  ictagent carbon publish approve 1\n  ictagent carbon publish approve 1 --account ben"
)
@click.argument("number", type=int)
@_ACCOUNT
@ORGANISATION
@STATE
def approve(number: int, account: str | None, organisation: str | None, state_directory: Path | None) -> None:
    """Publish what a colleague prepared. Look at it first: `carbon publish pack`, `carbon verify`."""
    with database_of(state_directory) as database, plain_errors():
        who = Who(signed_by(database, account), int(time.time()))
        with database.write() as connection:
            organisation_id, *_ = find_organisation(connection, organisation)
            row = approve_report(connection, organisation_id, number, who)
    click.echo(f"{number} is published: {kilograms(row.total_g)} kg CO2e, pack {row.pack_sha256}", err=True)


@publish.command(epilog='\b\nExample:\n  ictagent carbon publish withdraw 1 --reason "a site was missing"')
@click.argument("number", type=int)
@REASON
@_ACCOUNT
@ORGANISATION
@STATE
def withdraw(
    number: int, reason: str, account: str | None, organisation: str | None, state_directory: Path | None
) -> None:
    """Drop what was prepared and take its seal off. What is published is restated instead."""
    with database_of(state_directory) as database, plain_errors():
        who = Who(signed_by(database, account), int(time.time()))
        with database.write() as connection:
            organisation_id, *_ = find_organisation(connection, organisation)
            withdraw_report(connection, organisation_id, number, reason, who)
    click.echo(f"{number} is withdrawn", err=True)


@publish.command("list", epilog="\b\nExample:\n  ictagent carbon publish list")
@ORGANISATION
@STATE
@output_option()
def list_published(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """Every report that was prepared, with who prepared, approved or withdrew it, and what it restates."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        rows = publications(connection, organisation_id)
    gone = restated_by(rows)
    if output == "json":
        echo_json([{**dict(row._mapping), "restated_by": gone.get(row.id)} for row in rows])
        return
    if not rows:
        click.echo("nothing was prepared yet", err=True)
        return
    heads = ("id", "from", "to", "state", "kg CO2e", "prepared", "by", "decided", "by", "restates", "reason")
    echo_table(heads, [_line(row, gone.get(row.id)) for row in rows])


@publish.command(epilog="\b\nExample:\n  ictagent carbon publish pack 1 --output-file ict-2024-evidence.zip")
@click.argument("number", type=int)
@click.option("--output-file", type=click.Path(dir_okay=False, path_type=Path), help="Where to; without, stdout.")
@ORGANISATION
@STATE
def pack(number: int, output_file: Path | None, organisation: str | None, state_directory: Path | None) -> None:
    """The evidence pack of a report, for the auditor: the same bytes each time."""
    if output_file is None and sys.stdout.isatty():
        raise click.UsageError("a pack is not for a terminal: give --output-file, or send it to a file with >")
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        row = published(connection, organisation_id, number)
        body = pack_of(connection, number)
    if output_file is None:
        sys.stdout.buffer.write(body)
    else:
        try:
            output_file.write_bytes(body)
        except OSError as error:
            raise click.ClickException(f"{output_file} cannot be written: {error.strerror}") from error
    click.echo(f"report {number} ({row.state}): {len(body):,} bytes, pack {row.pack_sha256}", err=True)


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon restate 1 --dry-run\n"
    '  ictagent carbon restate 1 --reason "the depot\'s March readings came late"'
)
@click.argument("number", type=int)
@click.option("--reason", help="Why, for readers and auditors; needed without --dry-run.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@_ACCOUNT
@ORGANISATION
@STATE
@output_option()
def restate(
    number: int,
    reason: str | None,
    dry_run: bool,
    account: str | None,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Correct a published report by a new one, which another person approves. The old one stays, and is verified still."""
    if not dry_run and not (reason or "").strip():
        raise click.UsageError("a restatement needs its --reason; --dry-run says what would change")
    with database_of(state_directory) as database, plain_errors():
        who = Who(actor() if dry_run else signed_by(database, account), int(time.time()))
        with database.read() as connection:
            organisation_id, *_ = find_organisation(connection, organisation)
            row = published(connection, organisation_id, number)
            if row.state != "published":
                raise click.ClickException(f"report {number} is {row.state}: what is published can be restated")
            changed = changed_since(connection, organisation_id, number, who.now)
        body = {
            "old_g": changed.old_total_g,
            "new_g": changed.new_total_g,
            "changed": [{"figure": name, "old_g": old, "new_g": new} for name, old, new in changed.figures],
        }
        if output == "json":
            echo_json(body)
        else:
            heads = ("figure", "old kg CO2e", "new kg CO2e")
            rows = [(name, kilograms(old), kilograms(new)) for name, old, new in changed.figures]
            total = ("everything that counts", kilograms(changed.old_total_g), kilograms(changed.new_total_g))
            echo_table(heads, [total, *rows])
        if dry_run:
            click.echo("nothing was written (--dry-run)", err=True)
            return
        with progress_bar("reading the ledger") as progress:
            months = (row.first_month, row.last_month)
            new = prepare_report(database, organisation_id, months, who, Restatement(number, reason or ""), progress)
        _say_prepared(database, organisation_id, new)


def _say_prepared(database: Database, organisation_id: int, number: int) -> None:
    with database.read() as connection:
        row = published(connection, organisation_id, number)
    click.echo(
        f"{number} is prepared: {row.first_month} to {row.last_month}, {kilograms(row.total_g)} kg CO2e, "
        f"pack {row.pack_sha256}; its months are sealed.\n"
        f"Somebody else approves it: ictagent carbon publish approve {number}",
        err=True,
    )


def _line(row: Any, restated: int | None) -> tuple[object, ...]:
    decided = row.approved_at or row.withdrawn_at
    return (
        row.id,
        row.first_month,
        row.last_month,
        f"restated by {restated}" if restated else row.state,
        kilograms(row.total_g),
        moment(row.prepared_at),
        row.prepared_by,
        moment(decided) if decided else "",
        row.approved_by or row.withdrawn_by or "",
        row.restates or "",
        row.withdrawn_reason or row.reason,
    )
