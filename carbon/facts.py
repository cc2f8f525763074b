"""What the collector keeps of a meter's readings: small facts a (meter, half-hour, epoch), from which energy follows.

Facts of one kind and key merge by set union, minimum and maximum. Merging is therefore commutative, associative and
idempotent: reports may come in any order, late, or twice, and the facts come out the same. Times are whole
milliseconds from the half-hour's start (0 to 1,800,000); a reading at exactly the end belongs to the next half-hour,
but an interval may reach it.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from carbon.errors import FactsError
from carbon.intervals import Interval, Intervals, union

HALF_HOUR_MS = 1_800_000
LONGEST_COVERED_MS = 600_000
"""A reading covers the interval since the one before it only up to ten minutes, twice the slowest schedule. Across a
longer one the energy is known and when it was used is not: it is counted and spread, and is not coverage."""

HIGHEST_WATTS = 1e6
"""No meter of a council's ICT shows a megawatt; bounded by it, the microjoules of a month fit 64 bits with their band."""

_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class CounterFacts:
    """An energy counter in one half-hour: its lowest and highest reading, and the time covered.

    `first` and `last` are (milliseconds, microjoules). They are the extremes by value: within an epoch a counter only
    grows, so value orders readings even where a clock was wrong.
    """

    first: tuple[int, int] | None
    last: tuple[int, int] | None
    covered: Intervals


@dataclass(frozen=True, slots=True)
class PowerFacts:
    """Mean watts over intervals: a set of (start ms, end ms, microwatts)."""

    intervals: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class UtilisationFacts:
    """Cumulative processor time: a set of (milliseconds, busy microseconds, total microseconds), and time covered."""

    points: tuple[tuple[int, int, int], ...]
    covered: Intervals


Facts = CounterFacts | PowerFacts | UtilisationFacts


def counter_facts(readings: Iterable[tuple[int, int, int, int]]) -> dict[int, CounterFacts]:
    """Facts by half-hour (Unix seconds) of counter readings in one epoch.

    A reading is (unix_ns, interval_ns, energy_uj, difference_uj); with an interval it also gives the counter's value
    at the interval's start.
    """
    points: dict[int, list[tuple[int, int]]] = {}
    covered: dict[int, list[Interval]] = {}
    for unix_ns, interval_ns, energy_uj, difference_uj in readings:
        end_ms = unix_ns // _NS_PER_MS
        half_hour_ms = end_ms - end_ms % HALF_HOUR_MS
        points.setdefault(half_hour_ms, []).append((end_ms - half_hour_ms, energy_uj))
        if interval_ns > 0:
            start_ms = (unix_ns - interval_ns) // _NS_PER_MS
            start_half_hour_ms = start_ms - start_ms % HALF_HOUR_MS
            points.setdefault(start_half_hour_ms, []).append((start_ms - start_half_hour_ms, energy_uj - difference_uj))
            _cover(covered, start_ms, end_ms)
    return {
        half_hour_ms // 1000: _counter(points.get(half_hour_ms, ()), covered.get(half_hour_ms, ()))
        for half_hour_ms in points.keys() | covered.keys()
    }


def power_facts(readings: Iterable[tuple[int, int, float]]) -> dict[int, PowerFacts]:
    """Facts by half-hour of power readings: (unix_ns, interval_ns, mean watts). Without an interval it says nothing."""
    pieces: dict[int, list[tuple[int, int, int]]] = {}
    for unix_ns, interval_ns, watts in readings:
        microwatts = round(watts * 1e6)
        start_ms, end_ms = (unix_ns - interval_ns) // _NS_PER_MS, unix_ns // _NS_PER_MS
        for half_hour_ms, start, end in _by_half_hour(start_ms, end_ms):
            pieces.setdefault(half_hour_ms, []).append((start, end, microwatts))
    return {half_hour_ms // 1000: PowerFacts(tuple(sorted(set(rows)))) for half_hour_ms, rows in pieces.items()}


def utilisation_facts(readings: Iterable[tuple[int, int, int, int, int, int]]) -> dict[int, UtilisationFacts]:
    """Facts by half-hour of processor time in one epoch.

    A reading is (unix_ns, interval_ns, busy_us, total_us, busy difference, total difference).
    """
    points: dict[int, set[tuple[int, int, int]]] = {}
    covered: dict[int, list[Interval]] = {}

    def add(at_ms: int, busy_us: int, total_us: int) -> None:
        half_hour_ms = at_ms - at_ms % HALF_HOUR_MS
        points.setdefault(half_hour_ms, set()).add((at_ms - half_hour_ms, busy_us, total_us))

    for unix_ns, interval_ns, busy_us, total_us, busy_difference, total_difference in readings:
        end_ms = unix_ns // _NS_PER_MS
        add(end_ms, busy_us, total_us)
        if interval_ns > 0:
            start_ms = (unix_ns - interval_ns) // _NS_PER_MS
            add(start_ms, busy_us - busy_difference, total_us - total_difference)
            _cover(covered, start_ms, end_ms)
    return {
        half_hour_ms // 1000: UtilisationFacts(
            tuple(sorted(points.get(half_hour_ms, ()))), union(covered.get(half_hour_ms, ()))
        )
        for half_hour_ms in points.keys() | covered.keys()
    }


def merge(facts: Iterable[Facts]) -> Facts:
    """All facts of one (meter, half-hour, epoch) as one. Raises FactsError if there are none or kinds differ."""
    rows = list(facts)
    if not rows:
        raise FactsError("there are no facts to merge")
    if len(rows) == 1:
        return rows[0]
    if counters := [row for row in rows if isinstance(row, CounterFacts)]:
        _same_kind(rows, counters)
        points = [point for row in counters for point in (row.first, row.last) if point is not None]
        return _counter(points, (piece for row in counters for piece in row.covered))
    if powers := [row for row in rows if isinstance(row, PowerFacts)]:
        _same_kind(rows, powers)
        return PowerFacts(tuple(sorted({piece for row in powers for piece in row.intervals})))
    loads = [row for row in rows if isinstance(row, UtilisationFacts)]
    return UtilisationFacts(
        tuple(sorted({point for row in loads for point in row.points})),
        union(piece for row in loads for piece in row.covered),
    )


def to_text(facts: Facts) -> str:
    """The facts as compact JSON for the database."""
    if isinstance(facts, CounterFacts):
        body: list[object] = ["c", facts.first, facts.last, facts.covered]
    elif isinstance(facts, PowerFacts):
        body = ["p", facts.intervals]
    else:
        body = ["u", facts.points, facts.covered]
    return json.dumps(body, separators=(",", ":"))


def from_text(text: str) -> Facts:
    """The facts as they were. Raises FactsError for a text that `to_text` did not write."""
    try:
        kind, *body = json.loads(text)
        if kind == "c":
            first, last, covered = body
            return CounterFacts(
                None if first is None else (int(first[0]), int(first[1])),
                None if last is None else (int(last[0]), int(last[1])),
                tuple((int(start), int(end)) for start, end in covered),
            )
        if kind == "p":
            return PowerFacts(tuple((int(start), int(end), int(power)) for start, end, power in body[0]))
        if kind == "u":
            points, covered = body
            return UtilisationFacts(
                tuple((int(at), int(busy), int(total)) for at, busy, total in points),
                tuple((int(start), int(end)) for start, end in covered),
            )
    except (ValueError, TypeError, IndexError) as error:
        raise FactsError(f"an energy fact in the database cannot be read: {text[:60]!r} ({error})") from error
    raise FactsError(f"an energy fact in the database is of an unknown kind: {text[:60]!r}")


def _counter(points: Iterable[tuple[int, int]], covered: Iterable[Interval]) -> CounterFacts:
    by_value = sorted((energy_uj, at_ms) for at_ms, energy_uj in points)
    if not by_value:
        return CounterFacts(None, None, union(covered))
    (first_uj, first_ms), (last_uj, last_ms) = by_value[0], by_value[-1]
    return CounterFacts((first_ms, first_uj), (last_ms, last_uj), union(covered))


def _same_kind(rows: list[Facts], of_one_kind: list[CounterFacts] | list[PowerFacts]) -> None:
    if len(rows) != len(of_one_kind):
        raise FactsError("facts of different kinds of meter stand under one key")


def _cover(covered: dict[int, list[Interval]], start_ms: int, end_ms: int) -> None:
    if end_ms - start_ms <= LONGEST_COVERED_MS:
        for half_hour_ms, start, end in _by_half_hour(start_ms, end_ms):
            covered.setdefault(half_hour_ms, []).append((start, end))


def _by_half_hour(start_ms: int, end_ms: int) -> Iterable[tuple[int, int, int]]:
    """An interval cut at half-hours: (the half-hour's Unix milliseconds, start and end within it)."""
    half_hour_ms = start_ms - start_ms % HALF_HOUR_MS
    while half_hour_ms < end_ms:
        start, end = max(start_ms - half_hour_ms, 0), min(end_ms - half_hour_ms, HALF_HOUR_MS)
        if end > start:
            yield half_hour_ms, start, end
        half_hour_ms += HALF_HOUR_MS
