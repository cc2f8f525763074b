"""The first-week estate's tree and coverage over HTTP, and a year of 500 linked devices through the metering tree.

    python tests/benchmarks/estate_pages.py [--rounds 5] [--devices 500]

The estate of `tests/data/estate` comes in by its doors: reports, polls, the ledger's round, registers' files, links. A
collector serves it; counted is the whole answer of its real server to the first request of a page after its start, and
to the following ones. The year is of servers on outlets of PDUs on UPSs, all of which are read on every day.
"""

import argparse
import datetime
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from sqlalchemy import insert  # noqa: E402  # the script runs from a checkout

from carbon.calendar import day_bounds, days_between  # noqa: E402
from collector.database.engine import Database, open_database  # noqa: E402
from collector.database.migrate import migrate  # noqa: E402
from collector.database.schema import ledger_day, organisation  # noqa: E402
from collector.metering import metering  # noqa: E402
from collector.organisation import add_organisation  # noqa: E402
from collector.power_path import WantedLink, find_place, make_link  # noqa: E402
from collector.rolling import write_round  # noqa: E402
from tests.benchmarks.measure import figure, give_up, median, print_machine, verdict  # noqa: E402
from tests.collector.estate_of_tests import EstateOfTests  # noqa: E402
from tests.collector.web.served import serving  # noqa: E402
from tests.data.estate.files import write_registers  # noqa: E402
from tests.data.estate.generate import generate  # noqa: E402
from tests.data.estate.truth import COUNTY, DISTRICT, HALF_HOURS, START  # noqa: E402
from tests.system.estate_loading import COLLECTOR, load_readings  # noqa: E402
from tests.system.test_estate import ictagent  # noqa: E402

TARGET_PAGE_SECONDS = 1.0
TARGET_YEAR_SECONDS = 3.0
TARGET_YEAR_PROCESSOR_SECONDS = 1.5
PAGES = ("/tree?month=2026-03", "/coverage?month=2026-03")
ZONE = "Europe/London"
FIRST, LAST = datetime.date(2025, 4, 1), datetime.date(2026, 3, 31)
_OUTLETS, _PDUS = 10, 2


def main() -> None:
    parser = argparse.ArgumentParser(description="Pages of the first-week estate, and a year of the metering tree.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--devices", type=int, default=500)
    arguments = parser.parse_args()
    print_machine("Pages of the first-week estate, and a year of the metering tree")
    with tempfile.TemporaryDirectory(prefix="ictagent-pages-") as name:
        directory = Path(name)
        load(directory)
        pages(directory, arguments.rounds)
        year(directory / "year.db", arguments.devices)


def load(directory: Path) -> None:
    """The estate, read, registered and linked."""
    estate = generate(polled=HALF_HOURS[278:294])
    write_registers(directory, estate)
    database = open_database(directory / "ictagent.db")
    migrate(database)
    (directory / "collector-id").write_text(COLLECTOR, encoding="utf-8")
    with database.write() as connection:
        connection.execute(organisation.update().values(name=COUNTY))
        add_organisation(connection, DISTRICT, "test", START)
    senders = load_readings(database, estate.devices)
    for file, owner in (("register.xlsx", COUNTY), ("district.csv", DISTRICT)):
        ictagent(directory, "estate", "import", str(directory / file), "--as-at", "2026-03-26", "--organisation", owner)
    with database.write() as connection:
        for ups in (one for one in estate.devices if one.feeds):
            place = find_place(connection, senders[ups.name].device_id, "")
            for fed in ups.feeds:
                wanted = WantedLink(senders[ups.name].device_id, place, senders[fed].device_id, START)
                make_link(connection, wanted, "test")
    database.close()


def pages(directory: Path, rounds: int) -> None:
    """How long each page takes: the first after the start, and the median of those that follow."""
    with serving(directory) as served:
        begun = time.perf_counter()
        # What is still to be written of the ledger is written first: a council's collector has done so long ago.
        collector = served.collector
        write_round(collector.database, collector.writer, COLLECTOR, int(time.time()))
        figure("the ledger's rounds to their end", f"{time.perf_counter() - begun:.1f} s")
        for page in PAGES:
            times, used = [], []
            for _ in range(rounds + 1):
                begun, before = time.perf_counter(), time.process_time()
                answer = served.client.get(page)
                times.append(time.perf_counter() - begun)
                used.append(time.process_time() - before)
                if answer.status_code != 200:
                    give_up(f"{page} answered {answer.status_code}", "see what the collector says above")
            path = page.partition("?")[0]
            verdict(f"{path}, first request", times[0], TARGET_PAGE_SECONDS, at_most=True, unit=" s")
            verdict(f"{path}, median of the following", median(times[1:]), TARGET_PAGE_SECONDS, at_most=True, unit=" s")
            figure(f"{path}, processor time of these", f"{median(used[1:]):.2f} s")


def year(path: Path, devices: int) -> None:
    """How long the accounting of a year takes, of all of it at once."""
    database = open_database(path)
    migrate(database)
    linked(database, devices)
    now = day_bounds(LAST, ZONE)[1] + 86_400
    times, used = [], []
    for _ in range(3):
        begun, before = time.perf_counter(), time.process_time()
        with database.read() as connection:
            found = metering(connection, FIRST, LAST, now)
        times.append(time.perf_counter() - begun)
        used.append(time.process_time() - before)
    if found.alarms or any(one.withheld.total_uj for one in found.meters.values()):
        give_up("the tree of the year does not account", "see collector/metering.py")
    verdict(f"a year of {devices} linked devices", median(times), TARGET_YEAR_SECONDS, at_most=True, unit=" s")
    verdict("processor time of it", median(used), TARGET_YEAR_PROCESSOR_SECONDS, at_most=True, unit=" s")
    database.close()


def linked(database: Database, devices: int) -> None:
    """Servers of 100 W on outlets, PDUs that use 10 W and UPSs that use 30 W themselves, with every day of the year."""
    since = day_bounds(FIRST, ZONE)[0]
    with database.write() as connection:
        estate = EstateOfTests(connection, since)
        watts: dict[int, int] = {}
        for room in range(devices // (_OUTLETS * _PDUS)):
            where = estate.room("County Hall", f"Room {room}")
            ups = estate.meter(estate.device(f"ups-{room}", "ups", None, where), "ups_output/1")
            watts[ups] = _PDUS * (_OUTLETS * 100 + 10) + 30
            for pdu in range(_PDUS):
                pdu_id = estate.device(f"pdu-{room}-{pdu}", "pdu", None, where)
                estate.edge(ups, pdu_id)
                watts[estate.meter(pdu_id, "inlet/1")] = _OUTLETS * 100 + 10
                for outlet in range(_OUTLETS):
                    server = estate.device(f"server-{room}-{pdu}-{outlet}", room=where)
                    meter_id = estate.meter(pdu_id, f"outlet/{outlet}")
                    estate.edge(meter_id, server)
                    watts[meter_id] = watts[estate.own_meter(server)] = 100
        for day in days_between(FIRST, LAST):
            start, end = day_bounds(day, ZONE)
            rows = []
            for meter_id, power in watts.items():
                used = power * (end - start) * 10**6 + start % 1009
                amounts = {"measured_uj": used, "estimated_uj": 0, "low_uj": used * 95 // 100}
                amounts |= {"high_uj": used * 105 // 100, "covered_seconds": end - start, "spread_seconds": 0}
                kept = {"meter_id": meter_id, "local_day": day.isoformat(), "half_hours": (end - start) // 1800}
                rows.append({**kept, **amounts, "dirty": False})
            connection.execute(insert(ledger_day), rows)


if __name__ == "__main__":
    main()
