"""What stands for a meter's silence: a mean of the same weekday and half-hour, and nothing where there is no witness."""

import datetime
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from carbon.calendar import day_bounds, half_hours_of_day, local_day
from carbon.fill import Filled, Reading, fill, mean_energy, missing_seconds, witness_days

ZONE = "Europe/London"
DAY = datetime.date(2025, 7, 16)


def read(days: Mapping[datetime.date, int], covered: int = 1800) -> dict[datetime.date, dict[int, Reading]]:
    """Days read as a whole, each half-hour with so much energy."""
    return {
        day: {at: Reading(energy, covered, 0) for at in half_hours_of_day(day, ZONE)} for day, energy in days.items()
    }


def filled(day: datetime.date, known: Mapping[datetime.date, Mapping[int, Reading]]) -> Filled:
    return fill(*day_bounds(day, ZONE), day, ZONE, lambda one: known.get(one, {}))


def week(number: int) -> datetime.date:
    return DAY + datetime.timedelta(weeks=number)


def test_a_silent_day_is_the_mean_of_the_same_weekday_in_the_28_days_before() -> None:
    known = read({week(-1): 100, week(-2): 200, week(-4): 600, week(-5): 9999, week(1): 9999})
    assert filled(DAY, known) == Filled(48, 48 * 300)


def test_where_nothing_was_read_before_the_28_days_after_stand() -> None:
    assert filled(DAY, read({week(1): 100, week(4): 300, week(5): 9999})) == Filled(48, 48 * 200)


def test_another_weekday_is_no_witness() -> None:
    known = read({DAY - datetime.timedelta(days=1): 100, DAY + datetime.timedelta(days=1): 100})
    assert filled(DAY, known) == Filled(0, 0, 48, 86_400)


def test_what_was_spread_over_a_gap_is_counted_already_and_is_no_witness() -> None:
    start = day_bounds(DAY, ZONE)[0]
    known = read({week(-1): 100})
    known[DAY] = {at: Reading(50, 600, 1200) for at in half_hours_of_day(DAY, ZONE)}
    assert filled(DAY, known) == Filled()
    known[week(-1)][start - 7 * 86_400] = Reading(100, 900, 900)
    del known[DAY][start]
    assert filled(DAY, known) == Filled(0, 0, 1, 1800)


def test_a_part_of_a_half_hour_is_filled_by_its_seconds() -> None:
    known = read({week(-1): 1800}) | read({DAY: 600}, covered=600)
    assert filled(DAY, known) == Filled(48, 48 * 1200)
    assert missing_seconds(1800, 2400, 9000, Reading(1, 300, 0)) == 900


def test_the_hour_that_the_clocks_skip_and_that_they_repeat_is_met_by_local_time() -> None:
    spring = datetime.date(2025, 3, 30)
    assert filled(spring, read({spring - datetime.timedelta(weeks=1): 100})) == Filled(46, 4600)
    autumn = datetime.date(2025, 10, 26)
    assert filled(autumn, read({autumn - datetime.timedelta(weeks=1): 100})) == Filled(50, 5000)
    assert filled(autumn + datetime.timedelta(weeks=1), read({autumn: 100})) == Filled(48, 4800)
    # 01:00 and 01:30 are on no clock of the spring's day: the day a week on finds no witness of them there.
    after = spring + datetime.timedelta(weeks=1)
    assert filled(after, read({spring: 100})) == Filled(46, 4600, 2, 3600)


readings = st.builds(
    lambda energy, covered, spread: Reading(energy, covered, min(spread, 1800 - covered)),
    st.integers(0, 10**12),
    st.integers(0, 1800),
    st.integers(0, 1800),
)


@given(st.lists(readings, max_size=8), st.integers(0, 1800), st.integers(0, 1800))
def test_a_mean_splits_as_its_seconds_do_and_lies_between_its_witnesses(
    witnesses: list[Reading], one: int, other: int
) -> None:
    whole = mean_energy(one + other, witnesses)
    powers = [r.energy_uj / r.covered_seconds for r in witnesses if r.covered_seconds and not r.spread_seconds]
    assert (whole is None) == (not powers)
    if whole is not None:
        first, second = mean_energy(one, witnesses), mean_energy(other, witnesses)
        assert first is not None and second is not None
        assert abs(first + second - whole) <= 1
        assert min(powers) * (one + other) - 1 <= whole <= max(powers) * (one + other) + 1


@given(st.dictionaries(st.integers(-5 * 336, 5 * 336 - 1), readings, max_size=60), st.integers(0, 47))
def test_known_filled_and_empty_seconds_are_the_time_in_use(known: dict[int, Reading], cut: int) -> None:
    begins, ends = day_bounds(DAY, ZONE)
    by_day: dict[datetime.date, dict[int, Reading]] = {}
    for offset, one in known.items():
        at = begins + offset * 1800
        by_day.setdefault(local_day(at, ZONE), {})[at] = one
    start = begins + cut * 1800
    found = fill(start, ends, DAY, ZONE, lambda day: by_day.get(day, {}))
    mine = by_day.get(DAY, {})
    missing = {at: missing_seconds(at, start, ends, mine.get(at)) for at in range(start, ends, 1800)}
    assert found.half_hours + found.empty_half_hours == sum(1 for seconds in missing.values() if seconds)
    assert found.empty_seconds <= sum(missing.values())
    split = fill(start, (start + ends) // 3600 * 1800, DAY, ZONE, lambda day: by_day.get(day, {})) + fill(
        (start + ends) // 3600 * 1800, ends, DAY, ZONE, lambda day: by_day.get(day, {})
    )
    assert split == found


def test_witnesses_are_the_four_weeks_before_and_after() -> None:
    assert [(one - DAY).days for one in witness_days(DAY)] == [-28, -21, -14, -7, 7, 14, 21, 28]
