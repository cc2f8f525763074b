"""Energy of devices that nobody reads, by month, class and place: days in use times what their class's profile says.

Only days that are over count.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from sqlalchemy import Connection, select

from carbon.calendar import local_day
from carbon.class_profiles import ClassProfile, ProfileEnergy, month_energy
from carbon.device_classes import CLASSES
from collector.class_population import ClassKey, DeviceDays, Population, Span, month_starts, next_month, ordinal_from
from collector.class_profiles import ProfileStretch, profile_stretches
from collector.database.schema import organisation, space


@dataclass(frozen=True, slots=True)
class ClassEnergy:
    """Devices of a class at one place in a month (YYYY-MM) under one profile.

    `device_days` counts each device's days in use, of a shared one the council's part. `source` is the profile's. Rows
    differ in what stands before `device_days`, or else in the profile, where that changed within the month.
    """

    month: str
    device_class: str
    site_id: int | None
    space_id: int | None
    directorate: str
    service_category: str
    school: bool
    device_days: Fraction
    energy: ProfileEnergy
    source: str


def by_month(
    connection: Connection, organisation_id: int, first_month: str, last_month: str, now: int
) -> list[ClassEnergy]:
    """All rows from a month to another (YYYY-MM, both included), by month, class and place. `now` in Unix seconds.

    A day belongs to what holds at its beginning. A class has rows where a profile stands for it: one of an end user's
    class, or any that the organisation has given a profile.
    """
    time_zone = connection.execute(
        select(organisation.c.time_zone).where(organisation.c.id == organisation_id)
    ).scalar_one()
    first, last = days_over(first_month, last_month, now, time_zone)
    if last < first:
        return []
    profiles = profile_stretches(connection, organisation_id)
    days = Population(connection, organisation_id, time_zone, first, last, profiles).device_days()
    homes = set(connection.execute(select(space.c.id).where(space.c.kind == "home")).scalars())
    held = {name: _by_profile(stretches, first, last, time_zone) for name, stretches in profiles.items()}
    found = [row for key in days for row in _rows(key, days, held[key.device_class], homes)]
    order = list(CLASSES)
    return sorted(
        found,
        key=lambda one: (
            one.month,
            order.index(one.device_class),
            one.site_id or 0,
            one.space_id or 0,
            one.directorate,
            one.service_category,
            one.school,
        ),
    )


def days_over(first_month: str, last_month: str, now: int, time_zone: str) -> tuple[datetime.date, datetime.date]:
    """The first and last local day of some months (YYYY-MM) that are over; the last before the first where none is."""
    last = next_month(datetime.date.fromisoformat(f"{last_month}-01")) - datetime.timedelta(days=1)
    yesterday = local_day(now - now % 1800, time_zone) - datetime.timedelta(days=1)
    return datetime.date.fromisoformat(f"{first_month}-01"), min(last, yesterday)


def _rows(
    key: ClassKey,
    days: DeviceDays,
    stretches: Sequence[tuple[Span, str, ClassProfile | None]],
    homes: set[int],
) -> Iterator[ClassEnergy]:
    cuts = [stretches[0][0][0], *(span[1] for span, _, _ in stretches)]
    amounts: dict[tuple[str, ClassProfile], int | Fraction] = {}
    for (_, month, profile), device_days in zip(stretches, days.between(key, cuts), strict=True):
        if profile is not None and device_days:
            amounts[month, profile] = amounts.get((month, profile), 0) + device_days
    for (month, profile), device_days in amounts.items():
        energy = month_energy(profile, month, device_days)
        if key.space_id in homes:
            whole = energy.office_uj + energy.home_uj
            energy = ProfileEnergy(0, whole, energy.low_factor, energy.high_factor)
        yield ClassEnergy(
            month=month,
            device_class=key.device_class,
            site_id=key.site_id,
            space_id=key.space_id,
            directorate=key.directorate,
            service_category=key.service_category,
            school=key.school,
            device_days=Fraction(device_days),
            energy=energy,
            source=profile.source,
        )


def _by_profile(
    stretches: Sequence[ProfileStretch], first: datetime.date, last: datetime.date, time_zone: str
) -> list[tuple[Span, str, ClassProfile | None]]:
    """The days from `first` to `last`, cut at months and where the profile changes."""
    begins, ends = first.toordinal(), last.toordinal() + 1
    held = [
        (ordinal_from(one.since, time_zone) if one.since else begins, one.profile)
        for one in stretches
        if one.until is None or ordinal_from(one.until, time_zone) > begins
    ]
    cuts = {begins, ends, *month_starts(first, last)} | {since for since, _ in held if begins < since < ends}
    return [
        (
            (since, until),
            f"{datetime.date.fromordinal(since):%Y-%m}",
            next(profile for begun, profile in reversed(held) if begun <= since),
        )
        for since, until in pairwise(sorted(cuts))
    ]
