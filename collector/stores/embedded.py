"""The embedded store: `points.db`, fourteen days of points in SQLite, clustered by series and time.

It is a target of the outbox like any other and may be deleted: it is filled again with what comes. What one batch
brings of one series is one row, a block (`collector.stores.blocks`). Field sets are kept as line protocol wrote them
and read when a page asks. As in InfluxDB, points of the same series and time merge: other fields are added, the same
field takes the later value.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.report import Value
from collector.errors import TargetUnavailable
from collector.lines import parse_key
from collector.stores.blocks import Block, blocks_of, merged, points_of
from collector.stores.port import StoredBatch, Written

logger = logging.getLogger(__name__)

KEPT_NS = 14 * 24 * 3600 * 10**9
_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, measurement TEXT NOT NULL, key TEXT NOT NULL UNIQUE);
CREATE INDEX IF NOT EXISTS ix_series_measurement ON series (measurement);
CREATE TABLE IF NOT EXISTS blocks (
    series_id INTEGER NOT NULL, last_ns INTEGER NOT NULL, first_ns INTEGER NOT NULL, written INTEGER NOT NULL,
    points TEXT NOT NULL, PRIMARY KEY (series_id, last_ns, first_ns)
) WITHOUT ROWID;
"""
_INSERT = (
    "INSERT INTO blocks (series_id, last_ns, first_ns, written, points) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_CHUNK = 20_000
_Row = tuple[int, int, int, int, str]
"""A block: series, time of its last and first point, when it was written, and its points."""


@dataclass(frozen=True, slots=True)
class PointSeries:
    """One series as it is read: its tags, and (unix_ns, fields) in order of time."""

    tags: dict[str, str]
    points: list[tuple[int, dict[str, Value]]]


class EmbeddedStore:
    """Writes come from one thread, the pump's; any thread may read."""

    name = "embedded"

    def __init__(self, path: Path, clock: Callable[[], int] = time.time_ns) -> None:
        self._path = path
        self._clock = clock
        self._local = threading.local()
        self._generation = 0
        self._ids: dict[str, int] = {}
        self._written = 0
        self._connection = self._open_or_rebuild()
        self._last_trim_ns = 0

    def write(self, batches: Sequence[StoredBatch]) -> Written:
        written = Written()
        oldest = self._clock() - KEPT_NS
        # Later than all before, also where the clock was set back: later values hold.
        self._written = max(self._written, self._clock())
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for batch in batches:
                self._written += 1
                # Not splitlines(): texts may hold what Unicode calls the end of a line.
                blocks = blocks_of(batch.text().decode().split("\n")[:-1], oldest, written)
                self._insert([self._row(block) for block in blocks])
            self._trim(oldest)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._ids.clear()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if _is_damage(error):
                self._connection.close()
                self._connection = self._begin_anew(error)
                raise TargetUnavailable(f"the embedded store {self._path} was damaged: a new one is begun") from error
            raise TargetUnavailable(
                f"the embedded store {self._path} cannot be written: {error}", "free space on its disk"
            ) from error
        return written

    def read(
        self, measurement: str, start_ns: int, end_ns: int, tags: Mapping[str, str] | None = None
    ) -> list[PointSeries]:
        """Series of a measurement whose tags have these values, with their points from start to before end."""
        query = (
            "SELECT points FROM blocks WHERE series_id = ? AND last_ns >= ? AND first_ns < ? ORDER BY written, first_ns"
        )
        found = []
        for series_id, series_tags in self._matching(measurement, tags or {}):
            points = self._points(query, (series_id, start_ns, end_ns))
            inside = [(unix_ns, fields) for unix_ns, fields in points if start_ns <= unix_ns < end_ns]
            if inside:
                found.append(PointSeries(series_tags, inside))
        return found

    def latest(self, measurement: str, tags: Mapping[str, str] | None = None) -> list[PointSeries]:
        """The newest point of each series of a measurement whose tags have these values."""
        query = (
            "SELECT points FROM blocks WHERE series_id = ?1 AND last_ns = "
            "(SELECT max(last_ns) FROM blocks WHERE series_id = ?1) ORDER BY written, first_ns"
        )
        found = []
        for series_id, series_tags in self._matching(measurement, tags or {}):
            if points := self._points(query, (series_id,)):
                found.append(PointSeries(series_tags, points[-1:]))
        return found

    def close(self) -> None:
        self._connection.close()

    def _matching(self, measurement: str, wanted: Mapping[str, str]) -> Iterable[tuple[int, dict[str, str]]]:
        rows = self._rows("SELECT id, key FROM series WHERE measurement = ? ORDER BY key", (measurement,))
        for series_id, key in rows:
            tags = parse_key(key)[1]
            if all(tags.get(name, "") == value for name, value in wanted.items()):
                yield series_id, tags

    def _points(self, query: str, values: tuple[object, ...]) -> list[tuple[int, dict[str, Value]]]:
        return points_of(row[0] for row in self._rows(query, values))

    def _rows(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._reader().execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise TargetUnavailable(f"the embedded store {self._path} cannot be read: {error}", "try again") from error

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None or self._local.generation != self._generation:
            if connection is not None:
                connection.close()
            connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
            self._local.connection, self._local.generation = connection, self._generation
        return connection

    def _open_or_rebuild(self) -> sqlite3.Connection:
        try:
            return self._open()
        except sqlite3.Error as error:
            if not _is_damage(error):
                raise TargetUnavailable(f"the embedded store {self._path} cannot be opened: {error}") from error
            return self._begin_anew(error)

    def _begin_anew(self, error: sqlite3.Error) -> sqlite3.Connection:
        """Set a damaged file aside and begin a new one, which fills with what comes."""
        aside = self._path.with_suffix(".damaged")
        self._path.replace(aside)
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        logger.warning("the embedded store was damaged (%s): kept as %s, and a new one begun", error, aside)
        self._generation += 1
        return self._open()

    def _open(self) -> sqlite3.Connection:
        # Before SQLite makes it: its log and index get the mode that the database has then.
        try:
            self._path.touch(mode=0o600)
            self._path.chmod(0o600)
        except OSError as error:
            raise TargetUnavailable(f"the embedded store {self._path} cannot be opened: {error}") from error
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            with closing(connection.cursor()) as cursor:
                cursor.execute("PRAGMA journal_mode=WAL")
                cursor.execute("PRAGMA synchronous=NORMAL")
                cursor.execute("PRAGMA journal_size_limit=67108864")
                # Each series grows at a place of its own: those pages stay in memory instead of being read every minute.
                cursor.execute("PRAGMA cache_size=-32768")
                cursor.executescript(_SCHEMA)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def _series_id(self, key: str) -> int:
        found = self._ids.get(key)
        if found is None:
            measurement = parse_key(key)[0]
            self._connection.execute(
                "INSERT INTO series (measurement, key) VALUES (?, ?) ON CONFLICT DO NOTHING", (measurement, key)
            )
            row = self._connection.execute("SELECT id FROM series WHERE key = ?", (key,)).fetchone()
            found = int(row[0])
            self._ids[key] = found
        return found

    def _row(self, block: Block) -> _Row:
        return (self._series_id(block.key), block.last_ns, block.first_ns, self._written, block.points)

    def _insert(self, rows: list[_Row]) -> None:
        before = self._connection.total_changes
        self._connection.executemany(_INSERT, rows)
        if self._connection.total_changes - before == len(rows):
            return
        # Some were there already, from an earlier try or with other fields: those are merged one by one.
        where = "WHERE series_id = ? AND last_ns = ? AND first_ns = ?"
        for *key, written, points in rows:
            standing: str = self._connection.execute(f"SELECT points FROM blocks {where}", key).fetchone()[0]  # noqa: S608  # our own text
            if standing != points:
                self._connection.execute(
                    f"UPDATE blocks SET points = ?, written = ? {where}",  # noqa: S608  # our own text
                    (merged(standing, points), written, *key),
                )

    def _trim(self, oldest_ns: int) -> None:
        """Delete what is over fourteen days old, hourly and a bounded number at a time."""
        now_ns = self._clock()
        if now_ns - self._last_trim_ns < 3600 * 10**9:
            return
        deleted = self._connection.execute(
            "DELETE FROM blocks WHERE (series_id, last_ns, first_ns) IN (SELECT s.id, b.last_ns, b.first_ns "
            "FROM series s JOIN blocks b ON b.series_id = s.id AND b.last_ns < ? LIMIT ?)",
            (oldest_ns, _CHUNK),
        ).rowcount
        if deleted < _CHUNK:
            self._last_trim_ns = now_ns


def _is_damage(error: sqlite3.Error) -> bool:
    return "not a database" in str(error) or "malformed" in str(error)
