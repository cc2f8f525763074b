"""A file as sheets of cells, each with its address: CSV in the encodings that spreadsheets write, and XLSX."""

import csv
import datetime
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from collector.errors import BadRequest
from collector.tables.error_cells import error_cells

Cell = str | int | float | bool | datetime.date | None
"""A date and time is a `datetime.datetime`, which is a date; a time of day is text such as `00:30`; an empty cell is None."""

MOST_BYTES = 100 * 1024 * 1024
MOST_UNPACKED_BYTES = 1024 * 1024 * 1024
MOST_ROWS = 1_000_000
MOST_CELLS = 50_000_000
WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})
_ENCODINGS = ("utf-8-sig", "cp1252")
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name ("" where the file is one table), and its rows from the first line on."""

    name: str
    rows: Sequence[Sequence[Cell]]

    def address(self, row: int, column: int) -> str:
        """A cell as people find it again: `Laptops!C12`, or `C12` where there is but one sheet. Both count from 0."""
        place = f"{column_letters(column)}{row + 1}"
        return f"{self.name}!{place}" if self.name else place


def column_letters(column: int) -> str:
    """A spreadsheet's letters of a column, which counts from 0.

    >>> column_letters(0), column_letters(25), column_letters(26), column_letters(701)
    ('A', 'Z', 'AA', 'ZZ')
    """
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def read_sheets(path: Path, *, uncalculated: bool = False) -> list[Sheet]:
    """All sheets of a file that people see. Raises BadRequest with what is wrong with the file.

    With `uncalculated` a formula without a value is the text `collector.tables.error_cells.UNCALCULATED`, else empty.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be read: {error.strerror}", "check the file's name and who may read it"
        ) from error
    if size > MOST_BYTES:
        raise BadRequest(
            f"{path.name} has {size // 1024 // 1024} MB",
            f"files up to {MOST_BYTES // 1024 // 1024} MB are read: divide it",
        )
    sheets = _workbook(path, uncalculated) if path.suffix.lower() in WORKBOOKS else [_table(path)]
    sheets = [sheet for sheet in sheets if sheet.rows]
    if not sheets:
        raise BadRequest(f"{path.name} is empty", "give the file that holds the rows")
    return sheets


def hidden_sheets(path: Path) -> list[str]:
    """The names of a workbook's sheets that nobody sees, which `read_sheets` leaves out."""
    if path.suffix.lower() not in WORKBOOKS:
        return []
    sheets = CalamineWorkbook.from_path(str(path)).sheets_metadata
    return [
        one.name for one in sheets if one.typ is SheetTypeEnum.WorkSheet and one.visible is not SheetVisibleEnum.Visible
    ]


def _workbook(path: Path, uncalculated: bool) -> list[Sheet]:
    _require_modest(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        shown = [one for one in book.sheets_metadata if one.visible is SheetVisibleEnum.Visible]
        names = [one.name for one in shown if one.typ is SheetTypeEnum.WorkSheet]
        tables = [(name, book.get_sheet_by_name(name)) for name in names]
        for name, table in tables:
            if table.total_height * table.total_width > MOST_CELLS:
                raise BadRequest(
                    f"sheet {name} of {path.name} reaches to {column_letters(table.total_width - 1)}{table.total_height}",
                    "delete what is far off the rows, or save the sheet as .csv",
                )
        # From the sheet's first cell on, so that addresses are those of the spreadsheet.
        found = [(name, table.to_python(skip_empty_area=False)) for name, table in tables if table.height]
    except PasswordError as error:
        raise BadRequest(f"{path.name} is protected by a password", "save it without one") from error
    except (CalamineError, OSError, ValueError) as error:
        raise BadRequest(
            f"{path.name} cannot be read as a workbook: {error}", "save it again as .xlsx or .csv"
        ) from error
    alone = len(found) == 1
    errors = error_cells(path, uncalculated=uncalculated)
    sheets = []
    for name, rows in found:
        plain = [[_plain(cell) for cell in row] for row in rows]
        for (line, column), text in errors.get(name, {}).items():
            if line < len(plain) and column < len(plain[line]):
                plain[line][column] = text
        sheets.append(Sheet("" if alone else name, plain))
    return sheets


def _require_modest(path: Path) -> None:
    """Raise where the file would unpack to more than a table of rows ever holds."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as packed:
        unpacked = sum(one.file_size for one in packed.infolist())
    if unpacked > MOST_UNPACKED_BYTES:
        raise BadRequest(f"{path.name} unpacks to {unpacked // 1024 // 1024} MB", "save the rows alone, as .csv")


def _plain(cell: object) -> Cell:
    """A cell of calamine's as ours. Every number of a spreadsheet is a float: whole ones are given as whole."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return int(cell)
    if isinstance(cell, str):
        return cell.strip() or None
    if isinstance(cell, datetime.time):
        return f"{cell:%H:%M}"
    if isinstance(cell, datetime.timedelta):
        hours, seconds = divmod(round(cell.total_seconds()), 3600)
        return f"{hours:02}:{seconds // 60:02}"
    return cell if isinstance(cell, (int, float, bool, datetime.date)) else None


def _table(path: Path) -> Sheet:
    text = _decoded(path)
    if "\x00" in text:
        raise BadRequest(f"{path.name} is no table of text", "save it as .csv or .xlsx")
    rows: list[list[Cell]] = []
    try:
        for row in csv.reader(text.splitlines(keepends=True), delimiter=_delimiter(text)):
            rows.append([cell.strip() or None for cell in row])
            if len(rows) > MOST_ROWS:
                raise BadRequest(f"{path.name} has more than {MOST_ROWS:,} rows", "divide it")
    except csv.Error as error:
        raise BadRequest(f"{path.name}, line {len(rows) + 1}: {error}", "save it again as .csv") from error
    while rows and not any(rows[-1]):
        rows.pop()
    return Sheet("", rows)


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    for encoding in _ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _delimiter(text: str) -> str:
    """What divides the columns: of the usual characters that which makes the same number of columns most often."""
    lines = [line for line in text.splitlines()[:200] if line.strip()]

    def agreement(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in _rows(lines, delimiter)]
        common = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        return (widths.count(common) if common > 1 else 0, common)

    return max(_DELIMITERS, key=agreement)


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error:
        return
