"""Energies of meters by local day: from the ledger's days, or of a day that is cut from its half-hours."""

import datetime
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select

from carbon.calendar import days_between
from carbon.daily import Column, Daily, Flow, all_days
from collector.database.schema import ledger_day
from collector.device_energy import Rules, half_hours, ledger_rows
from collector.metering_time import Time
from collector.segments import Segment

_AT_ONCE = 500
_FIGURES = ("measured_uj", "estimated_uj", "low_uj", "high_uj", "covered_seconds")
_NAMES = ("meter_id", "local_day", *_FIGURES)


class Amounts:
    """Energies of some meters between two local dates, of which it holds one column a figure. `groups` are what meters'
    readings share their errors with (`collector.error_groups`).
    """

    def __init__(
        self,
        connection: Connection,
        rules: Rules,
        groups: Mapping[int, str],
        meter_ids: Iterable[int],
        first: datetime.date,
        last: datetime.date,
    ) -> None:
        self._connection = connection
        self._rules = rules
        self._groups = groups
        self._meter_ids = sorted(set(meter_ids))
        self._first, self._last = first, last
        self._cut: dict[tuple[int, int], Mapping[int, Mapping[int, Any]]] = {}
        count = (last - first).days + 1
        self._nothing: tuple[Column, ...] = ((0,) * count,) * len(_FIGURES)
        self._columns: dict[int, tuple[Column, ...]] = {}
        for at in range(0, len(self._meter_ids), _AT_ONCE):
            self._read(self._meter_ids[at : at + _AT_ONCE], count)

    def _read(self, meter_ids: list[int], count: int) -> None:
        places = {day.isoformat(): place for place, day in enumerate(days_between(self._first, self._last))}
        query = (
            select(*(ledger_day.c[name] for name in _NAMES))
            .where(
                ledger_day.c.meter_id.in_(meter_ids),
                ledger_day.c.local_day >= self._first.isoformat(),
                ledger_day.c.local_day <= self._last.isoformat(),
            )
            .order_by(ledger_day.c.meter_id, ledger_day.c.local_day)
        )
        found = self._connection.execute(query)
        # The driver's own rows: hundreds of thousands of whole numbers, which need nothing made of them.
        cursor: Any = found.cursor
        for meter_id, rows in groupby(cursor, itemgetter(0)):
            _, days, *read = zip(*rows, strict=True)
            figures: list[Column] = list(read)
            if len(days) < count:
                at = [places[day] for day in days]
                figures = [_placed(figure, at, count) for figure in figures]
            self._columns[meter_id] = tuple(figures)
        found.close()

    def of_meter(self, meter_id: int, time: Time) -> tuple[Daily, Column]:
        """A meter's energy, and its seconds with a reading."""
        figures = self._of_days(meter_id, time)
        for number in time.cut:
            rows = self._half_hours(time.starts[number], time.ends[number]).get(meter_id, {}).values()
            for figure, name in zip(figures, _FIGURES, strict=True):
                figure[number] = sum(row[name] for row in rows)
        measured, estimated, low, high, covered = map(tuple, figures)
        return Daily(self._groups[meter_id], measured, estimated, low, high), covered

    def _of_days(self, meter_id: int, time: Time) -> list[Any]:
        """The figures of the time's days, as if each were whole; lists where some are not."""
        place = (time.days[0] - self._first).days
        found = self._columns.get(meter_id, self._nothing)
        mine = [figure[place : place + len(time.days)] for figure in found]
        return [list(figure) for figure in mine] if time.cut else mine

    def of_device(self, segment: Segment, time: Time) -> tuple[Flow, Column]:
        """A device by its own accounting meters: covered where all of them were, as `collector.totals` has it."""
        found = [self.of_meter(one, time) for one in segment.meter_ids]
        flow = Flow((one, all_days(len(time.days))) for one, _ in found)
        if len(found) == 1:
            return flow, found[0][1]
        columns = [column for _, column in found]
        covered = list(map(min, *columns)) if columns else [0] * len(time.days)
        for number in time.cut:
            start, end = time.starts[number], time.ends[number]
            rows = {one: rows for one, rows in self._half_hours(start, end).items() if one in segment.meter_ids}
            covered[number] = sum(one.covered_seconds for one in half_hours([segment], rows))
        return flow, tuple(covered)

    def _half_hours(self, start: int, end: int) -> Mapping[int, Mapping[int, Any]]:
        """The half-hours of a part of a day."""
        found = self._cut.get((start, end))
        if found is None:
            rows: dict[int, dict[int, Any]] = {}
            for at in range(0, len(self._meter_ids), _AT_ONCE):
                rows |= ledger_rows(self._connection, self._meter_ids[at : at + _AT_ONCE], start, end)
            found = self._cut[start, end] = rows
        return found


def _placed(figures: Column, places: list[int], count: int) -> Column:
    """Figures of some days as a column: nothing on the others."""
    found = [0] * count
    for place, figure in zip(places, figures, strict=True):
        found[place] = figure
    return tuple(found)
