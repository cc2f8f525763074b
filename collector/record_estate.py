"""What a report adds to the estate: inventory, the choice of meters, the sources' states, diagnoses, rejected rows.

Inventory and choice are dated by the samples they came with, not by when they arrived. Reports that come late or in
another order therefore leave the same history, and with it the same totals.
"""

import datetime
import json

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from carbon.calendar import half_hour_of
from collector.database.dated import begin, history, valid_at
from collector.database.schema import (
    device_accounting,
    device_evidence,
    energy_fact,
    inventory,
    ledger_due,
    meter,
    rejected_rows,
    source_state,
)
from collector.database.upsert import upsert
from collector.diagnoses import diagnose
from collector.estate_version import touch
from collector.history import history_edit
from collector.model_meter import make_rest_meter
from collector.prepare import Recording


def record_estate(connection: Connection, recording: Recording, collector_id: str, *, late: bool) -> None:
    """Write what changed of the device. `late`: a newer sample of it is known."""
    if recording.inventory_body or recording.changed_choice:
        since, now = recording.first_sample_at, recording.received_at
        with history_edit(connection, recording.device_id, since, now, collector_id):
            if recording.inventory_body:
                _inventory(connection, recording)
            if recording.changed_choice:
                _accounting(connection, recording, late=late)
    if (recording.changed_choice or recording.changed_sources) and connection.dialect.name != "sqlite":
        # Another collector compares this device's reports with what it remembers, which is out of date now.
        touch(connection)
    if recording.changed_sources and not late:
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
    """An agent sends its inventory when it changed: it holds from its first sample to the next one that is known."""
    owner, begins = {"device_id": recording.device_id}, recording.first_sample_at
    before = valid_at(history(connection, inventory, owner), begins)
    if before is None or before.sha256 != recording.inventory_sha256:
        newest = select(func.max(inventory.c.version)).where(inventory.c.device_id == recording.device_id)
        values = {
            "version": 1 + (connection.execute(newest).scalar() or 0),
            "body": recording.inventory_body,
            "sha256": recording.inventory_sha256,
            "host_name": recording.evidence.get("host_name", ""),
            "platform": recording.platform,
            "link_uuid": recording.link_uuid,
        }
        ends = begin(connection, inventory, owner, values, begins)
        _estimate_again(connection, recording.device_id, begins, ends)
    evidence = [
        {
            "device_id": recording.device_id,
            "name": name,
            "value": value,
            "first_seen_at": recording.first_sample_at,
            "last_seen_at": recording.last_sample_at,
        }
        for name, value in (
            *recording.evidence.items(),
            *(("mac_address", one) for one in recording.mac_addresses),
        )
    ]
    upsert(connection, device_evidence, evidence, ("last_seen_at",))
    _twins(connection, recording)


def _estimate_again(connection: Connection, device_id: str, begins: int, ends: int | None) -> None:
    """Half-hours of this inventory whose estimate was made with another one are due again."""
    query = (
        select(energy_fact.c.meter_id, energy_fact.c.half_hour)
        .join(meter, meter.c.id == energy_fact.c.meter_id)
        .where(
            meter.c.device_id == device_id,
            meter.c.kind == "utilisation",
            energy_fact.c.half_hour >= half_hour_of(begins),
        )
        .distinct()
    )
    if ends is not None:
        query = query.where(energy_fact.c.half_hour <= ends)
    due = [{"meter_id": row.meter_id, "half_hour": row.half_hour} for row in connection.execute(query)]
    upsert(connection, ledger_due, due)


def _accounting(connection: Connection, recording: Recording, *, late: bool) -> None:
    """Every report states its choice. One that came late says nothing of the time after its last sample."""
    choice = recording.choice
    values = {
        "basis": choice.basis,
        "meters": json.dumps(choice.meters),
        "why_not": json.dumps(choice.why_not, sort_keys=True),
    }
    owner, begins = {"device_id": recording.device_id}, recording.first_sample_at
    before = valid_at(history(connection, device_accounting, owner), begins)
    if before is not None and all(getattr(before, name) == value for name, value in values.items()):
        return
    if choice.basis == "package":
        make_rest_meter(connection, recording.device_id, recording.received_at)
    ends = begin(connection, device_accounting, owner, values, begins)
    if late and before is not None and (ends is None or ends > recording.last_sample_at + 1):
        kept = {name: getattr(before, name) for name in values}
        begin(connection, device_accounting, owner, kept, recording.last_sample_at + 1)


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


def _count_rejected(connection: Connection, recording: Recording) -> None:
    insert_ = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    day = datetime.datetime.fromtimestamp(recording.received_at, datetime.UTC).date().isoformat()
    for reason, (count, example) in recording.refused.reasons.items():
        statement = insert_(rejected_rows).values(
            device_id=recording.device_id, day=day, reason=reason[:256], count=count, example=example
        )
        changes = {"count": rejected_rows.c.count + statement.excluded.count, "example": statement.excluded.example}
        connection.execute(statement.on_conflict_do_update(index_elements=["device_id", "day", "reason"], set_=changes))
