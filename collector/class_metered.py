"""Which devices need no class profile in which months: those with energy of their own, and those in another's reading."""

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from carbon.calendar import day_bounds, local_day
from collector.database.schema import (
    device,
    device_feed,
    device_placement,
    inventory,
    ledger_day,
    meter,
    meter_edge,
    meter_place,
    register_import,
    register_state,
)
from collector.power_path import fed_device
from collector.seen_class import class_of

NOT_ITS_OWN = ("guest", "feeds")
"""What meters cover that is not energy of their device."""


@dataclass(frozen=True, slots=True)
class SeenDevice:
    """A device with its class, and where it stood last up to the time asked for."""

    device_id: str
    device_class: str
    site_id: int | None
    space_id: int | None
    directorate: str


def metered_months(
    connection: Connection, organisation_id: int, first: datetime.date, last: datetime.date, time_zone: str
) -> dict[str, set[str]]:
    """Months (YYYY-MM) of an organisation's local days in which a device's energy is known without a profile, by device.

    That is so where the ledger has readings of its own meters, where it is below a meter of ICT that was read, and where
    a polled switch feeds it over Ethernet: then the switch's reading holds it.
    """
    found: dict[str, set[str]] = {}
    months = func.substr(ledger_day.c.local_day, 1, 7)
    own = _read(first, last).where(meter.c.covers.not_in(NOT_ITS_OWN))
    own = own.add_columns(meter.c.device_id.label("device_id"), months.label("month"))
    own = own.join(device, device.c.id == meter.c.device_id).group_by(meter.c.device_id, months)
    for row in connection.execute(own.where(device.c.organisation_id == organisation_id)):
        found.setdefault(row.device_id, set()).add(row.month)
    for device_id, its_months in _under_meters(connection, organisation_id, first, last, time_zone).items():
        found.setdefault(device_id, set()).update(its_months)
    feeds = select(device_feed).join(device, device.c.id == device_feed.c.device_id)
    for row in connection.execute(feeds.where(device.c.organisation_id == organisation_id)):
        found.setdefault(row.device_id, set()).update(_months(row, first, last, time_zone))
    return found


def seen_classes(connection: Connection, organisation_id: int, until: int) -> list[SeenDevice]:
    """The organisation's devices that were seen, with the class that the register gives them, else that which they tell.

    Places are those that held last before `until` (Unix seconds).
    """
    places: dict[str, Row[Any]] = {}
    placed = select(device_placement).where(device_placement.c.valid_from < until)
    for row in connection.execute(placed.order_by(device_placement.c.valid_from, device_placement.c.id)):
        places[row.device_id] = row
    said = (
        select(register_state.c.device_id, register_state.c.device_class)
        .join(register_import, register_import.c.id == register_state.c.import_id)
        .where(register_import.c.state == "visible", register_state.c.device_id.is_not(None))
        .where(register_state.c.valid_from < until)
        .order_by(register_state.c.valid_from, register_state.c.id)
    )
    classes: dict[str, str] = {row.device_id: row.device_class for row in connection.execute(said)}
    query = (
        select(device.c.id, device.c.kind, inventory.c.body)
        .outerjoin(inventory, (inventory.c.device_id == device.c.id) & inventory.c.valid_to.is_(None))
        .where(device.c.organisation_id == organisation_id, device.c.merged_into.is_(None))
    )
    found = []
    for row in connection.execute(query.order_by(device.c.id)):
        told: Mapping[str, str] = json.loads(row.body) if row.body else {}
        kind = classes.get(row.id) or class_of(row.kind, told.get("platform", ""), told.get("chassis", ""))
        place = places.get(row.id)
        where = (place.site_id, place.space_id, place.directorate) if place else (None, None, "")
        found.append(SeenDevice(row.id, kind, *where))
    return found


def _under_meters(
    connection: Connection, organisation_id: int, first: datetime.date, last: datetime.date, time_zone: str
) -> dict[str, set[str]]:
    """Months in which a device was below a meter of ICT that was read, however many meters lie between them."""
    edges = connection.execute(
        select(meter_edge, meter.c.device_id.label("parent_device_id"), fed_device().label("fed")).join(
            meter, meter.c.id == meter_edge.c.parent_meter_id
        )
    ).all()
    if not edges:
        return {}
    parents: dict[object, list[tuple[int, str, set[str]]]] = {}
    for row in edges:
        held = set(_months(row, first, last, time_zone))
        inside = row.child_meter_id is not None and row.fed == row.parent_device_id
        child = row.child_meter_id if inside else row.fed
        parents.setdefault(child, []).append((row.parent_meter_id, row.parent_device_id, held))
    months = func.substr(ledger_day.c.local_day, 1, 7)
    read: dict[int, set[str]] = {}
    query = _read(first, last).add_columns(meter.c.id.label("meter_id"), months.label("month"))
    query = query.where(meter.c.id.in_(select(meter_edge.c.parent_meter_id))).group_by(meter.c.id, months)
    for row in connection.execute(query):
        read.setdefault(row.meter_id, set()).add(row.month)
    not_ict = select(meter_place.c.meter_id).where(meter_place.c.purpose != "ict")
    for meter_id in connection.execute(not_ict).scalars():
        read.pop(meter_id, None)

    def above(node: object, wanted: set[str], passed: frozenset[object]) -> set[str]:
        found: set[str] = set()
        for meter_id, device_id, held in parents.get(node, ()):
            here = wanted & held
            found |= here & read.get(meter_id, set())
            for one in (meter_id, device_id):
                if (rest := here - found) and one not in passed:
                    found |= above(one, rest, passed | {one})
        return found

    every = {month for held in read.values() for month in held}
    mine: Sequence[str] = (
        connection.execute(select(device.c.id).where(device.c.organisation_id == organisation_id)).scalars().all()
    )
    return {one: found for one in mine if one in parents and (found := above(one, every, frozenset({one})))}


def _read(first: datetime.date, last: datetime.date) -> Select[Any]:
    """Days of meters that were read at all, meter by meter as the table lies."""
    return (
        select()
        .select_from(ledger_day)
        .join(meter, meter.c.id == ledger_day.c.meter_id)
        .where(ledger_day.c.meter_id.in_(select(meter.c.id)))
        .where(ledger_day.c.local_day >= first.isoformat(), ledger_day.c.local_day <= last.isoformat())
        .where(or_(ledger_day.c.covered_seconds > 0, ledger_day.c.spread_seconds > 0))
    )


def _months(row: Row[Any], first: datetime.date, last: datetime.date, time_zone: str) -> Iterator[str]:
    """Months of some local days in which a dated row held."""
    begins = max(row.valid_from, day_bounds(first, time_zone)[0])
    ends = day_bounds(last, time_zone)[1]
    ends = ends if row.valid_to is None else min(row.valid_to, ends)
    if begins >= ends:
        return
    month = local_day(begins - begins % 1800, time_zone).replace(day=1)
    final = local_day((ends - 1) - (ends - 1) % 1800, time_zone)
    while month <= final:
        yield f"{month:%Y-%m}"
        month = (month + datetime.timedelta(days=32)).replace(day=1)
