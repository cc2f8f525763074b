"""Polls that traps asked for, in the database: until the collector that polls the device has seen it.

Of several collectors any may hear a device's traps; one alone polls it. A device that was only just added is polled by none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from collector.database.schema import snmp_asked
from collector.database.upsert import upsert

FORGOTTEN_NS = 3600 * 10**9
"""What nobody polled by then is forgotten: whoever begins with the device polls it wholly anyway."""


@dataclass(frozen=True, slots=True)
class AskedPoll:
    """A device that is to be polled wholly, and when that was asked for last (Unix nanoseconds)."""

    device_id: str
    at_ns: int


def note_asked(connection: Connection, items: Sequence[AskedPoll]) -> list[None]:
    """Ask whoever polls these devices to do so at once."""
    rows = {one.device_id: {"device_id": one.device_id, "at_ns": one.at_ns} for one in items}
    upsert(connection, snmp_asked, list(rows.values()), ("at_ns",))
    oldest = max(one.at_ns for one in items) - FORGOTTEN_NS
    connection.execute(delete(snmp_asked).where(snmp_asked.c.at_ns < oldest))
    return [None] * len(items)


def asked_polls(connection: Connection) -> list[AskedPoll]:
    """What is asked for."""
    return [AskedPoll(row.device_id, row.at_ns) for row in connection.execute(select(snmp_asked))]


def forget_asked(connection: Connection, items: Sequence[AskedPoll]) -> list[None]:
    """These polls are under way. What was asked for since stays."""
    for one in items:
        same = (snmp_asked.c.device_id == one.device_id) & (snmp_asked.c.at_ns == one.at_ns)
        connection.execute(delete(snmp_asked).where(same))
    return [None] * len(items)
