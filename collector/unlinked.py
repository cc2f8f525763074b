"""Devices that count by themselves and that nothing is known to feed: they may hang on any meter of the place where they
stand, whose rest is therefore theirs perhaps.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from carbon.intervals import union, without
from collector.segments import Segment
from collector.snmp.places import FEEDING_KINDS

Place = tuple[int | None, int | None]
"""A site and a space of it; None where one is not known."""


class Unlinked:
    """When, at each place, such a device stood. `fed_by` are the times at which something feeds a device."""

    def __init__(
        self,
        segments: Iterable[Segment],
        fed_by: Mapping[str, Sequence[tuple[int, int]]],
        kinds: Mapping[str, str],
    ) -> None:
        found: dict[Place, list[tuple[int, int]]] = {}
        for one in segments:
            if kinds[one.device_id] not in FEEDING_KINDS:
                free = found.setdefault((one.site_id, one.space_id), [])
                free.extend(without(one.start, one.end, fed_by.get(one.device_id, ())))
        self._times = {place: union(times) for place, times in found.items()}

    def any_at(self, places: Iterable[Place], start: int, end: int) -> bool:
        """Whether there was one at any of the places between two half-hours."""
        return any(self._overlaps(self._times.get(place, []), start, end) for place in places)

    def bounds(self, places: Iterable[Place]) -> set[int]:
        """The half-hours from which on there was one at a place, or none any more."""
        return {bound for place in places for times in self._times.get(place, []) for bound in times}

    @staticmethod
    def _overlaps(times: Sequence[tuple[int, int]], start: int, end: int) -> bool:
        at = bisect_right(times, (start, 2**62))
        return (at > 0 and times[at - 1][1] > start) or (at < len(times) and times[at][0] < end)
