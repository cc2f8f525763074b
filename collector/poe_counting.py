"""What part of a site's devices of a class its switches' PoE ports feed, day by day (`carbon.poe_ports`)."""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from carbon.calendar import day_bounds
from carbon.poe_ports import FED_CLASSES, Candidates, fed_by_count, low_microwatts
from collector.class_metered import SeenDevice
from collector.class_profiles import ProfileStretch, profile_at
from collector.poe_ports import PoePorts


@dataclass(frozen=True, slots=True)
class Counting:
    """What the count goes by.

    `unread` has how many devices of a class that nothing reads there are at a site on each day from `first` (an ordinal)
    on, by site and class; `read` those of the organisation that are read, by class, for a month's first day.
    """

    told: PoePorts
    unread: Mapping[tuple[int, str], Sequence[int]]
    read: Callable[[datetime.date], Mapping[str, Sequence[SeenDevice]]]
    profiles: Mapping[str, Sequence[ProfileStretch]]
    time_zone: str
    first: int

    def parts(self) -> Iterator[tuple[int, int, str, Fraction]]:
        """The part of the unread devices that is fed, where any is: by site, day (its ordinal) and class."""
        by_day: dict[int, list[int]] = {}
        for site_id, day in self.told.ports:
            by_day.setdefault(day, []).append(site_id)
        for day, sites in sorted(by_day.items()):
            read, low = self._read_without_port(day), self._low(day)
            for site_id in sorted(sites):
                candidates = [
                    Candidates(
                        name,
                        low[name],
                        unread[day - self.first] if (unread := self.unread.get((site_id, name))) else 0,
                        read.get((site_id, name), 0),
                    )
                    for name in low
                ]
                counts = fed_by_count(self.told.ports[site_id, day], candidates)
                for one, fed in zip(candidates, counts, strict=True):
                    if fed:
                        yield site_id, day, one.device_class, Fraction(fed, one.unread)

    def _low(self, day: int) -> dict[str, int]:
        """The least that devices of each class draw, of those that have a profile on the day."""
        date = datetime.date.fromordinal(day)
        begins = day_bounds(date, self.time_zone)[0]
        held = {name: profile_at(self.profiles[name], begins).profile for name in FED_CLASSES if name in self.profiles}
        return {name: low_microwatts(one, date.year) for name, one in held.items() if one is not None}

    def _read_without_port(self, day: int) -> dict[tuple[int, str], int]:
        """Devices that are read and of which no port is known, by site and class: one of the ports is theirs."""
        date = datetime.date.fromordinal(day)
        known = self.told.known_on(*day_bounds(date, self.time_zone))
        seen = self.read(date.replace(day=1))
        found: dict[tuple[int, str], int] = {}
        for one in (one for name in FED_CLASSES for one in seen.get(name, ())):
            if one.site_id is not None and one.device_id not in known:
                found[one.site_id, one.device_class] = found.get((one.site_id, one.device_class), 0) + 1
        return found
