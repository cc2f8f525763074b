"""Taking turns at writing to an SQLite file, so that a busy collector keeps nobody waiting.

SQLite's write lock is a lottery: who finds it held sleeps up to a tenth of a second before the next look, and a writer
with much to do takes it again in the meantime, for seconds on end. Here whoever wants to write first takes the place
of the next one (a lock on the file's directory, which every process of any user may take and which ends with it), and
leaves it when the write lock is his. Who has just written comes behind him.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_SECONDS = 0.001


def begin_in_turn(connection: sqlite3.Connection, path: Path, seconds: float) -> None:
    """BEGIN IMMEDIATE as soon as those who came before have had their turn.

    Raises sqlite3.OperationalError ("database is locked") after `seconds`.
    """
    deadline = time.monotonic() + seconds
    with _next_place(path.parent, deadline):
        # Waiting is done here, a millisecond at a time; other statements wait as SQLite does.
        connection.execute("PRAGMA busy_timeout=0")
        try:
            while not _begun(connection, deadline):
                time.sleep(LOOK_SECONDS)
        finally:
            connection.execute(f"PRAGMA busy_timeout={round(seconds * 1000)}")


def _begun(connection: sqlite3.Connection, deadline: float) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
            raise
        return False
    return True


@contextmanager
def _next_place(directory: Path, deadline: float) -> Iterator[None]:
    place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        while True:
            try:
                fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise sqlite3.OperationalError("database is locked: others wait to write as well") from None
                time.sleep(LOOK_SECONDS)
        yield
    finally:
        os.close(place)
