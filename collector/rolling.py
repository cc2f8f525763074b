"""The ledger's round: what is due of every device is written, with the series that follow from it, a device a transaction."""

import datetime
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from collector.database.engine import Database
from collector.database.schema import series_due
from collector.database.writer import Writer
from collector.errors import CollectorError, DatabaseError, QueueFull
from collector.guest_energy import attribute
from collector.ledger import devices_due, roll
from collector.outbox import append
from collector.prepare import pack
from collector.series import NS, day_lines, series_lines

logger = logging.getLogger(__name__)

DEVICES_AT_ONCE = 200
DAYS_AT_ONCE = 4
"""Days of edited history that one transaction writes anew: some twenty milliseconds each."""


@dataclass(frozen=True, slots=True)
class Due:
    """A device whose turn it is; `now` in Unix seconds, and the collector whose outbox takes the series."""

    device_id: str
    now: int
    collector_id: str


def write_round(
    database: Database, writer: Writer, collector_id: str, now: int, stopping: threading.Event | None = None
) -> int:
    """Write everything that is due; how many half-hours and days were written.

    Once `stopping` is set it ends between two devices and the rest stays due: a thousand devices must not hold up the
    end of a service. A device that cannot be written stays due and holds up no other: its error is raised at the end.
    """
    written = 0
    ended = stopping or threading.Event()
    failed: dict[str, CollectorError] = {}
    while True:
        with database.read() as connection:
            due = devices_due(connection, now, DEVICES_AT_ONCE)
            edited = list(
                connection.execute(select(series_due.c.device_id).distinct().limit(DEVICES_AT_ONCE)).scalars()
            )
        tried = 0
        for handler, device_ids in ((write_ledger, due), (write_days, edited)):
            for device_id in device_ids:
                if ended.is_set():
                    return written
                if device_id in failed:
                    continue
                tried += 1
                try:
                    written += writer.run(handler, Due(device_id, now, collector_id))
                except (DatabaseError, QueueFull):
                    raise  # no device's fault
                except CollectorError as error:
                    logger.exception("the ledger of device %s cannot be written", device_id)
                    failed[device_id] = error
        if not tried:
            break
    if failed:
        raise next(iter(failed.values()))
    return written


def write_ledger(connection: Connection, items: Sequence[Due]) -> list[int]:
    """Write the rows of devices that are due, and their series into the outbox; how many half-hours each."""
    written = []
    for one in items:
        rolled = roll(connection, one.device_id, one.now)
        attribute(connection, one.device_id, rolled.touched, one.now)
        changed = rolled.half_hours
        lines = series_lines(connection, one.device_id, changed)
        append(connection, one.collector_id, one.now, [pack(lines, [at * NS for at in changed])])
        written.append(len(changed))
    return written


def write_days(connection: Connection, items: Sequence[Due]) -> list[int]:
    """Write some of the days whose history was edited into the outbox anew, oldest first; how many each."""
    return [_write_days(connection, one) for one in items]


def _write_days(connection: Connection, one: Due) -> int:
    mine = series_due.c.device_id == one.device_id
    query = select(series_due.c.local_day).where(mine).order_by(series_due.c.local_day).limit(DAYS_AT_ONCE)
    days = list(connection.execute(query).scalars())
    lines = [line for day in days for line in day_lines(connection, one.device_id, datetime.date.fromisoformat(day))]
    append(connection, one.collector_id, one.now, [pack(lines, [one.now * NS])])
    connection.execute(delete(series_due).where(mine, series_due.c.local_day.in_(days)))
    return len(days)
