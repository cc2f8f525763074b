"""Embodied carbon of what the register has: each item once, as its last state says, with its dates."""

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from carbon.calendar import local_day
from carbon.embodied import EmbodiedView, Item, View, embodied_view
from carbon.months import months_between
from carbon.units import kilograms
from carbon.wording import mass_words
from collector.database.dated import history, valid_at
from collector.database.schema import organisation, organisation_boundary, register_import, register_state, site
from collector.product_footprints import lives, sources
from collector.register_facts import visible

NO_DEVICES = ("virtual_machine",)
"""Classes of which nothing is made: their hosts are."""


def embodied(
    connection: Connection, organisation_id: int, view: View, first_month: str, last_month: str, now: int
) -> EmbodiedView:
    """A view of the organisation's register from a month to another (YYYY-MM, both included); `now` in Unix seconds."""
    return _views(connection, organisation_id, [view], first_month, last_month, now)[0]


def embodied_words(
    connection: Connection, organisation_id: int, first_month: str, last_month: str, now: int
) -> list[str]:
    """What a report says of embodied carbon, which is in none of its totals; nothing where there is no register."""
    views: list[View] = ["inventory", "management"]
    inventory, management = _views(connection, organisation_id, views, first_month, last_month, now)
    unknown = sum(management.without.values())
    if not (inventory.charges or management.charges or unknown):
        return []
    words = (
        "embodied carbon is in no total, and its two views are never added: by the inventory view (Scope 3, category 2) "
        f"{mass_words(kilograms(inventory.grams))} CO2e of devices acquired in these months, by the management view (over "
        f"their service lives) {mass_words(kilograms(management.grams))} CO2e"
    )
    return [words + (f"; {unknown} devices have no factor or no date of acquisition" if unknown else "")]


def _views(
    connection: Connection, organisation_id: int, views: Sequence[View], first_month: str, last_month: str, now: int
) -> list[EmbodiedView]:
    years = {name: Decimal(row.years) for name, row in lives(connection, organisation_id).items()}
    items, known = register_items(connection, organisation_id, now), sources(connection, organisation_id)
    months = months_between(first_month, last_month)
    return [embodied_view(view, items, known, months, years) for view in views]


def register_items(connection: Connection, organisation_id: int, now: int) -> list[Item]:
    """Every item that the register has ever had in its boundary, as its last state says.

    An item that later files do not have any more was disposed of when its last state ended.
    """
    names = (
        *("item_id", "device_class", "vendor", "model", "directorate", "quantity", "share", "tenure", "status"),
        *("acquired_on", "disposed_on", "school", "valid_from", "valid_to"),
    )
    query = (
        select(*(register_state.c[name] for name in names), site.c.name.label("site"))
        .join(register_import, register_import.c.id == register_state.c.import_id)
        .outerjoin(site, site.c.id == register_state.c.site_id)
        .where(register_import.c.organisation_id == organisation_id, visible())
        .order_by(register_state.c.item_id, register_state.c.valid_from, register_state.c.id)
    )
    last: dict[str, Mapping[str, Any]] = {row["item_id"]: dict(row) for row in connection.execute(query).mappings()}
    zone = str(
        connection.execute(select(organisation.c.time_zone).where(organisation.c.id == organisation_id)).scalar_one()
    )
    boundary = valid_at(history(connection, organisation_boundary, {"organisation_id": organisation_id}), now)
    schools = boundary is None or boundary.schools == "in"
    return [
        _item(row, zone)
        for row in last.values()
        if row["device_class"] not in NO_DEVICES and (schools or not row["school"])
    ]


def in_use(items: Sequence[Item]) -> list[Item]:
    """Those that were not disposed of."""
    return [one for one in items if one.disposed is None]


def _item(row: Mapping[str, Any], zone: str) -> Item:
    disposed = _date(row["disposed_on"])
    if disposed is None and row["valid_to"] is not None:
        disposed = local_day(row["valid_to"] - row["valid_to"] % 1800, zone)
    if disposed is None and row["status"] == "disposed":
        disposed = local_day(row["valid_from"] - row["valid_from"] % 1800, zone)
    return Item(
        id=row["item_id"],
        device_class=row["device_class"],
        vendor=row["vendor"],
        model=row["model"],
        site=row["site"] or "",
        directorate=row["directorate"],
        quantity=row["quantity"],
        share=Decimal(str(row["share"])),
        acquired=_date(row["acquired_on"]),
        disposed=disposed,
        leased=row["tenure"] not in ("", "own"),
    )


def _date(text: str) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None
