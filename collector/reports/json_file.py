"""A report as JSON: all of it, exact. Kilowatt-hours and kilograms are texts, so that no reader rounds them."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from carbon.export_rows import Cell
from carbon.export_tables import TABLES, ExactTable, electricity
from carbon.footprint_rows import LINES
from carbon.report import Report
from carbon.report_summary import summary
from carbon.row_ranges import energy_range, grams_range
from collector.tables.csv_file import decimal_text


def json_text(report: Report, by: Sequence[str]) -> str:
    """The report with its rows divided by `by`; totals in grams and microjoules."""
    words, grams = summary(report), report.grams
    low, high = grams_range(report.rows)
    low_uj, high_uj = energy_range(report.rows)
    made: dict[str, Any] = {
        "title": words.title,
        "organisation": report.organisation,
        "time_zone": report.time_zone,
        "first_month": report.first_month,
        "last_month": report.last_month,
        "made_at": report.made_at,
        "state": report.state,
        "state_in_words": words.state,
        "restated_from": report.restated_from,
        "year_rule": report.year_rule,
        "method_version": report.method_version,
        "full_time_equivalents": None
        if report.full_time_equivalents is None
        else decimal_text(report.full_time_equivalents),
        "totals": {
            "activity_uj": sum(row.activity.activity_uj for row in report.rows),
            "activity_low_uj": low_uj,
            "activity_high_uj": high_uj,
            **{f"{name}_g": getattr(grams, name) for name in (*LINES, "s2_market")},
            "electricity_g": grams.total,
            "electricity_low_g": low,
            "electricity_high_g": high,
            "other_g": report.total_g - grams.total,
            "total_g": report.total_g,
            "left_out_g": report.left_out_g,
        },
        "by": list(by),
        "rows": _rows(electricity(report, by)),
        **{name.replace("-", "_"): _rows(table(report)) for name, table in TABLES.items()},
        "market_evidence": sorted({row.market.evidence for row in report.rows if row.market}),
        "notes": list(report.notes),
    }
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _rows(table: ExactTable) -> list[dict[str, str | None]]:
    return [dict(zip(table.header, map(_value, row), strict=True)) for row in table.rows]


def _value(cell: Cell) -> str | None:
    return decimal_text(cell) if isinstance(cell, Decimal) else cell
