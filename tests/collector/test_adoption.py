"""What a dead collector left in its outbox is delivered, and never stands above what was written since."""

import time

import pytest
from sqlalchemy import func, insert, select, update

from collector.adoption import adopt
from collector.database.engine import Database
from collector.database.locks import DEAD_SECONDS
from collector.database.schema import collector_instance, outbox, series_due
from collector.database.writer import Writer
from collector.ledger import closed_before
from collector.rolling import write_round
from collector.stores.port import StoredBatch
from tests.collector.hosts import deliver, new_host, recent_half_hour

DEAD, LIVING = "collector-1", "collector-2"
# Several collectors share a PostgreSQL only.
pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def now(database: Database) -> int:
    """Two collectors share the database; one of them was last heard of over five minutes ago."""
    at = int(time.time())
    heard = {DEAD: at - DEAD_SECONDS - 1, LIVING: at}
    with database.write() as connection:
        for one, heartbeat_at in heard.items():
            values = {"id": one, "host_name": one, "started_at": 0, "heartbeat_at": heartbeat_at}
            connection.execute(insert(collector_instance).values(values))
    return at


def lines_of(database: Database, collector_id: str) -> list[str]:
    """Everything in a collector's outbox, in order."""
    with database.read() as connection:
        query = select(outbox).where(outbox.c.collector_id == collector_id).order_by(outbox.c.id)
        batches = [StoredBatch(row.id, bytes(row.lines), row.points, 0, 0) for row in connection.execute(query)]
    return [line for batch in batches for line in batch.text().decode().splitlines()]


def test_half_hours_that_were_rewritten_since_are_written_again_after_the_adopted_ones(
    database: Database, now: int
) -> None:
    writer = Writer(database)
    host = new_host(database, recent_half_hour())
    reports = host.reports(1200)
    deliver(database, host, *reports[:10])
    write_round(database, writer, DEAD, now)
    deliver(database, host, *reports[10:])
    write_round(database, writer, LIVING, now)
    rewritten = [line for line in lines_of(database, LIVING) if line.startswith("energy_")]
    assert writer.run(adopt, LIVING) > 0
    assert lines_of(database, DEAD) == []
    write_round(database, writer, LIVING, now)
    writer.close()
    standing: dict[str, str] = {}
    for line in lines_of(database, LIVING):
        if line.startswith("energy_"):
            key, _, rest = line.partition(" ")
            fields, _, at = rest.rpartition(" ")
            standing[f"{key} {at}"] = fields
    newest = {f"{line.split(' ')[0]} {line.rpartition(' ')[2]}": line for line in rewritten}
    assert newest
    for place, line in newest.items():
        assert f" {standing[place]} " in line, "the last word is the ledger's, not the dead collector's"
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(series_due)).scalar_one() == 0
    assert closed_before(now) >= host.start


def test_a_collector_that_is_heard_of_keeps_its_outbox(database: Database, now: int) -> None:
    with database.write() as connection:
        connection.execute(update(collector_instance).values(heartbeat_at=now - DEAD_SECONDS + 60))
    host = new_host(database, recent_half_hour())
    deliver(database, host, host.report(0, 60))
    writer = Writer(database)
    assert writer.run(adopt, LIVING) == 0
    writer.close()
    assert lines_of(database, DEAD)
