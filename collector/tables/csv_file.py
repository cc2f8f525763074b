"""CSV as it is written: exact numbers, and texts that no spreadsheet takes for formulae."""

import csv
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TextIO


def spreadsheet_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: names come from hosts and from elsewhere (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def decimal_text(number: Decimal) -> str:
    """A number in full, without zeros at its end and never as a power of ten.

    >>> decimal_text(Decimal("3E-13")), decimal_text(Decimal("1200.000"))
    ('0.0000000000003', '1200')
    """
    text = str(number)
    if "E" in text:
        text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def write_csv(stream: TextIO, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows with their header."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(cell) for cell in row] for row in rows)


def _cell(cell: object) -> object:
    if isinstance(cell, str):
        return spreadsheet_cell(cell)
    return decimal_text(cell) if isinstance(cell, Decimal) else cell
