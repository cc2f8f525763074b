"""A register of 50,000 devices into an empty database, once more, and taken back: `ictagent estate import` as a person runs it.

    python tests/benchmarks/estate_import.py [--devices 50000] [--seen 0]

`--seen` are devices that report before the register comes, with a year of days: it puts each where it stands, and back.
The workbook has four sheets of a large council's end user devices, dates and all. The command runs on a terminal, so that
its progress is seen; counted is its whole time, its start and the reading of the workbook included.
"""

import argparse
import datetime
import os
import pty
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from openpyxl import Workbook  # noqa: E402  # the script runs from a checkout
from sqlalchemy import insert  # noqa: E402

from agent.report import Inventory  # noqa: E402
from collector.database.dated import begin  # noqa: E402
from collector.database.engine import Database, open_database  # noqa: E402
from collector.database.migrate import migrate  # noqa: E402
from collector.database.schema import device, inventory, ledger_day, meter  # noqa: E402
from collector.prepare import canonical  # noqa: E402
from tests.benchmarks.measure import figure, print_machine, verdict  # noqa: E402
from tests.data.estate.generate import DIRECTORATES, SITES  # noqa: E402
from tests.servers.ictagent import ICTAGENT, environment  # noqa: E402

TARGET_SECONDS = 60.0
UNDO_TARGET_SECONDS = 20.0
_SHEETS = (("Laptops", "Laptop", "Latitude 5440"), ("Monitors", "Monitor", "P2422H"), ("Phones", "IP phone", "MP56"),
           ("Docks", "Docking station", "WD19S"))  # fmt: skip
_HEADERS = ("Asset No", "Serial Number", "Make", "Model", "Type", "Status", "Building", "Floor/Room", "Directorate",
            "Purchase date", "Assigned to")  # fmt: skip


def write_register(path: Path, devices: int) -> None:
    book = Workbook(write_only=True)
    for place, (sheet, kind, model) in enumerate(_SHEETS):
        page = book.create_sheet(sheet)
        page.append(_HEADERS)
        for number in range(place, devices, len(_SHEETS)):
            page.append(
                (
                    f"OCC{number:06}", f"{sheet[:2].upper()}{number * 7919 % 10**8:08}", "Dell", model, kind,
                    "Spare" if number % 31 == 0 else "In use", SITES[number % len(SITES)], f"Floor {number % 4}",
                    DIRECTORATES[number % len(DIRECTORATES)], f"{1 + number % 28:02}/{1 + number % 12:02}/2024",
                    f"Team {number % 90}",
                )
            )  # fmt: skip
    book.save(path)


def write_seen(database: Database, devices: int) -> None:
    """The first devices of the register as they are known before it: by their serial numbers, with a year in the ledger."""
    amounts = {"measured_uj": 10**9, "estimated_uj": 0, "low_uj": 10**9, "high_uj": 10**9, "covered_seconds": 86_400,
               "spread_seconds": 0, "half_hours": 48, "dirty": False}  # fmt: skip
    today = datetime.datetime.now(datetime.UTC).date()
    days = [(today - datetime.timedelta(number)).isoformat() for number in range(365)]
    with database.write() as connection:
        for number in range(devices):
            sheet = _SHEETS[number % len(_SHEETS)][0]
            device_id, at = f"{number:012}", int(time.time()) - 366 * 86_400
            serial = f"{sheet[:2].upper()}{number * 7919 % 10**8:08}"
            body, sha256 = canonical(Inventory(host_name=f"host-{number}", serial=serial))
            connection.execute(insert(device).values(id=device_id, organisation_id=1, kind="host", created_at=at))
            known = {"version": 1, "body": body, "sha256": sha256, "host_name": f"host-{number}", "platform": ""}
            begin(connection, inventory, {"device_id": device_id}, {**known, "link_uuid": None}, at)
            values = {"device_id": device_id, "name": "psu", "source": "ipmi", "kind": "energy", "covers": "machine"}
            made = insert(meter).values(**values, parent="", created_at=at).returning(meter.c.id)
            meter_id = connection.execute(made).scalar_one()
            connection.execute(
                insert(ledger_day), [{"meter_id": meter_id, "local_day": one, **amounts} for one in days]
            )


def estate(state_directory: Path, *arguments: str) -> tuple[float, str]:
    """Seconds that a command of `ictagent estate` took, and what it showed on its terminal."""
    command = [str(ICTAGENT), "estate", *arguments, "--state-directory", str(state_directory)]
    begun = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, environment())  # noqa: S606  # the terminal's own child; nothing of a shell
    shown = b""
    while True:
        try:
            more = os.read(terminal, 65_536)
        except OSError:  # what a terminal says whose last writer is gone
            break
        if not more:
            break
        shown += more
    _, status = os.waitpid(pid, 0)
    seconds = time.perf_counter() - begun
    text = shown.decode(errors="replace")
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{arguments[0]} failed: {text[-2000:]}")
    return seconds, text


def main() -> None:
    parser = argparse.ArgumentParser(description="Import of a register of many devices.")
    parser.add_argument("--devices", type=int, default=50_000)
    parser.add_argument("--seen", type=int, default=0)
    arguments = parser.parse_args()
    print_machine(f"A register of {arguments.devices:,} devices")
    with tempfile.TemporaryDirectory(prefix="ictagent-register-") as name:
        directory = Path(name)
        database = open_database(directory / "ictagent.db")
        migrate(database)
        write_seen(database, min(arguments.seen, arguments.devices))
        database.close()
        (directory / "collector-id").write_text("benchmark", encoding="utf-8")
        register = directory / "register.xlsx"
        write_register(register, arguments.devices)
        figure("workbook", f"{register.stat().st_size / 2**20:.1f} MB")
        first, shown = estate(directory, "import", str(register))
        verdict("first import", first, TARGET_SECONDS, at_most=True, unit=" s")
        figure("steps of progress shown", f"{shown.count('rows written')}")
        again, shown = estate(directory, "import", str(register))
        if "nothing to write" not in shown:
            sys.exit(f"the second import found something to write: {shown[-2000:]}")
        figure("the same file again", f"{again:.1f} s")
        undone, shown = estate(directory, "undo", "1")
        verdict("taken back", undone, UNDO_TARGET_SECONDS, at_most=True, unit=" s")
        figure("steps of its progress shown", f"{shown.count('rows removed')}")


if __name__ == "__main__":
    main()
