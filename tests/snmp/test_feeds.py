"""Energy of outlets from polls to readings: nothing lost, nothing twice, whatever the polls' times and the counter do."""

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.report import Report, SampleTime
from collector.snmp.feeds import Feeds
from collector.snmp.places import Place
from tests.collector.hosts import NS

KWH = 3_600_000_000_000
"""Microjoules."""
START = 1_800_000_000
"""A half-hour begins."""


def outlet(watts: float | None = None, energy_kwh: float | None = None, step: float = 0.001) -> Place:
    return Place("outlet/1", "outlet", "web01", watts, energy_kwh, step if energy_kwh is not None else 0.0)


def told(polls: list[tuple[int, Place]]) -> list[Report]:
    """The reports of polls at seconds since START."""
    feeds = Feeds()
    reports: list[Report] = []
    for second, place in polls:
        report = Report("s", len(reports) + 1, "snmp", "boot")
        at = SampleTime((START + second) * NS, (second + 1) * NS)
        report.samples.append(at)
        feeds.add(report, at, [place])
        reports.append(report)
    return reports


def joules(reports: list[Report]) -> float:
    return sum(one.values[0] * one.interval_ns / NS for report in reports for one in report.readings)


def test_watts_are_told_every_five_minutes_and_hold_all_between() -> None:
    reports = told([(second, outlet(watts=second / 10)) for second in range(0, 1801, 60)])
    assert sum(len(report.readings) for report in reports) == 6
    assert joules(reports) == pytest.approx(1800 * 90)
    assert {one.source for report in reports for one in report.meters} == {"snmp_watts"}


def test_nothing_is_told_of_the_time_in_which_a_device_did_not_answer() -> None:
    seconds = [*range(0, 121, 60), *range(1000, 1621, 60)]
    reports = told([(second, outlet(watts=100)) for second in seconds])
    assert sum(one.interval_ns for report in reports for one in report.readings) == (120 + 540) * NS
    for report in reports:
        times = {one.wall_ns for one in report.samples}
        assert all(one.unix_ns in times for one in report.readings)


@given(
    st.lists(st.tuples(st.integers(1, 200), st.floats(0, 5000)), min_size=2, max_size=80),
)
def test_integrated_watts_are_the_trapezium_of_what_was_polled(polls: list[tuple[int, float]]) -> None:
    at, series = 0, []
    for step, watts in polls:
        at += step
        series.append((at, watts))
    # A mark at last, so that all before it is told.
    series.append((at + 1 + (-at - 1) % 300, 0.0))
    if series[-1][0] - at > 180:
        series.insert(-1, (at + 150, 0.0))
    expected = sum(
        statistics.fmean((before[1], after[1])) * (after[0] - before[0])
        for before, after in itertools.pairwise(series)
        if after[0] - before[0] <= 180
    )
    reports = told([(second, outlet(watts=watts)) for second, watts in series])
    assert joules(reports) == pytest.approx(expected, abs=0.001 * series[-1][0])


@given(st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 500)), min_size=1, max_size=60))
def test_a_counter_s_differences_add_up_to_it_over_any_gaps(polls: list[tuple[int, int]]) -> None:
    second, watt_hours, series = 0, 70_000, [(0, outlet(50, 70.0))]
    for step, grown in polls:
        second, watt_hours = second + step, watt_hours + min(grown, step * 200)
        series.append((second, outlet(50, watt_hours / 1000)))
    series.append((second + 300, outlet(50, watt_hours / 1000)))
    reports = told(series)
    readings = [one for report in reports for one in report.readings]
    assert sum(sum(one.differences) for one in readings) == round(watt_hours / 1000 * 3.6e12) - round(70.0 * 3.6e12)
    assert len({one.epoch for report in reports for one in report.meters}) == 1


@given(st.lists(st.booleans(), min_size=2, max_size=120))
def test_a_place_that_tells_its_counter_now_fine_now_coarse_counts_no_time_twice(fine: list[bool]) -> None:
    polls = [
        (60 * number, outlet(watts=60, energy_kwh=60 * 60 * number / 3.6e6, step=0.001 if one else 0.1))
        for number, one in enumerate(fine)
    ]
    ends: list[tuple[int, int]] = []
    for report in told(polls):
        for one in report.readings:
            assert one.interval_ns == 0 or report.meters[one.meter].kind == "power" or one.differences[0] > 0
            ends.append((one.unix_ns - one.interval_ns, one.unix_ns))
    spans = sorted(span for span in ends if span[0] < span[1])
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


def test_a_counter_that_is_set_back_begins_anew_and_counts_nothing_for_it() -> None:
    series = [(0, 70.0), (300, 70.1), (600, 0.0), (900, 0.2)]
    reports = told([(second, outlet(50, value)) for second, value in series])
    epochs = [one.epoch for report in reports for one in report.meters]
    assert epochs[0] == epochs[1] != epochs[2] == epochs[3]
    differences = [sum(one.differences) for report in reports for one in report.readings]
    assert differences == [0, pytest.approx(0.1 * KWH, abs=1), 0, round(0.2 * KWH)]


def test_a_counter_that_leaps_beyond_what_is_possible_begins_anew() -> None:
    reports = told([(0, outlet(50, 70.0)), (300, outlet(50, 70_000.0)), (600, outlet(50, 70_000.1))])
    assert [len(one.differences) for report in reports for one in report.readings] == [0, 0, 1]


def test_poe_ports_are_told_once_they_are_linked() -> None:
    port = Place("poe_port/1.5", "poe_port", "Port 5", 7.0)
    assert not any(one.readings for one in told([(0, port), (60, port), (300, port)]))
    feeds, report = Feeds(linked=frozenset({"poe_port/1.5"})), Report("s", 1, "snmp", "boot")
    for second in (0, 60, 150, 300):
        feeds.add(report, SampleTime((START + second) * NS, (second + 1) * NS), [port])
    assert [(one.values, one.interval_ns) for one in report.readings] == [([7.0], 300 * NS)]
    assert report.meters[0].source == "snmp_poe"
