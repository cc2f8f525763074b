"""A register's file as rows and faults: which sheets and lines hold devices, by which mapping, and what is twice in it."""

import datetime
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from collector.errors import BadRequest
from collector.register.cells import LineReader, is_empty
from collector.register.fields import header_row, is_headers, proposed, words
from collector.register.mapping import RegisterMapping
from collector.register.rows import Fault, RegisterFile, RegisterRow, Severity
from collector.register.serials import comparable, number_keys
from collector.tables.sheets import Cell, Sheet, hidden_sheets, read_sheets

_SUM_WORDS = frozenset({"total", "totals", "subtotal", "sub total", "grand total", "sum", "count"})
_LEFT_OUT: Severity = "left out"
_REJECTED: Severity = "rejected"
_HEADERS_AGAIN = "the headers once more"
_USEFUL = ("serial", "asset_tag", "host_name", "model", "device_class")
"""A sheet with none of these lists no devices."""
Table = tuple[Sheet, int, dict[str, int]]
"""A sheet, the line of its headers, and the column of each field."""


def read_register(
    path: Path,
    mapping: RegisterMapping | None,
    today: datetime.date,
    remembered: Callable[[Sequence[str]], RegisterMapping | None] = lambda _headers: None,
) -> RegisterFile:
    """Read a file by a mapping, else by the one that is `remembered` for its headers, else by one that is proposed from them
    (`proposed` and `mapping` of the answer).

    Raises BadRequest where nothing can be read: no such file, no headers, a mapping whose headers are not there.
    """
    sheets = read_sheets(path, uncalculated=True)
    hidden = hidden_sheets(path)
    read, left_out = _tables(path.name, sheets, mapping)
    if mapping is None:
        known = remembered(_headers(read))
        if known is not None and known != RegisterMapping(_merged(read)):
            mapping = known
            read, left_out = _tables(path.name, sheets, mapping)
    given = mapping or RegisterMapping()
    rows: list[RegisterRow] = []
    faults: list[Fault] = []
    count = 0
    for sheet, header, columns_at_first in read:
        columns = columns_at_first
        lines = LineReader(sheet, columns, given, today)
        for line in range(header + 1, len(sheet.rows)):
            if is_empty(sheet.rows[line]):
                continue
            count += 1
            aside = _aside(sheet, header, line, columns)
            if aside is not None:
                lines.faults.append(aside)
                if aside.problem == _HEADERS_AGAIN and (again := _line_columns(sheet.rows[line], mapping)):
                    columns = again
                    lines.turn_to(columns)
            elif (row := lines.read(line)) is not None:
                rows.append(row)
        faults += lines.faults
    sound = _once(rows, faults)
    order = {sheet.name: number for number, (sheet, _, _) in enumerate(read)}
    faults.sort(key=lambda one: (order.get(one.sheet, 0), one.line))
    used = RegisterMapping(_merged(read), given.values, given.left_out, given.dates)
    headers = _headers(read)
    told = {words(name) for names in used.columns.values() for name in names}
    return RegisterFile(
        name=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        rows=sound,
        faults=faults,
        mapping=used,
        proposed=mapping is None,
        headers=headers,
        unmapped=[name for name in headers if words(name) not in told],
        read_rows=count,
        left_out_sheets={**left_out, **dict.fromkeys(hidden, "it is hidden; show it in the file, if it lists devices")},
    )


def _tables(file: str, sheets: Sequence[Sheet], mapping: RegisterMapping | None) -> tuple[list[Table], dict[str, str]]:
    """The sheets that list devices, and why the others are left out. Raises BadRequest where none does."""
    left_out = {sheet.name: "left out by the mapping" for sheet in sheets if mapping and sheet.name in mapping.left_out}
    read: list[Table] = []
    for sheet in sheets:
        if sheet.name in left_out:
            continue
        found = _columns(sheet, mapping)
        if found is None:
            left_out[sheet.name] = "no line of it has the headers of a register"
        else:
            read.append((sheet, *found))
    if not read:
        raise BadRequest(
            f"{file} has no line with headers of a register", "give the headers in a mapping: see docs/register.md"
        )
    return read, left_out


def _headers(read: Iterable[Table]) -> list[str]:
    """The headers of all sheets, each once."""
    return list(
        dict.fromkeys(str(cell) for sheet, header, _ in read for cell in sheet.rows[header] if cell is not None)
    )


def _columns(sheet: Sheet, mapping: RegisterMapping | None) -> tuple[int, dict[str, int]] | None:
    """The line of a sheet's headers, and the column of each field; None where it has none."""
    if mapping is None:
        header = header_row(sheet.rows)
        columns = None if header is None else _line_columns(sheet.rows[header], None)
        return None if header is None or columns is None else (header, columns)
    best: tuple[int, dict[str, int]] | None = None
    for line, cells in enumerate(sheet.rows[:40]):
        columns = _mapped(cells, mapping.columns)
        if columns and (best is None or len(columns) > len(best[1])):
            best = (line, columns)
    return best if best and any(name in best[1] for name in _USEFUL) else None


def _line_columns(cells: Sequence[Cell], mapping: RegisterMapping | None) -> dict[str, int] | None:
    """The column of each field in a line of headers; None where it has none that lists devices."""
    columns = proposed(cells) if mapping is None else _mapped(cells, mapping.columns)
    return columns if any(name in columns for name in _USEFUL) else None


def _mapped(cells: Sequence[Cell], wanted: Mapping[str, Sequence[str]]) -> dict[str, int]:
    places = {words(cell): column for column, cell in reversed(list(enumerate(cells))) if isinstance(cell, str)}
    found = {}
    for field, names in wanted.items():
        place = next((places[words(name)] for name in names if words(name) in places), None)
        if place is not None:
            found[field] = place
    return found


def _merged(read: Iterable[Table]) -> dict[str, list[str]]:
    """The headers of each field over all sheets."""
    found: dict[str, list[str]] = {}
    for sheet, header, columns in read:
        for field, column in columns.items():
            name = str(sheet.rows[header][column])
            if name not in found.setdefault(field, []):
                found[field].append(name)
    return found


def _aside(sheet: Sheet, header: int, line: int, columns: Mapping[str, int]) -> Fault | None:
    """Why a line is no device: the headers once more, or a sum."""
    cells = sheet.rows[line]
    texts = [cell for cell in cells if cell is not None]
    head = {words(cell) for cell in sheet.rows[header] if cell is not None}
    place = next(column for column, cell in enumerate(cells) if cell is not None)
    where = sheet.address(line, place)
    if is_headers(cells, head):
        return Fault(where, "", str(texts[0])[:100], _HEADERS_AGAIN, "", "left out", sheet.name, line + 1)
    first = words(texts[0])
    told = sum(1 for column in columns.values() if column < len(cells) and cells[column] is not None)
    if (first in _SUM_WORDS or first.startswith(("total ", "sub total", "subtotal", "grand total"))) and told <= 3:
        return Fault(where, "", str(texts[0])[:100], "a sum, no device", "", "left out", sheet.name, line + 1)
    if len(texts) == 1 and told <= 1 and isinstance(texts[0], str) and len(texts[0].split()) > 3:
        return Fault(where, "", texts[0][:100], "a remark, no device", "", "left out", sheet.name, line + 1)
    named = next((field for field, column in columns.items() if column == place), "")
    if len(texts) == 1 and len(columns) > 2 and named != "model" and re.fullmatch(r"[^\d]+", str(texts[0])):
        return Fault(where, "", str(texts[0])[:100], "a heading, no device", "", "left out", sheet.name, line + 1)
    return None


def _once(rows: Sequence[RegisterRow], faults: list[Fault]) -> list[RegisterRow]:
    """The rows, each device once: a second row of a serial number or asset tag is left out, or rejected where it differs."""
    seen: dict[tuple[str, str, str], RegisterRow] = {}
    kept = []
    for row in rows:
        twin, by = _twin(row, seen)
        if twin is None:
            kept.append(row)
            for key in _keys(row):
                seen.setdefault(key, row)
            continue
        same = _facts(row) == _facts(twin)
        differs = next((name for name, value in _facts(row).items() if value != _facts(twin)[name]), "")
        cell = row.cells.get(by, row.where)
        value = getattr(row, by)
        if same:
            problem, remedy, severity = f"the same device as in {twin.where}", "delete one of the rows", _LEFT_OUT
        else:
            problem = (
                f"{by.replace('_', ' ')} {value} is also in {twin.where}, with another {differs.replace('_', ' ')}"
            )
            remedy, severity = "correct one of the rows", _REJECTED
        faults.append(Fault(cell, by, value, problem, remedy, severity, row.sheet, row.line))
    return kept


def _keys(row: RegisterRow) -> list[tuple[str, str, str]]:
    """By what a device is known in its file."""
    return number_keys(row.serial, row.asset_tag, row.vendor)


def _twin(row: RegisterRow, seen: Mapping[tuple[str, str, str], RegisterRow]) -> tuple[RegisterRow | None, str]:
    """The earlier row of the same device, and by what it is known."""
    key = next((key for key in _keys(row) if key in seen), None)
    return (None, "") if key is None else (seen[key], key[0])


def _facts(row: RegisterRow) -> dict[str, object]:
    return {
        name: comparable(getattr(row, name)) if name in ("serial", "asset_tag") else getattr(row, name)
        for name in RegisterRow.__slots__
        if name not in ("sheet", "line", "cells", "told", "notes")
    }
