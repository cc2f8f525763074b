"""What stands beside the electricity of a report, as tables: other lines, coverage, fills, factors, what is not reported.

The exact figures of every output: kilograms to the gram, kilowatt-hours to the microjoule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from carbon.export_columns import COLUMNS
from carbon.export_rows import Cell, cells, export_rows, kg_cell, kwh_cell
from carbon.factor_lines import ELECTRICITY, FACTOR_LINES
from carbon.report import Report


@dataclass(frozen=True, slots=True)
class ExactTable:
    """A table with exact cells."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def electricity(report: Report, by: Sequence[str]) -> ExactTable:
    """The detailed export: `carbon.export_columns`."""
    return ExactTable(tuple(COLUMNS), cells(report, export_rows(report, by), by))


def lines(report: Report) -> ExactTable:
    """Fuel, refrigerants, water, waste, statements of providers; memos are marked and in no total."""
    header = (
        *("id", "month", "name", "service", "site", "ghg_scope", "scope3_category", "amount", "unit", "kgco2e", "memo"),
        *("basis", "provisional", "factor_row_id", "evidence", "evidence_sha256", "entered_by"),
    )
    return ExactTable(
        header,
        [
            (
                *(one.id, one.month, one.name, one.service, one.site, one.scope, one.scope_3_category),
                *(one.amount, one.unit, kg_cell(one.grams), _yes(one.memo), one.basis, _yes(one.provisional)),
                *(one.factor_row_id, one.evidence, one.evidence_sha256, one.actor),
            )
            for one in report.other
        ],
    )


def coverage(report: Report) -> ExactTable:
    """Devices by class and how each is known; both coverages in per cent."""
    header = (
        *("asset_class", "registered", "measured", "estimated", "profile", "absent"),
        *("time_coverage_pct", "estate_coverage_pct"),
    )
    return ExactTable(
        header,
        [
            (
                one.asset_class,
                *map(Decimal, (one.registered, one.measured, one.estimated, one.profile, one.absent)),
                _percent(one.time_coverage),
                _percent(one.estate_coverage),
            )
            for one in report.coverage
        ],
    )


def fills(report: Report) -> ExactTable:
    """Each gap with what stands for it."""
    return ExactTable(
        ("device", "month", "method", "half_hours", "filled_kwh", "low_kwh", "high_kwh"),
        [
            (
                *(one.device, one.month, one.method, Decimal(one.half_hours)),
                *map(kwh_cell, (one.energy_uj, one.low_uj, one.high_uj)),
            )
            for one in report.fills
        ],
    )


def factors(report: Report) -> ExactTable:
    """Every factor row that figures of electricity were made with, line by line."""
    sets = {
        (
            row.applied.factors.name,
            row.applied.factors.version,
            row.applied.factors.sha256,
            row.applied.provisional,
        ): row
        for row in report.rows
    }
    made: list[Sequence[Cell]] = []
    for (name, version, sha256, provisional), row in sorted(sets.items()):
        for key in ELECTRICITY:
            found = row.applied.factors.find(key)
            where = (found.row_id, found.cell) if found is not None else ("", "")
            value: Decimal = getattr(row.applied.factors, key)
            made.append((name, version, _yes(provisional), FACTOR_LINES[key].name, value, *where, sha256))
    header = (
        "factor_set",
        "factor_version",
        "provisional",
        "line",
        "kgco2e_per_kwh",
        "factor_row_id",
        "cell",
        "sha256",
    )
    return ExactTable(header, made)


def not_reported(report: Report) -> ExactTable:
    """Services whose providers gave no statement."""
    return ExactTable(("service", "statement"), [(name, "not reported") for name in report.not_reported])


TABLES: Mapping[str, Callable[[Report], ExactTable]] = {
    "lines": lines,
    "coverage": coverage,
    "fills": fills,
    "factors": factors,
    "not-reported": not_reported,
}
"""The tables beside the electricity, by the names that the command line gives them."""


def _yes(true: bool) -> str:
    return "yes" if true else "no"


def _percent(ratio: Decimal | None) -> Decimal | None:
    return None if ratio is None else round(100 * ratio, 2)
