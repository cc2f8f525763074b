"""One figure of a provider's statement, and how figures of a longer time are divided among months."""

import calendar
import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from carbon.months import days_by_month, middle_of
from carbon.units import split_by_largest_remainder
from collector.tables.columns import Row

_LEAST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """What a provider says of some days of one month.

    `amount` is in `unit`: kgCO2e by the provider's own reckoning, kWh at the meter of a place with its overhead, or GBP.
    `scope`, `basis` and `method` are the provider's words. `counts`: False of a second telling of the same by another
    basis. `account` is the provider's account, subscription or project.
    """

    first_day: datetime.date
    last_day: datetime.date
    account: str
    name: str
    scope: str
    basis: str
    amount: Decimal
    unit: str = "kgCO2e"
    method: str = ""
    counts: bool = True

    @property
    def month(self) -> str:
        return f"{self.first_day:%Y-%m}"


@lru_cache(maxsize=1024)
def month_days(month: str) -> tuple[datetime.date, datetime.date]:
    """First and last day of a month (YYYY-MM)."""
    first = middle_of(month).replace(day=1)
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def days_of(row: Row) -> tuple[datetime.date, datetime.date]:
    """The days that a row is of: its month, or from its first day to its last. Raises BadRequest."""
    if row.cell("month") is not None or "first_day" not in row.columns:
        return month_days(row.month("month"))
    first, last = row.date("first_day"), row.date("last_day")
    if first is None or last is None:
        name = "first_day" if first is None else "last_day"
        raise row.refuse(name, "the day is empty", "fill it, or give a month")
    if last < first:
        raise row.refuse("last_day", f"{last} lies before {first}")
    if (last - first).days > 3 * 366:
        raise row.refuse("last_day", f"{first} to {last} is over three years")
    return first, last


def by_months(figure: Figure) -> Iterator[Figure]:
    """A figure of any time as one of each month, by days; the parts add up to it exactly."""
    if (figure.first_day.year, figure.first_day.month) == (figure.last_day.year, figure.last_day.month):
        yield figure
        return
    days = days_by_month(figure.first_day, figure.last_day)
    exponent = figure.amount.as_tuple().exponent
    decimals = max(_LEAST_DECIMALS, -exponent if isinstance(exponent, int) else 0)
    whole = int(figure.amount.scaleb(decimals))
    for (month, _), part in zip(days.items(), split_by_largest_remainder(whole, list(days.values())), strict=True):
        first, last = month_days(month)
        amount = Decimal(part).scaleb(-decimals).normalize()
        first, last = max(first, figure.first_day), min(last, figure.last_day)
        yield replace(figure, first_day=first, last_day=last, amount=amount)


def added_up(figures: Iterable[Figure]) -> Sequence[Figure]:
    """Figures of the same days, name, scope and basis as one: exports have a row a resource."""
    first: dict[tuple[object, ...], Figure] = {}
    sums: dict[tuple[object, ...], Decimal] = {}
    for one in figures:
        key = (one.first_day, one.last_day, one.name, one.scope, one.basis, one.unit, one.method, one.counts)
        first.setdefault(key, one)
        sums[key] = sums.get(key, Decimal(0)) + one.amount
    return [replace(one, amount=sums[key]) for key, one in first.items()]
