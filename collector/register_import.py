"""Writing an import of a register, in short transactions that nobody sees until the last, and taking it back as a whole."""

import datetime
import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from carbon.calendar import day_bounds
from collector.database.audit import audit
from collector.database.dated import begin
from collector.database.engine import Database
from collector.database.schema import (
    device_placement,
    register_import,
    register_item,
    register_placement,
    register_state,
    site,
    site_detail,
    space,
    space_pue,
)
from collector.errors import BadRequest, NotFound
from collector.estate_version import touch
from collector.history import histories_edit, history_edit
from collector.register_facts import TEXTS
from collector.register_plan import Plan, PlannedRow
from collector.sites import set_site
from collector.spaces import make_space

CHUNK = 500
"""Rows a transaction: some tens of milliseconds."""
_PLACEMENTS = 50
Progress = Callable[[int, int], None]
Writing = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Who:
    """By whom, when (Unix seconds), and the collector whose outbox takes what follows from it."""

    actor: str
    now: int
    collector_id: str


def apply(database: Database, plan: Plan, who: Who, progress: Progress = lambda _done, _all: None) -> int:
    """Write a plan; the id of the import. Nobody reads any of it before all of it is there."""
    writes = plan.writes
    with database.write() as connection:
        _clear_abandoned(connection, plan.organisation_id)
        import_id = _begin(connection, plan, who)
        places = _Places(connection, plan.organisation_id)
        places.make(writes, who.now)
        places.describe(plan, who)
        connection.execute(
            update(register_import).where(register_import.c.id == import_id).values(created=json.dumps(places.created))
        )
    done = 0
    for chunk in _chunks(writes, CHUNK):
        with database.write() as connection:
            _write_states(connection, plan, chunk, import_id, places)
        done += len(chunk)
        progress(done, len(writes))
    with database.write() as connection:
        _show(connection, import_id)
        detail = {"file": plan.file.name, "sha256": plan.file.sha256, "rows": len(writes)}
        audit(connection, who.now, who.actor, "register.import", str(import_id), detail)
        touch(connection)
    for some in _chunks([one for one in plan.rows if one.device_id and one.outcome != "conflicting"], _PLACEMENTS):
        with database.write() as connection:
            _place(connection, plan, some, import_id, places, who)
    return import_id


def undo(database: Database, import_id: int, who: Who) -> None:
    """Take an import back: the register is as it was before it. Raises NotFound, or BadRequest where a later one builds on it."""
    with database.write() as connection:
        row = connection.execute(select(register_import).where(register_import.c.id == import_id)).first()
        if row is None:
            raise NotFound(f"there is no import {import_id}", "see `ictagent estate imports`")
        _require_last(connection, row)
        placements = connection.execute(
            select(register_placement).where(register_placement.c.import_id == import_id)
        ).all()
        _take_back(connection, import_id)
        mine = register_import.c.id == import_id
        connection.execute(
            update(register_import).where(mine).values(state="undone", undone_at=who.now, undone_by=who.actor)
        )
        audit(connection, who.now, who.actor, "register.undo", str(import_id), {"file": row.file_name})
        touch(connection)
    for some in _chunks(placements, _PLACEMENTS):
        with database.write() as connection:
            for one in some:
                _put_back(connection, one, who)
    with database.write() as connection:
        remove_places(connection, json.loads(row.created))


def _begin(connection: Connection, plan: Plan, who: Who) -> int:
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
            created="{}",
            state="writing",
            undone_by="",
        )
        .returning(register_import.c.id)
    )
    return int(connection.execute(made).scalar_one())


def _clear_abandoned(connection: Connection, organisation_id: int) -> None:
    """Remove what an import left that was cut off before anybody could see it."""
    query = select(register_import.c.id, register_import.c.created).where(
        register_import.c.organisation_id == organisation_id, register_import.c.state == "writing"
    )
    for row in connection.execute(query).all():
        _take_back(connection, row.id)
        remove_places(connection, json.loads(row.created))
        connection.execute(delete(register_import).where(register_import.c.id == row.id))


class _Places:
    """Sites and spaces by name; what is new is made, and remembered so that it can be unmade."""

    def __init__(self, connection: Connection, organisation_id: int) -> None:
        self._connection, self._organisation_id = connection, organisation_id
        query = select(site.c.id, site.c.name).where(site.c.organisation_id == organisation_id)
        self._sites: dict[str, int] = {row.name: row.id for row in connection.execute(query)}
        spaces = select(space.c.id, space.c.site_id, space.c.name)
        self._spaces: dict[tuple[int, str], int] = {
            (row.site_id, row.name): row.id for row in connection.execute(spaces)
        }
        self.created: dict[str, list[Any]] = {"sites": [], "spaces": [], "details": []}

    def make(self, rows: Sequence[PlannedRow], now: int) -> None:
        """Make what the rows name and is not there. `now` is of no moment yet: a new space has no past."""
        del now
        kinds = _kinds(rows)
        for one in rows:
            name, room = one.facts["site"], one.facts["space"]
            if name and name not in self._sites:
                made = insert(site).values(organisation_id=self._organisation_id, name=name).returning(site.c.id)
                self._sites[name] = int(self._connection.execute(made).scalar_one())
                self.created["sites"].append(self._sites[name])
            if name and room and (self._sites[name], room) not in self._spaces:
                space_id = make_space(self._connection, self._sites[name], room, kinds[name, room])
                self._spaces[self._sites[name], room] = space_id
                self.created["spaces"].append(space_id)

    def describe(self, plan: Plan, who: Who) -> None:
        """Write what the file says of sites, and remember what was said before."""
        for name, detail in plan.sites.items():
            if (site_id := self._sites.get(name)) is None:
                continue  # a site of no row that is taken
            before = _details(self._connection, site_id)
            set_site(self._connection, site_id, detail, plan.as_at, who.actor, who.now)
            self.created["details"].append({"site_id": site_id, "before": before})

    def of(self, facts: dict[str, Any]) -> dict[str, int | None]:
        site_id = self._sites.get(facts["site"]) if facts["site"] else None
        room = facts["space"] if site_id is not None else ""
        return {"site_id": site_id, "space_id": self._spaces.get((site_id, room)) if site_id and room else None}


def _kinds(rows: Iterable[PlannedRow]) -> dict[tuple[str, str], str]:
    """The kind of each space by its site and name: what most of its rows say, so that one wrong cell does not decide."""
    said: dict[tuple[str, str], Counter[str]] = {}
    for one in rows:
        said.setdefault((one.facts["site"], one.facts["space"]), Counter())[one.row.space_kind or "office"] += 1
    return {place: kinds.most_common(1)[0][0] for place, kinds in said.items()}


def _write_states(
    connection: Connection, plan: Plan, rows: Sequence[PlannedRow], import_id: int, places: _Places
) -> None:
    items, new = [], []
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
        new += [{**values, **bounds} for bounds in _bounds(plan, one)]
    if items:
        connection.execute(insert(register_item), items)
    connection.execute(insert(register_state), new)


def _bounds(plan: Plan, one: PlannedRow) -> list[dict[str, Any]]:
    """From when to when a row's states hold.

    What is new was there since it was acquired, if the register says when; what was disposed of ended on that day, and
    was in use before it.
    """
    acquired = _midnight(one.facts["acquired_on"], plan)
    disposed = _midnight(one.facts["disposed_on"], plan) if one.facts["status"] == "disposed" else None
    if one.before is not None:
        begins = plan.as_at if disposed is None else min(plan.as_at, disposed)
        begins = max(begins, one.before.valid_from)
        return [{"valid_from": begins, "valid_to": None, "replaces": one.before.id}]
    begins = plan.as_at if acquired is None else min(acquired, plan.as_at)
    if disposed is None or disposed <= begins:
        return [{"valid_from": begins, "valid_to": None, "replaces": None}]
    used = {"valid_from": begins, "valid_to": disposed, "replaces": None, "status": "in_use", "disposed_on": ""}
    return [used, {"valid_from": disposed, "valid_to": None, "replaces": None}]


def _midnight(date: str, plan: Plan) -> int | None:
    return day_bounds(datetime.date.fromisoformat(date), plan.time_zone)[0] if date else None


def _show(connection: Connection, import_id: int) -> None:
    """End what the import's states replace, and let everybody read them."""
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
    connection.execute(update(register_import).where(register_import.c.id == import_id).values(state="visible"))


def _take_back(connection: Connection, import_id: int) -> None:
    """Remove an import's states and items, and let what it ended hold on."""
    connection.execute(
        update(register_state)
        .where(register_state.c.ended_by_import == import_id)
        .values(valid_to=None, ended_by_import=None)
    )
    connection.execute(delete(register_state).where(register_state.c.import_id == import_id))
    connection.execute(delete(register_item).where(register_item.c.created_import == import_id))


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


def _place(
    connection: Connection, plan: Plan, rows: Sequence[PlannedRow], import_id: int, places: _Places, who: Who
) -> None:
    """Put seen devices where the register says they are, from the register's day on, unless they stand there."""
    moves: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = []
    for one in rows:
        wanted = {**places.of(one.facts), "directorate": one.facts["directorate"], "owner": one.facts["owner"]}
        if wanted["site_id"] is None:
            continue
        before = _placements(connection, one.device_id)
        now = next((row for row in reversed(before) if row["valid_to"] is None), None)
        if now is None or any(now[name] != value for name, value in wanted.items()):
            moves.append((one.device_id, {**wanted, "actor": f"register:{import_id}"}, before))
    if not moves:
        return
    with histories_edit(connection, [device_id for device_id, _, _ in moves], plan.as_at, who.now, who.collector_id):
        for device_id, values, _ in moves:
            begin(connection, device_placement, {"device_id": device_id}, values, plan.as_at)
    for device_id, _, before in moves:
        row = {"before": json.dumps(before), "after": json.dumps(_placements(connection, device_id))}
        connection.execute(insert(register_placement).values(import_id=import_id, device_id=device_id, **row))
    touch(connection)


def _put_back(connection: Connection, row: Row[Any], who: Who) -> None:
    """A device's placements as they were, unless somebody has moved it since."""
    connection.execute(
        delete(register_placement).where(
            register_placement.c.import_id == row.import_id, register_placement.c.device_id == row.device_id
        )
    )
    before, after = json.loads(row.before), json.loads(row.after)
    if _placements(connection, row.device_id) != after:
        return
    since = min((one["valid_from"] for one in after if one not in before), default=who.now)
    with history_edit(connection, row.device_id, since, who.now, who.collector_id):
        connection.execute(delete(device_placement).where(device_placement.c.device_id == row.device_id))
        if before:
            connection.execute(insert(device_placement), before)
    touch(connection)


def _placements(connection: Connection, device_id: str) -> list[dict[str, Any]]:
    query = select(device_placement).where(device_placement.c.device_id == device_id).order_by(device_placement.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def _details(connection: Connection, site_id: int) -> list[dict[str, Any]]:
    query = select(site_detail).where(site_detail.c.site_id == site_id).order_by(site_detail.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def remove_places(connection: Connection, created: dict[str, list[Any]]) -> None:
    """Unsay what an import said of sites; unmake sites and spaces of it that nothing else uses by now."""
    for one in created.get("details", []):
        connection.execute(delete(site_detail).where(site_detail.c.site_id == one["site_id"]))
        if one["before"]:
            connection.execute(insert(site_detail), one["before"])
    for space_id in created.get("spaces", []):
        if not _used(connection, "space_id", space_id):
            connection.execute(delete(space_pue).where(space_pue.c.space_id == space_id))
            connection.execute(delete(space).where(space.c.id == space_id))
    for site_id in created.get("sites", []):
        rooms = connection.execute(select(space.c.id).where(space.c.site_id == site_id).limit(1)).first()
        if rooms is None and not _used(connection, "site_id", site_id):
            connection.execute(delete(site).where(site.c.id == site_id))


def _used(connection: Connection, column: str, row_id: int) -> bool:
    """Whether any table refers to a site or space."""
    for table in site.metadata.sorted_tables:
        if column in table.c and table.c[column].foreign_keys and table not in (space_pue, space):
            found = connection.execute(select(table.c[column]).where(table.c[column] == row_id).limit(1)).first()
            if found is not None:
                return True
    return False


def _chunks(items: Sequence[Any], size: int) -> Iterable[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
