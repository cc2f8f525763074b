"""The tree of a branch at one time: which meters stand where, and which are within each other.

A device's own meters form a part of the tree by themselves: what passes through the whole of a PDU passes through its
inlet, a branch and an outlet. A meter of what goes into a UPS holds the UPS's own loss; the tree has it as the meter of
a node before the UPS.
"""

from collections.abc import Iterable, Mapping

from carbon.tree_nodes import Feed, Inner
from collector.metering_nodes import UPS_INPUT, Branch, Node, Setting, Shape, TreeMeter
from collector.snmp.places import WHOLE

_LEVELS = {WHOLE: 0, "mpan": 0, "device": 1, "inlet": 1, "ups_output": 1, "phase": 2, "branch": 3, "outlet": 4}
"""What passes through a place of a level passes through those of the levels before it."""
_DEEPEST = max(_LEVELS.values())


def shape_of(branch: Branch, settings: Mapping[int, Setting], half_hour: int) -> Shape:
    """A branch as it was in a half-hour; `settings` say what held of each of its meters."""
    return _Shaping(branch, settings, half_hour).shape()


class _Shaping:
    """Which meters stand where in a branch in one half-hour."""

    def __init__(self, branch: Branch, settings: Mapping[int, Setting], half_hour: int) -> None:
        self._edges = [one for one in branch.edges if one.start <= half_hour < one.end]
        self._settings = settings
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
        return self._settings[one.id].reading_point == UPS_INPUT and one.device_kind in ("ups", "dc_plant")

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
