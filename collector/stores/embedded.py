"""The embedded store: `points.db`, fourteen days of points in SQLite, clustered by series and time.

It is a target of the outbox like any other and may be deleted: it is filled again with what comes. Field sets are
kept as line protocol wrote them and read when a page asks. As in InfluxDB, points of the same series and time merge:
other fields are added, the same field takes the later value.
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
from collector.lines import field_types, parse_fields, parse_key, split_line
from collector.stores.port import StoredBatch, Written

logger = logging.getLogger(__name__)

KEPT_NS = 14 * 24 * 3600 * 10**9
_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, measurement TEXT NOT NULL, key TEXT NOT NULL UNIQUE);
CREATE INDEX IF NOT EXISTS ix_series_measurement ON series (measurement);
CREATE TABLE IF NOT EXISTS points (
    series_id INTEGER NOT NULL, unix_ns INTEGER NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (series_id, unix_ns)
) WITHOUT ROWID;
"""
_INSERT = "INSERT INTO points (series_id, unix_ns, fields) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_CHUNK = 20_000


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
        self._types: dict[str, dict[str, type]] = {}
        self._connection = self._open_or_rebuild()
        self._last_trim_ns = 0

    def write(self, batches: Sequence[StoredBatch]) -> Written:
        written = Written()
        oldest = self._clock() - KEPT_NS
        rows: list[tuple[int, int, str]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for batch in batches:
                # Not splitlines(): texts may hold what Unicode calls the end of a line.
                for line in batch.text().decode().split("\n")[:-1]:
                    try:
                        key, fields, unix_ns = split_line(line)
                    except ValueError as error:
                        written.dead.append((line, str(error)))
                        continue
                    if unix_ns < oldest:
                        written.skipped_old += 1
                    elif reason := self._conflict(key, fields):
                        written.dead.append((line, reason))
                    else:
                        rows.append((self._series_id(key), unix_ns, fields))
            self._insert(rows)
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
        found = []
        query = (
            "SELECT unix_ns, fields FROM points WHERE series_id = ? AND unix_ns >= ? AND unix_ns < ? ORDER BY unix_ns"
        )
        for series_id, series_tags in self._matching(measurement, tags or {}):
            rows = self._rows(query, (series_id, start_ns, end_ns))
            if points := [(unix_ns, parse_fields(fields)) for unix_ns, fields in rows]:
                found.append(PointSeries(series_tags, points))
        return found

    def latest(self, measurement: str, tags: Mapping[str, str] | None = None) -> list[PointSeries]:
        """The newest point of each series of a measurement whose tags have these values."""
        found = []
        query = "SELECT unix_ns, fields FROM points WHERE series_id = ? ORDER BY unix_ns DESC LIMIT 1"
        for series_id, series_tags in self._matching(measurement, tags or {}):
            if points := [(unix_ns, parse_fields(fields)) for unix_ns, fields in self._rows(query, (series_id,))]:
                found.append(PointSeries(series_tags, points))
        return found

    def close(self) -> None:
        self._connection.close()

    def _matching(self, measurement: str, wanted: Mapping[str, str]) -> Iterable[tuple[int, dict[str, str]]]:
        rows = self._rows("SELECT id, key FROM series WHERE measurement = ? ORDER BY key", (measurement,))
        for series_id, key in rows:
            tags = parse_key(key)[1]
            if all(tags.get(name, "") == value for name, value in wanted.items()):
                yield series_id, tags

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
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            with closing(connection.cursor()) as cursor:
                cursor.execute("PRAGMA journal_mode=WAL")
                cursor.execute("PRAGMA synchronous=NORMAL")
                cursor.execute("PRAGMA journal_size_limit=67108864")
                cursor.executescript(_SCHEMA)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        self._path.chmod(0o600)
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

    def _conflict(self, key: str, fields: str) -> str:
        """Why a line's field types do not fit the measurement, or nothing. Numbers, which most are, pass at a glance."""
        measurement = key.split(",", 1)[0]
        types = self._types.get(measurement)
        if types is None:
            try:
                named = field_types(measurement)
            except KeyError:
                return f"measurement {measurement[:60]} is not known"
            python_types: dict[str, type] = {"float": float, "integer": int, "boolean": bool, "string": str}
            types = self._types[measurement] = {name: python_types[kind] for name, kind in named.items()}
        try:
            parsed = parse_fields(fields)
        except ValueError as error:
            return str(error)
        for name, value in parsed.items():
            if name not in types:
                return f"field {measurement}.{name[:60]} is not known"
            if type(value) is not types[name]:
                return f"field type conflict: {name} is {type(value).__name__}, not {types[name].__name__}"
        return ""

    def _insert(self, rows: list[tuple[int, int, str]]) -> None:
        before = self._connection.total_changes
        self._connection.executemany(_INSERT, rows)
        if self._connection.total_changes - before == len(rows):
            return
        # Some were there already, from an earlier try or with other fields: those are merged one by one.
        for series_id, unix_ns, fields in rows:
            key = (series_id, unix_ns)
            query = "SELECT fields FROM points WHERE series_id = ? AND unix_ns = ?"
            standing: str = self._connection.execute(query, key).fetchone()[0]
            if standing != fields:
                merged = _merged(standing, fields)
                self._connection.execute(
                    "UPDATE points SET fields = ? WHERE series_id = ? AND unix_ns = ?", (merged, *key)
                )

    def _trim(self, oldest_ns: int) -> None:
        """Delete what is over fourteen days old, hourly and a bounded number at a time."""
        now_ns = self._clock()
        if now_ns - self._last_trim_ns < 3600 * 10**9:
            return
        deleted = self._connection.execute(
            "DELETE FROM points WHERE (series_id, unix_ns) IN "
            "(SELECT s.id, p.unix_ns FROM series s JOIN points p ON p.series_id = s.id AND p.unix_ns < ? LIMIT ?)",
            (oldest_ns, _CHUNK),
        ).rowcount
        if deleted < _CHUNK:
            self._last_trim_ns = now_ns


def _is_damage(error: sqlite3.Error) -> bool:
    return "not a database" in str(error) or "malformed" in str(error)


def _merged(standing: str, new: str) -> str:
    """A field set with another's values added; those of `new` hold. Both stay as they were written."""
    fields = {text.partition("=")[0]: text for text in (*_split_fields(standing), *_split_fields(new))}
    return ",".join(fields.values())


def _split_fields(fields: str) -> list[str]:
    if '"' not in fields:
        return fields.split(",")
    parts, begin, quoted, escaped = [], 0, False, False
    for index, character in enumerate(fields):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            parts.append(fields[begin:index])
            begin = index + 1
    return [*parts, fields[begin:]]
