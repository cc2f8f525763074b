"""`ictagent collector audit`: what was done, by whom, to what."""

import csv
import datetime
import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from collector.commands.common import database_of, moment, plain_errors
from collector.database.audit import AuditFilter, read_audit
from collector.tables.csv_file import spreadsheet_cell

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def audit() -> None:
    """The audit log: edits, logins and failures, tokens, enrolments.

    \b
    Examples:
      ictagent collector audit list --filter login.failed
      ictagent collector audit list --from 2026-04-01 --to 2026-05-01 --output csv > april.csv
    """


@audit.command("list", epilog="\b\nExample:\n  ictagent collector audit list --filter login.failed --limit 20")
@click.option("--filter", "words", default="", help="Words that each act has somewhere: who, what, to what, detail.")
@click.option("--from", "since", type=_DAY, help="First day (UTC).")
@click.option("--to", "until", type=_DAY, help="Day before which it ends (UTC).")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="How many at most.")
@_STATE
@output_option("table", "json", "csv")
def list_acts(
    words: str,
    since: datetime.datetime | None,
    until: datetime.datetime | None,
    limit: int,
    state_directory: Path | None,
    output: str,
) -> None:
    """Acts, the newest first."""
    wanted = AuditFilter(words, _seconds(since), _seconds(until))
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        rows = read_audit(connection, wanted, limit)
    if output == "json":
        echo_json([{**asdict(one), "detail": json.loads(one.detail)} for one in rows])
    elif output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("at", "actor", "action", "object", "detail"))
        for one in rows:
            writer.writerow((moment(one.at), *map(spreadsheet_cell, (one.actor, one.action, one.subject, one.detail))))
    elif not rows:
        click.echo("no act matches", err=True)
    else:
        table = [(moment(one.at), one.actor, one.action, one.subject, one.detail) for one in rows]
        echo_table(("at", "actor", "action", "object", "detail"), table)


def _seconds(day: datetime.datetime | None) -> int | None:
    return None if day is None else int(day.replace(tzinfo=datetime.UTC).timestamp())
