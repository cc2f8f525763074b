"""Time-specific carbon: half-hours with an intensity add up exactly, half-hours without one are never filled."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from carbon.grid_intensity import TimeSpecific, add_up, summed, time_specific

KWH = 3_600_000_000_000


def test_a_half_hour_without_an_intensity_lowers_the_coverage_and_is_not_filled() -> None:
    found = add_up(time_specific({0: KWH, 1800: 3 * KWH}, {0: Decimal(200)}).values())
    assert (found.grams, found.kwh, found.matched_kwh) == (200, Decimal(4), Decimal(1))
    assert found.coverage == Decimal("0.5")
    assert found.grams_per_kwh == 200
    assert found.kg == Decimal("0.2")


def test_of_nothing_there_is_no_coverage_and_no_mean() -> None:
    assert TimeSpecific().coverage is None
    assert TimeSpecific().grams_per_kwh is None
    assert TimeSpecific().grams == 0


@given(st.dictionaries(st.integers(0, 20_000), st.tuples(st.integers(0, 10**15), st.integers(0, 2000)), max_size=40))
def test_the_sum_is_that_of_exact_arithmetic_in_any_grouping(slots: dict[int, tuple[int, int]]) -> None:
    rows = time_specific(
        {at: energy for at, (energy, _) in slots.items()}, {at: Decimal(grams) for at, (_, grams) in slots.items()}
    )
    exact = sum((Fraction(energy * grams, KWH) for energy, grams in slots.values()), Fraction(0))
    whole = add_up(rows.values())
    assert whole.grams == round(exact)
    assert whole == summed(
        [(at, one.energy_uj) for at, one in rows.items()], {at: Decimal(g) for at, (_, g) in slots.items()}
    )
    halves = [add_up(one for at, one in rows.items() if at % 2 == odd) for odd in (0, 1)]
    assert halves[0] + halves[1] == whole
