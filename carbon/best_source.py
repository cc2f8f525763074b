"""Which source tells a device's energy best, day by day, and why in words: outlets that feed it, or a meter of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from carbon.daily import Days, all_days, days_of
from carbon.tree_nodes import RANKS, DeviceNode, MeterNode, Rank

LEAST_COVERED = 0.9
"""A meter must have readings for so much of a day to account for its branch, or to tell a device's energy."""
OUTLET_HALF_WIDTH = 0.05
"""Of outlets of a PDU: carbon reference, section 7."""
_WORDS: dict[Rank, str] = {
    "outlet": "metered outlets",
    "machine": "a meter of the whole machine",
    "supplies": "its power supplies",
    "partial": "a part of it measured, the rest estimated",
    "estimate": "an estimate",
    "profile": "its class profile",
    "none": "nothing",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The source that tells a device's energy on some days, and why."""

    rank: Rank
    reason: str
    days: Days


def unfed_reason(rank: Rank) -> str:
    """Why a device that no outlet feeds is told by its own source."""
    return f"{_WORDS[rank]}: no metered outlet"


def best_sources(own: DeviceNode, outlets: Sequence[MeterNode], count: int) -> list[Chosen]:
    """A device's best sources on all of so many days.

    `outlets` are the meters of all its feeds, each of which feeds it alone. Between outlets and a meter of the machine
    itself the better covered one is taken, and of equally covered ones the more exact. Where the machine itself measured
    more than both may be off, it has a feed that nobody has drawn, and its own meter holds.
    """
    if not outlets:
        return [Chosen(own.rank, unfed_reason(own.rank), all_days(count))]
    found: dict[tuple[Rank, str], Days] = {}
    beyond: Days | None = None
    for (own_covered, covered), days in _by_coverage(own, outlets, count):
        over = 0
        measured = RANKS[own.rank] <= RANKS["supplies"] and own_covered >= LEAST_COVERED
        if measured and covered >= LEAST_COVERED:
            beyond = _beyond(own, outlets, count) if beyond is None else beyond
            over = days & beyond
        if over:
            words = f"{_WORDS[own.rank]}: it measured more than its outlets, so a feed of it is not known"
            found[own.rank, words] = found.get((own.rank, words), 0) | over
        if days & ~over:
            key = _better(own, own_covered, covered)
            found[key] = found.get(key, 0) | days & ~over
    return [Chosen(rank, reason, days) for (rank, reason), days in found.items()]


def _by_coverage(own: DeviceNode, outlets: Sequence[MeterNode], count: int) -> list[tuple[tuple[float, float], Days]]:
    """The days by how far the device's own source and all of its outlets were read."""
    columns = [one.coverage for one in outlets]
    if len(set(own.coverage)) == 1 and all(len(set(column)) == 1 for column in columns):
        return [((own.coverage[0], min(column[0] for column in columns)), all_days(count))]
    pairs = list(zip(own.coverage, columns[0] if len(columns) == 1 else map(min, *columns), strict=True))
    found: dict[tuple[float, float], list[int]] = {}
    for number, pair in enumerate(pairs):
        found.setdefault(pair, []).append(number)
    return [(pair, days_of(numbers)) for pair, numbers in found.items()]


def _beyond(own: DeviceNode, outlets: Sequence[MeterNode], count: int) -> Days:
    """The days on which the machine measured clearly more than its outlets."""
    columns = [one.energy.total_uj for one in outlets]
    metered = columns[0] if len(columns) == 1 else list(map(sum, zip(*columns, strict=True)))
    least, most = own.energy.column("low_uj", count), 1 + OUTLET_HALF_WIDTH
    return days_of(number for number, low in enumerate(least) if low > metered[number] * most)


def _better(own: DeviceNode, own_covered: float, covered: float) -> tuple[Rank, str]:
    """The rank of the better source, and why, where the machine's own meter does not contradict the outlets."""
    if covered < LEAST_COVERED:
        return own.rank, f"{_WORDS[own.rank]}: its outlets were read for {covered:.0%} of the time only"
    if RANKS[own.rank] > RANKS["outlet"]:
        return "outlet", f"metered outlets, before {_WORDS[own.rank]}"
    if (-own_covered, own.half_width) < (-covered, OUTLET_HALF_WIDTH):
        return own.rank, f"{_WORDS[own.rank]}: covers more of the time than the metered outlets"
    return "outlet", "metered outlets: they cover as much of the time as the machine's own meter, and are more exact"
