"""The metering tree of the database as branches: devices, meters, places and dated edges that hang together.

A device's own meters form a part of the tree by themselves: what passes through the whole of a PDU passes through its
inlet, a branch and an outlet. A meter of what goes into a UPS holds the UPS's own loss; the tree has it as the meter of
a node before the UPS.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from carbon.calendar import half_hour_of
from carbon.tree_nodes import Feed, Inner
from collector.database.schema import device, meter, meter_edge, meter_place, snmp_device
from collector.ledger import FEEDS
from collector.segments import valid_in
from collector.snmp.places import WHOLE

_LEVELS = {WHOLE: 0, "mpan": 0, "device": 1, "inlet": 1, "ups_output": 1, "phase": 2, "branch": 3, "outlet": 4}
"""What passes through a place of a level passes through those of the levels before it."""
_DEEPEST = max(_LEVELS.values())
_POE = "poe_port"
_INPUT = "ups_input"
_AROUND = ("ups_bypass",)
HELD_AT = ("room_incomer", "building")
"""Reading points that hold a room's cooling already."""


@dataclass(frozen=True, slots=True)
class TreeMeter:
    """A meter of the power path and its device."""

    id: int
    device_id: str
    name: str
    device_kind: str
    organisation_id: int
    by_input: bool = False
    """Whether it is the whole of a UPS that tells its input alone."""

    @property
    def role(self) -> str:
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class TreeEdge:
    """What a meter feeds, from half-hour `start` to before `end`: a device, or where `child_meter` is set, that meter of
    its own device.
    """

    parent: int
    child_device: str
    child_meter: int | None
    share: float | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds of a meter: as a person said it, else by what it is."""

    purpose: str
    reading_point: str
    accounting: str
    site_id: int | None
    space_id: int | None


@dataclass(slots=True)
class Branch:
    """What hangs together at any time of the stretch."""

    edges: list[TreeEdge] = field(default_factory=list)
    devices: set[str] = field(default_factory=set)
    meters: dict[int, TreeMeter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """A meter in the tree of a time. `device` is the tree's node that it stands at: its device, or what is before it."""

    meter: TreeMeter
    device: str
    setting: Setting
    fed: frozenset[str]
    """All devices below it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The tree of a time, without amounts."""

    nodes: Sequence[Node]
    feeds: Sequence[Feed]
    inner: Sequence[Inner]
    fed_devices: frozenset[str]


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
        return Setting("ict", _INPUT if one.role == _INPUT or one.by_input else "it", "auto", None, None)

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
        return _Shaping(self, branch, half_hour).shape()


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
    asked = sorted(one for one, found in roles.items() if _INPUT in found and "ups_output" not in found)
    told = set()
    for at in range(0, len(asked), 500):
        query = select(snmp_device.c.device_id, snmp_device.c.reading).where(
            snmp_device.c.device_id.in_(asked[at : at + 500]), snmp_device.c.reading != ""
        )
        for device_id, reading in connection.execute(query):
            if json.loads(reading)["power"].get("basis") == _INPUT:
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


class _Shaping:
    """Which meters stand where in a branch in one half-hour."""

    def __init__(self, path: PowerPath, branch: Branch, half_hour: int) -> None:
        self._edges = [one for one in branch.edges if one.start <= half_hour < one.end]
        self._settings = {one.id: path.setting(one, half_hour) for one in branch.meters.values()}
        self._meters = {one.id: one for one in branch.meters.values() if self._settings[one.id].purpose != "generation"}
        self._feeds: list[Feed] = []
        self._inner = [Inner(one.parent, one.child_meter) for one in self._edges if one.child_meter is not None]
        self._parents: dict[int, int] = {}
        self._device_of: dict[int, str] = {}

    def shape(self) -> Shape:
        members = self._members()
        before = {one: f"before {one}" for one in self._with_input(members)}
        for meter_id in members:
            one = self._meters[meter_id]
            self._device_of[meter_id] = before[one.device_id] if self._is_input(one) else one.device_id
            if self._is_input(one):
                # What goes in holds the UPS's own loss and all that it passes on.
                self._feeds.append(Feed(meter_id, one.device_id, None))
        self._feeds += self._edge_feeds(members, before)
        self._nest(members)
        members = self._with_parts(members)
        fed = frozenset(one.device_id for one in self._feeds)
        nodes = [
            Node(self._meters[one], self._device_of[one], self._settings[one], self._below(one))
            for one in sorted(members)
        ]
        # One that always accounts may feed nothing that is known.
        feeds = [
            *self._feeds,
            *(
                Feed(node.meter.id, f"unknown below {node.meter.id}", None)
                for node in nodes
                if node.setting.accounting == "always" and not self._has_parts(node.meter.id)
            ),
        ]
        return Shape(nodes, feeds, self._inner, fed)

    def _members(self) -> set[int]:
        """Meters that feed something, or always account, and the whole of their devices."""
        found = {one.parent for one in self._edges} | {one.child_meter for one in self._edges if one.child_meter}
        found |= {one for one, setting in self._settings.items() if setting.accounting == "always"}
        found &= set(self._meters)
        for device_id in {self._meters[one].device_id for one in found}:
            mine = [one for one in self._meters.values() if one.device_id == device_id]
            parts = [one for one in mine if one.id in found and _LEVELS.get(one.role, _DEEPEST) > 0]
            if not [one for one in parts if not self._is_input(one)]:
                continue
            tops = [one for one in mine if one.role == WHOLE]
            tops = tops or [one for one in mine if _LEVELS.get(one.role, _DEEPEST) == 1]
            if len(tops) == 1:
                found.add(tops[0].id)
        return found

    def _is_input(self, one: TreeMeter) -> bool:
        return self._settings[one.id].reading_point == _INPUT and one.device_kind in ("ups", "dc_plant")

    def _with_input(self, members: Iterable[int]) -> set[str]:
        return {self._meters[one].device_id for one in members if self._is_input(self._meters[one])}

    def _edge_feeds(self, members: set[int], before: Mapping[str, str]) -> list[Feed]:
        """The edges between devices; two of one meter to inlets of one device are one."""
        shares: dict[tuple[int, str], list[float | None]] = {}
        for one in self._edges:
            if one.child_meter is None and one.parent in members:
                child = before.get(one.child_device, one.child_device)
                shares.setdefault((one.parent, child), []).append(one.share)
        return [
            Feed(parent, child, None if None in found else sum(one for one in found if one is not None))
            for (parent, child), found in shares.items()
        ]

    def _nest(self, members: Iterable[int]) -> None:
        """Meters of one device within each other, where no edge says how."""
        placed = {one.child_id for one in self._inner}
        by_device: dict[str, dict[int, list[int]]] = {}
        for meter_id in members:
            one = self._meters[meter_id]
            if not self._is_input(one):
                levels = by_device.setdefault(one.device_id, {})
                levels.setdefault(_LEVELS.get(one.role, _DEEPEST), []).append(meter_id)
        for levels in by_device.values():
            for level, mine in levels.items():
                above = [levels[other][0] for other in sorted(levels) if other < level and len(levels[other]) == 1]
                for meter_id in mine:
                    if above and meter_id not in placed:
                        self._inner.append(Inner(above[-1], meter_id))

    def _with_parts(self, members: set[int]) -> set[int]:
        """Without meters below which nothing is: what they measured stays in the rest of the one above."""
        while True:
            bare = {one for one in members if not self._has_parts(one) and self._settings[one].accounting != "always"}
            if not bare:
                return members
            members = members - bare
            self._inner = [one for one in self._inner if not {one.parent_id, one.child_id} & bare]

    def _has_parts(self, meter_id: int) -> bool:
        return any(one.meter_id == meter_id for one in self._feeds) or any(
            one.parent_id == meter_id for one in self._inner
        )

    def _below(self, meter_id: int) -> frozenset[str]:
        """All devices below a meter."""
        found: set[str] = set()
        waiting, seen = [meter_id], set()
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            waiting += [inner.child_id for inner in self._inner if inner.parent_id == one]
            fed = {feed.device_id for feed in self._feeds if feed.meter_id == one} - found
            found |= fed
            waiting += [other for other, device_id in self._device_of.items() if device_id in fed]
        return frozenset(found)
