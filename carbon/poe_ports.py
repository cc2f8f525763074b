"""How many devices that nobody reads a site's PoE ports account for: a count, where no neighbour table names them.

A switch's figure holds what its ports give (carbon reference, section 6), so a telephone at one of them is in that figure
and its class profile would be the same energy twice. Which port feeds which device is not known; how many ports give power
as devices of the class draw it is. So at most as many devices are taken for fed as there are such ports.
"""

import calendar
import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from carbon.class_profiles import ClassProfile

FED_CLASSES = ("access_point", "desk_phone")
"""Classes of devices that ports feed as a rule, in the order in which ports are given to them: the one that draws more
first, since a telephone's port is none of an access point, while an access point's might be a telephone's."""


Ports = Mapping[str, Sequence[int]]
"""What PoE ports gave on a day on average, in microwatts, by the class of who is seen there, "" where nobody is. Plain
numbers, as a large council has three million of them in a year."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Devices of a class at a site: `unread` that nothing reads, and `read` ones that must have a port which is not known."""

    device_class: str
    low_microwatts: int
    unread: int
    read: int = 0


def low_microwatts(profile: ClassProfile, year: int) -> int:
    """The least that a device of a class draws on average, by its profile's lower bound, rounded up.

    >>> from carbon.class_profiles import packaged_profiles
    >>> low_microwatts(packaged_profiles()["access_point"], 2026)
    4500000
    """
    hours = 24 * (366 if calendar.isleap(year) else 365)
    return math.ceil(Fraction(profile.year_wh(year)) * Fraction(str(profile.low_factor)) * 1_000_000 / hours)


def fed_by_count(ports: Ports, candidates: Sequence[Candidates]) -> list[int]:
    """How many of each class's unread devices are fed by the ports, class after class as they stand.

    A port where somebody is seen serves that class alone. Devices that are read come first: their ports are theirs. Of
    ports that nobody is seen at those with the greatest power are used first, so that fewer are left for the next class.

    >>> ports = {"": [9_000_000, 2_000_000], "desk_phone": [2_000_000]}
    >>> wanted = [Candidates("access_point", 4_500_000, 5), Candidates("desk_phone", 1_100_000, 5)]
    >>> fed_by_count(ports, wanted)
    [1, 2]
    """
    free = sorted(ports.get("", ()))
    found = []
    for one in candidates:
        own = sum(each >= one.low_microwatts for each in ports.get(one.device_class, ()))
        fitting = len(free) - bisect_left(free, one.low_microwatts)
        taken = min(one.read + one.unread, own + fitting)
        free = free[: len(free) - max(0, taken - own)]
        found.append(max(0, taken - one.read))
    return found
