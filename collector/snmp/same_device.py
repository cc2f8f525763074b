"""Whether two addresses are one device: by what stays when an address changes."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal

from sqlalchemy import Connection, select

from collector.database.schema import snmp_device
from collector.snmp.identity import DeviceIdentity

By = Literal["", "serial", "engine id", "name"]
_NAMES = tuple(one.name for one in fields(DeviceIdentity))


@dataclass(frozen=True, slots=True)
class Known:
    """A device that is polled, as its last inventory names it."""

    device_id: str
    host: str
    port: int
    identity: DeviceIdentity


def same_by(one: DeviceIdentity, other: DeviceIdentity) -> By:
    """What tells that two are one device, or "".

    The serial decides where both have it. Engine ids are copied along with configurations, and so need the same name.
    A name alone, which may be the maker's, tells only where neither has anything better, and the model is the same.
    """
    if one.serial and other.serial:
        return "serial" if (one.vendor, one.serial) == (other.vendor, other.serial) else ""
    if one.name != other.name:
        return ""
    if one.engine_id and other.engine_id:
        return "engine id" if one.engine_id == other.engine_id else ""
    model = (one.sys_object_id, one.hardware)
    return "name" if one.name and model == (other.sys_object_id, other.hardware) else ""


def same_among(identity: DeviceIdentity, known: Iterable[Known]) -> tuple[Known, By] | None:
    """The first known device that is the same."""
    return next(((one, by) for one in known if (by := same_by(identity, one.identity))), None)


def known_devices(connection: Connection) -> list[Known]:
    """The devices that are polled; one that never answered has an empty identity."""
    query = (
        select(snmp_device.c.device_id, snmp_device.c.host, snmp_device.c.port, snmp_device.c.reading)
        .where(snmp_device.c.removed_at.is_(None))
        .order_by(snmp_device.c.host, snmp_device.c.port)
    )
    return [Known(row.device_id, row.host, row.port, _identity(row.reading)) for row in connection.execute(query)]


def _identity(reading: str) -> DeviceIdentity:
    said = json.loads(reading)["identity"] if reading else {}
    return DeviceIdentity(**{name: said[name] for name in _NAMES if name in said})
