"""UPSs that are far too large for what they feed: a part of their loss goes with their rating, not with their load.

Where input and output are read, the loss is measured; else it is the rating's no-load loss. A UPS of the right size
(load at half of its rating) loses so much less of the part that goes with the rating. Source: double conversion is 85 to
95% efficient (carbon reference, section 5); ENERGY STAR UPS list: no-load losses of 2 to 5% of the rating; 3% is taken.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from carbon.measures.measure import Measure

DAYS = 30
LEAST_COVERED = 0.75
"""Of the time that output, and loss, must have been read."""
MOST_LOAD = 0.25
"""Mean load of the rating above which a UPS is not called too large."""
RIGHT_LOAD = 0.5
NO_LOAD_LOSS = 0.03
"""Of the rating."""


@dataclass(frozen=True, slots=True)
class UpsUse:
    """A UPS over the days looked at: rating in watts, mean load in watts, and its own loss, None where it is not read."""

    device: str
    name: str
    days: int
    rated_watts: float
    mean_load_watts: float
    loss_uj: int | None


def oversized_upss(upss: Iterable[UpsUse]) -> list[Measure]:
    """A measure for each UPS that could be of half the size or less, largest saving first."""
    found = [_measure(one) for one in upss if _oversized(one)]
    return sorted((one for one in found if one.total_uj), key=lambda one: (-one.total_uj, one.title))


def _oversized(one: UpsUse) -> bool:
    return one.days >= DAYS and one.rated_watts > 0 and 0 < one.mean_load_watts <= MOST_LOAD * one.rated_watts


def _measure(one: UpsUse) -> Measure:
    right = one.mean_load_watts / RIGHT_LOAD
    saved_watts = NO_LOAD_LOSS * (one.rated_watts - right)
    saved = round(saved_watts * one.days * 86_400 * 1_000_000)
    if one.loss_uj is not None:
        saved = min(saved, one.loss_uj)
    return Measure(
        rule="oversized_ups",
        title=f"replace UPS {one.name} by a smaller one at its end of life",
        saved_uj={one.device: saved * 365 // one.days},
        confidence="low" if one.loss_uj is None else "medium",
        why=f"it carries {one.mean_load_watts / one.rated_watts:.0%} of its {one.rated_watts:.0f} W on average",
    )
