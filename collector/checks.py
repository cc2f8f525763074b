"""What of a report is kept: each row and reading is checked by itself, and a bad one costs only itself.

A row must name a known series, have one value a field, of the field's type, within its bounds, at the time of one of
the report's samples. A reading must name a meter of the report, fit its kind, and lie within what a meter can show.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from agent.names import MEASUREMENTS, Field
from agent.report import Meter, Series, Value
from carbon.facts import HIGHEST_WATTS
from collector.clocks import plausible
from collector.wire import Refused, WireReading, WireRow

LONGEST_TEXT = 1024
LONGEST_TAG = 256
LONGEST_POWER_INTERVAL_NS = 3600 * 10**9
"""A mean over more than an hour says nothing of half-hours."""
FACTS_KEPT_NS = 35 * 24 * 3600 * 10**9
"""Readings are taken for as long as the ledger keeps the facts they join; an agent's spool holds a month."""
GUEST_METERS = "guest/"
"""How the meters of guests are called, and no others: what they read is never the host's own."""
LARGEST = 2**63 - 1
LARGEST_FLOAT = sys.float_info.max

VALUES = {"counter": 1, "power": 1, "utilisation": 2}
"""How many values a reading of each kind of meter has."""


@dataclass(frozen=True, slots=True)
class SeriesRows:
    """The good rows of one series: times and values, in the order they came."""

    series: Series
    rows: list[tuple[int, list[Value]]]


def good_rows(
    series: Sequence[Series], rows: Sequence[WireRow], times: dict[int, int], received_ns: int, refused: Refused
) -> list[SeriesRows]:
    """Rows that may be kept, by series, at their true times. `times` maps each sample's wall time to its true one."""
    believed = {wall_ns: true_ns for wall_ns, true_ns in times.items() if plausible(true_ns, received_ns)}
    of_series: list[list[WireRow]] = [[] for _ in series]
    for row in rows:
        if row[0] < len(series):
            of_series[row[0]].append(row)
        else:
            refused.add("row of a series that the report does not have", row)
    good: list[SeriesRows] = []
    for one, mine in zip(series, of_series, strict=True):
        fields = _fields_of(one)
        if isinstance(fields, str):
            for _ in mine:
                refused.add(fields, one)
        elif mine and all(row[1] in believed for row in mine) and _all_good(fields, mine):
            good.append(SeriesRows(one, [(believed[wall_ns], values) for _, wall_ns, values in mine]))
        elif kept := [(believed[row[1]], row[2]) for row in mine if _good(fields, row, believed, times, refused)]:
            good.append(SeriesRows(one, kept))
    return good


def _all_good(fields: "_Fields", rows: Sequence[WireRow]) -> bool:
    """Whether all values are numbers and good: column by column, which takes a fifth of the time of one by one."""
    if {len(values) for _, _, values in rows} != {len(fields)}:
        return False
    columns: Iterable[tuple[Any, ...]] = zip(*[values for _, _, values in rows], strict=True)
    for column, (low, high, accepted, _) in zip(columns, fields, strict=True):
        if not (accepted <= _NUMBERS and accepted.issuperset(map(type, column))):
            return False
        if not (low <= min(column) and max(column) <= high):
            return False
    return True


def _good(fields: "_Fields", row: WireRow, believed: dict[int, int], times: dict[int, int], refused: Refused) -> bool:
    """Whether a row can be kept; if not, the reason is counted in `refused`."""
    _, wall_ns, values = row
    if wall_ns not in believed:
        known = wall_ns in times
        refused.add("time before 2015 or over a day ahead" if known else "time of no sample in the report", row)
        return False
    if len(values) != len(fields):
        refused.add("row with another number of values than its series has fields", row)
        return False
    for value, (low, high, accepted, name) in zip(values, fields, strict=True):
        if value is None:
            continue
        if type(value) not in accepted:
            refused.add(f"value of a wrong type: {name}", row)
            return False
        if isinstance(value, str):
            if len(value) > LONGEST_TEXT:
                refused.add(f"text too long: {name}", row)
                return False
        elif not low <= value <= high:
            refused.add(f"value outside what is possible: {name}", row)
            return False
    return True


@dataclass(frozen=True, slots=True)
class MeterReadings:
    """The good readings of one meter: (true unix_ns, interval_ns, values, differences)."""

    meter: Meter
    readings: list[tuple[int, int, list[int | float], list[int]]]


def good_readings(
    meters: Sequence[Meter], readings: Sequence[WireReading], times: dict[int, int], received_ns: int, refused: Refused
) -> list[MeterReadings]:
    """Readings that may be counted, by meter, at their true times."""
    kept: list[list[tuple[int, int, list[int | float], list[int]]]] = [[] for _ in meters]
    wrong = [_wrong_meter(one) for one in meters]
    named: set[tuple[str, str]] = set()
    for position, meter in enumerate(meters):
        # A counter that was reset within the report stands once for each of its epochs.
        if (meter.name, meter.epoch) in named:
            wrong[position] = "meter named twice in the report"
        named.add((meter.name, meter.epoch))
    for reading in readings:
        position, wall_ns, interval_ns, values, differences = reading
        if position >= len(meters):
            refused.add("reading of a meter that the report does not have", reading)
            continue
        true_ns = times.get(wall_ns)
        if true_ns is None:
            refused.add("time of no sample in the report", reading)
        elif not plausible(true_ns, received_ns):
            refused.add("time before 2015 or over a day ahead", reading)
        elif true_ns - interval_ns < received_ns - FACTS_KEPT_NS:
            # One that only begins so long ago is no loss either: the next cumulative value holds its energy.
            refused.add("reading that begins over 35 days ago: its half-hour is closed", reading)
        elif reason := wrong[position] or _wrong(meters[position], interval_ns, values, differences):
            refused.add(reason, reading)
        else:
            kept[position].append((true_ns, interval_ns, values, differences))
    return [MeterReadings(meter, rows) for meter, rows in zip(meters, kept, strict=True) if rows]


def _wrong_meter(meter: Meter) -> str:
    """Why no reading of a meter can be kept, or nothing. Its texts become keys, which databases bound."""
    texts = (meter.name, meter.source, meter.epoch, meter.parent)
    if not meter.name or any(len(one) > LONGEST_TAG or not one.isprintable() for one in texts):
        return "meter without a name, or with a text too long or not printable"
    if meter.name.startswith(GUEST_METERS) != (meter.covers == "guest"):
        return "meter of a guest that is not called guest/..., or another that is"
    if meter.covers == "guest" and meter.kind != "utilisation":
        return "meter of a guest that does not tell processor time"
    return ""


def _wrong(meter: Meter, interval_ns: int, values: list[int | float], differences: list[int]) -> str:
    """Why a reading cannot be of this meter, or nothing."""
    if len(values) != VALUES[meter.kind]:
        return f"reading with a wrong number of values for a {meter.kind} meter"
    if meter.kind == "power":
        if not 0 < interval_ns <= LONGEST_POWER_INTERVAL_NS:
            return "mean power without an interval of at most an hour"
        return "" if 0 <= values[0] <= HIGHEST_WATTS else "value outside what is possible: watts"
    if any(type(value) is not int or not 0 <= value <= LARGEST for value in values):
        return "cumulative value that is no whole number of 64 bits"
    if len(differences) != (len(values) if interval_ns else 0):
        return "reading with an interval and no difference, or the reverse"
    if any(not 0 <= difference <= value for difference, value in zip(differences, values, strict=False)):
        return "difference that is negative or larger than the count"
    if interval_ns and meter.kind == "counter" and differences[0] * 1000 > HIGHEST_WATTS * interval_ns:
        return "value outside what is possible: watts"
    if meter.kind == "utilisation" and (values[0] > values[1] or (differences and differences[0] > differences[1])):
        return "processor time busy beyond the time passed"
    return ""


_Fields = tuple[tuple[float, float, frozenset[type], str], ...]
"""For each field its bounds, types and name."""
_NUMBERS = frozenset({float, int})
_ACCEPTED: dict[str, frozenset[type]] = {
    "float": _NUMBERS,
    "integer": frozenset({int}),
    "boolean": frozenset({bool}),
    "string": frozenset({str}),
}


def _fields_of(series: Series) -> _Fields | str:
    """For each field its bounds, types and name; or why no row of the series can be kept."""
    measurement = MEASUREMENTS.get(series.measurement)
    if measurement is None or not measurement.sent_by_agents:
        return f"measurement not known here: {series.measurement[:60]}"
    if unknown := series.tags.keys() - set(measurement.tags):
        return f"tag not known here: {series.measurement}.{min(unknown)[:60]}"
    if any(len(value) > LONGEST_TAG or not value.isprintable() for value in series.tags.values()):
        return f"tag too long or not printable: {series.measurement}"
    return _checked(series.measurement, tuple(series.fields))


@lru_cache(maxsize=512)
def _checked(measurement: str, names: tuple[str, ...]) -> _Fields | str:
    by_name = {field.name: field for field in MEASUREMENTS[measurement].fields}
    if unknown := [name for name in names if name not in by_name]:
        return f"field not known here: {measurement}.{unknown[0][:60]}"
    if len(set(names)) != len(names):
        return f"field named twice: {measurement}"
    return tuple(_bounds(by_name[name]) for name in names)


def _bounds(field: Field) -> tuple[float, float, frozenset[type], str]:
    if field.type == "integer":
        return (-(2**63), LARGEST, _ACCEPTED["integer"], field.name)
    if field.type == "boolean":
        return (0, 1, _ACCEPTED["boolean"], field.name)
    # A whole number may have more digits than any float, and the field is a float wherever it is stored.
    return (max(field.low, -LARGEST_FLOAT), min(field.high, LARGEST_FLOAT), _ACCEPTED[field.type], field.name)
