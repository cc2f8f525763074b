"""Totals of devices and of what meters measured beyond them, by month: the metering tree's amounts with their footprint.

The same amounts as in `collector.estate_totals`. What lies below a meter of a whole room or building gets no PUE, and
what UPSs and PDUs use themselves is counted as itself and taken off the overhead of its space.
"""

import datetime
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from carbon.calendar import day_bounds
from carbon.footprint import footprint
from carbon.overhead import pue_beside
from carbon.spaces import NOT_SET, Pue
from collector.database.schema import ledger_day, meter
from collector.device_energy import Rules
from collector.estate_version import estate_version
from collector.metered import Accounted
from collector.metering import metering
from collector.totals import Total, nothing, sum_totals

LONGEST_SECONDS = 600.0
"""So long are totals of days that are over kept, though nothing is seen to have changed: guests' hosts may be told late."""
SETTLED_SECONDS = 2 * 3600
"""A day's last half-hours are written by then."""
_PRIME = 1_000_003

ByMonth = dict[tuple[str, str], Total]
"""Totals by month (YYYY-MM) and device."""


@dataclass(slots=True)
class MeteredTotals:
    """`devices` by month and device; `rests` the same of what meters of a device measured beyond the devices below."""

    devices: ByMonth = field(default_factory=dict)
    rests: ByMonth = field(default_factory=dict)

    def with_more(self, other: "MeteredTotals") -> "MeteredTotals":
        """The sum of both, which are left as they are."""
        return MeteredTotals(_sum(self.devices, other.devices), _sum(self.rests, other.rests))


def _sum(one: ByMonth, other: ByMonth) -> ByMonth:
    whole = dict(one)
    for key, total in other.items():
        whole[key] = sum_totals([whole[key], total]) if key in whole else copy(total)
    return whole


def metered_totals(
    connection: Connection, rules: Rules, first: datetime.date, last: datetime.date, now: int
) -> MeteredTotals:
    """All of a local date to another, both included, up to `now` (Unix seconds), of all organisations."""
    found = MeteredTotals()
    rows = metering(connection, first, last, now).rows if first <= last else []
    for row, pue in _with_pue(rows):
        of = found.rests if row.kind == "rest" else found.devices
        total = of.setdefault((row.month, row.device_id), nothing())
        # A month's factors are one set: they change in April.
        factors = rules.factors(max(first, datetime.date.fromisoformat(f"{row.month}-01"))).factors
        total.add(row.energy, footprint(row.energy, factors, pue), row.covered_seconds)
        total.possible_seconds += row.possible_seconds
    return found


def _with_pue(rows: Sequence[Accounted]) -> Iterable[tuple[Accounted, Pue]]:
    """Each row with the PUE that applies to it beside what its space's UPSs lost."""
    losses: dict[tuple[object, ...], int] = {}
    used: dict[tuple[object, ...], int] = {}
    for row in rows:
        if row.overhead != "held":
            of = losses if row.overhead == "ups_loss" else used
            of[_space(row)] = of.get(_space(row), 0) + row.energy.total_uj
    pues = {key: pue_beside(uj, losses.get(key, 0), key[-1]) for key, uj in used.items() if isinstance(key[-1], Pue)}
    for row in rows:
        yield row, pues[_space(row)] if row.overhead == "whole" else NOT_SET


def _space(row: Accounted) -> tuple[object, ...]:
    return row.month, row.organisation_id, row.site_id, row.space_id, row.pue


@dataclass(slots=True)
class _Kept:
    at: int
    mark: tuple[object, ...]
    totals: MeteredTotals


class ClosedDays:
    """Totals of days that are over, kept while neither the estate nor a day of the ledger changes."""

    def __init__(self) -> None:
        self._kept: dict[tuple[datetime.date, datetime.date], _Kept] = {}

    def get(
        self, connection: Connection, rules: Rules, first: datetime.date, last: datetime.date, now: int
    ) -> MeteredTotals:
        """As `metered_totals`. What is given must not be changed."""
        if first > last or now < day_bounds(last, rules.time_zone)[1] + SETTLED_SECONDS:
            return metered_totals(connection, rules, first, last, now)
        mark = _mark(connection, rules, first, last)
        kept = self._kept.get((first, last))
        if kept is None or kept.mark != mark or not 0 <= now - kept.at < LONGEST_SECONDS:
            kept = _Kept(now, mark, metered_totals(connection, rules, first, last, now))
            # Yesterday was the last day of another stretch: one is kept, and never many.
            self._kept = {(first, last): kept}
        return kept.totals


def _mark(connection: Connection, rules: Rules, first: datetime.date, last: datetime.date) -> tuple[object, ...]:
    """What changes with the estate, and as good as surely with any day of the ledger."""
    # Remainders, because the sum of a large estate's year is more than a database's whole numbers hold; one sum, as there
    # are hundreds of thousands of days.
    day = ledger_day.c
    told = day.measured_uj + 3 * day.estimated_uj + 5 * day.low_uj + 7 * day.high_uj + 11 * day.covered_seconds
    # All meters by name, so that SQLite goes as the table lies (`collector.totals`).
    within = (
        day.meter_id.in_(select(meter.c.id)),
        day.local_day >= first.isoformat(),
        day.local_day <= last.isoformat(),
    )
    query = select(func.count(), func.sum(told % _PRIME)).where(*within)
    return (estate_version(connection), rules, *connection.execute(query).one())
