"""Polled devices in the database: added, removed, listed, and how their polls go.

A polled device is a device of the estate like a host. It has a key of its own whose secret nobody knows, so that its
polls are claimed and recorded exactly as reports are.
"""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from collector.database.audit import audit
from collector.database.schema import agent_key, collector_instance, device, diagnosis, snmp_device
from collector.diagnoses import diagnose
from collector.errors import BadRequest, NotFound
from collector.estate import Placement, place, retire
from collector.estate_version import touch
from collector.keys import DAY_SECONDS, new_key
from collector.organisation import read_organisation
from collector.snmp.evidence import note_evidence
from collector.snmp.fed import SeenAsFed
from collector.snmp.held_diagnoses import DiagnosesChanged
from collector.snmp.leases import Lease, still_held
from collector.snmp.neighbour_store import note_neighbours
from collector.snmp.neighbours import Neighbour
from collector.snmp.poe_feed import end_feeds, note_fed
from collector.snmp.poe_tally import PoeTold, note_poe

KEY_SECONDS = 100 * 365 * DAY_SECONDS
"""The key's secret is forgotten as it is made: nobody can send with it."""
SHORTEST_SECONDS, LONGEST_SECONDS = 10, 7 * DAY_SECONDS


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device to be polled. Intervals are seconds; `credential` names how it is asked.

    `organisation` says by name whose it is; empty is the first one's.
    """

    host: str
    port: int = 161
    credential: str = "public"
    name: str = ""
    kind: str = "network_device"
    organisation: str = ""
    site: str = ""
    space: str = ""
    space_kind: str = ""
    power_seconds: int = 60
    utilisation_seconds: int = 300
    inventory_seconds: int = DAY_SECONDS
    timeout_seconds: float = 2.0
    retries: int = 2
    managed: bool = True
    """Whether the access points that it manages, if it is a controller, become devices of the estate."""


@dataclass(frozen=True, slots=True)
class PolledDevice:
    """A device that is polled, with how the last poll went. Times are Unix seconds."""

    device_id: str
    key_id: str
    host: str
    port: int
    credential: str
    name: str
    kind: str
    power_seconds: int
    utilisation_seconds: int
    inventory_seconds: int
    timeout_seconds: float
    retries: int
    managed: bool
    added_at: int
    state: str
    last_ok_at: int | None
    last_error: str
    last_remedy: str
    failures: int
    next_try_at: int | None
    profiles: tuple[str, ...]
    polled_by: str
    """Host name and id of the collector that holds its lease; empty where there is one collector, or none yet."""


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """How one poll went, for the device's row. `reading` is what pages show, None where nothing was read."""

    device_id: str
    at: int
    state: str
    error: str = ""
    remedy: str = ""
    failures: int = 0
    next_try_at: int | None = None
    profiles: tuple[str, ...] = ()
    kind: str = ""
    reading: str | None = None
    neighbours: tuple[Neighbour, ...] | None = None
    """What it sees at its ports, None where that was not asked."""
    fed: tuple[SeenAsFed, ...] | None = None
    """What it feeds over Ethernet, with a `reading`."""
    poe: PoeTold | None = None
    """What its PoE ports gave since it was written last, with a `reading`."""
    diagnoses: DiagnosesChanged | None = None
    """Those that began, hold or ended, where that is to be written."""
    mac_address: str = ""
    """Of the device itself, where it was asked."""
    lease: Lease | None = None
    """Under which the poll was: what a collector that lost it says of the device is not written."""


def add_device(connection: Connection, wanted: NewDevice, actor: str) -> str:
    """Have a device polled; its device id. Raises BadRequest for one that is polled already, or cannot be.

    Raises NotFound for an organisation that there is not.
    """
    now = int(time.time())
    _check(wanted)
    same = (snmp_device.c.host == wanted.host) & (snmp_device.c.port == wanted.port)
    if connection.execute(select(snmp_device.c.device_id).where(same, snmp_device.c.removed_at.is_(None))).first():
        raise BadRequest(f"{wanted.host}:{wanted.port} is polled already", "see ictagent snmp list")
    organisation_id = read_organisation(connection, wanted.organisation or None).id
    device_id = secrets.token_hex(6)
    row = {"id": device_id, "organisation_id": organisation_id, "kind": wanted.kind, "created_at": now}
    connection.execute(insert(device).values(**row, retired_at=None, merged_into=None))
    new_key(connection, device_id, now, KEY_SECONDS)
    if wanted.site:
        place(
            connection, device_id, Placement(wanted.site, wanted.space or None, wanted.space_kind or None), actor, now
        )
    of_device = ("kind", "organisation", "site", "space", "space_kind")
    settings = {name: value for name, value in asdict(wanted).items() if name not in of_device}
    connection.execute(
        insert(snmp_device).values(
            device_id=device_id,
            **settings,
            added_at=now,
            added_by=actor,
            removed_at=None,
            state="never",
            last_ok_at=None,
            last_error="",
            last_remedy="",
            failures=0,
            next_try_at=None,
            profiles="[]",
            reading="",
        )
    )
    detail = {"address": f"{wanted.host}:{wanted.port}", "credential": wanted.credential}
    audit(connection, now, actor, "snmp.add", device_id, detail)
    touch(connection)
    return device_id


def remove_device(connection: Connection, device_id: str, actor: str, collector_id: str) -> None:
    """Poll a device no longer, and retire it; what was recorded stays. Raises NotFound."""
    now = int(time.time())
    mine = (snmp_device.c.device_id == device_id) & snmp_device.c.removed_at.is_(None)
    if connection.execute(update(snmp_device).where(mine).values(removed_at=now)).rowcount != 1:
        raise NotFound(f"the device {device_id} is not polled", "see ictagent snmp list")
    if connection.execute(select(device.c.retired_at).where(device.c.id == device_id)).scalar_one() is None:
        retire(connection, device_id, actor, now, collector_id)
    end_feeds(connection, device_id, now)
    audit(connection, now, actor, "snmp.remove", device_id, {})
    touch(connection)


def restore_device(connection: Connection, device_id: str, actor: str, collector_id: str) -> None:
    """Undo a removal. Raises NotFound, or BadRequest where another device has the address by now."""
    row = connection.execute(select(snmp_device).where(snmp_device.c.device_id == device_id)).first()
    if row is None or row.removed_at is None:
        raise NotFound(f"the device {device_id} was not removed", "see ictagent snmp list --removed")
    same = (snmp_device.c.host == row.host) & (snmp_device.c.port == row.port) & snmp_device.c.removed_at.is_(None)
    if other := connection.execute(select(snmp_device.c.device_id).where(same)).scalar():
        raise BadRequest(f"{row.host}:{row.port} is polled as {other} by now", f"remove {other} first")
    now = int(time.time())
    values = {"removed_at": None, "state": "never", "failures": 0, "next_try_at": None}
    connection.execute(update(snmp_device).where(snmp_device.c.device_id == device_id).values(**values))
    if connection.execute(select(device.c.retired_at).where(device.c.id == device_id)).scalar_one() is not None:
        retire(connection, device_id, actor, now, collector_id, undo=True)
    audit(connection, now, actor, "snmp.restore", device_id, {})
    touch(connection)


def polled_devices(
    connection: Connection, *, removed: bool = False, device_id: str | None = None
) -> list[PolledDevice]:
    """The devices that are polled (or were), by address; of one id, that one alone."""
    names = PolledDevice.__dataclass_fields__
    # Not the last readings, which are large and which a page asks for one by one.
    columns = [column for column in snmp_device.c if column.name in names]
    polled_by = func.coalesce(collector_instance.c.host_name + " (" + snmp_device.c.lease_owner + ")", "")
    query = (
        select(*columns, device.c.kind, agent_key.c.id.label("key_id"), polled_by.label("polled_by"))
        .join(device, device.c.id == snmp_device.c.device_id)
        .join(agent_key, agent_key.c.device_id == device.c.id)
        .outerjoin(collector_instance, collector_instance.c.id == snmp_device.c.lease_owner)
        .where(snmp_device.c.removed_at.isnot(None) if removed else snmp_device.c.removed_at.is_(None))
        .order_by(snmp_device.c.host, snmp_device.c.port)
    )
    if device_id is not None:
        query = query.where(snmp_device.c.device_id == device_id)
    return [
        PolledDevice(**{**{name: row[name] for name in names}, "profiles": tuple(json.loads(row["profiles"]))})
        for row in connection.execute(query).mappings()
    ]


def polled_device(connection: Connection, device_id: str) -> PolledDevice | None:
    """How a device is polled, or None for one that is not."""
    return next(iter(polled_devices(connection, device_id=device_id)), None)


def find_polled(connection: Connection, name: str) -> PolledDevice:
    """The polled device with this id, name, host or address `host:port`. Raises NotFound, or BadRequest for several."""
    found = [
        one
        for one in polled_devices(connection)
        if name in (one.device_id, one.name, one.host, f"{one.host}:{one.port}") and name
    ]
    if not found:
        raise NotFound(f"no device {name} is polled", "see ictagent snmp list")
    if len(found) > 1:
        raise BadRequest(f"{len(found)} polled devices are called {name}", "give the device id: ictagent snmp list")
    return found[0]


def last_reading(connection: Connection, device_id: str) -> dict[str, Any] | None:
    """What the last poll read, as pages show it, or None for a device that is not polled or never answered."""
    body = connection.execute(select(snmp_device.c.reading).where(snmp_device.c.device_id == device_id)).scalar()
    reading: dict[str, Any] | None = json.loads(body) if body else None
    return reading


def note_polls(connection: Connection, items: Sequence[PollOutcome]) -> list[None]:
    """Write how polls went."""
    for one in items:
        values: dict[str, Any] = {
            "state": one.state,
            "last_error": one.error[:1024],
            "last_remedy": one.remedy[:1024],
            "failures": one.failures,
            "next_try_at": one.next_try_at,
        }
        if one.state == "ok":
            values |= {"last_ok_at": one.at, "profiles": json.dumps(one.profiles)}
        if one.reading is not None:
            values["reading"] = one.reading
        if one.lease is not None and not still_held(connection, one.device_id, one.lease):
            continue
        connection.execute(update(snmp_device).where(snmp_device.c.device_id == one.device_id).values(**values))
        if one.diagnoses is not None:
            note_diagnoses(connection, one.device_id, one.diagnoses, one.at)
        if one.neighbours is not None:
            note_neighbours(connection, one.device_id, one.neighbours, one.at)
        if one.mac_address:
            note_evidence(connection, one.device_id, {"mac_address": [one.mac_address]}, one.at)
        if one.fed is not None:
            note_fed(connection, one.device_id, one.fed, one.at)
        if one.poe is not None:
            note_poe(connection, one.device_id, one.poe, one.at)
        if one.kind:
            same = (device.c.id == one.device_id) & (device.c.kind != one.kind)
            if connection.execute(update(device).where(same).values(kind=one.kind)).rowcount:
                touch(connection)
    return [None] * len(items)


def note_diagnoses(connection: Connection, device_id: str, changed: DiagnosesChanged, at: int) -> None:
    """Write the diagnoses that hold for a device, and take away those that do no longer."""
    if changed.ended:
        over = (diagnosis.c.device_id == device_id) & diagnosis.c.code.in_(changed.ended)
        connection.execute(delete(diagnosis).where(over))
    for one in changed.hold:
        diagnose(connection, device_id, one.code, one.message, one.remedy, at)


def _check(wanted: NewDevice) -> None:
    if not wanted.host or len(wanted.host) > 253 or any(character.isspace() for character in wanted.host):
        raise BadRequest(f"{wanted.host[:80]!r} is no host name or address", "give one such as 10.1.2.3")
    if not 0 < wanted.port < 65536:
        raise BadRequest(f"{wanted.port} is no UDP port", "leave it away for 161")
    for name in ("power_seconds", "utilisation_seconds", "inventory_seconds"):
        if not SHORTEST_SECONDS <= getattr(wanted, name) <= LONGEST_SECONDS:
            raise BadRequest(f"{name} must lie between {SHORTEST_SECONDS} and {LONGEST_SECONDS}", "")
    if wanted.power_seconds > 60 * 60:
        raise BadRequest("power_seconds must be an hour at most", "power is told for half-hours")
    if not 0.1 <= wanted.timeout_seconds <= 60 or not 0 <= wanted.retries <= 10:
        raise BadRequest("the timeout must lie between 0.1 and 60 seconds, and retries between 0 and 10", "")
