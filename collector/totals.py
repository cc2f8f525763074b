"""Totals of energy and carbon over months and days: whole local days from `ledger_day`, the rest from half-hours.

The daily sums are kept by the transaction that writes the half-hours, so a total is right at once after a late one.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from carbon.calendar import day_bounds, days_between, half_hour_of
from carbon.footprint import Energy, Footprint, footprint
from carbon.footprint import add as add_footprints
from collector.database.schema import ledger_day, meter
from collector.device_energy import Rules, half_hours, ledger_rows
from collector.error_groups import error_groups
from collector.segments import Segment, load_segments

_AT_ONCE = 200
"""Devices whose half-hours of a day that they do not fill are read together."""
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


@dataclass(frozen=True, slots=True)
class Part:
    """What one segment's device used on some days of a month (YYYY-MM), of which `date` is the first.

    `possible_seconds` stands in parts of their own, which have no energy.
    """

    month: str
    segment: Segment
    date: datetime.date
    energy: Energy
    covered_seconds: int
    possible_seconds: int


def month_totals(
    connection: Connection, rules: Rules, first: datetime.date, last: datetime.date, until: int | None = None
) -> dict[tuple[str, str], Total]:
    """Totals by (month as YYYY-MM, device) of the counted devices, from a local date to another, both included.

    Time after `until` (Unix seconds) is not yet possible to cover.
    """
    start, end = day_bounds(first, rules.time_zone)[0], day_bounds(last, rules.time_zone)[1]
    totals: dict[tuple[str, str], Total] = {}
    segments = [segment for segment in load_segments(connection, start, end) if segment.counted]
    for part in segment_parts(connection, rules, segments, first, last, until):
        total = _total_at(totals, part.month, part.segment)
        total.possible_seconds += part.possible_seconds
        if not part.possible_seconds:
            # A stretch's factors are one set: they change in April.
            carbon = footprint(part.energy, rules.factors(part.date).factors, part.segment.pue)
            total.add(part.energy, carbon, part.covered_seconds)
    return totals


def segment_parts(
    connection: Connection,
    rules: Rules,
    segments: Iterable[Segment],
    first: datetime.date,
    last: datetime.date,
    until: int | None = None,
) -> Iterable[Part]:
    """All that segments' devices used from a local date to another, month by month: whole days as sums of the ledger's
    days, the others as half-hours.
    """
    start, end = day_bounds(first, rules.time_zone)[0], day_bounds(last, rules.time_zone)[1]
    sums = _DaySums(connection, first, last)
    partial: dict[tuple[int, int], list[Segment]] = {}
    for segment in segments:
        for month, seconds in _possible_by_month(segment, rules, start, end if until is None else min(end, until)):
            yield Part(month, segment, first, Energy(), 0, seconds)
        for month, span_first, span_last in _months(segment, rules, first, last):
            part = _days_part(sums, segment, month, span_first, span_last)
            if part is not None:
                yield part
        for stretch in _partial_days(segment, rules):
            partial.setdefault(stretch, []).append(segment)
    for (begins, ends), mine in partial.items():
        for at in range(0, len(mine), _AT_ONCE):
            some = mine[at : at + _AT_ONCE]
            meter_ids = {meter_id for segment in some for meter_id in segment.meter_ids}
            for one in half_hours(some, ledger_rows(connection, meter_ids, begins, ends), sums.groups):
                date = rules.day(one.half_hour)
                yield Part(date.isoformat()[:7], one.segment, date, one.energy, one.covered_seconds, 0)


def _total_at(totals: dict[tuple[str, str], Total], month: str, segment: Segment) -> Total:
    """The total of a segment's device in a month, begun where there is none."""
    key = (month, segment.device_id)
    found = totals.get(key)
    if found is None:
        found = totals[key] = nothing()
    return found


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


_BY_METER = (
    select(ledger_day.c.meter_id, *(func.sum(ledger_day.c[name]) for name in _SUMS))
    # All meters by name, so that SQLite goes meter by meter, as the table lies, and not day by day through an index.
    .where(ledger_day.c.meter_id.in_(select(meter.c.id)))
    .where(ledger_day.c.local_day >= bindparam("first"), ledger_day.c.local_day <= bindparam("last"))
    .group_by(ledger_day.c.meter_id)
)
_OF_METER = _BY_METER.where(ledger_day.c.meter_id == bindparam("meter"))


class _DaySums:
    """Sums of `ledger_day` by meter: of whole months for all meters at once, of other stretches for one."""

    def __init__(self, connection: Connection, first: datetime.date, last: datetime.date) -> None:
        self._connection = connection
        self._first, self._last = first, last
        self.groups = error_groups(connection)
        self._months: dict[datetime.date, dict[int, tuple[int, ...]]] = {}

    def of(self, meter_id: int, first: datetime.date, last: datetime.date) -> tuple[int, ...] | None:
        """Sums of a stretch of days within one month; None where the meter has no day in it."""
        if first != max(self._first, first.replace(day=1)) or last != min(self._last, _month_end(first)):
            return self._read(_OF_METER, first, last, meter_id).get(meter_id)
        month = self._months.get(first)
        if month is None:
            month = self._months[first] = self._read(_BY_METER, first, last)
        return month.get(meter_id)

    def _read(
        self, query: Select[Any], first: datetime.date, last: datetime.date, meter_id: int | None = None
    ) -> dict[int, tuple[int, ...]]:
        values = {"first": first.isoformat(), "last": last.isoformat(), "meter": meter_id}
        rows = self._connection.execute(query, values)
        return {row[0]: tuple(int(value) for value in row[1:]) for row in rows}


@lru_cache(maxsize=4096)
def _month_end(date: datetime.date) -> datetime.date:
    return (date.replace(day=28) + datetime.timedelta(days=4)).replace(day=1) - datetime.timedelta(days=1)


def _days_part(sums: _DaySums, segment: Segment, month: str, first: datetime.date, last: datetime.date) -> Part | None:
    """A stretch of whole days within one month; None where no meter has a day in it."""
    energy, covered, known = Energy(), [], False
    for meter_id in segment.meter_ids:
        found = sums.of(meter_id, first, last)
        if found is None:
            covered.append(0)
            continue
        known = True
        energy += Energy.of(sums.groups[meter_id], *found[:4])
        covered.append(found[4])
    return Part(month, segment, first, energy, min(covered), 0) if known else None


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
        month_end = _month_end(begins)
        yield begins.isoformat()[:7], begins, min(ends, month_end)
        begins = month_end + datetime.timedelta(days=1)


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
