"""The metering tree of a month as it is drawn: sites, spaces, what feeds what, and how each part's energy is known.

A site and a space hold the sums of all that stands there, so that they add up. What a meter feeds is drawn below it,
wherever it stands; what several meters feed is drawn below the first.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, select

from carbon.calendar import day_bounds, half_hour_of
from carbon.class_profiles import profile_errors
from carbon.footprint import Energy
from carbon.uncertainty import Errors, add_errors, range_of
from carbon.wording import counted
from collector.building_meters import building_meters
from collector.class_energy import by_month
from collector.database.schema import device, guest_host, organisation, site, space
from collector.device_energy import rules_by_organisation
from collector.guest_queries import shared_host
from collector.metered import Accounted, Metering, TreeAlarm
from collector.metering import metering
from collector.metering_nodes import Shape, TreeMeter
from collector.metering_tree import PowerPath, load_power_path
from collector.power_view import device_names
from collector.segments import load_segments

Kind = Literal["site", "space", "device", "meter", "rest", "guest", "headroom", "profile", "not_ict", "generation"]
NO_SITE, NO_SPACE = "no site", "no space"
_NOTHING_LINKED = "in no total: nothing is linked below it, and what stands behind it counts by itself"


@dataclass(slots=True)
class Shares:
    """Microjoules by how they are known, with bounds of their sum at 95%. `unexplained` is what meters measured beyond the devices
    that are known.
    """

    measured_uj: int = 0
    estimated_uj: int = 0
    profile_uj: int = 0
    unexplained_uj: int = 0
    errors: Errors = field(default_factory=dict)

    @property
    def total_uj(self) -> int:
        return self.measured_uj + self.estimated_uj + self.profile_uj + self.unexplained_uj

    @property
    def low_uj(self) -> int:
        return range_of(self.total_uj, self.errors)[0]

    @property
    def high_uj(self) -> int:
        return range_of(self.total_uj, self.errors)[1]

    def add(self, other: "Shares") -> None:
        self.measured_uj += other.measured_uj
        self.estimated_uj += other.estimated_uj
        self.profile_uj += other.profile_uj
        self.unexplained_uj += other.unexplained_uj
        self.errors = add_errors(self.errors, other.errors)


@dataclass(slots=True)
class TreeNode:
    """A line of the tree. `shares` are those of the node itself; of a site and a space, of all that stands there.

    `meter_uj` is what a meter measured, its own rest or not; `outside_uj` is energy that is shown and in no total: a
    guest's part of its host, what a meter of a building measured beyond ICT, a rest that is withheld, generation. `note`
    says why, or which source was chosen. `coverage` is a ratio, None where it says nothing.
    """

    kind: Kind
    id: str
    name: str
    shares: Shares = field(default_factory=Shares)
    meter_uj: int | None = None
    outside_uj: int = 0
    coverage: float | None = None
    note: str = ""
    alarms: int = 0
    children: list["TreeNode"] = field(default_factory=list)


@dataclass(slots=True)
class EstateTree:
    """A month's tree of an organisation. `host_missing` are virtual machines whose host nobody knows."""

    month: str
    organisation: str
    sites: list[TreeNode]
    shares: Shares
    alarms: list[TreeAlarm]
    host_missing: list[str]
    withheld_uj: int
    not_ict_uj: int
    generated_uj: int


def estate_tree(
    connection: Connection,
    month: str,
    now: int,
    organisation_id: int = 1,
    site_name: str | None = None,
    *,
    guests: bool = False,
) -> EstateTree:
    """The tree of a month (YYYY-MM) up to `now` (Unix seconds), of one site or of all; with `guests` also what each
    virtual machine had of its host, which takes longer.
    """
    return _Drawing(connection, month, now, organisation_id, guests).tree(site_name)


class _Drawing:
    def __init__(self, connection: Connection, month: str, now: int, organisation_id: int, guests: bool) -> None:
        self._connection, self._month, self._guests = connection, month, guests
        first = datetime.date.fromisoformat(f"{month}-01")
        last = (first + datetime.timedelta(days=32)).replace(day=1) - datetime.timedelta(days=1)
        rules = rules_by_organisation(connection)[organisation_id]
        self._start, self._end = day_bounds(first, rules.time_zone)[0], day_bounds(last, rules.time_zone)[1]
        self._at = max(self._start, min(half_hour_of(now), self._end - 1800))
        self._organisation_id = organisation_id
        self._found: Metering = metering(connection, first, last, now, organisation_id)
        self._path: PowerPath = load_power_path(connection, self._start, self._end)
        self._profiles = by_month(connection, organisation_id, month, month, now)
        self._by_device: dict[str, list[Accounted]] = {}
        self._rests: dict[int, list[Accounted]] = {}
        for row in self._found.rows:
            if row.meter_id is None:
                self._by_device.setdefault(row.device_id, []).append(row)
            else:
                self._rests.setdefault(row.meter_id, []).append(row)
        self._shapes: dict[str, tuple[Shape, Mapping[int, TreeMeter]]] = {}
        for branch in self._path.branches:
            shape = self._path.shape(branch, self._at)
            self._shapes |= dict.fromkeys(branch.devices, (shape, branch.meters))
        everyone = {row.device_id for row in self._found.rows} | set(self._shapes)
        linked = {node.meter.id for shape, _ in self._shapes.values() for node in shape.nodes}
        accounted = {meter_id for _, meter_id in self._found.meters}
        days = (first, last)
        self._buildings = building_meters(connection, self._path, linked, accounted, organisation_id, self._at, days)
        self._names = device_names(connection, everyone | {one.device_id for one in self._buildings.meters})
        self._kinds = dict(connection.execute(select(device.c.id, device.c.kind)).all())
        self._alarms: dict[int, int] = {}
        for alarm in self._found.alarms:
            self._alarms[alarm.meter_id] = self._alarms.get(alarm.meter_id, 0) + 1
        self._possible_seconds = max(0, min(now, self._end) - self._start)
        self._drawn: set[str] = set()
        self._hosts = self._with_guests() if guests else set()

    def tree(self, site_name: str | None) -> EstateTree:
        connection = self._connection
        sites = dict(connection.execute(select(site.c.id, site.c.name)).all())
        spaces = dict(connection.execute(select(space.c.id, space.c.name)).all())
        places: dict[int | None, dict[int | None, TreeNode]] = {}

        def at(site_id: int | None, space_id: int | None) -> TreeNode:
            name = NO_SPACE if space_id is None else spaces.get(space_id, NO_SPACE)
            mine = places.setdefault(site_id, {})
            return mine.setdefault(space_id, TreeNode("space", str(space_id or ""), name))

        for row in self._found.rows:
            at(row.site_id, row.space_id).shares.add(_shares([row]))
        for place, node in self._profile_nodes():
            at(*place).shares.add(node.shares)
            at(*place).children.append(node)
        for device_id, place in sorted(self._tops().items(), key=lambda one: self._names[one[0]]):
            if device_id not in self._drawn:
                at(*place).children.append(self._device(device_id, frozenset()))
        for building in self._buildings.meters:
            places.setdefault(building.site_id, {})
        found, beside_uj = [], 0
        for site_id, mine in places.items():
            node = TreeNode("site", str(site_id or ""), NO_SITE if site_id is None else sites.get(site_id, NO_SITE))
            node.children = sorted(mine.values(), key=_by_name)
            for one in node.children:
                one.children.sort(key=lambda child: (-_whole(child), child.name))
                node.shares.add(one.shares)
            building_nodes = self._building_nodes(site_id, node.shares)
            beside_uj += sum(one.outside_uj for one in building_nodes)
            node.children = [*building_nodes, *node.children]
            if site_name is None or node.name == site_name:
                found.append(node)
        whole = Shares()
        for node in found:
            whole.add(node.shares)
        name = connection.execute(
            select(organisation.c.name).where(organisation.c.id == self._organisation_id)
        ).scalar_one()
        months = self._found.meters.values()
        return EstateTree(
            self._month,
            name,
            sorted(found, key=_by_name),
            whole,
            self._found.alarms,
            self._host_missing(),
            sum(one.withheld.total_uj for one in months),
            sum(one.not_ict.total_uj for one in months) + beside_uj,
            sum(one.total_uj for one in self._found.generation.values()),
        )

    def _tops(self) -> dict[str, tuple[int | None, int | None]]:
        """Devices that nothing feeds, with where they stood last; those of branches before the others."""
        fed = {one for shape, _ in self._shapes.values() for node in shape.nodes for one in node.fed}
        last: dict[str, tuple[int | None, int | None]] = {}
        for row in sorted(self._found.rows, key=lambda one: one.end):
            last[row.device_id] = (row.site_id, row.space_id)
        passing = [node.meter.device_id for shape, _ in self._shapes.values() for node in shape.nodes]
        found = {one: last.get(one) or self._place_of_meters(one, last) for one in passing if one not in fed}
        return found | {one: place for one, place in last.items() if one not in fed}

    def _place_of_meters(
        self, device_id: str, places: Mapping[str, tuple[int | None, int | None]]
    ) -> tuple[int | None, int | None]:
        """Of a device that uses nothing itself: where a person put its meters, else the site of something that it feeds."""
        mine = [node for node in self._shapes[device_id][0].nodes if node.meter.device_id == device_id]
        said = [(node.setting.site_id, node.setting.space_id) for node in mine if node.setting.site_id is not None]
        fed = [(places[one][0], None) for node in mine for one in sorted(node.fed) if one in places]
        return next(iter([*said, *fed]), (None, None))

    def _device(self, device_id: str, above: frozenset[str]) -> TreeNode:
        self._drawn.add(device_id)
        rows = self._by_device.get(device_id, [])
        node = TreeNode("device", device_id, self._names.get(device_id, device_id), _shares(rows))
        node.note = max(rows, key=lambda one: one.energy.total_uj).reason if rows else ""
        possible = sum(one.possible_seconds for one in rows)
        node.coverage = min(1.0, sum(one.covered_seconds for one in rows) / possible) if possible else None
        if device_id in self._shapes:
            shape, _ = self._shapes[device_id]
            inner = {one.child_id for one in shape.inner}
            mine = [one for one in shape.nodes if one.meter.device_id == device_id and one.meter.id not in inner]
            node.children += [self._meter(one.meter, shape, above | {device_id}) for one in mine]
        if device_id in self._hosts:
            node.children += self._guest_nodes(device_id)
        node.children += self._generation_nodes(device_id)
        return node

    def _meter(self, one: TreeMeter, shape: Shape, above: frozenset[str]) -> TreeNode:
        node = TreeNode("meter", str(one.id), one.name, alarms=self._alarms.get(one.id, 0))
        month = self._found.meters.get((self._month, one.id))
        children = {inner.child_id for inner in shape.inner if inner.parent_id == one.id}
        node.children += [self._meter(other.meter, shape, above) for other in shape.nodes if other.meter.id in children]
        fed = [feed.device_id for feed in shape.feeds if feed.meter_id == one.id and feed.device_id in self._kinds]
        before = [feed.device_id.removeprefix("before ") for feed in shape.feeds if feed.meter_id == one.id]
        for device_id in sorted({*fed, *(name for name in before if name in self._kinds)}, key=self._name):
            if device_id in above:
                continue
            if device_id in self._drawn:
                node.children.append(
                    TreeNode("device", device_id, self._name(device_id), note="drawn above: it has several feeds")
                )
            else:
                node.children.append(self._device(device_id, above))
        if month is not None:
            node.meter_uj = month.energy.total_uj
            node.coverage = min(1.0, month.covered_seconds / month.possible_seconds) if month.possible_seconds else None
            rests = self._rests.get(one.id, [])
            unexplained = sum(row.energy.total_uj for row in rests)
            if unexplained:
                node.children.append(
                    TreeNode("rest", str(one.id), "not explained", _shares(rests), note=rests[0].reason)
                )
            for kind, energy, note in (
                ("rest", month.withheld, f"not counted: {month.why}"),
                ("not_ict", month.not_ict, "a whole building's: not ICT"),
            ):
                if energy != Energy():
                    node.children.append(_outside(kind, one.id, energy.total_uj, note))
        return node

    def _name(self, device_id: str) -> str:
        return self._names.get(device_id, device_id)

    def _building_nodes(self, site_id: int | None, shares: Shares) -> list[TreeNode]:
        """The meters of a site that feed nothing which is known, and what those of buildings measured beyond its ICT."""
        found = []
        for one in self._buildings.at(site_id):
            node = TreeNode("meter", str(one.meter_id), one.name, meter_uj=one.energy_uj)
            if self._name(one.device_id) not in one.name:
                node.name = f"{self._name(one.device_id)} {one.name}"
            node.coverage = min(1.0, one.covered_seconds / self._possible_seconds) if self._possible_seconds else None
            node.note = "a whole building's" if one.purpose == "whole_building" else _NOTHING_LINKED
            found.append(node)
        rest = self._buildings.rest(site_id, shares.total_uj, self._possible_seconds)
        if rest is not None:
            found.append(_outside("not_ict", self._buildings.at(site_id)[0].meter_id, rest.energy_uj, rest.why))
        return found

    def _generation_nodes(self, device_id: str) -> list[TreeNode]:
        return [
            TreeNode(
                "generation",
                str(meter_id),
                self._path.generation[meter_id].name,
                outside_uj=energy.total_uj,
                note="made on site: apart",
            )
            for (_, meter_id), energy in self._found.generation.items()
            if self._path.generation[meter_id].device_id == device_id
        ]

    def _profile_nodes(self) -> Iterable[tuple[tuple[int | None, int | None], TreeNode]]:
        """Devices without readings, by place and class: what they use at the office; what at home is apart."""
        sums: dict[tuple[int | None, int | None, str], TreeNode] = {}
        days: dict[tuple[int | None, int | None, str], float] = {}
        for row in self._profiles:
            key = (row.site_id, row.space_id, row.device_class)
            days[key] = days.get(key, 0) + float(row.device_days)
            node = sums.setdefault(key, TreeNode("profile", row.device_class, row.device_class.replace("_", " ")))
            used = row.energy
            node.shares.add(Shares(profile_uj=used.office_uj, errors=profile_errors(row.device_class, used)[0]))
            node.outside_uj += row.energy.home_uj
        for key, node in sums.items():
            node.note = f"class profile, {days[key]:g} device-days" + ("; at home apart" if node.outside_uj else "")
            yield key[:2], node

    def _with_guests(self) -> set[str]:
        query = (
            select(guest_host.c.device_id)
            .where(guest_host.c.half_hour >= self._start, guest_host.c.half_hour < self._end)
            .distinct()
        )
        return set(self._connection.execute(query).scalars())

    def _guest_nodes(self, device_id: str) -> Sequence[TreeNode]:
        shared = shared_host(self._connection, device_id, self._start, self._end)
        if shared is None:
            return []
        found = [
            TreeNode(
                "guest", one.device_id, one.host_name or one.name, outside_uj=one.energy_uj, note="a part of its host"
            )
            for one in shared.guests
        ]
        for name, amount in (("the host itself", shared.host_itself), ("headroom", shared.headroom)):
            found.append(TreeNode("headroom", "", name, outside_uj=amount.energy_uj, note="a part of its host"))
        return found

    def _host_missing(self) -> list[str]:
        return sorted(
            {
                one.host_name or one.device_id
                for one in load_segments(self._connection, self._at, self._at + 1800)
                if one.host_missing and one.organisation_id == self._organisation_id
            }
        )


def _shares(rows: Iterable[Accounted]) -> Shares:
    found = Shares()
    for row in rows:
        found.errors = add_errors(found.errors, row.energy.errors)
        if row.kind == "rest":
            found.unexplained_uj += row.energy.total_uj
        else:
            found.measured_uj += row.energy.measured_uj
            found.estimated_uj += row.energy.estimated_uj
    return found


def _outside(kind: str, meter_id: int, uj: int, note: str) -> TreeNode:
    return TreeNode(
        "not_ict" if kind == "not_ict" else "rest",
        str(meter_id),
        "not ICT" if kind == "not_ict" else "not explained",
        outside_uj=uj,
        note=note,
    )


def _by_name(node: TreeNode) -> tuple[bool, list[str | int]]:
    """Sites and spaces in order, what stands nowhere last."""
    return node.name in (NO_SITE, NO_SPACE), counted(node.name)


def _whole(node: TreeNode) -> int:
    return node.shares.total_uj + sum(_whole(child) for child in node.children)
