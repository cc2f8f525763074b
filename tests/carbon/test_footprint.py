"""Lines add up to totals, half-hours to days, and nothing is lost on the way to kilograms."""

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.errors import CarbonError
from carbon.factors import factors_for
from carbon.footprint import Energy, add, footprint
from carbon.spaces import ASSUMED, NOT_SET, Pue, pue_of
from carbon.uncertainty import measured_band
from carbon.units import UJ_PER_KWH, kwh_exact, split_by_largest_remainder
from carbon.wording import figure, host_line

FACTORS_2025 = factors_for(datetime.date(2025, 6, 1), "majority").factors
DIGITS_LOST = Decimal("1e-18")
"""Decimal keeps 28 digits, so sums of a few thousand kilograms agree to far below a picogram, not to the last digit."""
amounts = st.integers(0, 2**50)
energies = st.builds(Energy, amounts, amounts, amounts, amounts)


def test_a_kilowatt_hour_in_2025() -> None:
    one = footprint(Energy(measured_uj=UJ_PER_KWH, low_uj=UJ_PER_KWH, high_uj=UJ_PER_KWH), FACTORS_2025)
    assert one.s2_location_kg == Decimal("0.17700")
    assert one.scope_3_kg == Decimal("0.01853") + Decimal("0.04590") + Decimal("0.00397")
    assert one.total_kg == one.low_kg == one.high_kg == Decimal("0.24540")


@given(st.lists(energies, max_size=20), st.sampled_from([NOT_SET, *ASSUMED.values()]))
def test_footprints_of_parts_add_up_to_that_of_the_whole(parts: list[Energy], pue: Pue) -> None:
    whole = Energy()
    for part in parts:
        whole += part
    summed, direct = add(footprint(part, FACTORS_2025, pue) for part in parts), footprint(whole, FACTORS_2025, pue)
    assert abs(summed.total_kg - direct.total_kg) < DIGITS_LOST
    assert abs(summed.it_kwh + summed.facility_kwh - direct.it_kwh - direct.facility_kwh) < DIGITS_LOST


@given(energies)
def test_scopes_add_up_to_the_total(energy: Energy) -> None:
    one = footprint(energy, FACTORS_2025, ASSUMED["data_room"])
    lines = (one.s3_wtt_td_kg, one.s2_location_kg, one.s3_wtt_gen_kg, one.s3_td_kg)
    assert abs(sum(lines) - one.total_kg) < DIGITS_LOST
    assert abs(one.it_kwh + one.facility_kwh - kwh_exact(energy.total_uj) * Decimal("1.8")) < DIGITS_LOST


def test_the_band_takes_the_ends_of_energy_and_pue_together() -> None:
    energy = Energy(estimated_uj=UJ_PER_KWH, low_uj=UJ_PER_KWH // 2, high_uj=2 * UJ_PER_KWH)
    one = footprint(energy, FACTORS_2025, ASSUMED["data_room"])
    assert one.low_kg == Decimal("0.5") * Decimal("1.5") * FACTORS_2025.total
    assert one.high_kg == 2 * Decimal("2.1") * FACTORS_2025.total
    assert one.low_kg <= one.total_kg <= one.high_kg


def test_the_spaces_own_pue_comes_before_the_assumption() -> None:
    own = Pue(1.4, 1.35, 1.45, "metered 2026")
    assert pue_of("data_room", own) is own
    assert pue_of("data_room", None).value == 1.8
    assert pue_of(None, None).source == "no PUE: space not set"


@pytest.mark.parametrize("bounds", [(0.9, 0.9, 1.0), (1.5, 1.6, 1.7), (1.5, 1.2, 1.4), (float("nan"), 1.0, 2.0)])
def test_an_impossible_pue_is_refused(bounds: tuple[float, float, float]) -> None:
    with pytest.raises(CarbonError, match="PUE"):
        Pue(*bounds, "typed")


@given(st.integers(-(2**70), 2**70), st.lists(st.integers(0, 2**40), min_size=1, max_size=30))
def test_split_parts_add_up_exactly_and_are_fair(total: int, weights: list[int]) -> None:
    parts = split_by_largest_remainder(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True))


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_weights_that_share_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split_by_largest_remainder(5, weights)


def test_measured_bands_are_as_wide_as_the_meters_tier() -> None:
    assert measured_band(1_000_000, "rapl") == (800_000, 1_200_000)
    assert measured_band(1_000_000, "acpi_meter") == (900_000, 1_100_000)
    assert measured_band(1_000_000, "never heard of") == (500_000, 1_500_000)


def test_the_line_of_ictagent_up() -> None:
    line = host_line(41, 28, 60, "estimated", factors_for(datetime.date(2026, 11, 1), "majority"))
    assert line == (
        "this host: 41 W (estimated, 28 to 60), 0.0076 kg CO2e per hour (Scope 2 0.0054, Scope 3 0.0022; "
        "UK electricity 2026, provisional; no PUE: space not set)"
    )


def test_a_virtual_machine_says_that_its_host_is_missing_and_a_pue_its_source() -> None:
    line = host_line(
        41,
        28,
        60,
        "estimated",
        factors_for(datetime.date(2025, 6, 1), "majority"),
        ASSUMED["data_room"],
        host_missing=True,
    )
    assert "virtual machine, host missing" in line
    assert "PUE 1.8, assumed for a data room" in line


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.0996, "0.10"), (9.96, "10"), (1234.5, "1200"), (float("nan"), "0"), (-41.2, "-41")],
)
def test_figures_have_two_significant_digits(value: float, text: str) -> None:
    assert figure(value) == text
