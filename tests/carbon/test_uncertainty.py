"""Ranges of sums: errors add up within a group and in quadrature across; a range always holds its value."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.accounting import account
from carbon.daily import Daily, Flow
from carbon.footprint import Energy, rest_of
from carbon.overhead import overhead_errors, overhead_uj
from carbon.spaces import Pue
from carbon.tree_nodes import DeviceNode, Feed, MeterNode, Tree
from carbon.uncertainty import errors_of, range_of

AMOUNTS = st.lists(
    st.tuples(
        st.sampled_from(["rapl", "redfish", "snmp", "power_model"]),
        st.integers(0, 10**12),
        st.integers(0, 50),
        st.integers(0, 200),
    ),
    max_size=30,
)


def energy(group: str, uj: int, below: int = 10, above: int = 10) -> Energy:
    """An amount that may be so many per cent less or more."""
    return Energy.of(group, uj, 0, uj - uj * below // 100, uj + uj * above // 100)


def one_day(group: str, uj: int, below: int = 10, above: int = 10) -> Daily:
    """The same as the amount of a day."""
    one = energy(group, uj, below, above)
    return Daily(group, (one.measured_uj,), (one.estimated_uj,), (one.low_uj,), (one.high_uj,))


@given(AMOUNTS)
def test_a_sum_has_the_range_that_a_count_by_groups_gives_and_holds_its_value(
    amounts: list[tuple[str, int, int, int]],
) -> None:
    whole = Energy()
    by_group: dict[str, list[Decimal]] = {}
    for group, uj, below, above in amounts:
        whole += energy(group, uj, below, above)
        factor = Decimal(196) / 128 if group == "power_model" else Decimal(1)
        mine = by_group.setdefault(group, [Decimal(0), Decimal(0)])
        mine[0] += min(Decimal(uj), (uj * below // 100) * factor)
        mine[1] += (uj * above // 100) * factor
    wanted = [sum((one[end] ** 2 for one in by_group.values()), Decimal(0)).sqrt() for end in (0, 1)]
    low, high = whole.range_uj
    assert low <= whole.total_uj <= high
    # Each amount may be rounded away from its figure by one, and the sum once more.
    assert float(whole.total_uj - low) == pytest.approx(float(wanted[0]), abs=len(amounts) + 2)
    assert float(high - whole.total_uj) == pytest.approx(float(wanted[1]), abs=len(amounts) + 2)


def test_four_thousand_laptops_are_not_taken_as_independent_and_two_kinds_of_meters_are() -> None:
    laptops = Energy()
    for _ in range(4000):
        laptops += energy("laptop", 1000, 30, 30)
    assert laptops.range_uj == (2_800_000, 5_200_000)
    both = energy("rapl", 1000, 30, 30) + energy("redfish", 1000, 40, 40)
    assert both.range_uj == (1500, 2500)


def test_the_models_80_per_cent_become_95_and_never_go_below_nothing() -> None:
    assert errors_of(1000, 872, 1256, "power_model") == {"power_model": (-196, 392)}
    assert errors_of(1000, 100, 1000, "power_model") == {"power_model": (-1000, 0)}
    assert range_of(1000, errors_of(1000, 872, 1256, "power_model")) == (804, 1392)


def test_a_rest_of_wide_parts_has_a_low_below_its_high() -> None:
    """Low less low and high less high, as it once was, gives a low of 780 and a high of 220 here."""
    whole, parts = energy("snmp_watts", 1000, 5, 5), energy("power_model", 500, 66, 66)
    rest = rest_of(whole, parts)
    assert rest.low_uj <= rest.total_uj == 500 <= rest.high_uj
    assert rest.range_uj == (rest.low_uj, rest.high_uj)
    # The parts' upper 330 are 506 at 95%.
    assert 500 - rest.low_uj == math.isqrt(50**2 + 506**2) + 1
    untold = rest_of(Energy(100, 0, 95, 105), Energy(50, 0, 10, 90))
    assert (untold.low_uj, untold.total_uj, untold.high_uj) == (5, 50, 95)


@given(AMOUNTS, st.integers(0, 10**12))
def test_parts_and_rest_together_are_as_exact_as_their_meter(
    amounts: list[tuple[str, int, int, int]], spare: int
) -> None:
    """However badly the parts are known, their sum with the rest is what the meter measured, and has its range."""
    devices = [DeviceNode(f"d{at}", Flow([(one_day(*one), 1)]), (1.0,)) for at, one in enumerate(amounts)]
    measured = one_day("snmp_watts", sum(one.energy.on(1).total_uj for one in devices) + spare, 5, 5)
    feeds = [Feed(1, one.id) for one in devices] or [Feed(1, "unknown")]
    found = account(Tree(devices, [MeterNode(1, "ups", measured, (1.0,))], feeds))
    rest = found.rest(1, 1)
    assert rest.low_uj <= rest.total_uj <= rest.high_uj
    assert found.total().range_uj == measured.on(1).range_uj
    assert found.total().total_uj == measured.on(1).total_uj


@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=8),
    st.integers(0, 10**12),
    st.floats(1, 3),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_an_overheads_range_holds_the_overhead_and_has_the_pues_band(
    amounts: list[int], losses: int, value: float, below: float, above: float
) -> None:
    pue = Pue(value, max(1.0, value - below), value + above, "test")
    errors = overhead_errors([{} for _ in amounts], amounts, losses, pue)
    whole = Energy()
    for one in errors:
        whole += Energy(errors=one)
    overhead, low, high = (
        overhead_uj(sum(amounts), losses, Pue(end, end, end, "")) for end in (pue.value, pue.low, pue.high)
    )
    assert range_of(overhead, whole.errors) == (low, high)
