"""Copies of the official flat files with one thing wrong, made in the bytes of the file as published.

An .xlsx is edited in its XML. In an .xls (BIFF8, MS-XLS 2.4) the record of a cell is found by its row and column.
"""

import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

from openpyxl.utils import column_index_from_string

SHEET = "Factors by Category"
_NUMBER, _RK, _LABEL = 0x0203, 0x027E, 0x00FD


def without_sheet(source: Path, target: Path) -> Path:
    """The sheet of factors has another name."""
    other = SHEET.replace("Category", "Catalogue"[: len("Category")])
    if source.suffix == ".xlsx":
        return _edited(source, target, "xl/workbook.xml", lambda xml: xml.replace(SHEET.encode(), other.encode()))
    data = source.read_bytes()
    assert data.count(SHEET.encode()) >= 1
    target.write_bytes(data.replace(SHEET.encode(), other.encode()))
    return target


def without_row(source: Path, target: Path, cell: str) -> Path:
    """The row of a cell is gone: in an .xls its name of level 3 is the sheet's title."""
    row = _place(cell)[1]
    if source.suffix == ".xlsx":
        pattern = re.compile(rb'<row\b[^>]*\br="%d"[^>]*>.*?</row>' % (row + 1), re.DOTALL)
        return _edited(source, target, _sheet_of(source), lambda xml: _once(pattern, b"", xml))
    data = bytearray(source.read_bytes())
    at = _record(data, _LABEL, row, 3)
    struct.pack_into("<I", data, at + 10, 0)
    target.write_bytes(data)
    return target


def with_text(source: Path, target: Path, cell: str) -> Path:
    """A text stands where a number was."""
    column, row = _place(cell)
    if source.suffix == ".xlsx":
        return _edited(source, target, _sheet_of(source), lambda xml: _value(xml, cell, None))
    data = bytearray(source.read_bytes())
    at, kind = _number(data, row, column)
    struct.pack_into("<HH", data, at, _LABEL, 10)
    struct.pack_into("<I", data, at + 10, 0)
    if kind == _NUMBER:
        # A label is four bytes shorter: a record of nothing fills them.
        struct.pack_into("<HH", data, at + 14, 0x00A0, 0)
    target.write_bytes(data)
    return target


def negative(source: Path, target: Path, cell: str) -> Path:
    """The number is below 0."""
    column, row = _place(cell)
    if source.suffix == ".xlsx":
        return _edited(source, target, _sheet_of(source), lambda xml: _value(xml, cell, b"-"))
    data = bytearray(source.read_bytes())
    at, kind = _number(data, row, column)
    if kind == _NUMBER:
        data[at + 17] |= 0x80
    else:
        (rk,) = struct.unpack_from("<I", data, at + 10)
        whole = rk & 2
        struct.pack_into("<I", data, at + 10, (-(rk >> 2) << 2 | rk & 3) & 0xFFFFFFFF if whole else rk | 0x80000000)
    target.write_bytes(data)
    return target


def _place(cell: str) -> tuple[int, int]:
    found = re.fullmatch(r"([A-Z]+)([0-9]+)", cell)
    assert found
    return column_index_from_string(found[1]) - 1, int(found[2]) - 1


def _edited(source: Path, target: Path, part: str, edit: Callable[[bytes], bytes]) -> Path:
    with zipfile.ZipFile(source) as packed, zipfile.ZipFile(target, "w") as copy:
        for one in packed.infolist():
            data = packed.read(one)
            if one.filename == part:
                edited = edit(data)
                assert edited != data
                data = edited
            copy.writestr(one.filename, data)
    return target


def _sheet_of(source: Path) -> str:
    """The part that holds the factors: the larger of the two sheets."""
    with zipfile.ZipFile(source) as packed:
        sheets = [one for one in packed.infolist() if one.filename.startswith("xl/worksheets/sheet")]
    return max(sheets, key=lambda one: one.file_size).filename


def _once(pattern: re.Pattern[bytes], new: bytes, xml: bytes) -> bytes:
    edited, times = pattern.subn(new, xml)
    assert times == 1
    return edited


def _value(xml: bytes, cell: str, sign: bytes | None) -> bytes:
    """A cell's number with a sign before it, or without one a text in its place."""
    pattern = re.compile(rb'<c r="%s"([^>]*)><v>([^<]*)</v></c>' % cell.encode())
    found = pattern.search(xml)
    assert found
    if sign is not None:
        return _once(pattern, b'<c r="%s"%s><v>%s%s</v></c>' % (cell.encode(), found[1], sign, found[2]), xml)
    text = b'<c r="%s" t="inlineStr"><is><t>to follow</t></is></c>' % cell.encode()
    return _once(pattern, text, xml)


def _record(data: bytearray, kind: int, row: int, column: int) -> int:
    size = {_NUMBER: 14, _RK: 10, _LABEL: 10}[kind]
    head = struct.pack("<HHHH", kind, size, row, column)
    assert data.count(head) == 1
    return data.index(head)


def _number(data: bytearray, row: int, column: int) -> tuple[int, int]:
    """Where the record of a number begins, and which of the two kinds it is."""
    for kind, size in ((_NUMBER, 14), (_RK, 10)):
        if struct.pack("<HHHH", kind, size, row, column) in data:
            return _record(data, kind, row, column), kind
    raise AssertionError(f"no number stands in row {row}, column {column}")
