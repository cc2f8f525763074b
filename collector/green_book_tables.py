"""HM Treasury's tables that were imported: kept as versions, the newest before the packaged one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from carbon.green_book import Kind, YearTable, columns_of, packaged_tables
from collector.database.audit import audit
from collector.database.schema import carbon_table
from collector.errors import BadRequest, NotFound


@dataclass(frozen=True, slots=True)
class KeptTable:
    """A version of a table. Of the packaged one `id` is 0 and nobody added it. Times in Unix seconds."""

    id: int
    table: YearTable
    added_at: int
    actor: str
    withdrawn_reason: str | None
    holds: bool


def kept_tables(connection: Connection, kind: Kind) -> list[KeptTable]:
    """All versions of a table, the packaged one first, then as they were imported."""
    rows = connection.execute(select(carbon_table).where(carbon_table.c.kind == kind).order_by(carbon_table.c.id)).all()
    holding = max((row.id for row in rows if row.withdrawn_at is None), default=0)
    found = [KeptTable(0, packaged_tables()[kind], 0, "", None, holding == 0)]
    for row in rows:
        table = YearTable(kind, row.version, row.source, row.unit, columns_of(json.loads(row.body)), row.sha256)
        found.append(KeptTable(row.id, table, row.added_at, row.actor, row.withdrawn_reason, row.id == holding))
    return found


def standing_table(connection: Connection, kind: Kind) -> YearTable:
    """The version that holds: the newest import, else the packaged one."""
    return next(one.table for one in kept_tables(connection, kind) if one.holds)


def find_table(connection: Connection, kind: Kind, table_id: int | None) -> KeptTable:
    """A version by its number, or without one that which holds. Raises NotFound."""
    for one in kept_tables(connection, kind):
        if one.holds if table_id is None else one.id == table_id:
            return one
    raise NotFound(f"there is no version {table_id} of that table", "see `ictagent carbon tables list`")


def keep_table(connection: Connection, table: YearTable, actor: str, now: int) -> int:
    """Keep a table that was read, as the version that holds from now on; its number.

    Raises BadRequest where the same file's table is there already.
    """
    for one in kept_tables(connection, table.kind):
        if one.table.sha256 == table.sha256 and one.withdrawn_reason is None:
            raise BadRequest(f"the same file was imported as {one.id} ({one.table.version})", "nothing is to be done")
    body = json.dumps(_as_text(table), sort_keys=True)
    values = {"kind": table.kind, "version": table.version, "source": table.source, "unit": table.unit, "body": body}
    added = {"sha256": table.sha256, "added_at": now, "actor": actor}
    made = connection.execute(insert(carbon_table).values(**values, **added)).inserted_primary_key
    assert made is not None  # noqa: S101  # the database numbers its rows
    detail = {"kind": table.kind, "version": table.version, "source": table.source, "sha256": table.sha256}
    audit(connection, now, actor, "carbon.table.import", str(made[0]), detail)
    return int(made[0])


def withdraw_table(connection: Connection, table_id: int, reason: str, actor: str, now: int) -> None:
    """Let an imported version hold no longer: the one before it does again. Raises NotFound."""
    mine = (carbon_table.c.id == table_id) & carbon_table.c.withdrawn_at.is_(None)
    values = {"withdrawn_at": now, "withdrawn_by": actor, "withdrawn_reason": reason}
    if not connection.execute(update(carbon_table).where(mine).values(**values)).rowcount:
        raise NotFound(f"there is no imported table {table_id} that holds", "see `ictagent carbon tables list`")
    audit(connection, now, actor, "carbon.table.withdraw", str(table_id), {"reason": reason})


def _as_text(table: YearTable) -> dict[str, dict[str, str]]:
    return {name: {str(year): str(value) for year, value in values.items()} for name, values in table.columns.items()}


def changed_years(before: YearTable, after: YearTable) -> Sequence[tuple[str, int, str, str]]:
    """Column, year, and both values, "" for none, wherever two versions of a table print differently."""
    return [
        (name, year, str(before.columns.get(name, {}).get(year, "")), str(values.get(year, "")))
        for name, values in after.columns.items()
        for year in sorted({*before.columns.get(name, {}), *values})
        if before.columns.get(name, {}).get(year) != values.get(year)
    ]
