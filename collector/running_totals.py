"""Totals up to now for pages and the API: each kilowatt-hour once, by the metering tree, as in `ictagent estate totals`,
plus what is known of half-hours not written yet, by each device's own meters.
"""

import datetime
import threading
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, select

from carbon.calendar import HALF_HOUR_SECONDS, financial_year, financial_year_dates, half_hour_of
from collector.database.engine import Database
from collector.database.schema import ledger_due, meter
from collector.device_energy import HalfHour, Rules, footprint_of, half_hours, ledger_rows, rules_of
from collector.error_groups import error_groups
from collector.ledger import closed_before, provisional
from collector.metered_totals import ByMonth, ClosedDays, metered_totals
from collector.power_path import fed_device
from collector.segments import load_segments
from collector.totals import Total, nothing, sum_totals

FRESH_SECONDS = 30.0


@dataclass(slots=True)
class RunningTotals:
    """Totals at `as_of` (Unix seconds): of today, of each month of the financial year, by device. Only counted devices.

    `by_month` and `today` hold what is not written yet too. `rests_by_month` and `rests_today` are what meters of a
    device measured beyond the devices known below them: unexplained energy, which is in the totals of all devices.
    """

    as_of: int
    financial_year: int
    rules: Rules
    today: dict[str, Total] = field(default_factory=dict)
    by_month: ByMonth = field(default_factory=dict)
    rests_today: dict[str, Total] = field(default_factory=dict)
    rests_by_month: ByMonth = field(default_factory=dict)

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
        return replace(
            self,
            today={one: total for one, total in self.today.items() if one in device_ids},
            by_month={key: total for key, total in self.by_month.items() if key[1] in device_ids},
            rests_today={one: total for one, total in self.rests_today.items() if one in device_ids},
            rests_by_month={key: total for key, total in self.rests_by_month.items() if key[1] in device_ids},
        )

    @property
    def months(self) -> list[str]:
        """Months (YYYY-MM) of which anything is known."""
        return sorted({month for month, _ in (*self.by_month, *self.rests_by_month)})

    def month(self, month: str) -> Total:
        """A month (YYYY-MM) of all devices."""
        parts = (*self.by_month.items(), *self.rests_by_month.items())
        return sum_totals(total for (one, _), total in parts if one == month)

    @property
    def year(self) -> Total:
        """The financial year so far of all devices."""
        return sum_totals((*self.by_month.values(), *self.rests_by_month.values()))

    @property
    def whole_today(self) -> Total:
        """Today of all devices."""
        return sum_totals((*self.today.values(), *self.rests_today.values()))

    @property
    def year_unexplained(self) -> Total:
        """Of the financial year what meters measured beyond the devices that are known."""
        return sum_totals(self.rests_by_month.values())


def running_totals(connection: Connection, now: int, closed: ClosedDays | None = None) -> RunningTotals:
    """All totals up to `now` (Unix seconds); `closed` keeps those of days that are over."""
    rules = rules_of(connection)
    date = rules.day(half_hour_of(now))
    year = financial_year(date)
    yesterday = date - datetime.timedelta(days=1)
    first = financial_year_dates(year)[0]
    today = metered_totals(connection, rules, date, date, now)
    metered = (closed or ClosedDays()).get(connection, rules, first, yesterday, now).with_more(today)
    totals = RunningTotals(now, year, rules, by_month=metered.devices, rests_by_month=metered.rests)
    totals.today, totals.rests_today = (
        {device_id: total for (_, device_id), total in part.items()} for part in (today.devices, today.rests)
    )
    _add_unwritten(connection, totals, date)
    return totals


def _add_unwritten(connection: Connection, totals: RunningTotals, date: datetime.date) -> None:
    """Add half-hours that are due and not written, less what stands in the ledger for them already."""
    groups = error_groups(connection)
    linked = set(connection.execute(select(fed_device())).scalars())
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
            before = {one.half_hour: one for one in half_hours([segment], written, groups)}
            for one in half_hours([segment], merged, groups):
                # What is written of a linked device may be by its outlets: a late half-hour waits until it is written.
                if device_id not in linked or one.half_hour not in before:
                    _replace(totals, one.half_hour, device_id, date, one, before.get(one.half_hour))


def _replace(
    totals: RunningTotals, half_hour: int, device_id: str, date: datetime.date, now: HalfHour, before: HalfHour | None
) -> None:
    """Put a half-hour's newer value in the place of the one that was added."""
    day = totals.rules.day(half_hour)
    if financial_year(day) != totals.financial_year:
        return
    key = (day.isoformat()[:7], device_id)
    # What is there may be that of days which are kept.
    totals.by_month[key] = copy(totals.by_month.get(key, nothing()))
    places = [totals.by_month[key]]
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
        self._closed = ClosedDays()

    def get(self) -> RunningTotals:
        """Totals no older than half a minute."""
        with self._lock:
            now = self._clock()
            if self._kept is None or now - self._kept.as_of > FRESH_SECONDS:
                with self._database.read() as connection:
                    self._kept = running_totals(connection, int(now), self._closed)
            return self._kept
