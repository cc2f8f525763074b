"""The industry's own files between data collectors and suppliers (Elexon's D0036, D0275): records, one a line, bars between.

A record of a meter names the MPAN and the measurement quantity (AI, AE, RI, RE), one of a day its date, and those after it
the half-hours of that day in their order on the wall's clock: a flag (A, E) and kWh. Such a file is read as a table with a
row a half-hour, whose rows are the file's lines.
"""

import re
from collections.abc import Sequence

from collector.half_hourly.mpan import MpanError, mpan_of
from collector.tables.sheets import Cell, Sheet

_HEADERS = ("kWh", "Flag", "MPAN", "Channel", "Settlement Date", "Settlement Period")
_QUANTITIES = frozenset({"AI", "AE", "RI", "RE"})
_VALUE = re.compile(r"\d{1,9}\.\d{1,6}")
_FLAGGED = re.compile(r"\d{1,9}(\.\d{1,6})?")
"""A value beside its flag, which may be a whole number: what else stands in such a line is no number."""


def flow_table(sheet: Sheet) -> Sheet | None:
    """The table of such a file; None where it is none."""
    if not sheet.rows or str(sheet.rows[0][0] or "").upper() != "ZHV":
        return None
    rows: list[Sequence[Cell]] = [_HEADERS]
    mpan, channel, date, period = "", "", "", 0
    for line in sheet.rows[1:]:
        cells = [str(cell).strip() for cell in line if cell is not None]
        flag = next((cell for cell in cells[1:] if re.fullmatch(r"[A-Z]", cell)), None)
        values = [cell for cell in cells[1:] if (_VALUE if flag is None else _FLAGGED).fullmatch(cell)]
        if (found := _mpan(cells)) is not None:
            mpan, channel, date = found, next((cell for cell in cells if cell in _QUANTITIES), channel), ""
        elif values and mpan and date:
            period += 1
            rows.append((values[0], flag, mpan, channel, date, period))
            continue
        elif (day := next((cell for cell in cells[1:] if re.fullmatch(r"(19|20)\d{6}", cell)), None)) is not None:
            date, period = day, 0
            channel = next((cell for cell in cells if cell in _QUANTITIES), channel)
        rows.append(())
    return Sheet(sheet.name, rows)


def _mpan(cells: Sequence[str]) -> str | None:
    for cell in cells[1:]:
        try:
            return mpan_of(cell)
        except MpanError:
            continue
    return None
