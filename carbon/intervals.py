"""Sets of time, as sorted disjoint intervals of integers: union, length and difference. Order never matters."""

from collections.abc import Iterable

Interval = tuple[int, int]
"""Start and end, start < end. The unit is the caller's; energy facts use milliseconds of the half-hour."""

Intervals = tuple[Interval, ...]


def union(intervals: Iterable[Interval]) -> Intervals:
    """The same time as sorted, disjoint, non-touching intervals; empty ones are dropped.

    >>> union([(5, 9), (0, 2), (2, 6)])
    ((0, 9),)
    """
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return tuple(merged)


def length(intervals: Intervals) -> int:
    """How much time a union holds, in the unit of its bounds."""
    return sum(end - start for start, end in intervals)


def overlap(intervals: Intervals, start: int, end: int) -> int:
    """How much of `start` to `end` a union covers."""
    return sum(max(0, min(end, stop) - max(start, begin)) for begin, stop in intervals)


def clip(intervals: Intervals, start: int, end: int) -> Intervals:
    """The part of a union between `start` and `end`."""
    return tuple((max(start, begin), min(end, stop)) for begin, stop in intervals if min(end, stop) > max(start, begin))


def without(start: int, end: int, others: Iterable[Interval]) -> Intervals:
    """The time from `start` to `end` less others, in any order.

    >>> without(0, 10, [(7, 20), (2, 3)])
    ((0, 2), (3, 7))
    """
    left = []
    for begin, stop in union(others):
        if start < min(begin, end):
            left.append((start, min(begin, end)))
        start = max(start, stop)
    return (*left, (start, end)) if start < end else tuple(left)
