"""Plans: actuals, forecasts and the target in one row of years, with the gap that is left."""

from decimal import Decimal

import pytest

from carbon.errors import CarbonError
from carbon.forecast import Year
from carbon.measures.measure import Measure, Net
from carbon.pathway import Target
from carbon.scenario import Scenario, plan, savings_by_year

TARGET = Target(2020, 1_000_000, 2030, 100_000)
ACTUALS = [Year(2024, 2_000, 600_000), Year(2025, 1_800, 500_000)]


def _index(first: int, second: int) -> Decimal:
    return Decimal("0.9") ** (second - first)


def test_a_plan_has_every_year_with_what_is_known_of_it() -> None:
    found = plan(TARGET, "linear", ACTUALS, _index, dict.fromkeys(range(2026, 2031), 300), {2030: 40_000})
    by_year = {one.year: one for one in found.years}
    assert list(by_year) == list(range(2020, 2031))
    assert (by_year[2020].actual_g, by_year[2020].allowed_g) == (1_000_000, 1_000_000)
    assert (by_year[2025].actual_g, by_year[2025].forecast_g, by_year[2025].residual_g) == (500_000, None, 500_000)
    assert by_year[2026].forecast_g == round(1620 * Decimal(500_000) / 1800 * Decimal("0.9"))
    assert by_year[2026].with_measures_g == round(1320 * Decimal(500_000) / 1800 * Decimal("0.9"))
    assert by_year[2030].offset_g == 40_000
    assert found.trend == Decimal("-0.1000")
    assert found.gap_g == (by_year[2030].forecast_g or 0) - 100_000
    assert found.budget_g == sum(one.allowed_g or 0 for one in found.years if one.year > 2020)
    assert found.spent_g == 1_100_000


def test_offsets_are_taken_off_nothing() -> None:
    with_offsets = plan(TARGET, "linear", ACTUALS, _index, offsets_g={2030: 10**9})
    assert with_offsets.gap_g == plan(TARGET, "linear", ACTUALS, _index).gap_g
    assert with_offsets.arrival == plan(TARGET, "linear", ACTUALS, _index).arrival


def test_measures_can_make_a_target_that_is_missed_as_things_are() -> None:
    found = plan(TARGET, "linear", ACTUALS, lambda *_: Decimal(1), dict.fromkeys(range(2026, 2031), 5000))
    assert (found.arrival, found.arrival_with_measures) == (None, 2026)
    assert found.gap_g is not None
    assert found.gap_g > 0
    assert found.gap_with_measures_g == -100_000


def test_without_a_complete_year_there_is_a_target_and_no_forecast() -> None:
    found = plan(TARGET, "linear", [], _index)
    assert (found.trend, found.arrival, found.gap_g) == (None, None, None)
    assert all(one.forecast_g is None for one in found.years)


def test_a_measure_counts_for_the_part_that_the_last_year_has_not_in_it() -> None:
    net = Net(Measure("by_hand", "off", {"a": 1_000}, "low", ""), {"a": 1_000})
    assert savings_by_year([(net, Decimal(1)), (net, Decimal("0.25"))], 2026, 2027) == {2026: 1_250, 2027: 1_250}


@pytest.mark.parametrize("wrong", [{"shape": "steep"}, {"trend": Decimal(2)}, {"measures": "some"}])
def test_a_scenario_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(CarbonError):
        Scenario(**wrong)  # type: ignore[arg-type]  # that is what is tried
