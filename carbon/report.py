"""What a report is made of: the rows of the footprint and all that stands beside them, as plain values.

Every output (CSV, workbook, page, PDF, evidence pack) and every explanation starts from one `Report`, so all of them
say the same.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from carbon.factors import YearRule
from carbon.footprint_rows import FootprintRow, Grams, total

State = Literal["provisional", "final", "restated"]

METHOD_VERSION = "1"
"""Of the way from activity to grams: raised by whatever makes another figure of the same activity."""


@dataclass(frozen=True, slots=True)
class OtherLine:
    """Emissions that are not of metered electricity: fuel, refrigerants, water, waste, and providers' statements.

    `month` is YYYY-MM. `basis` says whose factors and which method made the grams: a factor row of ours, or the
    provider's own words; `provisional` of a factor whose set is not final, or stands in for a missing one. `memo` stands
    beside the inventory and is in no total (travel avoided).
    """

    id: str
    month: str
    name: str
    service: str
    site: str
    scope: str
    scope_3_category: str
    amount: Decimal
    unit: str
    grams: int
    basis: str
    factor_row_id: str
    evidence: str
    evidence_sha256: str
    actor: str
    memo: bool = False
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class ClassCoverage:
    """One class in both coverages: devices registered and in use, how each is known, and the time with readings."""

    asset_class: str
    registered: int
    measured: int
    estimated: int
    profile: int
    absent: int
    covered_seconds: int
    possible_seconds: int

    @property
    def time_coverage(self) -> Decimal | None:
        """The part of the time (0..1) of devices that can be read; None where the class has none."""
        if not self.possible_seconds:
            return None
        return min(Decimal(1), Decimal(self.covered_seconds) / self.possible_seconds)

    @property
    def estate_coverage(self) -> Decimal | None:
        """The part (0..1) of registered devices in use that have a figure; None where none is registered."""
        return Decimal(self.registered - self.absent) / self.registered if self.registered else None


@dataclass(frozen=True, slots=True)
class Fill:
    """What stands for a device's silence in a month: how many half-hours, by which method, with how much energy."""

    device: str
    month: str
    method: Literal["same weekday and half-hour", "taken as off", "class profile", "excluded"]
    half_hours: int
    energy_uj: int
    low_uj: int
    high_uj: int


@dataclass(frozen=True, slots=True)
class Report:
    """A footprint of an organisation over months, `first_month` to `last_month` (YYYY-MM, both included)."""

    organisation: str
    time_zone: str
    year_rule: YearRule
    first_month: str
    last_month: str
    made_at: int
    state: State
    rows: Sequence[FootprintRow]
    other: Sequence[OtherLine] = ()
    not_reported: Sequence[str] = ()
    coverage: Sequence[ClassCoverage] = ()
    fills: Sequence[Fill] = ()
    notes: Sequence[str] = ()
    method_version: str = METHOD_VERSION
    restated_from: str = ""
    full_time_equivalents: Decimal | None = None
    left_out_g: int = field(default=0)

    @property
    def grams(self) -> Grams:
        """All rows, line by line, without the other lines."""
        return total(self.rows)

    @property
    def total_g(self) -> int:
        """Everything that counts, location-based: rows and other lines, without memos."""
        return self.grams.total + sum(line.grams for line in self.other if not line.memo)

    def by(self, key: Callable[[FootprintRow], str]) -> dict[str, list[FootprintRow]]:
        """The rows by a key, keys in order."""
        found: dict[str, list[FootprintRow]] = {}
        for row in self.rows:
            found.setdefault(key(row), []).append(row)
        return dict(sorted(found.items()))


def provisional(rows: Iterable[FootprintRow]) -> bool:
    """Whether any row was made with a factor set that is not final, or stands in for a missing one."""
    return any(row.applied.provisional for row in rows)
