"""One branch of the metering tree over time: each local day, cut where anything in it changed, accounted for as a whole."""

import datetime
import itertools
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from carbon.accounting import LEAST_COVERED, DeviceNode, MeterNode, Tree, account
from carbon.accounting import Accounted as Stretch
from carbon.calendar import day_bounds, days_between
from carbon.footprint import Energy, sum_energies
from carbon.intervals import union, without
from collector.device_energy import Rules
from collector.device_sources import Source, source_of
from collector.ledger import closed_before
from collector.metered import Accounted, Metering, Overhead, TreeAlarm, Unheld
from collector.metering_amounts import Amounts
from collector.metering_tree import HELD_AT, Branch, Node, PowerPath, Shape
from collector.placements import Placements, Stand
from collector.segments import Segment
from collector.snmp.places import FEEDING_KINDS, ONE_FOR_ONE
from collector.totals import possible_seconds

Place = tuple[int | None, int | None]
NOT_ALL_LINKED = "devices in the same place are linked to nothing: what it measured beyond its parts may be theirs"


class Unlinked:
    """When, at each place, a device stood that counts by itself and that nothing is known to feed."""

    def __init__(self, segments: Iterable[Segment], path: PowerPath, kinds: Mapping[str, str]) -> None:
        found: dict[Place, list[tuple[int, int]]] = {}
        for one in segments:
            if kinds[one.device_id] not in FEEDING_KINDS:
                free = found.setdefault((one.site_id, one.space_id), [])
                free.extend(without(one.start, one.end, path.fed_by.get(one.device_id, [])))
        self._times = {place: union(times) for place, times in found.items()}

    def any_at(self, places: Iterable[Place], start: int, end: int) -> bool:
        """Whether there was one at any of the places between two half-hours."""
        return any(self._overlaps(self._times.get(place, []), start, end) for place in places)

    def bounds(self, places: Iterable[Place]) -> set[int]:
        """The half-hours from which on there was one at a place, or none any more."""
        return {bound for place in places for times in self._times.get(place, []) for bound in times}

    @staticmethod
    def _overlaps(times: Sequence[tuple[int, int]], start: int, end: int) -> bool:
        at = bisect_right(times, (start, 2**62))
        return (at > 0 and times[at - 1][1] > start) or (at < len(times) and times[at][0] < end)


@dataclass(frozen=True, slots=True)
class Estate:
    """What all branches share."""

    rules: Rules
    path: PowerPath
    placements: Placements
    amounts: Amounts
    unlinked: Unlinked
    sources: Mapping[int, tuple[str, str]]
    kinds: Mapping[str, str]
    retired: Mapping[str, int]
    now: int


@dataclass(slots=True)
class _Sum:
    """What is added up of a row, day after day from half-hour `start` on."""

    start: int
    energies: list[Energy] = field(default_factory=list)
    covered_seconds: int = 0
    possible_seconds: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    end: int = 0
    unheld: list[Unheld] = field(default_factory=list)

    def add_unheld(self, start: int, end: int, meter_ids: tuple[int, ...]) -> None:
        """Add a time in which no meter above holds what these meters miss."""
        if self.unheld and self.unheld[-1].end == start and self.unheld[-1].meter_ids == meter_ids:
            start = self.unheld.pop().start
        if start < end:
            self.unheld.append(Unheld(start, end, meter_ids))

    def add(self, energy: Energy, covered: int, possible: int, end: int) -> None:
        self.energies.append(energy)
        self.covered_seconds += covered
        self.possible_seconds += possible
        self.end = end


@dataclass(frozen=True, slots=True)
class _Period:
    """A time in which nothing but amounts changes."""

    start: int
    end: int
    shape: Shape
    segments: Mapping[str, Segment]
    metered_only: Sequence[str]
    """Devices without a source of their own that a meter feeds."""
    stands: Mapping[str, Stand]
    meter_stands: Mapping[int, Stand]
    sources: Mapping[str, Source]
    held: frozenset[int]
    """Meters that hold a room's cooling."""
    scopes: Mapping[int, frozenset[Place]]
    """Where the devices of a meter that feeds many stand."""


class BranchAccount:
    """Accounts for one branch; rows are added to `found`."""

    def __init__(
        self, estate: Estate, branch: Branch, segments: Mapping[str, Sequence[Segment]], found: Metering
    ) -> None:
        self._estate = estate
        self._branch = branch
        self._segments = {one: segments.get(one, ()) for one in sorted(branch.devices)}
        self._found = found
        self._organisation_id = next((one.organisation_id for one in branch.meters.values()), 0)
        self._noted: dict[tuple[str, int], dict[str, list[Energy]]] = {}
        """What is to be added to amounts of each meter's month, day after day."""

    def run(self, start: int, end: int) -> None:
        """Account from a half-hour to before another, each at the beginning of a local day; not beyond now."""
        end = min(end, self._estate.now - self._estate.now % 1800 + 1800)
        for begins, ends in itertools.pairwise(self._cuts(start, end)):
            period = self._period(begins, ends)
            sums: dict[str, dict[tuple[str, str, Overhead], _Sum]] = {}
            rests: dict[str, dict[tuple[int, Overhead], _Sum]] = {}
            rules = self._estate.rules
            for day in days_between(rules.day(begins), rules.day(ends - 1)):
                day_start, day_end = day_bounds(day, rules.time_zone)
                self._stretch(period, day, max(begins, day_start), min(ends, day_end), sums, rests)
            self._found.rows.extend(self._rows(period, sums, rests))
        for key, noted in self._noted.items():
            month = self._found.meter(*key)
            for name, amounts in noted.items():
                setattr(month, name, sum_energies([getattr(month, name), *amounts]))

    def _cuts(self, start: int, end: int) -> list[int]:
        """Every half-hour from which on something of the branch is other than before, and both ends."""
        cuts = {start, end}
        for edge in self._branch.edges:
            cuts |= {edge.start, edge.end}
        for meter_id, one in self._branch.meters.items():
            cuts |= self._estate.path.bounds(meter_id)
            cuts |= self._estate.placements.bounds(one.device_id)
            for row in self._estate.path.places.get(meter_id, ()):
                cuts |= self._estate.placements.space_bounds(row.space_id)
        for device_id, mine in self._segments.items():
            cuts |= {bound for one in mine for bound in (one.start, one.end)}
            cuts.add(self._estate.retired.get(device_id, start))
        cuts |= self._estate.unlinked.bounds(self._places())
        return sorted(one for one in cuts if start <= one <= end)

    def _places(self) -> set[Place]:
        """Everywhere that anything of the branch ever stood."""
        found: set[Place] = {(one.site_id, one.space_id) for mine in self._segments.values() for one in mine}
        for meter_id, one in self._branch.meters.items():
            found |= self._estate.placements.places(one.device_id)
            found |= {(row.site_id, row.space_id) for row in self._estate.path.places.get(meter_id, ())}
        return found

    def _period(self, start: int, end: int) -> _Period:
        estate = self._estate
        shape = estate.path.shape(self._branch, start)
        holding = {
            device_id: one for device_id, mine in self._segments.items() for one in mine if one.start <= start < one.end
        }
        counted = {device_id: one for device_id, one in holding.items() if one.counted}
        passing = {node.meter.device_id for node in shape.nodes}
        metered_only = [
            one
            for one in sorted(shape.fed_devices)
            if one in self._segments
            and one not in holding
            and one not in passing
            and start < estate.retired.get(one, end)
            and estate.kinds.get(one) not in FEEDING_KINDS
        ]
        stands = {
            device_id: Stand(one.site_id, one.space_id, one.directorate, one.pue) for device_id, one in counted.items()
        }
        stands |= {one: estate.placements.of_device(one, start) for one in metered_only}
        meter_stands = {node.meter.id: self._meter_stand(node, start) for node in shape.nodes}
        scopes = {}
        for node in shape.nodes:
            if node.meter.role not in ONE_FOR_ONE:
                places = {stands[one].place for one in node.fed if one in stands}
                scopes[node.meter.id] = frozenset(places | {meter_stands[node.meter.id].place})
        sources = {device_id: source_of(one, estate.sources) for device_id, one in counted.items()}
        held = frozenset(node.meter.id for node in shape.nodes if node.setting.reading_point in HELD_AT)
        return _Period(start, end, shape, counted, metered_only, stands, meter_stands, sources, held, scopes)

    def _meter_stand(self, node: Node, half_hour: int) -> Stand:
        """Where a meter stands: as a person said it, else with its device."""
        placements = self._estate.placements
        own = placements.of_device(node.meter.device_id, half_hour)
        if node.setting.site_id is None and node.setting.space_id is None:
            return own
        return placements.of_place(node.setting.site_id, node.setting.space_id, own.directorate, half_hour)

    def _stretch(
        self,
        period: _Period,
        day: datetime.date,
        start: int,
        end: int,
        sums: dict[str, dict[tuple[str, str, Overhead], _Sum]],
        rests: dict[str, dict[tuple[int, Overhead], _Sum]],
    ) -> None:
        """Account for a day, or a part of one."""
        estate, shape, month = self._estate, period.shape, day.isoformat()[:7]
        closed = min(end, closed_before(estate.now) + 1800)
        devices: dict[str, tuple[DeviceNode, int, int]] = {}
        for device_id, segment in period.segments.items():
            energy, covered = estate.amounts.of_device(segment, day, start, end)
            possible = possible_seconds(segment, start, min(end, estate.now))
            source = period.sources[device_id]
            known = possible if end <= closed else possible_seconds(segment, start, closed)
            share = _ratio(covered, known)
            node = DeviceNode(device_id, energy, share, source.rank, source.half_width)
            devices[device_id] = (node, covered, possible)
        for device_id in period.metered_only:
            devices[device_id] = (DeviceNode(device_id, Energy(), 0.0, "none"), 0, 0)
        amounts = {node.meter.id: estate.amounts.of_meter(node.meter.id, day, start, end) for node in shape.nodes}
        withheld = {node.meter.id for node in shape.nodes if self._withheld(period, node, start, end)}
        meters = [
            self._meter_node(node, *amounts[node.meter.id], closed - start, node.meter.id in withheld)
            for node in shape.nodes
        ]
        result = account(Tree([one for one, _, _ in devices.values()], meters, shape.feeds, shape.inner))
        self._add_devices(period, result, devices, amounts, (start, end), sums.setdefault(month, {}))
        for rest in result.rests:
            overhead: Overhead = "held" if result.above_meters[rest.meter_id] & period.held else "whole"
            mine = rests.setdefault(month, {})
            if (key := (rest.meter_id, overhead)) not in mine:
                mine[key] = _Sum(start)
            possible = max(0, min(end, estate.now) - start)
            mine[key].add(rest.energy, amounts[rest.meter_id][1], possible, end)
        self._note_meters(period, result, amounts, withheld, month, (start, end), closed)

    def _withheld(self, period: _Period, node: Node, start: int, end: int) -> bool:
        """Whether a meter that feeds many may hold the energy of a device that counts by itself."""
        setting = node.setting
        if setting.purpose != "ict" or setting.accounting != "auto" or node.meter.id not in period.scopes:
            return False
        return self._estate.unlinked.any_at(period.scopes[node.meter.id], start, end)

    @staticmethod
    def _meter_node(node: Node, energy: Energy, covered: int, seconds: int, withheld: bool) -> MeterNode:
        coverage = _ratio(covered, seconds)
        accounting = node.setting.accounting
        if withheld:
            accounting = "never"
        elif accounting == "always" and coverage < LEAST_COVERED and node.fed:
            # A person's word overrules what is drawn around a meter; it cannot stand for readings that are not there.
            accounting = "auto"
        return MeterNode(
            node.meter.id,
            node.device,
            energy,
            coverage,
            node.setting.purpose,  # type: ignore[arg-type]  # the table's check
            accounting,  # type: ignore[arg-type]  # the table's check
            node.meter.role in ONE_FOR_ONE,
        )

    def _add_devices(
        self,
        period: _Period,
        result: Stretch,
        devices: Mapping[str, tuple[DeviceNode, int, int]],
        amounts: Mapping[int, tuple[Energy, int]],
        time: tuple[int, int],
        sums: dict[tuple[str, str, Overhead], _Sum],
    ) -> None:
        held = period.held
        start, end = time
        until = min(end, self._estate.now)
        outlets: dict[str, list[int]] = {}
        for feed in period.shape.feeds:
            outlets.setdefault(feed.device_id, []).append(feed.meter_id)
        for device_id, (own, own_covered, own_possible) in devices.items():
            chosen = result.devices[device_id]
            metered = chosen.rank == "outlet"
            if not metered and own.rank == "none":
                continue
            covered = min(amounts[one][1] for one in outlets[device_id]) if metered else own_covered
            possible = max(0, until - start) if metered else own_possible
            overhead: Overhead = "whole"
            if result.above[device_id] & held:
                overhead = "held"
            elif self._estate.kinds.get(device_id) in FEEDING_KINDS:
                overhead = "ups_loss"
            key = (device_id, chosen.rank, overhead)
            sum_ = sums.get(key)
            if sum_ is None:
                sum_ = sums[key] = _Sum(start)
            reason = result.reasons[device_id]
            sum_.reasons[reason] = sum_.reasons.get(reason, 0) + 1
            sum_.add(chosen.energy, covered, possible, end)
            mine, begins = tuple(sorted(outlets[device_id])) if metered else (), start
            if not metered:
                mine = period.segments[device_id].meter_ids
                begins = max(start, period.segments[device_id].first_heard)
            if result.above[device_id] <= set(mine):
                sum_.add_unheld(begins, end, mine)

    def _note_meters(
        self,
        period: _Period,
        result: Stretch,
        amounts: Mapping[int, tuple[Energy, int]],
        withheld: set[int],
        month: str,
        time: tuple[int, int],
        closed: int,
    ) -> None:
        start, end = time
        rests = {one.meter_id: one.energy for one in result.rests}
        accounting = set(result.accounting_meters)
        alarmed = {one.meter_id for one in result.alarms}
        for node in period.shape.nodes:
            meter_id = node.meter.id
            energy, covered = amounts[meter_id]
            one = self._found.meter(month, meter_id)
            one.covered_seconds += covered
            one.possible_seconds += max(0, min(end, self._estate.now) - start)
            noted = self._noted.setdefault((month, meter_id), {})
            noted.setdefault("energy", []).append(energy)
            for name, amounts_of in (("parts", result.parts), ("rest", rests), ("not_ict", result.not_ict)):
                if (amount := amounts_of.get(meter_id)) is not None:
                    noted.setdefault(name, []).append(amount)
            if node.setting.purpose == "ict" and meter_id not in accounting:
                noted.setdefault("withheld", []).append(energy + -result.parts.get(meter_id, Energy()))
                coverage = _ratio(covered, closed - start)
                if node.setting.accounting == "never":
                    one.why = "a person said that it never accounts"
                elif meter_id in alarmed:
                    one.why = "its parts are more than it measured"
                elif meter_id in withheld:
                    one.why = NOT_ALL_LINKED
                elif closed > start:
                    one.why = f"it was read for {coverage:.0%} of the time only"
        for alarm in result.alarms:
            device_id = self._branch.meters[alarm.meter_id].device_id
            self._found.alarms.append(
                TreeAlarm(alarm.meter_id, device_id, start, end, alarm.measured_uj, alarm.parts_uj)
            )

    def _rows(
        self,
        period: _Period,
        sums: Mapping[str, Mapping[tuple[str, str, Overhead], _Sum]],
        rests: Mapping[str, Mapping[tuple[int, Overhead], _Sum]],
    ) -> Iterator[Accounted]:
        for month, by_device in sums.items():
            for (device_id, rank, overhead), one in by_device.items():
                segment = period.segments.get(device_id)
                organisation_id = segment.organisation_id if segment else self._organisation_id
                source, reason = "outlet", max(one.reasons, key=one.reasons.__getitem__)
                if segment is not None and rank != "outlet":
                    source = period.sources[device_id].words
                    reason = f"{reason} ({source})"
                stand = period.stands[device_id]
                yield _row(month, organisation_id, device_id, None, stand, one, overhead, (rank, source, reason))
        for month, by_meter in rests.items():
            for (meter_id, overhead), one in by_meter.items():
                meter = self._branch.meters[meter_id]
                reason = f"what {meter.name} measured beyond the devices and meters below it"
                stand = period.meter_stands[meter_id]
                words = ("rest", "rest", reason)
                yield _row(month, meter.organisation_id, meter.device_id, meter_id, stand, one, overhead, words)


def _row(
    month: str,
    organisation_id: int,
    device_id: str,
    meter_id: int | None,
    stand: Stand,
    one: _Sum,
    overhead: Overhead,
    words: tuple[str, str, str],
) -> Accounted:
    rank, source, reason = words
    return Accounted(
        month=month,
        organisation_id=organisation_id,
        kind="device" if meter_id is None else "rest",
        device_id=device_id,
        meter_id=meter_id,
        site_id=stand.site_id,
        space_id=stand.space_id,
        directorate=stand.directorate,
        energy=sum_energies(one.energies),
        covered_seconds=one.covered_seconds,
        possible_seconds=one.possible_seconds,
        pue=stand.pue,
        overhead=overhead,
        rank=rank,
        source=source,
        reason=reason,
        start=one.start,
        end=one.end,
        unheld=tuple(one.unheld),
    )


def _ratio(covered: int, seconds: int) -> float:
    return min(1.0, covered / seconds) if seconds > 0 else 0.0
