"""Writing an import of a register, in short transactions that nobody sees until the last, and taking it back as a whole."""

import datetime
import json
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, bindparam, delete, func, insert, select, update

from carbon.calendar import day_bounds
from collector.database.audit import audit
from collector.database.engine import Database
from collector.database.schema import register_import, register_item, register_placement, register_state
from collector.errors import BadRequest, NotFound
from collector.estate_version import touch
from collector.register_devices import place, put_back
from collector.register_facts import TEXTS, visible
from collector.register_places import Places, remove_places
from collector.register_plan import Plan, PlannedRow
from collector.taking import Acting, Progress, chunks, silent

CHUNK = 500
"""Rows a transaction: some tens of milliseconds."""
_PLACEMENTS = 50
_NOTHING = "{}"
"""What an import has made that has made nothing."""


def apply(database: Database, plan: Plan, who: Acting, progress: Progress = silent) -> int:
    """Write a plan; the id of the import. Nobody reads any of it before all of it is there."""
    writes = plan.writes
    _clear_abandoned(database, plan.organisation_id, who)
    with database.write() as connection:
        import_id = _begin(connection, plan, who)
        places = Places(connection, plan.organisation_id)
        places.make(writes, who.now)
        places.describe(plan, who.actor, who.now)
        connection.execute(
            update(register_import).where(register_import.c.id == import_id).values(created=json.dumps(places.created))
        )
    done = 0
    for chunk in chunks(writes, CHUNK):
        with database.write() as connection:
            _write_states(connection, plan, chunk, import_id, places)
        done += len(chunk)
        progress(done, len(writes))
    with database.write() as connection:
        _show(connection, import_id)
        detail = {"file": plan.file.name, "sha256": plan.file.sha256, "rows": len(writes)}
        audit(connection, who.now, who.actor, "register.import", str(import_id), detail)
        touch(connection)
    for some in chunks([one for one in plan.rows if one.device_id and one.outcome != "conflicting"], _PLACEMENTS):
        with database.write() as connection:
            place(connection, plan, some, import_id, places, who)
    return import_id


def undo(database: Database, import_id: int, who: Acting, progress: Progress = silent) -> None:
    """Take an import back: the register is as it was before it. Raises NotFound, or BadRequest where a later one builds on it.

    Steps of the progress are rows of the register, then devices that are put back.
    """
    with database.read() as connection:
        row = connection.execute(select(register_import).where(register_import.c.id == import_id)).first()
    if row is None:
        raise NotFound(f"there is no import {import_id}", "see `ictagent estate imports`")
    _clear_abandoned(database, row.organisation_id, who)
    with database.write() as connection:
        row = connection.execute(select(register_import).where(register_import.c.id == import_id)).one()
        _require_last(connection, row)
        _let_hold_on(connection, import_id)
        mine = register_import.c.id == import_id
        connection.execute(
            update(register_import).where(mine).values(state="undone", undone_at=who.now, undone_by=who.actor)
        )
        audit(connection, who.now, who.actor, "register.undo", str(import_id), {"file": row.file_name})
        touch(connection)
    _remove(database, import_id, who, progress)
    with database.write() as connection:
        _unmake_places(connection, row)


def _remove(database: Database, import_id: int, who: Acting, progress: Progress = silent) -> None:
    """Remove the rows of an import that nobody reads, and put devices back where they stood before it."""
    with database.read() as connection:
        states = _ids(connection, register_state.c.id, register_state.c.import_id == import_id)
        items = _ids(connection, register_item.c.id, register_item.c.created_import == import_id)
        mine = register_placement.c.import_id == import_id
        placements = connection.execute(select(register_placement).where(mine)).all()
    done, steps = 0, len(states) + len(items) + len(placements)
    for table, ids in ((register_state, states), (register_item, items)):
        for some in chunks(ids, CHUNK):
            with database.write() as connection:
                connection.execute(delete(table).where(table.c.id.in_(some)))
            done += len(some)
            progress(done, steps)
    for rows in chunks(placements, _PLACEMENTS):
        with database.write() as connection:
            put_back(connection, rows, who)
        done += len(rows)
        progress(done, steps)


def _ids(connection: Connection, column: Column[Any], where: ColumnElement[bool]) -> Sequence[Any]:
    return connection.execute(select(column).where(where).order_by(column)).scalars().all()


def _unmake_places(connection: Connection, row: Row[Any]) -> None:
    """The last of taking back. An import that has made nothing any more is taken back wholly."""
    remove_places(connection, json.loads(row.created))
    connection.execute(update(register_import).where(register_import.c.id == row.id).values(created=_NOTHING))


def _begin(connection: Connection, plan: Plan, who: Acting) -> int:
    made = (
        insert(register_import)
        .values(
            organisation_id=plan.organisation_id,
            file_name=plan.file.name,
            sha256=plan.file.sha256,
            mapping=json.dumps(plan.file.mapping.to_json(), sort_keys=True),
            as_at=plan.as_at,
            actor=who.actor,
            at=who.now,
            rows=plan.file.read_rows,
            created=_NOTHING,
            state="writing",
            undone_by="",
        )
        .returning(register_import.c.id)
    )
    return int(connection.execute(made).scalar_one())


def _clear_abandoned(database: Database, organisation_id: int, who: Acting) -> None:
    """Remove what an import left that was cut off before anybody could see it, and finish takings back that were cut off."""
    undone = (register_import.c.state == "undone") & (register_import.c.created != _NOTHING)
    query = (
        select(register_import)
        .where(register_import.c.organisation_id == organisation_id, (register_import.c.state == "writing") | undone)
        .order_by(register_import.c.id.desc())
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
    for row in rows:
        _remove(database, row.id, who)
        with database.write() as connection:
            _unmake_places(connection, row)
            if row.state == "writing":
                connection.execute(delete(register_import).where(register_import.c.id == row.id))


def _write_states(
    connection: Connection, plan: Plan, rows: Sequence[PlannedRow], import_id: int, places: Places
) -> None:
    items, new = [], []
    since = _known_since(connection, plan, rows)
    for one in rows:
        item_id = one.item_id
        if not item_id:
            item_id = f"r-{secrets.token_hex(6)}"
            items.append({"id": item_id, "organisation_id": plan.organisation_id, "created_import": import_id})
        values = {
            **{name: one.facts[name] for name in (*TEXTS, "school", "share", "quantity")},
            **places.of(one.facts),
            "item_id": item_id,
            "import_id": import_id,
            "device_id": one.device_id or None,
        }
        new += [{**values, **bounds} for bounds in _bounds(plan, one, since.get(item_id))]
    if items:
        connection.execute(insert(register_item), items)
    connection.execute(insert(register_state), new)


def _bounds(plan: Plan, one: PlannedRow, since: int | None) -> list[dict[str, Any]]:
    """From when to when a row's states hold.

    What is new was there since it was acquired, if the register says when; what was disposed of ended on that day, and
    was in use before it, though an import meanwhile said otherwise. `since` is when the item is known from, where it
    ended before its last state began.
    """
    acquired = _midnight(one.facts["acquired_on"], plan)
    disposed = _midnight(one.facts["disposed_on"], plan) if one.facts["status"] == "disposed" else None
    if one.before is not None:
        begins = plan.as_at if disposed is None else min(plan.as_at, disposed)
        begins = max(begins, one.before.valid_from if since is None else since)
        return [{"valid_from": begins, "valid_to": None, "replaces": one.before.id}]
    begins = plan.as_at if acquired is None else min(acquired, plan.as_at)
    if disposed is None or disposed <= begins:
        return [{"valid_from": begins, "valid_to": None, "replaces": None}]
    used = {"valid_from": begins, "valid_to": disposed, "replaces": None, "status": "in_use", "disposed_on": ""}
    return [used, {"valid_from": disposed, "valid_to": None, "replaces": None}]


def _known_since(connection: Connection, plan: Plan, rows: Sequence[PlannedRow]) -> dict[str, int]:
    """The first day of items that were disposed of before their last state began."""
    ids = [
        one.item_id
        for one in rows
        if one.before is not None
        and one.facts["status"] == "disposed"
        and (disposed := _midnight(one.facts["disposed_on"], plan)) is not None
        and disposed < one.before.valid_from
    ]
    query = (
        select(register_state.c.item_id, func.min(register_state.c.valid_from))
        .join(register_import, register_import.c.id == register_state.c.import_id)
        .where(register_state.c.item_id.in_(ids), visible())
        .group_by(register_state.c.item_id)
    )
    return dict(connection.execute(query).all()) if ids else {}


def _midnight(date: str, plan: Plan) -> int | None:
    return day_bounds(datetime.date.fromisoformat(date), plan.time_zone)[0] if date else None


def _show(connection: Connection, import_id: int) -> None:
    """End what the import's states replace, and what held after they begin, and let everybody read them."""
    mine = select(register_state.c.replaces, register_state.c.valid_from).where(
        register_state.c.import_id == import_id, register_state.c.replaces.is_not(None)
    )
    ends = [{"state_id": row.replaces, "until": row.valid_from} for row in connection.execute(mine)]
    if ends:
        connection.execute(
            update(register_state)
            .where(register_state.c.id == bindparam("state_id"))
            .values(valid_to=bindparam("until"), ended_by_import=import_id),
            ends,
        )
    for state_id, until in _overtaken(connection, import_id):
        connection.execute(
            update(register_state)
            .where(register_state.c.id == state_id)
            .values(valid_to=until, ended_by_import=import_id)
        )
    connection.execute(update(register_import).where(register_import.c.id == import_id).values(state="visible"))


def _overtaken(connection: Connection, import_id: int) -> list[tuple[int, int]]:
    """States that an import's begin before the end of, each with its new end: one that is later altogether has no time."""
    mine, other = register_state.alias("mine"), register_state.alias("other")
    query = (
        select(other.c.id, other.c.valid_from, mine.c.valid_from)
        .join(mine, mine.c.item_id == other.c.item_id)
        .join(register_import, register_import.c.id == other.c.import_id)
        .where(
            mine.c.import_id == import_id,
            mine.c.replaces.is_not(None),
            other.c.import_id != import_id,
            other.c.valid_to > mine.c.valid_from,
            other.c.valid_to > other.c.valid_from,
            visible(),
        )
        .union_all(
            select(other.c.id, other.c.valid_from, mine.c.valid_from)
            .join(mine, mine.c.replaces == other.c.id)
            .where(mine.c.import_id == import_id, mine.c.valid_from < other.c.valid_from)
        )
    )
    return [(row[0], max(row[1], row[2])) for row in connection.execute(query)]


def _let_hold_on(connection: Connection, import_id: int) -> None:
    """Let what an import ended hold on: until the first of what was written after it begins, if anything was."""
    ended, later = register_state.alias("ended"), register_state.alias("later")
    query = (
        select(ended.c.id, ended.c.valid_from, later.c.valid_from, later.c.id, later.c.import_id, ended.c.import_id)
        .join(later, (later.c.item_id == ended.c.item_id) & (later.c.id > ended.c.id))
        .join(register_import, register_import.c.id == later.c.import_id)
        .where(ended.c.ended_by_import == import_id, later.c.import_id != import_id, visible())
    )
    ends: dict[int, tuple[int, int, int | None]] = {}
    for state_id, begins, until, later_id, by, own in connection.execute(query):
        end = (max(begins, until), later_id, None if by == own else by)
        ends[state_id] = min(ends.get(state_id, end), end, key=lambda one: one[:2])
    connection.execute(
        update(register_state)
        .where(register_state.c.ended_by_import == import_id)
        .values(valid_to=None, ended_by_import=None)
    )
    for state_id, (until, _, ended_by) in ends.items():
        values = {"valid_to": until, "ended_by_import": ended_by}
        connection.execute(update(register_state).where(register_state.c.id == state_id).values(**values))


def _require_last(connection: Connection, row: Row[Any]) -> None:
    if row.state != "visible":
        raise BadRequest(f"import {row.id} is {row.state}", "see `ictagent estate imports`")
    mine = select(register_state.c.item_id).where(register_state.c.import_id == row.id)
    later = connection.execute(
        select(register_state.c.import_id)
        .where(register_state.c.import_id > row.id, register_state.c.item_id.in_(mine))
        .order_by(register_state.c.import_id.desc())
        .limit(1)
    ).scalar()
    if later is not None:
        raise BadRequest(
            f"import {later} builds on import {row.id}", f"undo the later one first: ictagent estate undo {later}"
        )
