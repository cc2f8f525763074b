"""What the coming financial years will emit: the organisation's own trend of energy, on a grid that becomes cleaner.

Each line's last actual factor is carried on by an index of the grid (Green Book table 1, grid average), never replaced
by the table's level: its basis is another one. Measures take kilowatt-hours off. Source: carbon reference, section 4.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

Index = Callable[[int, int], Decimal]
"""From a year to another: the grid's factor in the second over that in the first."""


@dataclass(frozen=True, slots=True)
class Year:
    """A complete financial year: energy in microjoules, grams of electricity, and grams that no grid changes."""

    year: int
    energy_uj: int
    electricity_g: int
    other_g: int = 0

    @property
    def total_g(self) -> int:
        return self.electricity_g + self.other_g


def yearly_trend(actuals: Sequence[Year]) -> Decimal | None:
    """The compound yearly change of energy (-0.05: 5% less each year); None with fewer than two complete years.

    >>> yearly_trend([Year(2023, 100, 1), Year(2025, 81, 1)])
    Decimal('-0.1000')
    """
    years = sorted(actuals, key=lambda one: one.year)
    if len(years) < 2 or years[0].energy_uj <= 0 or years[-1].energy_uj <= 0:
        return None
    with localcontext() as context:
        context.prec = 28
        ratio = Decimal(years[-1].energy_uj) / years[0].energy_uj
        span = years[-1].year - years[0].year
        return (ratio ** (Decimal(1) / span) - 1).quantize(Decimal("0.0001"))


def forecast(
    last: Year, trend: Decimal | None, last_year: int, index: Index, savings_uj: Mapping[int, int] | None = None
) -> dict[int, Year]:
    """The years after the last complete one, up to `last_year`.

    `savings_uj` is what measures save in each year; never more is saved than is used. Without a trend energy stays.
    """
    found: dict[int, Year] = {}
    grams_each = Fraction(last.electricity_g, last.energy_uj) if last.energy_uj else Fraction(0)
    change = Fraction(1 + (trend or Decimal(0)))
    for year in range(last.year + 1, last_year + 1):
        energy = round(last.energy_uj * change ** (year - last.year))
        energy = max(0, energy - (savings_uj or {}).get(year, 0))
        electricity = round(energy * grams_each * Fraction(index(last.year, year)))
        found[year] = Year(year, energy, electricity, last.other_g)
    return found


def arrival(years: Mapping[int, Year], target_g: int) -> int | None:
    """The first year from which on the target is met and stays so; None where that is not forecast."""
    met: int | None = None
    for year in sorted(years):
        if years[year].total_g > target_g:
            met = None
        elif met is None:
            met = year
    return met
