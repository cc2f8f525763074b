"""Dates as tables hold them: real dates, spreadsheets' day numbers, and text in every order people write."""

import datetime
import re
from dataclasses import dataclass
from typing import Literal

DateOrder = Literal["day first", "month first"]
EARLIEST = datetime.date(1980, 1, 1)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_NOTHING = frozenset({"", "-", "n/a", "na", "none", "unknown", "tbc", "tba", "?", "null", "nil", "not known"})
_DAY_NUMBERS = range(20_000, 80_000)
"""Day numbers of spreadsheets from 1954 to 2119."""
_EPOCH = datetime.date(1899, 12, 30)


@dataclass(frozen=True, slots=True)
class DateProblem:
    """Why a cell is no date, and what to do."""

    problem: str
    remedy: str


def read_date(
    cell: object, order: DateOrder, today: datetime.date, *, ahead: bool = False
) -> datetime.date | DateProblem | None:
    """A cell's date; None where it says nothing. `ahead`: whether it may lie in the future.

    Month and year alone mean the month's first day, a year alone its first.
    """
    found = _date(cell, order)
    if isinstance(found, datetime.date) and found < EARLIEST:
        return DateProblem(f"{found} is before {EARLIEST.year}", "correct the date")
    if isinstance(found, datetime.date) and found > today and not ahead:
        return DateProblem(f"{found} lies in the future", "correct the date")
    return found


def _date(cell: object, order: DateOrder) -> datetime.date | DateProblem | None:
    if isinstance(cell, datetime.datetime):
        return cell.date()
    if isinstance(cell, datetime.date):
        return cell
    if cell is None or isinstance(cell, bool):
        return None
    if isinstance(cell, (int, float)):
        return _of_number(float(cell))
    text = str(cell).strip()
    return None if text.lower() in _NOTHING else _of_text(text, order)


def _of_number(number: float) -> datetime.date | DateProblem:
    if number.is_integer() and EARLIEST.year <= number <= 2100:
        return datetime.date(int(number), 1, 1)
    if re.fullmatch(r"(19|20)\d{6}", f"{number:.0f}"):
        return _of_text(f"{int(number) // 10000}-{int(number) // 100 % 100}-{int(number) % 100}", "day first")
    if int(number) in _DAY_NUMBERS:
        return _EPOCH + datetime.timedelta(days=int(number))
    return DateProblem(f"{number:g} is no date", "write it as day/month/year")


def _of_text(text: str, order: DateOrder) -> datetime.date | DateProblem:
    if re.fullmatch(r"\d{4,5}(\.\d+)?|(19|20)\d{6}", text):
        return _of_number(float(text))
    day = re.split(r"[T\s]+(?=\d{1,2}:\d{2})", text)[0]  # without a time of day
    parts = [part.lower() for part in re.findall(r"\d+|[A-Za-z]+", day)]
    parts = [
        part
        for part in parts
        if part[:3] not in {"mon", "tue", "wed", "thu", "fri", "sat", "sun"} or part[:3] in _MONTHS
    ]
    parts = [part for part in parts if part not in {"st", "nd", "rd", "th", "of"}]
    if len(parts) == 2:
        parts = ["1", *parts] if len(parts[1]) == 4 or not parts[0].isdigit() else [*parts, "1"]
    if len(parts) != 3:
        return DateProblem(f"{text!r} is no date", "write it as day/month/year")
    year, month, date = _ordered(parts, order)
    if not (year.isdigit() and date.isdigit()):
        return DateProblem(f"{text!r} is no date", "write it as day/month/year")
    number = _MONTHS.get(month[:3], 0) if month.isalpha() else int(month)
    try:
        return datetime.date(_century(int(year), len(year)), number, int(date))
    except (ValueError, OverflowError):
        return DateProblem(
            f"{text!r} is no day of the calendar", "correct it, or set dates in the mapping to its order"
        )


def _ordered(parts: list[str], order: DateOrder) -> tuple[str, str, str]:
    """Year, month and day: a month by its name is known wherever it stands, a year by its four digits."""
    first, second, third = parts
    if len(first) == 4 and first.isdigit():
        return first, second, third
    if first.isalpha():
        return third, first, second
    if second.isalpha() or order == "day first":
        return third, second, first
    return third, first, second


def _century(year: int, digits: int) -> int:
    return year if digits > 2 else 2000 + year if year < 80 else 1900 + year
