"""Factor sets, and which set applies to a half-hour.

Four lines of electricity, never one: generation (Scope 2), transmission and distribution losses, and the well-to-tank of
both (Scope 3), in kgCO2e per kWh; beside them fuel, water, refrigerants, waste and homeworking (`carbon.factor_lines`).
Source: UK Government conversion factors, see `carbon/data/SOURCES.md`.
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
from carbon.factor_lines import ELECTRICITY, FACTOR_LINES

Provenance = Literal["packaged", "imported"]
"""Whether a set came with the release or from a file that somebody imported."""

YearRule = Literal["majority", "calendar", "blended"]
YEAR_RULES: dict[YearRule, str] = {
    "majority": "the set of the calendar year that holds most months of the financial year (2024/25 uses 2024)",
    "calendar": "the set labelled with the calendar year of the activity",
    "blended": "both sets of a financial year, weighted by days; only when both are final",
}


@dataclass(frozen=True, slots=True)
class LineFactor:
    """One line of a set: kgCO2e per its unit (`carbon.factor_lines`), None where the file has none.

    `row_id` and `cell` are where it stands in the Government's file; `cell` is "" where no file was read.
    """

    key: str
    value: Decimal | None
    row_id: str
    cell: str


@dataclass(frozen=True, slots=True)
class FactorSet:
    """The electricity lines of one set, kgCO2e per kWh. `year` is the label; a blended set has two labels.

    `lines` are all lines that are known, electricity too. `sha256` is of the file they were read in, "" where none was.
    `unaccepted` says in words which lines moved over half against the year before without anybody having accepted it:
    such a set is in no published report.
    """

    name: str
    year: int
    version: str
    final: bool
    s2_generation: Decimal
    s3_td: Decimal
    s3_wtt_generation: Decimal
    s3_wtt_td: Decimal
    lines: tuple[LineFactor, ...] = ()
    sha256: str = ""
    provenance: Provenance = "packaged"
    unaccepted: tuple[str, ...] = ()

    def find(self, key: str) -> LineFactor | None:
        """A line with its row; None where the set has none."""
        return next((line for line in self.lines if line.key == key), None)

    def line(self, key: str) -> LineFactor:
        """A line that has a value. Raises FactorError where this set has none: it is never taken as 0."""
        found = self.find(key)
        if found is None or found.value is None:
            name = FACTOR_LINES[key].name
            raise FactorError(
                f"the factor set of {self.name} has no factor for {name}"
                + (": import the Government's file of that year" if self.provenance == "packaged" else "")
            )
        return found

    @property
    def values(self) -> dict[str, Decimal]:
        """Every factor that is known, by the key of its line."""
        return {line.key: line.value for line in self.lines if line.value is not None} | {
            key: getattr(self, key) for key in ELECTRICITY
        }

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
        set_of_lines(
            row["year"],
            row["version"],
            row["final"],
            tuple(
                LineFactor(key, None if value is None else Decimal(value), row_id, cell)
                for key, (value, row_id, cell) in row["lines"].items()
            ),
            row["sha256"],
        )
        for row in data["sets"]
    )


def set_of_lines(
    year: int,
    version: str,
    final: bool,
    lines: Sequence[LineFactor],
    sha256: str = "",
    provenance: Provenance = "packaged",
    unaccepted: Sequence[str] = (),
) -> FactorSet:
    """A set of its lines. Raises FactorError where one of the four of electricity is not there."""
    values = {line.key: line.value for line in lines}
    generation, td, wtt_generation, wtt_td = (values.get(key) for key in ELECTRICITY)
    if generation is None or td is None or wtt_generation is None or wtt_td is None:
        raise FactorError(f"the factor set of {year} lacks a line of electricity")
    return FactorSet(
        name=str(year),
        year=year,
        version=version,
        final=final,
        s2_generation=generation,
        s3_td=td,
        s3_wtt_generation=wtt_generation,
        s3_wtt_td=wtt_td,
        lines=tuple(lines),
        sha256=sha256,
        provenance=provenance,
        unaccepted=tuple(unaccepted),
    )


def with_imported(imported: Sequence[FactorSet]) -> tuple[FactorSet, ...]:
    """The packaged sets with imported ones in the place of those of the same years, oldest first.

    The newest version of a year holds: a file that is older than what is packaged does not take its place.
    """
    sets = {one.year: one for one in packaged_sets()}
    for one in imported:
        if holds_over(one.version, sets.get(one.year)):
            sets[one.year] = one
    return tuple(sets[year] for year in sorted(sets))


def holds_over(version: str, standing: FactorSet | None) -> bool:
    """Whether a file of this version takes the place of the set that stands for its year."""
    if standing is None or (standing.provenance == "packaged" and not standing.final):
        return True
    return version_order(version) >= version_order(standing.version)


def version_order(version: str) -> Decimal:
    """Versions in their order, which is that of the numbers on the front page: 1.01, 1.03, 1.1, 2."""
    whole, _, part = version.partition(".")
    return Decimal(f"{whole}.{part.replace('.', '') or 0}")


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
    lines = []
    for earlier in one.lines:
        later = two.find(earlier.key)
        if later is not None and earlier.value is not None and later.value is not None:
            value = weighted(earlier.value, later.value)
            lines.append(
                LineFactor(earlier.key, value, _both(earlier.row_id, later.row_id), _both(earlier.cell, later.cell))
            )
    blended = FactorSet(
        f"{one.name} and {two.name} blended",
        year,
        f"{one.version}+{two.version}",
        True,
        weighted(one.s2_generation, two.s2_generation),
        weighted(one.s3_td, two.s3_td),
        weighted(one.s3_wtt_generation, two.s3_wtt_generation),
        weighted(one.s3_wtt_td, two.s3_wtt_td),
        tuple(lines),
        _both(one.sha256, two.sha256),
        "imported" if "imported" in (one.provenance, two.provenance) else "packaged",
        (*one.unaccepted, *two.unaccepted),
    )
    return Applied(blended, provisional=False)


def _both(earlier: str, later: str) -> str:
    """Where both parts of a blended line stand."""
    return earlier if earlier == later else f"{earlier} + {later}"
