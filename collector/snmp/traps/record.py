"""Events of devices in the database, and as points: kept, listed, forgotten."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from collector.database.schema import diagnosis, snmp_device, snmp_event
from collector.device_context import load_context
from collector.diagnoses import diagnose
from collector.lines import SeriesTemplate
from collector.outbox import append
from collector.prepare import pack
from collector.snmp.traps.codes import Severity

KEPT_SECONDS = 90 * 86_400
REPEATED_SECONDS = 60
"""What comes again within it is counted, not written again."""
LONGEST_REPETITION_SECONDS = 3600
"""One row stands for repetitions of an hour at most."""
MOST_A_DAY = 1000
"""Rows of one device within 24 hours; what comes beyond is counted among what was refused."""

TRAP_REFUSED = "trap_refused"
"""The diagnosis of a device whose traps do not count; over with the first that does."""

Kept = Literal["new", "repeated", "too_many"]


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What a device told; `at` is when it was heard, nanoseconds. `outbox` is the collector whose outbox takes the point."""

    device_id: str
    at_ns: int
    code: str
    severity: Severity
    detail: str
    oid: str
    outbox: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event that is kept. Times are Unix seconds; `last_at` is when it came last, `count` how often."""

    at: int
    last_at: int
    device_id: str
    code: str
    severity: Severity
    detail: str
    oid: str
    count: int


@dataclass(frozen=True, slots=True)
class RefusedSender:
    """A known device whose notifications do not count, and why."""

    device_id: str
    at: int
    detail: str
    remedy: str


def keep_events(connection: Connection, items: Sequence[NewEvent]) -> list[Kept]:
    """Write events, in order; what became of each. What tells one is set up as the collector is."""
    right = {one.device_id for one in items}
    connection.execute(delete(diagnosis).where(diagnosis.c.code == TRAP_REFUSED, diagnosis.c.device_id.in_(right)))
    return [_keep(connection, one) for one in items]


def note_refused(connection: Connection, items: Sequence[RefusedSender]) -> list[None]:
    """Tell of devices that are set up otherwise than the collector."""
    for one in items:
        diagnose(connection, one.device_id, TRAP_REFUSED, one.detail, one.remedy, one.at)
    return [None] * len(items)


def _keep(connection: Connection, event: NewEvent) -> Kept:
    at = event.at_ns // 10**9
    table = snmp_event.c
    mine = table.device_id == event.device_id
    same = (table.code == event.code) & (table.oid == event.oid) & (table.detail == event.detail)
    recent = (table.last_at >= at - REPEATED_SECONDS) & (table.at >= at - LONGEST_REPETITION_SECONDS)
    known = connection.execute(select(table.id).where(mine, same, recent).order_by(table.id.desc()).limit(1)).scalar()
    if known is not None:
        counted = {"count": table.count + 1, "last_at": at}
        connection.execute(update(snmp_event).where(table.id == known).values(**counted))
        return "repeated"
    today = select(func.count()).where(mine, table.last_at >= at - 86_400)
    if connection.execute(today).scalar_one() >= MOST_A_DAY:
        return "too_many"
    row = {"device_id": event.device_id, "at": at, "last_at": at, "count": 1}
    words = {"code": event.code, "severity": event.severity, "detail": event.detail, "oid": event.oid}
    connection.execute(insert(snmp_event).values(**row, **words))
    tags = {"code": event.code, **load_context(connection, event.device_id).tags}
    template = SeriesTemplate("ictagent_event", tags, ["detail", "severity"])
    lines = template.lines([(event.at_ns, [event.detail, event.severity])])
    append(connection, event.outbox, at, [pack(lines, [event.at_ns])])
    return "new"


def events_of(connection: Connection, device_ids: Iterable[str] | None, limit: int, since: int = 0) -> list[Event]:
    """Events of some devices (None: of all), the newest first."""
    names = Event.__dataclass_fields__
    query = select(*(column for column in snmp_event.c if column.name in names)).where(snmp_event.c.last_at >= since)
    if device_ids is not None:
        query = query.where(snmp_event.c.device_id.in_(list(device_ids)))
    query = query.order_by(snmp_event.c.last_at.desc(), snmp_event.c.id.desc()).limit(limit)
    return [Event(**row) for row in connection.execute(query).mappings()]


def shown_events(connection: Connection, device_id: str, limit: int) -> list[dict[str, object]]:
    """A device's last events as the API and pages show them."""
    found = [asdict(one) for one in events_of(connection, [device_id], limit)]
    for one in found:
        del one["device_id"]
    return found


class _Identity(msgspec.Struct):
    engine_id: str = ""


class _Reading(msgspec.Struct):
    """Of a device's last reading, which is large, what is needed here."""

    identity: _Identity = msgspec.field(default_factory=_Identity)


def engine_ids(connection: Connection, device_ids: Sequence[str]) -> dict[str, str]:
    """The SNMP engine ids (hexadecimal) that devices told when they were last read."""
    query = select(snmp_device.c.device_id, snmp_device.c.reading).where(snmp_device.c.device_id.in_(device_ids))
    found = {}
    for device_id, reading in connection.execute(query):
        try:
            engine_id = msgspec.json.decode(reading or "{}", type=_Reading).identity.engine_id
            found[device_id] = bytes.fromhex(engine_id).hex()
        except (msgspec.DecodeError, ValueError):
            continue
    return found


def forget_old_events(connection: Connection, now: int | None = None) -> int:
    """Delete what is older than 90 days; how many."""
    before = (int(time.time()) if now is None else now) - KEPT_SECONDS
    return connection.execute(delete(snmp_event).where(snmp_event.c.last_at < before)).rowcount
