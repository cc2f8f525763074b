"""What reading a sheet of either kind shares: which rows count, whose they are, in which unit, and what is told of them."""

import datetime
import re
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from carbon.calendar import zone
from collector.errors import BadRequest
from collector.half_hourly.channels import channel_of, is_loss_adjusted, unit_of
from collector.half_hourly.layout import Layout, number_in, refuse_losses
from collector.half_hourly.mapping import Clock, SupplierMapping, Unit
from collector.half_hourly.mpan import MpanError, mpan_in, mpan_of, mpans_in
from collector.half_hourly.periods import Label
from collector.half_hourly.rows import Fault, Reading
from collector.half_hourly.values import ValueProblem, energy_of, flag_in
from collector.register.cells import is_empty
from collector.register.fields import words
from collector.register.meanings import yes_or_no
from collector.tables.dates import DateOrder, DateProblem, read_date
from collector.tables.sheets import Cell, Sheet

FUTURE = datetime.date(2100, 1, 1)
SUPPLY_ZONE = "Europe/London"
_SUMS = frozenset(
    {
        "total",
        "totals",
        "sum",
        "grand total",
        "average",
        "mean",
        "maximum",
        "minimum",
        "max",
        "min",
        "count",
        "sub total",
        "subtotal",
    }
)


class SheetReader(ABC):
    """Reads one sheet by its layout; what is found is kept in the fields."""

    def __init__(self, sheet: Sheet, layout: Layout, mapping: SupplierMapping) -> None:
        self.readings: list[Reading] = []
        self.faults: list[Fault] = []
        self.set_aside: Counter[str] = Counter(layout.set_aside)
        self.assumed: list[str] = []
        self.missing = 0
        self._titles: list[tuple[int, int, list[str]]] | None = None
        self._doubtful: set[tuple[int, int]] = set()
        self._sheet, self._layout = sheet, layout
        self._zone = zone(SUPPLY_ZONE)
        header = sheet.rows[layout.header]
        self._headers = " ".join(
            str(cell) for row in sheet.rows[: layout.header + 1] for cell in row if cell is not None
        )
        self._header = header
        self.mapping = replace(mapping, label=mapping.label or self._label(mapping))

    def read(self) -> "SheetReader":
        rows = [
            (number, row)
            for number, row in enumerate(self._sheet.rows)
            if number > self._layout.header and self._counts(row) and self._is_import(number, row)
        ]
        if not self.mapping.dates:
            self.mapping = replace(self.mapping, dates=self._date_order(rows))
        self._read_rows(rows)
        return self

    @abstractmethod
    def _read_rows(self, rows: Sequence[tuple[int, Sequence[Cell]]]) -> None:
        """Take the readings of the rows that count."""

    @property
    def _dates(self) -> DateOrder:
        return self.mapping.dates or "day first"

    def _date_order(self, rows: Sequence[tuple[int, Sequence[Cell]]]) -> DateOrder:
        """Month first where the day first makes no dates of some cells, and the month first of all."""
        cells = [cell for _, row in rows if isinstance(cell := self._layout.cell(row, "date"), str)]
        distinct = {cell.split()[0] for cell in cells if cell.split()}

        def are_dates(order: DateOrder) -> bool:
            return all(isinstance(read_date(cell, order, FUTURE), datetime.date) for cell in distinct)

        if distinct and not are_dates("day first") and are_dates("month first"):
            self._assume("dates have the month first: with the day first some would be no dates")
            return "month first"
        return "day first"

    # What a row is.

    def _counts(self, row: Sequence[Cell]) -> bool:
        """Whether a row is one of readings: no empty one, no sum, no remark, no header that is repeated."""
        if is_empty(row) or list(row) == list(self._header):
            return False
        if self._layout.cell(row, "date") is not None:
            header = self._header[self._layout.columns["date"]]
            if words(self._layout.cell(row, "date")) in (words(header), *_SUMS):
                return False
            return bool(self._values(row)) or not self._is_remark(row)
        texts = [cell for cell in row if isinstance(cell, str)]
        return not any(words(text) in _SUMS for text in texts) and any(number_in(cell) for cell in self._values(row))

    def _is_remark(self, row: Sequence[Cell]) -> bool:
        """Whether a row without values says no date either, or whose the rows below it are."""
        if any(mpan_in(cell) for cell in row if isinstance(cell, str)) and "mpan" not in self._layout.columns:
            return True
        date = str(self._layout.cell(row, "date")).split()[0]
        return isinstance(read_date(date, self._dates, FUTURE), DateProblem)

    def _values(self, row: Sequence[Cell]) -> list[Cell]:
        layout = self._layout
        columns = layout.periods.columns if layout.periods is not None else layout.values.values()
        return [row[column] for column in columns if column < len(row) and row[column] is not None]

    def _is_import(self, number: int, row: Sequence[Cell]) -> bool:
        """Whether a row is of active import. Of its channel and its unit, whichever says otherwise decides."""
        told: list[str] = []
        for name in ("channel", "unit"):
            cell = self._layout.cell(row, name)
            if cell is None or (name == "unit" and number_in(cell)):
                continue
            if is_loss_adjusted(cell):
                refuse_losses(str(cell))
            channel = channel_of(cell, self.mapping.active_import if name == "channel" else ())
            if channel != "active import" and (channel or (name == "channel" and self.mapping.active_import)):
                self.set_aside[str(cell)] += 1
                return False
            told.append(channel)
        if self._layout.cell(row, "channel") is not None and not any(told):
            cell = self._layout.cell(row, "channel")
            self._fault(
                number,
                self._layout.columns["channel"],
                f"{cell} is no known channel",
                "name those of active import in the mapping",
            )
            return False
        return True

    def _mpan(self, number: int, row: Sequence[Cell]) -> str | None:
        cell = self._layout.cell(row, "mpan")
        if cell is None and self.mapping.mpan.isdigit():
            cell = self.mapping.mpan
        if cell is None:
            line, column, above = self._mpans_above(number)
            if len(above) > 1:
                self._doubt(line, column, above)
                return None
            cell = next(iter(above), None)
        if cell is None:
            raise BadRequest(
                f"no MPAN in {self._sheet.address(number, 0)} nor above it",
                'give it in the mapping: mpan = "13 digits"',
            )
        try:
            return mpan_of(cell)
        except MpanError as error:
            self._fault(number, self._layout.columns.get("mpan", 0), str(error), "give all 13 digits, as text")
            return None

    def _mpans_above(self, number: int) -> tuple[int, int, list[str]]:
        """The MPANs in the nearest line above, else in the sheet's name, with their row and column (-1: the name).

        They hold until another line names one. A line with several leaves open whose the rows below it are.
        """
        if self._titles is None:
            by_line: dict[int, tuple[int, int, list[str]]] = {}
            for line, column, cell in [(-1, -1, self._sheet.name), *self._remarks()]:
                if mpans := mpans_in(cell):
                    before = by_line.get(line, (line, column, []))[2]
                    by_line[line] = (line, column, list(dict.fromkeys([*before, *mpans])))
            self._titles = list(by_line.values())
        place = bisect_right(self._titles, number, key=lambda one: one[0])
        return self._titles[place - 1] if place else (-1, -1, [])

    def _doubt(self, line: int, column: int, mpans: Sequence[str]) -> None:
        """Tell, once, of a line above rows that names several MPANs."""
        if (line, column) in self._doubtful:
            return
        self._doubtful.add((line, column))
        where = self._sheet.name if line < 0 else self._sheet.address(line, column)
        problem = "several MPANs in one line: whose the rows below are is not known, and none of them is taken"
        self.faults.append(Fault(where, ", ".join(mpans), problem, 'say it in the mapping: mpan = "13 digits"'))

    def _remarks(self) -> list[tuple[int, int, Cell]]:
        """Cells of the lines that are no readings, each with its row and column."""
        return [
            (at, column, cell)
            for at, row in enumerate(self._sheet.rows)
            if at < self._layout.header or (at > self._layout.header and not self._counts(row))
            for column, cell in enumerate(row)
            if cell is not None
        ]

    def _unit(self, row: Sequence[Cell], column: int) -> Unit:
        cell = self._layout.cell(row, "unit")
        header = self._header[column] if column < len(self._header) else None
        channel = self._layout.cell(row, "channel")
        for text in (cell, channel, header, self._headers):
            if text is not None and (unit := unit_of(text)):
                return unit
        self._assume("the values are kWh")
        return "kWh"

    # What both share.

    def _take(self, number: int, row: Sequence[Cell], column: int, mpan: str, half_hour: int) -> None:
        cell = row[column] if column < len(row) else None
        flag_column = self._layout.flags.get(column, self._layout.columns.get("flag"))
        flag = row[flag_column] if flag_column is not None and flag_column < len(row) else None
        estimated = self._is_estimated(flag, flag_column)
        if cell is None or (estimated is None and flag_in(flag, self.mapping.missing)):
            self.missing += 1
            return
        try:
            energy = energy_of(cell, self._unit(row, column))
        except ValueProblem as error:
            self._fault(number, column, str(error), "correct it, or ask the supplier")
            return
        where = self._sheet.address(number, column)
        self.readings.append(Reading(mpan, half_hour, energy, bool(estimated), where))

    def _is_estimated(self, flag: Cell, column: int | None) -> bool | None:
        """What a flag says; None where it says neither."""
        header = words(self._header[column]) if column is not None and column < len(self._header) else ""
        if (
            (said := yes_or_no(flag))
            and ("estimate" in header or "actual" in header)
            and not ("estimate" in header and "actual" in header)
        ):
            return (said == "yes") == ("estimate" in header)
        return True if flag_in(flag, self.mapping.estimated) else None

    def _label(self, mapping: SupplierMapping) -> Label:
        layout = self._layout
        if layout.periods is not None:
            return layout.periods.label or "start"
        text = str(self._header[layout.columns.get("time", layout.columns["date"])]).lower()
        return "end" if "end" in text.split() or " to" in f" {text}" or "ending" in text else mapping.label or "start"

    def _clock(self, told: Clock | None) -> Clock:
        if self.mapping.clock:
            return self.mapping.clock
        if told is None:
            named = _clock_named(" ".join(self._header_of(name) for name in ("date", "time")))
            told = named or _clock_named(self._headers)
            if told is None:
                told = "local"
                self._assume(
                    "times are those of the wall's clock in the United Kingdom; no day on which it changes is in the file"
                )
        return told

    def _header_of(self, name: str) -> str:
        column = self._layout.columns.get(name)
        return "" if column is None else str(self._header[column])

    def _assume(self, text: str) -> None:
        if text not in self.assumed:
            self.assumed.append(text)

    def _fault(self, number: int, column: int, problem: str, remedy: str) -> None:
        row = self._sheet.rows[number]
        value = row[column] if column < len(row) else None
        self.faults.append(
            Fault(self._sheet.address(number, column), "" if value is None else str(value)[:100], problem, remedy)
        )


def _clock_named(text: str) -> Clock | None:
    """The clock that words name: GMT, or the wall's."""
    plain = text.lower()
    if re.search(r"\b(local|bst|clock time|uk time)\b", plain):
        return "local"
    return "GMT" if re.search(r"gmt|utc|\bzulu\b", plain) else None


def is_sum(cell: Cell) -> bool:
    """Whether a cell is the label of a row of sums."""
    return isinstance(cell, str) and words(cell) in _SUMS
