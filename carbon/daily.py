"""Energy of many days at once: columns of figures, a place for each day, and sets of days as whole numbers.

What changes from day to day, such as which of two meters tells a device, is a set of days. So an amount that holds on
some days is a column and a set, and nothing has to be made anew for every day.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from operator import add, itemgetter, sub

from carbon.footprint import Energy, sum_energies
from carbon.uncertainty import MODEL_GROUP, errors_of
from carbon.units import split_by_largest_remainder

Days = int
"""A set of days: bit n stands for day n. `&` is what two have in common, `|` both, `& ~` the one without the other."""
Column = Sequence[int]
"""A figure for each day."""
ErrorColumns = dict[str, tuple[Column, Column]]
"""Lowest and highest end of each group's error, for each day."""


def all_days(count: int) -> Days:
    """That many days from the first one on."""
    return (1 << count) - 1


@lru_cache(maxsize=1024)
def numbers_of(days: Days) -> tuple[int, ...]:
    """The days of a set, the first one first.

    >>> numbers_of(0b1101)
    (0, 2, 3)
    """
    return tuple(number for number in range(days.bit_length()) if days >> number & 1)


def first_of(days: Days) -> int:
    """The first day of a set that has one."""
    return (days & -days).bit_length() - 1


def last_of(days: Days) -> int:
    """The last day of a set that has one."""
    return days.bit_length() - 1


def days_of(numbers: Iterable[int]) -> Days:
    """The set of some days."""
    return union_of(1 << number for number in numbers)


def union_of(found: Iterable[Days]) -> Days:
    """All days of several sets."""
    whole = 0
    for days in found:
        whole |= days
    return whole


def runs_of(days: Days) -> list[tuple[int, int]]:
    """First and last day of each stretch of a set.

    >>> runs_of(0b11011)
    [(0, 1), (3, 4)]
    """
    found = []
    while days:
        first = first_of(days)
        length = first_of(~(days >> first))
        found.append((first, first + length - 1))
        days &= ~(((1 << length) - 1) << first)
    return found


def days_at_least(column: Sequence[float], least: float) -> Days:
    """The days whose figure is so much or more."""
    if min(column, default=least) >= least:
        return all_days(len(column))
    return days_of(number for number, value in enumerate(column) if value >= least)


def sum_on(column: Column, days: Days) -> int:
    """The sum of a column over some days."""
    if not days:
        return 0
    first, end = first_of(days), days.bit_length()
    if days.bit_count() == end - first:
        return sum(column[first:end])
    return sum(itemgetter(*numbers_of(days))(column))


class Daily:
    """One amount by day: measured, estimated, and bounds, in microjoules. All its errors are of `group`, or those given."""

    __slots__ = ("_errors", "_sums", "_total", "_width", "estimated_uj", "group", "high_uj", "low_uj", "measured_uj")

    def __init__(
        self,
        group: str | None,
        measured_uj: Column,
        estimated_uj: Column,
        low_uj: Column,
        high_uj: Column,
        errors: ErrorColumns | None = None,
    ) -> None:
        self.group = group
        self.measured_uj, self.estimated_uj, self.low_uj, self.high_uj = measured_uj, estimated_uj, low_uj, high_uj
        self._errors = errors
        self._total: Column | None = None
        self._width: Column | None = None
        self._sums: dict[Days, Energy] = {}

    @property
    def total_uj(self) -> Column:
        if self._total is None:
            known = any(self.estimated_uj)
            self._total = list(map(add, self.measured_uj, self.estimated_uj)) if known else self.measured_uj
        return self._total

    @property
    def width_uj(self) -> Column:
        """From low to high."""
        if self._width is None:
            self._width = list(map(sub, self.high_uj, self.low_uj))
        return self._width

    @property
    def errors(self) -> ErrorColumns:
        if self._errors is None and self.group is not None:
            ends = (list(map(sub, self.low_uj, self.total_uj)), list(map(sub, self.high_uj, self.total_uj)))
            if self.group == MODEL_GROUP:
                figures = zip(self.total_uj, self.low_uj, self.high_uj, strict=True)
                pairs = [errors_of(*of_day, MODEL_GROUP).get(MODEL_GROUP, (0, 0)) for of_day in figures]
                ends = ([low for low, _ in pairs], [high for _, high in pairs])
            self._errors = {self.group: ends}
        return self._errors or {}

    def on(self, days: Days) -> Energy:
        """The sum over some days. What the power model's errors are is said of the sum, as of a sum of half-hours."""
        found = self._sums.get(days)
        if found is None:
            columns = (self.measured_uj, self.estimated_uj, self.low_uj, self.high_uj)
            sums = [sum_on(column, days) for column in columns]
            if self.group is not None:
                found = Energy.of(self.group, *sums)
            else:
                errors = {group: (sum_on(low, days), sum_on(high, days)) for group, (low, high) in self.errors.items()}
                measured, estimated, low, high = sums
                found = Energy(measured, estimated, low, high, errors)
            self._sums[days] = found
        return found


class Flow:
    """A sum of amounts, each on some days."""

    __slots__ = ("_columns", "_sums", "terms")

    def __init__(self, terms: Iterable[tuple[Daily, Days]] = ()) -> None:
        self.terms = tuple((one, days) for one, days in terms if days)
        self._columns: dict[str, Column] = {}
        self._sums: dict[Days, Energy] = {}

    def on(self, days: Days) -> Energy:
        """The sum over some days."""
        found = self._sums.get(days)
        if found is None:
            each = [one.on(days & held) for one, held in self.terms if days & held]
            found = self._sums[days] = each[0] if len(each) == 1 else sum_energies(each)
        return found

    def within(self, days: Days) -> Iterator[tuple[Daily, Days]]:
        """The terms on those days alone."""
        return ((one, days & held) for one, held in self.terms)

    def column(self, name: str, count: int) -> Column:
        """A figure of the sum (`total_uj`, `width_uj`, `low_uj`, ...) by day."""
        found = self._columns.get(name)
        if found is None:
            columns = ((getattr(one, name), days) for one, days in self.terms)
            found = self._columns[name] = _sum_of_columns(columns, count)
        return found

    def errors(self, count: int) -> ErrorColumns:
        """The errors of the sum by day: one group's add up."""
        found: dict[str, tuple[list[tuple[Column, Days]], list[tuple[Column, Days]]]] = {}
        for one, days in self.terms:
            for group, (low, high) in one.errors.items():
                lows, highs = found.setdefault(group, ([], []))
                lows.append((low, days))
                highs.append((high, days))
        return {
            group: (_sum_of_columns(lows, count), _sum_of_columns(highs, count))
            for group, (lows, highs) in found.items()
        }


def _sum_of_columns(columns: Iterable[tuple[Column, Days]], count: int) -> Column:
    """Columns added up, each on its days."""
    always, whole, sometimes = all_days(count), [], []
    for column, days in columns:
        if days == always:
            whole.append(column)
        else:
            sometimes.append((column, days))
    if len(whole) == 1 and not sometimes:
        return whole[0]
    found = list(map(sum, zip(*whole, strict=True))) if whole else [0] * count
    for column, days in sometimes:
        for number in numbers_of(days):
            found[number] += column[number]
    return found


def split(flow: Flow, weights: Sequence[Column] | None, ways: int, count: int) -> list[Daily]:
    """An amount in so many parts that add up to it on every day, each of its figures for itself.

    `weights` are a column for each part; None shares equally. What rounding leaves over is another on each day, so that
    the parts of a year are no parts of the year's sum.
    """
    names = ("measured_uj", "estimated_uj", "low_uj", "high_uj")
    figures = [_split_column(flow.column(name, count), weights, ways) for name in names]
    errors = {
        group: (_split_column(low, weights, ways), _split_column(high, weights, ways))
        for group, (low, high) in flow.errors(count).items()
    }
    parts = []
    for part in range(ways):
        measured, estimated, low, high = (figure[part] for figure in figures)
        of_part = {group: (lows[part], highs[part]) for group, (lows, highs) in errors.items()}
        parts.append(Daily(None, measured, estimated, low, high, of_part))
    return parts


def _split_column(column: Column, weights: Sequence[Column] | None, ways: int) -> Sequence[Column]:
    if not any(column):
        return [column] * ways
    if weights is None:
        # As by the largest remainder of equal weights: what is left over goes to the first ones.
        return [
            [(value + more) // ways if value >= 0 else -((more - value) // ways) for value in column]
            for more in range(ways - 1, -1, -1)
        ]
    by_day = zip(column, zip(*weights, strict=True), strict=True)
    return list(zip(*(split_by_largest_remainder(value, shares) for value, shares in by_day), strict=True))
