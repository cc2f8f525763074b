"""Edits of what was true in the past: series that half-hours leave get zeros, and the days they touch are written anew.

A half-hour's series (its host name, its site) and its figures follow from dated facts of the estate. When such a fact
changes after the half-hour was written, the zeros go to the outbox in the same transaction; the days are marked there
and written by the ledger's next round, so that an edit of a year stays a short transaction.
"""

import datetime
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, select

from carbon.calendar import HALF_HOUR_SECONDS, day_bounds, days_between, half_hour_of
from carbon.spaces import Pue
from collector.database.schema import ledger_day, meter, series_due
from collector.database.upsert import upsert
from collector.device_energy import Rules, half_hours, ledger_rows, rules_of
from collector.guest_energy import attribute_again
from collector.ledger import closed_before
from collector.outbox import append
from collector.prepare import pack
from collector.segments import Segment, load_segments
from collector.series import NS, Tags, kind_of, span_lines, tags_at


@contextmanager
def history_edit(connection: Connection, device_id: str, since: int, now: int, collector_id: str) -> Iterator[None]:
    """Within it a device's past from `since` (Unix seconds) on is edited; what follows from it is written after it."""
    with histories_edit(connection, [device_id], since, now, collector_id):
        yield


@contextmanager
def histories_edit(
    connection: Connection, device_ids: Sequence[str], since: int, now: int, collector_id: str
) -> Iterator[None]:
    """`history_edit` of several devices at once."""
    start, end = half_hour_of(since), closed_before(now) + HALF_HOUR_SECONDS
    if start >= end:
        # Nothing of that time is written yet: the ledger's own round will use what holds by then.
        yield
        return
    before = _by_device(load_segments(connection, start, end, device_ids))
    yield
    after = _by_device(load_segments(connection, start, end, device_ids))
    for device_id in device_ids:
        zeros = _follow(connection, device_id, before.get(device_id, []), after.get(device_id, []))
        append(connection, collector_id, now, [pack(zeros, [start * NS, end * NS])])


def _by_device(segments: Iterable[Segment]) -> dict[str, list[Segment]]:
    found: dict[str, list[Segment]] = {}
    for one in segments:
        found.setdefault(one.device_id, []).append(one)
    return found


def _follow(connection: Connection, device_id: str, before: Sequence[Segment], after: Sequence[Segment]) -> list[str]:
    """Mark the days of a device that an edit changed; zeros for the series that its half-hours left."""
    kind = kind_of(connection, device_id)
    rules = rules_of(connection, device_id)
    zeros: list[str] = []
    days: set[datetime.date] = set()
    for begins, ends in _edges(before, after):
        was, now_is = _at(before, begins), _at(after, begins)
        if _held(kind, was) == _held(kind, now_is):
            continue
        days.update(days_between(rules.day(begins), rules.day(ends - 1)))
        attribute_again(connection, device_id, begins, ends)
        if was is not None and (now_is is None or tags_at(kind, was) != tags_at(kind, now_is)):
            zeros += _zeros(connection, was, begins, ends, tags_at(kind, was), rules)
    marked = _written(connection, device_id, days)
    upsert(connection, series_due, [{"device_id": device_id, "local_day": day} for day in marked])
    return zeros


def _written(connection: Connection, device_id: str, days: Collection[datetime.date]) -> list[str]:
    """Those of some days of which the ledger has anything of a device: others have no series, and those that come later
    are written by the ledger's own round. A register that places devices as at a day in the past touches every day since.
    """
    if not days:
        return []
    wanted = {day.isoformat() for day in days}
    query = (
        select(ledger_day.c.local_day)
        .join(meter, meter.c.id == ledger_day.c.meter_id)
        .where(meter.c.device_id == device_id)
        .where(ledger_day.c.local_day >= min(wanted), ledger_day.c.local_day <= max(wanted))
        .distinct()
    )
    return sorted(wanted.intersection(connection.execute(query).scalars()))


def _edges(before: Sequence[Segment], after: Sequence[Segment]) -> Iterator[tuple[int, int]]:
    """Stretches of time within which neither side changes."""
    bounds = sorted({bound for segment in (*before, *after) for bound in (segment.start, segment.end)})
    yield from itertools.pairwise(bounds)


def _at(segments: Sequence[Segment], half_hour: int) -> Segment | None:
    return next((one for one in segments if one.start <= half_hour < one.end), None)


def _held(kind: str, segment: Segment | None) -> tuple[Tags, tuple[int, ...], Pue] | None:
    """What a half-hour's series and figures follow from."""
    return None if segment is None else (tags_at(kind, segment), segment.meter_ids, segment.pue)


def _zeros(connection: Connection, segment: Segment, start: int, end: int, tags: Tags, rules: Rules) -> Iterator[str]:
    """Zeros for what a stretch had in a series. A day's other half-hours in it are written again with the day."""
    days = set()
    rows = ledger_rows(connection, segment.meter_ids, start, end)
    for one in half_hours([segment], rows):
        day = rules.day(one.half_hour)
        days.add(day)
        yield from span_lines("half_hour", tags, one.half_hour, [], HALF_HOUR_SECONDS, day, rules)
    for day in sorted(days):
        begins, ends = day_bounds(day, rules.time_zone)
        yield from span_lines("day", tags, begins, [], ends - begins, day, rules)
