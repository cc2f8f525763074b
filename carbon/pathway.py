"""The way from a base year to a target: what each financial year may emit, in whole grams.

Four shapes, as the carbon reference (section 4) has them. A year is the calendar year in which the financial year
begins. The path is the base's amount in the base year; after the target year it stays where it arrived.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Literal

from carbon.errors import CarbonError

Shape = Literal["linear", "contraction", "constant_rate", "budget"]
SHAPES: Mapping[Shape, str] = {
    "linear": "the same amount less each year: E0 + (ET - E0)(t - t0)/(T - t0)",
    "contraction": "SBTi absolute contraction: each year less by so much of the base year (4.2%): E0(1 - r(t - t0))",
    "constant_rate": "each year less by the same part of the year before: E0(1 - r)^(t - t0)",
    "budget": "constant rate by which the years up to the target's sum to a budget",
}
CONTRACTION_RATE = Decimal("0.042")
"""Of base-year emissions a year: SBTi absolute contraction, 1.5 degrees."""
_DIGITS = 40


@dataclass(frozen=True, slots=True)
class Target:
    """Base year and target year with their grams. `rate` (0..1 a year) is what contraction and constant rate go by:
    without, 4.2%, and the rate that just arrives at the target. `budget_g` is of the years after the base year up to
    the target year together.
    """

    base_year: int
    base_g: int
    target_year: int
    target_g: int
    rate: Decimal | None = None
    budget_g: int | None = None

    def __post_init__(self) -> None:
        if self.target_year <= self.base_year:
            raise CarbonError(f"the target year {self.target_year} must lie after the base year {self.base_year}")
        if self.base_g <= 0 or not 0 <= self.target_g <= self.base_g:
            raise CarbonError("a target needs a base of more than 0 grams, and 0 <= target <= base")
        if self.rate is not None and not 0 < self.rate < 1:
            raise CarbonError(f"a yearly rate lies between 0 and 1, not {self.rate}")
        if self.budget_g is not None and not 0 < self.budget_g <= self.base_g * self.years:
            raise CarbonError("a budget lies above 0 and at most at the base year's emissions in every year")

    @property
    def years(self) -> int:
        """From base to target."""
        return self.target_year - self.base_year


def pathway(target: Target, shape: Shape, last_year: int | None = None) -> dict[int, int]:
    """Grams that each financial year may emit, from the base year to the last (the target year without).

    >>> pathway(Target(2025, 1000, 2030, 0), "linear")
    {2025: 1000, 2026: 800, 2027: 600, 2028: 400, 2029: 200, 2030: 0}
    """
    amount = _SHAPES[shape](target)
    years = range(target.base_year, (last_year or target.target_year) + 1)
    return {year: round(amount(min(year, target.target_year) - target.base_year)) for year in years}


def _linear(target: Target) -> Callable[[int], Fraction]:
    step = Fraction(target.target_g - target.base_g, target.years)
    return lambda years: target.base_g + step * years


def _contraction(target: Target) -> Callable[[int], Fraction]:
    rate = Fraction(target.rate or CONTRACTION_RATE)
    return lambda years: max(Fraction(0), target.base_g * (1 - rate * years))


def _constant_rate(target: Target) -> Callable[[int], Fraction]:
    if target.rate is None and target.target_g == 0:
        raise CarbonError("a constant rate never arrives at 0: give a rate, or a target above 0")
    kept = Fraction(1 - target.rate) if target.rate is not None else _kept(target)
    return lambda years: target.base_g * kept**years


def _kept(target: Target) -> Fraction:
    """The part that is left each year where the target is just met."""
    with localcontext() as context:
        context.prec = _DIGITS
        return Fraction((Decimal(target.target_g) / target.base_g) ** (Decimal(1) / target.years))


def _budget(target: Target) -> Callable[[int], Fraction]:
    if target.budget_g is None:
        raise CarbonError("a pathway by budget needs the budget: grams of all years after the base year together")
    wanted = Fraction(target.budget_g, target.base_g)
    low, high = Fraction(0), Fraction(1)
    for _ in range(100):
        middle = (low + high) / 2
        if sum(middle**year for year in range(1, target.years + 1)) < wanted:
            low = middle
        else:
            high = middle
    return lambda years: target.base_g * high**years


_SHAPES: Mapping[Shape, Callable[[Target], Callable[[int], Fraction]]] = {
    "linear": _linear,
    "contraction": _contraction,
    "constant_rate": _constant_rate,
    "budget": _budget,
}
