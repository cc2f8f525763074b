"""What stands for meters' gaps (`carbon.fill`), kept by meter and day: reckoned anew only where the ledger's days that it
rests on have changed.
"""

import datetime
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, select

from carbon.calendar import day_bounds, days_between, local_day
from carbon.fill import WEEKS, Filled, Reading, fill, witness_days
from collector.database.engine import Database
from collector.database.schema import gap_fill, ledger, ledger_day
from collector.database.upsert import upsert
from collector.ledger import current
from collector.taking import Progress, chunks, silent

_METHOD = "1"
"""Of `carbon.fill`: another one makes all that is kept out of date."""
_METERS_AT_ONCE = 200
_ROWS_AT_ONCE = 2000
_COLUMNS = ("half_hour", "measured_uj", "estimated_uj", "covered_seconds", "spread_seconds")
_VALUES = tuple(column.name for column in gap_fill.columns if not column.primary_key)


@dataclass(frozen=True, slots=True)
class Ask:
    """A meter from `start` to before `end` (Unix seconds), both in the local day `day`."""

    meter_id: int
    day: datetime.date
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Day:
    """A meter's day in the ledger: the seconds that are known, and a number that changes with it."""

    known_seconds: int
    told: int


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
        first, last = min(one.day for one in asks), max(one.day for one in asks)
        found: dict[Ask, Filled] = {}
        stale: dict[int, list[tuple[Ask, str, str]]] = {}
        days = self._days(meter_ids, first - datetime.timedelta(weeks=WEEKS), last + datetime.timedelta(weeks=WEEKS))
        kept = self._kept(meter_ids, min(one.start for one in asks), max(one.end for one in asks))
        for ask in asks:
            mine = days.get(ask.meter_id, {})
            if not self._may_miss(ask, mine):
                continue
            before, after = _marks(ask, mine)
            row = kept.get((ask.meter_id, ask.start))
            if row is not None and row.mark in (before, before + after):
                found[ask] = Filled(row.half_hours, row.energy_uj, row.empty_half_hours, row.empty_seconds)
            else:
                stale.setdefault(ask.meter_id, []).append((ask, before, after))
        found |= self._reckoned(stale)
        return {ask: one for ask, one in found.items() if one.half_hours or one.empty_half_hours}

    def _may_miss(self, ask: Ask, days: Mapping[str, _Day]) -> bool:
        """Whether anything can be missing. Of a day that is cut, the ledger's day does not say where its seconds lie."""
        known = days.get(ask.day.isoformat())
        if known is None or (ask.start, ask.end) != day_bounds(ask.day, self._time_zone):
            return True
        return known.known_seconds < ask.end - ask.start

    def _days(self, meter_ids: Sequence[int], first: datetime.date, last: datetime.date) -> dict[int, dict[str, _Day]]:
        day = ledger_day.c
        told = day.measured_uj + 3 * day.estimated_uj + 7919 * day.covered_seconds + 104_729 * day.spread_seconds
        query = select(day.meter_id, day.local_day, day.covered_seconds + day.spread_seconds, told).where(
            day.local_day >= first.isoformat(), day.local_day <= last.isoformat()
        )
        found: dict[int, dict[str, _Day]] = {}
        for some in chunks(meter_ids, _METERS_AT_ONCE):
            for meter_id, local, known, number in self._connection.execute(query.where(day.meter_id.in_(some))):
                found.setdefault(meter_id, {})[local] = _Day(known, number)
        return found

    def _kept(self, meter_ids: Sequence[int], start: int, end: int) -> dict[tuple[int, int], Row[Any]]:
        found: dict[tuple[int, int], Row[Any]] = {}
        for some in chunks(meter_ids, _METERS_AT_ONCE):
            query = select(gap_fill).where(
                gap_fill.c.meter_id.in_(some), gap_fill.c.start_at >= start, gap_fill.c.start_at < end
            )
            found |= {(row.meter_id, row.start_at): row for row in self._connection.execute(query)}
        return found

    def _reckoned(self, stale: Mapping[int, Sequence[tuple[Ask, str, str]]]) -> dict[Ask, Filled]:
        found: dict[Ask, Filled] = {}
        for done, (meter_id, mine) in enumerate(stale.items()):
            self._progress(done, len(stale))
            readings = _Readings(self._connection, meter_id, self._time_zone, [ask.day for ask, *_ in mine])
            for ask, before, after in mine:
                readings.looked_after = False
                made = found[ask] = fill(ask.start, ask.end, ask.day, self._time_zone, readings.seen_from(ask.day))
                values = (
                    ask.end,
                    before + after if readings.looked_after else before,
                    made.half_hours,
                    made.energy_uj,
                    made.empty_half_hours,
                    made.empty_seconds,
                )
                key = {"meter_id": meter_id, "start_at": ask.start}
                self.fresh.append(key | dict(zip(_VALUES, values, strict=True)))
        if stale:
            self._progress(len(stale), len(stale))
        return found


def keep_fills(database: Database, fresh: Sequence[dict[str, Any]]) -> None:
    """Keep what was reckoned, in short transactions."""
    for some in chunks(fresh, _ROWS_AT_ONCE):
        with database.write() as connection:
            upsert(connection, gap_fill, list(some), _VALUES)


class _Readings:
    """A meter's half-hours of the days that fills of some days may rest on."""

    def __init__(self, connection: Connection, meter_id: int, time_zone: str, days: Iterable[datetime.date]) -> None:
        wanted = sorted({other for day in days for other in (day, *witness_days(day))})
        self._days: dict[datetime.date, dict[int, Reading]] = {day: {} for day in wanted}
        self.looked_after = False
        columns = [ledger.c[name] for name in _COLUMNS]
        for first, last in _runs(wanted):
            query = select(*columns).where(
                ledger.c.meter_id == meter_id,
                ledger.c.half_hour >= day_bounds(first, time_zone)[0],
                ledger.c.half_hour < day_bounds(last, time_zone)[1],
                current(),
            )
            for row in connection.execute(query):
                reading = Reading(row.measured_uj + row.estimated_uj, row.covered_seconds, row.spread_seconds)
                self._days[local_day(row.half_hour, time_zone)][row.half_hour] = reading

    def seen_from(self, day: datetime.date) -> Any:
        """The readings of each day; marks when a later day was looked at."""

        def own(other: datetime.date) -> Mapping[int, Reading]:
            if other > day:
                self.looked_after = True
            return self._days[other]

        return own


def asks_of(meter_id: int, start: int, end: int, time_zone: str) -> list[Ask]:
    """A stretch of a meter day by day."""
    if start >= end:
        return []
    first, last = (local_day(at - at % 1800, time_zone) for at in (start, end - 1))
    found = []
    for day in days_between(first, last):
        begins, ends = day_bounds(day, time_zone)
        found.append(Ask(meter_id, day, max(start, begins), min(end, ends)))
    return found


def _marks(ask: Ask, days: Mapping[str, _Day]) -> tuple[str, str]:
    """What a fill rests on, as hashes: the day with those before it, and with those after it too."""
    before, after = _witnesses(ask.day)
    told = [days[name].told if name in days else None for name in (ask.day.isoformat(), *before)]
    later = [days[name].told if name in days else None for name in after]
    return _hash((_METHOD, ask.start, ask.end, *told)), _hash(tuple(later))


def _hash(values: tuple[Any, ...]) -> str:
    return hashlib.blake2b(repr(values).encode(), digest_size=9).hexdigest()


@lru_cache(maxsize=4096)
def _witnesses(day: datetime.date) -> tuple[Sequence[str], Sequence[str]]:
    found = witness_days(day)
    return (
        [one.isoformat() for one in found if one < day],
        [one.isoformat() for one in found if one > day],
    )


def _runs(days: Sequence[datetime.date]) -> list[tuple[datetime.date, datetime.date]]:
    """Days in order as stretches; those close to each other are read in one go."""
    found: list[tuple[datetime.date, datetime.date]] = []
    for day in days:
        if found and (day - found[-1][1]).days == 1:
            found[-1] = found[-1][0], day
        else:
            found.append((day, day))
    return found
