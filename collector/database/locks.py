"""Several collectors on one PostgreSQL: jobs that one of them runs, and the outbox of one that died. No-ops on SQLite."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, delete, insert, literal, select, text

from collector.database.engine import Database, translated
from collector.database.schema import collector_instance, outbox

DEAD_SECONDS = 300
_ADOPTED_AT_ONCE = 500


@contextmanager
def cluster_job(database: Database, name: str) -> Iterator[bool]:
    """Whether this collector runs the job now: no other has it. Held until the end, also if this process dies."""
    if database.is_sqlite:
        yield True
        return
    number = zlib.crc32(name.encode())
    with translated(), database.engine.connect() as connection:
        mine = bool(
            connection.execute(text("SELECT pg_try_advisory_lock(424200, :job)"), {"job": number & 0x7FFFFFFF}).scalar()
        )
        connection.commit()
        try:
            yield mine
        finally:
            if mine:
                connection.execute(text("SELECT pg_advisory_unlock(424200, :job)"), {"job": number & 0x7FFFFFFF})
                connection.commit()


def adopt_outbox(connection: Connection, collector_id: str, now: int) -> list[bytes]:
    """Take over outbox rows of collectors not heard of for five minutes; their lines. Others skip what is locked."""
    if connection.dialect.name == "sqlite":
        return []
    dead = select(collector_instance.c.id).where(
        collector_instance.c.heartbeat_at < now - DEAD_SECONDS, collector_instance.c.id != collector_id
    )
    rows = (
        select(outbox.c.id, outbox.c.lines)
        .where(outbox.c.collector_id.in_(dead))
        .order_by(outbox.c.id)
        .limit(_ADOPTED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    adopted = connection.execute(rows).all()
    if adopted:
        found = [row.id for row in adopted]
        # As new rows, so that this collector's cursors, which may be past the old numbers, come to them.
        columns = [column for column in outbox.columns if column.name not in ("id", "collector_id")]
        copied = select(literal(collector_id), *columns).where(outbox.c.id.in_(found)).order_by(outbox.c.id)
        names = ["collector_id", *(column.name for column in columns)]
        connection.execute(insert(outbox).from_select(names, copied))
        connection.execute(delete(outbox).where(outbox.c.id.in_(found)))
    return [bytes(row.lines) for row in adopted]
