"""The league of suppliers of an organisation: the report's energy and emissions by who sold the devices."""

import datetime
from collections.abc import Mapping

from sqlalchemy import Connection, select

from carbon.embodied import Item
from carbon.league import UNKNOWN, Standing, of, spread
from carbon.report import Report
from collector.database.schema import register_import, register_state
from collector.embodied import embodied, in_use, register_items
from collector.register_facts import visible
from collector.register_queries import seen_devices
from collector.suppliers import by_vendor, suppliers, vendor_key


def supplier_league(
    connection: Connection, organisation_id: int, report: Report, today: datetime.date, now: int
) -> list[Standing]:
    """Every supplier with devices, energy or carbon, most emissions first; their sums are the report's.

    Makers without a supplier stand by their own name. Embodied carbon is that of the management view over the report's
    months. `now` in Unix seconds.
    """
    names = by_vendor(suppliers(connection, organisation_id))
    spelled: dict[str, str] = {}

    def supplier_of(vendor: str) -> str:
        key = vendor_key(vendor)
        if not key:
            return UNKNOWN
        return names.get(key) or spelled.setdefault(key, " ".join(vendor.split()))

    league: dict[str, Standing] = {}
    items = in_use(register_items(connection, organisation_id, now))
    in_class: dict[str, dict[str, int]] = {}
    for item in items:
        name = supplier_of(item.vendor)
        counts = in_class.setdefault(item.device_class, {})
        counts[name] = counts.get(name, 0) + item.quantity
        _count(of(league, name), item, today)
    vendors = _vendors_of_devices(connection, organisation_id)
    spread(report.rows, lambda device: supplier_of(vendors.get(device, "")), in_class, league)
    view = embodied(connection, organisation_id, "management", report.first_month, report.last_month, now)
    for charge in view.charges:
        of(league, supplier_of(charge.item.vendor)).embodied_g += charge.grams
    return sorted(league.values(), key=lambda one: (-one.grams, -one.embodied_g, one.supplier))


def _count(standing: Standing, item: Item, today: datetime.date) -> None:
    standing.devices += item.quantity
    if item.acquired is not None and item.acquired <= today:
        standing.dated += item.quantity
        standing.age_days += item.quantity * (today - item.acquired).days


def _vendors_of_devices(connection: Connection, organisation_id: int) -> Mapping[str, str]:
    """The maker of each seen device: as the register says, else as its inventory does."""
    found = {one.device_id: one.vendor for one in seen_devices(connection, organisation_id)}
    query = (
        select(register_state.c.device_id, register_state.c.vendor)
        .join(register_import, register_import.c.id == register_state.c.import_id)
        .where(
            register_import.c.organisation_id == organisation_id,
            register_state.c.device_id.is_not(None),
            register_state.c.vendor != "",
            visible(),
        )
        .order_by(register_state.c.valid_from)
    )
    return found | {row.device_id: row.vendor for row in connection.execute(query)}
