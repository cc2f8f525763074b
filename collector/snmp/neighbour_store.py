"""Neighbours in the database: what each polled device saw at its last inventory, and what it sees no longer."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from collector.database.schema import device, snmp_device, snmp_neighbour
from collector.snmp.neighbours import Neighbour

GONE_KEPT_SECONDS = 30 * 24 * 3600
"""How long a neighbour that is seen no longer is remembered."""
_LISTS = ("capabilities", "addresses")
_KEY = ("protocol", "if_index", "port", "chassis_id", "port_id")
"""By which a neighbour at a port is the same as before."""


@dataclass(frozen=True, slots=True)
class SeenNeighbour:
    """A neighbour with the device that saw it. `gone_at` is None while it is there. Times are Unix seconds."""

    device_id: str
    neighbour: Neighbour
    first_seen_at: int
    last_seen_at: int
    gone_at: int | None = None


def note_neighbours(connection: Connection, device_id: str, found: Iterable[Neighbour], at: int) -> None:
    """Keep what a device saw at `at` (Unix seconds), and that the others are gone."""
    mine = snmp_neighbour.c.device_id == device_id
    before = {
        tuple(getattr(row, name) for name in _KEY): row
        for row in connection.execute(select(snmp_neighbour).where(mine))
    }
    new = []
    for one in {tuple(getattr(one, name) for name in _KEY): one for one in found}.values():
        values = {**asdict(one), "mac": one.mac, "last_seen_at": at, "gone_at": None}
        values |= {name: json.dumps(getattr(one, name)) for name in _LISTS}
        known = before.pop(tuple(values[name] for name in _KEY), None)
        if known is None:
            new.append({"device_id": device_id, **values, "first_seen_at": at})
        else:
            connection.execute(update(snmp_neighbour).where(snmp_neighbour.c.id == known.id).values(**values))
    if new:
        connection.execute(insert(snmp_neighbour), new)
    missed = [row.id for row in before.values() if row.gone_at is None]
    if missed:
        connection.execute(update(snmp_neighbour).where(snmp_neighbour.c.id.in_(missed)).values(gone_at=at))
    connection.execute(delete(snmp_neighbour).where(mine, snmp_neighbour.c.gone_at < at - GONE_KEPT_SECONDS))


def seen_neighbours(connection: Connection, device_id: str | None = None, *, gone: bool = False) -> list[SeenNeighbour]:
    """What a device sees at its ports, or what all devices that are polled see; with `gone` also what they saw before."""
    query = (
        select(snmp_neighbour)
        .join(snmp_device, snmp_device.c.device_id == snmp_neighbour.c.device_id)
        .join(device, device.c.id == snmp_neighbour.c.device_id)
        .where(snmp_device.c.removed_at.is_(None), device.c.retired_at.is_(None))
        .order_by(snmp_neighbour.c.device_id, snmp_neighbour.c.if_index, snmp_neighbour.c.id)
    )
    if device_id is not None:
        query = query.where(snmp_neighbour.c.device_id == device_id)
    if not gone:
        query = query.where(snmp_neighbour.c.gone_at.is_(None))
    return [_seen(row) for row in connection.execute(query).mappings()]


def as_json(seen: Sequence[SeenNeighbour]) -> list[dict[str, Any]]:
    """Neighbours as the API and pages show them."""
    times = ("first_seen_at", "last_seen_at", "gone_at")
    return [
        {**asdict(one.neighbour), "mac": one.neighbour.mac, "kind": one.neighbour.kind}
        | {name: getattr(one, name) for name in times}
        for one in seen
    ]


def _seen(row: Any) -> SeenNeighbour:
    values = {one.name: row[one.name] for one in fields(Neighbour)}
    values |= {name: tuple(json.loads(values[name])) for name in _LISTS}
    times = (row["first_seen_at"], row["last_seen_at"], row["gone_at"])
    return SeenNeighbour(row["device_id"], Neighbour(**values), *times)
