"""Counters of energy unwrapped: what is counted is true or is not counted, and an epoch is continuous."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.counters import Counted, CounterState, advance, states_from_text, states_to_text

RANGE_UJ = 262_143_328_850
HIGHEST_WATTS = 1000.0
SECOND = 10**9
BOOT = "boot-1"

steps = st.lists(
    st.tuples(st.integers(1, 250), st.floats(0, HIGHEST_WATTS)),
    min_size=1,
    max_size=40,
)
"""Seconds until the next reading, and the mean power until then."""


def read_all(
    readings: list[tuple[int, int]], range_uj: int | None, boot: str = BOOT, state: CounterState | None = None
) -> tuple[CounterState | None, list[Counted]]:
    """Advance over readings of (boot time in ns, raw value)."""
    counted = []
    for boot_ns, raw in readings:
        state, one = advance(state, raw, boot_ns, boot, range_uj, HIGHEST_WATTS)
        counted.append(one)
    return state, counted


@given(start=st.integers(0, RANGE_UJ), steps=steps)
def test_the_sum_of_differences_is_the_true_energy_however_often_the_counter_wraps(
    start: int, steps: list[tuple[int, float]]
) -> None:
    true_uj, now, readings = start, SECOND, [(SECOND, start)]
    for seconds, watts in steps:
        now += seconds * SECOND
        true_uj += int(watts * seconds * 1e6)
        readings.append((now, true_uj % (RANGE_UJ + 1)))
    _, counted = read_all(readings, RANGE_UJ)
    assert sum(one.difference_uj for one in counted) == true_uj - start
    assert counted[-1].total_uj == true_uj - start
    assert len({one.epoch for one in counted}) == 1


@given(raws=st.lists(st.integers(0, 2**64), min_size=2, max_size=30), range_uj=st.sampled_from([None, 0, RANGE_UJ]))
def test_whatever_a_counter_does_totals_only_grow_within_an_epoch_and_no_more_than_can_be_drawn(
    raws: list[int], range_uj: int | None
) -> None:
    _, counted = read_all([(index * 10 * SECOND + 1, raw) for index, raw in enumerate(raws)], range_uj)
    for before, after in itertools.pairwise(counted):
        if after.epoch == before.epoch:
            assert after.total_uj == before.total_uj + after.difference_uj
            assert 0 <= after.difference_uj <= HIGHEST_WATTS * 10 * 1e6
            assert after.interval_ns == 10 * SECOND
        else:
            assert (after.total_uj, after.difference_uj, after.interval_ns) == (0, 0, 0)


@pytest.mark.parametrize("range_uj", [None, RANGE_UJ])
def test_a_counter_set_back_to_zero_begins_a_new_epoch(range_uj: int | None) -> None:
    # For one that wraps, going from the middle to 0 would be a wrap of more than 10 s can draw.
    _, (before, after) = read_all([(SECOND, RANGE_UJ // 2), (11 * SECOND, 0)], range_uj)
    assert before.epoch != after.epoch


def test_a_reboot_begins_a_new_epoch_although_the_counter_went_on() -> None:
    state, _ = read_all([(50 * SECOND, 1000)], RANGE_UJ)
    _, [after] = read_all([(60 * SECOND, 2000)], RANGE_UJ, boot="boot-2", state=state)
    assert state is not None
    assert after.epoch != state.epoch
    assert after.interval_ns == 0


def test_a_pause_in_which_the_counter_could_have_wrapped_unseen_begins_a_new_epoch() -> None:
    proved = int(RANGE_UJ / 1e6 / HIGHEST_WATTS)
    _, (first, kept) = read_all([(SECOND, 0), (proved * SECOND, 5)], RANGE_UJ)
    assert first.epoch == kept.epoch
    _, (first, new) = read_all([(SECOND, 0), ((proved + 2) * SECOND, 5)], RANGE_UJ)
    assert first.epoch != new.epoch


def test_a_counter_that_never_wraps_is_proved_over_any_pause() -> None:
    day = 86_400
    _, (_, after) = read_all([(SECOND, 0), ((day + 1) * SECOND, day * 100 * 10**6)], None)
    assert after.difference_uj == day * 100 * 10**6


def test_two_readings_at_one_moment_begin_a_new_epoch_rather_than_divide_by_nothing() -> None:
    _, (first, second) = read_all([(SECOND, 5), (SECOND, 6)], RANGE_UJ)
    assert first.epoch != second.epoch


@given(cut=st.integers(1, 9), steps=st.lists(st.integers(0, 10**10), min_size=10, max_size=10))
def test_a_restart_anywhere_counts_the_same_as_none(cut: int, steps: list[int]) -> None:
    raw, readings = 0, []
    for index, step in enumerate(steps):
        raw = (raw + step) % (RANGE_UJ + 1)
        readings.append(((1 + index * 10) * SECOND, raw))
    _, whole = read_all(readings, RANGE_UJ)
    state, first = read_all(readings[:cut], RANGE_UJ)
    assert state is not None
    kept = states_from_text(states_to_text({"rapl/package-0": state}))["rapl/package-0"]
    _, second = read_all(readings[cut:], RANGE_UJ, state=kept)
    assert [(one.total_uj, one.difference_uj) for one in first + second] == [
        (one.total_uj, one.difference_uj) for one in whole
    ]
    assert len({one.epoch for one in first + second}) == 1


GOOD: dict[str, Any] = {"raw_uj": 5, "boot_ns": 6, "boot_id": BOOT, "epoch": "e1", "total_uj": 7}


@pytest.mark.parametrize(
    "row",
    [
        None,
        5,
        [],
        {},
        {"raw_uj": 5},
        GOOD | {"more": 1},
        GOOD | {"raw_uj": -1},
        GOOD | {"raw_uj": 1.5},
        GOOD | {"raw_uj": "5"},
        GOOD | {"raw_uj": True},
        GOOD | {"boot_ns": None},
        GOOD | {"total_uj": 2**63},
        GOOD | {"boot_id": ""},
        GOOD | {"epoch": 5},
        GOOD | {"epoch": "e" * 65},
    ],
)
def test_a_remembered_state_that_makes_no_sense_is_left_out_and_the_others_kept(row: object) -> None:
    assert states_from_text(json.dumps({"bad": row, "good": GOOD})) == {"good": CounterState(**GOOD)}


@given(st.text() | st.binary().map(lambda content: content.decode(errors="replace")))
def test_a_damaged_file_of_states_is_read_as_nothing(text: str) -> None:
    assert states_from_text(text) == {}


@pytest.mark.parametrize("text", ["", "[]", "5", '"x"', "{", "[" * 100_000, '{"a": ' * 10_000])
def test_a_file_of_states_with_something_else_in_it_is_read_as_nothing(text: str) -> None:
    assert states_from_text(text) == {}
