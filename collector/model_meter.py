"""The meters that the power model fills beside measured ones: what these do not see of their device.

*Rest*: the machine without processor packages and memory, beside the processors' counters. *Loss*: what the power
supply keeps of the input, beside a meter that sees only its output.
"""

from sqlalchemy import Connection, insert, select

from agent.report import Meter
from collector.database.schema import meter
from collector.segments import REST_METER, loss_meter_name


def rest_meter(connection: Connection, device_id: str) -> int | None:
    """The row number of a device's rest meter, or None where its energy was never chosen by package."""
    return _number(connection, device_id, REST_METER)


def make_rest_meter(connection: Connection, device_id: str, at: int) -> None:
    """Make the rest meter of a device whose choice is by package, unless it has one."""
    _make(connection, device_id, REST_METER, at)


def loss_meter(connection: Connection, device_id: str, name: str) -> int | None:
    """The row number of the meter of what is lost before the meter `name`, or None where that is no such meter."""
    return _number(connection, device_id, loss_meter_name(name))


def make_loss_meter(connection: Connection, device_id: str, one: Meter, at: int) -> None:
    """Make the loss meter of a meter behind the machine's power supply; of another there is nothing lost to add."""
    if one.covers == "machine_dc":
        _make(connection, device_id, loss_meter_name(one.name), at)


def _number(connection: Connection, device_id: str, name: str) -> int | None:
    query = select(meter.c.id).where(meter.c.device_id == device_id, meter.c.name == name)
    return connection.execute(query).scalar()


def _make(connection: Connection, device_id: str, name: str, at: int) -> None:
    if _number(connection, device_id, name) is None:
        values = {"device_id": device_id, "name": name, "source": "power_model", "kind": "model"}
        connection.execute(insert(meter).values(**values, covers="component", parent="", created_at=at))
