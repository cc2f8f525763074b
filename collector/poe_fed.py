"""Devices that lie in the readings of switches by count of their ports, which is why no profile stands for them."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import Connection

from carbon.device_classes import CLASSES
from carbon.poe_ports import FED_CLASSES
from collector.class_population import Population, month_starts
from collector.class_profiles import profile_stretches

WHY = "so many PoE ports of their sites' switches give such power, which the switches' readings hold"
OTHERWISE = 'if that is not so: ictagent estate organisation --poe-rule off --reason "..."'


@dataclass(frozen=True, slots=True)
class FedDays:
    """Device-days of a class at a site in a month (YYYY-MM) that lie in the readings of switches."""

    month: str
    device_class: str
    site_id: int
    device_days: Fraction


def fed_by_month(
    connection: Connection, organisation_id: int, time_zone: str, first: datetime.date, last: datetime.date
) -> list[FedDays]:
    """By month, class and site, from a local day to another (both included, and over)."""
    if last < first:
        return []
    profiles = {
        name: held for name, held in profile_stretches(connection, organisation_id).items() if name in FED_CLASSES
    }
    population = Population(connection, organisation_id, time_zone, first, last, profiles)
    population.device_days()
    cuts = [first.toordinal(), *month_starts(first, last), last.toordinal() + 1]
    sums: dict[tuple[str, str, int], Fraction] = {}
    for key in population.fed:
        for begins, days in zip(cuts, population.fed.between(key, cuts), strict=False):
            if days and key.site_id is not None:
                at = (f"{datetime.date.fromordinal(begins):%Y-%m}", key.device_class, key.site_id)
                sums[at] = sums.get(at, Fraction(0)) + days
    return [FedDays(*at, days) for at, days in sorted(sums.items())]


def fed_on(connection: Connection, organisation_id: int, time_zone: str, day: datetime.date) -> dict[str, int]:
    """How many devices of each class there are on a local day: whole ones, as they are counted."""
    found: dict[str, int] = {}
    for one in fed_by_month(connection, organisation_id, time_zone, day, day):
        found[one.device_class] = found.get(one.device_class, 0) + int(one.device_days)
    return found


def fed_words(devices: Mapping[str, int]) -> str:
    """How many devices are known so, by class, in words; "" of none.

    >>> fed_words({"access_point": 12, "desk_phone": 1030})
    'wireless access point (12), desk telephone (1,030)'
    """
    return ", ".join(f"{CLASSES[name].words} ({number:,})" for name, number in devices.items() if number)
