"""What the register says of an item, as plain values by field: of a file's row, and of the database's states."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from collector.database.schema import register_import, register_state, site, space
from collector.register.fields import IDENTITY
from collector.register.rows import RegisterRow
from collector.register.serials import has_lost_zeros

TEXTS = (
    "asset_tag", "serial", "host_name", "vendor", "model", "device_class", "status", "directorate", "owner", "tenure",
    "service_category", "share_key", "acquired_on", "disposed_on", "notes",
)  # fmt: skip
PLACES = ("site", "space")
FACTS = (*TEXTS, *PLACES, "school", "share", "quantity")
"""All fields of an item's state. Dates are ISO texts, "" where unknown; site and space are names."""

Facts = dict[str, Any]

_DERIVED = {
    "device_class": ("device_class", "model"),
    "service_category": ("service_category", "device_class"),
    "status": ("status", "disposed_on"),
}
"""Fields that follow from others where a sheet has no column of their own."""


@dataclass(frozen=True, slots=True)
class State:
    """One state of an item, as it is read: `id` of the row, from `valid_from` to before `valid_to` (None: still)."""

    id: int
    item_id: str
    valid_from: int
    valid_to: int | None
    device_id: str | None
    facts: Facts


def facts_of(row: RegisterRow) -> Facts:
    """A row's facts."""
    facts: Facts = {name: getattr(row, name) for name in FACTS if name not in ("acquired_on", "disposed_on")}
    for name in ("acquired_on", "disposed_on"):
        date = getattr(row, name)
        facts[name] = "" if date is None else date.isoformat()
    return {name: facts[name] for name in FACTS}


def merged(row: RegisterRow, before: Facts | None) -> Facts:
    """A row's facts, where it has columns for them; what its sheet says nothing of stays as it was.

    A number whose leading zeros a spreadsheet took away stays as the register has it.
    """
    new = facts_of(row)
    if before is None:
        return new
    facts: Facts = {name: new[name] if _is_told(row, name) else before[name] for name in FACTS}
    return facts | {name: before[name] for name in IDENTITY if has_lost_zeros(facts[name], before[name])}


def _is_told(row: RegisterRow, name: str) -> bool:
    return any(one in row.told for one in _DERIVED.get(name, (name,)))


def visible() -> Any:
    """The condition for states of imports that are done: join register_import on import_id."""
    return register_import.c.state == "visible"


def holds_at(at: int | None) -> ColumnElement[bool]:
    """The condition for states that hold at a time (Unix seconds), or without one for those that are open."""
    if at is None:
        return register_state.c.valid_to.is_(None)
    still = or_(register_state.c.valid_to.is_(None), register_state.c.valid_to > at)
    return and_(register_state.c.valid_from <= at, still)


def states(connection: Connection, organisation_id: int, at: int | None = None) -> list[State]:
    """States of an organisation's items: those that hold at a time (Unix seconds), or without one all that are open."""
    columns = [register_state.c[name] for name in (*TEXTS, "school", "share", "quantity")]
    query = (
        select(
            register_state.c.id,
            register_state.c.item_id,
            register_state.c.valid_from,
            register_state.c.valid_to,
            register_state.c.device_id,
            *columns,
            site.c.name.label("site"),
            space.c.name.label("space"),
        )
        .join(register_import, register_import.c.id == register_state.c.import_id)
        .outerjoin(site, site.c.id == register_state.c.site_id)
        .outerjoin(space, space.c.id == register_state.c.space_id)
        .where(register_import.c.organisation_id == organisation_id, visible(), holds_at(at))
        .order_by(register_state.c.id)
    )
    return [
        State(
            row["id"],
            row["item_id"],
            row["valid_from"],
            row["valid_to"],
            row["device_id"],
            {name: _or_empty(row[name], name) for name in FACTS},
        )
        for row in connection.execute(query).mappings()
    ]


def _or_empty(value: Any, name: str) -> Any:
    return "" if value is None and name in PLACES else value
