"""Opening the database: SQLite by a path, PostgreSQL by a URL; reading from a snapshot, writing in short transactions.

SQLite runs in WAL mode with synchronous=FULL: what was committed is on disk. Every writing transaction starts with
BEGIN IMMEDIATE, so that it waits for its turn at its start and never fails in its middle; readers open an explicit
transaction and see one moment.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import sqlalchemy
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from collector.database.turns import begin_in_turn
from collector.errors import DatabaseBusy, DatabaseError, DatabaseFull

BUSY_SECONDS = 10
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA cache_size=-8192",
)
_POSTGRES_DISK_FULL = "53100"
_POSTGRES_AGAIN = ("40001", "40P01", "55P03")


class Database:
    """The database of one collector. Safe to use from several threads; each transaction has its own connection."""

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        """The SQLite file, or None for PostgreSQL."""

    @property
    def is_sqlite(self) -> bool:
        return self.path is not None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment and writes nothing."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with translated(), self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A short writing transaction: committed at the end, rolled back on an exception."""
        with translated(), self.engine.connect().execution_options(writing=True) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def open_database(where: str | Path) -> Database:
    """Open, and for SQLite create, the database. It is not migrated here; see `collector.database.migrate`.

    `where` is a file's path, or a URL such as postgresql://user@host/name. Raises DatabaseError with a remedy.
    """
    if "://" not in str(where):
        return _open_sqlite(Path(where))
    try:
        url = make_url(str(where))
    except (ArgumentError, ValueError) as error:
        # Without quoting it: a password may stand in it.
        raise DatabaseError(
            "the database setting is not a database URL", "write postgresql://user@host/name"
        ) from error
    if url.get_backend_name() != "postgresql":
        raise DatabaseError(f"databases of type {url.get_backend_name()} are not supported", "use PostgreSQL or a path")
    engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=8)
    return Database(engine, None)


def _open_sqlite(path: Path) -> Database:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600, exist_ok=True)
        if not os.access(path.parent, os.W_OK):
            raise PermissionError(f"the directory {path.parent} is not writable")
    except OSError as error:
        raise DatabaseError(
            f"the database {path} cannot be made: {error.strerror or error}",
            "give the collector's user a writable directory",
        ) from error
    engine = create_engine(
        sqlalchemy.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=8,
        max_overflow=16,
        # The connection used last still holds in memory what the next transaction needs.
        pool_use_lifo=True,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", partial(_begin, path))
    database = Database(engine, path)
    with database.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").fetchall()
    return database


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    # The driver's own transaction handling would begin late and commit early; ours is in `_begin`.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(path: Path, connection: Connection) -> None:
    if connection.get_execution_options().get("writing", False):
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101  # `_open_sqlite` made it
        begin_in_turn(driver, path, BUSY_SECONDS)
    else:
        connection.exec_driver_sql("BEGIN")


@contextmanager
def translated() -> Iterator[None]:
    """Turn the drivers' errors into the collector's, with remedies."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseBusy(f"all connections to the database are in use: {error}", "try again") from error
    except (DBAPIError, sqlite3.Error) as error:
        raise translate(error) from error


def translate(error: Exception) -> DatabaseError:
    """The collector's word for a driver's error."""
    cause = getattr(error, "orig", error) or error
    state = getattr(cause, "sqlstate", None)
    words = str(cause)
    if state == _POSTGRES_DISK_FULL or "disk is full" in words or "No space left" in words or "disk I/O error" in words:
        return DatabaseFull(f"the database cannot grow: {words}", "free space on its disk; it goes on by itself")
    if state in _POSTGRES_AGAIN or "database is locked" in words or "database table is locked" in words:
        return DatabaseBusy(f"the database was busy for over {BUSY_SECONDS} s: {words}", "try again")
    if "not a database" in words or "malformed" in words:
        return DatabaseError(
            f"the database file is damaged: {words}", "stop the collector and put a backup of the file in its place"
        )
    if "readonly" in words or "unable to open" in words:
        return DatabaseError(f"the database cannot be written: {words}", "check the owner and mode of its files")
    return DatabaseError(words, "")
