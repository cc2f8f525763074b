"""Where a register says that seen devices stand: they are put there by its import, and back when that is taken back."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from collector.database.dated import begin
from collector.database.schema import device_placement, register_placement
from collector.estate_version import touch
from collector.history import histories_edit
from collector.register_places import Places
from collector.register_plan import Plan, PlannedRow
from collector.taking import Acting


def place(
    connection: Connection, plan: Plan, rows: Sequence[PlannedRow], import_id: int, places: Places, who: Acting
) -> None:
    """Put seen devices where the register says they are, from the register's day on, unless they stand there."""
    moves: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = []
    stand = _placements(connection, [one.device_id for one in rows])
    for one in rows:
        wanted = {**places.of(one.facts), "directorate": one.facts["directorate"], "owner": one.facts["owner"]}
        if wanted["site_id"] is None:
            continue
        before = stand[one.device_id]
        now = next((row for row in reversed(before) if row["valid_to"] is None), None)
        if now is None or any(now[name] != value for name, value in wanted.items()):
            moves.append((one.device_id, {**wanted, "actor": f"register:{import_id}"}, before))
    if not moves:
        return
    with histories_edit(connection, [device_id for device_id, _, _ in moves], plan.as_at, who.now, who.collector_id):
        for device_id, values, _ in moves:
            begin(connection, device_placement, {"device_id": device_id}, values, plan.as_at)
    after = _placements(connection, [device_id for device_id, _, _ in moves])
    notes = [
        {
            "import_id": import_id,
            "device_id": device_id,
            "before": json.dumps(before),
            "after": json.dumps(after[device_id]),
        }
        for device_id, _, before in moves
    ]
    connection.execute(insert(register_placement), notes)
    touch(connection)


def put_back(connection: Connection, rows: Sequence[Row[Any]], who: Acting) -> None:
    """The placements of some devices as they were before an import (rows of its `register_placement`).

    Whom somebody has moved since stays.
    """
    device_ids = [row.device_id for row in rows]
    noted = register_placement.c.import_id.in_({row.import_id for row in rows})
    connection.execute(delete(register_placement).where(noted, register_placement.c.device_id.in_(device_ids)))
    stand = _placements(connection, device_ids)
    told = [(row.device_id, json.loads(row.before), json.loads(row.after)) for row in rows]
    moved = [(device_id, before, after) for device_id, before, after in told if stand[device_id] == after]
    if not moved:
        return
    since = min(
        (one["valid_from"] for _, before, after in moved for one in after if one not in before), default=who.now
    )
    ids = [device_id for device_id, _, _ in moved]
    with histories_edit(connection, ids, since, who.now, who.collector_id):
        connection.execute(delete(device_placement).where(device_placement.c.device_id.in_(ids)))
        if rows_before := [one for _, before, _ in moved for one in before]:
            connection.execute(insert(device_placement), rows_before)
    touch(connection)


def _placements(connection: Connection, device_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """All placements of some devices, in the order in which they were written."""
    query = select(device_placement).where(device_placement.c.device_id.in_(device_ids)).order_by(device_placement.c.id)
    found: dict[str, list[dict[str, Any]]] = {device_id: [] for device_id in device_ids}
    for row in connection.execute(query).mappings():
        found[row["device_id"]].append(dict(row))
    return found
