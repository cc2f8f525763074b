"""Class profiles: the annual energy of a class of devices that nobody reads, from hours in each state and watts.

A year's energy is that of its working days and its other days, and is given by month in whole microjoules that add up
to the year. A short-idle power is only ever multiplied by the hours in which the device is idle, never by the year's.
What is used at home is apart: it is the staff's electricity (Scope 3, category 7), and no PUE applies to it.
"""

import calendar
import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from carbon.device_classes import device_class
from carbon.errors import CarbonError
from carbon.uncertainty import Errors, errors_of
from carbon.units import split_by_largest_remainder

OtherDays = Literal["off", "asleep", "idle"]
UJ_PER_WH = Decimal(3_600_000_000)


@dataclass(frozen=True, slots=True)
class ClassProfile:
    """One device of a class over a year.

    `watts_*` at the plug in each state; `hours_*` of a working day, the rest of which it is off; `working_days` a year;
    `other_days` is its state on all other days; `home_share` (0..1) is the part of it all that is used at home.
    `low_factor` and `high_factor` are what its energy is multiplied by for the bounds at 95%, shared by the whole class.
    """

    device_class: str
    watts_active: float
    watts_idle: float
    watts_asleep: float
    watts_off: float
    hours_active: float
    hours_idle: float
    hours_asleep: float
    working_days: int
    other_days: OtherDays
    home_share: float
    low_factor: float
    high_factor: float
    source: str

    def __post_init__(self) -> None:
        device_class(self.device_class)
        watts = (self.watts_active, self.watts_idle, self.watts_asleep, self.watts_off)
        if not all(0 <= one <= 10_000 for one in watts):
            raise CarbonError(f"the watts of {self.device_class} must lie between 0 and 10,000")
        hours = (self.hours_active, self.hours_idle, self.hours_asleep)
        if min(hours) < 0 or sum(hours) > 24 + 1e-9:
            raise CarbonError(f"the hours of {self.device_class} must be 0 or more, and at most 24 together")
        if not 0 <= self.working_days <= 366:
            raise CarbonError(f"the working days of {self.device_class} must lie between 0 and 366")
        if self.other_days not in ("off", "asleep", "idle"):
            raise CarbonError(f"on other days {self.device_class} is off, asleep or idle, not {self.other_days}")
        if not 0 <= self.home_share <= 1:
            raise CarbonError(f"the home share of {self.device_class} must lie between 0 and 1")
        if not 0 <= self.low_factor <= 1 <= self.high_factor:
            raise CarbonError(f"the band of {self.device_class} needs 0 <= low <= 1 <= high")

    @property
    def hours_off(self) -> float:
        """Hours of a working day in which it is off."""
        return max(0.0, 24 - self.hours_active - self.hours_idle - self.hours_asleep)

    @property
    def working_day_wh(self) -> Decimal:
        """Watt-hours of a working day."""
        hours = [_exact(one) for one in (self.hours_active, self.hours_idle, self.hours_asleep)]
        watts = [_exact(one) for one in (self.watts_active, self.watts_idle, self.watts_asleep)]
        off = 24 - sum(hours, Decimal(0))
        return sum((w * h for w, h in zip(watts, hours, strict=True)), Decimal(0)) + _exact(self.watts_off) * off

    @property
    def other_day_wh(self) -> Decimal:
        """Watt-hours of a day on which nobody works with it."""
        watts = {"off": self.watts_off, "asleep": self.watts_asleep, "idle": self.watts_idle}[self.other_days]
        return 24 * _exact(watts)

    def year_wh(self, year: int) -> Decimal:
        """Watt-hours of a calendar year."""
        days = 366 if calendar.isleap(year) else 365
        worked = min(self.working_days, days)
        return worked * self.working_day_wh + (days - worked) * self.other_day_wh


@dataclass(frozen=True, slots=True)
class ProfileEnergy:
    """Energy of some devices by their profile in microjoules: at the office and at home, with bounds of each."""

    office_uj: int
    home_uj: int
    low_factor: float
    high_factor: float

    @property
    def office_low_uj(self) -> int:
        return scaled_energy(self.office_uj, self.low_factor)

    @property
    def office_high_uj(self) -> int:
        return scaled_energy(self.office_uj, self.high_factor)

    @property
    def home_low_uj(self) -> int:
        return scaled_energy(self.home_uj, self.low_factor)

    @property
    def home_high_uj(self) -> int:
        return scaled_energy(self.home_uj, self.high_factor)


def class_group(device_class: str) -> str:
    """The group of errors of what a class's profile says: all devices of a class are off in the same way."""
    return f"class profile {device_class}"


def profile_errors(device_class: str, energy: ProfileEnergy) -> tuple[Errors, Errors]:
    """Errors at the office and at home."""
    group = class_group(device_class)
    return (
        errors_of(energy.office_uj, energy.office_low_uj, energy.office_high_uj, group),
        errors_of(energy.home_uj, energy.home_low_uj, energy.home_high_uj, group),
    )


@lru_cache(maxsize=4096)
def year_by_month(profile: ClassProfile, year: int) -> tuple[int, ...]:
    """One device's energy in each month of a calendar year, in whole microjoules that add up to the year's.

    Working days lie evenly over the year's weekdays; where the profile has more of them than there are weekdays, over
    all its days.
    """
    whole = int((profile.year_wh(year) * UJ_PER_WH).to_integral_value(ROUND_HALF_EVEN))
    months = [_days(year, month) for month in range(1, 13)]
    weekdays, days = sum(one[0] for one in months), sum(one[1] for one in months)
    worked = min(profile.working_days, days)
    on_weekends = worked > weekdays
    weights: list[int] = []
    for month_weekdays, month_days in months:
        of, mine = (days, month_days) if on_weekends else (weekdays, month_weekdays)
        part = Decimal(worked * mine) / of if of else Decimal(0)
        wh = part * profile.working_day_wh + (month_days - part) * profile.other_day_wh
        weights.append(int(wh * UJ_PER_WH))
    return tuple(split_by_largest_remainder(whole, weights))


def month_energy(profile: ClassProfile, month: str, device_days: int | Fraction) -> ProfileEnergy:
    """Energy of devices of a class in a month (YYYY-MM), which were in use for so many days together.

    A hundred devices all through a month of thirty days have 3,000 device-days; of a device that is shared with others,
    the own part of its days counts. Rounded half to even, to whole microjoules: first all of it, then the home's part.
    """
    year, number = int(month[:4]), int(month[5:7])
    days = _days(year, number)[1]
    one = year_by_month(profile, year)[number - 1]
    whole = round_half_even(one * device_days.numerator, days * device_days.denominator)
    home = scaled_energy(whole, profile.home_share)
    return ProfileEnergy(whole - home, home, profile.low_factor, profile.high_factor)


def round_half_even(over: int, under: int) -> int:
    """A quotient of whole numbers, rounded to the nearest, and to the even one of two.

    >>> round_half_even(5, 2), round_half_even(7, 2), round_half_even(10, 3)
    (2, 4, 3)
    """
    quotient, rest = divmod(over, under)
    return quotient + (2 * rest > under or (2 * rest == under and quotient % 2 == 1))


@lru_cache(maxsize=1)
def packaged_profiles() -> Mapping[str, ClassProfile]:
    """The defaults by class, each with its source."""
    with resources.files("carbon.data").joinpath("class_profiles.toml").open("rb") as file:
        tables = tomllib.load(file)
    return {name: _profile(name, table) for name, table in tables.items()}


def _profile(name: str, table: Mapping[str, Any]) -> ClassProfile:
    watts, hours, band = table["watts"], table["hours"], table["band"]
    return ClassProfile(
        device_class=name,
        **{f"watts_{state}": watts[state] for state in ("active", "idle", "asleep", "off")},
        **{f"hours_{state}": hours[state] for state in ("active", "idle", "asleep")},
        working_days=table["working_days"],
        other_days=table["other_days"],
        home_share=table["home_share"],
        low_factor=band["low"],
        high_factor=band["high"],
        source=table["source"],
    )


@lru_cache(maxsize=4096)
def _days(year: int, month: int) -> tuple[int, int]:
    """Weekdays (Monday to Friday) and days of a month."""
    days = calendar.monthrange(year, month)[1]
    weekdays = sum(datetime.date(year, month, day).weekday() < 5 for day in range(1, days + 1))
    return weekdays, days


def _exact(number: float) -> Decimal:
    """A figure as it was written."""
    return Decimal(str(number))


def scaled_energy(amount: int, factor: float) -> int:
    """So many times an amount, rounded half to even."""
    over, under = _ratio(factor)
    return round_half_even(amount * over, under)


@lru_cache(maxsize=1024)
def _ratio(number: float) -> tuple[int, int]:
    """A figure as it was written, as a quotient of whole numbers."""
    return _exact(number).as_integer_ratio()
