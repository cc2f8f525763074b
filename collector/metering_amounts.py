"""Energies of meters over stretches of at most a local day: from the ledger's days, or where one is cut, its half-hours."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from carbon.calendar import day_bounds
from carbon.footprint import Energy
from collector.database.schema import ledger_day
from collector.device_energy import Rules, half_hours, ledger_rows
from collector.error_groups import error_groups
from collector.segments import Segment

Amount = tuple[Energy, int]
"""Energy, and seconds with a reading."""
NOTHING: Amount = (Energy(), 0)
_AT_ONCE = 500
_COLUMNS = ("meter_id", "local_day", "measured_uj", "estimated_uj", "low_uj", "high_uj", "covered_seconds")


class Amounts:
    """Energies of some meters between two local dates."""

    def __init__(
        self,
        connection: Connection,
        rules: Rules,
        meter_ids: Iterable[int],
        first: datetime.date,
        last: datetime.date,
    ) -> None:
        self._connection = connection
        self._rules = rules
        self._meter_ids = sorted(set(meter_ids))
        self._groups = error_groups(connection)
        self._days: dict[tuple[int, str], Amount] = {}
        self._cut: dict[datetime.date, Mapping[int, Mapping[int, Any]]] = {}
        columns = [ledger_day.c[name] for name in _COLUMNS]
        for at in range(0, len(self._meter_ids), _AT_ONCE):
            query = select(*columns).where(
                ledger_day.c.meter_id.in_(self._meter_ids[at : at + _AT_ONCE]),
                ledger_day.c.local_day >= first.isoformat(),
                ledger_day.c.local_day <= last.isoformat(),
            )
            for meter_id, local_day, measured, estimated, low, high, covered in self._connection.execute(query):
                energy = Energy.of(self._groups[meter_id], measured, estimated, low, high)
                self._days[meter_id, local_day] = (energy, covered)

    def of_meter(self, meter_id: int, day: datetime.date, start: int, end: int) -> Amount:
        """A meter from half-hour `start` to before `end`, both in the day."""
        if (start, end) == day_bounds(day, self._rules.time_zone):
            return self._days.get((meter_id, day.isoformat()), NOTHING)
        energy, covered = Energy(), 0
        for at, row in self._half_hours(day).get(meter_id, {}).items():
            if start <= at < end:
                amounts = row["measured_uj"], row["estimated_uj"], row["low_uj"], row["high_uj"]
                energy += Energy.of(self._groups[meter_id], *amounts)
                covered += row["covered_seconds"]
        return energy, covered

    def of_device(self, segment: Segment, day: datetime.date, start: int, end: int) -> Amount:
        """A device by its own accounting meters: covered where all of them were, as `collector.totals` has it."""
        if len(segment.meter_ids) == 1:
            return self.of_meter(segment.meter_ids[0], day, start, end)
        energy, covered = Energy(), 0
        if (start, end) == day_bounds(day, self._rules.time_zone):
            found = [self._days.get((one, day.isoformat()), NOTHING) for one in segment.meter_ids]
            for one, _ in found:
                energy += one
            return energy, min((seconds for _, seconds in found), default=0)
        rows = {one: found for one, found in self._half_hours(day).items() if one in segment.meter_ids}
        for half_hour in half_hours([segment], rows, self._groups):
            if start <= half_hour.half_hour < end:
                energy += half_hour.energy
                covered += half_hour.covered_seconds
        return energy, covered

    def _half_hours(self, day: datetime.date) -> Mapping[int, Mapping[int, Any]]:
        found = self._cut.get(day)
        if found is None:
            begins, ends = day_bounds(day, self._rules.time_zone)
            rows: dict[int, dict[int, Any]] = {}
            for at in range(0, len(self._meter_ids), _AT_ONCE):
                rows |= ledger_rows(self._connection, self._meter_ids[at : at + _AT_ONCE], begins, ends)
            found = self._cut[day] = rows
        return found
