"""Sharing a host's energy out to guests: exact for any host and guests, and by the rule that the documentation states."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.facts import HALF_HOUR_MS, UtilisationFacts, merge
from carbon.guests import (
    GuestHalfHour,
    HostHalfHour,
    SharedOut,
    TimeUsed,
    extremes,
    idle_energy,
    share_out,
    time_used,
)

GB = 2**30
HOUR = 36 * 10**10
"""A hundred watts over an hour, in microjoules."""

used = st.builds(
    TimeUsed,
    st.integers(0, 10**12),
    st.integers(0, 10**12),
    st.integers(0, HALF_HOUR_MS),
)
guests_of_any_kind = st.lists(st.builds(GuestHalfHour, st.floats(0, 65_536), st.integers(0, 2**50), used), max_size=12)
hosts_of_any_kind = st.builds(
    lambda energy, low, high, idle, threads, memory, time: HostHalfHour(
        energy, energy - min(energy, low), energy + high, idle, threads, memory, time
    ),
    st.integers(0, 2**50),
    st.integers(0, 2**50),
    st.integers(0, 2**50),
    st.integers(-10, 2**51),
    st.integers(0, 4096),
    st.integers(0, 2**45),
    used,
)


def host(energy: int = HOUR, idle: int = HOUR // 2, threads: int = 80, busy: float = 0.5) -> HostHalfHour:
    total = threads * HALF_HOUR_MS * 1000
    time = TimeUsed(int(total * busy), total, HALF_HOUR_MS)
    return HostHalfHour(energy, energy * 8 // 10, energy * 12 // 10, idle, threads, 256 * GB, time)


def guest(vcpus: float = 4, memory: int = 16 * GB, busy: float = 2, ran: float = 1, threads: int = 80) -> GuestHalfHour:
    """A guest that keeps `busy` processors busy for the share `ran` of the half-hour."""
    ran_ms = int(HALF_HOUR_MS * ran)
    return GuestHalfHour(vcpus, memory, TimeUsed(int(ran_ms * 1000 * busy), ran_ms * 1000 * threads, ran_ms))


def parts(shared: SharedOut) -> list[tuple[int, int, int]]:
    whole = (*shared.guests, shared.host_itself, shared.headroom)
    return [(one.energy_uj, one.low_uj, one.high_uj) for one in whole]


@given(hosts_of_any_kind, guests_of_any_kind)
def test_the_parts_of_any_host_add_up_to_it_within_its_bounds(of: HostHalfHour, guests: list[GuestHalfHour]) -> None:
    shared = share_out(of, guests)
    found = parts(shared)
    assert len(shared.guests) == len(guests)
    assert [sum(column) for column in zip(*found, strict=True)] == [of.energy_uj, of.low_uj, of.high_uj]
    assert all(0 <= low <= energy <= high for energy, low, high in found)
    assert all(one.idle_uj >= 0 and one.active_uj >= 0 for one in shared.guests)


@given(hosts_of_any_kind, guests_of_any_kind, st.data())
def test_a_guest_that_asks_for_more_never_gets_less(
    of: HostHalfHour, guests: list[GuestHalfHour], data: st.DataObject
) -> None:
    if not guests:
        return
    at = data.draw(st.integers(0, len(guests) - 1))
    if guests[at].vcpus == 0:
        return
    larger = [*guests]
    larger[at] = GuestHalfHour(guests[at].vcpus * 2, guests[at].memory_bytes, guests[at].used)
    # One microjoule may fall elsewhere by rounding.
    assert share_out(of, larger).guests[at].idle_uj >= share_out(of, guests).guests[at].idle_uj - 1


def test_active_energy_goes_by_processor_time_and_idle_by_size() -> None:
    shared = share_out(host(), [guest(busy=8), guest(busy=16, vcpus=8, memory=32 * GB)])
    small, large = shared.guests
    # Half of 80 processors are busy: 8 and 16 with guests, 16 with the host itself.
    assert (small.active_uj, large.active_uj) == (HOUR // 2 * 8 // 40, HOUR // 2 * 16 // 40)
    assert shared.host_itself.energy_uj == HOUR // 2 * 16 // 40
    # 4 of 80 processors and 16 of 256 GB.
    assert small.idle_uj == HOUR // 4 * 4 // 80 + HOUR // 4 * 16 // 256
    assert large.idle_uj == 2 * small.idle_uj
    assert shared.headroom.energy_uj == HOUR // 2 - 3 * small.idle_uj


def test_guests_configured_beyond_their_host_are_scaled_down_and_leave_no_headroom() -> None:
    shared = share_out(host(), [guest(vcpus=80, memory=256 * GB)] * 3)
    assert shared.headroom.energy_uj == 0
    assert [one.idle_uj for one in shared.guests] == [HOUR // 6] * 3
    only_processors = share_out(host(), [guest(vcpus=80, memory=64 * GB)] * 3)
    assert only_processors.headroom.energy_uj == HOUR // 4 // 4


def test_a_guest_cannot_have_more_than_its_host() -> None:
    wild, sane = share_out(host(), [guest(vcpus=65_536, memory=2**50), guest(vcpus=80, memory=256 * GB)]).guests
    assert wild.idle_uj == sane.idle_uj


def test_half_the_time_is_half_the_size() -> None:
    always, half = share_out(host(), [guest(), guest(ran=0.5)]).guests
    assert always.idle_uj == 2 * half.idle_uj


def test_a_container_without_limits_counts_by_what_it_uses() -> None:
    free, fixed = share_out(
        host(), [guest(vcpus=0, memory=0, busy=4), guest(vcpus=4, memory=256 * GB * 4 // 80)]
    ).guests
    assert free.idle_uj == fixed.idle_uj > 0


def test_guests_that_seem_busier_than_the_whole_host_share_what_there_is() -> None:
    shared = share_out(host(busy=0.1), [guest(busy=8), guest(busy=8)])
    assert shared.host_itself.energy_uj == 0
    assert [one.active_uj for one in shared.guests] == [HOUR // 4] * 2


def test_a_host_of_unknown_size_keeps_its_idle_energy_as_headroom() -> None:
    of = host()
    unknown = HostHalfHour(of.energy_uj, of.low_uj, of.high_uj, of.idle_uj, 0, 0, of.used)
    shared = share_out(unknown, [guest(busy=40)])
    assert shared.headroom.energy_uj == HOUR // 2
    assert shared.guests[0].active_uj == HOUR // 2


def bins(**shares: int) -> list[int]:
    return [shares.get(f"at_{index * 10}", 0) for index in range(11)]


def test_idle_energy_is_the_models_proportion_of_what_was_measured() -> None:
    watts = [100.0 + 20 * index for index in range(11)]
    # Half the time at 50%: 200 W, of which 100 are idling; half idle. 1.5 times what the model says was measured.
    assert idle_energy(450, bins(at_50=900, at_0=900), watts) == 300
    assert idle_energy(450, bins(at_0=1800), watts) == 450
    assert idle_energy(450, bins(), watts) == 450
    assert idle_energy(0, bins(at_100=1800), watts) == 0


@given(st.integers(0, 2**50), st.lists(st.integers(0, HALF_HOUR_MS), min_size=11, max_size=11))
def test_idle_energy_never_exceeds_the_energy(energy: int, times: list[int]) -> None:
    assert 0 <= idle_energy(energy, times, [50.0 + index for index in range(11)]) <= energy


Epoch = dict[int, UtilisationFacts]


def facts_of(readings: Sequence[tuple[int, int, int]], half_hours: Sequence[int]) -> Epoch:
    """Facts by half-hour of (Unix milliseconds, busy, total)."""
    found = {}
    for half_hour in half_hours:
        start = half_hour * 1000
        mine = tuple((at - start, busy, total) for at, busy, total in readings if start <= at < start + HALF_HOUR_MS)
        if mine:
            found[half_hour] = UtilisationFacts(mine, ())
    return found


@given(
    st.lists(st.integers(0, 4 * HALF_HOUR_MS), min_size=2, max_size=30, unique=True),
    st.lists(st.integers(0, 80), min_size=30, max_size=30),
)
def test_half_hours_that_follow_each_other_sum_to_the_counters_difference(times: list[int], pace: list[int]) -> None:
    half_hours = [0, 1800, 3600, 5400, 7200]
    readings, busy, before = [], 0, min(times)
    for at, each in zip(sorted(times), pace, strict=False):
        busy += (at - before) * each
        before = at
        readings.append((at, busy, at * 80))
    facts = facts_of(readings, half_hours)
    if sorted(facts) != list(range(min(facts), max(facts) + 1, 1800)):
        return
    found = [time_used([facts], half_hour) for half_hour in half_hours]
    assert sum(one.busy_us for one in found) == busy
    assert sum(one.ran_ms for one in found) == max(times) - min(times)
    ends = [time_used([{at: extremes(one) for at, one in facts.items()}], half_hour) for half_hour in half_hours]
    assert ends == found


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20))
def test_the_ends_of_parts_are_the_ends_of_the_whole(points: list[tuple[int, int, int]]) -> None:
    pieces = [UtilisationFacts((point,), ()) for point in points]
    merged = merge(pieces)
    assert isinstance(merged, UtilisationFacts)
    half = [merge(some) for some in (pieces[::2], pieces[1::2]) if some]
    of_halves = merge([extremes(one) for one in half if isinstance(one, UtilisationFacts)])
    assert isinstance(of_halves, UtilisationFacts)
    assert extremes(of_halves) == extremes(merged)


@pytest.mark.parametrize("readings", [[(0, 0, 0)], [(1000, 50, 40), (0, 60, 30)], [(5, 9, 9), (5, 9, 9)]])
def test_clocks_that_go_back_give_no_negative_time(readings: list[tuple[int, int, int]]) -> None:
    found = time_used([facts_of(readings, [0])], 0)
    assert min(found.busy_us, found.total_us, found.ran_ms) >= 0
