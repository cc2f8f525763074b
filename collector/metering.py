"""What the estate used, each kilowatt-hour once: devices by their best source, and what meters measured beyond them.

Without a metering tree it is what every device's own accounting meters say, summed by whole days
(`collector.totals`). The sum of `energy` over all rows is the estate's metered and estimated energy.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection, select

from carbon.accounting import DeviceNode, best_source
from carbon.calendar import day_bounds
from carbon.footprint import Energy
from carbon.spaces import Pue
from collector.database.schema import device
from collector.device_energy import Rules, rules_by_organisation
from collector.device_sources import meter_sources, source_of
from collector.segments import Segment, load_segments
from collector.snmp.places import FEEDING_KINDS
from collector.totals import Part, segment_parts

Overhead = Literal["whole", "held", "ups_loss"]


@dataclass(frozen=True, slots=True)
class Accounted:
    """Energy of one device, or of one meter beyond its known parts, in a month, at one place with one PUE.

    `month` is YYYY-MM of the organisation's local days. Of a rest `device_id` is the device whose meter `meter_id` it is.
    Where it stood: the device's placement; of a rest the meter's own place, else its device's. `overhead` says how the
    space's PUE applies: `whole` as it is, `held` not at all, because it lies under an accounting meter of a whole room or
    building, which holds the cooling, `ups_loss` for what PUE holds already: the own use of UPSs and PDUs.
    `rank` and `reason` name the source that was chosen. `start` and `end` are the first and the last half-hour bound of
    what is summed (Unix seconds).
    """

    month: str
    organisation_id: int
    kind: Literal["device", "rest"]
    device_id: str
    meter_id: int | None
    site_id: int | None
    space_id: int | None
    directorate: str
    energy: Energy
    covered_seconds: int
    possible_seconds: int
    pue: Pue
    overhead: Overhead
    rank: str
    reason: str
    start: int
    end: int


def accounted(
    connection: Connection, first: datetime.date, last: datetime.date, now: int, organisation_id: int | None = None
) -> list[Accounted]:
    """All rows from a local date to another, both included, of one organisation or of all."""
    rows = _Rows(meter_sources(connection), dict(connection.execute(select(device.c.id, device.c.kind)).all()))
    by_zone: dict[str, tuple[Rules, set[int]]] = {}
    for one, rules in rules_by_organisation(connection).items():
        if organisation_id in (None, one):
            by_zone.setdefault(rules.time_zone, (rules, set()))[1].add(one)
    for rules, mine in by_zone.values():
        start, end = day_bounds(first, rules.time_zone)[0], day_bounds(last, rules.time_zone)[1]
        segments = [one for one in load_segments(connection, start, end) if one.counted and one.organisation_id in mine]
        for part in segment_parts(connection, rules, segments, first, last, min(end, now)):
            rows.add_part(part, max(part.segment.start, start), min(part.segment.end, end), rules)
    return rows.all()


class _Rows:
    """Rows by what tells them apart, each summed up."""

    def __init__(self, sources: Mapping[int, tuple[str, str]], kinds: Mapping[str, str]) -> None:
        self._sources = sources
        self._kinds = kinds
        self._by_key: dict[tuple[object, ...], Accounted] = {}
        self._own: dict[Segment, tuple[str, str]] = {}

    def add_part(self, part: Part, start: int, end: int, rules: Rules) -> None:
        """Add what a device that is in no tree used."""
        one = part.segment
        rank, reason = self._own_source(one)
        month = datetime.date.fromisoformat(f"{part.month}-01")
        following = (month + datetime.timedelta(days=32)).replace(day=1)
        self.add(
            Accounted(
                month=part.month,
                organisation_id=one.organisation_id,
                kind="device",
                device_id=one.device_id,
                meter_id=None,
                site_id=one.site_id,
                space_id=one.space_id,
                directorate=one.directorate,
                energy=part.energy,
                covered_seconds=part.covered_seconds,
                possible_seconds=part.possible_seconds,
                pue=one.pue,
                overhead="ups_loss" if self._kinds[one.device_id] in FEEDING_KINDS else "whole",
                rank=rank,
                reason=reason,
                start=max(start, day_bounds(month, rules.time_zone)[0]),
                end=min(end, day_bounds(following, rules.time_zone)[0]),
            )
        )

    def add(self, row: Accounted) -> None:
        key = (
            row.month,
            row.kind,
            row.device_id,
            row.meter_id,
            row.site_id,
            row.space_id,
            row.directorate,
            row.pue,
            row.overhead,
            row.rank,
        )
        before = self._by_key.get(key)
        if before is not None:
            row = replace(
                row,
                energy=before.energy + row.energy,
                covered_seconds=before.covered_seconds + row.covered_seconds,
                possible_seconds=before.possible_seconds + row.possible_seconds,
                reason=before.reason,
                start=min(before.start, row.start),
                end=max(before.end, row.end),
            )
        self._by_key[key] = row

    def all(self) -> list[Accounted]:
        return list(self._by_key.values())

    def _own_source(self, segment: Segment) -> tuple[str, str]:
        found = self._own.get(segment)
        if found is None:
            source = source_of(segment, self._sources)
            why = best_source(DeviceNode(segment.device_id, Energy(), rank=source.rank), [])[1]
            found = self._own[segment] = (source.rank, f"{why} ({', '.join(source.names) or 'no meter'})")
        return found
