"""An import of a supplier's file, or its undoing, that is killed (-9): nobody sees a part of it, and it can be repeated."""

import datetime
import multiprocessing
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, event, func, select

from collector.database.engine import Database, open_database
from collector.database.meter_files import ledger_day_staged, ledger_staged
from collector.database.schema import device, ledger, ledger_day, meter, meter_file, meter_file_reading, site
from collector.half_hourly.reading import read_half_hours
from collector.meter_files import apply, plan, undo
from collector.supply_meters import NewMeter
from collector.taking import Who
from tests.collector.half_hourly.layouts import MPAN, OTHER_MPAN
from tests.servers.ictagent import ICTAGENT, environment, ictagent
from tests.servers.process import wait_until

DAYS = 150
"""Days of a file: enough to be kept in a dozen transactions."""
WHO = Who("cli:test", 1_790_000_000)
TAKING = (
    "INSERT INTO meter_file ",
    "INSERT INTO meter_file_reading",
    "INSERT INTO ledger_staged",
    "INSERT INTO ledger ",
)
"""Statements of an import before anybody sees anything of it, the last two of the transaction that shows all of it."""


def test_a_killed_import_leaves_nothing_in_the_ledger_and_the_next_brings_all_of_it(
    sqlite_database: Database, tmp_path: Path
) -> None:
    database = sqlite_database
    file = _file(tmp_path, DAYS, MPAN)
    command = ("ledger", "import", str(file), "--state-directory", str(tmp_path))
    process = subprocess.Popen([ICTAGENT, *command], env=environment(), stdout=subprocess.DEVNULL)
    wait_until(lambda: 0 < _count(database, meter_file_reading) < DAYS * 48, "an import that is half done", 60)
    process.kill()
    assert process.wait() != 0
    assert _count(database, ledger) == _count(database, ledger_day) == 0
    assert _states(database) == ["writing"]
    assert ictagent(*command).returncode == 0
    assert _states(database) == ["undone", "visible"]
    assert _days(database) == (DAYS * 48 * 5_400_000_000_000, DAYS * 48)


@pytest.mark.parametrize("statement", [*TAKING, "INSERT INTO ledger_day ", "UPDATE meter_file SET state"])
def test_an_import_that_is_killed_at_any_step_is_not_seen_and_can_be_repeated(
    sqlite_database: Database, tmp_path: Path, statement: str
) -> None:
    file = _file(tmp_path, 3, MPAN, OTHER_MPAN)
    _killed_at(tmp_path, statement, lambda database: _take(database, file))
    assert _days(sqlite_database) == (0, 0)
    assert _count(sqlite_database, ledger) == 0
    taken = _take(sqlite_database, file)
    assert _days(sqlite_database) == (2 * 3 * 48 * 5_400_000_000_000, 2 * 3 * 48)
    undo(sqlite_database, taken, WHO)
    _require_nothing(sqlite_database)


@pytest.mark.parametrize(
    ("statement", "half_hours"),
    [
        ("INSERT INTO ledger_staged", 288),
        ("DELETE FROM ledger ", 288),
        ("DELETE FROM ledger_day ", 288),
        ("DELETE FROM meter_file_reading", 0),
        ("DELETE FROM device ", 0),
    ],
)
def test_an_undoing_that_is_killed_at_any_step_is_seen_whole_or_not_at_all_and_can_be_repeated(
    sqlite_database: Database, tmp_path: Path, statement: str, half_hours: int
) -> None:
    taken = _take(sqlite_database, _file(tmp_path, 3, MPAN, OTHER_MPAN))
    _killed_at(tmp_path, statement, lambda database: undo(database, taken, WHO))
    assert _days(sqlite_database) == (half_hours * 5_400_000_000_000, half_hours)
    assert _count(sqlite_database, ledger) == half_hours
    undo(sqlite_database, taken, WHO)
    _require_nothing(sqlite_database)


def test_what_a_killed_import_left_beside_the_ledger_goes_with_the_next(
    sqlite_database: Database, tmp_path: Path
) -> None:
    file = _file(tmp_path, 3, MPAN)
    _killed_at(tmp_path, "DELETE FROM ledger_staged", lambda database: _take(database, file), 2)
    assert _states(sqlite_database) == ["visible"]
    assert _days(sqlite_database) == (3 * 48 * 5_400_000_000_000, 3 * 48)
    assert _count(sqlite_database, ledger_staged) == 3 * 48
    _take(sqlite_database, _file(tmp_path, 2, OTHER_MPAN))
    assert _count(sqlite_database, ledger_staged) == _count(sqlite_database, ledger_day_staged) == 0


def test_the_meters_of_a_file_are_seen_at_one_moment_whoever_looks_between_any_two_statements(
    sqlite_database: Database, tmp_path: Path
) -> None:
    seen: set[tuple[int, int]] = set()
    file = _file(tmp_path, 15, MPAN, OTHER_MPAN)
    with sqlite_database.read() as connection:
        planned = plan(connection, read_half_hours(file), 1)

    def look(_connection: Connection, _cursor: object, _statement: str, *_: object) -> None:
        if _connection is not reading:
            seen.add(_days_of(reading))
            reading.rollback()

    with sqlite_database.engine.connect() as reading:
        event.listen(sqlite_database.engine, "before_cursor_execute", look)
        apply(sqlite_database, planned, NewMeter(), WHO)
        event.remove(sqlite_database.engine, "before_cursor_execute", look)
    assert seen == {(0, 0), (2 * 15 * 48 * 5_400_000_000_000, 2 * 15 * 48)}


def _file(directory: Path, days: int, *mpans: str) -> Path:
    """A row a day, 1.5 kWh each half-hour."""
    path = directory / f"supplier-{days}.csv"
    periods = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, 1440, 30)]
    first = datetime.date(2025, 1, 1)
    rows = [
        f"{mpan},{first + datetime.timedelta(number):%d/%m/%Y},{','.join(['1.5'] * 48)}"
        for mpan in mpans
        for number in range(days)
    ]
    path.write_text("\n".join([f"MPAN,Date (GMT),{','.join(periods)}", *rows]), encoding="utf-8")
    return path


def _take(database: Database, file: Path) -> int:
    with database.read() as connection:
        planned = plan(connection, read_half_hours(file), 1)
    return apply(database, planned, NewMeter("Town Hall"), WHO)


def _killed_at(directory: Path, statement: str, act: Callable[[Database], Any], time: int = 1) -> None:
    """Do something in a process that ends by SIGKILL as it gives the database a statement for that time."""

    def run() -> None:
        database = open_database(directory / "ictagent.db")
        found = 0

        def look(_connection: Connection, _cursor: object, given: str, *_: object) -> None:
            nonlocal found
            found += given.startswith(statement)
            if found == time:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(database.engine, "before_cursor_execute", look)
        act(database)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def _require_nothing(database: Database) -> None:
    tables = (ledger, ledger_day, ledger_staged, ledger_day_staged, meter_file_reading, meter, device, site)
    assert {table.name: _count(database, table) for table in tables} == dict.fromkeys((one.name for one in tables), 0)


def _days(database: Database) -> tuple[int, int]:
    """Energy and half-hours of the ledger's days."""
    with database.read() as connection:
        return _days_of(connection)


def _days_of(connection: Connection) -> tuple[int, int]:
    sums = select(func.sum(ledger_day.c.measured_uj), func.sum(ledger_day.c.half_hours))
    energy, half_hours = connection.execute(sums).one()
    return int(energy or 0), int(half_hours or 0)


def _count(database: Database, table: Table) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _states(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(meter_file.c.state).order_by(meter_file.c.id)).scalars())
