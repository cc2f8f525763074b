"""An import of a supplier's file that is killed (-9) in the middle: nothing of it is in the ledger, and it can be repeated."""

import datetime
import subprocess
from pathlib import Path

from sqlalchemy import Table, func, select

from collector.database.engine import Database, open_database
from collector.database.migrate import migrate
from collector.database.schema import ledger, ledger_day, meter_file, meter_file_reading
from tests.collector.half_hourly.layouts import MPAN
from tests.servers.ictagent import ICTAGENT, environment, ictagent
from tests.servers.process import wait_until

DAYS = 250
"""Days of a file: enough to be kept in two dozen transactions."""


def test_a_killed_import_leaves_nothing_in_the_ledger_and_the_next_brings_all_of_it(tmp_path: Path) -> None:
    file = tmp_path / "supplier.csv"
    periods = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, 1440, 30)]
    days = [datetime.date(2025, 1, 1) + datetime.timedelta(number) for number in range(DAYS)]
    rows = [f"{MPAN},{day:%d/%m/%Y},{','.join(['1.5'] * 48)}" for day in days]
    file.write_text("\n".join([f"MPAN,Date,{','.join(periods)}", *rows]), encoding="utf-8")
    toml = tmp_path / "map.toml"
    toml.write_text('clock = "GMT"\n', encoding="utf-8")
    database = open_database(tmp_path / "ictagent.db")
    migrate(database)
    command = ("ledger", "import", str(file), "--map", str(toml), "--state-directory", str(tmp_path))
    process = subprocess.Popen([ICTAGENT, *command], env=environment(), stdout=subprocess.DEVNULL)
    wait_until(lambda: 0 < _count(database, meter_file_reading) < DAYS * 48, "an import that is half done", 60)
    process.kill()
    assert process.wait() != 0
    assert _count(database, ledger) == _count(database, ledger_day) == 0
    assert _states(database) == ["writing"]
    assert ictagent(*command).returncode == 0
    assert _states(database) == ["undone", "visible"]
    with database.read() as connection:
        used = connection.execute(select(func.sum(ledger_day.c.measured_uj), func.sum(ledger_day.c.half_hours))).one()
    assert tuple(used) == (DAYS * 48 * 5_400_000_000_000, DAYS * 48)
    database.close()


def _count(database: Database, table: Table) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _states(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(meter_file.c.state).order_by(meter_file.c.id)).scalars())
