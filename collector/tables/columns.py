"""A table with named columns, read strictly: whatever cannot be taken refuses the file, with the cell's address."""

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from collector.errors import BadRequest
from collector.tables.dates import DateProblem, read_date
from collector.tables.sheets import Cell, Sheet, read_sheets

HEAD_ROWS = 30
"""Above the heads may stand titles and notes."""
_LAST_DAY = datetime.date(2100, 12, 31)

Heads = Mapping[str, Sequence[str]]
"""The columns that a file may have, each with the heads that mean it, as `plain` gives them."""


def plain(head: object) -> str:
    """A head's words: small letters and figures, with a space for whatever stands between them.

    >>> plain("carbon_footprint_kgCO2e.scope2.location_based"), plain("Emissions (mtCO2e)")
    ('carbon footprint kgco2e scope2 location based', 'emissions mtco2e')
    """
    return " ".join(re.findall(r"[a-z0-9]+", str(head).lower()))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its cells by the names of the columns that the file has."""

    file: str
    sheet: Sheet
    number: int
    columns: Mapping[str, int]

    def where(self, name: str) -> str:
        """The address of a cell, or of the row where the file has no such column."""
        if name in self.columns:
            return f"{self.file}, {self.sheet.address(self.number, self.columns[name])}"
        return f"{self.file}, row {self.number + 1}"

    def refuse(self, name: str, problem: str, remedy: str = "correct the cell") -> BadRequest:
        """What is wrong with a cell, to be raised."""
        return BadRequest(f"{self.where(name)}: {problem}", remedy)

    def cell(self, name: str) -> Cell:
        """The cell as the file has it; None where it is empty, or there is no such column."""
        column, cells = self.columns.get(name), self.sheet.rows[self.number]
        return cells[column] if column is not None and column < len(cells) else None

    def text(self, name: str, default: str = "") -> str:
        """The cell's text."""
        cell = self.cell(name)
        return default if cell is None else str(cell).strip()

    def needed(self, name: str) -> str:
        """The cell's text. Raises BadRequest where it is empty."""
        text = self.text(name)
        if not text:
            raise self.refuse(name, f"{name.replace('_', ' ')} is empty", "fill the cell")
        return text

    def number_in(self, name: str, *, negative: bool = False) -> Decimal | None:
        """The cell's number, None where it is empty. Raises BadRequest for what is no number, or below 0."""
        cell = self.cell(name)
        if cell is None:
            return None
        # Spreadsheets hold binary numbers: 15 significant figures are what was typed.
        text = f"{cell:.15g}" if isinstance(cell, float) else str(cell).strip().lstrip("£").strip()
        if "," in text and re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d*)?", text):
            text = text.replace(",", "")
        try:
            if isinstance(cell, (bool, datetime.date)):
                raise InvalidOperation  # noqa: TRY301  # a date or a truth is no number, like a text that is none
            number = Decimal(text)
        except InvalidOperation:
            raise self.refuse(name, f"{str(cell)[:40]!r} is no number") from None
        if not number.is_finite() or (number < 0 and not negative):
            raise self.refuse(name, f"{text} is no number of 0 or more")
        return number

    def amount(self, name: str, *, negative: bool = False) -> Decimal:
        """The cell's number. Raises BadRequest where it is empty: that is not available, and not 0."""
        number = self.number_in(name, negative=negative)
        if number is None:
            raise self.refuse(name, f"{name.replace('_', ' ')} is empty: that is not available, and not 0", "fill it")
        return number

    def date(self, name: str) -> datetime.date | None:
        """The cell's date, day first, None where it is empty. Raises BadRequest for what is none."""
        found = read_date(self.cell(name), "day first", _LAST_DAY, ahead=True)
        if isinstance(found, DateProblem):
            raise self.refuse(name, found.problem, found.remedy)
        return found

    def month(self, name: str) -> str:
        """The month of the cell as YYYY-MM, from `2025-04`, `202504`, `April 2025` or any date. Raises BadRequest."""
        text = self.needed(name)
        if found := re.fullmatch(r"((?:19|20)\d\d)[-/ ]?(0[1-9]|1[0-2])", text):
            return f"{found[1]}-{found[2]}"
        if re.fullmatch(r"\d{4}", text):
            raise self.refuse(name, f"{text} is a year and no month", "write it as 2025-04")
        date = self.date(name)
        if date is None:
            raise self.refuse(name, f"{text!r} is no month", "write it as 2025-04")
        return f"{date:%Y-%m}"


def read_rows(path: Path, heads: Heads, needed: Sequence[str], page: str) -> list[Row]:
    """The rows of the one table of a file that has the `needed` columns (`a|b`: either); empty rows are left out.

    Raises BadRequest where there is none, or two; `page` of the documentation tells the columns.
    """
    found = [one for sheet in read_sheets(path) if (one := find_heads(sheet, heads, needed)) is not None]
    if not found:
        names = ", ".join(name.replace("_", " ").replace("|", " or ") for name in needed)
        raise BadRequest(f"{path.name} has no row of heads with the columns {names}", f"see {page}")
    if len(found) > 1:
        raise BadRequest(
            f"{path.name} has such tables in the sheets {', '.join(one[0].name for one in found)}",
            "save the wanted sheet by itself",
        )
    return list(rows_below(path.name, *found[0]))


def find_heads(sheet: Sheet, heads: Heads, needed: Sequence[str]) -> tuple[Sheet, int, dict[str, int]] | None:
    """The sheet, its row of heads, and the column of each name that stands in it; None where the needed are not there."""
    for number, cells in enumerate(sheet.rows[:HEAD_ROWS]):
        words = [plain(cell) if isinstance(cell, str) else "" for cell in cells]
        columns = {
            name: words.index(head)
            for name, meant in heads.items()
            if (head := next((one for one in meant if one in words), None)) is not None
        }
        if all(any(one in columns for one in name.split("|")) for name in needed):
            return sheet, number, columns
    return None


def rows_below(file: str, sheet: Sheet, head: int, columns: Mapping[str, int]) -> Iterator[Row]:
    """The rows below the heads that hold anything in one of the columns."""
    for number in range(head + 1, len(sheet.rows)):
        row = Row(file, sheet, number, columns)
        if any(row.cell(name) is not None for name in columns):
            yield row
