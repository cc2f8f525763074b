"""Serial numbers, asset tags and names as a spreadsheet leaves them."""

import re

from collector.tables.error_cells import UNCALCULATED

_SCIENTIFIC = re.compile(r"\d(\.\d+)?E\+?\d+", re.IGNORECASE)
_ERRORS = frozenset({"#n/a", "#ref!", "#value!", "#name?", "#div/0!", "#null!", "#num!"})
_NONE = frozenset({
    "", "-", "--", "n/a", "na", "none", "unknown", "tbc", "tba", "?", "null", "nil", "not known", "no serial", "missing",
    "not applicable", "to be filled by o.e.m.", "default string", "system serial number", "xxxx", "xxx", "x", "0", "none found",
})  # fmt: skip
_PROTECTED = frozenset({"'=", "'+", "'-", "'@"})
"""What an export writes, so that no spreadsheet takes it for a formula."""
LONG_SERIAL = 6
"""Shorter serial numbers are their maker's alone."""
_LARGEST_EXACT = 10**15
"""A spreadsheet keeps 15 digits; what follows is zeros."""


def damaged(cell: object) -> str:
    """What a spreadsheet did to an identifier, in words; "" where nothing is seen.

    >>> damaged("1.23457E+11"), damaged(4.2), damaged("CN0X3F4")
    ('a spreadsheet turned it into 1.23457E+11: digits are lost', 'a spreadsheet turned it into the number 4.2', '')
    """
    if isinstance(cell, float) and not (cell.is_integer() and cell < _LARGEST_EXACT):
        if cell >= _LARGEST_EXACT:
            return f"a spreadsheet turned it into the number {cell:.0f}: digits beyond the fifteenth are lost"
        return f"a spreadsheet turned it into the number {cell:g}"
    if isinstance(cell, str) and _SCIENTIFIC.fullmatch(cell.strip()) and "+" in cell:
        return f"a spreadsheet turned it into {cell.strip()}: digits are lost"
    return failed(cell)


def failed(cell: object) -> str:
    """That a formula came to nothing, in words; "" where it did not.

    >>> failed("#N/A"), failed("Depot")
    ('the formula failed (#N/A)', '')
    """
    text = cell.strip() if isinstance(cell, str) else ""
    if text == UNCALCULATED:
        return "the formula was never calculated: open the file in a spreadsheet and save it"
    return f"the formula failed ({text})" if text.lower() in _ERRORS else ""


def identifier(cell: object) -> str:
    """An identifier as text; "" where the cell says that there is none. A date in its place is given as text too.

    >>> identifier(10045.0), identifier(" n/a "), identifier("CZ 1234")
    ('10045', '', 'CZ 1234')
    """
    if cell is None or isinstance(cell, bool):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = " ".join(str(cell).split())
    if text[:2] in _PROTECTED:
        text = text[1:]
    return "" if text.lower() in _NONE else text


def comparable(text: str) -> str:
    """An identifier for comparison: people type it with spaces, dashes and leading zeros of their own.

    >>> comparable("cz-1234 ab") == comparable("CZ1234AB"), comparable("000123") == comparable("123")
    (True, True)
    """
    plain = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    return plain.lstrip("0") or plain


def has_lost_zeros(text: str, whole: str) -> bool:
    """Whether a number is another without the zeros before it, which a spreadsheet takes away.

    >>> has_lost_zeros("123", "000123"), has_lost_zeros("123", "123"), has_lost_zeros("AB1", "0AB1")
    (True, False, False)
    """
    return text != whole and text.isdigit() and whole.lstrip("0") == text


def number_keys(serial: str, asset_tag: str, vendor: str) -> list[tuple[str, str, str]]:
    """By which numbers a device is known, the surest first. A short serial number is its maker's alone.

    >>> number_keys("S-1", "7", "Dell")
    [('serial', 'S1', 'dell'), ('asset_tag', '7', '')]
    """
    number, tag = comparable(serial), comparable(asset_tag)
    short = vendor.lower() if len(number) < LONG_SERIAL else ""
    return [("serial", number, short)] * bool(number) + [("asset_tag", tag, "")] * bool(tag)
