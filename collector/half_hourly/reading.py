"""A supplier's file to energy by meter and UTC half-hour."""

import datetime
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from carbon.calendar import HALF_HOUR_SECONDS, day_bounds, half_hours_of_day, zone
from collector.errors import BadRequest
from collector.half_hourly.channels import channel_of, is_loss_adjusted, unit_of
from collector.half_hourly.clock import clock_of_days, clock_of_stamps, length_of
from collector.half_hourly.instants import Stamp, comes_twice, is_half_hour, read_stamp, utc_of
from collector.half_hourly.layout import Layout, find_layout, number_in, refuse_losses
from collector.half_hourly.mapping import Clock, SupplierMapping, Unit
from collector.half_hourly.mpan import MpanError, mpan_of
from collector.half_hourly.periods import Label
from collector.half_hourly.rows import Fault, HalfHourlyFile, Reading
from collector.half_hourly.values import ValueProblem, energy_of, flag_in
from collector.register.cells import is_empty
from collector.register.fields import words
from collector.register.meanings import yes_or_no
from collector.tables.dates import DateProblem, read_date
from collector.tables.sheets import Cell, Sheet, read_sheets

_FUTURE = datetime.date(2100, 1, 1)
SUPPLY_ZONE = "Europe/London"


def read_half_hours(path: Path, mapping: SupplierMapping | None = None) -> HalfHourlyFile:
    """Read a file. Raises BadRequest where it has no half-hours, no MPAN, or loss-adjusted figures alone."""
    given = mapping or SupplierMapping()
    sheets = read_sheets(path)
    found = [(sheet, layout) for sheet in sheets if (layout := find_layout(sheet, given)) is not None]
    if not found:
        raise BadRequest(
            f"{path.name} has no line with headers of half-hours",
            "give the headers in a mapping: see docs/half-hourly.md",
        )
    results = [_SheetReader(sheet, layout, given).read() for sheet, layout in found]
    faults = [fault for result in results for fault in result.faults]
    readings = _once([reading for result in results for reading in result.readings], faults)
    aside: Counter[str] = Counter()
    for result in results:
        aside.update(result.set_aside)
    assumed = list(dict.fromkeys(text for result in results for text in result.assumed))
    return HalfHourlyFile(
        name=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        readings=readings,
        faults=faults,
        mapping=results[0].mapping,
        set_aside=dict(aside),
        assumed=assumed,
        missing=sum(result.missing for result in results),
    )


def _once(readings: Sequence[Reading], faults: list[Fault]) -> list[Reading]:
    """Each meter's half-hour once: the same value again is left out, another value rejects both."""
    seen: dict[tuple[str, int], Reading] = {}
    quarrels: set[tuple[str, int]] = set()
    for one in readings:
        key = (one.mpan, one.half_hour)
        twin = seen.setdefault(key, one)
        if twin is one:
            continue
        if (twin.energy_uj, twin.estimated) == (one.energy_uj, one.estimated):
            faults.append(
                Fault(one.cell, "", f"the same half-hour as in {twin.cell}, with the same value", "", "left out")
            )
        else:
            quarrels.add(key)
            problem = f"the same half-hour as in {twin.cell}, with another value: neither is taken"
            faults.append(Fault(one.cell, "", problem, "correct the file, or ask the supplier which holds"))
    return [one for key, one in seen.items() if key not in quarrels]


class _SheetReader:
    """Reads one sheet by its layout; what is found is kept in the fields."""

    def __init__(self, sheet: Sheet, layout: Layout, mapping: SupplierMapping) -> None:
        self.readings: list[Reading] = []
        self.faults: list[Fault] = []
        self.set_aside: Counter[str] = Counter(layout.set_aside)
        self.assumed: list[str] = []
        self.missing = 0
        self._sheet, self._layout = sheet, layout
        self._zone = zone(SUPPLY_ZONE)
        header = sheet.rows[layout.header]
        self._headers = " ".join(
            str(cell) for row in sheet.rows[: layout.header + 1] for cell in row if cell is not None
        )
        self._header = header
        self.mapping = replace(mapping, label=mapping.label or self._label(mapping))

    def read(self) -> "_SheetReader":
        rows = [
            (number, row)
            for number, row in enumerate(self._sheet.rows)
            if number > self._layout.header and not is_empty(row) and self._is_import(number, row)
        ]
        if self._layout.periods is not None:
            self._read_days(rows)
        else:
            self._read_half_hours(rows)
        return self

    # What a row is.

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
            cell = self._mpan_above()
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

    def _mpan_above(self) -> Cell:
        """An MPAN in the lines above the headers, or in the sheet's name: it holds for all rows."""
        for row in [[self._sheet.name], *self._sheet.rows[: self._layout.header]]:
            for cell in row:
                for part in [cell, *str(cell or "").replace(":", " ").split()]:
                    try:
                        return mpan_of(part)
                    except MpanError:
                        continue
        return None

    def _unit(self, row: Sequence[Cell], column: int) -> Unit:
        cell = self._layout.cell(row, "unit")
        header = self._header[column] if column < len(self._header) else None
        channel = self._layout.cell(row, "channel")
        for text in (cell, channel, header, self._headers):
            if text is not None and (unit := unit_of(text)):
                return unit
        self._assume("the values are kWh")
        return "kWh"

    # A row a day.

    def _read_days(self, rows: Sequence[tuple[int, Sequence[Cell]]]) -> None:
        assert self._layout.periods is not None  # noqa: S101  # of this layout alone
        columns = self._layout.periods.columns
        days: list[tuple[int, Sequence[Cell], datetime.date]] = []
        for number, row in rows:
            date = read_date(self._layout.cell(row, "date"), self.mapping.dates, _FUTURE)
            if isinstance(date, datetime.date):
                days.append((number, row, date))
            else:
                told = date or DateProblem("no date", "give the day of each row")
                self._fault(number, self._layout.columns["date"], told.problem, told.remedy)
        filled = [
            (date, sum(column < len(row) and row[column] is not None for column in columns)) for _, row, date in days
        ]
        clock = self._clock(clock_of_days(filled, SUPPLY_ZONE))
        for number, row, date in days:
            mpan = self._mpan(number, row)
            if mpan is None:
                continue
            for column, half_hour in self._of_day(number, row, date, columns, clock):
                self._take(number, row, column, mpan, half_hour)

    def _of_day(
        self, number: int, row: Sequence[Cell], date: datetime.date, columns: Sequence[int], clock: Clock
    ) -> Iterator[tuple[int, int]]:
        """Columns of a day with their half-hours."""
        if clock == "GMT":
            start = int(datetime.datetime(date.year, date.month, date.day, tzinfo=datetime.UTC).timestamp())
            half_hours: Sequence[int] = range(start, start + 86_400, HALF_HOUR_SECONDS)
        else:
            half_hours = half_hours_of_day(date, SUPPLY_ZONE)
        shift = -HALF_HOUR_SECONDS if self._begins_with_the_day_before() else 0
        if clock == "local" and self._by_the_wall(row, date, columns):
            wall = [column for place, column in enumerate(columns) if place not in (2, 3)]
            yield from zip(wall, half_hours, strict=False)
            return
        beyond = [column for column in columns[len(half_hours) :] if _says_something(row, column)]
        short = (
            clock == "local"
            and len(half_hours) == 50
            and not any(column < len(row) and row[column] is not None for column in columns[48:])
        )
        if beyond or short:
            problem = (
                f"{date:%d/%m/%Y} has {len(half_hours)} half-hours on the wall's clock, and the row has another number"
            )
            self._fault(
                number,
                (beyond or columns)[0],
                problem,
                'if the file is on GMT all year, say clock = "GMT" in the mapping',
            )
            return
        for column, half_hour in zip(columns, half_hours, strict=False):
            yield column, half_hour + shift

    def _by_the_wall(self, row: Sequence[Cell], date: datetime.date, columns: Sequence[int]) -> bool:
        """Whether a short day leaves 01:00 and 01:30 empty, as its headers are the wall's, and not its last two columns."""
        if length_of(date, SUPPLY_ZONE) != 46 or len(columns) < 48:
            return False
        gap = not any(_says_something(row, column) for column in columns[2:4])
        return gap and any(_says_something(row, column) for column in columns[46:48])

    def _begins_with_the_day_before(self) -> bool:
        """Whether the first column, 00:00, is the end of the day before."""
        assert self._layout.periods is not None  # noqa: S101  # of this layout alone
        return self.mapping.label == "end" and self._layout.periods.label == "start"

    # A row a half-hour.

    def _read_half_hours(self, rows: Sequence[tuple[int, Sequence[Cell]]]) -> None:
        if "period" in self._layout.columns and "time" not in self._layout.columns:
            self._read_numbered(rows)
            return
        stamped: dict[str, list[tuple[int, Sequence[Cell], int, Stamp]]] = {}
        for number, row in rows:
            time = self._layout.cell(row, "time") if "time" in self._layout.columns else None
            stamp = read_stamp(self._layout.cell(row, "date"), time, self.mapping.dates)
            if isinstance(stamp, DateProblem):
                self._fault(number, self._layout.columns["date"], stamp.problem, stamp.remedy)
                continue
            for name, column in self._layout.values.items():
                mpan = name or self._mpan(number, row)
                if mpan is not None:
                    stamped.setdefault(mpan, []).append((number, row, column, stamp))
        end = self._ends([stamp for one in stamped.values() for _, _, _, stamp in one])
        for mpan, mine in stamped.items():
            clock = self._clock(clock_of_stamps([stamp for *_, stamp in mine], self._zone))
            self._stamped(mpan, mine, clock, end=end)

    def _stamped(
        self, mpan: str, mine: Sequence[tuple[int, Sequence[Cell], int, Stamp]], clock: Clock, *, end: bool
    ) -> None:
        wall = self._zone if clock == "local" else None
        seen: Counter[Stamp] = Counter()
        for number, row, column, stamp in mine:
            second = False
            if wall is not None and stamp.offset_seconds is None and comes_twice(stamp, wall):
                second = seen[stamp] == 1
                seen[stamp] += 1
            at = utc_of(stamp, wall, second=second) - (HALF_HOUR_SECONDS if end else 0)
            if not is_half_hour(at):
                self._fault(
                    number, self._layout.columns["date"], "the time is no half-hour", "give full and half hours alone"
                )
                continue
            self._take(number, row, column, mpan, at)

    def _read_numbered(self, rows: Sequence[tuple[int, Sequence[Cell]]]) -> None:
        """A row a half-hour by its number in the day: settlement periods, which are the wall's."""
        found: list[tuple[int, Sequence[Cell], datetime.date, int]] = []
        for number, row in rows:
            date = read_date(self._layout.cell(row, "date"), self.mapping.dates, _FUTURE)
            cell = self._layout.cell(row, "period")
            if not isinstance(date, datetime.date):
                told = date or DateProblem("no date", "give the day of each row")
                self._fault(number, self._layout.columns["date"], told.problem, told.remedy)
            elif cell is None or not number_in(cell) or not 1 <= float(str(cell)) <= 50:
                self._fault(
                    number, self._layout.columns["period"], f"{cell} is no number of a half-hour", "count from 1 to 50"
                )
            else:
                found.append((number, row, date, int(float(str(cell)))))
        longest: dict[datetime.date, int] = {}
        for _, _, date, period in found:
            longest[date] = max(longest.get(date, 0), period)
        clock = self._clock(clock_of_days(longest.items(), SUPPLY_ZONE))
        for number, row, date, period in found:
            start, last = day_bounds(date, SUPPLY_ZONE if clock == "local" else "UTC")
            half_hour = start + (period - 1) * HALF_HOUR_SECONDS
            if half_hour >= last:
                problem = f"{date:%d/%m/%Y} has no half-hour {period}"
                self._fault(
                    number,
                    self._layout.columns["period"],
                    problem,
                    "if the file is on GMT all year, say so in the mapping",
                )
                continue
            for name, column in self._layout.values.items():
                mpan = name or self._mpan(number, row)
                if mpan is not None:
                    self._take(number, row, column, mpan, half_hour)

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

    def _ends(self, stamps: Sequence[Stamp]) -> bool:
        """Whether stamps are ends of half-hours: as told, else by the first and last of the file's days."""
        text = str(self._header[self._layout.columns.get("time", self._layout.columns["date"])]).lower()
        if self.mapping.label == "end" or "start" in text or "from" in text:
            return self.mapping.label == "end"
        first = min((one.minutes + one.date.toordinal() * 1440 for one in stamps), default=0)
        last = max((one.minutes + one.date.toordinal() * 1440 for one in stamps), default=0)
        if first % 1440 == 30 and last % 1440 == 0:
            self.mapping = replace(self.mapping, label="end")
            return True
        if not (first % 1440 == 0 and last % 1440 == 1410):
            self._assume("a half-hour goes by its start")
        return False

    def _clock(self, told: Clock | None) -> Clock:
        if self.mapping.clock:
            return self.mapping.clock
        if told is None:
            words_of = self._headers.lower()
            told = "GMT" if "gmt" in words_of or "utc" in words_of else "local"
            if told == "local":
                self._assume(
                    "times are those of the wall's clock in the United Kingdom; no day on which it changes is in the file"
                )
        return told

    def _assume(self, text: str) -> None:
        if text not in self.assumed:
            self.assumed.append(text)

    def _fault(self, number: int, column: int, problem: str, remedy: str) -> None:
        row = self._sheet.rows[number]
        value = row[column] if column < len(row) else None
        self.faults.append(
            Fault(self._sheet.address(number, column), "" if value is None else str(value)[:100], problem, remedy)
        )


def _says_something(row: Sequence[Cell], column: int) -> bool:
    """Whether a cell holds a value that is not nothing."""
    cell = row[column] if column < len(row) else None
    return cell is not None and not (number_in(cell) and float(str(cell).replace(",", "")) == 0)
