"""Keeping what stands for gaps ready for reports: a collector reckons it beside its work, so that nobody waits for a year."""

import threading

from sqlalchemy import select

from carbon.calendar import financial_year, half_hour_of, local_day
from carbon.months import months_between
from collector.activities import activities
from collector.database.engine import Database
from collector.database.schema import organisation
from collector.fills import Fills
from collector.gap_fills import keep_fills

YEARS = 2
"""The current financial year and the one before it: what officers ask for."""


def keep_recent_fills(database: Database, now: int, stopping: threading.Event) -> int:
    """Reckon and keep what is out of date of every organisation, month by month, up to `now` (Unix seconds); how many rows."""
    with database.read() as connection:
        organisations = connection.execute(select(organisation).order_by(organisation.c.id)).all()
    written = 0
    for one in organisations:
        today = local_day(half_hour_of(now), one.time_zone)
        first = f"{financial_year(today) - YEARS + 1}-04"
        for month in months_between(first, f"{today:%Y-%m}"):
            if stopping.is_set():
                return written
            with database.read() as connection:
                fills = Fills(connection, one, now)
                activities(connection, one.id, month, month, now, fills)
            keep_fills(database, fills.kept.fresh)
            written += len(fills.kept.fresh)
    return written
