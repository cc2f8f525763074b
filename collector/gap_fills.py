"""What stands for meters' gaps (`carbon.fill`), kept by meter for months and for days: reckoned anew only where the ledger's
days that it rests on have changed.

A year's report asks for some months of each meter; one of them is out of date where a day of it, of the month before or,
where that was looked at, of the month after has changed. Then its days are looked at one by one.
"""

import datetime
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, cast, func, select

from carbon.calendar import day_bounds, days_between, half_hour_of, local_day
from carbon.fill import WEEKS, Filled, Reading, fill, witness_days
from carbon.months import month_bounds
from collector.database.engine import Database
from collector.database.schema import gap_fill, ledger, ledger_day
from collector.database.upsert import upsert
from collector.ledger import current
from collector.taking import Progress, chunks, silent

_METHOD = "1"
"""Of `carbon.fill`: another one makes all that is kept out of date."""
_METERS_AT_ONCE = 200
_ROWS_AT_ONCE = 2000
_PRIME = 1_000_003
_LONGEST_DAY = 90_000
"""Seconds of the day on which the clocks go back: a stretch of up to so many is kept as days alone."""
_COLUMNS = ("half_hour", "measured_uj", "estimated_uj", "covered_seconds", "spread_seconds")
_HALF_HOURS = select(*(ledger.c[name] for name in _COLUMNS)).where(
    ledger.c.meter_id == bindparam("meter"),
    ledger.c.half_hour >= bindparam("start"),
    ledger.c.half_hour < bindparam("end"),
    current(),
)
_DAY = ledger_day.c
_TOLD = _DAY.measured_uj + 3 * _DAY.estimated_uj + 7919 * _DAY.covered_seconds + 104_729 * _DAY.spread_seconds
"""A number that changes with a meter's day."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A meter from `start` to before `end` (Unix seconds), both in the local month `month` (YYYY-MM)."""

    meter_id: int
    month: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Span:
    """What the ledger has of a meter's day or month: the seconds that are known, and a number that changes with it."""

    known_seconds: int
    told: int


@dataclass(slots=True)
class _Made:
    """What stands for a stretch, and whether a later day was looked at for it."""

    filled: Filled = field(default_factory=Filled)
    looked_after: bool = False


class GapFills:
    """What stands for the gaps of meters, as far as it is kept or reckoned now; `fresh` are the rows to be kept."""

    def __init__(self, connection: Connection, time_zone: str, progress: Progress = silent) -> None:
        self._connection, self._time_zone, self._progress = connection, time_zone, progress
        self.fresh: list[dict[str, Any]] = []

    def of(self, asks: Sequence[Ask]) -> dict[Ask, Filled]:
        """What stands for each; those without a gap are not there."""
        if not asks:
            return {}
        meter_ids = sorted({one.meter_id for one in asks})
        months = self._months(meter_ids, min(one.month for one in asks), max(one.month for one in asks))
        kept = self._kept(meter_ids, asks, gap_fill.c.end_at - gap_fill.c.start_at > _LONGEST_DAY)
        found: dict[Ask, Filled] = {}
        stale: dict[int, list[Ask]] = {}
        for ask in asks:
            if self._is_whole(ask, months.get((ask.meter_id, ask.month))):
                continue
            row = kept.get((ask.meter_id, ask.start, ask.end))
            if row is not None and _holds(row, *_month_marks(ask, months)):
                found[ask] = _filled(row)
            else:
                stale.setdefault(ask.meter_id, []).append(ask)
        for done, some in enumerate(chunks(sorted(stale), _METERS_AT_ONCE)):
            self._progress(done * _METERS_AT_ONCE, len(stale))
            mine = [ask for meter_id in some for ask in stale[meter_id]]
            for ask, made in self._by_days(mine).items():
                found[ask] = made.filled
                if ask.end - ask.start > _LONGEST_DAY:
                    self._keep(ask.meter_id, ask.start, ask.end, _month_marks(ask, months), made)
        if stale:
            self._progress(len(stale), len(stale))
        return {ask: one for ask, one in found.items() if one.half_hours or one.empty_half_hours}

    def _is_whole(self, ask: Ask, month: _Span | None) -> bool:
        """Whether nothing of a month can be missing. Where it is cut, its sum does not say where its seconds lie."""
        if month is None or (ask.start, ask.end) != month_bounds(ask.month, self._time_zone):
            return False
        return month.known_seconds >= ask.end - ask.start

    def _by_days(self, asks: Sequence[Ask]) -> dict[Ask, _Made]:
        """Stretches of some meters day by day: each as it is kept, or reckoned."""
        meter_ids = sorted({one.meter_id for one in asks})
        weeks = datetime.timedelta(weeks=WEEKS)
        first, last = self._day(min(one.start for one in asks)), self._day(max(one.end for one in asks) - 1)
        days = self._days(meter_ids, first - weeks, last + weeks)
        kept = self._kept(meter_ids, asks, gap_fill.c.end_at - gap_fill.c.start_at <= _LONGEST_DAY)
        made: dict[Ask, _Made] = {ask: _Made() for ask in asks}
        stale: dict[int, list[tuple[Ask, _DayAsk]]] = {}
        for ask in asks:
            mine = days.get(ask.meter_id, {})
            for one in self._days_of(ask):
                known = mine.get(one.name)
                if known is not None and one.whole and known.known_seconds >= one.end - one.start:
                    continue
                row = kept.get((ask.meter_id, one.start, one.end))
                marks = _day_marks(one, mine)
                if row is not None and _holds(row, *marks):
                    _add(made[ask], _Made(_filled(row), row.mark != marks[0]))
                else:
                    stale.setdefault(ask.meter_id, []).append((ask, one))
        for meter_id, wanted in stale.items():
            readings = _Readings(self._connection, meter_id, self._time_zone, [one.day for _, one in wanted])
            for ask, one in wanted:
                reckoned = readings.fill(one)
                _add(made[ask], reckoned)
                self._keep(meter_id, one.start, one.end, _day_marks(one, days.get(meter_id, {})), reckoned)
        return made

    def _days_of(self, ask: Ask) -> list["_DayAsk"]:
        found = []
        for day in days_between(self._day(ask.start), self._day(ask.end - 1)):
            begins, ends = day_bounds(day, self._time_zone)
            start, end = max(ask.start, begins), min(ask.end, ends)
            found.append(_DayAsk(day, day.isoformat(), start, end, (start, end) == (begins, ends)))
        return found

    def _day(self, at: int) -> datetime.date:
        return local_day(half_hour_of(at), self._time_zone)

    def _keep(self, meter_id: int, start: int, end: int, marks: tuple[str, str], made: _Made) -> None:
        one = made.filled
        self.fresh.append(
            {
                "meter_id": meter_id,
                "start_at": start,
                "end_at": end,
                "mark": "".join(marks) if made.looked_after else marks[0],
                "half_hours": one.half_hours,
                "energy_uj": one.energy_uj,
                "empty_half_hours": one.empty_half_hours,
                "empty_seconds": one.empty_seconds,
            }
        )

    def _months(self, meter_ids: Sequence[int], first: str, last: str) -> dict[tuple[int, str], _Span]:
        """Sums of months, those around the ones that are asked for too."""
        begins, ends = _beside(first)[0], _beside(last)[1]
        month = func.substr(_DAY.local_day, 1, 7)
        # Days are told apart by their number, so that two that change places are seen.
        told = (_TOLD % _PRIME) * cast(func.substr(_DAY.local_day, 9, 2), Integer)
        known = _DAY.covered_seconds + _DAY.spread_seconds
        query = (
            select(_DAY.meter_id, month, func.sum(known), func.sum(told))
            .where(_DAY.local_day >= f"{begins}-01", _DAY.local_day <= f"{ends}-31")
            .group_by(_DAY.meter_id, month)
        )
        found: dict[tuple[int, str], _Span] = {}
        for some in chunks(meter_ids, _METERS_AT_ONCE):
            for meter_id, name, seconds, number in self._connection.execute(query.where(_DAY.meter_id.in_(some))):
                found[meter_id, name] = _Span(int(seconds), int(number))
        return found

    def _days(self, meter_ids: Sequence[int], first: datetime.date, last: datetime.date) -> dict[int, dict[str, _Span]]:
        query = select(_DAY.meter_id, _DAY.local_day, _DAY.covered_seconds + _DAY.spread_seconds, _TOLD).where(
            _DAY.local_day >= first.isoformat(), _DAY.local_day <= last.isoformat(), _DAY.meter_id.in_(meter_ids)
        )
        found: dict[int, dict[str, _Span]] = {}
        for meter_id, local, known, number in self._connection.execute(query).all():
            found.setdefault(meter_id, {})[local] = _Span(known, number)
        return found

    def _kept(self, meter_ids: Sequence[int], asks: Sequence[Ask], which: Any) -> dict[tuple[int, int, int], Row[Any]]:
        start, end = min(one.start for one in asks), max(one.end for one in asks)
        within = gap_fill.c.start_at >= start, gap_fill.c.start_at < end
        found: dict[tuple[int, int, int], Row[Any]] = {}
        for some in chunks(meter_ids, _METERS_AT_ONCE):
            query = select(gap_fill).where(gap_fill.c.meter_id.in_(some), *within, which)
            for row in self._connection.execute(query):
                found[row.meter_id, row.start_at, row.end_at] = row
        return found


def keep_fills(database: Database, fresh: Sequence[dict[str, Any]]) -> None:
    """Keep what was reckoned, in short transactions."""
    values = tuple(column.name for column in gap_fill.columns if not column.primary_key)
    for some in chunks(fresh, _ROWS_AT_ONCE):
        with database.write() as connection:
            upsert(connection, gap_fill, list(some), values)


@dataclass(frozen=True, slots=True)
class _DayAsk:
    """A stretch of a local day, and whether it is all of it."""

    day: datetime.date
    name: str
    start: int
    end: int
    whole: bool


class _Readings:
    """A meter's half-hours of the days that fills of some days may rest on."""

    def __init__(self, connection: Connection, meter_id: int, time_zone: str, days: Iterable[datetime.date]) -> None:
        wanted = sorted({other for day in days for other in (day, *witness_days(day))})
        self._time_zone = time_zone
        self._days: dict[datetime.date, dict[int, Reading]] = {day: {} for day in wanted}
        for first, last in _runs(wanted):
            start, end = day_bounds(first, time_zone)[0], day_bounds(last, time_zone)[1]
            rows = connection.execute(_HALF_HOURS, {"meter": meter_id, "start": start, "end": end}).all()
            for at, measured, estimated, covered, spread in rows:
                self._days[local_day(at, time_zone)][at] = Reading(measured + estimated, covered, spread)

    def fill(self, one: _DayAsk) -> _Made:
        made = _Made()

        def own(other: datetime.date) -> Mapping[int, Reading]:
            made.looked_after |= other > one.day
            return self._days[other]

        made.filled = fill(one.start, one.end, one.day, self._time_zone, own)
        return made


def _add(whole: _Made, part: _Made) -> None:
    whole.filled += part.filled
    whole.looked_after |= part.looked_after


def _filled(row: Row[Any]) -> Filled:
    return Filled(row.half_hours, row.energy_uj, row.empty_half_hours, row.empty_seconds)


def _holds(row: Row[Any], before: str, after: str) -> bool:
    """Whether what is kept rests on what the ledger has now."""
    return row.mark in (before, before + after)


def _month_marks(ask: Ask, months: Mapping[tuple[int, str], _Span]) -> tuple[str, str]:
    """What a stretch of a month rests on, as hashes: its month with the one before, and the one after."""
    before, after = _beside(ask.month)
    told = [months.get((ask.meter_id, name)) for name in (ask.month, before, after)]
    return _hash(_METHOD, ask.start, ask.end, *told[:2]), _hash(told[2])


def _day_marks(one: _DayAsk, days: Mapping[str, _Span]) -> tuple[str, str]:
    """The same of a day: the day with the weeks before, and the weeks after."""
    before, after = _witnesses(one.day)
    told = [days.get(name) for name in (one.name, *before)]
    return _hash(_METHOD, one.start, one.end, *told), _hash(*(days.get(name) for name in after))


def _hash(*values: int | str | _Span | None) -> str:
    told = [one.told if isinstance(one, _Span) else one for one in values]
    return hashlib.blake2b(repr(told).encode(), digest_size=9).hexdigest()


@lru_cache(maxsize=4096)
def _witnesses(day: datetime.date) -> tuple[Sequence[str], Sequence[str]]:
    found = witness_days(day)
    return [one.isoformat() for one in found if one < day], [one.isoformat() for one in found if one > day]


@lru_cache(maxsize=1024)
def _beside(month: str) -> tuple[str, str]:
    """The month before, and the month after."""
    first = datetime.date.fromisoformat(f"{month}-01")
    following = first + datetime.timedelta(days=32)
    return f"{first - datetime.timedelta(days=1):%Y-%m}", f"{following:%Y-%m}"


def _runs(days: Sequence[datetime.date]) -> list[tuple[datetime.date, datetime.date]]:
    """Days in order as stretches without a gap."""
    found: list[tuple[datetime.date, datetime.date]] = []
    for day in days:
        if found and (day - found[-1][1]).days == 1:
            found[-1] = found[-1][0], day
        else:
            found.append((day, day))
    return found
