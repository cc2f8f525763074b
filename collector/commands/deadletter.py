"""`ictagent collector deadletter list|retry|drop`: lines that a store refused for their content."""

import time
from collections.abc import Iterable
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

_AT_ONCE = 5_000
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


@deadletter.command("list", epilog="\b\nExample:\n  ictagent collector deadletter list --target influx --output json")
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
    elif not rows:
        click.echo("no line was refused", err=True)
    else:
        echo_table(
            ("id", "store", "reason", "line"), [(r["id"], r["target"], r["reason"][:80], r["line"][:100]) for r in rows]
        )


@deadletter.command(epilog="\b\nExample:\n  ictagent collector deadletter retry --target influx")
@_TARGET
@_STATE
def retry(target: str | None, state_directory: Path | None) -> None:
    """Send refused lines again, through the outbox to every store; those refused again come back here.

    What is no line at all can only be dropped, and stays.
    """
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        found = _refused(connection, target)
        good = {row_id: line for row_id, line in found.items() if _is_line(line)}
        lines = list(good.values())
        _forget(connection, good)
        batch = pack(lines, [split_line(line)[2] for line in lines])
        append(connection, collector_id(state_directory), now, [batch])
        audit(connection, now, actor(), "deadletter.retry", target or "all", {"lines": len(lines)})
    left = len(found) - len(lines)
    click.echo(f"{len(lines)} lines are sent again" + (f"; {left} are no line protocol and stay" if left else ""))


@deadletter.command(epilog="\b\nExample:\n  ictagent collector deadletter drop --target influx --yes")
@_TARGET
@_STATE
@click.confirmation_option(prompt="Drop the refused lines for good?")
def drop(target: str | None, state_directory: Path | None) -> None:
    """Delete refused lines."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        found = _refused(connection, target)
        _forget(connection, found)
        audit(connection, int(time.time()), actor(), "deadletter.drop", target or "all", {"lines": len(found)})
    click.echo(f"{len(found)} lines are dropped")


def _refused(connection: Connection, target: str | None) -> dict[int, str]:
    """The refused lines by number, oldest first."""
    query = select(dead_letter.c.id, dead_letter.c.line).order_by(dead_letter.c.id)
    if target:
        query = query.where(dead_letter.c.target == target)
    return dict(connection.execute(query).all())


def _forget(connection: Connection, row_ids: Iterable[int]) -> None:
    gone = list(row_ids)
    # A statement takes only so many parameters.
    for begin in range(0, len(gone), _AT_ONCE):
        connection.execute(delete(dead_letter).where(dead_letter.c.id.in_(gone[begin : begin + _AT_ONCE])))


def _is_line(line: str) -> bool:
    try:
        split_line(line)
    except ValueError:
        return False
    return True
