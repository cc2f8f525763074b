"""What an import of a register would do, row by row, before anything is written."""

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, select

from carbon.calendar import day_bounds, local_day
from collector.database.schema import device, inventory, register_import, register_state
from collector.errors import BadRequest
from collector.register.rows import RegisterFile, RegisterRow
from collector.register_facts import Facts, State, merged, states, visible
from collector.register_match import Index, Known, Match
from collector.sites import detail_at, sites

Outcome = Literal["new", "changed", "unchanged", "conflicting"]
_BULK = ("device_class", "vendor", "model", "site", "space", "directorate", "owner")
"""By these a row of several equal devices, which have no numbers of their own, is known again."""


@dataclass(slots=True)
class PlannedRow:
    """A row and what becomes of it.

    `item_id` is the register's item that it is ("" for a new one), `device_id` the seen device ("" for none), known by
    `matched_by`. `changes` are fields with their old and new values; `problem` says why a row conflicts.
    """

    row: RegisterRow
    outcome: Outcome
    facts: Facts
    item_id: str = ""
    before: State | None = None
    device_id: str = ""
    matched_by: str = ""
    changes: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    problem: str = ""
    cell: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do. `as_at` (Unix seconds) is when the register was as the file says."""

    file: RegisterFile
    organisation_id: int
    as_at: int
    time_zone: str
    rows: Sequence[PlannedRow]
    absent: Sequence[State]
    """Items in use or spare that the file does not have."""
    sites: Mapping[str, dict[str, str]] = field(default_factory=dict)
    """What the file newly says of sites by name: address, postcode, UPRN."""

    def of(self, outcome: Outcome) -> list[PlannedRow]:
        return [one for one in self.rows if one.outcome == outcome]

    @property
    def matched(self) -> list[PlannedRow]:
        """Rows that are devices which were seen."""
        return [one for one in self.rows if one.device_id]

    @property
    def writes(self) -> list[PlannedRow]:
        return [one for one in self.rows if one.outcome in ("new", "changed")]


def plan(
    connection: Connection, file: RegisterFile, organisation_id: int, as_at: datetime.date, time_zone: str
) -> Plan:
    """Compare a file with the register and with the devices that were seen. Raises BadRequest for a foreign organisation."""
    begins = day_bounds(as_at, time_zone)[0]
    standing = states(connection, organisation_id)
    by_item = {one.item_id: one for one in standing}
    items = Index(_known_item(one) for one in standing)
    bulk = {_bulk_key(one.facts): one for one in standing if _is_bulk(one.facts)}
    seen = Index(_seen(connection, organisation_id))
    planned: list[PlannedRow] = []
    claimed: dict[str, PlannedRow] = {}
    for row in file.rows:
        one = _planned(row, items, by_item, bulk, seen)
        taken = claimed.get(one.item_id) if one.item_id and one.outcome != "conflicting" else None
        if taken is not None:
            one = _conflict(one, f"the same item of the register as {taken.row.where}", "item")
        elif one.item_id:
            claimed[one.item_id] = one
        planned.append(one)
    _leave_what_is_newer(connection, planned, organisation_id, begins, time_zone)
    _one_row_a_device(planned)
    found = {one.item_id for one in planned}
    absent = [one for one in standing if one.item_id not in found and one.facts["status"] != "disposed"]
    said = _sites(connection, file.rows, organisation_id, begins)
    return Plan(file, organisation_id, begins, time_zone, planned, absent, said)


def _sites(
    connection: Connection, rows: Iterable[RegisterRow], organisation_id: int, at: int
) -> dict[str, dict[str, str]]:
    """What rows say of their sites, by the first that says it, where it is not known already."""
    said: dict[str, dict[str, str]] = {}
    for row in rows:
        for name in ("address", "postcode", "uprn"):
            if row.site and (text := getattr(row, name)):
                said.setdefault(row.site, {}).setdefault(name, text)
    known = {one.name: one.id for one in sites(connection, at, organisation_id)} if said else {}
    for name, detail in said.items():
        if name in known:
            standing = detail_at(connection, known[name], at)[0]
            said[name] = {field_: text for field_, text in detail.items() if getattr(standing, field_) != text}
    return {name: detail for name, detail in said.items() if detail}


def _planned(
    row: RegisterRow, items: Index, by_item: Mapping[str, State], bulk: Mapping[tuple[object, ...], State], seen: Index
) -> PlannedRow:
    match = items.find(row)
    if match.others:
        return _conflict(
            PlannedRow(row, "conflicting", merged(row, None)), _quarrel(match, "the register"), match.others[0][0]
        )
    before = by_item.get(match.id)
    if before is None and _is_bulk(facts := merged(row, None)):
        before = bulk.get(_bulk_key(facts))
    facts = merged(row, before.facts if before else None)
    one = PlannedRow(row, "new", facts, before.item_id if before else "", before)
    if before and match.by == "asset_tag" and _differs(before.facts["serial"], facts["serial"]):
        problem = f"asset tag {row.asset_tag} has serial number {before.facts['serial']} in the register, and {row.serial} here"
        return _conflict(one, problem, "serial")
    known = seen.find(row)
    if known.others:
        return _conflict(one, _quarrel(known, "the devices that were seen"), known.others[0][0])
    one.device_id, one.matched_by = known.id, known.by
    if before is not None:
        if not one.device_id and before.device_id:
            one.device_id, one.matched_by = before.device_id, "the register"
        one.changes = {
            name: (before.facts[name], value) for name, value in facts.items() if before.facts[name] != value
        }
        if (before.device_id or "") != one.device_id:
            one.changes = {**one.changes, "device": (before.device_id or "", one.device_id)}
        one.outcome = "changed" if one.changes else "unchanged"
    return one


def _leave_what_is_newer(
    connection: Connection, planned: Sequence[PlannedRow], organisation_id: int, as_at: int, time_zone: str
) -> None:
    """Leave items as a register of a later day has them: an older file would hold on over what came after it."""
    query = (
        select(register_state.c.id, register_import.c.as_at)
        .join(register_import, register_import.c.id == register_state.c.import_id)
        .where(register_import.c.organisation_id == organisation_id, register_import.c.as_at > as_at, visible())
    )
    later: dict[int, int] = {row.id: row.as_at for row in connection.execute(query)}
    for one in planned:
        if one.outcome == "changed" and one.before is not None and one.before.id in later:
            told = local_day(later[one.before.id], time_zone)
            _conflict(one, f"the register has this item as it was on {told}, after the day of this file", "item")


def _one_row_a_device(planned: Sequence[PlannedRow]) -> None:
    """A seen device is one row's: where two claim it, the surer holds, and equal claims are conflicts."""
    order = {"serial": 0, "asset_tag": 1, "host_name": 2, "the register": 3}
    claims: dict[str, list[PlannedRow]] = {}
    for one in planned:
        if one.device_id and one.outcome != "conflicting":
            claims.setdefault(one.device_id, []).append(one)
    for device_id, rows in claims.items():
        if len(rows) < 2:
            continue
        rows.sort(key=lambda one: order[one.matched_by])
        surest = [one for one in rows if one.matched_by == rows[0].matched_by]
        for one in rows if len(surest) > 1 else rows[1:]:
            other = rows[1] if one is rows[0] else rows[0]
            _conflict(one, f"the device {device_id} that was seen is also {other.row.where}", one.matched_by)


def _conflict(one: PlannedRow, problem: str, field_name: str) -> PlannedRow:
    one.outcome, one.problem, one.device_id = "conflicting", problem, ""
    one.cell = one.row.cells.get(field_name) or next(iter(one.row.cells.values()), one.row.where)
    return one


def _quarrel(match: Match, among: str) -> str:
    told = "; ".join(f"by {by.replace('_', ' ')} it is {one}" for by, one in match.others[:4])
    return f"several of {among} may be meant: {told}"


def _differs(one: str, other: str) -> bool:
    return bool(one and other) and one.upper() != other.upper()


def _is_bulk(facts: Facts) -> bool:
    return not (facts["serial"] or facts["asset_tag"] or facts["host_name"])


def _bulk_key(facts: Facts) -> tuple[object, ...]:
    return tuple(facts[name] for name in _BULK)


def _known_item(one: State) -> Known:
    facts = one.facts
    return Known(one.item_id, facts["serial"], facts["asset_tag"], facts["host_name"], facts["vendor"], facts["model"])


def _seen(connection: Connection, organisation_id: int) -> Iterable[Known]:
    """The organisation's devices that were seen, by what they say of themselves."""
    bodies = dict(
        connection.execute(
            select(inventory.c.device_id, inventory.c.body)
            .join(device, device.c.id == inventory.c.device_id)
            .where(inventory.c.valid_to.is_(None), device.c.organisation_id == organisation_id)
        ).all()
    )
    query = select(device.c.id).where(device.c.organisation_id == organisation_id, device.c.merged_into.is_(None))
    for device_id in connection.execute(query).scalars():
        said = json.loads(bodies[device_id]) if device_id in bodies else {}
        yield Known(
            device_id,
            said.get("serial", ""),
            said.get("asset_tag", ""),
            said.get("host_name", ""),
            said.get("vendor", ""),
            said.get("model", ""),
        )


def require_organisation(file: RegisterFile, name: str) -> None:
    """Raise BadRequest where the file names another organisation than the one it is imported for."""
    other = next((row for row in file.rows if row.organisation and row.organisation.lower() != name.lower()), None)
    if other is not None:
        raise BadRequest(
            f"{other.cells.get('organisation', other.where)} says {other.organisation}, and the import is for {name}",
            "divide the file, or name the organisation with --organisation",
        )
