"""`--from` and `--to` of reports: a financial year, a month or a day's month, as officers write them."""

import datetime
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from carbon.calendar import financial_year, financial_year_dates

Months = tuple[str, str]
"""First and last month, YYYY-MM, both included."""

POSSIBLE = "FY2024 or 2024/25 (April 2024 to March 2025), 2024-04 (a month), 2024-04-17 (its month)"
_YEAR = re.compile(r"(?:FY)? ?(\d{4})(?:[/-](\d{2}|\d{4}))?", re.IGNORECASE)
_MONTH = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")

F = TypeVar("F", bound=Callable[..., Any])


def period(text: str) -> Months:
    """A financial year or a month, as its first and last month. Raises BadParameter that says what is possible.

    2024-25 is a financial year, because no year has a month 25; 2011-12 is December 2011: FY2011 says the year.
    """
    found = _month(text.strip()) or _financial_year(text.strip())
    if found is None:
        raise click.BadParameter(f"{text!r} is no period: write {POSSIBLE}")
    return found


def read_period(ctx: click.Context, param: click.Parameter, text: str | None) -> Months | None:
    """The callback of an option that is a period."""
    del ctx, param  # click names the option where it is refused
    return None if text is None else period(text)


def _month(text: str) -> Months | None:
    if (found := _MONTH.fullmatch(text)) is None:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3] or 1)
    try:
        datetime.date(year, month, day)
    except ValueError:
        return None
    name = f"{year:04d}-{month:02d}"
    return name, name


def _financial_year(text: str) -> Months | None:
    found = _YEAR.fullmatch(text)
    if found is None or (found[2] is None and not text.upper().startswith("FY")):
        return None  # 2024 alone may be a calendar year or a financial one
    year = int(found[1])
    if not datetime.MINYEAR <= year < datetime.MAXYEAR:
        return None
    if found[2] is not None and int(found[2]) != (year + 1) % 10 ** len(found[2]):
        return None
    first, last = financial_year_dates(year)
    return f"{first:%Y-%m}", f"{last:%Y-%m}"


def period_options(function: F) -> F:
    """`--from` and `--to` as arguments `first` and `last`, each None or its `Months`."""
    last = click.option(
        "--to",
        "last",
        callback=read_period,
        metavar="PERIOD",
        help="Last month or financial year; without, the end of --from.",
    )
    first = click.option(
        "--from",
        "first",
        callback=read_period,
        metavar="PERIOD",
        help=f"First month or financial year: {POSSIBLE}; without, this one.",
    )
    return first(last(function))


def months_of(first: Months | None, last: Months | None, today: datetime.date) -> Months:
    """The months that `--from` and `--to` name together.

    Without --to it is what --from names; without --from, from the start of the last month's financial year; without
    both, this financial year. What has not begun is left off the end. Raises UsageError where nothing is left.
    """
    this = f"{today:%Y-%m}"
    if first is None and last is None:
        begins = f"{financial_year_dates(financial_year(today))[0]:%Y-%m}"
        return begins, this
    ends = (last or first or ("", ""))[1]
    begins = first[0] if first is not None else f"{financial_year_of(ends):04d}-04"
    if ends < begins:
        raise click.UsageError(f"--from {begins} lies after --to {ends}")
    if begins > this:
        raise click.UsageError(f"{begins} has not begun yet: this month is {this}")
    return begins, min(ends, this)


def financial_year_of(month: str) -> int:
    """The year in which the financial year of a month (YYYY-MM) begins.

    >>> financial_year_of("2025-03"), financial_year_of("2025-04")
    (2024, 2025)
    """
    return financial_year(datetime.date(int(month[:4]), int(month[5:]), 1))
