"""A register, devices that were seen and readings of a day, as rows: what a calculation over many of them starts from."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert

from carbon.calendar import day_bounds
from collector.database.schema import device, ledger_day, meter, register_import, register_item, register_state

ZONE = "Europe/London"


def midnight(date: str) -> int:
    return day_bounds(datetime.date.fromisoformat(date), ZONE)[0]


@dataclass(frozen=True)
class Item:
    """A state of a register's item."""

    device_class: str = "laptop"
    since: str = "2026-01-01"
    until: str = ""
    quantity: int = 1
    share: float = 1.0
    status: str = "in_use"
    device_id: str | None = None
    site_id: int | None = None
    space_id: int | None = None
    directorate: str = ""
    school: bool | None = None
    service_category: str = ""


def register(connection: Connection, items: Sequence[Item], as_at: str = "2026-01-01", state: str = "visible") -> None:
    """Items as an import leaves them."""
    said = dict.fromkeys(("file_name", "sha256", "mapping", "actor", "created", "undone_by"), "")
    import_id = connection.execute(
        insert(register_import)
        .values(**said, organisation_id=1, as_at=midnight(as_at), at=0, rows=len(items), state=state)
        .returning(register_import.c.id)
    ).scalar_one()
    texts = ("asset_tag", "serial", "host_name", "vendor", "model", "owner", "tenure", "share_key", "notes")
    empty = dict.fromkeys((*texts, "acquired_on", "disposed_on"), "")
    for number, one in enumerate(items):
        item_id = f"r-{import_id}-{number}"
        connection.execute(insert(register_item).values(id=item_id, organisation_id=1, created_import=import_id))
        values = {name: getattr(one, name) for name in Item.__dataclass_fields__ if name not in ("since", "until")}
        bounds = {"valid_from": midnight(one.since), "valid_to": midnight(one.until) if one.until else None}
        connection.execute(
            insert(register_state).values(item_id=item_id, import_id=import_id, **empty, **values, **bounds)
        )


def seen(connection: Connection, device_id: str, kind: str = "host") -> None:
    connection.execute(insert(device).values(id=device_id, organisation_id=1, kind=kind, created_at=0))


def metered(connection: Connection, device_id: str, *dates: str, covers: str = "machine", name: str = "m") -> int:
    """A meter of a device, and days on which it was read."""
    values = {"device_id": device_id, "name": name, "source": "x", "kind": "energy", "covers": covers, "parent": ""}
    made = insert(meter).values(**values, created_at=0).returning(meter.c.id)
    meter_id: int = connection.execute(made).scalar_one()
    amounts = {"measured_uj": 10**9, "estimated_uj": 0, "low_uj": 10**9, "high_uj": 10**9, "spread_seconds": 0}
    for date in dates:
        day = {"local_day": date, "covered_seconds": 1800, "half_hours": 1, "dirty": False}
        connection.execute(insert(ledger_day).values(meter_id=meter_id, **amounts, **day))
    return meter_id
