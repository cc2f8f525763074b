"""When somebody works: 07:00 to 19:00 local time, Monday to Friday, without the bank holidays of England and Wales.

Bank holidays by rule: Banking and Financial Dealings Act 1971, schedule 1, Good Friday and Christmas Day by common law,
and the early May and New Year's days by proclamation; moved and added ones by proclamation, as gov.uk/bank-holidays lists
them. One that falls on a weekend is kept on the next working day.
"""

import datetime
from functools import cache

from carbon.calendar import zone

BEGINS_HOUR = 7
ENDS_HOUR = 19
_MOVED = {
    datetime.date(2020, 5, 4): datetime.date(2020, 5, 8),
    datetime.date(2022, 5, 30): datetime.date(2022, 6, 2),
}
"""Days by rule that were kept on another: 75 years of VE Day, the Platinum Jubilee."""
_ADDED = (datetime.date(2022, 6, 3), datetime.date(2022, 9, 19), datetime.date(2023, 5, 8))
"""The Platinum Jubilee, the funeral of Queen Elizabeth II, the coronation of King Charles III."""


@cache
def bank_holidays(year: int) -> frozenset[datetime.date]:
    """The days of a year on which nobody works beside weekends.

    >>> sorted(f"{day:%m-%d}" for day in bank_holidays(2026))
    ['01-01', '04-03', '04-06', '05-04', '05-25', '08-31', '12-25', '12-28']
    """
    easter = _easter(year)
    one_day = datetime.timedelta(days=1)
    found = {easter - 2 * one_day, easter + one_day}
    found |= {_monday(year, 5, 1), _monday(year, 5, 25), _monday(year, 8, 25)}
    for month, day in ((1, 1), (12, 25), (12, 26)):
        kept = datetime.date(year, month, day)
        while kept.weekday() > 4 or kept in found:
            kept += one_day
        found.add(kept)
    found = {_MOVED.get(day, day) for day in found}
    return frozenset(found | {day for day in _ADDED if day.year == year})


def _monday(year: int, month: int, day: int) -> datetime.date:
    """The first Monday from a day on."""
    first = datetime.date(year, month, day)
    return first + datetime.timedelta(days=-first.weekday() % 7)


def _easter(year: int) -> datetime.date:
    """Easter Sunday, by the anonymous Gregorian algorithm (Nature, 20 April 1876)."""
    golden = year % 19
    century, rest = divmod(year, 100)
    leap, skipped = divmod(century, 4)
    moon = (19 * golden + century - leap - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * skipped + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return datetime.date(year, month, day + 1)


def is_working_day(date: datetime.date) -> bool:
    """Monday to Friday, and no bank holiday."""
    return date.weekday() < 5 and date not in bank_holidays(date.year)


def local_time(half_hour: int, time_zone: str) -> datetime.datetime:
    """When a half-hour (Unix seconds) begins, local."""
    return datetime.datetime.fromtimestamp(half_hour, zone(time_zone))


def is_working_time(at: datetime.datetime) -> bool:
    """Whether somebody works at a local time."""
    return BEGINS_HOUR <= at.hour < ENDS_HOUR and is_working_day(at.date())
