"""How two ways of measuring one device compare: its energy by both over the days on which both were read.

A meter that takes the place of an estimate shows by how much the estimate was off, because the ledger keeps both. It is
the only evidence that tells a change of measuring from a change of the device.
"""

import datetime
from collections.abc import Iterable, Sequence
from fractions import Fraction

from sqlalchemy import Connection, or_, select

from carbon.calendar import day_bounds
from collector.database.schema import ledger_day, meter, meter_edge
from collector.segments import load_segments

LEAST_COVERED = Fraction(9, 10)
"""Of a day, by both, for it to be compared."""
LEAST_DAYS = 7
"""With both weekday and weekend in it."""


def method_ratio(
    connection: Connection, device_id: str, before: str, after: str, sources: tuple[str, str], time_zone: str
) -> Fraction | None:
    """Energy by the way of measuring in month `after` over that by the way in month `before` (YYYY-MM), same days.

    `sources` are what the activities of both months say was chosen. None where both ways were not read together for
    a week within or between the months, or where they use the same meters.
    """
    one = _meters(connection, device_id, before, sources[0], time_zone)
    other = _meters(connection, device_id, after, sources[1], time_zone)
    if not one or not other or one == other:
        return None
    first, last = _month_days(before)[0], _month_days(after)[1]
    mine, theirs = (_days(connection, meters, first, last, time_zone) for meters in (one, other))
    both = mine.keys() & theirs.keys()
    old, new = sum(mine[day] for day in both), sum(theirs[day] for day in both)
    if len(both) < LEAST_DAYS or old <= 0 or new <= 0:
        return None
    return Fraction(new, old)


def _meters(connection: Connection, device_id: str, month: str, source: str, time_zone: str) -> frozenset[int]:
    """The meters that told the device's energy at the middle of a month."""
    middle = day_bounds(datetime.date.fromisoformat(f"{month}-15"), time_zone)[0]
    if source.startswith("outlet"):
        holds = or_(meter_edge.c.valid_to.is_(None), meter_edge.c.valid_to > middle)
        inputs = select(meter.c.id).where(meter.c.device_id == device_id)
        feeds = or_(meter_edge.c.child_device_id == device_id, meter_edge.c.child_meter_id.in_(inputs))
        query = select(meter_edge.c.parent_meter_id).where(feeds, meter_edge.c.valid_from <= middle, holds)
        return frozenset(connection.execute(query).scalars())
    segments = load_segments(connection, middle, middle + 1800, [device_id])
    return frozenset(meter_id for segment in segments for meter_id in segment.meter_ids)


def _days(
    connection: Connection, meter_ids: Iterable[int], first: datetime.date, last: datetime.date, time_zone: str
) -> dict[str, int]:
    """Energy by local day of which every one of the meters has nearly all."""
    wanted: Sequence[int] = sorted(meter_ids)
    columns = [ledger_day.c[name] for name in ("local_day", "measured_uj", "estimated_uj", "covered_seconds")]
    query = select(*columns).where(
        ledger_day.c.meter_id.in_(wanted),
        ledger_day.c.local_day >= first.isoformat(),
        ledger_day.c.local_day <= last.isoformat(),
    )
    energy: dict[str, int] = {}
    read: dict[str, int] = {}
    for day, measured, estimated, covered in connection.execute(query):
        start, end = day_bounds(datetime.date.fromisoformat(day), time_zone)
        energy[day] = energy.get(day, 0) + measured + estimated
        read[day] = read.get(day, 0) + (covered >= LEAST_COVERED * (end - start))
    return {day: amount for day, amount in energy.items() if read[day] == len(wanted)}


def _month_days(month: str) -> tuple[datetime.date, datetime.date]:
    first = datetime.date.fromisoformat(f"{month}-01")
    return first, (first + datetime.timedelta(days=32)).replace(day=1) - datetime.timedelta(days=1)
