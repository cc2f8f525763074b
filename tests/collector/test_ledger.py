"""The ledger: what was measured is in it to the microjoule, in any order; late data rewrite it, seals keep it."""

import json
import random
import time

import pytest
from sqlalchemy import func, insert, select

from carbon.footprint import Energy
from collector.database.engine import Database
from collector.database.schema import energy_fact, ledger, ledger_day, sealed_period
from collector.device_energy import rules_of
from collector.ledger import AMOUNTS, current, forget_old_facts, provisional, roll
from collector.lines import parse_fields, parse_key, split_line
from collector.running_totals import running_totals
from collector.segments import load_segments
from collector.series import series_lines
from collector.totals import month_totals, sum_totals
from tests.collector.hosts import Host, deliver, ledger_sums, new_host, recent_half_hour

AMOUNT_FIELDS = ("energy_kwh", "low_kwh", "high_kwh", "s2_location_kg", "s3_td_kg", "s3_wtt_gen_kg", "s3_wtt_td_kg")


def roll_now(database: Database, host: Host, now: int | None = None) -> frozenset[int]:
    with database.write() as connection:
        return roll(connection, host.enrolled.device_id, now or int(time.time())).half_hours


def rows(database: Database) -> list[dict[str, object]]:
    """The ledger without the time of writing."""
    with database.read() as connection:
        query = select(ledger).order_by(ledger.c.meter_id, ledger.c.half_hour, ledger.c.revision)
        found = [dict(row) for row in connection.execute(query).mappings()]
    for row in found:
        del row["written_at"]
    return found


def test_the_ledger_holds_the_counters_difference_exactly(database: Database) -> None:
    host = new_host(database, recent_half_hour(6) + 123, watts=97)
    deliver(database, host, *host.reports(3600, every=300))
    roll_now(database, host)
    assert ledger_sums(database)[host.enrolled.device_id] == 3600 * 97 * 10**6


def test_order_and_repetition_of_reports_give_the_same_ledger(database: Database) -> None:
    results = []
    start = recent_half_hour(6) + 1234
    for shuffled in (False, True):
        host = new_host(database, start)
        first, *others = host.reports(3000, every=300)
        if shuffled:
            others = random.Random(7).sample(others, len(others))
            for one in (first, *others):
                deliver(database, host, one, one)
                roll_now(database, host)
        else:
            deliver(database, host, first, *others)
            roll_now(database, host)
        with database.read() as connection:
            segments = load_segments(connection, start - 1800, start + 3600, [host.enrolled.device_id])
            ids = {one for segment in segments for one in segment.meter_ids}
        keep = [row for row in rows(database) if row["meter_id"] in ids]
        results.append([{name: row[name] for name in (*AMOUNTS, "half_hour", "evidence")} for row in keep])
    key = json.dumps
    assert sorted(map(key, results[0])) == sorted(map(key, results[1]))


def test_a_late_report_rewrites_its_half_hour_and_day_at_once(database: Database) -> None:
    host = new_host(database, recent_half_hour(4))
    reports = host.reports(1800, every=300)
    deliver(database, host, *reports[:2], *reports[3:])
    roll_now(database, host)
    before = [row for row in rows(database) if row["method"] == "measured"]
    deliver(database, host, reports[2])
    assert roll_now(database, host)
    after = [row for row in rows(database) if row["method"] == "measured"]
    assert before[0]["measured_uj"] == after[0]["measured_uj"]
    assert before[0]["spread_seconds"] == 310 - 10
    assert (after[0]["covered_seconds"], after[0]["spread_seconds"]) == (1800, 0)
    with database.read() as connection:
        for name in AMOUNTS:
            halves = connection.execute(select(func.sum(ledger.c[name])).where(current())).scalar_one()
            days = connection.execute(select(func.sum(ledger_day.c[name]))).scalar_one()
            assert halves == days, name


def test_a_second_roll_writes_nothing(database: Database) -> None:
    host = new_host(database, recent_half_hour(4))
    deliver(database, host, *host.reports(1800, every=300))
    assert roll_now(database, host)
    assert not roll_now(database, host)
    with database.read() as connection:
        parts = connection.execute(select(energy_fact.c.part).where(energy_fact.c.half_hour == host.start)).scalars()
        assert set(parts) == {""}


def test_an_open_half_hour_is_not_written_and_counts_in_running_totals(database: Database) -> None:
    host = new_host(database, recent_half_hour(0))
    now = host.start + 700
    deliver(database, host, *host.reports(600))
    assert not roll_now(database, host, now)
    with database.read() as connection:
        assert provisional(connection, host.enrolled.device_id)
        totals = running_totals(connection, now)
    assert totals.year.energy.measured_uj == 600 * 100 * 10**6
    assert totals.year.energy.estimated_uj > 0


def test_a_gap_between_two_half_hours_is_spread_over_those_between(database: Database) -> None:
    host = new_host(database, recent_half_hour(8))
    first = host.report(0, 600)
    last = host.report(9000, 9060)
    deliver(database, host, first, last)
    roll_now(database, host)
    measured = [row for row in rows(database) if row["method"] == "measured"]
    assert sum(int(str(row["measured_uj"])) for row in measured) == 9060 * 100 * 10**6
    assert [row["half_hour"] for row in measured] == [host.start + 1800 * index for index in range(6)]
    assert [row["spread_seconds"] for row in measured[1:5]] == [1800, 1800, 1800, 1790]
    assert measured[4]["covered_seconds"] == 10, "the second report's first reading reaches ten seconds back"


def test_a_sealed_half_hour_keeps_its_row_and_gets_a_revision(database: Database) -> None:
    host = new_host(database, recent_half_hour(6))
    reports = host.reports(3600, every=600)
    deliver(database, host, *reports[:3])
    roll_now(database, host)
    sealed = rows(database)
    with database.write() as connection:
        connection.execute(
            insert(sealed_period).values(
                period_from=host.start, period_to=host.start + 86_400, sealed_at=1, actor="officer"
            )
        )
    deliver(database, host, *reports[3:])
    roll_now(database, host)
    now = rows(database)
    assert all(row in now for row in sealed)
    assert {row["revision"] for row in now} == {1, 2}
    assert ledger_sums(database)[host.enrolled.device_id] == 3600 * 100 * 10**6


def test_estimates_rest_on_bins_and_the_inventory_of_their_time(database: Database) -> None:
    host = new_host(database, recent_half_hour(4))
    deliver(database, host, *host.reports(1800, every=300))
    roll_now(database, host)
    estimated = [row for row in rows(database) if row["method"] == "estimated" and row["half_hour"] == host.start]
    assert len(estimated) == 2, "the whole machine, and the rest beside the package counter"
    for row in estimated:
        bins = json.loads(str(row["evidence"]))
        assert bins["covered_ms"][5] == 1_800_000
        assert row["inventory_version"] == 1
        assert row["low_uj"] < row["estimated_uj"] < row["high_uj"]  # type: ignore[operator]  # integers


def test_months_devices_and_half_hours_add_up_to_the_same_total(database: Database) -> None:
    hosts = [new_host(database, recent_half_hour(70) + 600 * index, watts=50 + index) for index in range(3)]
    for host in hosts:
        deliver(database, host, *host.reports(36_000, every=600))
        roll_now(database, host)
    with database.read() as connection:
        rules = rules_of(connection)
        first, last = rules.day(hosts[0].start - 86_400), rules.day(int(time.time()) // 1800 * 1800)
        totals = month_totals(connection, rules, first, last)
        running = running_totals(connection, int(time.time()))
        segments = load_segments(connection, hosts[0].start - 86_400, recent_half_hour(0))
        chosen = {one for segment in segments for one in segment.meter_ids}
        names = ("measured_uj", "estimated_uj", "low_uj", "high_uj")
        query = select(*(func.sum(ledger.c[name]) for name in names)).where(current(), ledger.c.meter_id.in_(chosen))
        measured, estimated, low, high = map(int, connection.execute(query).one())
    whole = sum_totals(totals.values())
    assert whole.energy == Energy(measured, estimated, low, high)
    assert running.year.energy == whole.energy
    assert sum(total.footprint.total_kg for total in totals.values()) == pytest.approx(whole.footprint.total_kg)


def test_series_of_half_hours_sum_to_the_day(database: Database) -> None:
    host = new_host(database, recent_half_hour(20))
    deliver(database, host, *host.reports(14_400, every=600))
    changed = roll_now(database, host)
    with database.read() as connection:
        lines = series_lines(connection, host.enrolled.device_id, changed)
    values: dict[str, float] = {}
    for line in lines:
        key, fields, _ = split_line(line)
        values.setdefault(name := parse_key(key)[0], 0.0)
        values[name] += sum(
            float(value or 0) for field, value in parse_fields(fields).items() if field in AMOUNT_FIELDS
        )
    assert values["energy_half_hour"] == pytest.approx(values["energy_day"], rel=1e-12)
    assert values["carbon_half_hour"] == pytest.approx(values["carbon_day"], rel=1e-12)


def test_old_facts_are_forgotten_and_their_rows_stay(database: Database) -> None:
    host = new_host(database, recent_half_hour(4))
    deliver(database, host, *host.reports(1800, every=600))
    roll_now(database, host)
    before = rows(database)
    with database.write() as connection:
        assert forget_old_facts(connection, int(time.time()) + 37 * 86_400) > 0
    assert rows(database) == before
