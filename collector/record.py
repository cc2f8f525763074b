"""record(): one transaction that writes all a report adds: identity mark, estate, energy facts, outbox.

After its commit, and only then, the report is acknowledged. Everything here may run again for the same report in a
retried transaction, and nothing is read that another collector could be writing without its row being locked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from collector.claim import Identity, claim
from collector.clones import Sender
from collector.database.schema import device_status, energy_fact, guest_fact, ledger_due, meter
from collector.database.upsert import upsert
from collector.errors import CollectorError
from collector.ledger import FEEDS
from collector.model_meter import make_loss_meter
from collector.outbox import append
from collector.prepare import Recording
from collector.record_estate import record_estate
from collector.snmp.leases import Lease, hold

_OTHER_KIND = "energy of a meter that was of another kind before"
_FED_KINDS = frozenset({"counter", "power"})
_METERS = select(meter.c.name, meter.c.id, meter.c.kind, meter.c.covers).where(meter.c.device_id == bindparam("device"))


@dataclass(slots=True)
class Incoming:
    """A prepared report with its identity, for the writer; and who sends it, where that is to be looked at."""

    identity: Identity
    recording: Recording
    collector_id: str
    sender: Sender | None = None
    lease: Lease | None = None
    """Of a poll: the lease under which it was made, where there are several collectors."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a report: new, or a repetition of one that was recorded before."""

    duplicate: bool
    rejected_rows: int


def record(connection: Connection, items: Sequence[Incoming]) -> list[Recorded | Exception]:
    """Record reports that are new; one result each, in order. A refused one fails alone and leaves nothing behind."""
    results: list[Recorded | Exception] = [Recorded(True, 0)] * len(items)
    parts: list[tuple[Incoming, str]] = []
    new: list[int] = []
    # In key order, so that two collectors that record for the same devices never wait for each other in a circle.
    order = sorted(range(len(items)), key=lambda index: (items[index].identity.key_id, items[index].identity.sequence))
    for index in order:
        item = items[index]
        try:
            hold(connection, item.recording.device_id, item.lease)
            received_at, sampled_at = item.recording.received_at, item.recording.last_sample_at
            stream_row = claim(connection, item.identity, received_at, sampled_at, item.sender)
        except CollectorError as error:
            results[index] = error
            continue
        if stream_row is not None:
            parts.append((item, f"{stream_row}.{item.identity.sequence}"))
            new.append(index)
    if parts:
        _facts(connection, parts)
        for index in new:
            results[index] = Recorded(False, items[index].recording.refused.count)
        recordings = [item.recording for item, _ in parts]
        late = _late(connection, recordings)
        # One writer serves one collector, so that its group is one collector's.
        append(connection, parts[0][0].collector_id, recordings[0].received_at, [one.batch for one in recordings])
        for (item, _), is_late in zip(parts, late, strict=True):
            record_estate(connection, item.recording, item.collector_id, late=is_late)
        _status(connection, recordings, late)
    return results


def _facts(connection: Connection, parts: Sequence[tuple[Incoming, str]]) -> None:
    rows: list[dict[str, Any]] = []
    guests: list[dict[str, Any]] = []
    for item, part in parts:
        ids = meter_ids(connection, item.recording)
        others = [fact.meter for fact in item.recording.facts if fact.meter not in ids]
        if others:
            # Set, not added: the transaction may be tried again.
            item.recording.refused.reasons[_OTHER_KIND] = (len(others), others[0])
        rows.extend(
            {
                "meter_id": ids[fact.meter],
                "half_hour": fact.half_hour,
                "epoch": fact.epoch,
                "part": part,
                "body": fact.body,
            }
            for fact in item.recording.facts
            if fact.meter in ids
        )
        guests.extend(
            {"meter_id": ids[one.meter], "half_hour": one.half_hour, "body": one.body}
            for one in item.recording.guests
            if one.meter in ids
        )
    rows.sort(key=lambda row: (row["meter_id"], row["half_hour"]))
    due = sorted({(row["meter_id"], row["half_hour"]) for row in rows})
    upsert(connection, energy_fact, rows)
    upsert(connection, ledger_due, [{"meter_id": one, "half_hour": half_hour} for one, half_hour in due])
    guests.sort(key=lambda row: (row["meter_id"], row["half_hour"], row["body"]))
    upsert(connection, guest_fact, guests)


def meter_ids(connection: Connection, recording: Recording) -> dict[str, int]:
    """Row numbers of the device's meters by name; those that the report names first are made.

    A meter that was of another kind before is left out: counts, watts and processor time cannot be one ledger's row. A
    place of the power path is of whichever kind was told last: it may be linked before it is read, and tell a counter
    only since its firmware or its profile knows one. Its counts have epochs of their own, so that no time is told twice.
    """
    wanted = {"device": recording.device_id}
    known = {row.name: row for row in connection.execute(_METERS, wanted)}
    used = {fact.meter for fact in recording.facts}
    new = {one.name: one for one in recording.meters if one.name in used and one.name not in known}
    if new:
        # At once: a host may bring hundreds of guests with its first report.
        values = [
            {
                "device_id": recording.device_id,
                "name": one.name,
                "source": one.source,
                "kind": one.kind,
                "covers": one.covers,
                "parent": one.parent,
                "created_at": recording.received_at,
            }
            for one in new.values()
        ]
        connection.execute(insert(meter), values)
        for one in new.values():
            make_loss_meter(connection, recording.device_id, one, recording.received_at)
        known = {row.name: row for row in connection.execute(_METERS, wanted)}
    told = {one.name: one for one in recording.meters if one.name in used}
    others = [one for name, one in told.items() if one.kind != known[name].kind]
    fed = [one for one in others if known[one.name].covers == FEEDS and {one.kind, known[one.name].kind} <= _FED_KINDS]
    for one in fed:
        newest = {"kind": one.kind, "source": one.source}
        connection.execute(update(meter).where(meter.c.id == known[one.name].id).values(**newest))
    left_out = {one.name for one in others if one not in fed}
    return {name: row.id for name, row in known.items() if name not in left_out}


def _late(connection: Connection, recordings: Sequence[Recording]) -> list[bool]:
    """Of each recording, in order, whether a newer sample of its device is known.

    A known sample from the future was a wrong clock's and proves nothing.
    """
    query = select(device_status.c.device_id, device_status.c.last_sample_at).where(
        device_status.c.device_id.in_({recording.device_id for recording in recordings})
    )
    newest = dict(connection.execute(query).all())
    found = []
    for recording in recordings:
        known = newest.get(recording.device_id)
        late = known is not None and recording.last_sample_at < known <= recording.received_at
        found.append(late)
        if not late:
            newest[recording.device_id] = recording.last_sample_at
    return found


def _status(connection: Connection, recordings: Sequence[Recording], late: Sequence[bool]) -> None:
    """What lists show of each device: the newest samples tell it, a late report only that the device was heard."""
    heard, with_power, without = [], [], []
    for recording, is_late in zip(recordings, late, strict=True):
        row: dict[str, Any] = {
            "device_id": recording.device_id,
            "last_report_at": recording.received_at,
            "last_sample_at": recording.last_sample_at,
            "agent_version": recording.agent_version,
            "basis": recording.choice.basis,
            "clock_offset_seconds": recording.clock_offset_seconds,
            "method": "",
            "source": "",
        }
        if is_late:
            heard.append(row)
        elif recording.power is None:
            without.append(row)
        else:
            power = recording.power
            watts = {
                "power_watts": power.watts,
                "power_low_watts": power.low_watts,
                "power_high_watts": power.high_watts,
            }
            with_power.append(row | watts | {"method": power.method, "source": power.source})
    always = ("last_report_at", "last_sample_at", "agent_version", "basis", "clock_offset_seconds")
    power_columns = ("power_watts", "power_low_watts", "power_high_watts", "method", "source")
    upsert(connection, device_status, heard, ("last_report_at",))
    upsert(connection, device_status, without, always)
    upsert(connection, device_status, with_power, (*always, *power_columns))
