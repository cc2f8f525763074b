"""Sheets of a workbook as they are written: texts stay texts, numbers stay numbers, whatever they look like."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from carbon.export_tables import ExactTable

Value = str | Decimal | float | None
_LONGEST_TEXT = 32_767
"""Letters that a cell may hold."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Sheet:
    """One sheet, filled from the top."""

    def __init__(self, book: Workbook, name: str, widths: Sequence[int]) -> None:
        self.book = book
        self.sheet: Worksheet = book.add_worksheet(name)
        self.row = 0
        self.sheet.set_landscape()
        self.sheet.fit_to_pages(1, 0)
        self._bold = book.add_format({"bold": True})
        self._title = book.add_format({"bold": True, "font_size": 15})
        self._head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        # The mark that a spreadsheet itself gives to what was typed after an apostrophe: it stays text when edited.
        self._quoted = book.add_format({"quote_prefix": True})
        self._total = book.add_format({"bold": True, "top": 1, "num_format": "#,##0.000"})
        self._number = book.add_format({"num_format": "#,##0.000"})
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width)

    def title(self, text: str) -> None:
        self.sheet.write_string(self.row, 0, text[:_LONGEST_TEXT], self._title)
        self.row += 1

    def heading(self, text: str) -> None:
        """A heading with a row of space above."""
        self.row += 1
        self.sheet.write_string(self.row, 0, text, self._bold)
        self.row += 1

    def cells(self, values: Iterable[Value]) -> None:
        """One row of cells."""
        for column, value in enumerate(values):
            self.cell(self.row, column, value)
        self.row += 1

    def cell(self, row: int, column: int, value: Value) -> None:
        if isinstance(value, str):
            form = self._quoted if value.startswith(_FORMULA_STARTS) else None
            self.sheet.write_string(row, column, value[:_LONGEST_TEXT], form)
        elif value is not None:
            self.sheet.write_number(row, column, float(value))

    def head(self, names: Sequence[str]) -> None:
        for column, name in enumerate(names):
            self.sheet.write_string(self.row, column, name, self._head)
        self.row += 1

    def formula(self, column: int, formula: str, value: float, *, total: bool = False) -> None:
        """A formula in the current row, with the value that stands until somebody reckons it again."""
        self.sheet.write_formula(self.row, column, formula, self._total if total else self._number, value)

    def table(self, table: ExactTable) -> None:
        """A whole table with its header."""
        self.head(table.header)
        for row in table.rows:
            self.cells(row)
