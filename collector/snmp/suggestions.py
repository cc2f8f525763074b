"""Neighbours of polled devices that are not in the estate: suggestions, which nobody asks unless told to."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from collector.snmp.devices import polled_devices
from collector.snmp.evidence import Recognised, Traits, recognise
from collector.snmp.neighbour_store import SeenNeighbour, seen_neighbours
from collector.snmp.neighbours import Neighbour


@dataclass(frozen=True, slots=True)
class Place:
    """Where a neighbour was seen: a device, by id and as people call it, and its port."""

    device_id: str
    device: str
    port: str


@dataclass(slots=True)
class Suggestion:
    """A device that is seen and not known. `allowed` is the first of its addresses that lies in a network of
    `snmp_networks`, or "" where none does."""

    neighbour: Neighbour
    allowed: str
    seen_at: list[Place] = field(default_factory=list)
    last_seen_at: int = 0


def traits_of(one: Neighbour) -> Traits:
    """What tells which device a neighbour is."""
    return Traits(
        serial=frozenset({one.serial} - {""}),
        mac_address=frozenset({one.mac} - {""}),
        address=frozenset(one.addresses),
        host_name=frozenset({one.system_name} - {""}),
    )


def recognised(connection: Connection, seen: Sequence[SeenNeighbour]) -> list[Recognised | None]:
    """Each neighbour as the device of the estate that it is, or None."""
    return recognise(connection, [traits_of(one.neighbour) for one in seen])


def suggestions(connection: Connection, networks: Sequence[str]) -> list[Suggestion]:
    """What stands at the ports of polled devices and is no device of the estate, each once, by kind and name.

    One that is seen at several ports is the same by its MAC address, else by its name and addresses. What says neither
    is told for each port.
    """
    names = {one.device_id: one.name or one.host for one in polled_devices(connection)}
    seen = seen_neighbours(connection)
    found: dict[tuple[object, ...], Suggestion] = {}
    for one, known in zip(seen, recognised(connection, seen), strict=True):
        if known is not None:
            continue
        neighbour = one.neighbour
        key: tuple[object, ...] = (neighbour.mac,) if neighbour.mac else (neighbour.system_name, neighbour.addresses)
        if not any(key):
            key = (one.device_id, neighbour.port, neighbour.chassis_id)
        suggestion = found.get(key)
        if suggestion is None:
            suggestion = found[key] = Suggestion(neighbour, allowed_among(neighbour.addresses, networks))
        suggestion.seen_at.append(Place(one.device_id, names.get(one.device_id, one.device_id), neighbour.port))
        suggestion.last_seen_at = max(suggestion.last_seen_at, one.last_seen_at)
    return sorted(found.values(), key=lambda one: (one.neighbour.kind or "~", one.neighbour.system_name.lower()))


def allowed_among(addresses: Sequence[str], networks: Sequence[str]) -> str:
    """The first address that lies in one of the networks, or "".

    >>> allowed_among(("192.168.1.4", "10.1.9.20"), ["10.1.0.0/16"])
    '10.1.9.20'
    """
    known = [ipaddress.ip_network(one) for one in networks]
    return next((one for one in addresses if any(ipaddress.ip_address(one) in network for network in known)), "")
