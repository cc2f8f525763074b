"""Whoever wants to write to SQLite comes next, however busy another writer is."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from collector.database.engine import Database, open_database
from collector.errors import DatabaseBusy

ROOT = Path(__file__).parents[3]
TRANSACTION_SECONDS = 0.03


class BusyWriter(threading.Thread):
    """Writes one transaction after another, with next to no time between them, and notes when each ended."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self.stop = threading.Event()
        self.ended: list[float] = []

    def run(self) -> None:
        while not self.stop.is_set():
            with self._database.write():
                time.sleep(TRANSACTION_SECONDS)  # the work of the transaction
            self.ended.append(time.monotonic())


def test_an_edit_beside_a_writer_that_never_rests_waits_for_its_transaction_only(sqlite_database: Database) -> None:
    assert sqlite_database.path is not None
    busy = BusyWriter(sqlite_database)
    other = open_database(sqlite_database.path)
    busy.start()
    overtaken = []
    for _ in range(20):
        asked = time.monotonic()
        with other.write():
            begun = time.monotonic()
        overtaken.append(sum(asked < ended <= begun for ended in list(busy.ended)))
    busy.stop.set()
    busy.join()
    other.close()
    # The transaction that runs when it asks, and one that was before it in the queue.
    assert max(overtaken) <= 2, overtaken


def test_many_that_want_to_write_all_get_their_turn(sqlite_database: Database) -> None:
    assert sqlite_database.path is not None
    threads = [BusyWriter(open_database(sqlite_database.path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 20
    while min(len(thread.ended) for thread in threads) < 5 and time.monotonic() < deadline:
        threads[0].stop.wait(0.05)
    counts = [len(thread.ended) for thread in threads]
    for thread in threads:
        thread.stop.set()
    for thread in threads:
        thread.join()
        thread._database.close()
    assert min(counts) >= 5, counts


def test_a_turn_that_never_comes_is_said_after_a_while(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.database.engine.BUSY_SECONDS", 0.2)
    assert sqlite_database.path is not None
    other = open_database(sqlite_database.path)
    waiting: list[Exception] = []

    def wait() -> None:
        try:
            with other.write():
                raise AssertionError("the turn was another's")
        except DatabaseBusy as error:
            waiting.append(error)

    with sqlite_database.write():
        threads = [threading.Thread(target=wait) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert len(waiting) == 2, "both the next one and the one behind it"
    with other.write() as connection:
        connection.execute(text("UPDATE setting SET value = '3' WHERE name = 'estate_version'"))
    other.close()


def test_a_process_killed_in_its_turn_gives_it_up(sqlite_database: Database) -> None:
    program = (
        "import sys, time\n"
        "from collector.database.engine import open_database\n"
        "with open_database(sys.argv[1]).write():\n"
        "    print('writing', flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(sqlite_database.path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.kill()
    process.wait(10)
    with sqlite_database.write() as connection:
        connection.execute(text("UPDATE setting SET value = '3' WHERE name = 'estate_version'"))
