"""What a power supply loses, where a meter sees only what it gives out: input = output / efficiency(load).

Efficiency is that of the supply's 80 PLUS rating, straight between the loads for which the rating states it. Below the
least of these the loss in watts stays what it is there: an idle supply loses watts, not a share. What is not known of
a supply (its rating, its size) is assumed, and every possibility lies within the band.
Source: 80 PLUS requirements at 230 V internal redundant, `carbon/data/power_supply.json`.
"""

import itertools
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

SUPPLY_MODEL_VERSION = "supply-2026.1"

ASSUMED_RATING = "gold"
ASSUMED_LOAD = 0.2
"""A server's redundant supplies share its load, and it idles most of the day."""
_POSSIBLE_LOADS = (0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class LossRatio:
    """Loss as a share of the output, with the bounds that hold every supply in question."""

    value: float
    low: float
    high: float


@cache
def ratings() -> dict[str, dict[float, float]]:
    """Efficiency by load of each 80 PLUS rating, the loads rising."""
    text = (resources.files("carbon") / "data" / "power_supply.json").read_text(encoding="utf-8")
    return {
        name: {float(load): float(share) for load, share in sorted(curve.items())}
        for name, curve in json.loads(text).items()
    }


def efficiency(load: float, rating: str) -> float:
    """Output over input at a load (0 to 1, of the supply's size). Raises KeyError for an unknown rating.

    >>> efficiency(0.5, "gold"), round(efficiency(0.1, "gold"), 3)
    (0.92, 0.786)
    """
    curve = ratings()[rating]
    loads = list(curve)
    if load < loads[0]:
        # The loss at the least stated load, in shares of the supply's size, stays.
        loss = loads[0] * (1 / curve[loads[0]] - 1)
        return load / (load + loss)
    if load >= loads[-1]:
        return curve[loads[-1]]
    below, above = next(pair for pair in itertools.pairwise(loads) if load < pair[1])
    return curve[below] + (curve[above] - curve[below]) * (load - below) / (above - below)


@cache
def loss_ratio(rating: str = "", load: float | None = None) -> LossRatio:
    """The loss of a supply. `rating` is "" and `load` None where they are not known.

    >>> loss_ratio("platinum", 0.5).value == loss_ratio("platinum", 0.5).high
    True
    """
    names = [rating] if rating else list(ratings())
    loads = _POSSIBLE_LOADS if load is None else (load,)
    losses = [1 / efficiency(one, name) - 1 for name in names for one in loads]
    value = 1 / efficiency(ASSUMED_LOAD if load is None else load, rating or ASSUMED_RATING) - 1
    return LossRatio(value, min(losses), max(losses))
