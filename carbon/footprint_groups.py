"""Rows of a report added up by what people ask for: site, class, device, month; and everything by scope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from carbon.figures import DIMENSIONS, Dimension
from carbon.footprint_rows import FootprintRow, Grams, total
from carbon.months import months_between
from carbon.report import Report
from carbon.row_ranges import energy_range, grams_range

KEYS: Mapping[str, Dimension] = {
    **{name: of for name, of in DIMENSIONS.items() if name != "scope"},
    "organisation": lambda row: row.activity.subject.organisation,
}
"""What rows may be added up by; "" is what has none of it, such as a device that stands nowhere."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows together: energy in microjoules by how it is known, grams by line with the range of their sum at 95%, of it
    Scope 2 by location and by market (what the organisation buys itself), the mean number of devices over the months of the
    report, and the part of the devices' time with a reading (None without any).
    """

    measured_uj: int
    estimated_uj: int
    filled_uj: int
    overhead_uj: int
    energy_range_uj: tuple[int, int]
    grams: Grams
    grams_range: tuple[int, int]
    scope_2_g: int
    scope_2_market_g: int
    devices: Fraction
    time_coverage: float | None

    @property
    def activity_uj(self) -> int:
        return self.measured_uj + self.estimated_uj + self.filled_uj + self.overhead_uj


def group(rows: Sequence[FootprintRow], months: int) -> Group:
    """Rows of so many months as one."""
    activities = [row.activity for row in rows]
    possible = sum(one.possible_seconds for one in activities)
    covered = sum(one.covered_seconds for one in activities)
    own = [row.grams for row in rows if row.scope == "2"]
    return Group(
        measured_uj=sum(one.measured_uj for one in activities),
        estimated_uj=sum(one.estimated_uj for one in activities),
        filled_uj=sum(one.filled_uj for one in activities),
        overhead_uj=sum(one.overhead_uj for one in activities),
        energy_range_uj=energy_range(rows),
        grams=total(rows),
        grams_range=grams_range(rows),
        scope_2_g=sum(one.s2_generation for one in own),
        scope_2_market_g=sum(one.s2_market for one in own),
        devices=sum((one.count for one in activities), Fraction(0)) / months,
        time_coverage=min(1.0, covered / possible) if possible else None,
    )


def groups(report: Report, names: Sequence[str]) -> dict[tuple[str, ...], Group]:
    """The report's rows by some of `KEYS`, in order of the keys; their sums are the report's."""
    found: dict[tuple[str, ...], list[FootprintRow]] = {}
    for row in report.rows:
        found.setdefault(tuple(KEYS[name](row) for name in names), []).append(row)
    months = _months(report)
    return {key: group(found[key], months) for key in sorted(found)}


def whole(report: Report) -> Group:
    """All rows of the report."""
    return group(report.rows, _months(report))


def by_scope(report: Report) -> dict[tuple[str, str], int]:
    """Grams by scope and category of Scope 3 ("" of Scopes 1 and 2), location-based, other lines too, without memos.

    Of electricity that the organisation buys, generation is Scope 2, and losses and well-to-tank are Scope 3, category 3;
    of others' (homes, landlords) all lines are of the category of that supply.
    """
    found: dict[tuple[str, str], int] = {}

    def add(scope: str, category: str, grams: int) -> None:
        found[scope, category] = found.get((scope, category), 0) + grams

    for row in report.rows:
        if row.scope == "2":
            add("2", "", row.grams.s2_generation)
            add("3", "3", row.grams.total - row.grams.s2_generation)
        else:
            add(row.scope, row.scope_3_category, row.grams.total)
    for line in report.other:
        if not line.memo:
            add(line.scope, line.scope_3_category, line.grams)
    return dict(sorted(found.items(), key=lambda one: (one[0][0], int(one[0][1] or 0))))


def _months(report: Report) -> int:
    return len(months_between(report.first_month, report.last_month))
