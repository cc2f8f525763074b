"""How long the taking of a supplier's file, and its undoing, keep all other writers of a SQLite database waiting.

    python tests/benchmarks/supplier_file.py [--meters 1] [--days 365]

Counted is each writing transaction, from its turn to its commit on disk.
"""

import argparse
import datetime
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from sqlalchemy import Connection  # noqa: E402  # the script runs from a checkout

from collector.database.engine import Database, open_database  # noqa: E402
from collector.database.migrate import migrate  # noqa: E402
from collector.half_hourly.reading import read_half_hours  # noqa: E402
from collector.meter_files import apply, plan, undo  # noqa: E402
from collector.supply_meters import NewMeter  # noqa: E402
from collector.taking import Who  # noqa: E402
from tests.benchmarks.measure import figure, print_machine, verdict  # noqa: E402

SHORT_SECONDS, LONGEST_SECONDS = 0.1, 1.0
_PRIMES = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)


class Timed(Database):
    """A database that notes how long each writing transaction took."""

    def __init__(self, of: Database) -> None:
        super().__init__(of.engine, of.path)
        self.seconds: list[float] = []

    @contextmanager
    def write(self) -> Iterator[Connection]:
        begun = 0.0
        with super().write() as connection:
            begun = time.perf_counter()
            yield connection
        self.seconds.append(time.perf_counter() - begun)


def mpan(number: int) -> str:
    digits = f"20{number:010}"
    return digits + str(sum(int(one) * prime for one, prime in zip(digits, _PRIMES, strict=True)) % 11 % 10)


def write_file(path: Path, meters: int, days: int) -> None:
    first = datetime.date(2025, 1, 1)
    values = ",".join(f"{number / 10}" for number in range(48))
    with path.open("w", encoding="utf-8") as file:
        file.write(f"MPAN,Date (GMT),{','.join(f'{n // 2:02}:{n % 2 * 30:02}' for n in range(48))}\n")
        for number in range(meters):
            file.writelines(
                f"{mpan(number)},{first + datetime.timedelta(day):%d/%m/%Y},{values}\n" for day in range(days)
            )


def show(name: str, database: Timed, begun: float) -> None:
    figure(f"{name}: whole time, transactions", f"{time.perf_counter() - begun:.1f} s, {len(database.seconds)}")
    ordered = sorted(database.seconds)
    verdict("  the longest but one of them", ordered[-2], SHORT_SECONDS, at_most=True, unit=" s")
    verdict("  the longest of them", ordered[-1], LONGEST_SECONDS, at_most=True, unit=" s")
    database.seconds.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description="A supplier's file, and the waiting of others.")
    parser.add_argument("--meters", type=int, default=1)
    parser.add_argument("--days", type=int, default=365)
    arguments = parser.parse_args()
    print_machine(f"A supplier's file: {arguments.meters} meters, {arguments.days} days")
    with tempfile.TemporaryDirectory(prefix="ictagent-supplier-") as name:
        database = Timed(open_database(Path(name) / "ictagent.db"))
        migrate(database)
        database.seconds.clear()
        write_file(Path(name) / "supplier.csv", arguments.meters, arguments.days)
        who = Who("benchmark", int(time.time()))
        with database.read() as connection:
            planned = plan(connection, read_half_hours(Path(name) / "supplier.csv"), 1)
        begun = time.perf_counter()
        taken = apply(database, planned, NewMeter("Town Hall"), who)
        show("taken over", database, begun)
        begun = time.perf_counter()
        undo(database, taken, who)
        show("taken back", database, begun)
        database.close()


if __name__ == "__main__":
    main()
