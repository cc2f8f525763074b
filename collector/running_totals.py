"""Totals up to now for pages and the API: the ledger's days plus what is known of half-hours not written yet."""

import datetime
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, select

from carbon.calendar import HALF_HOUR_SECONDS, day_bounds, financial_year, financial_year_dates, half_hour_of
from collector.database.engine import Database
from collector.database.schema import ledger_due, meter
from collector.device_energy import HalfHour, Rules, footprint_of, half_hours, ledger_rows, rules_of
from collector.ledger import closed_before, provisional
from collector.segments import load_segments
from collector.totals import Total, month_totals, nothing, possible_seconds, sum_totals

FRESH_SECONDS = 30.0


@dataclass(slots=True)
class RunningTotals:
    """Totals at `as_of` (Unix seconds): of today, of each month of the financial year, by device. Only counted devices.

    `by_month` and `today` hold what is not written yet too.
    """

    as_of: int
    financial_year: int
    rules: Rules
    today: dict[str, Total] = field(default_factory=dict)
    by_month: dict[tuple[str, str], Total] = field(default_factory=dict)

    def year_of(self, device_id: str) -> Total:
        """The financial year so far of one device."""
        return sum_totals(total for (_, one), total in self.by_month.items() if one == device_id)

    def years(self) -> dict[str, Total]:
        """The financial year so far of every device, in one pass."""
        parts: dict[str, list[Total]] = {}
        for (_, device_id), total in self.by_month.items():
            parts.setdefault(device_id, []).append(total)
        return {device_id: sum_totals(totals) for device_id, totals in parts.items()}

    def of(self, device_ids: frozenset[str]) -> "RunningTotals":
        """The same of these devices alone."""
        today = {one: total for one, total in self.today.items() if one in device_ids}
        by_month = {key: total for key, total in self.by_month.items() if key[1] in device_ids}
        return replace(self, today=today, by_month=by_month)

    def month(self, month: str) -> Total:
        """A month (YYYY-MM) of all devices."""
        return sum_totals(total for (one, _), total in self.by_month.items() if one == month)

    @property
    def year(self) -> Total:
        """The financial year so far of all devices."""
        return sum_totals(self.by_month.values())


def running_totals(connection: Connection, now: int) -> RunningTotals:
    """All totals up to `now` (Unix seconds)."""
    rules = rules_of(connection)
    date = rules.day(half_hour_of(now))
    year = financial_year(date)
    totals = RunningTotals(now, year, rules)
    totals.by_month = month_totals(connection, rules, financial_year_dates(year)[0], date, now)
    start, end = day_bounds(date, rules.time_zone)
    segments = [one for one in load_segments(connection, start, end) if one.counted]
    for segment in segments:
        today = totals.today.setdefault(segment.device_id, nothing())
        today.possible_seconds += possible_seconds(segment, start, now)
        for one in half_hours([segment], ledger_rows(connection, segment.meter_ids, segment.start, segment.end)):
            today.add(one.energy, footprint_of(one, rules), one.covered_seconds)
    _add_unwritten(connection, totals, date)
    return totals


def _add_unwritten(connection: Connection, totals: RunningTotals, date: datetime.date) -> None:
    """Add half-hours that are due and not written, less what stands in the ledger for them already."""
    devices = connection.execute(
        select(meter.c.device_id).join(ledger_due, ledger_due.c.meter_id == meter.c.id).distinct()
    ).scalars()
    for device_id in devices.all():
        rows = provisional(connection, device_id)
        times = [at for by_time in rows.values() for at in by_time]
        if not times:
            continue
        start, end = min(times), max(times) + HALF_HOUR_SECONDS
        # A guest's part of its host is written with the host's half-hour: until then it is where it was before.
        for segment in load_segments(connection, start, end, [device_id], closed_before(totals.as_of)):
            if not segment.counted:
                continue
            written = ledger_rows(connection, segment.meter_ids, start, end)
            merged = {one: {**written.get(one, {}), **rows.get(one, {})} for one in segment.meter_ids}
            before = {one.half_hour: one for one in half_hours([segment], written)}
            for one in half_hours([segment], merged):
                _replace(totals, one.half_hour, device_id, date, one, before.get(one.half_hour))


def _replace(
    totals: RunningTotals, half_hour: int, device_id: str, date: datetime.date, now: HalfHour, before: HalfHour | None
) -> None:
    """Put a half-hour's newer value in the place of the one that was added."""
    day = totals.rules.day(half_hour)
    if financial_year(day) != totals.financial_year:
        return
    places = [totals.by_month.setdefault((day.isoformat()[:7], device_id), nothing())]
    if day == date:
        places.append(totals.today.setdefault(device_id, nothing()))
    for total in places:
        total.add(now.energy, footprint_of(now, totals.rules), now.covered_seconds)
        if before is not None:
            total.subtract(before.energy, footprint_of(before, totals.rules), before.covered_seconds)


class TotalsCache:
    """Running totals, computed when asked for and kept half a minute. Safe from several threads."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: RunningTotals | None = None

    def get(self) -> RunningTotals:
        """Totals no older than half a minute."""
        with self._lock:
            now = self._clock()
            if self._kept is None or now - self._kept.as_of > FRESH_SECONDS:
                with self._database.read() as connection:
                    self._kept = running_totals(connection, int(now))
            return self._kept
