"""What pages and the API show of guests: where a host's energy went, and what a virtual machine had of which host."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, func, select

from collector.database.schema import device, guest_energy, guest_host, guest_stay, inventory, meter
from collector.guest_links import LINK_LASTS_SECONDS, link_uuid, stays

_AMOUNTS = ("energy_uj", "low_uj", "high_uj")


@dataclass(slots=True)
class Amount:
    """Energy in microjoules, with bounds."""

    energy_uj: int = 0
    low_uj: int = 0
    high_uj: int = 0


@dataclass(slots=True)
class GuestShare(Amount):
    """What a guest had of its host's energy. `device_id` and `host_name` are those of its own agent, if it has one."""

    name: str = ""
    kind: str = ""
    manager: str = ""
    system_uuid: str = ""
    vcpus: float = 0.0
    memory_bytes: int = 0
    idle_uj: int = 0
    active_uj: int = 0
    ran_seconds: int = 0
    device_id: str = ""
    host_name: str = ""


@dataclass(slots=True)
class SharedHost:
    """A host's energy in the half-hours in which it had guests: theirs, its own work's, and what nobody configured.

    The three add up to `whole` to the microjoule.
    """

    half_hours: int
    whole: Amount
    guests: list[GuestShare] = field(default_factory=list)
    host_itself: Amount = field(default_factory=Amount)
    headroom: Amount = field(default_factory=Amount)


@dataclass(slots=True)
class OnHost(Amount):
    """What a virtual machine had of one host's energy; `host_uj` is all that the host used in these half-hours."""

    host_id: str = ""
    host_name: str = ""
    half_hours: int = 0
    ran_seconds: int = 0
    idle_uj: int = 0
    active_uj: int = 0
    host_uj: int = 0


def shared_host(connection: Connection, device_id: str, start: int, end: int) -> SharedHost | None:
    """Where a host's energy went from one half-hour to before another; None where it had no guests then."""
    names = [f"{part}{name}" for part in ("", "itself_", "headroom_") for name in _AMOUNTS]
    sums = [func.sum(guest_host.c[name]).label(name) for name in names]
    query = select(func.count().label("half_hours"), *sums).where(
        guest_host.c.device_id == device_id, guest_host.c.half_hour >= start, guest_host.c.half_hour < end, _current()
    )
    row = connection.execute(query).mappings().one()
    if not row["half_hours"]:
        return None
    shared = SharedHost(row["half_hours"], _amount(row, ""), [], _amount(row, "itself_"), _amount(row, "headroom_"))
    by_meter: dict[int, tuple[int, GuestShare]] = {}
    query = (
        _parts(start, end)
        .add_columns(
            meter.c.id.label("meter_id"), guest_energy.c.body, func.max(guest_energy.c.half_hour).label("last")
        )
        .where(meter.c.device_id == device_id)
        .group_by(meter.c.id, guest_energy.c.body)
    )
    for part in connection.execute(query).mappings():
        last, share = by_meter.get(part["meter_id"], (-1, GuestShare()))
        if part["last"] > last:
            # As it was last: a guest may be renamed, and given more.
            last, body = part["last"], json.loads(part["body"])
            for name in ("name", "kind", "manager", "system_uuid", "vcpus", "memory_bytes"):
                setattr(share, name, body[name])
        _add(share, part)
        by_meter[part["meter_id"]] = last, share
    shared.guests = sorted((share for _, share in by_meter.values()), key=lambda one: (-one.energy_uj, one.name))
    _name_devices(connection, device_id, shared.guests)
    return shared


def on_hosts(connection: Connection, device_id: str, start: int, end: int) -> list[OnHost]:
    """What a virtual machine had of each host that it was on, from one half-hour to before another."""
    organisation_id = _organisation(connection, device_id)
    query = select(inventory.c.link_uuid).where(inventory.c.device_id == device_id, inventory.c.link_uuid != "")
    uuids = set(connection.execute(query.distinct()).scalars())
    if not uuids:
        return []
    there = select(guest_stay.c.meter_id).where(
        guest_stay.c.link_uuid.in_(sorted(uuids)), guest_stay.c.valid_from < end, guest_stay.c.valid_to > start
    )
    found = (
        _parts(start, end)
        .add_columns(
            meter.c.device_id.label("host_id"),
            func.count().label("half_hours"),
            func.sum(guest_host.c.energy_uj).label("host_uj"),
        )
        .join(device, device.c.id == meter.c.device_id)
        .where(meter.c.id.in_(there), device.c.organisation_id == organisation_id, device.c.id != device_id)
        .group_by(meter.c.device_id)
    )
    hosts = []
    for row in connection.execute(found).mappings():
        one = OnHost(host_id=row["host_id"], half_hours=int(row["half_hours"]), host_uj=int(row["host_uj"]))
        _add(one, row)
        hosts.append(one)
    names = _names(connection, [one.host_id for one in hosts])
    for one in hosts:
        one.host_name = names.get(one.host_id, "")
    return sorted(hosts, key=lambda one: (-one.energy_uj, one.host_id))


def hosts_now(connection: Connection, now: int) -> dict[str, str]:
    """The host of each virtual machine that is on a known one now, by device."""
    query = (
        select(inventory.c.device_id, inventory.c.link_uuid, device.c.organisation_id)
        .join(device, device.c.id == inventory.c.device_id)
        .where(inventory.c.valid_to.is_(None), inventory.c.link_uuid != "")
    )
    machines = connection.execute(query).all()
    known = stays(connection, now - LINK_LASTS_SECONDS, now, {row.link_uuid for row in machines})
    hosts: dict[str, str] = {}
    for row in machines:
        mine = [
            one
            for one in known.get(row.link_uuid, ())
            if one.organisation_id == row.organisation_id and one.host_id != row.device_id
        ]
        if mine:
            hosts[row.device_id] = max(mine, key=lambda one: (one.end, one.start, one.host_id)).host_id
    return hosts


def _current() -> Any:
    """The condition that a host's row is the one that holds."""
    other = guest_host.alias()
    higher = and_(
        other.c.device_id == guest_host.c.device_id,
        other.c.half_hour == guest_host.c.half_hour,
        other.c.revision > guest_host.c.revision,
    )
    return ~select(other.c.revision).where(higher).exists()


def _parts(start: int, end: int) -> Any:
    """Sums of guests' parts that hold, each beside its host's row; to be grouped."""
    names = ("idle_uj", "active_uj", "low_uj", "high_uj", "ran_seconds")
    same = and_(
        guest_host.c.device_id == meter.c.device_id,
        guest_host.c.half_hour == guest_energy.c.half_hour,
        guest_host.c.revision == guest_energy.c.revision,
    )
    return (
        select(*(func.sum(guest_energy.c[name]).label(name) for name in names))
        .select_from(guest_energy)
        .join(meter, meter.c.id == guest_energy.c.meter_id)
        .join(guest_host, same)
        .where(guest_energy.c.half_hour >= start, guest_energy.c.half_hour < end, _current())
    )


def _amount(row: Any, prefix: str) -> Amount:
    return Amount(*(int(row[prefix + name]) for name in _AMOUNTS))


def _add(share: GuestShare | OnHost, row: Any) -> None:
    for name in ("idle_uj", "active_uj", "low_uj", "high_uj", "ran_seconds"):
        setattr(share, name, getattr(share, name) + int(row[name]))
    share.energy_uj = share.idle_uj + share.active_uj


def _organisation(connection: Connection, device_id: str) -> int:
    query = select(device.c.organisation_id).where(device.c.id == device_id)
    return int(connection.execute(query).scalar_one())


def _name_devices(connection: Connection, host_id: str, guests: Sequence[GuestShare]) -> None:
    """Say of each guest which device its own agent is, within the host's organisation."""
    query = (
        select(inventory.c.link_uuid, inventory.c.device_id, inventory.c.host_name)
        .join(device, device.c.id == inventory.c.device_id)
        .where(inventory.c.valid_to.is_(None), inventory.c.link_uuid != "", device.c.id != host_id)
        .where(device.c.organisation_id == _organisation(connection, host_id), device.c.merged_into.is_(None))
        .order_by(device.c.created_at.desc(), device.c.id)
    )
    known = {row.link_uuid: row for row in connection.execute(query)}
    for one in guests:
        row = known.get(link_uuid(one.system_uuid))
        if row is not None:
            one.device_id, one.host_name = row.device_id, row.host_name


def _names(connection: Connection, device_ids: Sequence[str]) -> dict[str, str]:
    query = select(inventory.c.device_id, inventory.c.host_name).where(
        inventory.c.valid_to.is_(None), inventory.c.device_id.in_(list(device_ids))
    )
    return dict(connection.execute(query).all())
