"""The one thread that writes while the collector runs: queued items are committed together (group commit).

A caller submits a handler and an item and gets a future. The writer takes what is queued, passes the items of each
handler together, commits once, and only then resolves the futures: success always means on disk. When a group fails
it is rolled back and its items are tried one by one, so that a bad one costs only itself.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from collector.database.engine import Database
from collector.errors import CollectorError, DatabaseBusy, DatabaseError, QueueFull

logger = logging.getLogger(__name__)

Handler = Callable[[Connection, Sequence[Any]], Sequence[Any]]
"""Does the work of several items in the transaction; gives one result an item, in order. A result that is an
exception fails only its own item."""

LARGEST_GROUP = 32
"""Items committed together at most."""
LONGEST_TRANSACTION_SECONDS = 0.1
"""Groups are made smaller while their transactions take longer than this: others wait for their turn."""
LARGEST_QUEUE = 2000
BUSY_TRIES = 5


@dataclass(slots=True)
class WriterCounters:
    """What the writer has done since it started, for /metrics."""

    commits: int = 0
    items: int = 0
    failures: int = 0
    longest_transaction_seconds: float = 0.0


@dataclass(slots=True)
class _Job:
    handler: Handler
    item: Any
    future: "Future[Any]"


class Writer:
    """Owns the writing connection of a running collector. `close()` writes what is queued and ends the thread."""

    def __init__(self, database: Database) -> None:
        self.counters = WriterCounters()
        self.problem: DatabaseError | None = None
        """Why the last commit failed, where the database is to blame; None since one succeeded."""
        self._database = database
        self._queue: queue.Queue[_Job | None] = queue.Queue(LARGEST_QUEUE)
        self._closing = False
        self._gate = threading.Lock()
        self._group_size = LARGEST_GROUP
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, handler: Handler, item: Any) -> "Future[Any]":
        """Queue an item. The future holds the handler's result once it is committed, or the error.

        Raises QueueFull at once when too much is waiting: nothing is dropped silently.
        """
        future: Future[Any] = Future()
        with self._gate:
            if self._closing:
                raise QueueFull("the collector is stopping", "send it again")
            try:
                self._queue.put_nowait(_Job(handler, item, future))
            except queue.Full:
                raise QueueFull(f"{LARGEST_QUEUE} writes are waiting", "send it again in a few seconds") from None
        return future

    def run(self, handler: Handler, item: Any) -> Any:
        """Submit and wait for the result. Not for the event loop's thread."""
        return self.submit(handler, item).result()

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    @property
    def alive(self) -> bool:
        """Whether its thread runs: without it nothing would be taken any more."""
        return self._thread.is_alive()

    def close(self) -> None:
        with self._gate:
            self._closing = True
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            stop = False
            # What is already waiting is taken along; while this group commits, the next one gathers by itself.
            while len(group) < self._group_size:
                try:
                    job = self._queue.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    stop = True
                    break
                group.append(job)
            # A future that its caller gave up (a request cut off) takes no result; what it asked is not done.
            if wanted := [job for job in group if job.future.set_running_or_notify_cancel()]:
                self._commit(wanted)
            if stop:
                return

    def _commit(self, group: list[_Job]) -> None:
        try:
            results = self._attempt(group)
        except CollectorError as error:
            failure = error
        else:
            self._note(None)
            self._resolve(group, results)
            return
        if len(group) == 1:
            self.counters.failures += 1
            self._note(failure)
            group[0].future.set_exception(failure)
            return
        for job in group:
            self._commit([job])

    def _note(self, failure: CollectorError | None) -> None:
        """Each problem of the database is said once, and its end."""
        if failure is None:
            if self.problem is not None:
                logger.warning("the database takes writes again")
            self.problem = None
        elif isinstance(failure, DatabaseError):
            if self.problem is None or self.problem.message != failure.message:
                logger.error("%s; %s", failure.message, failure.remedy)
            self.problem = failure

    def _resolve(self, group: list[_Job], results: list[Any]) -> None:
        for job, result in zip(group, results, strict=True):
            if isinstance(result, Exception):
                job.future.set_exception(result)
            else:
                job.future.set_result(result)

    def _attempt(self, group: list[_Job]) -> list[Any]:
        """One transaction for the group; tried again when the database was busy."""
        for attempt in range(BUSY_TRIES):
            started = time.monotonic()
            try:
                with self._database.write() as connection:
                    results = self._work(connection, group)
            except DatabaseBusy:
                if attempt == BUSY_TRIES - 1:
                    raise
                continue
            except CollectorError:
                raise
            except Exception as error:
                logger.exception("a write failed")
                raise CollectorError(f"a write failed: {error}", "see the collector's log") from error
            passed = time.monotonic() - started
            self.counters.commits += 1
            self.counters.items += len(group)
            self.counters.longest_transaction_seconds = max(self.counters.longest_transaction_seconds, passed)
            self._fit(len(group), passed)
            return results
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _fit(self, size: int, passed: float) -> None:
        """Smaller groups after a long transaction, larger ones again after a full and short one."""
        if passed > LONGEST_TRANSACTION_SECONDS and size > 1:
            self._group_size = max(1, size // 2)
        elif passed < LONGEST_TRANSACTION_SECONDS / 2 and size >= self._group_size:
            self._group_size = min(LARGEST_GROUP, self._group_size + self._group_size // 4 + 1)

    def _work(self, connection: Connection, group: list[_Job]) -> list[Any]:
        by_handler: dict[Handler, list[int]] = {}
        for index, job in enumerate(group):
            by_handler.setdefault(job.handler, []).append(index)
        results: list[Any] = [None] * len(group)
        for handler, indexes in by_handler.items():
            outcomes = handler(connection, [group[index].item for index in indexes])
            for index, outcome in zip(indexes, outcomes, strict=True):
                results[index] = outcome
        return results
