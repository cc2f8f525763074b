"""A row a half-hour: by its time, or by its number in the day."""

import datetime
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from carbon.calendar import HALF_HOUR_SECONDS, day_bounds
from collector.errors import BadRequest
from collector.half_hourly.clock import clock_of_days, clock_of_stamps, length_of
from collector.half_hourly.instants import Stamp, comes_twice, is_half_hour, read_stamp, utc_of
from collector.half_hourly.layout import number_in
from collector.half_hourly.mapping import Clock
from collector.half_hourly.padding import is_padding, longest_of, padding_stamps, says_something
from collector.half_hourly.sheet import FUTURE, SUPPLY_ZONE, SheetReader
from collector.tables.dates import DateProblem, read_date
from collector.tables.sheets import Cell


class HalfHourReader(SheetReader):
    """Reads a sheet with a row a half-hour."""

    def _read_rows(self, rows: Sequence[tuple[int, Sequence[Cell]]]) -> None:
        if "period" in self._layout.columns and "time" not in self._layout.columns:
            self._read_numbered(rows)
            return
        stamped: dict[str, list[tuple[int, Sequence[Cell], int, Stamp]]] = {}
        for number, row in rows:
            time = self._layout.cell(row, "time") if "time" in self._layout.columns else None
            stamp = read_stamp(self._layout.cell(row, "date"), time, self._dates)
            if isinstance(stamp, DateProblem):
                self._fault(number, self._layout.columns["date"], stamp.problem, stamp.remedy)
                continue
            for name, column in self._layout.values.items():
                mpan = name or self._mpan(number, row)
                if mpan is not None:
                    stamped.setdefault(mpan, []).append((number, row, column, stamp))
        stamped = {mpan: _in_order(mine) for mpan, mine in stamped.items()}
        end = self._ends([stamp for one in stamped.values() for _, _, _, stamp in one])
        for mpan, mine in stamped.items():
            _require_half_hours([stamp for *_, stamp in mine])
            rest = list(mine) if self.mapping.clock == "GMT" else _without_padding(mine, end=end)
            told = clock_of_stamps([stamp for *_, stamp in rest], self._zone)
            clock = self._clock(told or ("local" if len(rest) < len(mine) else None))
            self._stamped(mpan, rest if clock == "local" else mine, clock, end=end)

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
            date = read_date(self._layout.cell(row, "date"), self._dates, FUTURE)
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
        shorts = {date for date in {one[2] for one in found} if length_of(date, SUPPLY_ZONE) == 46}
        longest = longest_of([(date, period, self._says(row)) for _, row, date, period in found], shorts)
        clock = self._clock(clock_of_days(longest.items(), SUPPLY_ZONE))
        for number, row, date, period in found:
            if is_padding(clock, short=date in shorts, said=self._says(row), period=period):
                continue
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

    def _says(self, row: Sequence[Cell]) -> bool:
        """Whether any of a row's values is not nothing."""
        return any(says_something(row, column) for column in self._layout.values.values())

    def _ends(self, stamps: Sequence[Stamp]) -> bool:
        """Whether stamps are ends of half-hours: as told, else by the first and last of the file's days."""
        text = (self._header_of("time") or self._header_of("date")).lower()
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


def _in_order(
    mine: Sequence[tuple[int, Sequence[Cell], int, Stamp]],
) -> list[tuple[int, Sequence[Cell], int, Stamp]]:
    """One meter's rows with the oldest first, so that of the hour that comes twice the first is the earlier one.

    A midnight behind the 23:30 of its own date ends that day, as in files that keep the settlement day beside the end.
    """
    days = [one[3].date.toordinal() * 1440 + one[3].minutes for one in mine]
    back = sum(later < earlier for earlier, later in itertools.pairwise(days))
    ordered = list(reversed(mine)) if back * 2 > len(mine) else list(mine)
    for place in range(1, len(ordered)):
        before, stamp = ordered[place - 1][3], ordered[place][3]
        if stamp.minutes == 0 and before.minutes == 1410 and before.date == stamp.date:
            ordered[place] = (*ordered[place][:3], replace(stamp, minutes=1440))
    return ordered


def _without_padding(
    mine: Sequence[tuple[int, Sequence[Cell], int, Stamp]], *, end: bool
) -> list[tuple[int, Sequence[Cell], int, Stamp]]:
    """One meter's rows without those of an hour that was not, which say nothing."""
    dates = {stamp.date for *_, stamp in mine if stamp.offset_seconds is None}
    shorts = [date for date in dates if length_of(date, SUPPLY_ZONE) == 46]
    said = {
        (stamp.date, stamp.minutes): says_something(row, column)
        for _, row, column, stamp in mine
        if stamp.date in shorts
    }
    padding = padding_stamps(said, shorts, end=end)
    return [one for one in mine if (one[3].date, one[3].minutes) not in padding]


def _require_half_hours(stamps: Sequence[Stamp]) -> None:
    """Raise BadRequest where values stand for whole hours: a few rows alone may be what is left of half-hours."""
    if len(stamps) >= 12 and len({one.minutes % 60 for one in stamps}) == 1 and not stamps[0].minutes % 30:
        raise BadRequest("the file has a row an hour", "ask the supplier for half-hours")
