"""Cells of a workbook in which a formula failed (`#N/A`, `#REF!`), or was never calculated: the library that reads workbooks
gives them as empty.
"""

import html
import re
import zipfile
from pathlib import Path, PurePosixPath

_SHEET = re.compile(rb"<sheet\b[^>]*>")
_RELATION = re.compile(rb"<Relationship\b[^>]*>")
_CELL = re.compile(rb'<c\b([^>]*\bt="e"[^>]*)>(.*?)</c>', re.DOTALL)
_VALUE = re.compile(rb"<v>([^<]*)</v>")
_NEVER = re.compile(rb"<c\b([^>/]*)><f\b(?:[^>]*/>|[^>]*>[^<]*</f>)(?:<v ?/>|<v></v>)?</c>")
_ADDRESS = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')

UNCALCULATED = "#VALUE?"
"""Of a formula without a value: whatever wrote the file left it to a spreadsheet to calculate, and none has saved it since."""


def error_cells(path: Path, *, uncalculated: bool = False) -> dict[str, dict[tuple[int, int], str]]:
    """The error of each such cell of an .xlsx file by row and column, which count from 0, and by its sheet's name; with
    `uncalculated` also UNCALCULATED of each formula without a value.

    Empty for files of other kinds.
    """
    if path.suffix.lower() not in (".xlsx", ".xlsm") or not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as packed:
        there = set(packed.namelist())
        if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= there:
            return {}
        relations = _RELATION.findall(packed.read("xl/_rels/workbook.xml.rels"))
        files = {_attribute(one, "Id"): _attribute(one, "Target") for one in relations}
        found = {}
        for one in _SHEET.findall(packed.read("xl/workbook.xml")):
            target = files.get(_attribute(one, "r:id"), "")
            name = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
            if target and name in there and (cells := _cells(packed.read(name), uncalculated)):
                found[_attribute(one, "name")] = cells
    return found


def _cells(sheet: bytes, uncalculated: bool) -> dict[tuple[int, int], str]:
    found = {}
    for attributes, content in _CELL.findall(sheet) if b't="e"' in sheet else ():
        address, value = _ADDRESS.search(attributes), _VALUE.search(content)
        if address and value:
            found[int(address[2]) - 1, _column(address[1])] = value[1].decode()
    for attributes in _NEVER.findall(sheet) if uncalculated else ():
        # What a formula of text came to may be an empty one.
        if b't="str"' not in attributes and (address := _ADDRESS.search(attributes)):
            found[int(address[2]) - 1, _column(address[1])] = UNCALCULATED
    return found


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _attribute(tag: bytes, name: str) -> str:
    found = re.search(rb"\b" + name.encode() + rb'="([^"]*)"', tag)
    return html.unescape(found[1].decode()) if found else ""
