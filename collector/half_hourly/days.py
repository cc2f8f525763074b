"""A row a day: its half-hours stand in columns, in the order of the wall's clock or of GMT."""

import datetime
from collections.abc import Iterator, Sequence

from carbon.calendar import HALF_HOUR_SECONDS, half_hours_of_day
from collector.half_hourly.clock import clock_of_days, length_of
from collector.half_hourly.mapping import Clock
from collector.half_hourly.padding import filled_of, says_something
from collector.half_hourly.sheet import FUTURE, SUPPLY_ZONE, SheetReader
from collector.tables.dates import DateProblem, read_date
from collector.tables.sheets import Cell


class DayReader(SheetReader):
    """Reads a sheet with a row a day."""

    def _read_rows(self, rows: Sequence[tuple[int, Sequence[Cell]]]) -> None:
        assert self._layout.periods is not None  # noqa: S101  # of this layout alone
        columns = self._layout.periods.columns
        days: list[tuple[int, Sequence[Cell], datetime.date]] = []
        for number, row in rows:
            date = read_date(self._layout.cell(row, "date"), self._dates, FUTURE)
            if isinstance(date, datetime.date):
                days.append((number, row, date))
            else:
                told = date or DateProblem("no date", "give the day of each row")
                self._fault(number, self._layout.columns["date"], told.problem, told.remedy)
        filled = [(date, filled_of(row, columns, short=length_of(date, SUPPLY_ZONE) == 46)) for _, row, date in days]
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
        beyond = [column for column in columns[len(half_hours) :] if says_something(row, column)]
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
        gap = not any(says_something(row, column) for column in columns[2:4])
        return gap and any(says_something(row, column) for column in columns[46:48])

    def _begins_with_the_day_before(self) -> bool:
        """Whether the first column, 00:00, is the end of the day before."""
        assert self._layout.periods is not None  # noqa: S101  # of this layout alone
        return self.mapping.label == "end" and self._layout.periods.label == "start"
