"""Other lines: whose factor makes emissions of an amount, in which scope, and that nothing missing is 0."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.errors import CarbonError, FactorError
from carbon.factor_lines import FACTOR_LINES
from carbon.months import months_between, runs_of
from carbon.other_lines import LINE_KINDS, by_own_factor, by_sets, grams_of, line_kind


def test_diesel_is_scope_1_with_its_well_to_tank_in_scope_3() -> None:
    burnt, supplied = by_sets(LINE_KINDS["diesel"], "2025-11", Decimal(400), "majority")
    assert (burnt.scope, burnt.category, burnt.grams) == ("1", "", 1_028_328)
    assert (supplied.scope, supplied.category, supplied.grams) == ("3", "3", 244_404)
    assert "2.57082 kgCO2e per litre" in burnt.basis
    assert burnt.factor_row_id
    assert not burnt.provisional


def test_the_year_rule_says_which_set_makes_emissions_of_a_month() -> None:
    water = LINE_KINDS["water_supply"]
    [majority] = by_sets(water, "2024-02", Decimal(1000), "majority")
    [calendar] = by_sets(water, "2026-02", Decimal(1000), "majority")
    assert (majority.grams, calendar.grams) == (176_685, 191_300)  # to the last figure of the official file


def test_a_factor_that_a_set_does_not_have_is_never_0() -> None:
    with pytest.raises(FactorError, match="2017 has no factor for Water treatment"):
        by_sets(LINE_KINDS["water_treatment"], "2017-05", Decimal(1), "majority")
    with pytest.raises(FactorError, match="give one with its source"):
        by_sets(LINE_KINDS["travel_avoided"], "2025-05", Decimal(1), "majority")


def test_what_is_avoided_is_a_memo_with_its_own_factor() -> None:
    kind = LINE_KINDS["travel_avoided"]
    assert kind.memo
    assert by_own_factor(kind, Decimal(1000), Decimal("0.16"), "survey").grams == 160_000
    assert [one.key for one in LINE_KINDS.values() if one.memo] == ["travel_avoided"]


def test_every_part_is_a_line_of_the_sets_and_is_in_the_scope_that_they_say() -> None:
    for kind in LINE_KINDS.values():
        for key, scope, _ in kind.parts:
            assert FACTOR_LINES[key].scope == f"Scope {scope}"
            assert FACTOR_LINES[key].unit == kind.unit
    with pytest.raises(CarbonError, match="petrol is no kind"):
        line_kind("petrol")


@given(
    st.decimals(0, 10**9, places=6, allow_nan=False),
    st.decimals(0, 10**4, places=8, allow_nan=False),
)
def test_grams_are_the_exact_product_rounded_once(amount: Decimal, factor: Decimal) -> None:
    assert abs(grams_of(amount, factor) - Fraction(amount) * Fraction(factor) * 1000) <= Fraction(1, 2)


def test_months_follow_each_other_over_the_year() -> None:
    months = months_between("2024-11", "2025-04")
    assert months == ["2024-11", "2024-12", "2025-01", "2025-02", "2025-03", "2025-04"]
    assert runs_of([one for one in months if one != "2025-01"]) == [("2024-11", "2024-12"), ("2025-02", "2025-04")]
    assert months_between("2025-04", "2025-03") == []
