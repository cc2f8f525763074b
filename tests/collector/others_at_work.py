"""What other processes do to a collector's database while it records: a long import, and edits from the command line.

Run as `python -m tests.collector.others_at_work import|edit DATABASE SECONDS DEVICE`; prints a JSON list of how long
each transaction took, waiting for its turn included.
"""

import json
import sys
import time
from collections.abc import Callable

from sqlalchemy import Connection, insert

from collector.database.engine import open_database
from collector.database.schema import ledger, meter
from collector.estate import Placement, place

CHUNK = 500


def importing(device_id: str) -> Callable[[Connection, int], None]:
    """Writes a chunk of an import: some days of half-hours of an invented meter."""

    def step(connection: Connection, number: int) -> None:
        values = {"device_id": device_id, "name": f"bill-{number}", "source": "bill", "kind": "power"}
        inserted = connection.execute(
            insert(meter).values(**values, covers="machine_ac", parent="", created_at=1).returning(meter.c.id)
        )
        meter_id = inserted.scalar_one()
        amounts = dict.fromkeys(("measured_uj", "estimated_uj", "low_uj", "high_uj", "covered_seconds"), 7)
        rest = {"spread_seconds": 0, "method": "measured", "model_version": "", "evidence": "", "written_at": 1}
        rows = [
            {"meter_id": meter_id, "half_hour": 1_700_000_000 + 1800 * index, "revision": 1, **amounts, **rest}
            for index in range(CHUNK)
        ]
        connection.execute(insert(ledger), rows)

    return step


def editing(device_id: str) -> Callable[[Connection, int], None]:
    """Puts the device somewhere else, as `ictagent estate set` does."""

    def step(connection: Connection, number: int) -> None:
        place(
            connection, device_id, Placement(site=f"site {number % 3}", owner=f"owner {number}"), "cli", 1_000 + number
        )

    return step


def main() -> None:
    what, where, seconds, device_id = sys.argv[1:]
    step = importing(device_id) if what == "import" else editing(device_id)
    database = open_database(where)
    took: list[float] = []
    deadline = time.monotonic() + float(seconds)
    print("ready", flush=True)
    while (started := time.monotonic()) < deadline:
        with database.write() as connection:
            step(connection, len(took))
        took.append(time.monotonic() - started)
        time.sleep(0.0 if what == "import" else 0.05)
    database.close()
    json.dump(took, sys.stdout)


if __name__ == "__main__":
    main()
