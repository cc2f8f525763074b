"""What programs write for the hour that the wall's clock leaves out in spring: nothing, or noughts where no time was.

Such cells say nothing of the clock. Taken for readings they would tell a file of the wall's clock to be on GMT, and all of
its summer would stand an hour late.
"""

import datetime
from collections.abc import Sequence

from collector.half_hourly.layout import number_in
from collector.half_hourly.mapping import Clock
from collector.tables.sheets import Cell

_LEFT_OUT = (2, 3)
"""Places in the day of 01:00 and 01:30, where columns are the wall's."""
_BEYOND = (46, 47)
"""Those that a day of 46 half-hours has not, where columns are numbered."""


def says_something(row: Sequence[Cell], column: int) -> bool:
    """Whether a cell holds a value that is not nothing."""
    cell = row[column] if column < len(row) else None
    return cell is not None and not (number_in(cell) and float(str(cell).replace(",", "")) == 0)


def padding_of(said: Sequence[bool]) -> tuple[int, ...]:
    """Places of the short day that hold padding, from whether each of its 48 says something; () where none does.

    Only where what stands beside them says something: a meter that is still all night tells no clock.

    >>> padding_of([True] * 2 + [False] * 2 + [True] * 44), padding_of([True] * 46 + [False] * 2)
    ((2, 3), (46, 47))
    >>> padding_of([True] * 48), padding_of([False] * 48)
    ((), ())
    """
    for places in (_LEFT_OUT, _BEYOND):
        beside = [place for place in (places[0] - 1, places[1] + 1) if place < len(said)]
        if (
            len(said) > places[1]
            and not any(said[place] for place in places)
            and all(said[place] for place in beside)
            and any(said[place] for place in _BEYOND) == (places == _LEFT_OUT)
        ):
            return places
    return ()


def filled_of(row: Sequence[Cell], columns: Sequence[int], *, short: bool) -> int:
    """How many of a day's columns hold something, without padding where the day is a `short` one."""
    held = sum(column < len(row) and row[column] is not None for column in columns)
    padding = padding_of([says_something(row, column) for column in columns[:48]]) if short else ()
    return held - sum(columns[place] < len(row) and row[columns[place]] is not None for place in padding)


def padding_stamps(
    said: dict[tuple[datetime.date, int], bool], changes: Sequence[datetime.date], *, end: bool
) -> set[tuple[datetime.date, int]]:
    """Dates and minutes of padding, from whether rows of a meter say something, on short days; `end`: they are ends."""
    first = 90 if end else 60
    return {
        (date, minutes)
        for date in changes
        if all(said.get((date, minutes)) is False for minutes in (first, first + 30))
        and said.get((date, first - 30))
        and said.get((date, first + 60))
        for minutes in (first, first + 30)
    }


def longest_of(
    found: Sequence[tuple[datetime.date, int, bool]], shorts: set[datetime.date]
) -> dict[datetime.date, int]:
    """The highest half-hour number of each day: of short days among those that say something."""
    longest: dict[datetime.date, int] = {}
    for date, period, said in found:
        if said or date not in shorts:
            longest[date] = max(longest.get(date, 0), period)
    return longest


def is_padding(clock: Clock, *, short: bool, said: bool, period: int) -> bool:
    """Whether a numbered half-hour is one that a short day has not, and says nothing."""
    return clock == "local" and short and not said and period > _BEYOND[0]
