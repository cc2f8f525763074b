"""What the estate used, each kilowatt-hour once: devices by their best source, and what meters measured beyond them.

Without a metering tree it is what every device's own accounting meters say, summed by whole days
(`collector.totals`). The sum of `energy` over all rows is the estate's metered and estimated energy.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from carbon.best_source import unfed_reason
from carbon.calendar import day_bounds, half_hour_of
from carbon.daily import days_of
from carbon.footprint import sum_energies
from collector.database.schema import device
from collector.device_energy import Rules, rules_by_organisation
from collector.device_sources import meter_sources, source_of
from collector.error_groups import error_groups
from collector.metered import Accounted, Metering, Unheld, merged
from collector.metering_amounts import Amounts
from collector.metering_branch import BranchAccount
from collector.metering_nodes import Branch
from collector.metering_periods import Estate
from collector.metering_time import time_between
from collector.metering_tree import PowerPath, load_power_path
from collector.placements import Placements
from collector.segments import Segment, load_segments
from collector.snmp.places import FEEDING_KINDS
from collector.totals import Part, segment_parts
from collector.unlinked import Unlinked

__all__ = ["Accounted", "Metering", "accounted", "metering"]


def accounted(
    connection: Connection, first: datetime.date, last: datetime.date, now: int, organisation_id: int | None = None
) -> list[Accounted]:
    """All rows from a local date to another, both included, of one organisation or of all."""
    return metering(connection, first, last, now, organisation_id).rows


def metering(
    connection: Connection, first: datetime.date, last: datetime.date, now: int, organisation_id: int | None = None
) -> Metering:
    """The same with what each meter of the tree measured, alarms, and on-site generation. `now` is Unix seconds."""
    found = Metering()
    by_zone: dict[str, tuple[Rules, set[int]]] = {}
    for one, rules in rules_by_organisation(connection).items():
        if organisation_id in (None, one):
            by_zone.setdefault(rules.time_zone, (rules, set()))[1].add(one)
    for rules, mine in by_zone.values():
        _Zone(connection, rules, mine, first, last, now).account(found)
    found.rows = merged(found.rows)
    return found


class _Zone:
    """The organisations that share a time zone, and so their days."""

    def __init__(
        self,
        connection: Connection,
        rules: Rules,
        organisations: set[int],
        first: datetime.date,
        last: datetime.date,
        now: int,
    ) -> None:
        self._connection, self._rules, self._now = connection, rules, now
        self._first, self._last = first, last
        self._start, self._end = day_bounds(first, rules.time_zone)[0], day_bounds(last, rules.time_zone)[1]
        everything = load_segments(connection, self._start, self._end)
        self._segments = [one for one in everything if one.organisation_id in organisations]
        path = load_power_path(connection, self._start, self._end)
        mine = [one for one in path.branches if any(m.organisation_id in organisations for m in one.meters.values())]
        generation = {one: found for one, found in path.generation.items() if found.organisation_id in organisations}
        self._path = PowerPath(mine, path.places, generation, path.fed_by)
        query = select(device.c.id, device.c.kind, device.c.retired_at)
        rows = connection.execute(query).all()
        self._kinds = {row.id: row.kind for row in rows}
        self._retired = {row.id: half_hour_of(row.retired_at) for row in rows if row.retired_at is not None}
        self._sources = meter_sources(connection)
        self._groups = error_groups(connection)

    def account(self, found: Metering) -> None:
        in_tree = {one for branch in self._path.branches for one in branch.devices}
        counted = [one for one in self._segments if one.counted]
        self._add_free([one for one in counted if one.device_id not in in_tree], found)
        if self._path.branches:
            self._add_branches(counted, in_tree, found)
        self._add_generation(found)

    def _add_free(self, segments: Sequence[Segment], found: Metering) -> None:
        """What devices that are in no tree used."""
        words: dict[tuple[tuple[int, ...], str], tuple[str, str, str]] = {}
        until = min(self._end, self._now)
        gathered: dict[tuple[int, str], list[Part]] = {}
        for part in segment_parts(self._connection, self._rules, segments, self._first, self._last, until):
            gathered.setdefault((id(part.segment), part.month), []).append(part)
        for parts in gathered.values():
            segment = parts[0].segment
            key = (segment.meter_ids, segment.basis)
            if key not in words:
                words[key] = self._own_source(segment)
            found.rows.append(self._row(parts, *words[key]))

    def _own_source(self, segment: Segment) -> tuple[str, str, str]:
        source = source_of(segment, self._sources)
        return source.rank, source.words, f"{unfed_reason(source.rank)} ({source.words})"

    def _row(self, parts: Sequence[Part], rank: str, source: str, reason: str) -> Accounted:
        """The parts of one segment in one month."""
        one = parts[0].segment
        month = datetime.date.fromisoformat(f"{parts[0].month}-01")
        following = (month + datetime.timedelta(days=32)).replace(day=1)
        start = max(one.start, self._start, day_bounds(month, self._rules.time_zone)[0])
        end = min(one.end, self._end, day_bounds(following, self._rules.time_zone)[0])
        unheld = Unheld(max(start, one.first_heard), end, one.meter_ids)
        return Accounted(
            month=parts[0].month,
            organisation_id=one.organisation_id,
            kind="device",
            device_id=one.device_id,
            meter_id=None,
            site_id=one.site_id,
            space_id=one.space_id,
            directorate=one.directorate,
            energy=sum_energies(part.energy for part in parts),
            covered_seconds=sum(part.covered_seconds for part in parts),
            possible_seconds=sum(part.possible_seconds for part in parts),
            pue=one.pue,
            overhead="ups_loss" if self._kinds[one.device_id] in FEEDING_KINDS else "whole",
            rank=rank,
            source=source,
            reason=reason,
            start=start,
            end=end,
            unheld=(unheld,) if unheld.start < end else (),
        )

    def _add_branches(self, counted: Sequence[Segment], in_tree: set[str], found: Metering) -> None:
        by_device: dict[str, list[Segment]] = {}
        for one in self._segments:
            if one.device_id in in_tree:
                _append(by_device.setdefault(one.device_id, []), one)
        estate = Estate(
            rules=self._rules,
            path=self._path,
            segments=by_device,
            placements=Placements(self._connection, in_tree),
            unlinked=Unlinked(counted, self._path.fed_by, self._kinds),
            sources=self._sources,
            groups=self._groups,
            kinds=self._kinds,
            retired=self._retired,
            now=self._now,
        )
        for branch in self._path.branches:
            # A branch at a time: the days of a whole estate's year are millions of figures.
            amounts = self._amounts(_meter_ids(branch, by_device))
            BranchAccount(estate, branch, amounts, found).run(self._start, self._end)

    def _amounts(self, meter_ids: Iterable[int]) -> Amounts:
        return Amounts(self._connection, self._rules, self._groups, meter_ids, self._first, self._last)

    def _add_generation(self, found: Metering) -> None:
        """What on-site generation made, by whole days on which its meter was one of that."""
        if not self._path.generation:
            return
        amounts = self._amounts(self._path.generation)
        time = time_between(self._start, self._end, self._rules, self._now)
        for meter_id, one in self._path.generation.items():
            made, _ = amounts.of_meter(meter_id, time)
            purposes = (self._path.setting(one, start).purpose for start in time.starts)
            such = days_of(number for number, purpose in enumerate(purposes) if purpose == "generation")
            for month, days in time.months:
                if days & such:
                    found.generation[month, meter_id] = made.on(days & such)


def _append(segments: list[Segment], new: Segment) -> None:
    """Add a device's next segment. Each inventory begins one: where nothing else changed, its branch need not be cut."""
    if segments and segments[-1].end == new.start:
        joined = replace(segments[-1], end=new.end)
        if joined == replace(new, start=joined.start, host_name=joined.host_name):
            segments[-1] = joined
            return
    segments.append(new)


def _meter_ids(branch: Branch, segments: Mapping[str, Sequence[Segment]]) -> set[int]:
    """Meters of a branch, and those by which its devices account for themselves."""
    return set(branch.meters).union(*(one.meter_ids for name in branch.devices for one in segments.get(name, ())))
