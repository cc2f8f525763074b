"""Devices that a controller manages, in the estate: each is a device of its own, known again by serial number or MAC.

The same access point under another controller, or polled by itself later, is the same device. One that its controller no
longer tells of is absent, and never deleted; one that a person retired is left so.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from collector.database.schema import agent_key, device, managed_device, snmp_device
from collector.database.upsert import upsert
from collector.estate_version import touch
from collector.keys import DAY_SECONDS, new_key
from collector.snmp.evidence import Traits, note_evidence, recognise
from collector.snmp.managed import ManagedDevice
from collector.snmp.poe_feed import Feed, feed_of, note_feed

KEY_SECONDS = 100 * 365 * DAY_SECONDS
"""The key's secret is forgotten as it is made: nobody can send with it."""


@dataclass(frozen=True, slots=True)
class ManagedFound:
    """What a controller told at `at` (Unix seconds): all that it manages."""

    controller_id: str
    at: int
    found: tuple[ManagedDevice, ...]


@dataclass(frozen=True, slots=True)
class ToRecord:
    """A managed device for which its controller's poll makes the report: it is not polled itself."""

    device_id: str
    key_id: str
    told: ManagedDevice
    feed: Feed | None


def note_managed(connection: Connection, items: Sequence[ManagedFound]) -> list[list[ToRecord]]:
    """Keep what controllers told, make devices of what is new, and settle which switch feeds each."""
    return [_note(connection, one) for one in items]


def _note(connection: Connection, told: ManagedFound) -> list[ToRecord]:
    known = _known(connection, told.found)
    matches = recognise(connection, [_traits(one) for one in told.found])
    polled = set(
        connection.execute(select(snmp_device.c.device_id).where(snmp_device.c.removed_at.is_(None))).scalars()
    )
    organisation_id = connection.execute(
        select(device.c.organisation_id).where(device.c.id == told.controller_id)
    ).scalar_one()
    to_record, seen = [], []
    for one, match in zip(told.found, matches, strict=True):
        device_id, in_use = known.get(one.mac) or known.get(one.serial) or ("", True)
        if match is not None and not device_id:
            device_id = match.device_id
        if device_id in seen:
            # Two rows with one serial number, which some firmwares give to all: their addresses tell them apart.
            device_id = ""
        if device_id == told.controller_id or not in_use:
            continue
        if not device_id:
            device_id = _new(connection, organisation_id, one, told.at)
        seen.append(device_id)
        note_evidence(connection, device_id, {"serial": [one.serial], "mac_address": [one.mac]}, told.at)
        feed = feed_of(connection, device_id)
        note_feed(connection, device_id, feed, told.at)
        if device_id not in polled:
            key_id = connection.execute(
                select(agent_key.c.id).where(agent_key.c.device_id == device_id, agent_key.c.revoked_at.is_(None))
            ).scalar()
            if key_id is not None:
                to_record.append(ToRecord(device_id, key_id, one, feed))
        row = {
            "device_id": device_id,
            "controller_id": told.controller_id,
            "row_key": one.key,
            "name": one.name,
            "model": one.model,
            "serial": one.serial,
            "mac": one.mac,
            "address": one.address,
            "version": one.version,
            "online": one.online,
            "clients": one.clients,
            "first_seen_at": told.at,
            "last_seen_at": told.at,
            "absent_at": None,
        }
        changes = [name for name in row if name not in ("device_id", "first_seen_at")]
        upsert(connection, managed_device, [row], changes)
    gone = managed_device.c.device_id.not_in(seen) & managed_device.c.absent_at.is_(None)
    mine = managed_device.c.controller_id == told.controller_id
    connection.execute(update(managed_device).where(mine, gone).values(absent_at=told.at, online=False))
    return to_record


def _known(connection: Connection, found: Sequence[ManagedDevice]) -> dict[str, tuple[str, bool]]:
    """Device and whether it is in use, by serial number and by MAC address, of what was managed before.

    A merged device stands for the one that it was merged into.
    """
    wanted = {value for one in found for value in (one.serial, one.mac) if value}
    query = select(
        managed_device.c.device_id,
        managed_device.c.serial,
        managed_device.c.mac,
        device.c.retired_at,
        device.c.merged_into,
    ).join(device, device.c.id == managed_device.c.device_id)
    known: dict[str, tuple[str, bool]] = {}
    for row in connection.execute(query):
        for value in (row.serial, row.mac):
            if value in wanted:
                known[value] = (row.merged_into or row.device_id, row.retired_at is None or row.merged_into is not None)
    return known


def _traits(one: ManagedDevice) -> Traits:
    return Traits(serial=frozenset({one.serial} - {""}), mac_address=frozenset({one.mac} - {""}))


def _new(connection: Connection, organisation_id: int, one: ManagedDevice, at: int) -> str:
    device_id = secrets.token_hex(6)
    row = {"id": device_id, "organisation_id": organisation_id, "kind": one.kind, "created_at": at}
    connection.execute(insert(device).values(**row, retired_at=None, merged_into=None))
    new_key(connection, device_id, at, KEY_SECONDS)
    touch(connection)
    return device_id
