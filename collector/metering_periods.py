"""A branch of the metering tree cut into times in which nothing but amounts changes: links, places, what feeds what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from collector.device_energy import Rules
from collector.device_sources import Source, source_of
from collector.metering_nodes import HELD_AT, Branch, Node, Shape
from collector.metering_time import Time, time_between
from collector.metering_tree import PowerPath
from collector.placements import Placements, Stand
from collector.segments import Segment
from collector.snmp.places import FEEDING_KINDS, ONE_FOR_ONE
from collector.unlinked import Place, Unlinked


@dataclass(frozen=True, slots=True)
class Estate:
    """What all branches share. `segments` are those of the branches' devices, `groups` the meters' errors."""

    rules: Rules
    path: PowerPath
    segments: Mapping[str, Sequence[Segment]]
    placements: Placements
    unlinked: Unlinked
    sources: Mapping[int, tuple[str, str]]
    groups: Mapping[int, str]
    kinds: Mapping[str, str]
    retired: Mapping[str, int]
    now: int
    _times: dict[tuple[int, int], Time] = field(default_factory=dict)

    def time(self, start: int, end: int) -> Time:
        """The days of a time, which branches have in common."""
        found = self._times.get((start, end))
        if found is None:
            found = self._times[start, end] = time_between(start, end, self.rules, self.now)
        return found


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which nothing but amounts changes."""

    time: Time
    shape: Shape
    segments: Mapping[str, Segment]
    metered_only: Sequence[str]
    """Devices without a source of their own that a meter feeds."""
    stands: Mapping[str, Stand]
    meter_stands: Mapping[int, Stand]
    sources: Mapping[str, Source]
    held: frozenset[int]
    """Meters that hold a room's cooling."""
    withheld: frozenset[int]
    """Meters that may hold the energy of a device that counts by itself: where they feed many, and one stands there."""


def periods(estate: Estate, branch: Branch, start: int, end: int) -> Iterator[Period]:
    """A branch's periods from a half-hour to before another, each at the beginning of a local day; not beyond now."""
    end = min(end, estate.now - estate.now % 1800 + 1800)
    segments = {one: estate.segments.get(one, ()) for one in sorted(branch.devices)}
    for begins, ends in pairwise(_cuts(estate, branch, segments, start, end)):
        yield _period(estate, branch, segments, begins, ends)


def _cuts(estate: Estate, branch: Branch, segments: Mapping[str, Sequence[Segment]], start: int, end: int) -> list[int]:
    """Every half-hour from which on something of the branch is other than before, and both ends."""
    cuts = {start, end}
    places: set[Place] = {(one.site_id, one.space_id) for mine in segments.values() for one in mine}
    for edge in branch.edges:
        cuts |= {edge.start, edge.end}
    for device_id in {*segments, *(one.device_id for one in branch.meters.values())}:
        cuts |= estate.placements.bounds(device_id)
        places |= estate.placements.places(device_id)
    for meter_id in branch.meters:
        cuts |= estate.path.bounds(meter_id)
        for row in estate.path.places.get(meter_id, ()):
            cuts |= estate.placements.space_bounds(row.space_id)
            places.add((row.site_id, row.space_id))
    for device_id, mine in segments.items():
        cuts |= {bound for one in mine for bound in (one.start, one.end)}
        cuts.add(estate.retired.get(device_id, start))
    cuts |= estate.unlinked.bounds(places)
    return sorted(one for one in cuts if start <= one <= end)


def _period(estate: Estate, branch: Branch, segments: Mapping[str, Sequence[Segment]], start: int, end: int) -> Period:
    shape = estate.path.shape(branch, start)
    holding = {device_id: one for device_id, mine in segments.items() for one in mine if one.start <= start < one.end}
    counted = {device_id: one for device_id, one in holding.items() if one.counted}
    passing = {node.meter.device_id for node in shape.nodes}
    metered_only = [
        one
        for one in sorted(shape.fed_devices)
        if one in segments
        and one not in holding
        and one not in passing
        and start < estate.retired.get(one, end)
        and estate.kinds.get(one) not in FEEDING_KINDS
    ]
    stands = {
        device_id: Stand(one.site_id, one.space_id, one.directorate, one.pue) for device_id, one in counted.items()
    }
    stands |= {one: estate.placements.of_device(one, start) for one in metered_only}
    meter_stands = {node.meter.id: _meter_stand(estate.placements, node, start) for node in shape.nodes}
    withheld = set()
    for node in shape.nodes:
        setting = node.setting
        if setting.purpose == "ict" and setting.accounting == "auto" and node.meter.role not in ONE_FOR_ONE:
            places = {stands[one].place for one in node.fed if one in stands} | {meter_stands[node.meter.id].place}
            if estate.unlinked.any_at(places, start, end):
                withheld.add(node.meter.id)
    return Period(
        time=estate.time(start, end),
        shape=shape,
        segments=counted,
        metered_only=metered_only,
        stands=stands,
        meter_stands=meter_stands,
        sources={device_id: source_of(one, estate.sources) for device_id, one in counted.items()},
        held=frozenset(node.meter.id for node in shape.nodes if node.setting.reading_point in HELD_AT),
        withheld=frozenset(withheld),
    )


def _meter_stand(placements: Placements, node: Node, half_hour: int) -> Stand:
    """Where a meter stands: as a person said it, else with its device."""
    own = placements.of_device(node.meter.device_id, half_hour)
    if node.setting.site_id is None and node.setting.space_id is None:
        return own
    return placements.of_place(node.setting.site_id, node.setting.space_id, own.directorate, half_hour)
