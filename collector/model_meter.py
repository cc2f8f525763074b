"""The meter that the power model fills beside a host's processor counters: the machine without packages and memory."""

from sqlalchemy import Connection, insert, select

from collector.database.schema import meter
from collector.segments import REST_METER


def rest_meter(connection: Connection, device_id: str) -> int | None:
    """The row number of a device's rest meter, or None where its energy was never chosen by package."""
    query = select(meter.c.id).where(meter.c.device_id == device_id, meter.c.name == REST_METER)
    return connection.execute(query).scalar()


def make_rest_meter(connection: Connection, device_id: str, at: int) -> None:
    """Make the rest meter of a device whose choice is by package, unless it has one."""
    if rest_meter(connection, device_id) is None:
        values = {"device_id": device_id, "name": REST_METER, "source": "power_model", "kind": "model"}
        connection.execute(insert(meter).values(**values, covers="component", parent="", created_at=at))
