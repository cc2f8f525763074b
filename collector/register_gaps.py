"""Where the register and what was seen differ, counted and cut into pages by the database.

The same lists as `collector.register_queries.reconciliation`, which a test holds them to, for pages of large registers.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, select

from collector.database.schema import (
    device,
    device_placement,
    device_status,
    inventory,
    organisation,
    register_import,
    register_state,
    site,
)
from collector.people.roles import Organisations
from collector.register_facts import visible
from collector.register_items import Item, ItemFilter, conditions, joined, read_items, select_items
from collector.register_queries import UNSEEN_SECONDS
from collector.seen_class import class_of
from collector.supply_meters import is_supply_meter


@dataclass(frozen=True, slots=True)
class SeenDevice:
    """A device that was seen, with the class that it would have in the register."""

    device_id: str
    organisation: str
    host_name: str
    device_class: str
    vendor: str
    model: str
    serial: str
    site: str
    last_report_at: int | None


@dataclass(frozen=True, slots=True)
class Unseen:
    """An item in use, and when the device that it is was last heard of (Unix seconds)."""

    item: Item
    last_report_at: int | None


@dataclass(frozen=True, slots=True)
class Gaps:
    """How many there are of each. `never_seen` counts devices by class, the others count rows."""

    seen_not_registered: int
    unseen: int
    never_seen: dict[str, int]
    model_unknown: int
    no_site: int


def gaps(connection: Connection, organisations: Organisations, now: int) -> Gaps:
    """Count all differences. `now` in Unix seconds."""

    def count(query: Select[Any]) -> int:
        return int(connection.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar() or 0)

    state = register_state.c
    never = (
        _with_device(joined(select(state.device_class, func.sum(state.quantity))))
        .where(*_used(organisations), device.c.id.is_(None))
        .group_by(state.device_class)
        .order_by(state.device_class)
    )
    return Gaps(
        seen_not_registered=count(_not_registered(organisations)),
        unseen=count(_unseen(organisations, now)),
        never_seen={row[0]: int(row[1]) for row in connection.execute(never)},
        model_unknown=count(_items(organisations, register_state.c.model == "")),
        no_site=count(_items(organisations, register_state.c.site_id.is_(None))),
    )


def seen_not_registered(
    connection: Connection, organisations: Organisations, offset: int = 0, limit: int = 100
) -> list[SeenDevice]:
    """Devices in use that no item of the register is, the last heard first."""
    found = []
    for row in connection.execute(_not_registered(organisations).offset(offset).limit(limit)):
        said = json.loads(row.body) if row.body else {}
        vendor, model, serial = (str(said.get(name, "")) for name in ("vendor", "model", "serial"))
        kind = class_of(row.kind, said.get("platform", ""), said.get("chassis", ""))
        found.append(
            SeenDevice(
                row.id,
                row.organisation,
                row.host_name or "",
                kind,
                vendor,
                model,
                serial,
                row.site or "",
                row.last_report_at,
            )
        )
    return found


def unseen(
    connection: Connection, organisations: Organisations, now: int, offset: int = 0, limit: int = 100
) -> list[Unseen]:
    """Items in use whose device was not heard of for 90 days, the longest silent first."""
    query = _unseen(organisations, now).offset(offset).limit(limit)
    rows = connection.execute(query).mappings().all()
    told = [{name: value for name, value in row.items() if name != "last_report_at"} for row in rows]
    return [Unseen(Item(**item), row["last_report_at"]) for item, row in zip(told, rows, strict=True)]


def model_unknown(
    connection: Connection, organisations: Organisations, offset: int = 0, limit: int = 100
) -> list[Item]:
    """Items in use without a model."""
    return read_items(connection, _items(organisations, register_state.c.model == "").offset(offset).limit(limit))


def no_site(connection: Connection, organisations: Organisations, offset: int = 0, limit: int = 100) -> list[Item]:
    """Items in use without a site."""
    return read_items(connection, _items(organisations, register_state.c.site_id.is_(None)).offset(offset).limit(limit))


def _items(organisations: Organisations, lacks: ColumnElement[bool]) -> Select[Any]:
    state = register_state.c
    query = select_items().where(*conditions(organisations, ItemFilter(status="used")), lacks)
    return query.order_by(state.device_class, state.model, state.asset_tag, state.id)


def _unseen(organisations: Organisations, now: int) -> Select[Any]:
    last = func.coalesce(device_status.c.last_report_at, 0)
    return (
        _with_device(select_items().add_columns(device_status.c.last_report_at))
        .outerjoin(device_status, device_status.c.device_id == device.c.id)
        .where(*_used(organisations), device.c.id.is_not(None), last < now - UNSEEN_SECONDS)
        .order_by(last, register_state.c.id)
    )


def _used(organisations: Organisations) -> list[ColumnElement[bool]]:
    return conditions(organisations, ItemFilter(status="used"))


def _with_device(query: Select[Any]) -> Select[Any]:
    """Joined with the device that an item is, if that is in use."""
    return query.outerjoin(device, and_(device.c.id == register_state.c.device_id, *_device_in_use()))


def _device_in_use() -> list[ColumnElement[bool]]:
    return [device.c.merged_into.is_(None), device.c.retired_at.is_(None)]


def _not_registered(organisations: Organisations) -> Select[Any]:
    registered = exists(
        select(register_state.c.id)
        .join(register_import, register_import.c.id == register_state.c.import_id)
        .where(register_state.c.device_id == device.c.id, register_state.c.valid_to.is_(None), visible())
    )
    query = (
        select(
            device.c.id,
            device.c.kind,
            organisation.c.name.label("organisation"),
            inventory.c.body,
            inventory.c.host_name,
            site.c.name.label("site"),
            device_status.c.last_report_at,
        )
        .join(organisation, organisation.c.id == device.c.organisation_id)
        .outerjoin(inventory, and_(inventory.c.device_id == device.c.id, inventory.c.valid_to.is_(None)))
        .outerjoin(
            device_placement, and_(device_placement.c.device_id == device.c.id, device_placement.c.valid_to.is_(None))
        )
        .outerjoin(site, site.c.id == device_placement.c.site_id)
        .outerjoin(device_status, device_status.c.device_id == device.c.id)
        .where(*_device_in_use(), ~registered, ~is_supply_meter())
        .order_by(func.coalesce(device_status.c.last_report_at, 0).desc(), device.c.id)
    )
    return query if organisations is None else query.where(device.c.organisation_id.in_(organisations))
