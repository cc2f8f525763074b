"""A host's energy of one half-hour shared out to its guests: attribution, which adds up to the host to the microjoule.

*Active* energy, what the host used beyond idling, goes by processor time: a guest's share is its busy time over that of
all the host's processors; what the host did for itself is *host itself*. *Idle* energy goes by configured size, half of
it by virtual processors and half by memory, for the time the guest ran; what no guest has configured is *headroom*.
Where guests have more configured than the host has, each half is scaled down, so that headroom is never negative.
Bounds are the host's, in proportion: how energy is shared out is a rule, which has no error of its own.
See docs/methods-energy.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from carbon.calendar import HALF_HOUR_SECONDS
from carbon.facts import HALF_HOUR_MS, UtilisationFacts
from carbon.units import split_by_largest_remainder
from carbon.utilisation import BINS

_MILLI = 1000
"""Virtual processors are counted in thousandths, so that all weights are whole numbers."""


@dataclass(frozen=True, slots=True)
class TimeUsed:
    """Processor time in one half-hour: microseconds busy and passed on all processors, and milliseconds it ran."""

    busy_us: int = 0
    total_us: int = 0
    ran_ms: int = 0

    def __add__(self, other: "TimeUsed") -> "TimeUsed":
        ran_ms = min(HALF_HOUR_MS, self.ran_ms + other.ran_ms)
        return TimeUsed(self.busy_us + other.busy_us, self.total_us + other.total_us, ran_ms)


@dataclass(frozen=True, slots=True)
class HostHalfHour:
    """A host in a half-hour: its energy in microjoules with bounds, how much of it is idling, and its capacity.

    `threads` and `memory_bytes` are 0 where they are not known: that half of the idle energy is then headroom.
    """

    energy_uj: int
    low_uj: int
    high_uj: int
    idle_uj: int
    threads: int
    memory_bytes: int
    used: TimeUsed


@dataclass(frozen=True, slots=True)
class GuestHalfHour:
    """A guest in a half-hour: configured size (0: no limit set) and processor time used."""

    vcpus: float
    memory_bytes: int
    used: TimeUsed


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a host's energy, in microjoules: idle and active, and the bounds of both together."""

    idle_uj: int
    active_uj: int
    low_uj: int
    high_uj: int

    @property
    def energy_uj(self) -> int:
        return self.idle_uj + self.active_uj


@dataclass(frozen=True, slots=True)
class SharedOut:
    """The parts of the guests, in their order, of the host's own work, and what nobody has configured."""

    guests: tuple[Part, ...]
    host_itself: Part
    headroom: Part


def share_out(host: HostHalfHour, guests: Sequence[GuestHalfHour]) -> SharedOut:
    """Share a host's energy out. The parts add up to the host's energy, low and high exactly."""
    idle = max(0, min(host.idle_uj, host.energy_uj))
    active = host.energy_uj - idle
    busy = [max(0, guest.used.busy_us) for guest in guests]
    # A guest's time is read beside the host's, not at the same moment: together they may seem to exceed it.
    own = max(0, host.used.busy_us - sum(busy))
    active_parts = _split(active, [*busy, own], otherwise=len(guests))
    wall_ms = max([host.used.ran_ms, *(guest.used.ran_ms for guest in guests), 1])
    by_processors = _sized(
        idle // 2, [_vcpu_weight(guest, host) for guest in guests], host.threads * _MILLI * wall_ms, guests
    )
    by_memory = _sized(
        idle - idle // 2, [_memory_weight(guest, host) for guest in guests], host.memory_bytes * wall_ms, guests
    )
    idle_parts = [one + other for one, other in zip(by_processors, by_memory, strict=True)]
    amounts = [
        *((idle_parts[index], active_parts[index]) for index in range(len(guests))),
        (0, active_parts[-1]),
        (idle_parts[-1], 0),
    ]
    whole = [part + other for part, other in amounts]
    last = len(whole) - 1
    below = _split(host.energy_uj - min(host.low_uj, host.energy_uj), whole, otherwise=last)
    above = _split(max(host.high_uj, host.energy_uj) - host.energy_uj, whole, otherwise=last)
    parts = [
        Part(one[0], one[1], sum(one) - less, sum(one) + more)
        for one, less, more in zip(amounts, below, above, strict=True)
    ]
    return SharedOut(tuple(parts[:-2]), parts[-2], parts[-1])


def _split(amount: int, weights: Sequence[int], otherwise: int) -> list[int]:
    """An amount by weights, exactly; where all of these are 0, all of it to the part at position `otherwise`."""
    if not any(weights):
        weights = [int(index == otherwise) for index in range(len(weights))]
    return split_by_largest_remainder(amount, weights)


def idle_energy(energy_uj: int, bins_ms: Sequence[int], watts: Sequence[float]) -> int:
    """How much of a host's energy is idling: the power model's own proportion at this load, applied to the energy.

    `bins_ms` is the time in each utilisation bin and `watts` the model's power in each. Without any time the model can
    say nothing of the load, and all is idling. For an estimated host this is exactly its idle power over the time.
    """
    if len(bins_ms) != BINS or len(watts) != BINS or not any(bins_ms) or watts[0] <= 0:
        return energy_uj
    exact = [round(one * 1e6) for one in watts]
    modelled = sum(time * power for time, power in zip(bins_ms, exact, strict=True))
    idling = sum(bins_ms) * exact[0]
    return min(energy_uj, int(Fraction(energy_uj) * idling / modelled)) if modelled else energy_uj


def extremes(facts: UtilisationFacts) -> UtilisationFacts:
    """The first and last point alone: a guest's time is their difference, and what lies between says no more."""
    if len(facts.points) <= 2:
        return facts
    ends = (min(facts.points, key=_by_total), max(facts.points, key=_by_total))
    return replace(facts, points=tuple(sorted(set(ends))))


def time_used(epochs: Iterable[Mapping[int, UtilisationFacts]], half_hour: int) -> TimeUsed:
    """Processor time in the half-hour (Unix seconds) from each epoch's facts in it and the two beside it.

    A boundary's value is interpolated between the last point before it and the first at or after it, so that
    neighbouring half-hours share it and no time is counted twice.
    """
    used = TimeUsed()
    for facts in epochs:
        own = facts.get(half_hour)
        if own is None or not own.points:
            continue
        begin, end = _first(own, half_hour), _last(own, half_hour)
        earlier, later = half_hour - HALF_HOUR_SECONDS, half_hour + HALF_HOUR_SECONDS
        before, after = facts.get(earlier), facts.get(later)
        if before is not None and before.points:
            begin = _between(_last(before, earlier), begin, half_hour * 1000)
        if after is not None and after.points:
            end = _between(end, _first(after, later), later * 1000)
        total_us, ran_ms = max(0, end[2] - begin[2]), max(0, min(HALF_HOUR_MS, end[0] - begin[0]))
        used += TimeUsed(min(total_us, max(0, end[1] - begin[1])), total_us, ran_ms)
    return used


_Point = tuple[int, int, int]


def _first(facts: UtilisationFacts, half_hour: int) -> _Point:
    at, busy, total = min(facts.points, key=_by_total)
    return half_hour * 1000 + at, busy, total


def _last(facts: UtilisationFacts, half_hour: int) -> _Point:
    at, busy, total = max(facts.points, key=_by_total)
    return half_hour * 1000 + at, busy, total


def _between(earlier: _Point, later: _Point, at_ms: int) -> _Point:
    """The values at a moment between two points; the later one where they do not surround it (clocks were wrong)."""
    (from_ms, from_busy, from_total), (to_ms, to_busy, to_total) = earlier, later
    if not from_ms <= at_ms <= to_ms or from_ms == to_ms:
        return earlier if at_ms > to_ms else later
    passed, whole = at_ms - from_ms, to_ms - from_ms
    return (
        at_ms,
        from_busy + (to_busy - from_busy) * passed // whole,
        from_total + (to_total - from_total) * passed // whole,
    )


def _by_total(point: _Point) -> tuple[int, int]:
    return point[2], point[0]


def _sized(amount: int, weights: Sequence[int], capacity: int, guests: Sequence[GuestHalfHour]) -> list[int]:
    """An amount by weights out of a capacity; what they do not fill, at the end. More than it scales them down."""
    if capacity <= 0:
        return [*([0] * len(guests)), amount]
    return _split(amount, [*weights, max(0, capacity - sum(weights))], otherwise=len(guests))


def _vcpu_weight(guest: GuestHalfHour, host: HostHalfHour) -> int:
    """Thousandths of processors times milliseconds; without a limit what it used counts in place of it."""
    if guest.vcpus <= 0:
        return min(guest.used.busy_us, host.threads * _MILLI * guest.used.ran_ms)
    return round(min(guest.vcpus, host.threads) * _MILLI) * guest.used.ran_ms


def _memory_weight(guest: GuestHalfHour, host: HostHalfHour) -> int:
    """Bytes times milliseconds; without a limit its share of the host's processor time counts in place of it."""
    if guest.memory_bytes > 0:
        return min(guest.memory_bytes, host.memory_bytes) * guest.used.ran_ms
    if guest.used.total_us <= 0:
        return 0
    return host.memory_bytes * guest.used.ran_ms * guest.used.busy_us // guest.used.total_us
