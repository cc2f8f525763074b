"""Measures: what is found and what is not, and savings that are never more than what is used."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.errors import CarbonError
from carbon.measures.idle_servers import ServerUse, idle_servers
from carbon.measures.measure import (
    Measure,
    embodied_payback_years,
    pounds_a_year,
    pounds_per_tonne,
    without_overlap,
)
from carbon.measures.old_servers import OldServer, old_servers
from carbon.measures.out_of_hours import NightUse, out_of_hours
from carbon.measures.oversized_ups import UpsUse, oversized_upss
from carbon.measures.poe_out_of_hours import PoeUse, poe_out_of_hours
from carbon.measures.removable_switches import SwitchUse, removable_switches
from carbon.measures.verified import DAYS, Day, verified_saving

KWH = 3_600_000_000_000
SERVER = ServerUse("d1", "db1", 30, 0.01, 0.05, 30 * KWH, 0.99, measured=True)
SWITCH = SwitchUse("s1", "sw1", "cupboard 1", 30, 2, 1, 20, 20, carries=False, energy_uj=30 * KWH, measured=True)


def test_an_idle_server_saves_all_its_energy_and_a_virtual_machine_its_active_energy_alone() -> None:
    virtual = replace(SERVER, device="v1", name="vm1", virtual=True, active_uj=3 * KWH)
    found = idle_servers([virtual, SERVER])
    assert [one.title for one in found] == ["switch off server db1", "switch off virtual machine vm1"]
    assert found[0].saved_uj == {"d1": 365 * KWH}
    assert found[1].total_uj == 36.5 * KWH
    assert [one.confidence for one in found] == ["high", "medium"]


@pytest.mark.parametrize(
    "server",
    [
        replace(SERVER, peak_utilisation=0.5),
        replace(SERVER, busy_part=0.03),
        replace(SERVER, days=29),
        replace(SERVER, covered=0.5),
    ],
    ids=["worked once", "works a little", "known too short", "hardly read"],
)
def test_a_server_that_worked_or_was_hardly_read_is_not_called_idle(server: ServerUse) -> None:
    assert idle_servers([server]) == []


def test_what_is_left_on_saves_what_it_draws_beyond_off() -> None:
    screen = NightUse(
        "m1", "meeting room", "meeting_room_screen", 28, 20, 28, 28 * KWH, 28 * 50_000, 0.9, measured=True
    )
    (found,) = out_of_hours([screen, replace(screen, asset_class="server"), replace(screen, nights_on=5)])
    assert found.total_uj == (28 * KWH - 28 * 50_000 * 2_000_000) * 365 // 28
    assert found.why == "it was on in 20 of 28 nights that were read"


def test_a_switch_goes_only_where_its_users_have_room_and_nobody_hangs_on_it() -> None:
    other = replace(SWITCH, device="s2", name="sw2", used_ports=30, free_ports=10, free_poe=10)
    assert [one.title for one in removable_switches([SWITCH, other])] == ["remove switch sw1"]
    assert removable_switches([replace(SWITCH, carries=True), other]) == []
    assert removable_switches([SWITCH, replace(other, space="cupboard 2")]) == []
    assert removable_switches([SWITCH, replace(other, free_poe=0)]) == []


def test_two_switches_do_not_take_each_other_s_users() -> None:
    pair = [SWITCH, replace(SWITCH, device="s2", name="sw2")]
    assert len(removable_switches(pair)) == 1


def test_free_ports_are_offered_once() -> None:
    small = [replace(SWITCH, device=f"s{place}", free_ports=0, free_poe=0) for place in range(3)]
    big = replace(SWITCH, device="big", used_ports=40, free_ports=4, free_poe=4)
    assert len(removable_switches([*small, big])) == 2


def test_poe_at_night_is_more_at_the_plug() -> None:
    use = PoeUse("s1", "sw1", 28, 12, 100 * KWH, 60 * KWH)
    (found,) = poe_out_of_hours([use, replace(use, out_of_hours_uj=10 * KWH)])
    assert found.total_uj == pytest.approx(60 * KWH / 0.88 * 365 / 28)


def test_a_smaller_ups_saves_no_more_than_is_lost_today() -> None:
    use = UpsUse("u1", "ups1", 30, 10_000, 1_000, None)
    by_rule, measured = oversized_upss([use, replace(use, device="u2", loss_uj=KWH)])
    assert by_rule.total_uj == pytest.approx(0.03 * 8_000 * 365 * 86_400 * 1e6)
    assert measured.total_uj == KWH * 365 // 30
    assert oversized_upss([replace(use, mean_load_watts=3_000), replace(use, mean_load_watts=0)]) == []


def test_an_old_server_is_replaced_by_one_that_needs_a_bounded_part() -> None:
    old = OldServer("d1", "db1", 2016, 1000 * KWH, measured=True)
    (found,) = old_servers([old, replace(old, year=2022)], 2026, lambda *_: 0.1, 1_200_000)
    assert (found.total_uj, found.embodied_g, found.confidence) == (600 * KWH, 1_200_000, "medium")
    assert old_servers([old], 2026, lambda *_: 1.2, None) == []


_SAVINGS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 10**16), min_size=1)


@given(st.lists(_SAVINGS, max_size=6), st.dictionaries(st.sampled_from("abcd"), st.integers(0, 10**16)))
def test_overlapping_measures_never_save_more_than_is_used(
    savings: list[dict[str, int]], energy: dict[str, int]
) -> None:
    measures = [Measure("by_hand", str(place), saved, "low", "") for place, saved in enumerate(savings)]
    found = without_overlap(measures, energy)
    for device in "abcd":
        saved = sum(one.saved_uj.get(device, 0) for one in found)
        assert 0 <= saved <= energy.get(device, 0)
    for net in found:
        assert all(0 <= amount <= net.measure.saved_uj[device] for device, amount in net.saved_uj.items())


def test_what_one_measure_removes_no_other_saves() -> None:
    first = Measure("idle_server", "off", {"a": 100}, "high", "")
    second = Measure("old_server", "new", {"a": 60, "b": 50}, "low", "")
    found = without_overlap([first, second], {"a": 100, "b": 100})
    assert [dict(one.saved_uj) for one in found] == [{"a": 100}, {"a": 0, "b": 50}]


def test_a_measure_that_costs_energy_or_saves_of_nothing_is_refused() -> None:
    for saved in ({}, {"a": -1}):
        with pytest.raises(CarbonError):
            Measure("by_hand", "odd", saved, "low", "")


def test_money_and_payback_are_reckoned_to_the_penny_and_the_month() -> None:
    assert pounds_a_year(1000 * KWH, Decimal("28.5")) == Decimal("285.00")
    assert pounds_per_tonne(100_000, None, 0, 5) is None
    assert pounds_per_tonne(0, Decimal(100), 500_000, 5) == Decimal("-200.00")
    assert embodied_payback_years(1_000_000, 0) is None
    assert embodied_payback_years(0, 0) == 0


def _days(power_watts: int, count: int = DAYS, covered: int = 86_400) -> list[Day]:
    return [Day(place % 7 > 4, power_watts * covered * 1_000_000, covered, 86_400) for place in range(count)]


def test_a_saving_is_verified_by_the_power_before_and_after() -> None:
    assert verified_saving(_days(300), _days(100)).a_year_uj == 200 * 365 * 86_400 * 1_000_000
    worse = verified_saving(_days(100), _days(300)).a_year_uj
    assert worse is not None
    assert worse < 0


def test_a_gap_is_no_saving() -> None:
    assert verified_saving(_days(300), _days(300, covered=70_000)).a_year_uj == 0
    assert verified_saving(_days(300), _days(300, covered=40_000)).reason == "too little was read after it"
    assert verified_saving(_days(300), _days(300, count=60)).reason == "30 days are still to come"
    assert verified_saving([], _days(300)).reason == "too little was read before it"
