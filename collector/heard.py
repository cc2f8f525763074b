"""When a device was last heard of, and its power: what its own key may ask, and `ictagent install` waits for."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from collector.database.schema import device_status


@dataclass(frozen=True, slots=True)
class LastHeard:
    """A device's newest state. `last_report_at` in Unix seconds; None or empty where nothing is known yet."""

    last_report_at: int | None = None
    power_watts: float | None = None
    power_low_watts: float | None = None
    power_high_watts: float | None = None
    method: str = ""
    source: str = ""


def last_heard(connection: Connection, device_id: str) -> LastHeard:
    """What is known of a device now."""
    row = connection.execute(select(device_status).where(device_status.c.device_id == device_id)).first()
    if row is None:
        return LastHeard()
    return LastHeard(
        row.last_report_at,
        row.power_watts,
        row.power_low_watts,
        row.power_high_watts,
        row.method or "",
        row.source or "",
    )
