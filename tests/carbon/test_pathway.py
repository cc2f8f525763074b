"""Pathways and forecasts: they begin and arrive where they should, and a cleaner grid is an index, not a level."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.errors import CarbonError
from carbon.forecast import Year, arrival, forecast, yearly_trend
from carbon.pathway import SHAPES, Shape, Target, pathway

_BASES = st.integers(1, 10**13)


@given(_BASES, st.integers(1, 40), st.fractions(0, 1))
def test_a_linear_path_goes_from_base_to_target_in_equal_steps(base: int, years: int, part: Fraction) -> None:
    target = Target(2010, base, 2010 + years, int(base * part))
    path = pathway(target, "linear")
    assert path[2010] == base
    assert path[2010 + years] == target.target_g
    steps = [path[year] - path[year + 1] for year in range(2010, 2010 + years)]
    assert max(steps) - min(steps) <= 2


def test_contraction_takes_4_2_percent_of_the_base_each_year_and_ends_at_nothing() -> None:
    path = pathway(Target(2020, 1_000_000, 2030, 0), "contraction")
    assert path[2021] == 958_000
    assert path[2030] == 580_000
    assert pathway(Target(2020, 1_000_000, 2050, 0), "contraction")[2045] == 0


def test_a_constant_rate_just_arrives_and_cannot_arrive_at_nothing() -> None:
    path = pathway(Target(2020, 1_000_000, 2030, 100_000), "constant_rate")
    assert path[2030] == 100_000
    assert path[2021] == 794_328
    assert pathway(Target(2020, 1_000_000, 2022, 0, rate=Decimal("0.5")), "constant_rate")[2022] == 250_000
    with pytest.raises(CarbonError, match="never arrives at 0"):
        pathway(Target(2020, 1_000_000, 2030, 0), "constant_rate")


@given(_BASES.filter(lambda base: base > 10**6), st.integers(1, 20), st.integers(1, 99))
def test_a_budget_is_spent_to_the_gram_a_year(base: int, years: int, percent: int) -> None:
    budget = base * years * percent // 100
    path = pathway(Target(2020, base, 2020 + years, 0, budget_g=budget), "budget")
    assert abs(sum(path.values()) - base - budget) <= years


@pytest.mark.parametrize("shape", SHAPES)
def test_after_the_target_year_a_path_stays(shape: Shape) -> None:
    target = Target(2020, 1_000_000, 2030, 100_000, budget_g=5_000_000)
    path = pathway(target, shape, 2035)
    assert path[2035] == path[2030]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"target_year": 2020}, "must lie after"),
        ({"target_g": 2000}, "0 <= target <= base"),
        ({"rate": Decimal(1)}, "between 0 and 1"),
        ({"budget_g": 0}, "a budget lies above 0"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(target: dict[str, Any], words: str) -> None:
    values: dict[str, Any] = {"base_year": 2020, "base_g": 1000, "target_year": 2030, "target_g": 0, **target}
    with pytest.raises(CarbonError, match=words):
        Target(**values)


def test_the_forecast_carries_the_last_actual_factor_on_by_the_index() -> None:
    last = Year(2025, 1000, 245_400, 500)
    years = forecast(last, Decimal("-0.1"), 2027, lambda one, other: Decimal("0.8") ** (other - one))
    assert years[2026] == Year(2026, 900, round(245_400 * 0.9 * 0.8), 500)
    assert years[2027].energy_uj == 810
    assert forecast(last, None, 2026, lambda *_: Decimal(1))[2026] == Year(2026, 1000, 245_400, 500)


def test_measures_never_save_more_than_is_used() -> None:
    last = Year(2025, 1000, 245_400)
    saved = forecast(last, None, 2027, lambda *_: Decimal(1), {2026: 400, 2027: 5000})
    assert (saved[2026].energy_uj, saved[2027].energy_uj) == (600, 0)


def test_no_trend_is_made_of_one_year() -> None:
    assert yearly_trend([Year(2025, 100, 1)]) is None
    assert yearly_trend([Year(2025, 110, 1), Year(2024, 100, 1)]) == Decimal("0.1000")


def test_arrival_is_the_year_from_which_the_target_stays_met() -> None:
    years = {year: Year(year, 1, grams) for year, grams in {2026: 9, 2027: 11, 2028: 10, 2029: 3}.items()}
    assert arrival(years, 10) == 2028
    assert arrival(years, 2) is None
