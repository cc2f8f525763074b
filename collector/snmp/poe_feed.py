"""Which switch feeds a device over Ethernet, and whether its energy is therefore the switch's already.

A polled switch that sees a device at its port contains the device's energy: in what it measures at its inlet, in the PoE
that it reads, or in what its estimate adds for known devices at its ports. So a device that is fed is attribution and
enters no total, as a virtual machine on a known host does. A switch that reads no power at that very port feeds nothing
there: the device has a supply of its own, and counts.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, or_, select, update

from carbon.calendar import HALF_HOUR_SECONDS, half_hour_of
from collector.database.schema import device, device_evidence, device_feed, snmp_device, snmp_neighbour
from collector.estate_version import touch

SMALLEST_WATTS = 0.5
"""A port that gives less feeds nothing."""
FEEDERS = ("switch", "router", "firewall", "network_device")
"""Kinds that feed what stands at their ports: access points and printers see switches too."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A switch's port that feeds a device; `watts` that it gives there now, None where it does not tell."""

    switch_id: str
    port: str
    watts: float | None


@dataclass(frozen=True, slots=True)
class SeenAtPort:
    """A device as a switch sees it: at this port, which gives `watts` (None: not told)."""

    switch_id: str
    port: str
    watts: float | None


def feeding(seen: Sequence[SeenAtPort]) -> Feed | None:
    """The port that feeds a device, of those that see it: one that gives power, else one that does not tell; None where
    none of them feeds it.
    """
    giving = [one for one in seen if one.watts is not None and one.watts >= SMALLEST_WATTS]
    untold = [one for one in seen if one.watts is None]
    chosen = next(iter(sorted(giving or untold, key=lambda one: (one.switch_id, one.port))), None)
    return None if chosen is None else Feed(chosen.switch_id, chosen.port, chosen.watts)


def feed_of(connection: Connection, device_id: str) -> Feed | None:
    """The port that feeds a device, by what switches see at their ports and read there."""
    evidence = select(device_evidence.c.value).where(device_evidence.c.device_id == device_id)
    macs = set(connection.execute(evidence.where(device_evidence.c.name == "mac_address")).scalars())
    serials = set(connection.execute(evidence.where(device_evidence.c.name == "serial")).scalars())
    is_it = or_(snmp_neighbour.c.mac.in_(macs), snmp_neighbour.c.serial.in_(serials))
    query = (
        select(snmp_neighbour.c.device_id, snmp_neighbour.c.if_index, snmp_neighbour.c.port, snmp_device.c.reading)
        .join(snmp_device, snmp_device.c.device_id == snmp_neighbour.c.device_id)
        .join(device, device.c.id == snmp_neighbour.c.device_id)
        .where(is_it, snmp_neighbour.c.gone_at.is_(None), snmp_neighbour.c.device_id != device_id)
        .where(snmp_device.c.removed_at.is_(None), device.c.retired_at.is_(None), device.c.kind.in_(FEEDERS))
    )
    return feeding(
        [
            SeenAtPort(row.device_id, row.port, port_watts(row.reading, row.if_index, row.port))
            for row in connection.execute(query)
        ]
    )


def port_watts(reading: str, if_index: int | None, port: str) -> float | None:
    """Watts that a switch gives at a port, by its last reading (JSON); None where it does not tell.

    A PoE reading belongs to the port whose name it has, else to the one whose ifIndex ends its row's index, where the
    row's index is that alone or is preceded by a group (pethPsePortIndex is the ifIndex on most switches).
    """
    rows = json.loads(reading)["readings"] if reading else []
    poe = [one for one in rows if one["role"] == "poe_port" and one["quantity"] == "power"]
    named = [one["value"] for one in poe if port and one["name"] == port]
    if len(named) == 1:
        return float(named[0])
    numbered = [one["value"] for one in poe if if_index is not None and one["oid"].endswith(f".{if_index}")]
    return float(numbered[0]) if len(numbered) == 1 else None


def note_feed(connection: Connection, device_id: str, feed: Feed | None, at: int) -> None:
    """Let a feed hold from `at` (Unix seconds) on. What held before holds to the end of its half-hour, so that the device
    is never counted beside a switch that contained it within the same half-hour.
    """
    still = (device_feed.c.device_id == device_id) & device_feed.c.valid_to.is_(None)
    open_row = connection.execute(select(device_feed).where(still)).first()
    same = (open_row.switch_id, open_row.port) if open_row is not None else None
    if same == ((feed.switch_id, feed.port) if feed is not None else None):
        return
    if open_row is not None:
        ends = half_hour_of(at) + HALF_HOUR_SECONDS
        connection.execute(update(device_feed).where(still).values(valid_to=ends))
    if feed is not None:
        values = {"device_id": device_id, "switch_id": feed.switch_id, "port": feed.port}
        connection.execute(insert(device_feed).values(**values, valid_from=at, valid_to=None))
    touch(connection)
