"""The base year of a target, when it must be recalculated, and results like for like.

A base year is recalculated where changes of boundary, method or factors, or errors that were found, come to more than a
threshold of it, 5% unless the organisation says otherwise. Growth and shrinking of what is done are none of these.
Source: GHG Protocol Corporate Standard, chapter 5 (tracking emissions over time); carbon reference, section 3 (ISO 14064-1).

Like for like sets two periods side by side as if both had been counted as the later one was. What only came with the way
of counting is taken off the later figure's difference: see `like_for_like`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from carbon.errors import CarbonError
from carbon.explain import NOT_REAL, Explanation

GRAMS_PER_TONNE = 1_000_000
THRESHOLD = Decimal("0.05")
"""Of the base year's value. GHG Protocol Corporate Standard names no figure; 5% is usual, and the issue's."""


@dataclass(frozen=True, slots=True)
class BaseYear:
    """The financial year that begins in `year`, its emissions in grams, how they were got, and the recalculation threshold.

    Years before the first factor set are entered as tCO2e too: nothing here reckons them anew.
    """

    year: int
    value_g: int
    method: str
    threshold: Decimal = THRESHOLD

    def __post_init__(self) -> None:
        if self.value_g <= 0:
            raise CarbonError("a base year's emissions must be more than 0")
        if not 0 < self.threshold < 1:
            raise CarbonError("a recalculation threshold lies between 0 and 1, such as 0.05")

    def recalculate(self, change_g: int) -> bool:
        """Whether a change of the base year's figure by other than what was done calls for a recalculation.

        >>> BaseYear(2018, 100 * GRAMS_PER_TONNE, "bills").recalculate(6 * GRAMS_PER_TONNE)
        True
        """
        return abs(change_g) > Fraction(self.threshold) * self.value_g

    def change(self, now_g: int) -> Fraction:
        """How much more or less is emitted now, as a part of the base year's."""
        return Fraction(now_g - self.value_g, self.value_g)


@dataclass(frozen=True, slots=True)
class LikeForLike:
    """Two periods as published, and the earlier one as if it had been counted as the later one was, in grams.

    `by_counting` says by which cause (`carbon.explain.NOT_REAL`) they differ.
    """

    before_published_g: int
    after_published_g: int
    by_counting: Mapping[str, int]

    @property
    def before_g(self) -> int:
        """The earlier period by the later one's coverage, way of measuring, filling and factor method."""
        return self.before_published_g + sum(self.by_counting.values())

    @property
    def published_change_g(self) -> int:
        return self.after_published_g - self.before_published_g

    @property
    def change_g(self) -> int:
        """What of the change is real: activity, devices, services moved, rooms, and the grid."""
        return self.after_published_g - self.before_g


def like_for_like(found: Explanation) -> LikeForLike:
    """Results like for like from why they changed: the causes that no emission stands behind are added to the earlier period.

    before, like for like = before, as published + coverage + own method + gap fill + factor method

    As far as these are known: where no time was measured in both ways, all of a change of mean power is the method's, and
    the two periods then differ by nothing else of that device.
    """
    return LikeForLike(found.before_g, found.after_g, {cause: found.causes[cause] for cause in sorted(NOT_REAL)})
