"""The base year: when it is recalculated, and two periods like for like."""

import pytest

from carbon.base_year import GRAMS_PER_TONNE, BaseYear, like_for_like
from carbon.errors import CarbonError
from carbon.explain import NOT_REAL, Explanation


def test_only_a_change_of_counting_beyond_the_threshold_calls_for_a_recalculation() -> None:
    base = BaseYear(2010, 100 * GRAMS_PER_TONNE, "bills")
    assert not base.recalculate(5 * GRAMS_PER_TONNE)
    assert base.recalculate(5 * GRAMS_PER_TONNE + 1)
    assert base.recalculate(-6 * GRAMS_PER_TONNE)
    assert base.change(75 * GRAMS_PER_TONNE) == -0.25


def test_a_base_year_of_nothing_is_refused() -> None:
    with pytest.raises(CarbonError, match="more than 0"):
        BaseYear(2010, 0, "bills")


def test_like_for_like_the_earlier_period_takes_the_later_ones_counting() -> None:
    found = Explanation()
    found.add(
        ("device", "d1", "own"), 1000, 1300, {"activity": -100, "coverage": 250, "method": 170, "grid_factor": -20}
    )
    alike = like_for_like(found)
    assert (alike.published_change_g, alike.before_g, alike.change_g) == (300, 1420, -120)
    assert set(alike.by_counting) == NOT_REAL
    # What is left is the causes with an emission behind them.
    assert alike.change_g == sum(part for cause, part in found.causes.items() if cause not in NOT_REAL)
