"""`ictagent collector deadletter list|retry|drop`: lines that a store refused for their content."""

import time
from pathlib import Path

import click
from sqlalchemy import Connection, delete, select

from agent.commands.common import echo_json, echo_table, output_option
from collector.commands.common import actor, collector_id, database_of, plain_errors
from collector.database.audit import audit
from collector.database.schema import dead_letter
from collector.lines import split_line
from collector.outbox import append
from collector.prepare import pack

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
_TARGET = click.option("--target", type=click.Choice(["embedded", "influx"]), help="Only lines this store refused.")


@click.group()
def deadletter() -> None:
    """Lines that a store refused for their content, each with the reason it gave.

    \b
    Examples:
      ictagent collector deadletter list
      ictagent collector deadletter retry --target influx     after mending what the reason names
    """


@deadletter.command("list")
@_TARGET
@_STATE
@output_option()
def list_letters(target: str | None, state_directory: Path | None, output: str) -> None:
    """Show refused lines, oldest first."""
    query = select(dead_letter).order_by(dead_letter.c.id)
    if target:
        query = query.where(dead_letter.c.target == target)
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    if output == "json":
        echo_json(rows)
    else:
        echo_table(
            ("id", "store", "reason", "line"), [(r["id"], r["target"], r["reason"][:80], r["line"][:100]) for r in rows]
        )


@deadletter.command()
@_TARGET
@_STATE
def retry(target: str | None, state_directory: Path | None) -> None:
    """Send refused lines again, through the outbox to every store; those refused again come back here."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        rows = _taken(connection, target)
        lines = [line for line in rows if _is_line(line)]
        batch = pack(lines, [split_line(line)[2] for line in lines])
        append(connection, collector_id(state_directory), now, [batch])
        audit(connection, now, actor(), "deadletter.retry", target or "all", {"lines": len(lines)})
    click.echo(f"{len(lines)} lines are sent again")


@deadletter.command()
@_TARGET
@_STATE
@click.confirmation_option(prompt="Drop the refused lines for good?")
def drop(target: str | None, state_directory: Path | None) -> None:
    """Delete refused lines."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        rows = _taken(connection, target)
        audit(connection, int(time.time()), actor(), "deadletter.drop", target or "all", {"lines": len(rows)})
    click.echo(f"{len(rows)} lines are dropped")


def _taken(connection: Connection, target: str | None) -> list[str]:
    """The refused lines, removed from the table in this transaction."""
    of_target = dead_letter.c.target == target if target else dead_letter.c.id > 0
    lines = list(connection.execute(select(dead_letter.c.line).where(of_target).order_by(dead_letter.c.id)).scalars())
    connection.execute(delete(dead_letter).where(of_target))
    return lines


def _is_line(line: str) -> bool:
    try:
        split_line(line)
    except ValueError:
        return False
    return True
