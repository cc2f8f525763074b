"""Electricity bills as a table: a row a bill, or a row for each rate of it, read to kWh by meter and days."""

import datetime
import hashlib
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from carbon.units import UJ_PER_KWH
from collector.errors import BadRequest
from collector.half_hourly.channels import channel_of, is_loss_adjusted, unit_of
from collector.half_hourly.headers import MPAN_HEADERS
from collector.half_hourly.layout import refuse_losses
from collector.half_hourly.mapping import SupplierMapping
from collector.half_hourly.mpan import MpanError, mpan_in, mpan_of
from collector.half_hourly.rows import Fault
from collector.half_hourly.sheet import FUTURE, is_sum
from collector.half_hourly.values import ValueProblem, amount_of, flag_in
from collector.register.cells import is_empty
from collector.register.fields import words
from collector.register.meanings import yes_or_no
from collector.tables.dates import DateOrder, read_date
from collector.tables.sheets import Cell, Sheet, read_sheets

_BEGIN = r"from|start|begin"
_END = r"\bto\b|end|until"
_RATE = re.compile(r"rate|register|band|tariff|\btpr\b|description|charge type|charge")
_FLAG = re.compile(r"estimat|actual|read type|reading type|bill type|^a e$|read status")
_FUEL = re.compile(r"fuel|commodity|utility|service")
MOST_KWH_A_DAY = 2_400_000
"""100 MW is more than any council's supply."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What a bill says that a meter measured, from the first to the last day, both included, and its first cell."""

    mpan: str
    first_day: datetime.date
    last_day: datetime.date
    energy_uj: int
    estimated: bool
    cell: str


@dataclass(frozen=True, slots=True)
class BillFile:
    """A file of bills as it was read; `assumed` says in words what it did not tell."""

    name: str
    sha256: str
    bills: Sequence[Bill]
    faults: Sequence[Fault]
    mapping: SupplierMapping
    assumed: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Columns:
    header: int
    begin: int
    end: int | None
    values: tuple[int, ...]
    mpan: int | None
    flag: int | None
    rate: int | None
    fuel: int | None


def read_bills(path: Path, mapping: SupplierMapping | None = None) -> BillFile:
    """Read a file. Raises BadRequest where no line has the headers of bills, or the kWh are loss-adjusted."""
    given = mapping or SupplierMapping()
    found = [
        (sheet, columns)
        for sheet in read_sheets(path, uncalculated=True)
        if (columns := _find(sheet, given)) is not None
    ]
    if not found:
        raise BadRequest(
            f"{path.name} has no line with headers of bills",
            "it needs columns such as MPAN, From, To and kWh; name others in a mapping: see docs/half-hourly.md",
        )
    faults: list[Fault] = []
    assumed: list[str] = []
    bills: list[Bill] = []
    for sheet, columns in found:
        bills += _Reader(sheet, columns, given, faults, assumed).read()
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return BillFile(path.name, sha256, _to_included_days(bills, assumed), faults, given, list(dict.fromkeys(assumed)))


def _find(sheet: Sheet, mapping: SupplierMapping) -> _Columns | None:
    for number, row in enumerate(sheet.rows[:60]):
        headers = {column: words(cell) for column, cell in enumerate(row) if isinstance(cell, str)}
        begin, end = _days_of(headers, mapping)
        values = _values_of(sheet, number, headers, mapping)
        if begin is None or not values:
            continue
        named = words(mapping.mpan) if mapping.mpan and not mapping.mpan.isdigit() else ""
        mpan = next((c for c, text in headers.items() if text == named or (not named and text in MPAN_HEADERS)), None)
        taken = {begin, end, mpan, *values}
        free = {column: text for column, text in headers.items() if column not in taken}
        flag = next((c for c, text in free.items() if text == words(mapping.flag)), None) if mapping.flag else None
        return _Columns(
            header=number,
            begin=begin,
            end=end,
            values=values,
            mpan=mpan,
            flag=flag if mapping.flag else _matching(free, _FLAG),
            rate=_matching({c: text for c, text in free.items() if not _FLAG.search(text)}, _RATE),
            fuel=_matching(free, _FUEL),
        )
    return None


def _matching(headers: dict[int, str], pattern: re.Pattern[str]) -> int | None:
    return next((column for column, text in headers.items() if pattern.search(text)), None)


def _days_of(headers: dict[int, str], mapping: SupplierMapping) -> tuple[int | None, int | None]:
    """The columns of the first and the last day; the last is None where one column says both."""
    if mapping.first_day:
        begin = next((c for c, text in headers.items() if text == words(mapping.first_day)), None)
        return begin, next((c for c, text in headers.items() if text == words(mapping.last_day)), None)
    dates = {column: text for column, text in headers.items() if not re.search(r"read(ing)?$|kwh|\bread\b", text)}
    begin = _matching(dates, re.compile(_BEGIN))
    end = _matching({column: text for column, text in dates.items() if column != begin}, re.compile(_END))
    if begin is not None and end is not None:
        return begin, end
    return _matching(dates, re.compile(r"^(bill(ing|ed)? )?(period|month)$|billing (period|month)|^month")), None


def _values_of(sheet: Sheet, header: int, headers: dict[int, str], mapping: SupplierMapping) -> tuple[int, ...]:
    """The column of kWh: a total before those of rates, which are added up; metered before loss-adjusted."""
    if mapping.value:
        return tuple(column for column, text in headers.items() if text == words(mapping.value))
    row = sheet.rows[header]
    energy = [
        column
        for column, text in headers.items()
        if (
            unit_of(row[column]) == "kWh"
            or re.fullmatch(r"(total |billed )?(consumption|usage|units)( used| billed)?", text)
        )
        and channel_of(text) not in ("active export", "reactive")
        and not re.search(r"price|cost|rate|p kwh|per kwh|charge|£|forecast|annual|eac", text)
    ]
    metered = [column for column in energy if not is_loss_adjusted(row[column])]
    if energy and not metered:
        refuse_losses(str(row[energy[0]]))
    rates = [
        column
        for column in metered
        if re.search(r"\b(day|night|evening|weekend|peak|off peak|rate \d)\b", headers[column])
    ]
    whole = [column for column in metered if column not in rates]
    return (whole[0],) if whole else tuple(rates)


class _Wrong(Exception):  # it says what is wrong with a cell, and never leaves this file
    """What is wrong with the cell of a row's column, and what to do."""

    def __init__(self, column: int, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.column, self.problem, self.remedy = column, problem, remedy


class _Reader:
    def __init__(
        self, sheet: Sheet, columns: _Columns, mapping: SupplierMapping, faults: list[Fault], assumed: list[str]
    ) -> None:
        self._sheet, self._columns, self._mapping = sheet, columns, mapping
        self._faults, self._assumed = faults, assumed
        self._order: DateOrder = mapping.dates or "day first"

    def read(self) -> list[Bill]:
        rows = [
            (number, row)
            for number, row in enumerate(self._sheet.rows)
            if number > self._columns.header and self._counts(row)
        ]
        if not self._mapping.dates:
            self._order = self._order_of([row for _, row in rows])
        found: dict[tuple[str, datetime.date, datetime.date], list[tuple[Bill, str]]] = {}
        for number, row in rows:
            try:
                bill = self._bill(number, row)
            except _Wrong as wrong:
                value = self._cell(row, wrong.column)
                where, text = self._sheet.address(number, wrong.column), "" if value is None else str(value)[:100]
                self._faults.append(Fault(where, text, wrong.problem, wrong.remedy))
                continue
            rate = words(self._cell(row, self._columns.rate) or "")
            found.setdefault((bill.mpan, bill.first_day, bill.last_day), []).append((bill, rate))
        return [one for parts in found.values() for one in self._whole(parts)]

    def _cell(self, row: Sequence[Cell], column: int | None) -> Cell:
        return None if column is None or column >= len(row) else row[column]

    def _counts(self, row: Sequence[Cell]) -> bool:
        if is_empty(row) or list(row) == list(self._sheet.rows[self._columns.header]):
            return False
        if re.search(r"\bgas\b|water", str(self._cell(row, self._columns.fuel) or "").lower()):
            self._assumed.append("rows of gas and water are not taken")
            return False
        if self._cell(row, self._columns.begin) is None:
            return False
        said = self._cell(row, self._columns.begin)
        return not is_sum(said) and any(self._cell(row, column) is not None for column in self._columns.values)

    def _order_of(self, rows: Iterable[Sequence[Cell]]) -> DateOrder:
        cells = {
            str(cell)
            for row in rows
            for column in (self._columns.begin, self._columns.end)
            if isinstance(cell := self._cell(row, column), str)
        }

        def are_dates(order: DateOrder) -> bool:
            return all(isinstance(read_date(cell, order, FUTURE), datetime.date) for cell in cells)

        if self._columns.end is not None and cells and not are_dates("day first") and are_dates("month first"):
            self._assumed.append("dates have the month first: with the day first some would be no dates")
            return "month first"
        return "day first"

    def _bill(self, number: int, row: Sequence[Cell]) -> Bill:
        """A row's bill. Raises _Wrong."""
        columns = self._columns
        try:
            mpan = self._mpan(row)
        except MpanError as error:
            raise _Wrong(columns.mpan or 0, str(error), "give all 13 digits, as text") from error
        days = self._days(row)
        if days is None:
            raise _Wrong(columns.begin, "no first and last day", "write them as day/month/year")
        if days[1] < days[0]:
            raise _Wrong(columns.end or columns.begin, "it ends before it begins", "correct the dates")
        energy = 0
        for column in columns.values:
            if (cell := self._cell(row, column)) is None:
                continue
            try:
                kwh = amount_of(cell)
            except ValueProblem as error:
                raise _Wrong(column, str(error), "for a credit, give the bill that replaces it") from error
            energy += int((kwh * UJ_PER_KWH).to_integral_value())
        if energy > MOST_KWH_A_DAY * UJ_PER_KWH * ((days[1] - days[0]).days + 1):
            raise _Wrong(columns.values[0], "more than any supply gives", "give kWh, not Wh")
        return Bill(mpan, *days, energy, self._is_estimated(row), self._sheet.address(number, columns.values[0]))

    def _mpan(self, row: Sequence[Cell]) -> str:
        cell = self._cell(row, self._columns.mpan)
        if cell is not None:
            return mpan_of(cell)
        if self._mapping.mpan.isdigit():
            return mpan_of(self._mapping.mpan)
        above = (cell for line in self._sheet.rows[: self._columns.header] for cell in line)
        if found := next((mpan for text in (self._sheet.name, *above) if (mpan := mpan_in(text))), None):
            return found
        raise MpanError("no MPAN in its row, nor above")

    def _days(self, row: Sequence[Cell]) -> tuple[datetime.date, datetime.date] | None:
        begin = self._cell(row, self._columns.begin)
        if self._columns.end is None:
            parts = re.split(r"\s+(?:-|–|to)\s+", str(begin)) if isinstance(begin, str) else []
            if len(parts) != 2:
                first = read_date(begin, self._order, FUTURE)
                month = isinstance(first, datetime.date) and first.day == 1
                return (first, _month_end(first)) if month and isinstance(first, datetime.date) else None
            first, last = (read_date(part, self._order, FUTURE) for part in parts)
        else:
            first = read_date(begin, self._order, FUTURE)
            last = read_date(self._cell(row, self._columns.end), self._order, FUTURE)
        return (first, last) if isinstance(first, datetime.date) and isinstance(last, datetime.date) else None

    def _is_estimated(self, row: Sequence[Cell]) -> bool:
        if self._columns.flag is None:
            return False
        flag = self._cell(row, self._columns.flag)
        header = words(self._sheet.rows[self._columns.header][self._columns.flag])
        if (said := yes_or_no(flag)) and ("estimat" in header) != ("actual" in header):
            return (said == "yes") == ("estimat" in header)
        return flag_in(flag, self._mapping.estimated)

    def _whole(self, parts: list[tuple[Bill, str]]) -> list[Bill]:
        """One bill of the rows of its rates. The same rate twice: neither is taken, unless they say the same."""
        first = parts[0][0]
        by_rate: dict[str, Bill] = {}
        for bill, rate in parts:
            if (twin := by_rate.setdefault(rate, bill)) is bill:
                continue
            if twin.energy_uj != bill.energy_uj:
                problem = f"the same meter, days and rate as in {twin.cell}, with another value: neither is taken"
                self._faults.append(Fault(bill.cell, "", problem, "correct the file, or ask the supplier which holds"))
                return []
            self._faults.append(Fault(bill.cell, "", f"the same as {twin.cell}", "", "left out"))
        rates = list(by_rate.values())
        energy, estimated = sum(one.energy_uj for one in rates), any(one.estimated for one in rates)
        return [replace(first, energy_uj=energy, estimated=estimated)]


def _month_end(first: datetime.date) -> datetime.date:
    return (first.replace(day=1) + datetime.timedelta(days=32)).replace(day=1) - datetime.timedelta(days=1)


def _to_included_days(bills: Sequence[Bill], assumed: list[str]) -> list[Bill]:
    """Bills whose last day is included. Where each begins on the day on which the one before ends, that day is the later's."""
    by_meter: dict[str, list[Bill]] = {}
    for one in bills:
        by_meter.setdefault(one.mpan, []).append(one)
    found: list[Bill] = []
    for mine in by_meter.values():
        mine.sort(key=lambda one: (one.first_day, one.last_day))
        follow = [after.first_day == before.last_day for before, after in itertools.pairwise(mine)]
        if follow and all(follow) and all(one.last_day > one.first_day for one in mine):
            assumed.append("a bill's last day is the next one's first: it is counted with the next")
            mine = [replace(one, last_day=one.last_day - datetime.timedelta(days=1)) for one in mine]  # noqa: PLW2901  # its days as they count
        found += mine
    return found
