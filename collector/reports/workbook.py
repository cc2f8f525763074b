"""A report as a workbook: summary, data, lines, method and evidence. Totals are formulas over the rows, so that whoever
filters or corrects a copy sees them follow; kilograms are rounded to the gram, as the product has them.
"""

import datetime
import io
from collections.abc import Mapping, Sequence

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_col_to_name

from carbon.export_columns import COLUMNS
from carbon.export_tables import TABLES, ExactTable, electricity
from carbon.factors import YEAR_RULES
from carbon.report import Report
from carbon.report_summary import Summary, summary
from collector.reports.sheets import Sheet
from collector.reports.workbook_summary import write_summary

_EVIDENCE = {
    "factors": "Factor rows",
    "coverage": "Coverage by class",
    "fills": "Gaps and what stands for them",
    "not-reported": "Services without a statement",
}


def workbook(report: Report, by: Sequence[str]) -> bytes:
    """The file. Rows of the data sheet are divided by `by` (`carbon.export_rows.BY`)."""
    file = io.BytesIO()
    book = Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    words, data, lines = summary(report), electricity(report, by), TABLES["lines"](report)
    made = datetime.datetime.fromtimestamp(report.made_at, datetime.UTC).replace(tzinfo=None)
    book.set_properties({"title": words.title, "author": report.organisation, "comments": words.state, "created": made})
    first = Sheet(book, "summary", (44, 16, 16, 16, 16))
    _rows(book, "data", data)
    _rows(book, "lines", lines)
    write_summary(first, report, words, by, data)
    _method(book, report, words)
    _evidence(book, report)
    first.sheet.activate()
    book.close()
    return file.getvalue()


def tables_workbook(tables: Mapping[str, ExactTable]) -> bytes:
    """Tables alone, a sheet each: what is pasted into a return."""
    file = io.BytesIO()
    book = Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    for name, table in tables.items():
        Sheet(book, name, [18] * len(table.header)).table(table)
    book.close()
    return file.getvalue()


def _rows(book: Workbook, name: str, table: ExactTable) -> None:
    """A sheet of rows under their header, each column with a name by which formulas call it: `data_site`."""
    sheet = Sheet(book, name, [18] * len(table.header))
    sheet.table(table)
    last = max(2, len(table.rows) + 1)
    for place, column in enumerate(table.header):
        letters = xl_col_to_name(place)
        book.define_name(f"{name}_{column}", f"={name}!${letters}$2:${letters}${last}")
    sheet.sheet.freeze_panes(1, 0)
    sheet.sheet.autofilter(0, 0, last - 1, len(table.header) - 1)


def _method(book: Workbook, report: Report, words: Summary) -> None:
    sheet = Sheet(book, "method", (30, 16, 110))
    sheet.title("Method")
    for section in words.sections:
        if section.table is None or section.heading == "How well it is known":
            sheet.heading(section.heading)
            for sentence in section.sentences:
                sheet.cells((sentence,))
    sheet.heading("Rules")
    sheet.cells(("year rule", report.year_rule, YEAR_RULES[report.year_rule]))
    sheet.cells(("time zone", report.time_zone, "of days, months and financial years"))
    sheet.cells(("method version", report.method_version))
    sheet.cells(("restated from", report.restated_from))
    sheet.heading("Columns of the data sheet")
    sheet.head(("column", "unit", "meaning"))
    for name, column in COLUMNS.items():
        sheet.cells((name, column.unit, column.meaning))


def _evidence(book: Workbook, report: Report) -> None:
    sheet = Sheet(book, "evidence", (24, 16, 28, 44, 16, 18, 18, 66))
    sheet.title("Evidence")
    for name, heading in _EVIDENCE.items():
        sheet.heading(heading)
        sheet.table(TABLES[name](report))
    sheet.heading("Contracts for electricity")
    for evidence in sorted({row.market.evidence for row in report.rows if row.market}):
        sheet.cells((evidence,))
    sheet.cells(("Documents of other lines, with their SHA-256, stand on the sheet lines.",))
