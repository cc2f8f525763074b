"""Twelve month totals beside DuckDB: 500 meters, one year of half-hours, and a half-hour that comes late.

    python tests/benchmarks/month_totals.py [--meters 500] [--rounds 9]

The ledger holds the last twelve whole local months. Ours are the totals that pages and reports use, from the
ledger's days, with their footprint; DuckDB adds the raw half-hours up, in a database file of its own with all
processors, and is given the local month of each half-hour as a column. The answers must be the same to the microjoule.
Two questions: the twelve totals of the estate, and the twelve totals of each device. Then a report of a half-hour that
was missing is recorded and the ledger rolled as in a running collector: the month's total must have grown by just
that, at once.
"""

import argparse
import datetime
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from sqlalchemy import insert  # noqa: E402  # the script runs from a checkout

from agent.report import Choice, Meter, Reading, Report, SampleTime  # noqa: E402
from carbon.calendar import HALF_HOUR_SECONDS, day_bounds, days_between  # noqa: E402
from collector.database.engine import Database, open_database  # noqa: E402
from collector.database.migrate import migrate  # noqa: E402
from collector.database.schema import device_accounting, meter, organisation  # noqa: E402
from collector.device_energy import rules_of  # noqa: E402
from collector.ledger import AMOUNTS, roll  # noqa: E402
from collector.totals import Total, month_totals, sum_totals  # noqa: E402
from tests.benchmarks.measure import figure, give_up, median, print_machine, verdict  # noqa: E402
from tests.collector.hosts import Host, deliver, new_host  # noqa: E402

TARGET_RATIO = 4.0
ZONE = "Europe/London"
NS = 10**9
LATE_WATTS = 250
PSYS = Meter("rapl/psys", "rapl", "counter", "psys", "epoch-1")
HALF_HOURS = """
INSERT INTO ledger (meter_id, half_hour, revision, measured_uj, estimated_uj, low_uj, high_uj, covered_seconds,
                    spread_seconds, method, model_version, evidence, written_at)
SELECT :meter_id, at, 1, energy_uj, 0, energy_uj * 97 / 100, energy_uj * 103 / 100, 1800 - missing, missing,
       'measured', '', '{"counters":[[[3,1],[1799000,2]]]}', at
FROM (SELECT at, (60 + (:number * 37 + at / 1800 * 17) % 500) * 1800000000 + :number * 1009 + at % 99991 AS energy_uj,
             (at / 1800 + :number) % 40 AS missing FROM times WHERE at != :late)
"""
"""A meter's year: 60 to 560 W, every half-hour another, up to forty seconds of it not covered."""
Sums = dict[Any, tuple[int, int]]
"""Energy and covered seconds by key."""


def year_before(today: datetime.date) -> tuple[datetime.date, datetime.date]:
    """First and last day of the twelve whole months before this one."""
    last = today.replace(day=1) - datetime.timedelta(days=1)
    return (last + datetime.timedelta(days=1)).replace(year=last.year - (last.month < 12)), last


def main() -> None:
    parser = argparse.ArgumentParser(description="Month totals beside DuckDB.")
    parser.add_argument("--meters", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    try:
        import duckdb  # noqa: F401, PLC0415  # the peer: without it there is nothing to compare
    except ModuleNotFoundError:
        give_up(
            "DuckDB is missing", "pip install -c constraints.txt duckdb, or make a development environment: make lint"
        )
    print_machine("Month totals: the ledger beside DuckDB over raw half-hours")
    today = datetime.datetime.now(datetime.UTC).date()
    first, last = year_before(today)
    with tempfile.TemporaryDirectory(prefix="ictagent-months-") as name:
        database = open_database(Path(name) / "ictagent.db")
        migrate(database)
        devices = make_devices(database, arguments.meters, day_bounds(first, ZONE)[0])
        late = day_bounds(last, ZONE)[0] + 24 * HALF_HOUR_SECONDS
        rows = fill(database, devices, first, last, late)
        print(
            f"  {arguments.meters} meters, {rows:,} half-hours, {first} to {last}; medians of {arguments.rounds} runs"
        )
        compare(database, Path(name), first, last, arguments.rounds)
        late_half_hour(database, devices, first, last, late)
        database.close()


def make_devices(database: Database, count: int, since: int) -> list[tuple[Host, int]]:
    """Enrolled hosts, each with one meter that stands for it since a time: the host, and its meter's row number."""
    found = []
    for _ in range(count):
        host = new_host(database, since)
        with database.write() as connection:
            one = host.enrolled.device_id
            values: dict[str, Any] = {"device_id": one, "name": PSYS.name, "source": PSYS.source, "kind": PSYS.kind}
            values |= {"covers": PSYS.covers, "parent": "", "created_at": since}
            key = connection.execute(insert(meter).values(values)).inserted_primary_key
            assert key is not None
            chosen = {"device_id": one, "basis": "psys", "meters": f'["{PSYS.name}"]', "why_not": "{}"}
            connection.execute(insert(device_accounting).values(**chosen, valid_from=since, valid_to=None))
            assert connection.execute(organisation.select()).mappings().one()["time_zone"] == ZONE
        found.append((host, int(key[0])))
    return found


def fill(
    database: Database, devices: Sequence[tuple[Host, int]], first: datetime.date, last: datetime.date, late: int
) -> int:
    """Write the year into the ledger and its days, but for one half-hour of the first device; the number of rows.

    Past the product's writing, which takes hours for so many, into its tables: days are the sums of their half-hours,
    as `collector.ledger` keeps them, and the comparison with DuckDB would show any that are not.
    """
    days = days_between(first, last)
    times = range(day_bounds(first, ZONE)[0], day_bounds(last, ZONE)[1], HALF_HOUR_SECONDS)
    with closing(sqlite3.connect(database.path or "")) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("CREATE TEMP TABLE times (at INTEGER)")
        connection.executemany("INSERT INTO times VALUES (?)", [(at,) for at in times])
        for number, (_, meter_id) in enumerate(devices):
            connection.execute(HALF_HOURS, {"number": number, "meter_id": meter_id, "late": -1 if number else late})
        connection.execute("CREATE TEMP TABLE days (local_day TEXT, begins INTEGER, ends INTEGER)")
        connection.executemany(
            "INSERT INTO days VALUES (?, ?, ?)", [(day.isoformat(), *day_bounds(day, ZONE)) for day in days]
        )
        sums = ", ".join(f"sum({name})" for name in AMOUNTS)
        connection.execute(
            f"INSERT INTO ledger_day (meter_id, local_day, {', '.join(AMOUNTS)}, half_hours, dirty) "  # noqa: S608  # ours
            f"SELECT meter.id, local_day, {sums}, count(*), 0 FROM meter CROSS JOIN days "
            "JOIN ledger ON ledger.meter_id = meter.id AND half_hour >= begins AND half_hour < ends "
            "GROUP BY meter.id, local_day"
        )
        connection.commit()
        count: int = connection.execute("SELECT count(*) FROM ledger").fetchone()[0]
    return count


def compare(database: Database, directory: Path, first: datetime.date, last: datetime.date, rounds: int) -> None:
    """Time both, for both questions, and hold the answers equal."""
    import duckdb  # noqa: PLC0415  # see main

    peer = duckdb.connect(str(directory / "raw.duckdb"))
    with closing(sqlite3.connect(database.path or "")) as connection:
        load_duckdb(peer, connection, first, last)

    def ours() -> dict[tuple[str, str], Total]:
        with database.read() as connection:
            return month_totals(connection, rules_of(connection), first, last)

    def ours_estate() -> dict[str, Total]:
        by_month: dict[str, list[Total]] = {}
        for (month, _), total in ours().items():
            by_month.setdefault(month, []).append(total)
        return {month: sum_totals(totals) for month, totals in by_month.items()}

    def theirs(key: str) -> Callable[[], list[tuple[Any, ...]]]:
        query = (
            f"SELECT {key}, sum(measured_uj + estimated_uj), sum(low_uj), sum(high_uj), "  # noqa: S608  # our own names
            f"sum(covered_seconds) FROM half_hours GROUP BY {key} ORDER BY {key}"
        )
        return lambda: peer.execute(query).fetchall()

    figure("the same answers, to the microjoule", "ledger (ms)", "DuckDB (ms)")
    for what, ask, query, width in (
        ("twelve totals of the estate", ours_estate, theirs("month"), 1),
        ("twelve totals of each device", ours, theirs("month, device_id"), 2),
    ):
        answer, raw = ask(), query()
        mine: Sums = {key: (total.energy.total_uj, total.covered_seconds) for key, total in answer.items()}
        assert mine == {(row[0] if width == 1 else row[:2]): (int(row[width]), int(row[-1])) for row in raw}
        pairs = [(seconds(ask), seconds(query)) for _ in range(rounds)]
        mine_ms, raw_ms = (median([pair[side] for pair in pairs]) * 1000 for side in (0, 1))
        figure(what, f"{mine_ms:,.1f}", f"{raw_ms:,.1f}")
        if width == 1:
            ratio = mine_ms / raw_ms
        else:
            figure("  ledger / DuckDB (no target)", f"{mine_ms / raw_ms:.2f}")
    verdict("twelve totals, ledger / DuckDB", ratio, TARGET_RATIO, at_most=True)
    peer.close()


def load_duckdb(peer: Any, connection: sqlite3.Connection, first: datetime.date, last: datetime.date) -> None:
    """The raw half-hours as a table of DuckDB, in order of meter and time, with their local months."""
    import numpy  # noqa: PLC0415  # only needed beside DuckDB

    names = {row[0]: row[1] for row in connection.execute("SELECT id, device_id FROM meter")}
    columns = ("meter_id", "half_hour", *AMOUNTS[:5])
    rows = connection.execute(f"SELECT {', '.join(columns)} FROM ledger ORDER BY meter_id, half_hour")  # noqa: S608  # our own
    peer.execute("CREATE TABLE meters (meter_id BIGINT, device_id VARCHAR)")
    peer.executemany("INSERT INTO meters VALUES (?, ?)", list(names.items()))
    peer.execute("CREATE TABLE months (month VARCHAR, begins BIGINT, ends BIGINT)")
    by_month: dict[str, list[datetime.date]] = {}
    for day in days_between(first, last):
        by_month.setdefault(day.isoformat()[:7], []).append(day)
    for month, days in by_month.items():
        bounds = [month, day_bounds(days[0], ZONE)[0], day_bounds(days[-1], ZONE)[1]]
        peer.execute("INSERT INTO months VALUES (?, ?, ?)", bounds)
    peer.execute(
        "CREATE TABLE half_hours (device_id VARCHAR, month VARCHAR, half_hour BIGINT, measured_uj BIGINT, "
        "estimated_uj BIGINT, low_uj BIGINT, high_uj BIGINT, covered_seconds INTEGER)"
    )
    while chunk := rows.fetchmany(500_000):
        table = numpy.array(chunk, dtype=numpy.int64)
        raw = {name: table[:, index].copy() for index, name in enumerate(columns)}  # noqa: F841  # DuckDB reads it by name
        peer.execute(
            "INSERT INTO half_hours SELECT device_id, month, half_hour, measured_uj, estimated_uj, low_uj, high_uj, "
            "covered_seconds FROM raw JOIN meters USING (meter_id) "
            "JOIN months ON half_hour >= begins AND half_hour < ends ORDER BY meter_id, half_hour"
        )


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def late_half_hour(
    database: Database, devices: Sequence[tuple[Host, int]], first: datetime.date, last: datetime.date, late: int
) -> None:
    """Record a report of the half-hour that is missing, roll, and hold the month's total to have grown by just that."""
    host, _ = devices[0]
    name = host.enrolled.device_id
    month = last.isoformat()[:7]
    before = total_of(database, first, last, month, name)
    report = Report("stream-late", 1, "0.1.0", "boot-1", choice=Choice("psys", [PSYS.name]))
    report.meters = [PSYS]
    for second in range(0, HALF_HOUR_SECONDS, 10):
        report.samples.append(SampleTime((late + second) * NS, (second + 1) * NS))
        energy_uj, interval_ns = second * LATE_WATTS * 1_000_000, 10 * NS if second else 0
        difference = [10 * LATE_WATTS * 1_000_000] if second else []
        report.readings.append(Reading(0, (late + second) * NS, interval_ns, [energy_uj], difference))
    begun = time.perf_counter()
    [recorded] = deliver(database, host, report)
    assert not isinstance(recorded, Exception), recorded
    assert not recorded.duplicate
    with database.write() as connection:
        written = roll(connection, name, int(time.time()))
    after = total_of(database, first, last, month, name)
    passed = time.perf_counter() - begun
    assert late in written.half_hours
    grown_uj = after.energy.total_uj - before.energy.total_uj
    assert grown_uj == (HALF_HOUR_SECONDS - 10) * LATE_WATTS * 1_000_000, grown_uj
    assert after.covered_seconds - before.covered_seconds == HALF_HOUR_SECONDS - 10
    print(
        f"  a late half-hour: right at once, to the microjoule ({passed * 1000:.0f} ms from its report to all totals)"
    )


def total_of(database: Database, first: datetime.date, last: datetime.date, month: str, device_id: str) -> Total:
    with database.read() as connection:
        return month_totals(connection, rules_of(connection), first, last)[month, device_id]


if __name__ == "__main__":
    main()
