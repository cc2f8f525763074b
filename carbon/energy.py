"""The energy of one half-hour from its facts and its neighbours'. Pure: the same facts give the same microjoules.

**Counters.** The energy of a half-hour is the counter's value at its end less the value at its start. Each boundary
value is interpolated once, in whole microjoules, between the last reading before it and the first at or after it, so
neighbouring half-hours share it: over any run of half-hours the energies sum to the counter's difference exactly.

**Power.** The time integral of the mean watts; time without a reading has no energy.

**Utilisation.** How long the processors were in each of eleven utilisation bins, from which the power model
estimates. Cumulative processor time also tells the mean over a gap.

Time with a reading is *covered*. Energy that a cumulative counter shows across a gap is counted and spread evenly;
its time is *spread*, which is no coverage. Covered and spread together never exceed the half-hour.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from carbon.facts import HALF_HOUR_MS, HIGHEST_WATTS, CounterFacts, PowerFacts, UtilisationFacts
from carbon.intervals import overlap
from carbon.utilisation import BINS, utilisation_bin

LONGEST_SPREAD_MS = 35 * 24 * 3600 * 1000
"""Across a longer gap a difference is not counted: spreading months of energy evenly would say nothing true."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The nearest half-hour on one side that has facts of the same meter and epoch. `half_hour` in Unix seconds."""

    half_hour: int
    facts: CounterFacts | UtilisationFacts


@dataclass(frozen=True, slots=True)
class Measured:
    """Measured energy of one meter in one half-hour: microjoules, and milliseconds covered and spread."""

    energy_uj: int
    covered_ms: int
    spread_ms: int


@dataclass(frozen=True, slots=True)
class Load:
    """Milliseconds in each utilisation bin: `covered_ms` with readings, `spread_ms` across gaps."""

    covered_ms: tuple[int, ...]
    spread_ms: tuple[int, ...]


def counter_energy(
    half_hour: int, own: CounterFacts | None, before: Neighbour | None, after: Neighbour | None
) -> Measured:
    """Energy that one epoch of a counter shows in the half-hour starting at `half_hour` (Unix seconds).

    `own` is None in the middle of a gap. `before` and `after` are the nearest half-hours with facts of this epoch.
    """
    first = _at(half_hour, own.first) if own and own.first else None
    last = _at(half_hour, own.last) if own and own.last else None
    earlier = _at(before.half_hour, before.facts.last) if before and isinstance(before.facts, CounterFacts) else None
    later = _at(after.half_hour, after.facts.first) if after and isinstance(after.facts, CounterFacts) else None
    start_ms, end_ms = half_hour * 1000, half_hour * 1000 + HALF_HOUR_MS
    at_start = _boundary(earlier, first or later, start_ms)
    at_end = _boundary(last or earlier, later, end_ms)
    covered = own.covered if own else ()
    if first is None or last is None:
        if at_start is None or at_end is None:
            return Measured(0, 0, 0)
        return Measured(max(0, at_end - at_start), 0, HALF_HOUR_MS)
    if not _possible(last[1] - first[1], HALF_HOUR_MS):
        return Measured(0, 0, 0)
    known_from = 0 if at_start is not None else min(first[0], last[0]) - start_ms
    known_to = HALF_HOUR_MS if at_end is not None else max(first[0], last[0]) - start_ms
    energy_uj = (last[1] if at_end is None else at_end) - (first[1] if at_start is None else at_start)
    covered_ms = overlap(covered, 0, HALF_HOUR_MS)
    spread_ms = max(0, known_to - known_from - overlap(covered, known_from, known_to))
    return Measured(max(0, energy_uj), covered_ms, spread_ms)


def power_energy(own: PowerFacts) -> Measured:
    """Energy of a half-hour from mean watts. Where intervals overlap, the mean of their watts holds."""
    energy, covered_ms = 0, 0
    for start, end, microwatts in _disjoint(own.intervals):
        energy += microwatts * (end - start)
        covered_ms += end - start
    return Measured(energy // 1000, covered_ms, 0)


def processor_load(
    half_hour: int, own: UtilisationFacts | None, before: Neighbour | None, after: Neighbour | None
) -> Load:
    """Time in each utilisation bin that one epoch shows in the half-hour.

    Across a gap only the time the processors were running counts: their cumulative total stands still while a
    machine is suspended, which its pace over covered time gives away.
    """
    covered_bins, spread_bins = [0] * BINS, [0] * BINS
    start_ms = half_hour * 1000
    points = [(start_ms + at, busy, total) for at, busy, total in own.points] if own else []
    for neighbour, choose in ((before, max), (after, min)):
        if neighbour and isinstance(neighbour.facts, UtilisationFacts) and neighbour.facts.points:
            at, busy, total = choose(neighbour.facts.points, key=_by_total)
            points.append((neighbour.half_hour * 1000 + at, busy, total))
    points.sort(key=_by_total)
    covered = own.covered if own else ()
    pace = _fastest_pace(fact for fact in (own, before and before.facts, after and after.facts) if fact)
    reached_ms = start_ms
    for (from_ms, from_busy, from_total), (to_ms, to_busy, to_total) in itertools.pairwise(points):
        begin, end = max(from_ms, reached_ms), min(to_ms, start_ms + HALF_HOUR_MS)
        if end <= begin or to_total <= from_total or to_ms - from_ms > LONGEST_SPREAD_MS:
            continue
        reached_ms = end
        bin_ = utilisation_bin((to_busy - from_busy) / (to_total - from_total))
        covered_ms = overlap(covered, begin - start_ms, end - start_ms)
        covered_bins[bin_] += covered_ms
        gap_ms = end - begin - covered_ms
        awake = min(1.0, (to_total - from_total) / ((to_ms - from_ms) * pace)) if pace else 1.0
        spread_bins[bin_] += int(gap_ms * awake)
    return Load(tuple(covered_bins), tuple(spread_bins))


def estimated_uj(load: Load, watts: Sequence[float]) -> int:
    """Microjoules of a load on a machine that draws `watts[i]` in utilisation bin i."""
    energy = 0
    for covered_ms, spread_ms, power in zip(load.covered_ms, load.spread_ms, watts, strict=True):
        energy += (covered_ms + spread_ms) * round(power * 1e6)
    return energy // 1000


def add_measured(parts: Iterable[Measured]) -> Measured:
    """The epochs of one meter in one half-hour as one. Their times are disjoint, and bounded by the half-hour."""
    rows = list(parts)
    covered_ms = min(HALF_HOUR_MS, sum(row.covered_ms for row in rows))
    spread_ms = min(HALF_HOUR_MS - covered_ms, sum(row.spread_ms for row in rows))
    return Measured(sum(row.energy_uj for row in rows), covered_ms, spread_ms)


def add_loads(parts: Iterable[Load]) -> Load:
    """The epochs (boots) of one host in one half-hour as one, bounded by the half-hour."""
    covered_bins, spread_bins = [0] * BINS, [0] * BINS
    room_ms = HALF_HOUR_MS
    rows = list(parts)
    for bins, rows_bins in (
        (covered_bins, [row.covered_ms for row in rows]),
        (spread_bins, [r.spread_ms for r in rows]),
    ):
        for row in rows_bins:
            for index, value in enumerate(row):
                taken = min(room_ms, value)
                bins[index] += taken
                room_ms -= taken
    return Load(tuple(covered_bins), tuple(spread_bins))


def _at(half_hour: int, point: tuple[int, int] | None) -> tuple[int, int] | None:
    return None if point is None else (half_hour * 1000 + point[0], point[1])


def _boundary(earlier: tuple[int, int] | None, later: tuple[int, int] | None, at_ms: int) -> int | None:
    """The counter's value at a half-hour's boundary, or None where nothing links the two sides.

    Where a clock was stepped back the later reading may be the lower one: the counter had reached the earlier value,
    and what lies below it has been counted.
    """
    if earlier is None or later is None:
        return None
    (from_ms, from_uj), (to_ms, to_uj) = earlier, later
    if to_ms - from_ms > LONGEST_SPREAD_MS:
        return None
    if to_uj <= from_uj:
        return from_uj
    if not _possible(to_uj - from_uj, to_ms - from_ms):
        return None
    return from_uj + (to_uj - from_uj) * (at_ms - from_ms) // (to_ms - from_ms)


def _possible(difference_uj: int, passed_ms: int) -> bool:
    """Whether a meter can have counted so much; clocks may be wrong by a half-hour before a count is doubted."""
    return difference_uj <= int(HIGHEST_WATTS * 1000) * (max(0, passed_ms) + HALF_HOUR_MS)


def _by_total(point: tuple[int, int, int]) -> tuple[int, int]:
    return point[2], point[0]


def _fastest_pace(facts: Iterable[CounterFacts | UtilisationFacts]) -> float:
    """Processor microseconds passing a millisecond while awake: 1,000 a processor. 0 where no covered time tells."""
    pace = 0.0
    for fact in facts:
        if not isinstance(fact, UtilisationFacts):
            continue
        points = sorted(fact.points, key=_by_total)
        for (from_ms, _, from_total), (to_ms, _, to_total) in itertools.pairwise(points):
            if to_ms - from_ms >= 1000 and overlap(fact.covered, from_ms, to_ms) == to_ms - from_ms:
                pace = max(pace, (to_total - from_total) / (to_ms - from_ms))
    return pace


def _disjoint(intervals: Sequence[tuple[int, int, int]]) -> Iterable[tuple[int, int, int]]:
    """Intervals of watts without overlaps: where several cover a moment, their mean."""
    ordered = sorted(intervals)
    if all(left[1] <= right[0] for left, right in itertools.pairwise(ordered)):
        return ordered
    changes: dict[int, tuple[int, int]] = {}
    for start, end, power in ordered:
        for at, count in ((start, 1), (end, -1)):
            watts, many = changes.get(at, (0, 0))
            changes[at] = (watts + count * power, many + count)
    pieces = []
    whole, holding = 0, 0
    for start, end in itertools.pairwise(sorted(changes)):
        power, count = changes[start]
        whole, holding = whole + power, holding + count
        if holding:
            pieces.append((start, end, whole // holding))
    return pieces
