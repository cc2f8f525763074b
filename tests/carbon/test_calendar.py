"""Half-hours belong to local days: 48 of them, 46 or 50 when the clocks change, none lost and none twice."""

import datetime
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon import calendar
from carbon.errors import CalendarError

LONDON = "Europe/London"


@pytest.mark.parametrize(
    ("date", "count"),
    [("2026-03-28", 48), ("2026-03-29", 46), ("2026-10-25", 50), ("2026-10-26", 48), ("2024-02-29", 48)],
)
def test_a_day_has_46_48_or_50_half_hours(date: str, count: int) -> None:
    assert len(calendar.half_hours_of_day(datetime.date.fromisoformat(date), LONDON)) == count


@pytest.mark.parametrize(
    "zone", [LONDON, "UTC", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]
)
@given(date=st.dates(datetime.date(2012, 1, 1), datetime.date(2037, 12, 31)))
def test_every_half_hour_of_a_day_maps_back_to_it_and_days_join(zone: str, date: datetime.date) -> None:
    half_hours = calendar.half_hours_of_day(date, zone)
    assert {calendar.local_day(half_hour, zone) for half_hour in half_hours} <= {date}
    following = calendar.day_bounds(date + datetime.timedelta(days=1), zone)
    assert calendar.day_bounds(date, zone)[1] == following[0]


def test_a_year_is_made_of_its_half_hours() -> None:
    first, last = calendar.financial_year_dates(2025)
    days = list(calendar.days_between(first, last))
    assert len(days) == 365
    assert sum(len(calendar.half_hours_of_day(day, LONDON)) for day in days) == 365 * 48
    bounds = [calendar.day_bounds(day, LONDON) for day in days]
    assert all(left[1] == right[0] for left, right in itertools.pairwise(bounds))


def test_financial_years_begin_in_april() -> None:
    assert calendar.financial_year(datetime.date(2026, 3, 31)) == 2025
    assert calendar.financial_year(datetime.date(2026, 4, 1)) == 2026
    assert calendar.financial_year_label(2099) == "2099/00"


def test_a_half_hour_holds_its_start_and_not_its_end() -> None:
    start = 1_790_001_000
    assert calendar.half_hour_of(start) == start
    assert calendar.half_hour_of(start + 1799) == start
    assert calendar.half_hour_of(start + 1800) == start + 1800


@pytest.mark.parametrize("name", ["Europe/Oxford", "", "../etc/passwd", "Asia/Kathmandu"])
def test_a_time_zone_that_cannot_be_used_is_named(name: str) -> None:
    with pytest.raises(CalendarError):
        calendar.zone(name)
