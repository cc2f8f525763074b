"""What stands in a report for a meter's silence: the same meter's mean of the same weekday and half-hour over 28 days.

The ledger is never filled. A half-hour's missing seconds are those in which its device was in use, without a reading and
without a part of a counter's difference that was spread over them: what was spread is counted already.

The mean is taken of the half-hours that were read on the same local weekday at the same local time in the 28 days before;
where none of these was read, in the 28 days after. It is one of power: all their energy over all their seconds with a
reading. A half-hour into which anything was spread is no witness of when it was used, nor is what was itself filled.
Source: carbon reference, section 6, "Gaps".
"""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from carbon.calendar import HALF_HOUR_SECONDS, half_hours_of_day, zone
from carbon.class_profiles import ClassProfile, round_half_even, year_by_month
from carbon.uncertainty import Errors, half_width_errors

WEEKS = 4
"""28 days hold each weekday four times."""

GROUP = "gap fill"
"""The group of errors of all fills by a mean: whatever made a week unlike the weeks around it holds for many devices."""
HALF_WIDTH = Fraction(3, 10)
"""Of a fill by a mean, at 95%: that of a product sheet times a count (carbon reference, section 7). Our own choice: no
survey of how far weeks differ is known to us."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the ledger has of a meter's half-hour."""

    energy_uj: int
    covered_seconds: int
    spread_seconds: int


@dataclass(frozen=True, slots=True)
class Filled:
    """What stands for a meter's gaps in a stretch of a day: half-hours with their energy, and those for which no mean was
    found with the seconds that they miss.
    """

    half_hours: int = 0
    energy_uj: int = 0
    empty_half_hours: int = 0
    empty_seconds: int = 0

    def __add__(self, other: "Filled") -> "Filled":
        return Filled(
            self.half_hours + other.half_hours,
            self.energy_uj + other.energy_uj,
            self.empty_half_hours + other.empty_half_hours,
            self.empty_seconds + other.empty_seconds,
        )


Readings = Mapping[int, Reading]
"""By half-hour."""


def missing_seconds(half_hour: int, start: int, end: int, reading: Reading | None) -> int:
    """The seconds of a half-hour, of those from `start` to before `end`, that nothing is known of.

    >>> missing_seconds(0, 600, 7200, Reading(1000, 900, 0)), missing_seconds(0, 0, 7200, None)
    (300, 1800)
    """
    in_use = min(end, half_hour + HALF_HOUR_SECONDS) - max(start, half_hour)
    known = 0 if reading is None else reading.covered_seconds + reading.spread_seconds
    return max(0, in_use - known)


def mean_energy(missing: int, witnesses: Iterable[Reading]) -> int | None:
    """Energy of so many seconds at the witnesses' mean power, rounded half to even; None without any."""
    energy = seconds = 0
    for one in witnesses:
        if one.covered_seconds and not one.spread_seconds:
            energy += one.energy_uj
            seconds += one.covered_seconds
    return round_half_even(energy * missing, seconds) if seconds else None


def fill(start: int, end: int, day: datetime.date, time_zone: str, own: Callable[[datetime.date], Readings]) -> Filled:
    """What stands for the gaps from `start` to before `end` (Unix seconds), both in a local day.

    `own` gives the meter's readings of a local day.
    """
    readings = own(day)
    filled = Filled()
    for half_hour in half_hours_of_day(day, time_zone):
        missing = missing_seconds(half_hour, start, end, readings.get(half_hour))
        if not missing:
            continue
        energy = _by_weeks(half_hour, missing, day, time_zone, own)
        filled += Filled(0, 0, 1, missing) if energy is None else Filled(1, energy)
    return filled


def witness_days(day: datetime.date) -> list[datetime.date]:
    """The local days that a fill of a day may rest on: of the same weekday, four before it and four after."""
    return [day + datetime.timedelta(weeks=week) for week in range(-WEEKS, WEEKS + 1) if week]


def profile_energy(profile: ClassProfile, month: str, seconds: int) -> int:
    """Energy of one device of a class in so many seconds of a month (YYYY-MM), at the month's mean power of its profile."""
    year, number = int(month[:4]), int(month[5:])
    first = datetime.date(year, number, 1)
    days = ((first + datetime.timedelta(days=32)).replace(day=1) - first).days
    return round_half_even(year_by_month(profile, year)[number - 1] * seconds, days * 86_400)


def fill_errors(energy_uj: int) -> Errors:
    """Errors of a fill by a mean."""
    return half_width_errors(energy_uj, HALF_WIDTH, GROUP)


def _by_weeks(
    half_hour: int, missing: int, day: datetime.date, time_zone: str, own: Callable[[datetime.date], Readings]
) -> int | None:
    """By the weeks before, else by those after."""
    slot = _slots(day, time_zone)[half_hour]
    for direction in (-1, 1):
        witnesses = []
        for week in range(1, WEEKS + 1):
            other = day + datetime.timedelta(weeks=week * direction)
            readings = own(other)
            if readings:
                witnesses += [readings[at] for at in _at_slot(other, time_zone).get(slot, ()) if at in readings]
        energy = mean_energy(missing, witnesses)
        if energy is not None:
            return energy
    return None


@lru_cache(maxsize=4096)
def _slots(day: datetime.date, time_zone: str) -> Mapping[int, str]:
    """The local time of each half-hour of a day."""
    tz = zone(time_zone)
    return {at: datetime.datetime.fromtimestamp(at, tz).strftime("%H:%M") for at in half_hours_of_day(day, time_zone)}


@lru_cache(maxsize=4096)
def _at_slot(day: datetime.date, time_zone: str) -> Mapping[str, Sequence[int]]:
    """The half-hours of a day by local time: none of an hour that the clocks skip, two of one that they repeat."""
    found: dict[str, list[int]] = {}
    for at, slot in _slots(day, time_zone).items():
        found.setdefault(slot, []).append(at)
    return found
