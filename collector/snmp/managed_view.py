"""What controllers tell of the devices that they manage, as the API and pages show it."""

from typing import Any

from sqlalchemy import Connection, select

from collector.database.schema import device, managed_device

_SHOWN = ("name", "model", "address", "version", "online", "clients", "first_seen_at", "last_seen_at", "absent_at")


def shown_managed(connection: Connection, device_id: str) -> dict[str, Any]:
    """What a controller tells of this device (`managed_by`, or None), and all that this device manages (`manages`).

    Times are Unix seconds; `absent_at` is when the controller first told of it no longer.
    """
    query = (
        select(managed_device)
        .join(device, device.c.id == managed_device.c.device_id)
        .where(device.c.retired_at.is_(None), device.c.merged_into.is_(None))
    )
    mine = connection.execute(query.where(managed_device.c.device_id == device_id)).mappings().first()
    those = connection.execute(
        query.where(managed_device.c.controller_id == device_id).order_by(managed_device.c.name)
    ).mappings()
    told = None if mine is None else {"controller_id": mine["controller_id"], **{one: mine[one] for one in _SHOWN}}
    manages = [{"device_id": row["device_id"], **{one: row[one] for one in _SHOWN}} for row in those]
    return {"managed_by": told, "manages": manages}
