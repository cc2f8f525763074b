"""Factor sets: one rule says which set applies to a day."""

import datetime
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from carbon.errors import FactorError
from carbon.factors import FactorSet, factors_for, packaged_sets


def test_every_year_from_2016_has_a_set_and_only_2026_is_provisional() -> None:
    assert [one.year for one in packaged_sets()] == list(range(2016, 2027))
    assert [one.year for one in packaged_sets() if not one.final] == [2026]


def test_a_kilowatt_hour_of_2025_has_four_lines() -> None:
    found = factors_for(datetime.date(2025, 6, 1), "majority")
    assert found.label == "UK electricity 2025"
    lines = (found.factors.s2_generation, found.factors.s3_td, found.factors.s3_wtt_generation, found.factors.s3_wtt_td)
    assert lines == tuple(map(Decimal, ("0.17700", "0.01853", "0.04590", "0.00397")))
    assert found.factors.total == sum(lines)


def test_the_majority_rule_uses_the_year_that_holds_most_months() -> None:
    assert factors_for(datetime.date(2025, 3, 31), "majority").factors.year == 2024
    assert factors_for(datetime.date(2025, 3, 31), "calendar").factors.year == 2025
    assert factors_for(datetime.date(2025, 4, 1), "majority").factors.year == 2025


def test_blended_sets_are_weighted_by_days_and_need_two_final_sets() -> None:
    blended = factors_for(datetime.date(2024, 8, 1), "blended")
    expected = (Decimal("0.20705") * 275 + Decimal("0.17700") * 90) / 365
    assert abs(blended.factors.s2_generation - expected) < Decimal("1e-12")
    assert not blended.provisional
    stand_in = factors_for(datetime.date(2025, 8, 1), "blended")
    assert stand_in.provisional
    assert stand_in.factors.year == 2025


def test_a_year_without_a_set_takes_the_newest_and_says_provisional() -> None:
    assert factors_for(datetime.date(2031, 1, 1), "majority").label == "UK electricity 2026, provisional"


def test_a_year_before_the_first_set_is_refused_not_guessed() -> None:
    with pytest.raises(FactorError, match="2014"):
        factors_for(datetime.date(2014, 6, 1), "calendar")
    with pytest.raises(FactorError, match="no factor sets"):
        factors_for(datetime.date(2024, 6, 1), "calendar", [])
    one = Decimal(1)
    lonely = [FactorSet(str(year), year, "1", True, one, one, one, one) for year in (2020, 2022)]
    with pytest.raises(FactorError, match="2021"):
        factors_for(datetime.date(2021, 6, 1), "calendar", lonely)


def test_packaged_data_goes_into_the_wheel() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert "carbon" in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
