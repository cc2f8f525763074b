"""Steps of a factor from one year's set to the next that somebody has to look at before a report rests on them.

A factor that rises or falls by over half may be right (well-to-tank of generation rose 72% in 2021) or a slip of a file.
Source of the limit: carbon reference, section 1.
"""

from dataclasses import dataclass
from decimal import Decimal

from carbon.factor_lines import FACTOR_LINES
from carbon.factors import FactorSet

LARGEST_STEP = Decimal("0.5")
"""Part of the year before by which a factor may move without a word."""


@dataclass(frozen=True, slots=True)
class Move:
    """A line's factors of two years, kgCO2e per its unit."""

    key: str
    before_year: int
    before: Decimal
    year: int
    after: Decimal

    @property
    def change(self) -> Decimal | None:
        """The step as part of the year before; None from a factor of 0."""
        return self.after / self.before - 1 if self.before else None

    @property
    def large(self) -> bool:
        """Whether it is by over half."""
        return self.after != self.before if self.change is None else abs(self.change) > LARGEST_STEP

    @property
    def words(self) -> str:
        """`Electricity, well-to-tank of generation: 0.03217 in 2020, 0.05529 in 2021 (+72%)`."""
        step = "" if self.change is None else f" ({self.change:+.0%})"
        name = FACTOR_LINES[self.key].name
        return f"{name}: {self.before} in {self.before_year}, {self.after} in {self.year}{step}"


def steps(before: FactorSet, after: FactorSet) -> list[Move]:
    """Every line that both sets have, as a step from one to the other."""
    known, values = before.values, after.values
    return [
        Move(key, before.year, known[key], after.year, values[key])
        for key in FACTOR_LINES
        if key in known and key in values
    ]


def large_moves(before: FactorSet, after: FactorSet) -> list[Move]:
    """The steps by over half."""
    return [one for one in steps(before, after) if one.large]
