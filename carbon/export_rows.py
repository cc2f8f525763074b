"""From the atoms of a report to the rows of its detailed export: sums by period, place, category and class.

A row is of one PUE, one scope, one factor set and one state of the corporate inventory, so that its columns say one
thing; atoms that differ in these stand in rows of their own. Energy is added in microjoules and emissions in grams: rows
add up to the report to the gram, by whatever they are divided.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from carbon.activity import Activity, Tier
from carbon.calendar import day_bounds, financial_year, financial_year_dates, financial_year_label
from carbon.export_columns import COLUMNS, KG_DECIMALS, KWH_DECIMALS
from carbon.factor_lines import ELECTRICITY
from carbon.factors import LineFactor
from carbon.footprint_rows import FootprintRow, Grams
from carbon.months import middle_of, months_between
from carbon.report import Report
from carbon.uncertainty import range_of
from carbon.units import UJ_PER_KWH

BY = ("month", "directorate", "site", "category", "class")
"""What rows may be divided by, beside the financial year and the organisation."""
DEFAULT_BY = ("directorate", "site", "category", "class")

Cell = str | Decimal | None
"""None is an empty cell of a number."""


@dataclass(slots=True)
class ExportRow:
    """Atoms as one row. `first` is the first of them, which says all that they have in common."""

    first: FootprintRow
    months: tuple[str, str]
    month_count: int
    count: Fraction = Fraction(0)
    measured_uj: int = 0
    estimated_uj: int = 0
    filled_uj: int = 0
    activity_uj: int = 0
    covered_seconds: int = 0
    possible_seconds: int = 0
    lines: list[int] = field(default_factory=lambda: [0] * 5)
    errors: dict[str, tuple[int, int]] = field(default_factory=dict)
    tiers: dict[Tier, int] = field(default_factory=dict)
    classes: set[str] = field(default_factory=set)

    def add(self, row: FootprintRow) -> None:
        """Take an atom in."""
        one = row.activity
        self.count += one.count
        self.measured_uj += one.measured_uj
        self.estimated_uj += one.estimated_uj
        self.filled_uj += one.filled_uj
        self.activity_uj += one.activity_uj
        self.covered_seconds += one.covered_seconds
        self.possible_seconds += one.possible_seconds
        for place, grams in enumerate(_grams(row.grams)):
            self.lines[place] += grams
        for group, (low, high) in one.errors.items():
            before = self.errors.get(group, (0, 0))
            self.errors[group] = before[0] + low, before[1] + high
        for tier, energy in _tiers(one):
            self.tiers[tier] = self.tiers.get(tier, 0) + abs(energy)
        self.classes.add(one.subject.asset_class)

    @property
    def grams(self) -> Grams:
        """The row's emissions, line by line."""
        return Grams(*self.lines)


def export_rows(report: Report, by: Iterable[str] = DEFAULT_BY) -> list[ExportRow]:
    """The rows of a report, in the order of their texts. `by` are of `BY`."""
    wanted = frozenset(by)
    found: dict[tuple[Any, ...], ExportRow] = {}
    periods: dict[str, tuple[tuple[str, str], int]] = {}
    for row in report.rows:
        month = row.activity.subject.month
        if month not in periods:
            periods[month] = _period(report, month, "month" in wanted)
        months, length = periods[month]
        key = (months, *_key(row, wanted))
        into = found.get(key)
        if into is None:
            into = found[key] = ExportRow(row, months, length)
        into.add(row)
    return [found[key] for key in sorted(found)]


def cells(report: Report, rows: Sequence[ExportRow], by: Iterable[str] = DEFAULT_BY) -> list[list[Cell]]:
    """Rows as the cells of `COLUMNS`."""
    wanted = frozenset(by)
    coverage = {one.asset_class: one for one in report.coverage}
    made = []
    for row in rows:
        classes = [coverage[name] for name in row.classes if name in coverage]
        registered = sum(one.registered for one in classes)
        absent = sum(one.absent for one in classes)
        named = _named(report, row, wanted)
        named["estate_coverage_pct"] = _percent(registered - absent, registered)
        made.append([named[name] for name in COLUMNS])
    return made


def kwh_cell(energy_uj: int) -> Decimal:
    """Kilowatt-hours from which the whole microjoule can be had again.

    >>> f"{kwh_cell(1):f}", round(kwh_cell(1) * 3_600_000_000_000)
    ('0.0000000000003', 1)
    """
    return round(Decimal(energy_uj) / UJ_PER_KWH, KWH_DECIMALS)


def kg_cell(grams: int) -> Decimal:
    """Kilograms to the gram.

    >>> str(kg_cell(1_234_567))
    '1234.567'
    """
    return Decimal(grams).scaleb(-KG_DECIMALS)


def _key(row: FootprintRow, by: frozenset[str]) -> tuple[Any, ...]:
    subject, one, factors = row.activity.subject, row.activity, row.applied.factors
    return (
        subject.organisation,
        subject.directorate if "directorate" in by else "",
        subject.site if "site" in by else "",
        subject.uprn if "site" in by else "",
        subject.service_category if "category" in by else "",
        subject.asset_class if "class" in by else "",
        row.scope,
        row.scope_3_category,
        one.inside,
        one.pue.value,
        one.pue.source,
        factors.name,
        factors.version,
        factors.sha256,
        row.applied.provisional,
    )


def _period(report: Report, month: str, by_month: bool) -> tuple[tuple[str, str], int]:
    """First and last month of a row's period, and how many it has."""
    if by_month:
        return (month, month), 1
    begins, ends = financial_year_dates(financial_year(middle_of(month)))
    first, last = max(report.first_month, f"{begins:%Y-%m}"), min(report.last_month, f"{ends:%Y-%m}")
    return (first, last), len(months_between(first, last))


def _grams(grams: Grams) -> tuple[int, ...]:
    return grams.s2_generation, grams.s3_td, grams.s3_wtt_generation, grams.s3_wtt_td, grams.s2_market


def _tiers(one: Activity) -> Iterable[tuple[Tier, int]]:
    if one.subject.kind == "profile":
        return (("profile", one.it_uj),)
    return (("measured", one.measured_uj), ("estimated", one.estimated_uj), ("filled", one.filled_uj))


def _named(report: Report, row: ExportRow, by: frozenset[str]) -> dict[str, Cell]:
    subject, activity, applied = row.first.activity.subject, row.first.activity, row.first.applied
    factors = applied.factors
    first, last = (middle_of(month) for month in row.months)
    ends = (last.replace(day=1) + datetime.timedelta(days=31)).replace(day=1)
    kilograms = [kg_cell(grams) for grams in row.lines]
    return {
        "financial_year": financial_year_label(financial_year(first)),
        "period_start_utc": _instant(first.replace(day=1), report.time_zone),
        "period_end_utc": _instant(ends, report.time_zone),
        "organisation": subject.organisation,
        "directorate": subject.directorate if "directorate" in by else "",
        "site": subject.site if "site" in by else "",
        "uprn": subject.uprn if "site" in by else "",
        "service_category": subject.service_category if "category" in by else "",
        "asset_class": subject.asset_class if "class" in by else "",
        "count": round(_decimal(row.count / row.month_count), 6),
        "measured_kwh": kwh_cell(row.measured_uj),
        "estimated_kwh": kwh_cell(row.estimated_uj),
        "filled_kwh": kwh_cell(row.filled_uj),
        "activity_kwh": kwh_cell(row.activity_uj),
        "data_quality_tier": max(row.tiers, key=lambda tier: row.tiers[tier]),
        "time_coverage_pct": _percent(min(row.covered_seconds, row.possible_seconds), row.possible_seconds),
        "within_corporate_inventory": activity.inside,
        "pue_applied": Decimal(str(activity.pue.value)),
        "pue_source": activity.pue.source,
        "ghg_scope": row.first.scope,
        "scope3_category": row.first.scope_3_category,
        "lb_s2_gen_kgco2e": kilograms[0],
        "s3_td_kgco2e": kilograms[1],
        "s3_wtt_gen_kgco2e": kilograms[2],
        "s3_wtt_td_kgco2e": kilograms[3],
        "mb_s2_kgco2e": kilograms[4],
        "factor_set": factors.name,
        "factor_version": f"{factors.version}, provisional" if applied.provisional else factors.version,
        "factor_row_id": _row_ids(*(factors.find(name) for name in ELECTRICITY)),
        "factor_sha256": factors.sha256,
        "year_rule": report.year_rule,
        "uncertainty_pct": _uncertainty(row),
        "restated_from": report.restated_from,
        "method_version": report.method_version,
    }


@lru_cache(maxsize=1024)
def _instant(day: datetime.date, time_zone: str) -> str:
    at = datetime.datetime.fromtimestamp(day_bounds(day, time_zone)[0], datetime.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


@lru_cache(maxsize=1024)
def _row_ids(*lines: LineFactor | None) -> str:
    return "; ".join(one.row_id for one in lines if one is not None and one.row_id)


def _percent(part: int, whole: int) -> Decimal | None:
    return round(Decimal(100 * part) / whole, 2) if whole else None


def _uncertainty(row: ExportRow) -> Decimal | None:
    if not row.activity_uj:
        return None
    low, high = range_of(row.activity_uj, row.errors)
    return round(Decimal(100 * max(row.activity_uj - low, high - row.activity_uj)) / abs(row.activity_uj), 1)


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / number.denominator
