"""The metering tree of the database as branches: devices, meters, places and dated edges that hang together."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from carbon.calendar import half_hour_of
from collector.database.schema import device, meter, meter_edge, meter_place, snmp_device
from collector.ledger import FEEDS
from collector.metering_nodes import UPS_INPUT, Branch, Setting, Shape, TreeEdge, TreeMeter
from collector.metering_shape import shape_of
from collector.segments import valid_in
from collector.snmp.places import WHOLE

_POE = "poe_port"
_AROUND = ("ups_bypass",)


@dataclass(slots=True)
class PowerPath:
    """All branches between two half-hours, and the meters of on-site generation."""

    branches: list[Branch]
    places: dict[int, list[Row[Any]]]
    generation: dict[int, TreeMeter]
    fed_by: dict[str, list[tuple[int, int]]]
    """When something feeds a device."""

    def setting(self, one: TreeMeter, half_hour: int) -> Setting:
        """What holds of a meter in a half-hour."""
        row = valid_in(self.places.get(one.id, []), half_hour)
        if row is not None:
            return Setting(row.purpose, row.reading_point, row.accounting, row.site_id, row.space_id)
        return Setting("ict", UPS_INPUT if one.role == UPS_INPUT or one.by_input else "it", "auto", None, None)

    def bounds(self, meter_id: int) -> set[int]:
        """The half-hours from which on what a person said of a meter is other than before."""
        return {
            half_hour_of(bound)
            for row in self.places.get(meter_id, [])
            for bound in (row.valid_from, row.valid_to)
            if bound is not None
        }

    def shape(self, branch: Branch, half_hour: int) -> Shape:
        """The branch as it was in a half-hour."""
        settings = {one.id: self.setting(one, half_hour) for one in branch.meters.values()}
        return shape_of(branch, settings, half_hour)


def load_power_path(connection: Connection, start: int, end: int) -> PowerPath:
    """The branches of all organisations between two half-hours. Nothing that is retired feeds anything."""
    meters = _meters(connection)
    retired = {
        row.id: half_hour_of(row.retired_at)
        for row in connection.execute(select(device.c.id, device.c.retired_at).where(device.c.retired_at.is_not(None)))
    }
    places: dict[int, list[Row[Any]]] = {}
    for row in connection.execute(select(meter_place)):
        places.setdefault(row.meter_id, []).append(row)
    edges = _edges(connection, meters, retired, start, end)
    branches = _branches(edges, meters, places, start, end)
    generation = {
        one: meters[one]
        for one, rows in places.items()
        if one in meters and any(r.purpose == "generation" for r in rows)
    }
    fed_by: dict[str, list[tuple[int, int]]] = {}
    for edge in edges:
        if edge.child_meter is None:
            fed_by.setdefault(edge.child_device, []).append((edge.start, edge.end))
    return PowerPath(branches, places, generation, fed_by)


def _meters(connection: Connection) -> dict[int, TreeMeter]:
    query = (
        select(meter.c.id, meter.c.device_id, meter.c.name, device.c.kind, device.c.organisation_id)
        .join(device, device.c.id == meter.c.device_id)
        .where(meter.c.covers == FEEDS)
    )
    rows = connection.execute(query).all()
    by_input = _told_by_input(connection, rows)
    return {
        row.id: TreeMeter(
            row.id,
            row.device_id,
            row.name,
            row.kind,
            row.organisation_id,
            row.name == WHOLE and row.device_id in by_input,
        )
        for row in rows
    }


def _told_by_input(connection: Connection, meters: Iterable[Any]) -> set[str]:
    """UPSs whose whole is what goes in: they tell of no output."""
    roles: dict[str, set[str]] = {}
    for row in meters:
        roles.setdefault(row.device_id, set()).add(row.name.partition("/")[0])
    asked = sorted(one for one, found in roles.items() if UPS_INPUT in found and "ups_output" not in found)
    told = set()
    for at in range(0, len(asked), 500):
        query = select(snmp_device.c.device_id, snmp_device.c.reading).where(
            snmp_device.c.device_id.in_(asked[at : at + 500]), snmp_device.c.reading != ""
        )
        for device_id, reading in connection.execute(query):
            if json.loads(reading)["power"].get("basis") == UPS_INPUT:
                told.add(device_id)
    return told


def _edges(
    connection: Connection, meters: Mapping[int, TreeMeter], retired: Mapping[str, int], start: int, end: int
) -> list[TreeEdge]:
    edges = []
    for row in connection.execute(select(meter_edge).order_by(meter_edge.c.id)):
        parent = meters.get(row.parent_meter_id)
        child = meters.get(row.child_meter_id) if row.child_meter_id is not None else None
        # What a PoE port feeds lies in its switch's energy (`collector.segments`); bypasses pass what an output tells.
        if parent is None or parent.role == _POE or (row.child_meter_id is not None and child is None):
            continue
        child_device = row.child_device_id if child is None else child.device_id
        begins = max(start, half_hour_of(row.valid_from))
        ends = min(
            end,
            end if row.valid_to is None else half_hour_of(row.valid_to),
            retired.get(parent.device_id, end),
            retired.get(child_device, end),
        )
        inside = child.id if child is not None and child_device == parent.device_id else None
        if begins < ends and (inside is not None or child_device != parent.device_id):
            edges.append(TreeEdge(parent.id, child_device, inside, row.share, begins, ends))
    return edges


def _branches(
    edges: Iterable[TreeEdge],
    meters: Mapping[int, TreeMeter],
    places: Mapping[int, Iterable[Row[Any]]],
    start: int,
    end: int,
) -> list[Branch]:
    """What edges join is one branch; a meter that always accounts is one, whatever it feeds."""
    leader: dict[str, str] = {}

    def find(one: str) -> str:
        leader.setdefault(one, one)
        while leader[one] != one:
            leader[one] = one = leader[leader[one]]
        return one

    edges = list(edges)
    for edge in edges:
        leader[find(meters[edge.parent].device_id)] = find(edge.child_device)
    for meter_id, rows in places.items():
        holding = [row for row in rows if row.valid_from < end and (row.valid_to is None or row.valid_to > start)]
        if meter_id in meters and any(row.accounting == "always" for row in holding):
            find(meters[meter_id].device_id)
    found: dict[str, Branch] = {}
    for one in list(leader):
        found.setdefault(find(one), Branch()).devices.add(one)
    for edge in edges:
        found[find(edge.child_device)].edges.append(edge)
    for part in meters.values():
        if part.device_id in leader and part.role not in (_POE, *_AROUND):
            found[find(part.device_id)].meters[part.id] = part
    return list(found.values())
