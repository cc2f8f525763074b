"""Totals of energy and carbon over months and days: whole local days from `ledger_day`, the rest from half-hours.

The daily sums are kept by the transaction that writes the half-hours, so a total is right at once after a late one.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from carbon.calendar import day_bounds, days_between, half_hour_of
from carbon.footprint import Energy, Footprint, footprint
from carbon.footprint import add as add_footprints
from collector.database.schema import ledger_day
from collector.device_energy import Rules, footprint_of, half_hours, ledger_rows
from collector.segments import Segment, load_segments

_SUMS = ("measured_uj", "estimated_uj", "low_uj", "high_uj", "covered_seconds")


@dataclass(slots=True)
class Total:
    """An amount with its footprint, and how much of its devices' time had a reading.

    `possible_seconds` is the time in which the devices were in use, from when each was first heard of.
    """

    energy: Energy
    footprint: Footprint
    covered_seconds: int = 0
    possible_seconds: int = 0

    @property
    def coverage(self) -> float:
        return min(1.0, self.covered_seconds / self.possible_seconds) if self.possible_seconds else 0.0

    def add(self, energy: Energy, carbon: Footprint, covered_seconds: int) -> None:
        self.energy += energy
        self.footprint += carbon
        self.covered_seconds += covered_seconds

    def subtract(self, energy: Energy, carbon: Footprint, covered_seconds: int) -> None:
        """Take back what was added."""
        self.add(-energy, -carbon, -covered_seconds)


def nothing() -> Total:
    return Total(Energy(), Footprint())


def month_totals(
    connection: Connection, rules: Rules, first: datetime.date, last: datetime.date, until: int | None = None
) -> dict[tuple[str, str], Total]:
    """Totals by (month as YYYY-MM, device) of the counted devices, from a local date to another, both included.

    Time after `until` (Unix seconds) is not yet possible to cover.
    """
    start, end = day_bounds(first, rules.time_zone)[0], day_bounds(last, rules.time_zone)[1]
    totals: dict[tuple[str, str], Total] = {}
    segments = [segment for segment in load_segments(connection, start, end) if segment.counted]
    months = _MonthSums(connection, first, last)
    for segment in segments:
        for month, seconds in _possible_by_month(segment, rules, start, end if until is None else min(end, until)):
            totals.setdefault((month, segment.device_id), nothing()).possible_seconds += seconds
        for month, span_first, span_last in _months(segment, rules, first, last):
            _add_days(months, segment, month, span_first, span_last, rules, totals)
        for edge_start, edge_end in _partial_days(segment, rules):
            for one in half_hours([segment], ledger_rows(connection, segment.meter_ids, edge_start, edge_end)):
                key = (rules.day(one.half_hour).isoformat()[:7], segment.device_id)
                totals.setdefault(key, nothing()).add(one.energy, footprint_of(one, rules), one.covered_seconds)
    return totals


def possible_seconds(segment: Segment, start: int, end: int) -> int:
    """The time from `start` to before `end` in which the segment's device could be read."""
    return max(0, min(segment.end, end) - max(segment.start, segment.first_heard, start))


def _possible_by_month(segment: Segment, rules: Rules, start: int, end: int) -> Iterable[tuple[str, int]]:
    """The segment's possible time by month (YYYY-MM)."""
    begins, ends = max(segment.start, start), min(segment.end, end)
    while begins < ends:
        month = rules.day(half_hour_of(begins)).replace(day=1)
        following = day_bounds((month + datetime.timedelta(days=32)).replace(day=1), rules.time_zone)[0]
        yield month.isoformat()[:7], possible_seconds(segment, begins, min(ends, following))
        begins = following


class _MonthSums:
    """Sums of `ledger_day` by meter: whole months in one query, stretches of days one by one."""

    def __init__(self, connection: Connection, first: datetime.date, last: datetime.date) -> None:
        self._connection = connection
        month = func.substr(ledger_day.c.local_day, 1, 7)
        sums = [func.sum(ledger_day.c[name]).label(name) for name in _SUMS]
        query = (
            select(ledger_day.c.meter_id, month.label("month"), *sums)
            .where(ledger_day.c.local_day >= first.isoformat(), ledger_day.c.local_day <= last.isoformat())
            .group_by(ledger_day.c.meter_id, month)
        )
        self._months = {(row[0], row[1]): tuple(int(value) for value in row[2:]) for row in connection.execute(query)}

    def month(self, meter_id: int, month: str) -> tuple[int, ...] | None:
        return self._months.get((meter_id, month))

    def days(self, meter_id: int, first: datetime.date, last: datetime.date) -> tuple[int, ...] | None:
        sums = [func.sum(ledger_day.c[name]) for name in _SUMS]
        row = self._connection.execute(
            select(*sums).where(
                ledger_day.c.meter_id == meter_id,
                ledger_day.c.local_day >= first.isoformat(),
                ledger_day.c.local_day <= last.isoformat(),
            )
        ).one()
        return None if row[0] is None else tuple(int(value) for value in row)


def _add_days(
    sums: _MonthSums,
    segment: Segment,
    month: str,
    first: datetime.date,
    last: datetime.date,
    rules: Rules,
    totals: dict[tuple[str, str], Total],
) -> None:
    """Add a stretch of whole days within one month. A whole month's factors are one set: they change in April."""
    whole = first.day == 1 and (last + datetime.timedelta(days=1)).day == 1
    energy, covered, known = Energy(), [], False
    for meter_id in segment.meter_ids:
        found = sums.month(meter_id, month) if whole else sums.days(meter_id, first, last)
        if found is None:
            covered.append(0)
            continue
        known = True
        energy += Energy(*found[:4])
        covered.append(found[4])
    if known:
        carbon = footprint(energy, rules.factors(first).factors, segment.pue)
        totals.setdefault((month, segment.device_id), nothing()).add(energy, carbon, min(covered))


def _whole_days(segment: Segment, rules: Rules) -> tuple[datetime.date, datetime.date] | None:
    """First and last local day that lie wholly in the segment."""
    first, last = rules.day(segment.start), rules.day(segment.end - 1)
    if day_bounds(first, rules.time_zone)[0] < segment.start:
        first += datetime.timedelta(days=1)
    if day_bounds(last, rules.time_zone)[1] > segment.end:
        last -= datetime.timedelta(days=1)
    return (first, last) if first <= last else None


def _months(
    segment: Segment, rules: Rules, first: datetime.date, last: datetime.date
) -> Iterable[tuple[str, datetime.date, datetime.date]]:
    """The segment's whole days by month: (YYYY-MM, first and last day within it)."""
    whole = _whole_days(segment, rules)
    if whole is None:
        return
    begins, ends = max(whole[0], first), min(whole[1], last)
    while begins <= ends:
        following = (begins.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)
        yield begins.isoformat()[:7], begins, min(ends, following - datetime.timedelta(days=1))
        begins = following


def _partial_days(segment: Segment, rules: Rules) -> Sequence[tuple[int, int]]:
    """Stretches of half-hours of the segment that lie in days it does not fill."""
    whole = _whole_days(segment, rules)
    if whole is None:
        return _by_day(segment.start, segment.end, rules)
    inner_start, inner_end = day_bounds(whole[0], rules.time_zone)[0], day_bounds(whole[1], rules.time_zone)[1]
    return [*_by_day(segment.start, inner_start, rules), *_by_day(inner_end, segment.end, rules)]


def _by_day(start: int, end: int, rules: Rules) -> Sequence[tuple[int, int]]:
    if start >= end:
        return []
    stretches = []
    for day in days_between(rules.day(start), rules.day(end - 1)):
        begins, ends = day_bounds(day, rules.time_zone)
        stretches.append((max(start, begins), min(end, ends)))
    return stretches


def sum_totals(totals: Iterable[Total]) -> Total:
    """Several totals as one."""
    whole = nothing()
    parts = list(totals)
    for one in parts:
        whole.energy += one.energy
        whole.covered_seconds += one.covered_seconds
        whole.possible_seconds += one.possible_seconds
    whole.footprint = add_footprints(one.footprint for one in parts)
    return whole
