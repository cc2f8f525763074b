"""The one writer: committed together, failing alone, nothing dropped silently, nothing lost at the end."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, text

from collector.database.engine import Database
from collector.database.schema import audit_log, setting
from collector.database.writer import LARGEST_GROUP, Writer
from collector.errors import CollectorError, DatabaseError, NotFound, QueueFull


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    one = Writer(database)
    yield one
    one.close()


def note(connection: Connection, items: Sequence[str]) -> list[Any]:
    """Write each item down; the result is how many went together. An item may ask to fail."""
    results: list[Any] = []
    for item in items:
        if item == "refuse":
            results.append(NotFound("there is none"))
            continue
        if item == "break":
            raise ValueError("a defect")
        if item == "violate":
            connection.execute(insert(setting).values(name="estate_version", value="x"))
        connection.execute(insert(audit_log).values(at=1, actor="a", action=item, object="", detail=""))
        results.append(len(items))
    return results


def noted(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(audit_log.c.action).order_by(audit_log.c.id)).scalars())


class Held:
    """Holds the writer in a handler until it is released, so that what is submitted meanwhile waits."""

    def __init__(self, writer: Writer) -> None:
        self._entered, self._release = threading.Event(), threading.Event()
        self.future = writer.submit(self._hold, None)
        assert self._entered.wait(10)

    def _hold(self, _connection: Connection, items: Sequence[None]) -> list[None]:
        self._entered.set()
        assert self._release.wait(20)
        return list(items)

    def release(self) -> None:
        self._release.set()
        self.future.result(20)


def test_what_is_answered_with_success_is_committed(database: Database, writer: Writer) -> None:
    assert writer.run(note, "one") == 1
    assert noted(database) == ["one"]


def test_what_waits_is_committed_together_in_order(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.database.writer.LONGEST_TRANSACTION_SECONDS", 60)  # however slow this machine
    held = Held(writer)
    futures = [writer.submit(note, f"n{number:03}") for number in range(LARGEST_GROUP * 2 + 5)]
    assert writer.waiting == len(futures)
    before = writer.counters.commits
    held.release()
    assert [future.result(20) for future in futures] == [LARGEST_GROUP] * LARGEST_GROUP * 2 + [5] * 5
    assert noted(database) == [f"n{number:03}" for number in range(len(futures))]
    assert writer.counters.commits - before == 1 + 3


@pytest.mark.parametrize(("bad", "error"), [("break", CollectorError), ("violate", DatabaseError)])
def test_a_bad_item_fails_alone_and_leaves_nothing(
    database: Database, writer: Writer, bad: str, error: type[Exception]
) -> None:
    held = Held(writer)
    futures = [writer.submit(note, item) for item in ("a", bad, "b", "c")]
    held.release()
    with pytest.raises(error):
        futures[1].result(20)
    assert [futures[index].result(20) for index in (0, 2, 3)] == [1, 1, 1]
    assert noted(database) == ["a", "b", "c"]
    assert writer.counters.failures == 1
    assert writer.run(note, "d") == 1


def test_a_refused_item_fails_alone_without_a_second_try(database: Database, writer: Writer) -> None:
    held = Held(writer)
    futures = [writer.submit(note, item) for item in ("a", "refuse", "b")]
    held.release()
    with pytest.raises(NotFound):
        futures[1].result(20)
    assert [futures[index].result(20) for index in (0, 2)] == [3, 3]


def test_different_handlers_share_a_commit(database: Database, writer: Writer) -> None:
    def count(connection: Connection, items: Sequence[None]) -> list[int]:
        return [connection.execute(select(func.count()).select_from(audit_log)).scalar_one()] * len(items)

    held = Held(writer)
    futures: list[Future[Any]] = [writer.submit(note, "a"), writer.submit(count, None), writer.submit(note, "b")]
    before = writer.counters.commits
    held.release()
    assert [future.result(20) for future in futures] == [2, 2, 2]
    assert writer.counters.commits - before == 2


def test_groups_are_made_smaller_while_they_take_long_and_larger_again(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(_connection: Connection, items: Sequence[float]) -> list[int]:
        # The time that this much work takes, not a wait for something.
        time.sleep(sum(items))
        return [len(items)] * len(items)

    def sizes(seconds: float, count: int) -> list[int]:
        held = Held(writer)
        futures = [writer.submit(slow, seconds) for _ in range(count)]
        held.release()
        found, index = [], 0
        while index < count:
            found.append(futures[index].result(20))
            index += found[-1]
        return found

    assert sizes(0.02, 64)[:4] == [32, 16, 8, 4]
    monkeypatch.setattr("collector.database.writer.LONGEST_TRANSACTION_SECONDS", 60)  # however slow this machine
    assert max(sizes(0.0, 200)) == LARGEST_GROUP


def test_beyond_its_queue_it_says_so_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.database.writer.LARGEST_QUEUE", 100)
    writer = Writer(database)
    held = Held(writer)
    futures = [writer.submit(note, "x") for _ in range(100)]
    with pytest.raises(QueueFull) as caught:
        writer.submit(note, "one too many")
    assert "again" in caught.value.remedy
    held.release()
    assert all(future.result(30) for future in futures)
    assert noted(database) == ["x"] * 100
    writer.close()


def test_closing_writes_what_is_queued_and_takes_no_more(database: Database) -> None:
    writer = Writer(database)
    held = Held(writer)
    futures = [writer.submit(note, f"n{number:03}") for number in range(100)]
    closing = threading.Thread(target=writer.close)
    closing.start()
    held.release()
    closing.join(20)
    assert not closing.is_alive()
    assert all(future.done() for future in futures)
    assert len(noted(database)) == 100
    with pytest.raises(QueueFull):
        writer.submit(note, "late")


def test_every_submission_beside_a_closing_is_written_or_refused(database: Database) -> None:
    writer = Writer(database)
    begun = threading.Barrier(5)

    def submit(number: int) -> int:
        begun.wait(10)
        written = 0
        for _ in range(200):
            try:
                written += writer.submit(note, str(number)).result(20) > 0
            except QueueFull:
                break
        return written

    with ThreadPoolExecutor(4) as pool:
        counts = [pool.submit(submit, number) for number in range(4)]
        begun.wait(10)
        writer.close()
        assert sum(count.result(30) for count in counts) == len(noted(database))


def test_a_caller_that_gave_up_stops_nobody(database: Database, writer: Writer) -> None:
    held = Held(writer)
    futures = [writer.submit(note, item) for item in ("a", "given up", "b")]
    assert futures[1].cancel()
    held.release()
    assert [futures[index].result(20) for index in (0, 2)] == [2, 2]
    assert writer.run(note, "c") == 1
    assert noted(database) == ["a", "b", "c"]


def test_it_waits_for_another_writer_of_the_file(sqlite_database: Database) -> None:
    writer = Writer(sqlite_database)
    with sqlite_database.write() as connection:
        connection.execute(text("UPDATE setting SET value = '7' WHERE name = 'estate_version'"))
        future = writer.submit(note, "later")
        with pytest.raises(TimeoutError):
            future.result(0.3)
    assert future.result(20) == 1
    writer.close()
