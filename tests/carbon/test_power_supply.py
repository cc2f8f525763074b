"""What power supplies lose: the ratings' own figures, nothing made from nothing, and a band that holds every supply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.power_supply import ASSUMED_LOAD, ASSUMED_RATING, efficiency, loss_ratio, ratings

LOADS = st.floats(0.005, 1.5)
RATINGS = sorted(ratings())


def test_the_packaged_figures_are_those_of_80_plus() -> None:
    # Carbon reference, section 5, at 230 V internal redundant.
    assert {name: [curve[load] for load in (0.2, 0.5, 1.0)] for name, curve in ratings().items()} == {
        "bronze": [0.81, 0.85, 0.81],
        "silver": [0.85, 0.89, 0.85],
        "gold": [0.88, 0.92, 0.88],
        "platinum": [0.90, 0.94, 0.91],
        "titanium": [0.94, 0.96, 0.91],
    }
    assert ratings()["titanium"][0.1] == 0.90


@pytest.mark.parametrize("name", RATINGS)
def test_at_the_stated_loads_efficiency_is_the_stated_one(name: str) -> None:
    for load, stated in ratings()[name].items():
        assert efficiency(load, name) == pytest.approx(stated)
    assert efficiency(0.35, "gold") == pytest.approx(0.90)
    assert efficiency(1.2, "gold") == 0.88


@given(LOADS, LOADS, st.sampled_from(RATINGS))
def test_more_out_is_more_in_and_no_supply_gives_out_more_than_it_takes(one: float, other: float, name: str) -> None:
    low, high = sorted((one, other))
    assert 0 < efficiency(low, name) < 1
    assert low / efficiency(low, name) <= high / efficiency(high, name) * (1 + 1e-12)


def test_an_idle_supply_loses_watts_and_not_a_share() -> None:
    lost = [load / efficiency(load, "gold") - load for load in (0.01, 0.05, 0.2)]
    assert lost == pytest.approx([lost[0]] * 3)


def test_a_supply_that_is_known_has_no_band_and_one_that_is_not_has_the_widest() -> None:
    known = loss_ratio("platinum", 0.5)
    assert known.value == known.low == known.high == pytest.approx(1 / 0.94 - 1)
    unknown = loss_ratio()
    assert unknown.value == pytest.approx(1 / efficiency(ASSUMED_LOAD, ASSUMED_RATING) - 1)
    # From Titanium at its best to Bronze at a tenth of its size.
    assert unknown.low == pytest.approx(1 / 0.96 - 1)
    assert unknown.high == pytest.approx(0.2 * (1 / 0.81 - 1) / 0.1)


@given(st.floats(0.1, 1.0), st.sampled_from(RATINGS))
def test_whatever_supply_it_is_lies_within_the_band_of_an_unknown_one(load: float, name: str) -> None:
    unknown, known = loss_ratio(), loss_ratio(name, load)
    assert unknown.low - 1e-12 <= known.value <= unknown.high + 1e-12
    for partly in (loss_ratio(name), loss_ratio("", load)):
        assert partly.low - 1e-12 <= known.value <= partly.high + 1e-12
