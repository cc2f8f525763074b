"""A time of the metering tree by its local days, the first and the last of which may be parts of days."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from carbon.calendar import day_bounds, days_between
from carbon.daily import Column, Days
from collector.device_energy import Rules
from collector.ledger import closed_before


@dataclass(frozen=True, slots=True)
class Time:
    """From half-hour `start` to before `end`. Columns have a figure for each day."""

    start: int
    end: int
    days: Sequence[datetime.date]
    starts: Column
    ends: Column
    months: Sequence[tuple[str, Days]]
    """Each month (YYYY-MM) with its days."""
    cut: Sequence[int]
    """Days of which there is a part alone."""
    past: Column
    """Seconds of each day that are over."""
    written: Column
    """Seconds of each day whose half-hours the ledger has, or none or less."""
    all_read: Sequence[float]
    """The coverage of what was read on every day for all of the time."""


def time_between(start: int, end: int, rules: Rules, now: int) -> Time:
    """The days from half-hour `start` to before `end`, seen from `now` (Unix seconds)."""
    days = list(days_between(rules.day(start), rules.day(end - 1)))
    bounds = [day_bounds(day, rules.time_zone) for day in days]
    starts = tuple(max(start, begins) for begins, _ in bounds)
    ends = tuple(min(end, ends) for _, ends in bounds)
    months: dict[str, Days] = {}
    for number, day in enumerate(days):
        name = day.isoformat()[:7]
        months[name] = months.get(name, 0) | 1 << number
    closed = closed_before(now) + 1800
    both = list(zip(starts, ends, strict=True))
    return Time(
        start=start,
        end=end,
        days=days,
        starts=starts,
        ends=ends,
        months=list(months.items()),
        cut=[number for number, one in enumerate(both) if one != bounds[number]],
        past=tuple(max(0, min(ends, now) - begins) for begins, ends in both),
        written=tuple(min(ends, closed) - begins for begins, ends in both),
        all_read=(1.0,) * len(days),
    )


def coverage(covered: Column, seconds: Column, time: Time) -> Sequence[float]:
    """Seconds with a reading as a share of the seconds that could have had one, by day."""
    if covered == seconds and min(seconds) > 0:
        return time.all_read
    return [min(1.0, read / whole) if whole > 0 else 0.0 for read, whole in zip(covered, seconds, strict=True)]
