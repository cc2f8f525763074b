"""How good class profiles are, by those devices of the class that are read: their mean energy beside the profile's."""

import datetime
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import Connection, func, select

from carbon.calendar import day_bounds, local_day
from carbon.class_profiles import ClassProfile, year_by_month
from carbon.units import UJ_PER_KWH
from collector.class_metered import NOT_ITS_OWN, seen_classes
from collector.class_profiles import profile_at, profile_stretches
from collector.database.schema import ledger_day, meter
from collector.device_energy import rules_by_organisation
from collector.totals import month_totals

DAYS_OF_A_MONTH = 365.2425 / 12


@dataclass(slots=True)
class Quality:
    """Devices of a class that were read, and what they would have used by the profile, in microjoules.

    `device_days` are the days from each one's first reading to its last: a laptop that was off on a Sunday used nothing
    then, by both.
    """

    devices: int = 0
    device_days: int = 0
    read_uj: int = 0
    profile_uj: int = 0

    @property
    def read_month_kwh(self) -> float:
        """What one of them used in a month, in the mean."""
        return self.read_uj / UJ_PER_KWH / self.device_days * DAYS_OF_A_MONTH

    @property
    def profile_month_kwh(self) -> float:
        """What the profile says one of them used in a month."""
        return self.profile_uj / UJ_PER_KWH / self.device_days * DAYS_OF_A_MONTH

    @property
    def ratio(self) -> float | None:
        """Read over profile: what the profile's band should hold. None where the profile says nothing."""
        return self.read_uj / self.profile_uj if self.profile_uj else None


def profile_quality(
    connection: Connection, organisation_id: int, first: datetime.date, last: datetime.date, now: int
) -> dict[str, Quality]:
    """By class, from a local date to another, both included. Classes of which no device was read are not there."""
    rules = rules_by_organisation(connection)[organisation_id]
    last = min(last, local_day(now - now % 1800, rules.time_zone))
    if first > last:
        return {}
    profiles = profile_stretches(connection, organisation_id)
    kinds = {
        one.device_id: one.device_class
        for one in seen_classes(connection, organisation_id, day_bounds(last, rules.time_zone)[1])
        if one.device_class in profiles
    }
    if not kinds:
        return {}
    heard = _heard(connection, set(kinds))
    found: dict[str, Quality] = {}
    known: dict[str, set[str]] = {}
    for (month, device_id), total in month_totals(connection, rules, first, last, now).items():
        if device_id not in kinds or device_id not in heard:
            continue
        kind = kinds[device_id]
        begun, ended = heard[device_id]
        start = datetime.date.fromisoformat(f"{month}-01")
        following = (start + datetime.timedelta(days=32)).replace(day=1)
        from_day, to_day = max(begun, first, start), min(ended, last, following - datetime.timedelta(days=1))
        held = profile_at(profiles[kind], day_bounds(start, rules.time_zone)[0]).profile
        if from_day > to_day or held is None:
            continue
        days = (to_day - from_day).days + 1
        quality = found.setdefault(kind, Quality())
        known.setdefault(kind, set()).add(device_id)
        quality.devices = len(known[kind])
        quality.device_days += days
        quality.read_uj += total.energy.total_uj
        quality.profile_uj += _profile_uj(held, start, days, (following - start).days)
    return found


def _profile_uj(profile: ClassProfile, month: datetime.date, days: int, days_of_month: int) -> int:
    return round(Fraction(year_by_month(profile, month.year)[month.month - 1], days_of_month) * days)


def _heard(connection: Connection, device_ids: set[str]) -> dict[str, tuple[datetime.date, datetime.date]]:
    """The local days of each device's first and last reading."""
    query = (
        select(meter.c.device_id, func.min(ledger_day.c.local_day), func.max(ledger_day.c.local_day))
        .join(meter, meter.c.id == ledger_day.c.meter_id)
        .where(meter.c.device_id.in_(sorted(device_ids)), meter.c.covers.not_in(NOT_ITS_OWN))
        .group_by(meter.c.device_id)
    )
    return {
        device_id: (datetime.date.fromisoformat(first), datetime.date.fromisoformat(last))
        for device_id, first, last in connection.execute(query)
    }
