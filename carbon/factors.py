"""UK electricity factor sets, and which set applies to a half-hour.

Four lines, never one: generation (Scope 2), transmission and distribution losses, and the well-to-tank of both
(Scope 3), in kgCO2e per kWh. Source: UK Government conversion factors, see `carbon/data/SOURCES.md`.
"""

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Literal

from carbon.calendar import financial_year, financial_year_dates
from carbon.errors import FactorError

YearRule = Literal["majority", "calendar", "blended"]
YEAR_RULES: dict[YearRule, str] = {
    "majority": "the set of the calendar year that holds most months of the financial year (2024/25 uses 2024)",
    "calendar": "the set labelled with the calendar year of the activity",
    "blended": "both sets of a financial year, weighted by days; only when both are final",
}


@dataclass(frozen=True, slots=True)
class FactorSet:
    """The electricity lines of one set, kgCO2e per kWh. `year` is the label; a blended set has two labels."""

    name: str
    year: int
    version: str
    final: bool
    s2_generation: Decimal
    s3_td: Decimal
    s3_wtt_generation: Decimal
    s3_wtt_td: Decimal

    @property
    def total(self) -> Decimal:
        """The four lines together."""
        return self.s2_generation + self.s3_td + self.s3_wtt_generation + self.s3_wtt_td


@dataclass(frozen=True, slots=True)
class Applied:
    """A factor set as it applies to an activity. `provisional` also where an older set stands in for a missing one."""

    factors: FactorSet
    provisional: bool

    @property
    def label(self) -> str:
        """How figures name it: `UK electricity 2026, provisional`."""
        return f"UK electricity {self.factors.name}" + (", provisional" if self.provisional else "")


@cache
def packaged_sets() -> tuple[FactorSet, ...]:
    """The sets that come with this release, oldest first."""
    data = json.loads((resources.files("carbon") / "data" / "factors.json").read_text(encoding="utf-8"))
    return tuple(
        FactorSet(str(row["year"]), row["year"], row["version"], row["final"], *map(Decimal, row["values"]))
        for row in data["sets"]
    )


def factors_for(date: datetime.date, rule: YearRule, sets: Sequence[FactorSet] | None = None) -> Applied:
    """The factors of an activity on a local date by the organisation's year rule.

    A year whose set is not out yet takes the newest, labelled provisional. Until both sets of a blended year are
    final, the majority set stands in, labelled provisional. Raises FactorError for dates before the first set.
    """
    known = {one.year: one for one in (packaged_sets() if sets is None else sets)}
    if not known:
        raise FactorError("there are no factor sets: import one")
    if rule == "blended":
        return _blended(financial_year(date), known)
    year = date.year if rule == "calendar" else financial_year(date)
    return _of_year(year, known)


def _of_year(year: int, known: dict[int, FactorSet]) -> Applied:
    oldest, newest = min(known), max(known)
    if year < oldest:
        raise FactorError(f"there is no factor set for {year}: the oldest is {oldest}; enter older years as tCO2e")
    if year > newest:
        return Applied(known[newest], provisional=True)
    if year not in known:
        raise FactorError(f"the factor set of {year} is missing: import it")
    return Applied(known[year], provisional=not known[year].final)


def _blended(year: int, known: dict[int, FactorSet]) -> Applied:
    first, second = _of_year(year, known), _of_year(year + 1, known)
    if first.provisional or second.provisional:
        return Applied(first.factors, provisional=True)
    start, end = financial_year_dates(year)
    days, in_first = (end - start).days + 1, (datetime.date(year + 1, 1, 1) - start).days

    def weighted(earlier: Decimal, later: Decimal) -> Decimal:
        return (earlier * in_first + later * (days - in_first)) / days

    one, two = first.factors, second.factors
    blended = FactorSet(
        f"{one.name} and {two.name} blended",
        year,
        f"{one.version}+{two.version}",
        True,
        weighted(one.s2_generation, two.s2_generation),
        weighted(one.s3_td, two.s3_td),
        weighted(one.s3_wtt_generation, two.s3_wtt_generation),
        weighted(one.s3_wtt_td, two.s3_wtt_td),
    )
    return Applied(blended, provisional=False)
