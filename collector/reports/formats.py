"""Every format of a report by its name, and what makes the file of it."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Literal, get_args

from carbon import councils_tool, greening_ict
from carbon.export_tables import TABLES, ExactTable, electricity
from carbon.report import Report
from collector.reports.json_file import json_text
from collector.reports.page import page
from collector.reports.pdf import pdf
from collector.reports.workbook import tables_workbook, workbook
from collector.tables.csv_file import write_csv

Format = Literal["csv", "xlsx", "json", "html", "pdf"]
FORMATS: tuple[Format, ...] = get_args(Format)
BINARY = frozenset({"xlsx", "pdf"})
RETURNS: Mapping[str, Callable[[Report], ExactTable]] = {
    "councils-tool": lambda report: ExactTable(councils_tool.HEADER, councils_tool.councils_tool(report)),
    "greening-ict": lambda report: ExactTable(greening_ict.HEADER, greening_ict.greening_ict(report)),
}
"""What is pasted into returns of others: CSV or workbook."""
ROWS = ("electricity", *TABLES)
"""Which table a CSV holds."""


def format_of(name: str) -> Format | None:
    """The format that a file's name says, None where it says none.

    >>> format_of("/tmp/report.XLSX"), format_of("report")
    ('xlsx', None)
    """
    ending = PurePath(name).suffix.lower().lstrip(".")
    return ending if ending in FORMATS else None


def file_of(report: Report, form: Format, by: Sequence[str], rows: str = "electricity") -> bytes:
    """The report as a file; a CSV holds one of its tables (`ROWS`). Raises PdfUnavailable."""
    if form == "csv":
        return csv_bytes(electricity(report, by) if rows == "electricity" else TABLES[rows](report))
    if form == "xlsx":
        return workbook(report, by)
    if form == "pdf":
        return pdf(report)
    return (json_text(report, by) if form == "json" else page(report)).encode()


def return_of(report: Report, name: str, form: Format) -> bytes:
    """What the report is in a return of others, as CSV or workbook."""
    table = RETURNS[name](report)
    return csv_bytes(table) if form == "csv" else tables_workbook({name: table})


def csv_bytes(table: ExactTable) -> bytes:
    """A table as CSV in UTF-8."""
    text = io.StringIO(newline="")
    write_csv(text, table.header, table.rows)
    return text.getvalue().encode()
