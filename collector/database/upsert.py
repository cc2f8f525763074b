"""INSERT ... ON CONFLICT, which both databases have and SQLAlchemy spells by dialect."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite


@lru_cache(maxsize=64)
def _statement(dialect: str, table: Table, update: tuple[str, ...], unique: tuple[str, ...]) -> Any:
    insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    key = unique or [column.name for column in table.primary_key.columns]
    if not update:
        return insert.on_conflict_do_nothing(index_elements=key)
    return insert.on_conflict_do_update(
        index_elements=key, set_={name: getattr(insert.excluded, name) for name in update}
    )


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    update: Sequence[str] = (),
    unique: Sequence[str] = (),
) -> None:
    """Insert rows; where the primary key is there already, set the columns in `update`, or with none leave the row.

    `unique` names the columns of another unique constraint to go by.
    """
    if rows:
        connection.execute(_statement(connection.dialect.name, table, tuple(update), tuple(unique)), list(rows))


def upsert_selected(connection: Connection, table: Table, query: Select[Any], update: Sequence[str]) -> None:
    """The same of what a query finds, whose columns have the names of the table's. It needs a condition of its own."""
    statement = _statement(connection.dialect.name, table, tuple(update), ())
    connection.execute(statement.from_select([column.name for column in query.selected_columns], query))
