"""Half-hours, days, months and financial years.

Instants are UTC; a half-hour is the Unix second of its start, a multiple of 1,800. Days, months and financial years
(April to March) are those of the organisation's time zone: in Europe/London a day has 46, 48 or 50 half-hours.
"""

import datetime
from collections.abc import Iterable
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from carbon.errors import CalendarError

HALF_HOUR_SECONDS = 1800
_DAY_SECONDS = 86_400


def half_hour_of(unix_seconds: int) -> int:
    """The half-hour that holds an instant in seconds.

    >>> half_hour_of(1_800_000_059)
    1800000000
    """
    return unix_seconds - unix_seconds % HALF_HOUR_SECONDS


@lru_cache(maxsize=32)
def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name. Raises CalendarError if there is none, or half-hours do not fit its days."""
    try:
        found = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CalendarError(f"there is no time zone {name!r}: write one such as Europe/London") from error
    for month in range(1, 13):
        offset = datetime.datetime(2026, month, 1, tzinfo=found).utcoffset()
        if offset is None or offset.total_seconds() % HALF_HOUR_SECONDS:
            raise CalendarError(f"time zone {name} is not whole half-hours from UTC: half-hours would span two days")
    return found


@lru_cache(maxsize=16_384)
def _local_midnights(zone_name: str, utc_day: int) -> tuple[int, tuple[tuple[int, datetime.date], ...]]:
    """Local dates that begin within a UTC day, and the date at its start: the table that lookups share."""
    tz = zone(zone_name)
    start = utc_day * _DAY_SECONDS
    changes = []
    previous = datetime.datetime.fromtimestamp(start, tz).date()
    first = previous
    for half_hour in range(start, start + _DAY_SECONDS, HALF_HOUR_SECONDS):
        date = datetime.datetime.fromtimestamp(half_hour, tz).date()
        if date != previous:
            changes.append((half_hour, date))
            previous = date
    return first.toordinal(), tuple(changes)


def local_day(half_hour: int, zone_name: str) -> datetime.date:
    """The local date in which a half-hour starts."""
    ordinal, changes = _local_midnights(zone_name, half_hour // _DAY_SECONDS)
    for begins, date in reversed(changes):
        if half_hour >= begins:
            return date
    return datetime.date.fromordinal(ordinal)


@lru_cache(maxsize=16_384)
def day_bounds(date: datetime.date, zone_name: str) -> tuple[int, int]:
    """First half-hour of a local day, and first of the next: 46, 48 or 50 half-hours lie between."""
    tz = zone(zone_name)
    following = date + datetime.timedelta(days=1)
    start = datetime.datetime(date.year, date.month, date.day, tzinfo=tz)
    end = datetime.datetime(following.year, following.month, following.day, tzinfo=tz)
    return int(start.timestamp()), int(end.timestamp())


def half_hours_of_day(date: datetime.date, zone_name: str) -> range:
    """The half-hours of a local day."""
    start, end = day_bounds(date, zone_name)
    return range(start, end, HALF_HOUR_SECONDS)


def days_between(first: datetime.date, last: datetime.date) -> Iterable[datetime.date]:
    """Every date from `first` to `last`, both included."""
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield datetime.date.fromordinal(ordinal)


def financial_year(date: datetime.date) -> int:
    """The calendar year in which the date's financial year (1 April to 31 March) begins."""
    return date.year if date.month >= 4 else date.year - 1


def financial_year_label(year: int) -> str:
    """How a financial year is written.

    >>> financial_year_label(2026)
    '2026/27'
    """
    return f"{year}/{(year + 1) % 100:02d}"


def financial_year_dates(year: int) -> tuple[datetime.date, datetime.date]:
    """First and last date of the financial year that begins in `year`."""
    return datetime.date(year, 4, 1), datetime.date(year + 1, 3, 31)
