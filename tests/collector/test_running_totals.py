"""Coverage in totals: silence counts against it, time before a device was heard of and time to come do not."""

import pytest

from carbon.calendar import day_bounds, half_hour_of
from collector.database.engine import Database
from collector.device_energy import rules_of
from collector.rolling import Due, write_ledger
from collector.running_totals import RunningTotals, running_totals
from tests.collector.hosts import Host, deliver, new_host, recent_half_hour


def totals_at(database: Database, now: int) -> RunningTotals:
    with database.read() as connection:
        return running_totals(connection, now)


def roll(database: Database, host: Host, now: int) -> None:
    with database.write() as connection:
        write_ledger(connection, [Due(host.enrolled.device_id, now, "collector-1")])


def same_day_start(database: Database) -> int:
    """A half-hour some hours ago from which six follow in the same local day."""
    with database.read() as connection:
        rules = rules_of(connection)
    start = recent_half_hour(8)
    begins, ends = day_bounds(rules.day(start), rules.time_zone)
    return max(begins, min(start, ends - 6 * 1800))


@pytest.mark.parametrize("written", [False, True])
def test_silence_counts_against_coverage_and_the_future_does_not(database: Database, written: bool) -> None:
    host = new_host(database, same_day_start(database) + 600)
    deliver(database, host, *host.reports(1800, every=600))
    at = host.start + 1800
    if written:
        roll(database, host, host.start + 9000)
    assert totals_at(database, at).year.coverage == pytest.approx(1.0), "covered since it was first heard of"
    later = totals_at(database, at + 5400)
    for total in (later.today[host.enrolled.device_id], later.year):
        assert total.coverage == pytest.approx(1800 / 7200)
        assert total.energy.measured_uj == 1800 * 100 * 10**6


def test_coverage_is_the_same_before_and_after_half_hours_are_written(database: Database) -> None:
    host = new_host(database, same_day_start(database))
    deliver(database, host, *host.reports(5400, every=600))
    now = half_hour_of(host.start) + 5400
    before = totals_at(database, now)
    roll(database, host, host.start + 9000)
    after = totals_at(database, now)
    for name in ("energy", "covered_seconds", "possible_seconds"):
        assert getattr(before.year, name) == getattr(after.year, name), name
        assert getattr(before.year, name) == getattr(before.today[host.enrolled.device_id], name), name


def test_a_device_that_went_silent_before_today_has_no_coverage_today(database: Database) -> None:
    host = new_host(database, recent_half_hour(60))
    deliver(database, host, *host.reports(1800, every=600))
    roll(database, host, host.start + 9000)
    with database.read() as connection:
        rules = rules_of(connection)
    tomorrow = day_bounds(rules.day(host.start), rules.time_zone)[1]
    today = totals_at(database, tomorrow + 3600).today[host.enrolled.device_id]
    assert (today.possible_seconds, today.coverage, today.energy.total_uj) == (3600, 0.0, 0)
