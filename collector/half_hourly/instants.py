"""Times of half-hours: stamps as suppliers write them, on the wall's clock or on GMT, by start or by end."""

import datetime
import re
from dataclasses import dataclass

from carbon.calendar import HALF_HOUR_SECONDS
from collector.tables.dates import DateOrder, DateProblem, read_date

_CLOCK = re.compile(r"(?<!\d)(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?\s*([AaPp][Mm])?(?!\d)")
_NAMED_OFFSET = re.compile(r"\s*\b(BST|GMT|UTC)$", re.IGNORECASE)
_DAY_NUMBER = re.compile(r"[2-7]\d{4}(\.\d+)?")
_EPOCH = datetime.date(1899, 12, 30)
_LATEST = datetime.date(2100, 1, 1)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A date and minutes after its midnight (1440: the next), with the offset from UTC in seconds where the file gives one."""

    date: datetime.date
    minutes: int
    offset_seconds: int | None = None

    @property
    def naive(self) -> datetime.datetime:
        return datetime.datetime.combine(self.date, datetime.time()) + datetime.timedelta(minutes=self.minutes)


def read_stamp(cell: object, time: object, order: DateOrder) -> Stamp | DateProblem:
    """The stamp of a cell that holds date and time, or of two cells. `GMT`, `UTC` or `BST` behind it is its offset."""
    if isinstance(cell, datetime.datetime) and time is None:
        rounded = cell + datetime.timedelta(seconds=30)  # spreadsheets' fractions of days miss the minute by a hair
        return Stamp(rounded.date(), rounded.hour * 60 + rounded.minute)
    text = "" if cell is None else str(cell).strip()
    if time is None and _DAY_NUMBER.fullmatch(text):
        return _of_day_number(float(text))
    named = _NAMED_OFFSET.search(text if time is None else str(time))
    offset = None if named is None else 3600 if named[1].upper() == "BST" else 0
    if time is None:
        text = _NAMED_OFFSET.sub("", text)
        if offset is None and (zoned := _zoned(text)) is not None:
            return zoned
    day = cell if time is not None or isinstance(cell, datetime.date) else _without_clock(text)
    date = read_date(day, order, _LATEST)
    if date is None:
        return DateProblem("no date", "give the day of each row")
    if isinstance(date, DateProblem):
        return date
    clock = text if time is None else time
    minutes = _minutes(clock)
    if minutes is None:
        return DateProblem(f"{clock!s} has no time of day", "give it as 13:30")
    return Stamp(date, minutes, offset)


def _of_day_number(number: float) -> Stamp:
    """A spreadsheet's day number with its part of a day, which lost its format: to the nearest minute."""
    minutes = round(number % 1 * 1440)
    return Stamp(_EPOCH + datetime.timedelta(int(number)), minutes)


def _zoned(text: str) -> Stamp | None:
    plain = re.sub(r"(?<=\d)\s+(?=(Z|[+-]\d{2}:?\d{2})$)", "", text)
    if not re.search(r":\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$", plain):
        return None
    try:
        at = datetime.datetime.fromisoformat(plain)
    except ValueError:
        return None
    offset = at.utcoffset()
    return None if offset is None else Stamp(at.date(), at.hour * 60 + at.minute, int(offset.total_seconds()))


def _without_clock(text: str) -> str:
    return _CLOCK.sub("", text).replace("T", " ").strip() if _CLOCK.search(text) else text


def _minutes(cell: object) -> int | None:
    if isinstance(cell, datetime.datetime):
        return cell.hour * 60 + cell.minute
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return _of_number(cell)
    text = str(cell).strip()
    if re.fullmatch(r"\d{3,4}", text):
        return _of_number(int(text))
    found = _CLOCK.search(text)
    if not found:
        return 0 if re.fullmatch(r"[\d/ .-]+", text) else None  # midnight, of which some programs leave the time away
    hours, minutes = int(found[1]), int(found[2])
    if found[4]:
        hours = hours % 12 + (12 if found[4].lower() == "pm" else 0)
    if found[3] and int(found[3]) >= 59:
        minutes += 1
    return hours * 60 + minutes if hours <= 24 and minutes <= 60 and hours * 60 + minutes <= 1440 else None


def _of_number(number: float) -> int | None:
    """A part of a day (0.5: noon), or hours and minutes without their colon (1330)."""
    if 0 <= number <= 1 and number != 1:
        return round(number * 1440)
    if number == int(number):
        hours, minutes = divmod(int(number), 100)
        return hours * 60 + minutes if hours <= 24 and minutes < 60 else None
    return None


def utc_of(stamp: Stamp, zone: datetime.tzinfo | None, *, second: bool) -> int:
    """Unix seconds of a stamp: on GMT where `zone` is None. `second`: the later of the two where the hour comes twice."""
    naive = stamp.naive
    if stamp.offset_seconds is not None:
        return int(naive.replace(tzinfo=datetime.UTC).timestamp()) - stamp.offset_seconds
    if zone is None:
        return int(naive.replace(tzinfo=datetime.UTC).timestamp())
    return int(naive.replace(tzinfo=zone, fold=1 if second else 0).timestamp())


def comes_twice(stamp: Stamp, zone: datetime.tzinfo) -> bool:
    """Whether the wall's clock shows this time twice: in the hour that is put back."""
    naive = stamp.naive
    return naive.replace(tzinfo=zone, fold=0).utcoffset() > naive.replace(tzinfo=zone, fold=1).utcoffset()  # type: ignore[operator]  # a zone gives an offset


def never_comes(stamp: Stamp, zone: datetime.tzinfo) -> bool:
    """Whether the wall's clock leaves this time out: in the hour that is put forward."""
    naive = stamp.naive
    return naive.replace(tzinfo=zone, fold=0).utcoffset() < naive.replace(tzinfo=zone, fold=1).utcoffset()  # type: ignore[operator]  # a zone gives an offset


def is_half_hour(unix_seconds: int) -> bool:
    return unix_seconds % HALF_HOUR_SECONDS == 0
