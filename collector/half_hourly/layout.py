"""Where in a file what stands: the line of headers, a row a day or a row a half-hour, and the column of each thing."""

import datetime
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collector.errors import BadRequest
from collector.half_hourly.channels import channel_of, is_loss_adjusted, unit_of
from collector.half_hourly.headers import FLAG, REGISTER, SYNONYMS, TIMES, WHOLE
from collector.half_hourly.mapping import SupplierMapping
from collector.half_hourly.mpan import MpanError, mpan_in, mpan_of
from collector.half_hourly.periods import Periods, periods_of
from collector.register.fields import words
from collector.tables.sheets import Cell, Sheet


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand in a sheet; columns count from 0, None where there is none.

    `periods` are the half-hours of a row a day (None: a row a half-hour, whose values stand in `values`: the column of
    each MPAN, or of the one that "" stands for). `flags` gives the column of the flag of each value column.
    """

    header: int
    columns: Mapping[str, int]
    periods: Periods | None
    values: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[int, int] = field(default_factory=dict)
    set_aside: Sequence[str] = ()
    """Headers of columns that hold other channels."""

    def cell(self, row: Sequence[Cell], name: str) -> Cell:
        column = self.columns.get(name)
        return None if column is None or column >= len(row) else row[column]


def find_layout(sheet: Sheet, mapping: SupplierMapping) -> Layout | None:
    """The layout of a sheet; None where no line has the headers. Raises BadRequest where only loss-adjusted figures are there."""
    for number, row in enumerate(sheet.rows[:60]):
        if sum(cell is not None for cell in row) < 2:
            continue
        periods = _periods(row, mapping)
        if periods is not None:
            return _of_days(sheet, number, periods, mapping)
        found = _of_half_hours(sheet, number, mapping)
        if found is not None:
            return found
    return None


def _periods(row: Sequence[Cell], mapping: SupplierMapping) -> Periods | None:
    if not mapping.first_period:
        return periods_of([None if _is_flag(cell) else cell for cell in row]) or periods_of(row)
    place = next(
        (column for column, cell in enumerate(row) if cell is not None and words(cell) == words(mapping.first_period)),
        None,
    )
    if place is None:
        return None
    return periods_of([None] * place + list(row[place:])) or Periods(tuple(range(place, min(place + 50, len(row)))), "")


def _is_flag(cell: Cell) -> bool:
    """Whether a header is that of a half-hour's flag."""
    return isinstance(cell, str) and bool(FLAG.search(cell.lower().replace("_", " ")))


def _of_days(sheet: Sheet, header: int, periods: Periods, mapping: SupplierMapping) -> Layout | None:
    row = sheet.rows[header]
    flags = _flags(row, periods)
    columns = _columns(row, mapping, sheet, header, {*periods.columns, *flags.values()})
    if "date" not in columns:
        return None
    return Layout(header, columns, periods, flags=flags)


def _flags(row: Sequence[Cell], periods: Periods) -> dict[int, int]:
    """The column of the flag of each half-hour: right before or after its value, or in the same order in a block of flags."""
    columns = periods.columns
    if len(columns) > 1 and columns[1] - columns[0] == 2:
        before, after = columns[0] - 1, columns[-1] + 1
        ahead = before >= 0 and _is_flag(row[before]) and not (after < len(row) and _is_flag(row[after]))
        step = -1 if ahead else 1  # whatever its header is
        return {column: column + step for column in columns if column + step < len(row)}
    block = periods_of([cell if _is_flag(cell) and column not in columns else None for column, cell in enumerate(row)])
    return {} if block is None else dict(zip(columns, block.columns, strict=False))


def _of_half_hours(sheet: Sheet, header: int, mapping: SupplierMapping) -> Layout | None:
    row = sheet.rows[header]
    texts = [cell for cell in row if isinstance(cell, str)]
    above, wide = _mpans_above(sheet, header), _mpans(row)
    if len(texts) < 2 and not wide:
        return None
    flags: dict[int, int] = {}
    if above and not wide:
        values, flags = _blocks_of_meters(sheet, header, above, mapping)
    else:
        values = wide or _values(sheet, header, mapping)
    columns = _columns(row, mapping, sheet, header, {*values.values(), *flags.values()})
    if "date" not in columns or not values:
        return None
    chosen = set(values.values())
    aside = [
        str(cell) for column, cell in enumerate(row)
        if cell is not None and column not in chosen and column not in columns.values()
        and channel_of(cell) in ("active export", "reactive", "demand")
    ]  # fmt: skip
    adjusted = [str(row[column]) for column in chosen if is_loss_adjusted(row[column])]
    if adjusted:
        refuse_losses(adjusted[0])
    return Layout(header, columns, None, values, flags, set_aside=aside)


def _mpans_above(sheet: Sheet, header: int) -> dict[str, int]:
    """Where the columns of each of several meters begin: their MPANs stand in one line, no more than three above the headers."""
    for row in reversed(sheet.rows[max(0, header - 3) : header]):
        found = _mpans(row)
        if len(found) > 1:
            return found
    return {}


def _blocks_of_meters(
    sheet: Sheet, header: int, above: Mapping[str, int], mapping: SupplierMapping
) -> tuple[dict[str, int], dict[int, int]]:
    """The energy of each meter, and the flag of each such column: both between the meter's MPAN and the next one's."""
    row = sheet.rows[header]
    begins = sorted(above.values())
    values: dict[str, int] = {}
    flags: dict[int, int] = {}
    for mpan, begin in above.items():
        end = next((one for one in begins if one > begin), len(row))
        found = _values(sheet, header, mapping, range(begin, end))
        for column in found.values():
            values[mpan] = column
            flags.update((column, other) for other in range(begin, end) if other != column and _is_flag(row[other]))
    return values, flags


def refuse_losses(words_of_it: str) -> None:
    """Raise BadRequest: losses of the networks are a line of the footprint, and would count twice."""
    raise BadRequest(
        f"{words_of_it}: loss-adjusted figures are not taken, because losses of the networks are reported as a line of their own "
        "and would count twice",
        "ask the supplier for metered kWh (at the meter), or map the column that holds it",
    )


def _mpans(row: Sequence[Cell]) -> dict[str, int]:
    """Columns whose header is an MPAN: a column for each meter."""
    found: dict[str, int] = {}
    for column, cell in enumerate(row):
        mpan = mpan_in(cell)
        if mpan is not None and channel_of(cell) in ("", "active import"):
            found.setdefault(mpan, column)
    return found


def _columns(
    row: Sequence[Cell], mapping: SupplierMapping, sheet: Sheet, header: int, taken: set[int]
) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in ("mpan", "date", "period", "time", "channel", "unit", "flag"):
        wanted = getattr(mapping, name)
        if name == "mpan" and wanted.isdigit():
            continue
        names = (wanted,) if wanted else SYNONYMS[name]
        if name == "time" and not wanted:
            if "date" in found and _has_clock(sheet, header, found["date"]):
                continue
            names = (*names, *TIMES)
        place = _place(row, names, taken | set(found.values()), exact=bool(wanted))
        if place is None and wanted:
            raise BadRequest(
                f"there is no column {wanted!r}",
                f"the headers are {', '.join(str(cell) for cell in row if cell is not None)[:300]}",
            )
        if name == "period" and not wanted and place is not None and not _holds_numbers(sheet, header, place):
            place = None
        if place is None and name == "mpan":
            place = _column_of_mpans(sheet, header, taken)
        if place is not None:
            found[name] = place
    return found


def _place(row: Sequence[Cell], names: Sequence[str], taken: set[int], *, exact: bool) -> int | None:
    """The column whose header is the first of some names that there is; else the first whose words hold one."""
    headers = {column: words(cell) for column, cell in enumerate(row) if cell is not None and column not in taken}
    for name in names:
        for column, header in headers.items():
            if header == words(name):
                return column
    if exact:
        return None
    for name in names:
        for column, header in headers.items():
            if len(name) > 3 and header not in WHOLE and f" {name} " in f" {header} ":
                return column
    return None


def _column_of_mpans(sheet: Sheet, header: int, taken: set[int]) -> int | None:
    """The column whose cells are MPANs, whatever it is called."""
    rows = sheet.rows[header + 1 : header + 21]
    for column in range(len(sheet.rows[header])):
        cells = [row[column] for row in rows if column < len(row) and row[column] is not None]
        if column not in taken and cells and all(_is_mpan(cell) for cell in cells):
            return column
    return None


def _is_mpan(cell: Cell) -> bool:
    try:
        mpan_of(cell)
    except MpanError:
        return False
    return True


def _values(sheet: Sheet, header: int, mapping: SupplierMapping, among: Sequence[int] | None = None) -> dict[str, int]:
    """The column of energy: metered before loss-adjusted, kWh before kW, import before anything that is not said.

    `among`: only these columns.
    """
    row = sheet.rows[header]
    others = set() if among is None else set(range(len(row))) - set(among)
    if mapping.value:
        place = _place(row, (mapping.value,), others, exact=True)
        if place is None:
            raise BadRequest(
                f"there is no column {mapping.value!r}",
                f"the headers are {', '.join(str(cell) for cell in row if cell is not None)[:300]}",
            )
        return {"": place}
    best: tuple[tuple[int, ...], int] | None = None
    for column, cell in enumerate(row):
        if (
            column in others
            or not isinstance(cell, str)
            or REGISTER.search(cell.lower())
            or not _holds_numbers(sheet, header, column)
        ):
            continue
        channel, name = channel_of(cell), words(cell)
        rank = SYNONYMS["value"].index(name) if name in SYNONYMS["value"] else 99
        if channel in ("active export", "reactive", "demand") or (
            rank == 99 and not unit_of(cell) and channel != "active import"
        ):
            continue
        key = (is_loss_adjusted(cell), unit_of(cell) == "kW", rank, column)
        if best is None or key < best[0]:
            best = (key, column)
    return {} if best is None else {"": best[1]}


def _has_clock(sheet: Sheet, header: int, column: int) -> bool:
    """Whether the column's cells tell a time of day beside the date."""
    cells = [row[column] for row in sheet.rows[header + 1 : header + 51] if column < len(row)]
    return any(
        (isinstance(cell, datetime.datetime) and cell.time() != datetime.time())
        or (
            isinstance(cell, str)
            and re.search(r"\d[T ]+\d{1,2}[:.]\d{2}", cell)
            and not re.search(r"[T ]0{1,2}[:.]00", cell)
        )
        for cell in cells
    )


def _holds_numbers(sheet: Sheet, header: int, column: int) -> bool:
    below = (row[column] for row in itertools.islice(sheet.rows, header + 1, header + 3000) if column < len(row))
    cells = list(itertools.islice((cell for cell in below if cell is not None), 50))
    return bool(cells) and sum(number_in(cell) for cell in cells) * 2 >= len(cells)


def number_in(cell: Cell) -> bool:
    """Whether a cell holds a number, also one typed as text."""
    if isinstance(cell, bool):
        return False
    if isinstance(cell, (int, float)):
        return True
    try:
        float(str(cell).replace(",", ""))
    except ValueError:
        return False
    return True
