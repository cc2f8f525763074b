"""A register of 50,000 devices into an empty database, once more, and taken back: `ictagent estate import` as a person runs it.

    python tests/benchmarks/estate_import.py [--devices 50000]

The workbook has four sheets of a large council's end user devices, dates and all. The command runs on a terminal, so that
its progress is seen; counted is its whole time, its start and the reading of the workbook included.
"""

import argparse
import os
import pty
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from openpyxl import Workbook  # noqa: E402  # the script runs from a checkout

from collector.database.engine import open_database  # noqa: E402
from collector.database.migrate import migrate  # noqa: E402
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
    arguments = parser.parse_args()
    print_machine(f"A register of {arguments.devices:,} devices")
    with tempfile.TemporaryDirectory(prefix="ictagent-register-") as name:
        directory = Path(name)
        database = open_database(directory / "ictagent.db")
        migrate(database)
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
