"""record(): one transaction that writes all a report adds: identity mark, estate, energy facts, outbox.

After its commit, and only then, the report is acknowledged. Everything here may run again for the same report in a
retried transaction, and nothing is read that another collector could be writing without its row being locked.
"""

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from collector.claim import Identity, claim
from collector.database.schema import (
    device_accounting,
    device_evidence,
    device_status,
    diagnosis,
    energy_fact,
    inventory,
    ledger_due,
    meter,
    outbox,
    rejected_rows,
    source_state,
)
from collector.database.upsert import upsert
from collector.errors import CollectorError
from collector.model_meter import make_rest_meter
from collector.prepare import Recording


@dataclass(slots=True)
class Incoming:
    """A prepared report with its identity, for the writer."""

    identity: Identity
    recording: Recording
    collector_id: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a report: new, or a repetition of one that was recorded before."""

    duplicate: bool
    rejected_rows: int


def record(connection: Connection, items: Sequence[Incoming]) -> list[Recorded | Exception]:
    """Record reports that are new; one result each, in order. A refused one fails alone and leaves nothing behind."""
    results: list[Recorded | Exception] = [Recorded(True, 0)] * len(items)
    parts: list[tuple[Incoming, str]] = []
    # In key order, so that two collectors that record for the same devices never wait for each other in a circle.
    order = sorted(range(len(items)), key=lambda index: (items[index].identity.key_id, items[index].identity.sequence))
    for index in order:
        item = items[index]
        try:
            stream_row = claim(connection, item.identity, item.recording.received_at)
        except CollectorError as error:
            results[index] = error
            continue
        if stream_row is not None:
            parts.append((item, f"{stream_row}.{item.identity.sequence}"))
            results[index] = Recorded(False, item.recording.refused.count)
    if parts:
        _facts(connection, parts)
        _outbox(connection, [item for item, _ in parts])
        for item, _ in parts:
            _estate(connection, item.recording)
        _status(connection, [item.recording for item, _ in parts])
    return results


def _facts(connection: Connection, parts: Sequence[tuple[Incoming, str]]) -> None:
    rows: list[dict[str, Any]] = []
    for item, part in parts:
        ids = meter_ids(connection, item.recording)
        rows.extend(
            {
                "meter_id": ids[fact.meter],
                "half_hour": fact.half_hour,
                "epoch": fact.epoch,
                "part": part,
                "body": fact.body,
            }
            for fact in item.recording.facts
        )
    rows.sort(key=lambda row: (row["meter_id"], row["half_hour"]))
    due = sorted({(row["meter_id"], row["half_hour"]) for row in rows})
    upsert(connection, energy_fact, rows)
    upsert(connection, ledger_due, [{"meter_id": one, "half_hour": half_hour} for one, half_hour in due])


def meter_ids(connection: Connection, recording: Recording) -> dict[str, int]:
    """Row numbers of the device's meters by name; those that the report names first are made."""
    query = select(meter.c.name, meter.c.id).where(meter.c.device_id == recording.device_id)
    ids = dict(connection.execute(query).all())
    used = {fact.meter for fact in recording.facts}
    new = {one.name: one for one in recording.meters if one.name in used and one.name not in ids}
    for one in new.values():
        values = {
            "device_id": recording.device_id,
            "name": one.name,
            "source": one.source,
            "kind": one.kind,
            "covers": one.covers,
            "parent": one.parent,
            "created_at": recording.received_at,
        }
        connection.execute(insert(meter).values(values))
    if new:
        ids = dict(connection.execute(query).all())
    return ids


def _outbox(connection: Connection, items: Sequence[Incoming]) -> None:
    rows = [
        {
            "collector_id": item.collector_id,
            "created_at": item.recording.received_at,
            "lines": batch.lines,
            "points": batch.points,
            "first_ns": batch.first_ns,
            "last_ns": batch.last_ns,
        }
        for item in items
        if (batch := item.recording.batch) is not None
    ]
    if rows:
        connection.execute(insert(outbox), rows)


def _status(connection: Connection, recordings: Sequence[Recording]) -> None:
    with_power, without = [], []
    for recording in recordings:
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
        if recording.power is None:
            without.append(row)
            continue
        power = recording.power
        row |= {"power_watts": power.watts, "power_low_watts": power.low_watts, "power_high_watts": power.high_watts}
        with_power.append(row | {"method": power.method, "source": power.source})
    always = ("last_report_at", "last_sample_at", "agent_version", "basis", "clock_offset_seconds")
    power_columns = ("power_watts", "power_low_watts", "power_high_watts", "method", "source")
    upsert(connection, device_status, without, always)
    upsert(connection, device_status, with_power, (*always, *power_columns))


def _estate(connection: Connection, recording: Recording) -> None:
    if recording.inventory_body:
        _inventory(connection, recording)
    if recording.changed_choice:
        _accounting(connection, recording)
    if recording.changed_sources:
        rows = [
            {
                "device_id": recording.device_id,
                "source": state.source[:64],
                "outcome": state.outcome,
                "reason": state.reason[:1024],
                "remedy": state.remedy[:1024],
                "since_at": recording.first_sample_at,
            }
            for state in recording.changed_sources
        ]
        upsert(connection, source_state, rows, ("outcome", "reason", "remedy", "since_at"))
    for one in recording.diagnoses:
        diagnose(connection, recording.device_id, one.code, one.detail, one.remedy, recording.received_at)
    if recording.refused.reasons:
        _count_rejected(connection, recording)


def _inventory(connection: Connection, recording: Recording) -> None:
    open_row = connection.execute(
        select(inventory.c.version, inventory.c.sha256, inventory.c.valid_from).where(
            inventory.c.device_id == recording.device_id, inventory.c.valid_to.is_(None)
        )
    ).first()
    if open_row is None or open_row.sha256 != recording.inventory_sha256:
        version = 1
        if open_row is not None:
            version = open_row.version + 1
            _close(connection, inventory, recording.device_id, max(recording.first_sample_at, open_row.valid_from))
        connection.execute(
            insert(inventory).values(
                device_id=recording.device_id,
                version=version,
                body=recording.inventory_body,
                sha256=recording.inventory_sha256,
                valid_from=recording.first_sample_at,
                valid_to=None,
            )
        )
    rows = [
        {
            "device_id": recording.device_id,
            "name": name,
            "value": value,
            "first_seen_at": recording.first_sample_at,
            "last_seen_at": recording.last_sample_at,
        }
        for name, value in recording.evidence.items()
    ]
    upsert(connection, device_evidence, rows, ("last_seen_at",))
    _twins(connection, recording)


def _twins(connection: Connection, recording: Recording) -> None:
    """Two devices with one machine id are a cloned image: both count, and both are told."""
    machine_id = recording.evidence.get("machine_id")
    if not machine_id:
        return
    others = connection.execute(
        select(device_evidence.c.device_id).where(
            device_evidence.c.name == "machine_id",
            device_evidence.c.value == machine_id,
            device_evidence.c.device_id != recording.device_id,
        )
    ).scalars()
    for other in others.all():
        for one, twin in ((recording.device_id, other), (other, recording.device_id)):
            diagnose(
                connection,
                one,
                "same_machine_id",
                f"device {twin} has the same machine id: a cloned image, or this host enrolled twice",
                "give the clone an id of its own (systemd-machine-id-setup), or merge the two devices",
                recording.received_at,
            )


def _accounting(connection: Connection, recording: Recording) -> None:
    open_row = connection.execute(
        select(device_accounting).where(
            device_accounting.c.device_id == recording.device_id, device_accounting.c.valid_to.is_(None)
        )
    ).first()
    choice = recording.choice
    meters, why_not = json.dumps(choice.meters), json.dumps(choice.why_not, sort_keys=True)
    if open_row is not None:
        if (open_row.basis, open_row.meters, open_row.why_not) == (choice.basis, meters, why_not):
            return
        _close(connection, device_accounting, recording.device_id, max(recording.first_sample_at, open_row.valid_from))
    if choice.basis == "package":
        make_rest_meter(connection, recording.device_id, recording.received_at)
    connection.execute(
        insert(device_accounting).values(
            device_id=recording.device_id,
            basis=choice.basis,
            meters=meters,
            why_not=why_not,
            valid_from=recording.first_sample_at,
            valid_to=None,
        )
    )


def _close(connection: Connection, table: Table, device_id: str, at: int) -> None:
    """End the validity of a device's open row."""
    connection.execute(
        update(table).where(table.c.device_id == device_id, table.c.valid_to.is_(None)).values(valid_to=at)
    )


def diagnose(connection: Connection, device_id: str, code: str, detail: str, remedy: str, at: int) -> None:
    """Note a diagnosis of a device; one that is known already counts up."""
    insert_ = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert_(diagnosis).values(
        device_id=device_id, code=code, detail=detail, remedy=remedy, first_at=at, last_at=at, count=1
    )
    changes = {
        "count": diagnosis.c.count + 1,
        "last_at": statement.excluded.last_at,
        "detail": statement.excluded.detail,
        "remedy": statement.excluded.remedy,
    }
    connection.execute(statement.on_conflict_do_update(index_elements=["device_id", "code"], set_=changes))


def _count_rejected(connection: Connection, recording: Recording) -> None:
    insert_ = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    day = datetime.datetime.fromtimestamp(recording.received_at, datetime.UTC).date().isoformat()
    for reason, (count, example) in recording.refused.reasons.items():
        statement = insert_(rejected_rows).values(
            device_id=recording.device_id, day=day, reason=reason[:256], count=count, example=example
        )
        changes = {"count": rejected_rows.c.count + statement.excluded.count, "example": statement.excluded.example}
        connection.execute(statement.on_conflict_do_update(index_elements=["device_id", "day", "reason"], set_=changes))
