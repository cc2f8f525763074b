"""What was true of each device when: stretches of half-hours in which its accounting meters, place and PUE were the same.

Which meter stands for a device is decided here, on reading, with what was valid then. A change within a half-hour
holds from that half-hour on, so each half-hour has exactly one answer, which pages, series and reports share.
"""

import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, case, or_, select

from carbon.calendar import half_hour_of
from carbon.spaces import Pue, pue_of
from collector.database.schema import (
    accounting_override,
    device,
    device_accounting,
    device_feed,
    device_placement,
    inventory,
    meter,
    meter_edge,
    organisation,
    site,
    space,
    space_pue,
)
from collector.guest_links import Stay, stays

ESTIMATE_METER = "cpu"
REST_METER = "cpu/rest"
"""The meters that the power model fills: the whole machine, and the machine without processor packages and memory."""
LOSS_SUFFIX = "/supply_loss"
GUEST_PLATFORMS = ("virtual_machine", "container")


@dataclass(frozen=True, slots=True)
class Segment:
    """One device from half-hour `start` to before `end` (Unix seconds): its meters add up to it.

    `first_heard` is when the device was first sampled (Unix seconds), which may lie within its first half-hour.
    `host_name` is the name it had then. `host_missing` marks a guest whose host is not known, and `host_ids` are the
    hosts of one whose is: two where it moved in a half-hour. `counted` says whether the device enters totals: a guest
    with a host never does, because its energy is in its host's, nor one that a polled switch feeds (`device_feed`, or a
    link of a PoE port).
    """

    device_id: str
    start: int
    end: int
    first_heard: int
    meter_ids: tuple[int, ...]
    basis: str
    host_name: str
    site: str
    directorate: str
    pue: Pue
    host_missing: bool
    host_ids: tuple[str, ...]
    counted: bool
    organisation_id: int
    site_id: int | None
    space_id: int | None


def load_segments(
    connection: Connection,
    start: int,
    end: int,
    device_ids: Sequence[str] | None = None,
    open_from: int | None = None,
) -> list[Segment]:
    """Segments of all devices, or of some, between two half-hours. Half-hours before a device's first choice have none.

    `open_from` is the half-hour from which on nothing is written yet: guests that were on a host until then still are.
    """
    chosen = None if device_ids is None else list(device_ids)
    choices = dated_rows(connection, device_accounting, chosen)
    overrides = dated_rows(connection, accounting_override, chosen)
    places = dated_rows(connection, device_placement, chosen)
    feeds = dated_rows(connection, device_feed, chosen)
    for device_id, linked in _poe_links(connection, chosen).items():
        feeds.setdefault(device_id, []).extend(linked)
    meters: dict[str, dict[str, int]] = {}
    query = select(meter.c.device_id, meter.c.name, meter.c.id).where(meter.c.covers.not_in(("guest", "feeds")))
    for row in connection.execute(_only(query, meter, chosen)):
        meters.setdefault(row.device_id, {})[row.name] = row.id
    spaces = spaces_with_pue(connection)
    sites = dict(connection.execute(select(site.c.id, site.c.name)).all())
    inventories = _inventories(connection, chosen)
    uuids = {row.link_uuid for rows in inventories.values() for row in rows if row.link_uuid}
    on_hosts = stays(connection, start, end, uuids, open_from)
    query = select(device, organisation.c.count_host_missing).join(organisation)
    if chosen is not None:
        query = query.where(device.c.id.in_(chosen))
    found: list[Segment] = []
    for one in connection.execute(query):
        mine = tuple(rows.get(one.id, []) for rows in (choices, overrides, places, inventories, feeds))
        edges = {start, end}
        for rows in mine:
            edges |= {
                half_hour_of(bound) for row in rows for bound in (row.valid_from, row.valid_to) if bound is not None
            }
        for placed in mine[2]:
            edges |= {
                half_hour_of(bound) for row in spaces.get(placed.space_id, ((), None))[0] for bound in bounds_of(row)
            }
        mine_on_hosts = [
            stay
            for uuid in sorted({row.link_uuid for row in mine[3] if row.link_uuid})
            for stay in on_hosts.get(uuid, ())
            if stay.organisation_id == one.organisation_id and stay.host_id != one.id
        ]
        edges |= {bound for stay in mine_on_hosts for bound in (stay.start, stay.end)}
        if one.retired_at is not None:
            edges.add(half_hour_of(one.retired_at))
        inside = sorted(edge for edge in edges if start <= edge <= end)
        for begins, ends in itertools.pairwise(inside):
            if one.retired_at is not None and begins >= half_hour_of(one.retired_at):
                continue
            choice = valid_in(mine[1], begins) or valid_in(mine[0], begins)
            if choice is None:
                continue
            place = valid_in(mine[2], begins)
            kind, own = space_at(spaces, place.space_id if place else None, begins)
            known = valid_in(mine[3], begins) or (mine[3][0] if mine[3] else None)
            hosts = _hosts(known, on_hosts, mine_on_hosts, begins)
            fed = valid_in(mine[4], begins) is not None
            missing = known is not None and known.platform in GUEST_PLATFORMS and not hosts
            found.append(
                Segment(
                    device_id=one.id,
                    start=begins,
                    end=ends,
                    first_heard=min(row.valid_from for row in mine[0]) if mine[0] else begins,
                    meter_ids=_meter_ids(choice, meters.get(one.id, {})),
                    basis=choice.basis,
                    host_name=known.host_name if known else "",
                    site=sites.get(place.site_id, "") if place else "",
                    directorate=place.directorate if place else "",
                    pue=pue_of(kind, own),
                    host_missing=missing,
                    host_ids=hosts,
                    counted=not hosts and not fed and (one.count_host_missing or not missing),
                    organisation_id=one.organisation_id,
                    site_id=place.site_id if place else None,
                    space_id=place.space_id if place else None,
                )
            )
    return found


def _hosts(known: Any, on_hosts: dict[str, list[Stay]], mine: Sequence[Stay], half_hour: int) -> tuple[str, ...]:
    """The hosts on which a device was a guest in a half-hour, by the inventory that held then."""
    if known is None or not known.link_uuid or known.platform not in GUEST_PLATFORMS:
        return ()
    there = [stay for stay in on_hosts.get(known.link_uuid, ()) if stay in mine]
    return tuple(sorted({stay.host_id for stay in there if stay.start <= half_hour < stay.end}))


def loss_meter_name(name: str) -> str:
    """The meter of what the power supply loses before a meter that sees only its output; other meters have none."""
    return name + LOSS_SUFFIX


def is_loss_meter(name: str) -> bool:
    """Whether a meter is that of a power supply's loss."""
    return name.endswith(LOSS_SUFFIX)


def _meter_ids(choice: Any, ids: dict[str, int]) -> tuple[int, ...]:
    if choice.basis == "estimate":
        names = [ESTIMATE_METER]
    else:
        chosen = json.loads(choice.meters)
        names = [*chosen, *([REST_METER] if choice.basis == "package" else map(loss_meter_name, chosen))]
    return tuple(ids[name] for name in names if name in ids)


def bounds_of(row: Any) -> Iterable[int]:
    """The times at which a dated row begins and ends."""
    return (bound for bound in (row.valid_from, row.valid_to) if bound is not None)


def valid_in(rows: Sequence[Any], half_hour: int) -> Any:
    """The row that holds for a half-hour: the newest that began before its end and had not ended by its start."""
    holding = [
        row
        for row in rows
        if half_hour_of(row.valid_from) <= half_hour
        and (row.valid_to is None or half_hour_of(row.valid_to) > half_hour)
    ]
    return max(holding, key=lambda row: row.valid_from) if holding else None


def _only(query: Any, table: Table, device_ids: list[str] | None) -> Any:
    return query if device_ids is None else query.where(table.c.device_id.in_(device_ids))


def dated_rows(connection: Connection, table: Table, device_ids: list[str] | None) -> dict[str, list[Row[Any]]]:
    """The rows of a dated table by device."""
    rows: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(_only(select(table), table, device_ids)):
        rows.setdefault(row.device_id, []).append(row)
    return rows


def _poe_links(connection: Connection, device_ids: list[str] | None) -> dict[str, list[Row[Any]]]:
    """Devices that a person linked to a PoE port: they lie in the energy of its switch, while that is in use."""
    retired, ends = device.c.retired_at, meter_edge.c.valid_to
    until = case((retired.is_(None), ends), (or_(ends.is_(None), ends > retired), retired), else_=ends)
    query = (
        select(meter_edge.c.child_device_id.label("device_id"), meter_edge.c.valid_from, until.label("valid_to"))
        .join(meter, meter.c.id == meter_edge.c.parent_meter_id)
        .join(device, device.c.id == meter.c.device_id)
        .where(meter.c.name.startswith("poe_port/"), meter_edge.c.child_device_id.is_not(None))
    )
    if device_ids is not None:
        query = query.where(meter_edge.c.child_device_id.in_(device_ids))
    rows: dict[str, list[Any]] = {}
    for row in connection.execute(query):
        rows.setdefault(row.device_id, []).append(row)
    return rows


def _inventories(connection: Connection, device_ids: list[str] | None) -> dict[str, list[Row[Any]]]:
    """Names and platforms of devices, oldest first: before the first inventory, the first holds."""
    names = ("device_id", "host_name", "platform", "link_uuid", "valid_from", "valid_to")
    columns = (getattr(inventory.c, name) for name in names)
    rows: dict[str, list[Row[Any]]] = {}
    query = select(*columns).order_by(inventory.c.valid_from, inventory.c.version)
    for row in connection.execute(_only(query, inventory, device_ids)):
        rows.setdefault(row.device_id, []).append(row)
    return rows


def spaces_with_pue(connection: Connection) -> dict[int, tuple[list[Row[Any]], str]]:
    """Each space's own PUE values and its kind."""
    kinds = dict(connection.execute(select(space.c.id, space.c.kind)).all())
    spaces: dict[int, tuple[list[Row[Any]], str]] = {one: ([], kind) for one, kind in kinds.items()}
    for row in connection.execute(select(space_pue)):
        spaces[row.space_id][0].append(row)
    return spaces


def space_at(
    spaces: dict[int, tuple[list[Row[Any]], str]], space_id: int | None, half_hour: int
) -> tuple[str | None, Pue | None]:
    """A space's kind, and its own PUE in a half-hour, where it has one."""
    if space_id is None or space_id not in spaces:
        return None, None
    rows, kind = spaces[space_id]
    row = valid_in(rows, half_hour)
    return kind, None if row is None else Pue(row.pue, row.low, row.high, row.source)
