"""The outbox's pumps: one thread a target reads the log after its cursor, writes to the store, and moves the cursor.

Batches go in order, at least once; stores take a repetition without change. When a target is not to be reached the
pump keeps everything and tries again with growing, jittered pauses; what it holds in memory stays bounded.
"""

import logging
import random
import threading
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, func, insert, select, text

from collector.database.engine import Database
from collector.database.schema import dead_letter, outbox, outbox_cursor
from collector.database.upsert import upsert
from collector.database.writer import Writer
from collector.errors import CollectorError, TargetUnavailable
from collector.prepare import Batch
from collector.stores.port import Store, StoredBatch, Written

logger = logging.getLogger(__name__)

BATCHES_AT_ONCE = 100
POINTS_AT_ONCE = 20_000
GATHER_SECONDS = 0.25
"""A target that keeps up waits so long between writes: many reports together cost little more than one."""
LONGEST_PAUSE_SECONDS = 60.0
LONGEST_RETRY_AFTER_SECONDS = 600.0
"""A server that asks for more is asked again sooner: it may have changed its mind."""
DELETED_AT_ONCE = 2_000
MEASURED_AT_MOST = 2_000
"""How many batches are measured to tell how large the outbox is; a larger one is judged by as many spread over it."""
_NONE_BEFORE_IS_OPEN = text("age(outbox.xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)")
"""PostgreSQL gives a number when a row is inserted and shows the row when its transaction ends. Two transactions (a
collector's and a command's) may end in the other order: a row waits until all that may stand before it have ended."""


@dataclass(slots=True)
class PumpState:
    """How a target is doing, for pages, /readyz and /metrics."""

    target: str
    batches: int = 0
    points: int = 0
    dead: int = 0
    skipped_old: int = 0
    failures: int = 0
    problem: str = ""
    remedy: str = ""


@dataclass(slots=True)
class _Progress:
    target: str
    collector_id: str
    last_id: int
    dead: list[tuple[str, str]] = field(default_factory=list)


def _advance(connection: Connection, items: Sequence[_Progress]) -> list[None]:
    """Move cursors, with the lines the targets refused, in one transaction."""
    now = int(time.time())
    rows = [{"target": one.target, "collector_id": one.collector_id, "last_id": one.last_id} for one in items]
    upsert(connection, outbox_cursor, rows, ("last_id",))
    dead = [
        # A server's words may hold anything, and PostgreSQL holds no NUL character.
        {"target": one.target, "line": _held(line), "reason": _held(reason[:1024]), "created_at": now}
        for one in items
        for line, reason in one.dead
    ]
    if dead:
        connection.execute(insert(dead_letter), dead)
    return [None] * len(items)


def _held(words: str) -> str:
    return words.replace("\0", "\ufffd")


class Pump:
    """Drains the outbox of one collector into one store until it is stopped."""

    def __init__(self, database: Database, writer: Writer, store: Store, collector_id: str) -> None:
        self.state = PumpState(store.name)
        self._database = database
        self._writer = writer
        self._store = store
        self._collector_id = collector_id
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pump-{store.name}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something was added to the outbox."""
        self._wake.set()

    def stop(self) -> None:
        """End after the batch in hand; what is left stays in the outbox."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        self._store.close()

    def _run(self) -> None:
        cursor = None
        pause = 0.5
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                if cursor is None:
                    cursor = self._cursor()
                batches = self._next(cursor)
                if not batches:
                    self._wake.wait(5.0)
                    continue
                written = self._store.write(batches)
                self._writer.run(
                    _advance, _Progress(self.state.target, self._collector_id, batches[-1].id, written.dead)
                )
                cursor = batches[-1].id
                self._count(batches, written)
                if len(batches) < BATCHES_AT_ONCE and sum(batch.points for batch in batches) < POINTS_AT_ONCE / 2:
                    self._stopping.wait(GATHER_SECONDS)
                pause = 0.5
                continue
            except CollectorError as error:
                failure = error
            except Exception as error:
                # A pump that ended would be silent: it says what happened and tries again.
                logger.exception("the pump of %s failed", self.state.target)
                failure = CollectorError(f"writing to {self.state.target} failed: {error}", "see the collector's log")
            self._failed(failure)
            wait = pause
            if isinstance(failure, TargetUnavailable) and failure.retry_after:
                wait = min(failure.retry_after, LONGEST_RETRY_AFTER_SECONDS)
            self._stopping.wait(wait * random.uniform(0.75, 1.25))  # noqa: S311  # jitter, not a secret
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)

    def _cursor(self) -> int:
        """Where this target stands; a new target begins with the oldest row kept."""
        with self._database.read() as connection:
            query = select(outbox_cursor.c.last_id).where(
                outbox_cursor.c.target == self.state.target, outbox_cursor.c.collector_id == self._collector_id
            )
            return connection.execute(query).scalar() or 0

    def _next(self, cursor: int) -> list[StoredBatch]:
        query = (
            select(outbox.c.id, outbox.c.lines, outbox.c.points, outbox.c.first_ns, outbox.c.last_ns)
            .where(outbox.c.collector_id == self._collector_id, outbox.c.id > cursor)
            .order_by(outbox.c.id)
            .limit(BATCHES_AT_ONCE)
        )
        if not self._database.is_sqlite:
            query = query.where(_NONE_BEFORE_IS_OPEN)
        batches: list[StoredBatch] = []
        points = 0
        with self._database.read() as connection:
            for row in connection.execute(query):
                points += row.points
                if batches and points > POINTS_AT_ONCE:
                    break
                batches.append(StoredBatch(row.id, bytes(row.lines), row.points, row.first_ns, row.last_ns))
        return batches

    def _count(self, batches: Sequence[StoredBatch], written: Written) -> None:
        if self.state.problem:
            logger.info("%s takes points again", self.state.target)
        self.state.batches += len(batches)
        self.state.points += sum(batch.points for batch in batches)
        self.state.dead += len(written.dead)
        self.state.skipped_old += written.skipped_old
        self.state.problem = self.state.remedy = ""

    def _failed(self, error: CollectorError) -> None:
        self.state.failures += 1
        if self.state.problem != error.message:
            logger.warning("%s: %s; %s", self.state.target, error.message, error.remedy)
        self.state.problem, self.state.remedy = error.message, error.remedy


def append(connection: Connection, collector_id: str, now: int, batches: Iterable[Batch | None]) -> None:
    """Add batches to the log, in order, in this transaction; None is a report that had no points."""
    rows = [
        {
            "collector_id": collector_id,
            "created_at": now,
            "lines": batch.lines,
            "points": batch.points,
            "first_ns": batch.first_ns,
            "last_ns": batch.last_ns,
        }
        for batch in batches
        if batch is not None
    ]
    if rows:
        if connection.dialect.name != "sqlite":
            # Numbers of one collector's rows follow its commits: a command's transaction waits for the writer's.
            key = zlib.crc32(collector_id.encode()) & 0x7FFFFFFF
            connection.execute(text("SELECT pg_advisory_xact_lock(424201, :key)"), {"key": key})
        connection.execute(insert(outbox), rows)


@dataclass(frozen=True, slots=True)
class OutboxDepth:
    """What waits in the outbox for its slowest target; `bytes` is an estimate where the batches are very many."""

    batches: int
    bytes: int
    oldest_at: int | None


def waiting(connection: Connection, collector_id: str, targets: Sequence[str]) -> OutboxDepth:
    """What of a collector's outbox has not reached every one of its targets."""
    return _depth(connection, collector_id, _passed(connection, collector_id, targets))


def _passed(connection: Connection, collector_id: str, targets: Sequence[str]) -> int:
    """The last batch that every target has taken; 0 where one of them never took any."""
    query = select(outbox_cursor.c.last_id).where(
        outbox_cursor.c.collector_id == collector_id, outbox_cursor.c.target.in_(targets)
    )
    positions = list(connection.execute(query).scalars())
    return min(positions, default=0) if len(positions) == len(targets) else 0


def _depth(connection: Connection, collector_id: str, after: int) -> OutboxDepth:
    mine = (outbox.c.collector_id == collector_id) & (outbox.c.id > after)
    batches, first, last = connection.execute(
        select(func.count(outbox.c.id), func.min(outbox.c.id), func.max(outbox.c.id)).where(mine)
    ).one()
    if not batches:
        return OutboxDepth(0, 0, None)
    oldest_at = connection.execute(select(outbox.c.created_at).where(outbox.c.id == first)).scalar()
    # Measuring every batch would read the whole outbox, gigabytes after a target's long absence.
    step = -(-(last - first + 1) // MEASURED_AT_MOST)
    sample = mine if step == 1 else mine & outbox.c.id.in_(range(first, last + 1, step))
    measured, size = connection.execute(
        select(func.count(), func.coalesce(func.sum(func.length(outbox.c.lines)), 0)).where(sample)
    ).one()
    return OutboxDepth(batches, int(size) * batches // max(measured, 1), oldest_at)


@dataclass(frozen=True, slots=True)
class Trim:
    """What to delete: rows that all targets passed, and the oldest beyond the limit in bytes."""

    collector_id: str
    targets: tuple[str, ...]
    limit_bytes: int


def trim(connection: Connection, items: Sequence[Trim]) -> list[tuple[int, int]]:
    """Delete outbox rows that are done with, at most some thousands; (done with, dropped for want of room) each."""
    return [_trim(connection, one) for one in items]


def _trim(connection: Connection, wanted: Trim) -> tuple[int, int]:
    mine = outbox.c.collector_id == wanted.collector_id
    passed = _passed(connection, wanted.collector_id, wanted.targets)
    done = select(outbox.c.id).where(mine, outbox.c.id <= passed).order_by(outbox.c.id).limit(DELETED_AT_ONCE)
    finished = connection.execute(delete(outbox).where(outbox.c.id.in_(done))).rowcount
    if finished == DELETED_AT_ONCE:
        return finished, 0
    excess = _depth(connection, wanted.collector_id, passed).bytes - wanted.limit_bytes
    oldest = select(outbox.c.id, func.length(outbox.c.lines)).where(mine).order_by(outbox.c.id).limit(DELETED_AT_ONCE)
    dropped = []
    for row_id, size in connection.execute(oldest) if excess > 0 else ():
        dropped.append(row_id)
        excess -= size
        if excess <= 0:
            break
    if dropped:
        connection.execute(delete(outbox).where(mine, outbox.c.id <= dropped[-1]))
    return finished, len(dropped)
