"""Months as reports name them, YYYY-MM: which there are between two, and which follow each other."""

import datetime
from collections.abc import Iterable
from functools import lru_cache

from carbon.calendar import day_bounds, days_between
from carbon.errors import CarbonError


def middle_of(month: str) -> datetime.date:
    """A day of a month by which its factors are found. Raises CarbonError for what is no month.

    >>> middle_of("2025-04")
    datetime.date(2025, 4, 15)
    """
    try:
        return datetime.date.fromisoformat(f"{month}-15")
    except ValueError:
        raise CarbonError(f"{month!r} is no month: write it as 2025-04") from None


def months_between(first: str, last: str) -> list[str]:
    """Every month from one to another, both included.

    >>> months_between("2024-12", "2025-02")
    ['2024-12', '2025-01', '2025-02']
    """
    begin, end = middle_of(first), middle_of(last)
    numbers = range(begin.year * 12 + begin.month - 1, end.year * 12 + end.month)
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in numbers]


def runs_of(months: Iterable[str]) -> list[tuple[str, str]]:
    """Months in order as stretches without a gap, each as its first and last.

    >>> runs_of(["2024-12", "2025-01", "2025-03"])
    [('2024-12', '2025-01'), ('2025-03', '2025-03')]
    """
    found: list[tuple[str, str]] = []
    for month in sorted(months):
        if found and len(months_between(found[-1][1], month)) == 2:
            found[-1] = (found[-1][0], month)
        else:
            found.append((month, month))
    return found


def days_by_month(first: datetime.date, last: datetime.date) -> dict[str, int]:
    """How many days of each month lie from one date to another, both included.

    >>> days_by_month(datetime.date(2025, 1, 30), datetime.date(2025, 2, 3))
    {'2025-01': 2, '2025-02': 3}
    """
    found: dict[str, int] = {}
    for day in days_between(first, last):
        month = f"{day:%Y-%m}"
        found[month] = found.get(month, 0) + 1
    return found


def is_over(month: str, time_zone: str, now: int) -> bool:
    """Whether a month has ended in a time zone by `now` (Unix seconds).

    >>> is_over("2025-03", "Europe/London", 1_743_462_000), is_over("2025-03", "Europe/London", 1_743_461_999)
    (True, False)
    """
    return now >= month_bounds(month, time_zone)[1]


@lru_cache(maxsize=1024)
def month_bounds(month: str, time_zone: str) -> tuple[int, int]:
    """Unix seconds of a month's start and end (of which it holds no more) in a time zone.

    >>> month_bounds("2025-03", "Europe/London")
    (1740787200, 1743462000)
    """
    following = (middle_of(month) + datetime.timedelta(days=31)).replace(day=1)
    return day_bounds(middle_of(month).replace(day=1), time_zone)[0], day_bounds(following, time_zone)[0]
