"""How old the grid is that a factor set describes, and which part of a step between sets is due to a change of that.

A set labelled with a year describes the grid of some years before. Up to 2025 that lag was two years; from 2026 it is
one, so the step from 2025 to 2026 holds two years of the grid's change, of which one is a change of method. Source:
carbon reference, section 1 (UK Government conversion factors, methodology papers 2025 and 2026).
"""

import re
from collections.abc import Iterable
from fractions import Fraction

LAG_BEFORE = 2
LAGS: dict[int, int] = {2026: 1}
"""Years between label and grid, from the set of that year on; `LAG_BEFORE` for those before."""

_YEAR = re.compile(r"\b(?:19|20)\d{2}\b")


def lag_of(year: int) -> int:
    """Years between a set's label and the grid that it describes."""
    return next((lag for since, lag in sorted(LAGS.items(), reverse=True) if year >= since), LAG_BEFORE)


def method_share(before: Iterable[str], after: Iterable[str]) -> Fraction:
    """The part (0..1) of a step's logarithm that is one of method, by the labels of the sets on both sides.

    Several sets on a side (a blended year) stand for their mean.

    >>> method_share({"2025 1"}, {"2026 1.2"}), method_share({"2024 1.1"}, {"2026 1.2"}), method_share({"2024"}, {"2025"})
    (Fraction(1, 2), Fraction(1, 3), Fraction(0, 1))
    """
    one, other = _years(before), _years(after)
    if not one or not other:
        return Fraction(0)
    lag_change = _mean([lag_of(year) for year in one]) - _mean([lag_of(year) for year in other])
    step = _mean(other) - _mean(one) + lag_change
    if not step:
        return Fraction(0)
    return min(Fraction(1), max(Fraction(0), lag_change / step))


def _years(names: Iterable[str]) -> list[int]:
    return [int(year) for name in names for year in _YEAR.findall(name)]


def _mean(values: list[int]) -> Fraction:
    return Fraction(sum(values), len(values))
