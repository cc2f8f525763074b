"""Typical power of network devices without a power reading."""

import statistics

import pytest

from carbon.network_power import KIND_WATTS, PSE_EFFICIENCY, models, typical_power


def test_a_known_model_has_its_datasheets_watts_however_it_is_written() -> None:
    for hardware in ("CBS350-48P-4X", "cbs350 48p 4x"):
        found = typical_power("switch", hardware)
        assert (found.watts, found.basis) == (61.53, "datasheet of CBS350-48P-4X")
        assert found.low < found.watts < found.high


def test_measured_poe_is_added_over_the_supplys_efficiency() -> None:
    plain, giving = typical_power("switch", "CBS350-48P-4X"), typical_power("switch", "CBS350-48P-4X", poe_watts=90.0)
    assert giving.watts - plain.watts == pytest.approx(90 / PSE_EFFICIENCY, abs=0.01)


def test_members_of_a_stack_count_one_each() -> None:
    assert typical_power("switch", "CBS350-48P-4X", members=3).watts == pytest.approx(3 * 61.53)


def test_an_unknown_model_of_a_known_family_lies_among_its_like_with_a_wide_band() -> None:
    found = typical_power("switch", "CBS350-48XX-9Z")
    assert "models like CBS350" in found.basis
    assert found.low <= 0.4 * found.watts
    assert found.high >= 1.6 * found.watts


@pytest.mark.parametrize("kind", KIND_WATTS)
def test_an_unknown_model_has_its_kinds_watts_and_band(kind: str) -> None:
    found = typical_power(kind, "Nobody's 1")
    assert (found.watts, found.low, found.high) == KIND_WATTS[kind]
    assert found.low < found.watts < found.high


def test_what_is_not_known_at_all_says_so() -> None:
    assert typical_power("", "").basis == "an unknown device"


def test_every_model_draws_something() -> None:
    watts = [base for _, base, _ in models().values()]
    assert min(watts) > 0
    assert 50 < statistics.median(watts) < 300
