"""Facts with `valid_from` and `valid_to`: one owner's rows follow each other in time, whatever order they came in."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, delete, insert, select, update

Owner = Mapping[str, Any]
"""Columns that name whose fact it is, such as {"device_id": "5f0c"}."""


def history(connection: Connection, table: Table, owner: Owner) -> Sequence[Row[Any]]:
    """All rows of an owner, oldest first."""
    return connection.execute(select(table).where(_of(table, owner)).order_by(table.c.valid_from)).all()


def valid_at(rows: Sequence[Row[Any]], at: int) -> Row[Any] | None:
    """The row that holds at a time (Unix seconds), or None."""
    holding = [row for row in rows if row.valid_from <= at and (row.valid_to is None or row.valid_to > at)]
    return holding[-1] if holding else None


def begin(
    connection: Connection, table: Table, owner: Owner, values: Mapping[str, Any], begins: int, ends: int | None = None
) -> int | None:
    """Let a fact hold from `begins` until `ends`, at the latest until the next one that is known; until when it holds.

    What held at `begins` ends there.
    """
    rows = history(connection, table, owner)
    following = min((row.valid_from for row in rows if row.valid_from > begins), default=None)
    bounds = [bound for bound in (following, ends) if bound is not None]
    until = min(bounds) if bounds else None
    if (before := valid_at(rows, begins)) is not None:
        still = table.c.valid_to.is_(None) if before.valid_to is None else table.c.valid_to == before.valid_to
        mine = and_(_of(table, owner), table.c.valid_from == before.valid_from, still)
        connection.execute(update(table).where(mine).values(valid_to=begins))
    connection.execute(insert(table).values(**owner, **values, valid_from=begins, valid_to=until))
    return until


def withdraw(connection: Connection, table: Table, owner: Owner, begins: int) -> Row[Any] | None:
    """Take back what was said to hold from `begins` on, and answer it; None where nothing began then.

    What it ended there holds on in its place.
    """
    rows = history(connection, table, owner)
    mine = valid_at(rows, begins)
    if mine is None or mine.valid_from != begins:
        return None
    connection.execute(delete(table).where(table.c.id == mine.id))
    ended = [row for row in rows if row.valid_to == begins]
    if ended:
        before = max(ended, key=lambda row: (row.valid_from, row.id))
        connection.execute(update(table).where(table.c.id == before.id).values(valid_to=mine.valid_to))
    return mine


def _of(table: Table, owner: Owner) -> Any:
    return and_(*(table.c[name] == value for name, value in owner.items()))
