"""What is fetched of a device, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.snmp.identity import SYS_UP_TIME
from collector.snmp.interfaces import ALIAS, COUNTERS
from collector.snmp.poll_plan import LONGEST_PAUSE_SECONDS, PARTS, Part, Schedule, wanted
from collector.snmp.profile_files import parsed, profiles

INTERVALS: dict[Part, float] = {"power": 60.0, "utilisation": 300.0, "inventory": 86_400.0}
PROFILE = parsed(
    "example",
    """
    title = "An example"
    [select]
    probe = ["1.3.6.1.4.1.99999.1"]
    [[hardware]]
    oid = "1.3.6.1.4.1.99999.1.1.0"
    [[reading]]
    quantity = "power"
    role = "inlet"
    oid = "1.3.6.1.4.1.99999.2.1.4"
    names = [{ oid = "1.3.6.1.4.1.99999.2.1.2" }]
    where = [{ oid = "1.3.6.1.4.1.99999.2.1.3", any_of = [1] }]
    [[processor]]
    oid = "1.3.6.1.4.1.99999.3.0"
    """,
)


def test_each_part_fetches_what_it_needs_and_no_more() -> None:
    power = wanted("power", [PROFILE])
    assert power.columns == {f"1.3.6.1.4.1.99999.2.1.{column}" for column in (2, 3, 4)}
    assert power.values == {SYS_UP_TIME}
    utilisation = wanted("utilisation", [PROFILE])
    assert "1.3.6.1.4.1.99999.3.0" in utilisation.values
    assert COUNTERS["in_octets"][0] in utilisation.columns
    inventory = wanted("inventory", [PROFILE])
    assert "1.3.6.1.4.1.99999.1.1.0" in inventory.values
    assert ALIAS in inventory.columns
    assert not any("99999.2" in oid for oid in inventory.columns)


def test_every_packaged_profile_can_be_planned() -> None:
    for part in PARTS:
        assert wanted(part, profiles().values()).values


def test_the_first_poll_tells_everything_and_then_each_part_has_its_interval() -> None:
    schedule = Schedule.begin("device", INTERVALS, 1000.0)
    first = schedule.next_at
    assert 1000.0 <= first < 1060.0
    assert schedule.parts(first) == set(PARTS)
    schedule.done(PARTS, first)
    assert schedule.parts(first + 59.9) == set()
    assert schedule.parts(first + 60.0) == {"power"}
    schedule.done(["power"], first + 60.0)
    assert schedule.parts(first + 300.0) == {"power", "utilisation"}


def test_ticks_that_were_missed_are_left_out() -> None:
    schedule = Schedule.begin("device", INTERVALS, 0.0)
    first = schedule.next_at
    schedule.done(PARTS, first)
    schedule.done(["power"], first + 60 + 250)
    assert schedule.due["power"] == pytest.approx(first + 360)


def test_devices_are_spread_over_the_interval() -> None:
    firsts = [Schedule.begin(f"device-{number}", INTERVALS, 0.0).next_at for number in range(2000)]
    by_second = [sum(1 for one in firsts if second <= one < second + 1) for second in range(60)]
    assert max(by_second) < 4 * 2000 / 60


@given(st.integers(1, 60))
def test_a_device_that_does_not_answer_is_tried_less_often_but_always_again(failures: int) -> None:
    schedule = Schedule.begin("device", INTERVALS, 0.0)
    now = schedule.next_at
    pauses = []
    for _ in range(failures):
        pauses.append(schedule.failed(now))
        assert schedule.parts(now + 1) == set()
        now += pauses[-1]
        assert schedule.parts(now) == set(PARTS)
    assert pauses == sorted(pauses)
    assert max(pauses) <= LONGEST_PAUSE_SECONDS
    schedule.done(PARTS, now)
    assert schedule.failed(now) == 60.0


def test_a_trap_has_everything_asked_at_once() -> None:
    schedule = Schedule.begin("device", INTERVALS, 0.0)
    schedule.done(PARTS, schedule.next_at)
    schedule.failed(100.0)
    schedule.ask_again(101.0)
    assert schedule.parts(101.0) == set(PARTS)


def test_a_trap_during_a_poll_has_another_made_after_it_however_that_one_goes() -> None:
    for failing in (False, True):
        schedule = Schedule.begin("device", INTERVALS, 0.0)
        begun = schedule.next_at
        schedule.ask_again(begun + 1)
        if failing:
            assert schedule.failed(begun + 2, begun) == 0.0
        else:
            schedule.done(PARTS, begun + 2, begun)
        assert schedule.parts(begun + 2) == set(PARTS)
        schedule.done(PARTS, begun + 3, begun + 2)
        assert schedule.parts(begun + 4) == set()
