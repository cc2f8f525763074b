"""Rows for the Greening Government ICT return: by category devices, energy, factor and tCO2e by scope; e-waste by route.

Source: carbon reference, section 3 (counts x annual kWh x factor by category; per FTE; e-waste tonnes by route).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from carbon.calendar import financial_year, financial_year_label
from carbon.device_classes import SERVICE_CATEGORIES
from carbon.export_rows import Cell, kwh_cell
from carbon.factor_lines import FACTOR_LINES
from carbon.footprint_rows import FootprintRow
from carbon.months import middle_of, months_between
from carbon.report import OtherLine, Report

HEADER = (
    "financial_year",
    "section",
    "item",
    "devices",
    "kwh_per_device",
    "electricity_kwh",
    "tonnes",
    "factor_kgco2e_per_unit",
    "scope_1_tco2e",
    "scope_2_tco2e",
    "scope_3_tco2e",
    "total_tco2e",
    "tco2e_per_fte",
)
DEVICES, OTHER, WASTE, WHOLE = "devices", "other", "electronic waste", "total"
ROUTES = {
    line.name: line.name.rpartition("mixed, ")[2] for key, line in FACTOR_LINES.items() if key.startswith("weee_")
}
"""Routes of electronic waste by the names that lines have."""


@dataclass(slots=True)
class _Item:
    count: Fraction = Fraction(0)
    energy_uj: int = 0
    tonnes: Decimal | None = None
    scopes: dict[str, int] = field(default_factory=lambda: {"1": 0, "2": 0, "3": 0})

    @property
    def grams(self) -> int:
        return sum(self.scopes.values())


def greening_ict(report: Report) -> list[list[Cell]]:
    """The rows of `HEADER`: each financial year's categories, other lines, waste by route, and its total."""
    years: dict[str, dict[tuple[str, str], _Item]] = {}
    months: dict[str, set[str]] = {}
    for month in months_between(report.first_month, report.last_month):
        months.setdefault(_year(month), set()).add(month)
    for row in report.rows:
        subject = row.activity.subject
        words = SERVICE_CATEGORIES.get(subject.service_category, subject.service_category)
        item = years.setdefault(_year(subject.month), {}).setdefault((DEVICES, words), _Item())
        _add_row(item, row)
    for line in (one for one in report.other if not one.memo):
        section, name = (WASTE, ROUTES[line.name]) if line.name in ROUTES else (OTHER, line.name)
        item = years.setdefault(_year(line.month), {}).setdefault((section, name), _Item())
        _add_line(item, line, section)
    made: list[list[Cell]] = []
    for year, items in sorted(years.items()):
        in_order = sorted(items.items(), key=lambda one: ((DEVICES, OTHER, WASTE).index(one[0][0]), one[0][1]))
        made += [_cells(report, year, *key, item, len(months.get(year, ())) or 1) for key, item in in_order]
        made.append(_cells(report, year, WHOLE, "", _sum(items.values()), len(months.get(year, ())) or 1))
    return made


def _year(month: str) -> str:
    return financial_year_label(financial_year(middle_of(month)))


def _add_row(item: _Item, row: FootprintRow) -> None:
    item.count += row.activity.count
    item.energy_uj += row.activity.activity_uj
    item.scopes[row.scope] += row.grams.s2_generation
    item.scopes["3"] += row.grams.total - row.grams.s2_generation


def _add_line(item: _Item, line: OtherLine, section: str) -> None:
    item.scopes[line.scope] += line.grams
    if section == WASTE:
        item.tonnes = (item.tonnes or Decimal(0)) + line.amount


def _sum(items: Iterable[_Item]) -> _Item:
    whole = _Item()
    for one in items:
        whole.count += one.count
        whole.energy_uj += one.energy_uj
        if one.tonnes is not None:
            whole.tonnes = (whole.tonnes or Decimal(0)) + one.tonnes
        for scope, grams in one.scopes.items():
            whole.scopes[scope] += grams
    return whole


def _cells(report: Report, year: str, section: str, name: str, item: _Item, months: int) -> list[Cell]:
    count = item.count / months
    energy = kwh_cell(item.energy_uj)
    electric = section in (DEVICES, WHOLE)
    factor: Decimal | None = None
    if section == DEVICES and item.energy_uj:
        factor = round(Decimal(item.grams) / 1000 / energy, 6) if energy else None
    elif section == WASTE and item.tonnes:
        factor = round(Decimal(item.grams) / 1000 / item.tonnes, 6)
    fte = report.full_time_equivalents
    return [
        year,
        section,
        name,
        _round(count) if electric else None,
        _round(Fraction(energy) / count) if section == DEVICES and count else None,
        energy if electric else None,
        item.tonnes,
        factor,
        *(_tonnes(item.scopes[scope]) for scope in ("1", "2", "3")),
        _tonnes(item.grams),
        round(Decimal(item.grams) / 1_000_000 / fte, 9) if fte else None,
    ]


def _tonnes(grams: int) -> Decimal:
    """To the gram."""
    return Decimal(grams).scaleb(-6)


def _round(number: Fraction) -> Decimal:
    return round(Decimal(number.numerator) / number.denominator, 6)
