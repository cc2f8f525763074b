"""On which clock a file's times are: told by the days on which clocks change, which have 46 and 50 half-hours on the wall."""

import datetime
from collections.abc import Iterable

from carbon.calendar import half_hours_of_day
from collector.half_hourly.instants import Stamp, comes_twice, never_comes
from collector.half_hourly.mapping import Clock


def length_of(date: datetime.date, zone_name: str) -> int:
    """Half-hours of a day on the wall: 46, 48 or 50."""
    return len(half_hours_of_day(date, zone_name))


def clock_of_days(filled: Iterable[tuple[datetime.date, int]], zone_name: str) -> Clock | None:
    """The clock by how many half-hours days have; None where no day of change is among them, or they disagree."""
    told: set[Clock] = set()
    for date, count in filled:
        length = length_of(date, zone_name)
        if length != 48 and count in (length, 48):
            told.add("local" if count == length else "GMT")
    return told.pop() if len(told) == 1 else None


def clock_of_stamps(stamps: Iterable[Stamp], zone: datetime.tzinfo) -> Clock | None:
    """The clock by stamps of one meter: a time that the wall never shows says GMT, one given twice says local.

    The full hour that the wall leaves out says nothing: as an end it may stand for the hour after it.
    """
    seen: dict[datetime.datetime, int] = {}
    for one in stamps:
        if one.minutes % 60 and never_comes(one, zone):
            return "GMT"
        if comes_twice(one, zone):
            seen[one.naive] = seen.get(one.naive, 0) + 1
    if not seen:
        return None
    return "local" if max(seen.values()) > 1 else "GMT"
