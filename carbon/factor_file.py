"""The Government's flat file of conversion factors, from sheets of cells to factors, or a refusal that names the cell.

Every layout since 2016 is read by its contents: the header by its words, wherever it stands, and the lines by their
names (`carbon.factor_lines`). Source: UK Government GHG conversion factors for company reporting, flat files as published;
carbon reference, section 1.
"""

import datetime
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from carbon.errors import FactorFileError
from carbon.factor_lines import FACTOR_LINES, MANAGED_ASSETS, TOTAL_GASES, FactorLine, plain_name

FACTORS_SHEET = "Factors by Category"
FRONT_SHEET = "Front page"
SIGNIFICANT_FIGURES = 12
"""Of what a cell's binary number says: 0.41204999999999997 is 0.41205."""
DOWNLOAD = 'download it again from gov.uk, Government conversion factors, "flat file (for automatic processing)"'

_HEADER_WITHIN = 60
"""Rows from the top within which the header must stand."""
_COLUMNS = ("scope", "level 1", "level 2", "level 3", "level 4", "column text", "uom")
_GASES = ("ghg", "ghg/unit")
_VALUES = re.compile(r"ghg conversion factors? (\d{4})")
_VERSION = re.compile(r"v?(?:ersion)? ?(\d+(?:\.\d+)*)(?: .*)?", re.IGNORECASE)
_LEVELS_1 = frozenset(name for line in FACTOR_LINES.values() for name in line.levels[0])
_NOT_AVAILABLE = frozenset({"", "n/a", "na", "not available", "-"})


class Cells(Protocol):
    """A sheet of a file: its rows of cells (text, numbers, dates, None) from the first line and column on."""

    @property
    def name(self) -> str: ...

    @property
    def rows(self) -> Sequence[Sequence[object]]: ...

    def address(self, row: int, column: int) -> str:
        """A cell as people find it again, such as `Factors by Category!J3066`. Both count from 0."""
        ...


@dataclass(frozen=True, slots=True)
class FactorRow:
    """One row as published. `value` is kgCO2e (or of one gas) per `unit`; None: the file has none.

    `id` is the file's own from 2023 on; before, one made of the row's names, which are unique in a file.
    """

    id: str
    cell: str
    scope: str
    levels: tuple[str, str, str, str]
    column_text: str
    unit: str
    gas: str
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class FactorFile:
    """What a flat file says. Dates as it writes them, real ones as ISO 8601; `lines` by key of `carbon.factor_lines`.

    `managed_assets` rows were left out: they repeat others. `unreadable` are cells of rows that are none of our lines, in
    which no number stands (the official files have some, `< 1`). `missing` are keys of lines that the file has not.
    """

    year: int
    version: str
    final: bool
    updated: str
    next_publication: str
    rows: Sequence[FactorRow]
    lines: Mapping[str, FactorRow]
    managed_assets: int
    unreadable: Sequence[str]
    missing: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Header:
    """Where the header stands, and the column of each of its names; `id` is None before 2023."""

    row: int
    id: int | None
    names: Mapping[str, int]
    gas: int
    value: int
    year: int


def read_factor_file(sheets: Sequence[Cells]) -> FactorFile:
    """Read a flat file's sheets. Raises FactorFileError with the cell that is wrong, and what to do."""
    factors, front = _sheet(sheets, FACTORS_SHEET), _sheet(sheets, FRONT_SHEET)
    header = _header(factors)
    said = _front_page(front, header.year)
    rows: list[FactorRow] = []
    found: dict[str, tuple[int, int, FactorRow]] = {}
    unreadable: list[str] = []
    seen: dict[str, int] = {}
    managed = 0
    for at, cells in _body(factors, header):
        names = {name: _text(cells[column]) for name, column in header.names.items()}
        if plain_name(names["level 1"]).startswith(MANAGED_ASSETS):
            managed += 1
            continue
        line, rank = _line_of(names, _text(cells[header.gas]))
        address = factors.address(at, header.value)
        value = _number(cells[header.value], address, line)
        if value is None and plain_name(_text(cells[header.value])) not in _NOT_AVAILABLE:
            unreadable.append(address)
        row = _row(header, cells, names, value, address, seen)
        rows.append(row)
        if line is not None:
            _take(found, line, rank, at, row)
    missing = [key for key, line in FACTOR_LINES.items() if key not in found]
    _require_needed(missing, found, factors, header)
    version, final, updated, following = said
    lines = {key: found[key][2] for key in FACTOR_LINES if key in found}
    absent = [key for key in missing if FACTOR_LINES[key].since <= header.year]
    return FactorFile(header.year, version, final, updated, following, rows, lines, managed, unreadable, absent)


def factor_of(number: float | Decimal) -> Decimal:
    """A cell's number as a factor: 12 significant figures, plain notation.

    >>> factor_of(0.41204999999999997), factor_of(149.0), factor_of(0.00009655)
    (Decimal('0.41205'), Decimal('149'), Decimal('0.00009655'))
    """
    return Decimal(f"{Decimal(f'{number:.{SIGNIFICANT_FIGURES}g}').normalize():f}")


def _sheet(sheets: Sequence[Cells], name: str) -> Cells:
    for sheet in sheets:
        if plain_name(sheet.name) == plain_name(name):
            return sheet
    there = ", ".join(sheet.name for sheet in sheets if sheet.name)
    raise FactorFileError(
        f"there is no sheet {name}" + (f" among {there}" if there else ""),
        f"give the Government's flat file as published: {DOWNLOAD}",
    )


def _header(sheet: Cells) -> _Header:
    """The row that names the columns. Raises where a column is missing, or the sheet is something else."""
    for at, cells in enumerate(sheet.rows[:_HEADER_WITHIN]):
        names = [plain_name(_text(cell)) for cell in cells]
        if "scope" not in names or "level 1" not in names:
            continue
        lacking = [name for name in _COLUMNS if name not in names]
        gas = next((names.index(name) for name in _GASES if name in names), None)
        value = next((column for column, name in enumerate(names) if _VALUES.fullmatch(name)), None)
        if gas is None:
            lacking.append("GHG or GHG/Unit")
        if value is None:
            lacking.append("GHG Conversion Factor with the year")
        year = _VALUES.fullmatch(names[value]) if value is not None else None
        if lacking or gas is None or value is None or year is None:
            place = sheet.address(at, names.index("scope"))
            raise FactorFileError(f"{place}: the header has no column {', '.join(lacking)}", DOWNLOAD)
        own_id = names.index("id") if "id" in names else None
        return _Header(at, own_id, {name: names.index(name) for name in _COLUMNS}, gas, value, int(year[1]))
    raise FactorFileError(
        f"{sheet.address(0, 0)}: within {_HEADER_WITHIN} rows no header says Scope, Level 1, ...", DOWNLOAD
    )


def _body(sheet: Cells, header: _Header) -> Iterator[tuple[int, Sequence[object]]]:
    """The rows below the header with anything in them, up to END where the file says so in one of its first columns."""
    width = max(header.value, header.gas, *header.names.values()) + 1
    for at in range(header.row + 1, len(sheet.rows)):
        cells = [*sheet.rows[at], *[None] * width][:width] if len(sheet.rows[at]) < width else sheet.rows[at]
        if any(_text(cell) == "END" for cell in cells[:2]):
            return
        if any(_text(cells[header.names[name]]) for name in ("scope", "level 1", "level 2")):
            yield at, cells


def _front_page(sheet: Cells, year: int) -> tuple[str, bool, str, str]:
    """Version, whether it is final, and two dates. Raises where there is no version, or the year is not the header's."""
    found: dict[str, tuple[str, str]] = {}
    for at, cells in enumerate(sheet.rows):
        for column, cell in enumerate(cells):
            label = plain_name(_text(cell)).rstrip(": ")
            if label not in _LABELS:
                continue
            beside = next((other for other in range(column + 1, len(cells)) if _text(cells[other])), None)
            if beside is None:
                continue
            value, place = _text(cells[beside]), sheet.address(at, beside)
            if label == "year" and str(year) not in value.split():
                raise FactorFileError(
                    f"{place}: the front page says {value}, the factors' header {year}",
                    f"no file of one year: {DOWNLOAD}",
                )
            if label == "factor set" and "flat" not in plain_name(value):
                raise FactorFileError(f"{place}: this is the factor set {value}, no flat file", DOWNLOAD)
            found.setdefault(_LABELS[label], (value, place))
    for needed in ("year", "version"):
        if needed not in found:
            raise FactorFileError(f"{sheet.address(0, 0)}: the front page says no {needed}", DOWNLOAD)
    version, place = found["version"]
    number = _VERSION.fullmatch(version)
    if number is None:
        raise FactorFileError(f"{place}: {version} is no version", DOWNLOAD)
    status = plain_name(found.get("status", ("final", ""))[0])
    updated, following = (found.get(name, ("", ""))[0] for name in ("updated", "next"))
    return number[1], status == "final", updated, following


_LABELS = {
    "version": "version",
    "year": "year",
    "factor set": "factor set",
    "status": "status",
    "updated": "updated",
    "next publication date": "next",
    "expiry": "next",
    "expiry date": "next",
}


def _line_of(names: Mapping[str, str], gas: str) -> tuple[FactorLine | None, int]:
    """Which of our lines a row is, and how well its names fit."""
    if plain_name(gas) not in TOTAL_GASES or plain_name(names["level 1"]) not in _LEVELS_1:
        return None, 0
    levels = [plain_name(names[f"level {number}"]) for number in (1, 2, 3)]
    text, unit = plain_name(names["column text"]), plain_name(names["uom"])
    for line in FACTOR_LINES.values():
        rank = line.rank(levels, text, unit)
        if rank is not None:
            return line, rank
    return None, 0


def _number(cell: object, address: str, line: FactorLine | None) -> Decimal | None:
    """A factor; None where the file has none. Raises where one of our lines holds no number or a negative one."""
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        if 0 <= cell < math.inf:
            return factor_of(cell)
        if line is None:
            return None
        raise FactorFileError(f"{address}: the factor of {line.name} is negative, {cell}", DOWNLOAD)
    if plain_name(_text(cell)) in _NOT_AVAILABLE or line is None:
        return None
    raise FactorFileError(f"{address}: {_text(cell)!r} is no number, for {line.name}", DOWNLOAD)


def _row(
    header: _Header,
    cells: Sequence[object],
    names: Mapping[str, str],
    value: Decimal | None,
    address: str,
    seen: dict[str, int],
) -> FactorRow:
    gas = _text(cells[header.gas])
    own = _text(cells[header.id]) if header.id is not None else ""
    stated = own or "|".join(filter(None, (*(names[name] for name in _COLUMNS), gas)))
    seen[stated] = seen.get(stated, 0) + 1
    row_id = stated if seen[stated] == 1 else f"{stated}#{seen[stated]}"
    levels = (names["level 1"], names["level 2"], names["level 3"], names["level 4"])
    return FactorRow(row_id, address, names["scope"], levels, names["column text"], names["uom"], gas, value)


def _take(found: dict[str, tuple[int, int, FactorRow]], line: FactorLine, rank: int, at: int, row: FactorRow) -> None:
    """Keep the row for its line where it fits better than what was found. Raises where two fit alike and differ."""
    before = found.get(line.key)
    if before is None or (rank, row.value is None) < (before[0], before[2].value is None):
        found[line.key] = (rank, at, row)
    elif rank == before[0] and row.value is not None and row.value != before[2].value:
        raise FactorFileError(
            f"{row.cell}: {line.name} has {row.value} here and {before[2].value} in {before[2].cell}", DOWNLOAD
        )


def _require_needed(
    missing: Sequence[str], found: Mapping[str, tuple[int, int, FactorRow]], sheet: Cells, header: _Header
) -> None:
    lost = [FACTOR_LINES[key] for key in missing if FACTOR_LINES[key].needed]
    if lost:
        place = sheet.address(header.row, header.value)
        names = "; ".join(f"{line.name} ({line.scope}, per {line.unit})" for line in lost)
        raise FactorFileError(f"{place}: no row below this header is {names}", DOWNLOAD)
    for key, (_, _, row) in found.items():
        if FACTOR_LINES[key].needed and row.value is None:
            raise FactorFileError(f"{row.cell}: the factor of {FACTOR_LINES[key].name} is empty", DOWNLOAD)


def _text(cell: object) -> str:
    """A cell as text: whole numbers without a point, dates as ISO 8601, nothing as ""."""
    if isinstance(cell, str):
        return _one_line(cell)
    if cell is None:
        return ""
    if isinstance(cell, datetime.datetime):
        return f"{cell:%Y-%m-%d}"
    return f"{cell:.{SIGNIFICANT_FIGURES}g}" if isinstance(cell, float) else str(cell)


@lru_cache(maxsize=4096)
def _one_line(text: str) -> str:
    return " ".join(text.split())
