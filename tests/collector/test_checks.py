"""A bad row or reading costs only itself, is counted by its reason, and nothing good beside it is lost."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.names import MEASUREMENTS
from agent.report import Meter, Series, Value
from collector.checks import FACTS_KEPT_NS, LARGEST, LONGEST_TAG, good_readings, good_rows
from collector.wire import Refused, WireReading, WireRow

NS = 10**9
NOW = 1_790_000_000 * NS
TIMES = {NOW: NOW}
CPU = Series("system_cpu", {}, ["busy_ratio", "load_1m"])
COUNTER = Meter("rapl/package-0", "rapl", "counter", "package", "epoch-1")
PLUG = Meter("acpi/power1", "acpi_meter", "power", "machine_ac", "")
PROCESSORS = Meter("cpu", "cpu_time", "utilisation", "processors", "boot-1")


def kept_and_refused(series: list[Series], rows: list[WireRow]) -> tuple[int, dict[str, int]]:
    refused = Refused()
    good = good_rows(series, rows, TIMES, NOW, refused)
    reasons = {reason: count for reason, (count, _) in refused.reasons.items()}
    return sum(len(one.rows) for one in good), reasons


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((1, NOW, [0.5, 1.0]), "row of a series that the report does not have"),
        ((0, NOW + 1, [0.5, 1.0]), "time of no sample in the report"),
        ((0, NOW, [0.5]), "row with another number of values than its series has fields"),
        ((0, NOW, [0.5, 1.0, 2.0]), "row with another number of values than its series has fields"),
        ((0, NOW, ["half", 1.0]), "value of a wrong type: busy_ratio"),
        ((0, NOW, [True, 1.0]), "value of a wrong type: busy_ratio"),
        ((0, NOW, [1.1, 1.0]), "value outside what is possible: busy_ratio"),
        ((0, NOW, [-0.001, 1.0]), "value outside what is possible: busy_ratio"),
        ((0, NOW, [0.5, 1e300]), "value outside what is possible: load_1m"),
        ((0, NOW, [0.5, 2**64]), "value outside what is possible: load_1m"),
        ((0, NOW, [0.5, 10**400]), "value outside what is possible: load_1m"),
        ((0, NOW, [0.5, float("inf")]), "value outside what is possible: load_1m"),
        ((0, NOW, [0.5, float("nan")]), "value outside what is possible: load_1m"),
    ],
)
def test_a_bad_row_is_counted_and_the_rows_beside_it_are_kept(row: WireRow, reason: str) -> None:
    good: WireRow = (0, NOW, [0.5, None])
    assert kept_and_refused([CPU], [good, row, good, row]) == (2, {reason: 2})


@pytest.mark.parametrize(
    ("series", "reason"),
    [
        (Series("system_gpu_of_mars", {}, ["x"]), "measurement not known here: system_gpu_of_mars"),
        (Series("energy_day", {}, ["energy_kwh"]), "measurement not known here: energy_day"),
        (Series("system_cpu", {"user": "anna"}, ["busy_ratio"]), "tag not known here: system_cpu.user"),
        (Series("system_cpu", {"device_id": "other"}, ["busy_ratio"]), "tag not known here: system_cpu.device_id"),
        (Series("system_cpu", {}, ["mood"]), "field not known here: system_cpu.mood"),
        (Series("system_cpu", {}, ["busy_ratio", "busy_ratio"]), "field named twice: system_cpu"),
        (
            Series("system_disk", {"disk": "d" * (LONGEST_TAG + 1)}, ["busy_ratio"]),
            "tag too long or not printable: system_disk",
        ),
        (Series("system_disk", {"disk": "sda\n"}, ["busy_ratio"]), "tag too long or not printable: system_disk"),
    ],
)
def test_rows_of_a_series_that_cannot_be_kept_are_counted(series: Series, reason: str) -> None:
    bad: WireRow = (1, NOW, [0.5 for _ in series.fields])
    rows: list[WireRow] = [(0, NOW, [0.5, 1.0]), bad, bad, bad]
    assert kept_and_refused([CPU, series], rows) == (1, {reason: 3})


def readings_kept(meters: list[Meter], readings: list[WireReading]) -> tuple[int, dict[str, int]]:
    refused = Refused()
    good = good_readings(meters, readings, TIMES, NOW, refused)
    reasons = {reason: count for reason, (count, _) in refused.reasons.items()}
    return sum(len(one.readings) for one in good), reasons


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        ((3, NOW, 0, [1], []), "reading of a meter that the report does not have"),
        ((0, NOW + 1, 0, [1], []), "time of no sample in the report"),
        ((0, NOW, 0, [], []), "reading with a wrong number of values for a counter meter"),
        ((2, NOW, 0, [1], []), "reading with a wrong number of values for a utilisation meter"),
        ((0, NOW, 0, [-1], []), "cumulative value that is no whole number of 64 bits"),
        ((0, NOW, 0, [1.5], []), "cumulative value that is no whole number of 64 bits"),
        ((0, NOW, 0, [2**64], []), "cumulative value that is no whole number of 64 bits"),
        ((0, NOW, 0, [10**400], []), "cumulative value that is no whole number of 64 bits"),
        ((0, NOW, 10 * NS, [1], []), "reading with an interval and no difference, or the reverse"),
        ((0, NOW, 0, [5], [1]), "reading with an interval and no difference, or the reverse"),
        ((0, NOW, 10 * NS, [5], [6]), "difference that is negative or larger than the count"),
        ((0, NOW, 10 * NS, [5], [-1]), "difference that is negative or larger than the count"),
        ((0, NOW, 10 * NS, [10**15], [10**14 + 1]), "value outside what is possible: watts"),
        ((1, NOW, 10 * NS, [-0.5], []), "value outside what is possible: watts"),
        ((1, NOW, 10 * NS, [1e8], []), "value outside what is possible: watts"),
        ((1, NOW, 10 * NS, [float("nan")], []), "value outside what is possible: watts"),
        ((1, NOW, 10 * NS, [10**400], []), "value outside what is possible: watts"),
        ((1, NOW, 0, [50.0], []), "mean power without an interval of at most an hour"),
        ((1, NOW, 3601 * NS, [50.0], []), "mean power without an interval of at most an hour"),
        ((2, NOW, 0, [6, 5], []), "processor time busy beyond the time passed"),
        ((2, NOW, NS, [5, 50], [3, 2]), "processor time busy beyond the time passed"),
        (
            (0, NOW, FACTS_KEPT_NS + 1, [5], [1]),
            "reading that begins over 35 days ago: its half-hour is closed",
        ),
        ((0, NOW, LARGEST, [5], [1]), "reading that begins over 35 days ago: its half-hour is closed"),
    ],
)
def test_a_bad_reading_is_counted_and_the_readings_beside_it_are_kept(reading: WireReading, reason: str) -> None:
    good: list[WireReading] = [
        (0, NOW, 10 * NS, [10**9], [10**9]),
        (1, NOW, 10 * NS, [51.5], []),
        (2, NOW, 10 * NS, [5, 50], [1, 2]),
    ]
    kept, reasons = readings_kept([COUNTER, PLUG, PROCESSORS], [good[0], reading, good[1], reading, good[2]])
    assert (kept, reasons) == (3, {reason: 2})


@pytest.mark.parametrize("text", ["", "n" * (LONGEST_TAG + 1), "package\n0", "package\x00"])
def test_a_meter_without_a_usable_name_is_not_counted(text: str) -> None:
    kept, reasons = readings_kept([COUNTER._replace(name=text), PLUG], [(0, NOW, 0, [1], []), (1, NOW, NS, [1.0], [])])
    assert (kept, reasons) == (1, {"meter without a name, or with a text too long or not printable": 1})


def test_a_meter_named_twice_counts_by_its_first_place() -> None:
    kept, reasons = readings_kept([COUNTER, COUNTER], [(0, NOW, 0, [1], []), (1, NOW, 0, [1], [])])
    assert (kept, reasons) == (1, {"meter named twice in the report": 1})


value = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(),
    st.floats(0, 1),
    st.text(max_size=5),
)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([NOW, NOW + 1, 0]), st.lists(value, max_size=3)), max_size=20)
)
def test_every_row_is_kept_or_counted_and_what_is_kept_is_good(rows: list[tuple[int, int, list[Any]]]) -> None:
    series = [CPU, Series("system_memory", {}, ["used_bytes"]), Series("system_memory", {}, ["mood"])]
    refused = Refused()
    good = good_rows(series, rows, TIMES, NOW, refused)
    assert sum(len(one.rows) for one in good) + refused.count == len(rows)
    for one in good:
        fields = {field.name: field for field in MEASUREMENTS[one.series.measurement].fields}
        for unix_ns, values in one.rows:
            assert unix_ns == NOW
            assert all(
                number is None or _possible(number, fields[name].low, fields[name].high)
                for name, number in zip(one.series.fields, values, strict=True)
            )


def _possible(number: Value, low: float, high: float) -> bool:
    return isinstance(number, float | int) and not isinstance(number, bool) and low <= number <= high


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.just(NOW),
            st.integers(0, 2**63),
            st.lists(st.one_of(st.integers(-5, 2**65), st.floats()), max_size=3),
            st.lists(st.integers(-5, 2**65), max_size=3),
        ),
        max_size=20,
    )
)
def test_every_reading_is_kept_or_counted(readings: list[WireReading]) -> None:
    kept, reasons = readings_kept([COUNTER, PLUG, PROCESSORS], readings)
    assert kept + sum(reasons.values()) == len(readings)
