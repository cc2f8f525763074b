"""What a measure saved in truth: the days before it against the same weekdays after it, of devices that were read.

Weekdays count apart from weekends, so that a holiday month beside a working one does not pass for a saving. Both sides
need readings for most of the time, else there is no verdict.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

DAYS = 90
LEAST_COVERED = Fraction(3, 4)


@dataclass(frozen=True, slots=True)
class Day:
    """A local day of a measure's devices: energy in microjoules, and the seconds with and without readings."""

    weekend: bool
    energy_uj: int
    covered_seconds: int
    possible_seconds: int


@dataclass(frozen=True, slots=True)
class Saving:
    """A year's saving in microjoules, below 0 where more is used; or why there is none yet."""

    a_year_uj: int | None
    reason: str = ""


def verified_saving(before: Iterable[Day], after: Iterable[Day]) -> Saving:
    """The saving of a year by mean powers before and after, working days and weekends apart (261 and 104 of them)."""
    first, second = list(before), list(after)
    if len(second) < DAYS:
        return Saving(None, f"{DAYS - len(second)} days are still to come")
    saved = Fraction(0)
    for weekend, days in ((False, 261), (True, 104)):
        sides = [[one for one in side if one.weekend is weekend] for side in (first, second)]
        for side, when in zip(sides, ("before", "after"), strict=True):
            possible = sum(one.possible_seconds for one in side)
            if not possible or Fraction(sum(one.covered_seconds for one in side), possible) < LEAST_COVERED:
                return Saving(None, f"too little was read {when} it")
        power = [
            Fraction(sum(one.energy_uj for one in side), sum(one.covered_seconds for one in side)) for side in sides
        ]
        saved += (power[0] - power[1]) * 86_400 * days
    return Saving(round(saved))
