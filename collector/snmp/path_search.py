"""The search for what feeds what: everything known of the estate, given to `collector.snmp.link_finder`, and what it finds kept."""

import json
from collections.abc import Callable, Iterable
from functools import partial

from sqlalchemy import Connection, select

from collector.database.engine import Database
from collector.database.schema import device, device_placement, inventory, site, snmp_device, space
from collector.power_path import links
from collector.power_proposals import AT_ONCE, Found, forget_unseen, note_found
from collector.segments import GUEST_PLATFORMS
from collector.snmp.interfaces import Interface
from collector.snmp.link_finder import Estate, FeedingDevice, KnownDevice, find_links
from collector.snmp.neighbour_store import seen_neighbours
from collector.snmp.neighbours import Neighbour
from collector.snmp.places import places_of

Write = Callable[[Callable[[Connection], int]], int]


def search(database: Database, write: Write, now: int) -> int:
    """Look for links anew, keep what is found, and forget what is found no longer; how many are new.

    `write` runs a handler in a transaction of its own: what takes long is read before, and each writes little.
    """
    with database.read() as connection:
        found = found_links(connection, now)
    new = 0
    for start in range(0, len(found), AT_ONCE):
        chunk = found[start : start + AT_ONCE]
        new += write(partial(note_found, found=chunk, now=now))
    write(partial(forget_unseen, now=now))
    return new


def found_links(connection: Connection, now: int) -> list[Found]:
    """Every link that something speaks for, but of places that feed something already."""
    known = Estate(known_devices(connection))
    standing = {(one.parent_device_id, one.place) for one in links(connection, at=now)}
    return [
        one
        for one in find_links(known, feeding_devices(connection))
        if (one.parent_device_id, one.place) not in standing
    ]


def known_devices(connection: Connection) -> list[KnownDevice]:
    """The devices in use that may be fed: all but guests."""
    open_place = (device_placement.c.device_id == device.c.id) & device_placement.c.valid_to.is_(None)
    newest = (inventory.c.device_id == device.c.id) & inventory.c.valid_to.is_(None)
    polled = (snmp_device.c.device_id == device.c.id) & snmp_device.c.removed_at.is_(None)
    query = (
        select(
            device.c.id,
            device.c.organisation_id,
            inventory.c.body,
            inventory.c.platform,
            snmp_device.c.host,
            snmp_device.c.name,
            snmp_device.c.reading,
            site.c.name.label("site"),
            space.c.name.label("space"),
        )
        .outerjoin(inventory, newest)
        .outerjoin(snmp_device, polled)
        .outerjoin(device_placement, open_place)
        .outerjoin(site, site.c.id == device_placement.c.site_id)
        .outerjoin(space, space.c.id == device_placement.c.space_id)
        .where(device.c.retired_at.is_(None), device.c.merged_into.is_(None))
        .order_by(device.c.id)
    )
    found = []
    for row in connection.execute(query):
        if row.platform in GUEST_PLATFORMS:
            continue
        said = json.loads(row.body) if row.body else {}
        identity = json.loads(row.reading)["identity"] if row.reading else {}
        names = (said.get("host_name", ""), row.name or "", identity.get("name", ""))
        cards = [card.get("mac_address", "") for card in said.get("network_cards", ())]
        found.append(
            KnownDevice(
                row.id,
                tuple(dict.fromkeys(name for name in names if name)),
                row.organisation_id,
                row.site or "",
                row.space or "",
                (row.host,) if row.host else (),
                tuple(one for one in (*cards, identity.get("mac_address", "")) if one),
                said.get("serial", "") or identity.get("serial", ""),
            )
        )
    return found


def feeding_devices(connection: Connection) -> Iterable[FeedingDevice]:
    """The polled devices that have places, with their interfaces and what stands at their ports."""
    neighbours: dict[str, list[Neighbour]] = {}
    for one in seen_neighbours(connection):
        neighbours.setdefault(one.device_id, []).append(one.neighbour)
    query = (
        select(snmp_device.c.device_id, snmp_device.c.reading)
        .join(device, device.c.id == snmp_device.c.device_id)
        .where(snmp_device.c.removed_at.is_(None), device.c.retired_at.is_(None), snmp_device.c.reading != "")
        .order_by(snmp_device.c.device_id)
    )
    for row in connection.execute(query):
        shown = json.loads(row.reading)
        found = places_of(shown)
        if found:
            interfaces = tuple(Interface(**one) for one in shown["interfaces"])
            yield FeedingDevice(row.device_id, tuple(found), interfaces, tuple(neighbours.get(row.device_id, ())))
