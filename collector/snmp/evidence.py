"""What may tell that a device which is seen is one of the estate: serial number, MAC address, the address it is polled at.

Evidence is dated and never identity. A name tells least: two devices may have it, and so it counts only where one has.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, select

from collector.database.schema import device, device_evidence, managed_device, snmp_device
from collector.database.upsert import upsert

Way = Literal["serial", "mac_address", "address", "host_name"]
WAYS: tuple[Way, ...] = ("serial", "mac_address", "address", "host_name")
"""The surest first."""
_AT_ONCE = 500
"""Values in one question: databases have a bound."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of a device that is seen, by way; an empty set is "not told"."""

    serial: frozenset[str] = frozenset()
    mac_address: frozenset[str] = frozenset()
    address: frozenset[str] = frozenset()
    host_name: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Recognised:
    """A device of the estate, and what told."""

    device_id: str
    by: Way


def note_evidence(connection: Connection, device_id: str, found: Mapping[str, Iterable[str]], at: int) -> None:
    """Keep evidence of a device as seen at `at` (Unix seconds): values by name."""
    rows = [
        {"device_id": device_id, "name": name, "value": value[:256], "first_seen_at": at, "last_seen_at": at}
        for name, values in found.items()
        for value in values
        if value
    ]
    upsert(connection, device_evidence, rows, ("last_seen_at",))


def recognise(connection: Connection, seen: Sequence[Traits]) -> list[Recognised | None]:
    """Each that is seen as the device of the estate that it is, or None. What two devices have tells nothing."""
    holders: dict[Way, dict[str, str]] = {}
    for way in WAYS:
        wanted = {value for one in seen for value in getattr(one, way)}
        holders[way] = _addresses(connection, wanted) if way == "address" else _evidence(connection, way, wanted)
    return [_recognised(one, holders) for one in seen]


def _recognised(seen: Traits, holders: Mapping[Way, Mapping[str, str]]) -> Recognised | None:
    for way in WAYS:
        found = {holders[way][value] for value in getattr(seen, way) if value in holders[way]}
        if len(found) == 1:
            return Recognised(found.pop(), way)
    return None


def _evidence(connection: Connection, way: Way, wanted: Collection[str]) -> dict[str, str]:
    """The device that has each value, where one alone has it."""
    rows: list[Any] = []
    values = sorted(wanted)
    for place in range(0, len(values), _AT_ONCE):
        query = (
            select(device_evidence.c.value, device_evidence.c.device_id)
            .join(device, device.c.id == device_evidence.c.device_id)
            .where(device_evidence.c.name == way, device_evidence.c.value.in_(values[place : place + _AT_ONCE]))
            .where(device.c.retired_at.is_(None), device.c.merged_into.is_(None))
        )
        rows += connection.execute(query).all()
    return _single((row.value, row.device_id) for row in rows)


def _addresses(connection: Connection, wanted: Collection[str]) -> dict[str, str]:
    """The device that is polled at each address, or that a controller tells to have it."""
    if not wanted:
        return {}
    query = select(snmp_device.c.host, snmp_device.c.device_id).where(snmp_device.c.removed_at.is_(None))
    managed = select(managed_device.c.address, managed_device.c.device_id).where(managed_device.c.absent_at.is_(None))
    rows = [*connection.execute(query), *connection.execute(managed)]
    return _single((row[0], row[1]) for row in rows if row[0] in wanted)


def _single(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    several = set()
    for value, device_id in pairs:
        if found.setdefault(value, device_id) != device_id:
            several.add(value)
    return {value: device_id for value, device_id in found.items() if value not in several}
