"""Several collectors on one PostgreSQL: a job runs once, and a dead collector's outbox is adopted once, in order."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select, text

from collector.database.engine import Database, open_database
from collector.database.locks import DEAD_SECONDS, adopt_outbox, cluster_job
from collector.database.schema import collector_instance, outbox
from collector.errors import DatabaseError
from tests.servers.process import wait_until

NOW = 1_790_000_000


def live(database: Database, collector_id: str, heartbeat_at: int = NOW) -> None:
    with database.write() as connection:
        connection.execute(
            insert(collector_instance).values(id=collector_id, host_name="h", started_at=1, heartbeat_at=heartbeat_at)
        )


def fill(database: Database, collector_id: str, count: int) -> None:
    rows = [
        {
            "collector_id": collector_id,
            "created_at": number,
            "lines": b"x",
            "points": number,
            "first_ns": 1,
            "last_ns": 2,
        }
        for number in range(count)
    ]
    with database.write() as connection:
        connection.execute(insert(outbox), rows)


def points(database: Database, collector_id: str) -> list[int]:
    with database.read() as connection:
        query = select(outbox.c.points).where(outbox.c.collector_id == collector_id).order_by(outbox.c.id)
        return list(connection.execute(query).scalars())


def test_a_cluster_job_is_run_by_one_collector_at_a_time(postgres_url: str, postgres_database: Database) -> None:
    other = open_database(postgres_url)
    with cluster_job(postgres_database, "ledger") as mine:
        assert mine
        with cluster_job(other, "ledger") as theirs:
            assert not theirs
        with cluster_job(other, "reports") as another:
            assert another
        with cluster_job(other, "ledger") as theirs:
            assert not theirs, "asking in vain has not given the lock away"
    with cluster_job(other, "ledger") as theirs:
        assert theirs
    other.close()


def test_a_job_that_fails_gives_its_lock_back(postgres_url: str, postgres_database: Database) -> None:
    other = open_database(postgres_url)
    with pytest.raises(ValueError, match="a defect"), cluster_job(postgres_database, "ledger"):
        raise ValueError("a defect")
    with cluster_job(other, "ledger") as mine:
        assert mine
    other.close()


def test_a_collector_that_dies_gives_its_lock_back(postgres_url: str, postgres_database: Database) -> None:
    dying = open_database(postgres_url)
    held = cluster_job(dying, "ledger")
    assert held.__enter__()
    with postgres_database.write() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )
        )
    # The server ends a connection in its own time.
    wait_until(lambda: advisory_locks(postgres_database) == 0, "the dead collector's connection to end")
    with cluster_job(postgres_database, "ledger") as mine:
        assert mine
    with pytest.raises(DatabaseError, match="terminating connection"):
        held.__exit__(None, None, None)
    dying.close()


def advisory_locks(database: Database) -> int:
    with database.read() as connection:
        count = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        return int(connection.execute(count).scalar_one())


def test_of_many_that_ask_at_once_one_runs_the_job(postgres_url: str, postgres_database: Database) -> None:
    begun, done = threading.Barrier(6), threading.Barrier(6)

    def ask(_: int) -> bool:
        opened = open_database(postgres_url)
        begun.wait(20)
        with cluster_job(opened, "ledger") as mine:
            done.wait(20)
        opened.close()
        return mine

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(ask, range(6))) == 1


def test_on_sqlite_the_one_collector_runs_every_job_and_adopts_nothing(sqlite_database: Database) -> None:
    live(sqlite_database, "dead", NOW - DEAD_SECONDS - 1)
    fill(sqlite_database, "dead", 3)
    with cluster_job(sqlite_database, "ledger") as mine:
        assert mine
    with sqlite_database.write() as connection:
        assert adopt_outbox(connection, "alive", NOW) == []


def test_only_a_collector_not_heard_of_for_five_minutes_is_dead(postgres_database: Database) -> None:
    live(postgres_database, "late", NOW - DEAD_SECONDS)
    live(postgres_database, "dead", NOW - DEAD_SECONDS - 1)
    live(postgres_database, "me", NOW - 10_000)
    for collector_id in ("late", "dead", "me"):
        fill(postgres_database, collector_id, 2)
    with postgres_database.write() as connection:
        assert adopt_outbox(connection, "me", NOW) == [b"x", b"x"]
    assert [len(points(postgres_database, one)) for one in ("late", "dead", "me")] == [2, 0, 4]


def test_a_dead_collectors_outbox_is_adopted_once_in_order(postgres_url: str, postgres_database: Database) -> None:
    count = 1800
    live(postgres_database, "dead", NOW - 1000)
    fill(postgres_database, "dead", count)
    begun = threading.Barrier(2)

    def adopt(collector_id: str) -> int:
        opened = open_database(postgres_url)
        adopted = 0
        begun.wait(20)
        for _ in range(6):
            with opened.write() as connection:
                adopted += len(adopt_outbox(connection, collector_id, NOW))
        opened.close()
        return adopted

    with ThreadPoolExecutor(2) as pool:
        adopted = list(pool.map(adopt, ["one", "two"]))
    assert sum(adopted) == count
    found = [points(postgres_database, one) for one in ("one", "two")]
    assert [len(one) for one in found] == adopted
    assert sorted(found[0] + found[1]) == list(range(count))
    assert all(one == sorted(one) for one in found)


def test_adopted_batches_come_after_the_adopters_cursor(postgres_database: Database) -> None:
    live(postgres_database, "dead", NOW - 1000)
    fill(postgres_database, "dead", 3)
    fill(postgres_database, "me", 2)
    with postgres_database.read() as connection:
        cursor = max(connection.execute(select(outbox.c.id)).scalars())
    with postgres_database.write() as connection:
        adopt_outbox(connection, "me", NOW)
    with postgres_database.read() as connection:
        query = select(outbox.c.points).where(outbox.c.id > cursor).order_by(outbox.c.id)
        assert list(connection.execute(query).scalars()) == [0, 1, 2]
