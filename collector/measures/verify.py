"""What a measure saved in truth: local days of its devices before and after it was carried out, from the ledger's days."""

import datetime
from collections.abc import Iterator

from sqlalchemy import Connection, select

from carbon.calendar import day_bounds, days_between
from carbon.measures.verified import DAYS, Day, Saving, verified_saving
from collector.database.schema import device, ledger_day
from collector.measures.kept import NO_DEVICE, KeptMeasure
from collector.power_view import device_names
from collector.segments import Segment, load_segments


def verified(connection: Connection, kept: KeptMeasure, time_zone: str, today: datetime.date) -> Saving:
    """The saving of a year of a measure that is carried out: of each of its devices by itself, added up.

    There is no verdict where one of them has none. A device that was retired draws nothing from the next day on.
    """
    if not kept.done_on:
        return Saving(None, "it is not carried out")
    done = datetime.date.fromisoformat(kept.done_on)
    names = device_names(connection, kept.measure.saved_uj)
    saved = 0
    for device_id in kept.measure.saved_uj:
        if device_id.startswith(NO_DEVICE):
            return Saving(None, "it names no device")
        before = _days(connection, device_id, done - datetime.timedelta(days=DAYS), done, time_zone)
        until = min(today, done + datetime.timedelta(days=DAYS))
        one = verified_saving(before, _days(connection, device_id, done, until, time_zone))
        if one.a_year_uj is None:
            return Saving(None, f"{names[device_id]}: {one.reason}")
        saved += one.a_year_uj
    return Saving(saved)


def _days(
    connection: Connection, device_id: str, first: datetime.date, until: datetime.date, time_zone: str
) -> list[Day]:
    """A device's local days from one to before another."""
    last = until - datetime.timedelta(days=1)
    if last < first:
        return []
    start, end = day_bounds(first, time_zone)[0], day_bounds(last, time_zone)[1]
    segments = load_segments(connection, start, end, [device_id])
    retired = connection.execute(select(device.c.retired_at).where(device.c.id == device_id)).scalar()
    ids = {one for segment in segments for one in segment.meter_ids}
    query = select(ledger_day).where(
        ledger_day.c.meter_id.in_(ids),
        ledger_day.c.local_day >= first.isoformat(),
        ledger_day.c.local_day <= last.isoformat(),
    )
    rows = {(row.meter_id, row.local_day): row for row in connection.execute(query)}
    found = []
    for date in days_between(first, last):
        begins, ends = day_bounds(date, time_zone)
        off = retired is not None and retired <= begins
        mine = [rows.get((one, date.isoformat())) for one in _meters(segments, begins, ends)]
        read = [one for one in mine if one is not None]
        complete = bool(mine) and len(read) == len(mine) and not off
        found.append(
            Day(
                weekend=date.weekday() > 4,
                energy_uj=sum(one.measured_uj + one.estimated_uj for one in read) if complete else 0,
                covered_seconds=ends - begins
                if off
                else min((one.covered_seconds for one in read), default=0) * complete,
                possible_seconds=ends - begins,
            )
        )
    return found


def _meters(segments: list[Segment], begins: int, ends: int) -> Iterator[int]:
    """The meters that stood for a device on a whole day; none where that changed in it."""
    for one in segments:
        if one.start <= begins and ends <= one.end:
            yield from one.meter_ids
