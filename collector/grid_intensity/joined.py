"""The ledger's half-hours of sites, each with the grid's intensity: kilograms of CO2 by site, half-hour and month.

Energy is what half-hours have: the accounting meters of devices that count, with the PUE of their space, as in the series
`carbon_half_hour`. Class profiles and rests of meters have no half-hours and are not in it, nor are homes; its coverage
says what part of its half-hours met an intensity. Never mixed with factor sets, and T&D is never added.
"""

import datetime
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from sqlalchemy import Connection, func, select

from carbon.calendar import day_bounds
from carbon.grid_intensity import TimeSpecific, summed, time_specific
from carbon.market import month_bounds
from carbon.months import months_between
from carbon.spaces import Pue
from collector.database.schema import ledger, space
from collector.device_energy import rules_by_organisation
from collector.grid_intensity.places import outwards
from collector.grid_intensity.store import NATIONAL, intensities, regions
from collector.ledger import current
from collector.segments import Segment, load_segments

Basis = Literal["national", "regional"]
BASES: dict[Basis, str] = {
    "national": "Great Britain's intensity as it was",
    "regional": "the last forecast for the region of the site's postcode, which has no measured intensity",
}
_METERS_AT_ONCE = 400
Energies = dict[tuple[int | None, str], dict[int, int]]
"""Microjoules by site (its number and name) and half-hour."""


@dataclass(frozen=True, slots=True)
class SiteMonth:
    """A site's month by the national intensity, and by its region's where its postcode says which one it is."""

    site: str
    month: str
    region: str
    national: TimeSpecific
    regional: TimeSpecific


def site_months(
    connection: Connection, organisation_id: int, first_month: str, last_month: str, now: int
) -> list[SiteMonth]:
    """Sites and months (YYYY-MM, both included) with energy by half-hour, in order."""
    time_zone = rules_by_organisation(connection)[organisation_id].time_zone
    months = {month: _bounds(month, month, time_zone, now) for month in months_between(first_month, last_month)}
    start, end = months[first_month][0], months[last_month][1]
    grid = _Grid(connection, start, end, now)
    found = []
    for (site_id, name), by_time in _energies(connection, organisation_id, start, end).items():
        region, region_name = grid.region(site_id)
        national, regional = grid.intensities(NATIONAL), grid.intensities(region)
        times = sorted(by_time)
        for month, (begins, ends) in months.items():
            mine = [(at, by_time[at]) for at in times[bisect_left(times, begins) : bisect_left(times, ends)]]
            if mine:
                found.append(SiteMonth(name, month, region_name, summed(mine, national), summed(mine, regional)))
    return sorted(found, key=lambda one: (one.site, one.month))


def by_half_hour(
    connection: Connection, organisation_id: int, start: int, end: int, now: int, basis: Basis
) -> dict[tuple[int | None, str], dict[int, TimeSpecific]]:
    """Each site (its number and name, None and "" for devices without one) with its half-hours and their intensity.

    A site whose region is not known has no regional intensity: its half-hours are there, and not covered.
    """
    grid = _Grid(connection, start, end, now)
    return {
        (site_id, name): time_specific(
            dict(sorted(by_time.items())),
            grid.intensities(NATIONAL if basis == "national" else grid.region(site_id)[0]),
        )
        for (site_id, name), by_time in _energies(connection, organisation_id, start, end).items()
    }


class _Grid:
    """Intensities of a time by region, each read once, and the region of each site."""

    def __init__(self, connection: Connection, start: int, end: int, now: int) -> None:
        self._connection, self._start, self._end = connection, start, end
        self._places, self._regions = outwards(connection, now), regions(connection)
        self._known: dict[str, dict[int, Decimal]] = {"": {}}

    def region(self, site_id: int | None) -> tuple[str, str]:
        """A site's region and its name; "" where it is not known."""
        return self._regions.get(self._places.get(site_id or 0, ""), ("", ""))

    def intensities(self, region: str) -> dict[int, Decimal]:
        if region not in self._known:
            self._known[region] = intensities(self._connection, region, self._start, self._end)
        return self._known[region]


def _energies(connection: Connection, organisation_id: int, start: int, end: int) -> Energies:
    """Microjoules with overheads by site and half-hour; what has the same place, PUE and time is added up by the database."""
    homes = set(connection.execute(select(space.c.id).where(space.c.kind == "home")).scalars())
    groups: dict[tuple[int | None, str, Pue, int, int], list[Segment]] = {}
    for one in load_segments(connection, start, end):
        if one.organisation_id == organisation_id and one.counted and one.space_id not in homes:
            groups.setdefault((one.site_id, one.site, one.pue, one.start, one.end), []).append(one)
    found: Energies = {}
    for (site_id, name, pue, begins, ends), segments in groups.items():
        of = found.setdefault((site_id, name), {})
        ids = sorted({meter_id for segment in segments for meter_id in segment.meter_ids})
        sums: dict[int, int] = {}
        for at in range(0, len(ids), _METERS_AT_ONCE):
            for half_hour, energy in _sums(connection, ids[at : at + _METERS_AT_ONCE], begins, ends):
                sums[half_hour] = sums.get(half_hour, 0) + energy
        over, under = Fraction(str(pue.value)).as_integer_ratio()
        for half_hour, energy in sums.items():
            of[half_hour] = of.get(half_hour, 0) + _rounded(energy * over, under)
    return found


def _rounded(number: int, under: int) -> int:
    """A fraction as a whole number, half to even."""
    whole, rest = divmod(number, under)
    return whole + (2 * rest > under or (2 * rest == under and whole % 2))


def _sums(connection: Connection, meter_ids: Sequence[int], start: int, end: int) -> list[tuple[int, int]]:
    energy = func.sum(ledger.c.measured_uj + ledger.c.estimated_uj)
    mine = (ledger.c.meter_id.in_(meter_ids), ledger.c.half_hour >= start, ledger.c.half_hour < end)
    query = select(ledger.c.half_hour, energy).where(*mine).group_by(ledger.c.half_hour)
    # Looking for a higher revision of each row takes twice as long as all else, and few rows have one.
    if connection.execute(select(ledger.c.half_hour).where(*mine, ledger.c.revision > 1).limit(1)).first() is not None:
        query = query.where(current())
    return [(half_hour, int(total)) for half_hour, total in connection.execute(query).all()]


def _bounds(first_month: str, last_month: str, time_zone: str, now: int) -> tuple[int, int]:
    first, last = month_bounds(first_month)[0], month_bounds(last_month)[1]
    start = day_bounds(first, time_zone)[0]
    end = day_bounds(last + datetime.timedelta(days=1), time_zone)[0]
    return start, max(start, min(end, now - now % 1800))
