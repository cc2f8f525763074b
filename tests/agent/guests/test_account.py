"""The guests' processor time together is never more than the host's, and none of it is lost."""

from hypothesis import given
from hypothesis import strategies as st

from agent.guests.account import Account, Usage
from tests.agent.guests.host import host_reading

use = st.integers(0, 10**8)


@given(intervals=st.lists(st.tuples(st.lists(use, min_size=3, max_size=3), st.integers(0, 8 * 10**7)), max_size=20))
def test_guests_never_exceed_the_host_and_what_is_held_back_is_counted_later(
    intervals: list[tuple[list[int], int]],
) -> None:
    account, used, reported = Account(), [5, 6, 7], [5, 6, 7]

    def sample(second: int, interval: float, host_busy: int) -> list[list[int]]:
        usages = [Usage(f"guest/{n}", "e", busy) for n, busy in enumerate(used)]
        readings = account.readings(usages, host_reading(second, 0, interval, host_busy))
        assert [one.meter.name for one in readings] == ["guest/0", "guest/1", "guest/2"]
        assert [one.values[0] for one in readings] == [
            a + sum(one.differences[:1]) for a, one in zip(reported, readings, strict=True)
        ]
        reported[:] = [int(one.values[0]) for one in readings]
        return [one.differences for one in readings]

    assert sample(1000, 0, 0) == [[], [], []]
    for number, (more, host_busy) in enumerate(intervals):
        used = [a + b for a, b in zip(used, more, strict=True)]
        differences = sample(1010 + 10 * number, 10, host_busy)
        assert sum(busy for busy, _ in differences) <= host_busy
        assert all(reported[n] <= used[n] for n in range(3))
    # An interval in which the host was busy enough catches up with all of it.
    sample(1_000_000, 10, 8 * 10**9)
    assert reported == used


def test_a_guest_that_was_started_anew_has_a_new_epoch_and_no_interval() -> None:
    account = Account()
    account.readings([Usage("guest/a", "first", 9_000_000)], host_reading(1000, 0, 0))
    [reading] = account.readings([Usage("guest/a", "second", 1_000_000)], host_reading(1010, 0))
    assert (reading.meter.epoch, reading.interval_ns, reading.differences) == ("second", 0, [])
    [reading] = account.readings([Usage("guest/a", "second", 3_000_000)], host_reading(1020, 0))
    assert reading.differences == [2_000_000, 80_000_000]


def test_a_count_that_goes_back_is_held_and_never_negative() -> None:
    account = Account()
    account.readings([Usage("guest/a", "e", 9_000_000)], host_reading(1000, 0, 0))
    [reading] = account.readings([Usage("guest/a", "e", 8_000_000)], host_reading(1010, 0))
    assert (reading.values[0], reading.differences[0]) == (9_000_000, 0)
