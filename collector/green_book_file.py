"""HM Treasury's data tables as published, or a plain table of years: electricity factors (table 1) and carbon values.

The workbook is written for readers: titles above, heads over several rows with merged cells, notes below. So a table is
found by what stands in it (a cell `Year`, and columns with the words below), never by sheet or row. Written from
knowledge of the workbook of November 2023; a CSV with the columns `year,grid_average,long_run_marginal` or
`year,low,central,high` reads alike. Whatever is wrong in a column that is needed refuses the file, with its cell.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from carbon.green_book import COLUMNS, UNITS, Kind, YearTable
from collector.errors import BadRequest
from collector.tables.sheets import Cell, Sheet, read_sheets

YEARS = range(1990, 2151)
LARGEST: dict[Kind, Decimal] = {"electricity_factors": Decimal(2), "carbon_values": Decimal(100_000)}
"""Beyond these a value is of another unit: kgCO2e/kWh, and pounds per tonne."""
_HEAD_ROWS = 6
_TITLE_ROWS = 40
_VERSION = re.compile(
    r"\b(January|February|March|April|May|June|July|August|September|October|November|December),? (20\d\d)\b"
)
_PRICES = re.compile(r"£ ?(20\d\d)|\b(20\d\d) ?£|\b(20\d\d) prices", re.IGNORECASE)
_WORDS: dict[str, tuple[str, ...]] = {
    "grid_average": ("grid average",),
    "long_run_marginal": ("long run marginal",),
    "low": ("low",),
    "central": ("central",),
    "high": ("high",),
}
_CONSUMPTION = ("consumption", "commercial", "public")
"""Of several columns of one name: at the consumer, and there of shops and offices."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A table in a sheet: the row of `Year`, its column, and each needed column's."""

    sheet: Sheet
    row: int
    year: int
    columns: dict[str, int]


def read_green_book(path: Path, kind: Kind, version: str | None = None) -> YearTable:
    """The table of this kind in a file. Raises BadRequest, naming the cell, for whatever keeps it from being read.

    `version` is needed where no cell says a month and a year.
    """
    sheets = read_sheets(path)
    found = [place for sheet in sheets for place in _places(sheet, kind)]
    wanted = ", ".join(one.replace("_", " ") for one in COLUMNS[kind])
    if not found:
        raise BadRequest(
            f"{path.name} has no table with a column Year and the columns {wanted}",
            "give the workbook of data tables as published, or a CSV of these columns",
        )
    if len(found) > 1:
        places = " and ".join(one.sheet.address(one.row, one.year) for one in found)
        raise BadRequest(f"{path.name} has the columns {wanted} at {places}", "save the wanted sheet by itself")
    [place] = found
    named = version or _version(sheets)
    if not named:
        raise BadRequest(f"no cell of {path.name} says of which month it is", 'say it: --version "November 2023"')
    return YearTable(
        kind=kind,
        version=named,
        source=f"{path.name}, {place.sheet.address(place.row, place.year)}",
        unit=_unit(place, kind),
        columns=_values(place, kind),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _places(sheet: Sheet, kind: Kind) -> Iterator[_Place]:
    for row, cells in enumerate(sheet.rows):
        for column, cell in enumerate(cells):
            if _plain(cell) in ("year", "years"):
                heads = _heads(sheet, row, column)
                columns = {name: _column(heads, name) for name in COLUMNS[kind]}
                if all(one is not None for one in columns.values()):
                    yield _Place(sheet, row, column, {name: one for name, one in columns.items() if one is not None})


def _heads(sheet: Sheet, row: int, year: int) -> dict[int, str]:
    """What stands above each column right of the years: merged cells hold over those to their right.

    A cell of an upper row ends what the rows below it said of the column before.
    """
    lines = [line[year + 1 :] for line in sheet.rows[max(0, row - _HEAD_ROWS) : row + 1]]
    heads = [""] * max(map(len, lines))
    ends: set[int] = set()
    for line in lines[:-1]:
        held, begins = "", {at for at, cell in enumerate(line) if _plain(cell)}
        for at, above in enumerate(heads):
            held = _plain(line[at]) if at in begins else "" if at in ends else held
            heads[at] = f"{above} {held}".strip()
        ends |= begins
    own = [_plain(cell) for cell in lines[-1]] + [""] * len(heads)
    return {year + 1 + at: f"{above} {own[at]}".strip() for at, above in enumerate(heads)}


def _column(heads: dict[int, str], name: str) -> int | None:
    found = [column for column, head in heads.items() if all(re.search(rf"\b{word}\b", head) for word in _WORDS[name])]
    for word in _CONSUMPTION:
        found = [column for column in found if word in heads[column]] or found
    return found[0] if len(found) == 1 else None


def _values(place: _Place, kind: Kind) -> dict[str, dict[int, Decimal]]:
    sheet, found = place.sheet, {name: dict[int, Decimal]() for name in place.columns}
    years: dict[int, int] = {}
    for row in _rows(place):
        cell = sheet.rows[row][place.year]
        year = _year(cell)
        if year is None:
            raise BadRequest(f"{sheet.address(row, place.year)}: {cell!r} is no year", "correct the cell")
        if year in years:
            raise BadRequest(
                f"{sheet.address(row, place.year)}: {year} stands in row {years[year] + 1} already",
                "delete one of them",
            )
        years[year] = row
        for name, column in place.columns.items():
            where = sheet.address(row, column)
            value = _value(_at(sheet, row, column), where, kind)
            if value is not None:
                found[name][year] = value
            elif found[name]:
                raise BadRequest(
                    f"{where}: {name.replace('_', ' ')} of {year} is empty: that is not available, and not 0",
                    "fill the cell, or end the table before it",
                )
    if not all(found.values()):
        names = ", ".join(name.replace("_", " ") for name, values in found.items() if not values)
        raise BadRequest(f"below {sheet.address(place.row, place.year)} there is no value of {names}", "see the table")
    return found


def _rows(place: _Place) -> Iterator[int]:
    """The table's rows: to the last year below which there is none, so that notes below it are none of its rows."""
    cells = [_at(place.sheet, row, place.year) for row in range(len(place.sheet.rows))]
    rows = [row for row in range(place.row + 1, len(cells)) if _year(cells[row]) is not None]
    if not rows:
        return
    for row in range(place.row + 1, rows[-1] + 1):
        empty = all(_at(place.sheet, row, one) is None for one in (place.year, *place.columns.values()))
        units = row < rows[0] and cells[row] is None  # a row of units under the head
        if not empty and not units:
            yield row


def _value(cell: Cell, where: str, kind: Kind) -> Decimal | None:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    try:
        if isinstance(cell, bool) or not isinstance(cell, (int, float, str)):
            raise InvalidOperation  # noqa: TRY301  # a date or a truth is no number, like a text that is none
        # Spreadsheets hold binary numbers: 12 significant figures are what was typed.
        text = f"{cell:.12g}" if isinstance(cell, float) else str(cell).replace(",", "").lstrip("£").strip()
        value = Decimal(text)
    except InvalidOperation as error:
        raise BadRequest(f"{where}: {cell!r} is no number", "correct the cell") from error
    if not value.is_finite() or not 0 <= value <= LARGEST[kind]:
        raise BadRequest(f"{where}: {cell} is out of range: 0 to {LARGEST[kind]} {UNITS[kind]}", "correct the cell")
    return value


def _year(cell: Cell) -> int | None:
    text = str(cell).strip() if isinstance(cell, (int, str)) and not isinstance(cell, bool) else ""
    return int(text) if re.fullmatch(r"[0-9]{4}", text) and int(text) in YEARS else None


def _unit(place: _Place, kind: Kind) -> str:
    if kind != "carbon_values":
        return UNITS[kind]
    for text in _texts(place.sheet.rows[max(0, place.row - _TITLE_ROWS) : place.row + 2]):
        if found := _PRICES.search(text):
            return f"GBP ({next(filter(None, found.groups()))} prices)/tCO2e"
    return UNITS[kind]


def _version(sheets: Sequence[Sheet]) -> str:
    for sheet in sheets:
        for text in _texts(sheet.rows[:_TITLE_ROWS]):
            if found := _VERSION.search(text):
                return f"{found[1]} {found[2]}"
    return ""


def _texts(rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    return (cell for row in rows for cell in row if isinstance(cell, str))


def _at(sheet: Sheet, row: int, column: int) -> Cell:
    cells = sheet.rows[row]
    return cells[column] if column < len(cells) else None


def _plain(cell: Cell) -> str:
    """A head's words: small letters, with spaces for what stands between them."""
    return re.sub(r"[^a-z0-9]+", " ", cell.lower()).strip() if isinstance(cell, str) else ""
