"""What feeds what, in the database: dated links from the places of UPSs, PDUs and switches to devices, each made by a person.

A link is an edge of the metering tree (`carbon.metering_tree`) from a meter to a device. Times are half-hours: a link
holds from one on. Every act is audited, and can be undone: a link that is no longer so is ended at a date and may be
taken up again; one that never was so is withdrawn.
"""

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, update

from carbon.calendar import HALF_HOUR_SECONDS, half_hour_of
from carbon.errors import TreeError
from carbon.metering_tree import Edge, check_edge
from collector.database.audit import audit
from collector.database.schema import device, meter, meter_edge, power_link
from collector.errors import BadRequest, NotFound
from collector.estate_version import touch
from collector.ledger import FEEDS
from collector.snmp.devices import last_reading
from collector.snmp.fed import LinkedPort
from collector.snmp.places import ONE_FOR_ONE, WHOLE, Place, places_of

BY_HAND = json.dumps([{"how": "person", "detail": "linked by hand"}])
"""The evidence of a link that nothing but a person proposed."""

_POE = "poe_port"


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it stands. `share` None: what the device draws is told by its own meters. Times are Unix seconds.

    `id` is that of the pair (`power_link`), which may have been linked at several times; `edge_id` is this time's.
    """

    id: int
    edge_id: int
    parent_meter_id: int
    parent_device_id: str
    place: str
    child_device_id: str
    share: float | None
    valid_from: int
    valid_to: int | None
    child_meter_id: int | None = None
    child_place: str = ""
    """The meter of the child that it goes into, where a person said so."""


@dataclass(frozen=True, slots=True)
class WantedLink:
    """A link to make. `share` None: the whole of an outlet or PoE port, not known of anything that feeds many.

    `child_place` is the meter of the child that it goes into, such as an inlet: it feeds that meter.
    """

    parent_device_id: str
    place: Place
    child_device_id: str
    begins: int
    ends: int | None = None
    share: float | None = None
    child_place: Place | None = None


def known_places(connection: Connection, device_id: str) -> dict[str, Place]:
    """The places of a device by their meters' names: those of its last reading, and those that have a meter already."""
    shown = last_reading(connection, device_id)
    found = {one.meter: one for one in (places_of(shown) if shown else [])}
    query = select(meter.c.name).where(meter.c.device_id == device_id, meter.c.covers == FEEDS)
    for name in connection.execute(query).scalars():
        found.setdefault(name, Place(name, name.partition("/")[0], ""))
    return found


def find_place(connection: Connection, device_id: str, wanted: str) -> Place:
    """The place that a person names: by its meter (`outlet/7`), its label, or its number where only one has it.

    `wanted` "" is all that passes through. Raises NotFound, or BadRequest for several.
    """
    found = known_places(connection, device_id)
    wanted = wanted.strip() or WHOLE
    if wanted in found:
        return found[wanted]
    same = wanted.casefold()
    labelled = [one for one in found.values() if one.label.casefold() == same]
    outlets = [one for one in labelled if one.role in ONE_FOR_ONE] or labelled
    mine = [one for one in found.values() if one.role == "outlet"]
    by_index = [one for one in mine if one.meter.rpartition("/")[2] == wanted]
    # "Outlet 5" is 5, whatever row of the device's table it has.
    by_label = [one for one in mine if (number := re.search(r"\d+", one.label)) and number[0] == wanted]
    by_last_arc = [one for one in mine if one.meter.rpartition(".")[2] == wanted]
    numbered = by_index or by_label or by_last_arc
    for several in (outlets, numbered):
        if len(several) == 1:
            return several[0]
        if several:
            names = ", ".join(one.meter for one in several[:8])
            raise BadRequest(f"{len(several)} places are called {wanted!r}: {names}", "give one of these")
    some = ", ".join(list(found)[:8]) or "none yet: it has not been read, or tells of no place"
    raise NotFound(f"the device {device_id} has no place {wanted!r}; it has {some}", "see `ictagent snmp path places`")


def make_link(connection: Connection, wanted: WantedLink, actor: str, action: str = "path.link") -> int:
    """Link a place to a device; the link's number. Raises BadRequest for what cannot be."""
    now = int(time.time())
    _same_organisation(connection, wanted.parent_device_id, wanted.child_device_id)
    share = wanted.share
    if share is None and wanted.place.role in ONE_FOR_ONE:
        share = 1.0
    meter_id = _meter(connection, wanted.parent_device_id, wanted.place, now)
    begins, ends = half_hour_of(wanted.begins), None if wanted.ends is None else half_hour_of(wanted.ends)
    if begins > now:
        raise BadRequest("a link cannot begin in the future", "give the date from which it holds")
    into = None
    if wanted.child_place is not None:
        if wanted.place.role == _POE:
            raise BadRequest("a PoE port feeds the whole of a device", "leave --into away")
        into = _meter(connection, wanted.child_device_id, wanted.child_place, now)
    new = Edge(meter_id, wanted.parent_device_id, wanted.child_device_id, into, share, begins, ends)
    _check(connection, new)
    values = {
        "parent_meter_id": meter_id,
        "child_device_id": wanted.child_device_id if into is None else None,
        "child_meter_id": into,
        "share": share,
        "valid_from": begins,
        "valid_to": ends,
    }
    edge_id = connection.execute(insert(meter_edge).values(**values)).inserted_primary_key
    assert edge_id is not None  # noqa: S101  # an insert of one row has a key
    detail = {**values, "child_device_id": wanted.child_device_id, "place": wanted.place.meter, "edge": edge_id[0]}
    audit(connection, now, actor, action, wanted.parent_device_id, detail)
    touch(connection)
    return _note_confirmed(connection, wanted, actor, now)


def end_link(connection: Connection, link_id: int, ends: int, actor: str) -> None:
    """Say that a link is so no longer from a half-hour on. Raises NotFound, or BadRequest for a time that cannot be."""
    link = find_link(connection, link_id)
    ends = half_hour_of(ends)
    if link.valid_to is not None:
        raise BadRequest(f"the link {link_id} has ended already", "take it up again with --undo")
    if ends <= link.valid_from:
        raise BadRequest(
            f"the link {link_id} begins at or after this time", "give a later end; what never was so: --as-if-never"
        )
    if ends > int(time.time()) + HALF_HOUR_SECONDS:
        raise BadRequest("a link cannot end in the future", "give the date on which it ended")
    connection.execute(update(meter_edge).where(meter_edge.c.id == link.edge_id).values(valid_to=ends))
    _audited(connection, link, actor, "path.unlink", {"ends": ends})


def take_up_link(connection: Connection, link_id: int, actor: str) -> None:
    """Undo the end of a link. Raises BadRequest where something else stands in its place by now."""
    link = find_link(connection, link_id)
    if link.valid_to is None:
        raise BadRequest(f"the link {link_id} has not ended", "see `ictagent snmp path list`")
    new = Edge(
        link.parent_meter_id,
        link.parent_device_id,
        link.child_device_id,
        link.child_meter_id,
        link.share,
        link.valid_from,
        None,
    )
    _same_organisation(connection, link.parent_device_id, link.child_device_id)
    _check(connection, new, without=link.edge_id)
    connection.execute(update(meter_edge).where(meter_edge.c.id == link.edge_id).values(valid_to=None))
    _audited(connection, link, actor, "path.relink", {"ends": None})


def withdraw_link(connection: Connection, link_id: int, actor: str) -> None:
    """Take a link away as if it never was; what was proposed is a proposal again. Raises NotFound."""
    link = find_link(connection, link_id)
    connection.execute(delete(meter_edge).where(meter_edge.c.id == link.edge_id))
    _audited(connection, link, actor, "path.withdraw", {})
    if any(one.id == link.id for one in _links(connection, power_link.c.id == link.id)):
        return  # an earlier time of the same pair stays
    mine = power_link.c.id == link.id
    # What was never proposed, and linked by hand, is no proposal either.
    connection.execute(delete(power_link).where(mine, power_link.c.evidence == BY_HAND))
    connection.execute(update(power_link).where(mine).values(state="proposed", decided_at=None, decided_by=""))


def find_link(connection: Connection, link_id: int) -> Link:
    """The newest link of a pair by its number. Raises NotFound."""
    found = _links(connection, power_link.c.id == link_id)
    if not found:
        raise NotFound(f"there is no link {link_id}", "see `ictagent snmp path list --state confirmed`")
    return found[-1]


def links(connection: Connection, device_ids: Iterable[str] | None = None, at: int | None = None) -> list[Link]:
    """Links at either end of which such a device stands, or all; at a time (Unix seconds), or of all times."""
    found = _links(connection)
    mine = None if device_ids is None else set(device_ids)
    return [
        one
        for one in found
        if (mine is None or one.parent_device_id in mine or one.child_device_id in mine)
        and (at is None or (one.valid_from <= at and (one.valid_to is None or at < one.valid_to)))
    ]


def linked_meters(connection: Connection) -> dict[str, frozenset[str]]:
    """Names of the meters that feed something, by device: the poller follows these PoE ports."""
    query = (
        select(meter.c.device_id, meter.c.name)
        .join(meter_edge, meter_edge.c.parent_meter_id == meter.c.id)
        .where(meter_edge.c.valid_to.is_(None))
    )
    found: dict[str, set[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.device_id, set()).add(row.name)
    return {device_id: frozenset(names) for device_id, names in found.items()}


def linked_ports(connection: Connection) -> dict[str, tuple[LinkedPort, ...]]:
    """The PoE ports that feed a device now, by switch: an estimate of the switch holds what they feed."""
    child = device.alias()
    query = (
        select(meter.c.device_id, meter.c.name, child.c.kind)
        .join(meter_edge, meter_edge.c.parent_meter_id == meter.c.id)
        .join(child, child.c.id == meter_edge.c.child_device_id)
        .where(meter_edge.c.valid_to.is_(None), meter.c.name.startswith("poe_port/"))
        .order_by(meter.c.name)
    )
    found: dict[str, tuple[LinkedPort, ...]] = {}
    for row in connection.execute(query):
        found[row.device_id] = (*found.get(row.device_id, ()), LinkedPort(row.name, row.kind))
    return found


def fed_device() -> ColumnElement[str]:
    """The device that a row of `meter_edge` feeds, also where it feeds one of its meters."""
    into = meter.alias()
    of_meter = select(into.c.device_id).where(into.c.id == meter_edge.c.child_meter_id).scalar_subquery()
    return func.coalesce(meter_edge.c.child_device_id, of_meter)


def _links(connection: Connection, *where: ColumnElement[bool]) -> list[Link]:
    into = meter.alias()
    child = func.coalesce(meter_edge.c.child_device_id, into.c.device_id)
    pair = and_(
        power_link.c.parent_device_id == meter.c.device_id,
        power_link.c.place == meter.c.name,
        power_link.c.child_device_id == child,
    )
    query = (
        select(
            meter_edge,
            meter.c.device_id,
            meter.c.name,
            power_link.c.id.label("link_id"),
            child.label("child"),
            into.c.name.label("child_place"),
        )
        .join(meter, meter.c.id == meter_edge.c.parent_meter_id)
        .outerjoin(into, into.c.id == meter_edge.c.child_meter_id)
        .join(power_link, pair)
        .where(*where)
        .order_by(meter.c.device_id, meter.c.name, meter_edge.c.valid_from, meter_edge.c.id)
    )
    return [
        Link(
            row.link_id,
            row.id,
            row.parent_meter_id,
            row.device_id,
            row.name,
            row.child,
            row.share,
            row.valid_from,
            row.valid_to,
            row.child_meter_id,
            row.child_place or "",
        )
        for row in connection.execute(query)
    ]


def _check(connection: Connection, new: Edge, without: int | None = None) -> None:
    """Raise BadRequest where the edge cannot stand beside the others."""
    other = meter.alias()
    query = (
        select(meter_edge, meter.c.device_id, other.c.device_id.label("child_meter_device"))
        .join(meter, meter.c.id == meter_edge.c.parent_meter_id)
        .outerjoin(other, other.c.id == meter_edge.c.child_meter_id)
    )
    if without is not None:
        query = query.where(meter_edge.c.id != without)
    try:
        check_edge(new, [_edge(row) for row in connection.execute(query)])
    except TreeError as error:
        raise BadRequest(error.message, error.remedy) from error


def _edge(row: Row[Any]) -> Edge:
    return Edge(
        row.parent_meter_id,
        row.device_id,
        row.child_device_id or row.child_meter_device,
        row.child_meter_id,
        row.share,
        row.valid_from,
        row.valid_to,
    )


def _meter(connection: Connection, device_id: str, place: Place, now: int) -> int:
    """The meter of a place, made where there is none yet: one without readings has no energy, and can be linked."""
    query = select(meter.c.id, meter.c.covers).where(meter.c.device_id == device_id, meter.c.name == place.meter)
    row = connection.execute(query).first()
    if row is not None:
        return int(row.id)
    values = {
        "device_id": device_id,
        "name": place.meter,
        "source": place.source,
        "kind": place.kind,
        "covers": FEEDS,
        "parent": "",
        "created_at": now,
    }
    made = connection.execute(insert(meter).values(**values)).inserted_primary_key
    assert made is not None  # noqa: S101  # an insert of one row has a key
    return int(made[0])


def _same_organisation(connection: Connection, parent: str, child: str) -> None:
    query = select(device.c.id, device.c.organisation_id).where(device.c.id.in_((parent, child)))
    # Held until the end: of two people who link the same outlet at once, the second sees what the first did. Not the key,
    # which reports refer to.
    query = query.order_by(device.c.id).with_for_update(key_share=True)
    rows = {row.id: row for row in connection.execute(query)}
    for one in (parent, child):
        if one not in rows:
            raise NotFound(f"there is no device {one}", "see `ictagent estate list`")
    if rows[parent].organisation_id != rows[child].organisation_id:
        raise BadRequest("the two devices are of different organisations", "link devices of one organisation")


def _note_confirmed(connection: Connection, wanted: WantedLink, actor: str, now: int) -> int:
    """That the pair was decided, so that it is not proposed again; its number."""
    same = _pair(wanted.parent_device_id, wanted.place.meter, wanted.child_device_id)
    decided = {"state": "confirmed", "decided_at": now, "decided_by": actor}
    if connection.execute(update(power_link).where(same).values(**decided)).rowcount != 1:
        connection.execute(
            insert(power_link).values(
                parent_device_id=wanted.parent_device_id,
                place=wanted.place.meter,
                label=wanted.place.label,
                child_device_id=wanted.child_device_id,
                score=1.0,
                evidence=BY_HAND,
                first_seen_at=now,
                last_seen_at=now,
                **decided,
            )
        )
    return int(connection.execute(select(power_link.c.id).where(same)).scalar_one())


def _pair(parent_device_id: str, place: str, child_device_id: str) -> ColumnElement[bool]:
    return and_(
        power_link.c.parent_device_id == parent_device_id,
        power_link.c.place == place,
        power_link.c.child_device_id == child_device_id,
    )


def _audited(connection: Connection, link: Link, actor: str, action: str, changed: dict[str, object]) -> None:
    """All of the link as it was, so that what was taken away can be made again."""
    detail = {
        "edge": link.edge_id,
        "place": link.place,
        "child_device_id": link.child_device_id,
        "child_meter_id": link.child_meter_id,
        "share": link.share,
        "valid_from": link.valid_from,
        "valid_to": link.valid_to,
    }
    audit(connection, int(time.time()), actor, action, link.parent_device_id, {**detail, **changed})
    touch(connection)
