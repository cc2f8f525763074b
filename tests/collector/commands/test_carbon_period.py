"""Periods are written as officers write them, and what is no period is told with what is possible."""

import datetime

import click
import pytest

from collector.commands.carbon_period import Months, months_of, period

_YEAR = ("2024-04", "2025-03")
_TODAY = datetime.date(2026, 11, 24)


@pytest.mark.parametrize(
    ("written", "months"),
    [
        ("FY2024", _YEAR),
        ("fy2024", _YEAR),
        ("FY2024/25", _YEAR),
        ("2024/25", _YEAR),
        ("2024-25", _YEAR),
        ("2024/2025", _YEAR),
        ("1999/00", ("1999-04", "2000-03")),
        ("2024-04", ("2024-04", "2024-04")),
        ("2024-02-29", ("2024-02", "2024-02")),
        ("2011-12", ("2011-12", "2011-12")),
    ],
)
def test_a_period_is_read_as_officers_write_it(written: str, months: Months) -> None:
    assert period(written) == months


@pytest.mark.parametrize("written", ["2024", "2024/26", "2024-13", "2023-02-29", "April", "", "FY24", "FY0000"])
def test_what_is_no_period_is_told_with_what_is_possible(written: str) -> None:
    with pytest.raises(click.BadParameter, match=r"write FY2024 or 2024/25 \(April 2024"):
        period(written)


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        (None, None, ("2026-04", "2026-11")),
        (_YEAR, None, _YEAR),
        (("2024-07", "2024-07"), None, ("2024-07", "2024-07")),
        (_YEAR, ("2025-04", "2026-03"), ("2024-04", "2026-03")),
        (None, ("2025-02", "2025-02"), ("2024-04", "2025-02")),
        (("2026-04", "2027-03"), None, ("2026-04", "2026-11")),
    ],
)
def test_from_and_to_name_months_together_and_none_that_has_not_begun(
    first: Months | None, last: Months | None, months: Months
) -> None:
    assert months_of(first, last, _TODAY) == months


def test_nothing_is_made_of_the_future_or_of_an_end_before_its_beginning() -> None:
    with pytest.raises(click.UsageError, match="has not begun yet"):
        months_of(("2027-04", "2028-03"), None, _TODAY)
    with pytest.raises(click.UsageError, match="lies after"):
        months_of(("2025-05", "2025-05"), _YEAR, _TODAY)
