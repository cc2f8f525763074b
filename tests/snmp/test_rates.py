"""Counters of devices made into rates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.snmp.rates import Count, rate, restarted

GIGABIT_OCTETS = 125_000_000.0


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.floats(1.0, 300.0))
def test_a_32_bit_counter_that_wraps_once_loses_nothing(start: int, count: int, seconds: float) -> None:
    highest = max(1.0, count / seconds)
    found = rate(Count(start, 0.0), Count((start + count) % 2**32, seconds), 32, highest)
    assert found == pytest.approx(count / seconds)


def test_a_counter_of_64_bits_that_goes_down_was_set_anew() -> None:
    assert rate(Count(5000, 0.0), Count(10, 60.0), 64, GIGABIT_OCTETS) is None


def test_without_a_known_speed_a_32_bit_counter_that_goes_down_tells_nothing() -> None:
    assert rate(Count(5000, 0.0), Count(10, 60.0), 32) is None


def test_a_reset_that_would_be_an_impossible_wrap_tells_nothing() -> None:
    ten_megabit = 1_250_000.0
    assert rate(Count(50_000, 0.0), Count(10, 60.0), 32, ten_megabit) is None


def test_a_rate_beyond_twice_the_speed_is_not_believed() -> None:
    assert rate(Count(0, 0.0), Count(int(GIGABIT_OCTETS * 60 * 2.1), 60.0), 64, GIGABIT_OCTETS) is None
    assert rate(Count(0, 0.0), Count(int(GIGABIT_OCTETS * 60), 60.0), 64, GIGABIT_OCTETS) == GIGABIT_OCTETS


def test_a_counter_that_the_device_says_was_set_anew_begins_again() -> None:
    assert rate(Count(10, 0.0, 100), Count(70, 60.0, 4000), 64) is None
    assert rate(Count(10, 0.0, 100), Count(70, 60.0, 100), 64) == 1.0


@pytest.mark.parametrize(
    ("before", "now", "elapsed", "was"),
    [
        (1_000_000, 1_006_000, 60.0, False),
        (1_000_000, 500, 60.0, True),
        (2**32 - 3000, 3000, 60.0, False),
        (1_000_000, 1_006_000, 86_400.0, True),
        (1_000_000, 1_000_000 + 8_640_000, 86_400.0, False),
        (1_000_000, 1_006_000, -5.0, True),
    ],
)
def test_a_restart_is_told_by_the_uptime_and_its_wrap_is_none(before: int, now: int, elapsed: float, was: bool) -> None:
    assert restarted(before, now, elapsed) is was
