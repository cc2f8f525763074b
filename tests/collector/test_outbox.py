"""The pump: every batch reaches every target at least once, in order, whatever happens on the way."""

import logging
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, text, update

from collector.database.engine import Database, open_database
from collector.database.schema import dead_letter, outbox, outbox_cursor
from collector.database.writer import Writer
from collector.errors import CollectorError, TargetUnavailable
from collector.outbox import BATCHES_AT_ONCE, MEASURED_AT_MOST, POINTS_AT_ONCE, Pump, Trim, append, trim, waiting
from collector.prepare import Batch, pack
from collector.stores.influx import InfluxSettings, InfluxStore
from collector.stores.port import StoredBatch, Written
from tests.collector.batches import NS, memory_line
from tests.collector.stores.test_influx import NOW, count
from tests.servers.influxd import Influxd
from tests.servers.process import wait_until

ME = "collector-1"


class ListStore:
    """A store that keeps what it is given, and fails as often as it is told."""

    name = "list"

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.writes: list[list[StoredBatch]] = []
        self.failures: list[Exception] = []
        self.dead: list[tuple[str, str]] = []

    def write(self, batches: Sequence[StoredBatch]) -> Written:
        if self.failures:
            raise self.failures.pop(0)
        self.writes.append(list(batches))
        self.numbers += [batch.id for batch in batches]
        dead, self.dead = self.dead, []
        return Written(dead, 1)

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    one = Writer(database)
    yield one
    one.close()


def batch(number: int, points: int = 1) -> Batch:
    packed = pack([memory_line(NOW + number * 1000 + index, number) for index in range(points)], [NOW + number * 1000])
    assert packed is not None
    return packed


def add(database: Database, numbers: Sequence[int], points: int = 1, collector_id: str = ME) -> None:
    with database.write() as connection:
        append(connection, collector_id, 1, [batch(number, points) for number in numbers])


def ids(database: Database) -> list[int]:
    with database.read() as connection:
        return list(connection.execute(select(outbox.c.id).order_by(outbox.c.id)).scalars())


def cursor(database: Database, target: str = "list") -> int:
    with database.read() as connection:
        query = select(outbox_cursor.c.last_id).where(outbox_cursor.c.target == target)
        return connection.execute(query).scalar() or 0


def test_batches_reach_the_store_in_order_and_the_cursor_follows(database: Database, writer: Writer) -> None:
    store = ListStore()
    add(database, range(250))
    add(database, range(3), collector_id="another")
    pump = Pump(database, writer, store, ME)
    mine = ids(database)[:250]
    wait_until(lambda: cursor(database) == mine[-1], "the first batches")
    add(database, range(250, 260))
    pump.wake()
    wait_until(lambda: len(store.numbers) == 260, "the next batches")
    pump.stop()
    assert store.numbers[:250] == mine
    assert store.numbers == sorted(store.numbers)
    assert max(len(one) for one in store.writes) == BATCHES_AT_ONCE
    assert (pump.state.batches, pump.state.points, pump.state.skipped_old) == (260, 260, len(store.writes))


def test_what_it_holds_in_memory_is_bounded_by_points(database: Database, writer: Writer) -> None:
    store = ListStore()
    add(database, range(6), points=POINTS_AT_ONCE // 3)
    add(database, range(6, 8), points=POINTS_AT_ONCE + 5)
    pump = Pump(database, writer, store, ME)
    wait_until(lambda: len(store.numbers) == 8, "all batches")
    pump.stop()
    assert [len(one) for one in store.writes] == [3, 3, 1, 1]


def test_a_target_that_is_away_keeps_all_and_begins_where_it_stood(database: Database, writer: Writer) -> None:
    store = ListStore()
    store.failures = [TargetUnavailable("it is away", "start it", 0.01) for _ in range(5)]
    add(database, range(5))
    pump = Pump(database, writer, store, ME)
    wait_until(lambda: pump.state.failures > 0, "a failure")
    assert (pump.state.problem, pump.state.remedy) == ("it is away", "start it")
    wait_until(lambda: store.numbers == ids(database), "the batches")
    wait_until(lambda: not pump.state.problem, "the problem to be over")
    pump.stop()
    assert pump.state.failures == 5


def test_a_defect_in_a_store_is_said_and_tried_again(
    database: Database, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    store = ListStore()
    store.failures = [UnicodeEncodeError("latin-1", "ü", 0, 1, "a token that no header can hold")]
    add(database, range(2))
    with caplog.at_level(logging.WARNING):
        pump = Pump(database, writer, store, ME)
        wait_until(lambda: store.numbers == ids(database), "the batches")
        pump.stop()
    assert "a token that no header can hold" in caplog.text


def test_dying_between_write_and_cursor_repeats_and_loses_nothing(
    database: Database, writer: Writer, influx: Influxd
) -> None:
    store = InfluxStore(InfluxSettings(influx.url, "ictagent", token_file=influx.token_file))
    add(database, range(40), points=5)
    refused = threading.Event()

    class DyingWriter:
        """Loses every cursor, as a process does that is killed right after the store answered."""

        def run(self, _handler: object, _item: object) -> None:
            refused.set()
            raise CollectorError("killed")

    dying: Any = DyingWriter()
    pump = Pump(database, dying, store, ME)
    assert refused.wait(20)
    pump.stop()
    assert (count(influx), cursor(database, "influx")) == (200, 0)
    store = InfluxStore(InfluxSettings(influx.url, "ictagent", token_file=influx.token_file))
    pump = Pump(database, writer, store, ME)
    wait_until(lambda: cursor(database, "influx") == ids(database)[-1], "the repetition")
    pump.stop()
    assert count(influx) == 200


def test_influxdb_away_then_with_a_revoked_token_loses_nothing_and_keeps_order(
    database: Database, writer: Writer, influx: Influxd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.outbox.LONGEST_PAUSE_SECONDS", 0.5)
    settings = InfluxSettings(influx.url, "ictagent", token_file=influx.token_file)
    pump = Pump(database, writer, InfluxStore(settings), ME)
    add(database, range(10), points=3)
    pump.wake()
    wait_until(lambda: cursor(database, "influx") == ids(database)[-1], "the first batches")
    influx.stop()
    # The same point in every batch: the last one must hold in the end, and only does if order was kept.
    for number in range(10, 60):
        with database.write() as connection:
            lines = [memory_line(NOW - NS, number), memory_line(NOW + number * 1000, number)]
            append(connection, ME, 1, [pack(lines, [NOW])])
        pump.wake()
    wait_until(lambda: "cannot be reached" in pump.state.problem, "the absence to be noticed")
    influx.start()
    influx.revoke_token()
    # Not by the 401 in the problem alone: a port of the address may hold these digits.
    wait_until(lambda: "influx_token_file" in pump.state.remedy, "the revoked token to be noticed")
    assert "401" in pump.state.problem
    assert cursor(database, "influx") == ids(database)[9]
    influx.restore_token()
    wait_until(lambda: cursor(database, "influx") == ids(database)[-1], "everything to arrive")
    pump.stop()
    assert count(influx) == 10 * 3 + 50 + 1
    statement = f"SELECT used_bytes FROM system_memory WHERE time = {NOW - NS}"  # noqa: S608  # the test's own time
    assert influx.query("ictagent", statement)[0]["values"][0][1] == 59
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(dead_letter)).scalar_one() == 0
    assert pump.state.problem == ""


def test_refused_lines_are_kept_with_the_reason_by_the_move_of_the_cursor(database: Database, writer: Writer) -> None:
    store = ListStore()
    store.dead = [("a line\0", "field type conflict\0" + "x" * 5000), ("another", "no")]
    add(database, range(1))
    pump = Pump(database, writer, store, ME)
    wait_until(lambda: cursor(database) > 0, "the cursor")
    pump.stop()
    with database.read() as connection:
        rows = connection.execute(select(dead_letter).order_by(dead_letter.c.id)).all()
    assert [row.target for row in rows] == ["list", "list"]
    assert rows[0].line.startswith("a line")
    assert len(rows[0].reason) == 1024
    assert pump.state.dead == 2


def test_on_postgresql_no_batch_is_passed_while_an_earlier_one_may_still_appear(
    postgres_url: str, postgres_database: Database
) -> None:
    """A command's transaction has numbered its batch and not committed yet: the writer's own batch waits for it."""
    writer, store, command = Writer(postgres_database), ListStore(), open_database(postgres_url)
    pump = Pump(postgres_database, writer, store, ME)
    later = threading.Thread(target=add, args=(postgres_database, [1]))
    with command.write() as connection:
        append(connection, ME, 1, [batch(0)])
        later.start()
        wait_until(lambda: locks_waited_for(postgres_database) == 1, "the later batch to wait for the earlier one")
        assert ids(postgres_database) == []
    later.join(30)
    pump.wake()
    wait_until(lambda: len(store.numbers) == 2, "both batches")
    pump.stop()
    writer.close()
    command.close()
    assert store.numbers == ids(postgres_database) == sorted(store.numbers)


def locks_waited_for(database: Database) -> int:
    with database.read() as connection:
        count = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return int(connection.execute(count).scalar_one())


def move(database: Database, target: str, last_id: int) -> None:
    with database.write() as connection:
        connection.execute(delete(outbox_cursor).where(outbox_cursor.c.target == target))
        connection.execute(insert(outbox_cursor).values(target=target, collector_id=ME, last_id=last_id))


def trimmed(database: Database, limit: int = 10**9) -> tuple[int, int]:
    with database.write() as connection:
        return trim(connection, [Trim(ME, ("embedded", "influx"), limit)])[0]


def test_only_what_every_target_has_passed_is_deleted(database: Database) -> None:
    add(database, range(10))
    add(database, range(3), collector_id="another")
    all_ids = ids(database)
    assert trimmed(database) == (0, 0)
    move(database, "embedded", all_ids[9])
    assert trimmed(database) == (0, 0), "a target that never took anything holds everything"
    move(database, "influx", all_ids[3])
    assert trimmed(database) == (4, 0)
    assert ids(database) == all_ids[4:]
    with database.read() as connection:
        left = waiting(connection, ME, ["embedded", "influx"])
        assert (left.batches, left.oldest_at) == (6, 1)
        assert left.bytes == sum(len(batch(number).lines) for number in range(4, 10))
        assert waiting(connection, ME, ["embedded"]).batches == 0
    move(database, "influx", all_ids[9])
    assert trimmed(database) == (6, 0)
    assert trimmed(database) == (0, 0)


def test_beyond_its_limit_the_oldest_batches_go_and_are_counted(database: Database) -> None:
    add(database, range(10))
    add(database, range(5), points=200, collector_id="another")
    all_ids = ids(database)
    sizes = [len(batch(number).lines) for number in range(10)]
    assert trimmed(database, sum(sizes)) == (0, 0)
    assert trimmed(database, sum(sizes[4:])) == (0, 4)
    assert ids(database) == all_ids[4:]
    assert trimmed(database, sum(sizes[4:]) - 1) == (0, 1)


def test_a_very_large_outbox_is_judged_by_a_sample(database: Database) -> None:
    add(database, range(MEASURED_AT_MOST * 2 + 100))
    with database.write() as connection:
        connection.execute(update(outbox).values(lines=b"x" * 100))
        left = waiting(connection, ME, ["embedded"])
    assert (left.batches, left.bytes) == (MEASURED_AT_MOST * 2 + 100, (MEASURED_AT_MOST * 2 + 100) * 100)
    assert trimmed(database, 50 * 100) == (0, 2000)
    assert trimmed(database, 50 * 100) == (0, 2000)
    assert trimmed(database, 50 * 100) == (0, 50)
