"""Headers of half-hours: `00:30`, `HH17`, `Period 3`, `23:30 - 00:00`, `K0130`: which half-hour of the day each is."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Label = Literal["start", "end"]
LEAST, MOST = 46, 50
_TIME = re.compile(r"(?<![\d:])([01]?\d|2[0-4])[:.h]?([03]0)(?::00)?(?!\d)")
_HALF_DAY = re.compile(r"(?<!\d)(\d{1,2})[:.]([03]0)(?::00)?\s*([AaPp])\.?[Mm]")
_NUMBER = re.compile(r"(?:^|[^\d.])0?(\d{1,2})(?!\d)")


@dataclass(frozen=True, slots=True)
class Periods:
    """The columns of a day's half-hours in their order, and what the headers say a half-hour is called by.

    `label` is "" where they are numbered: the first is the day's first.
    """

    columns: tuple[int, ...]
    label: Label | Literal[""]


def minutes_of(header: object) -> int | None:
    """Minutes after midnight that a header names (its first time); None where it names none.

    >>> minutes_of("00:30"), minutes_of("kWh 23.30"), minutes_of("0130"), minutes_of("24:00"), minutes_of("HH17")
    (30, 1410, 90, 1440, None)
    """
    if isinstance(header, datetime.datetime):
        return header.hour * 60 + header.minute  # a time of a spreadsheet that counts from its first day
    if isinstance(header, (int, float)) and 0 <= header <= 1:
        return round(header * 1440)
    text = str(header).strip()
    if found := re.fullmatch(r"\D*(\d{4})\s*(?:-|–|to)\s*\d{4}\D*", text):
        text = found[1]
    if found := _HALF_DAY.search(text):
        return int(found[1]) % 12 * 60 + int(found[2]) + (720 if found[3].lower() == "p" else 0)
    if re.fullmatch(r"[A-Za-z_ ]*\d{3,4}[A-Za-z_ ]*", text):
        digits = re.sub(r"\D", "", text).zfill(4)
        hours, minutes = int(digits[:2]), int(digits[2:])
        return hours * 60 + minutes if hours <= 24 and minutes in (0, 30) else None
    found = _TIME.search(text)
    if not found or not re.search(r"[:.h]", found[0]):
        return None
    return int(found[1]) * 60 + int(found[2])


def _number_of(header: object) -> int | None:
    text = str(header).strip()
    if isinstance(header, (int, float)):
        return int(header) if header == int(header) else None
    if not re.fullmatch(r"[A-Za-z_ .#()/-]*\d{1,2}[A-Za-z_ .()/-]*", text):
        return None
    found = _NUMBER.search(text)
    return int(found[1]) if found else None


def periods_of(headers: Sequence[object]) -> Periods | None:
    """The half-hours' columns of a line of headers; None where it has none."""
    times = [
        (column, minutes)
        for column, one in enumerate(headers)
        if one is not None and (minutes := minutes_of(one)) is not None
    ]
    if len(times) >= LEAST and (found := _of_times(times)) is not None:
        return found
    return _of_numbers(headers)


def _of_times(times: Sequence[tuple[int, int]]) -> Periods | None:
    """The first run of times that go on by half an hour. Two more may follow: the second 01:00 and 01:30, or 24:00 and 24:30."""
    best: list[tuple[int, int]] = []
    for begin in range(len(times)):
        run = [times[begin]]
        for one in times[begin + 1 :]:
            if one[1] == run[-1][1]:
                continue  # the header of the value's flag
            step = (one[1] - run[-1][1]) % 1440
            if step != 30 and not (len(run) >= LEAST - 2 and len(run) < MOST):
                break
            run.append(one)
            if len(run) == MOST:
                break
        if len(run) > len(best):
            best = run
        if len(best) >= LEAST:
            break
    if not LEAST <= len(best) <= MOST:
        return None
    first = best[0][1]
    if first not in (0, 30):
        return None
    return Periods(tuple(column for column, _ in best), "end" if first == 30 else "start")


def _of_numbers(headers: Sequence[object]) -> Periods | None:
    """A run of headers that count from 1 (or 0) on."""
    numbers = [
        (column, number)
        for column, one in enumerate(headers)
        if one is not None and (number := _number_of(one)) is not None
    ]
    for begin in range(len(numbers)):
        if numbers[begin][1] not in (0, 1):
            continue
        run = [numbers[begin]]
        for one in numbers[begin + 1 :]:
            if one[1] == run[-1][1] + 1:
                run.append(one)
            elif one[1] != run[-1][1]:  # the flag of the same half-hour goes by its number too
                break
        if LEAST <= len(run) <= MOST:
            return Periods(tuple(column for column, _ in run), "")
    return None
