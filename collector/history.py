"""Edits of what was true in the past: the series that half-hours leave are overwritten with zeros, those they join written.

A half-hour's series (its host name, its site) and its figures follow from dated facts of the estate. When such a fact
changes after the half-hour was written, what the stores hold of it is put right in the same transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from carbon.calendar import HALF_HOUR_SECONDS, day_bounds, half_hour_of
from carbon.spaces import Pue
from collector.device_energy import Rules, half_hours, ledger_rows, rules_of
from collector.ledger import closed_before
from collector.outbox import append
from collector.prepare import pack
from collector.segments import load_segments
from collector.series import NS, Tags, kind_of, series_lines, span_lines, tags_at

Held = dict[int, tuple[Tags, tuple[int, ...], Pue]]
"""Half-hours of a device that its series hold: under which tags, from which meters, with which PUE."""


@contextmanager
def history_edit(connection: Connection, device_id: str, since: int, now: int, collector_id: str) -> Iterator[None]:
    """Within it a device's past from `since` (Unix seconds) on is edited; then the outbox gets what follows from it."""
    start, end = half_hour_of(since), closed_before(now) + HALF_HOUR_SECONDS
    if start >= end:
        # Nothing of that time is written yet: the ledger's own round will use what holds by then.
        yield
        return
    rules = rules_of(connection, device_id)
    # Whole days, because a day's point sums what its series holds.
    start, end = day_bounds(rules.day(start), rules.time_zone)[0], day_bounds(rules.day(end - 1), rules.time_zone)[1]
    was = _written(connection, device_id, start, end)
    yield
    now_is = _written(connection, device_id, start, end)
    changed = [at for at in sorted(was.keys() | now_is.keys()) if was.get(at) != now_is.get(at)]
    if changed:
        lines = [*_left(was, now_is, rules), *series_lines(connection, device_id, changed)]
        append(connection, collector_id, now, [pack(lines, [at * NS for at in changed])])


def _written(connection: Connection, device_id: str, start: int, end: int) -> Held:
    segments = load_segments(connection, start, end, [device_id])
    meter_ids = {meter_id for segment in segments for meter_id in segment.meter_ids}
    kind = kind_of(connection, device_id)
    return {
        one.half_hour: (tags_at(kind, one.segment), one.segment.meter_ids, one.segment.pue)
        for one in half_hours(segments, ledger_rows(connection, meter_ids, start, end))
    }


def _left(was: Held, now_is: Held, rules: Rules) -> list[str]:
    """Zeros for half-hours and days that are no longer in a series."""
    lines: list[str] = []
    stay = {(rules.day(at), tags) for at, (tags, _, _) in now_is.items()}
    gone = set()
    for at, (tags, _, _) in was.items():
        day = rules.day(at)
        if at not in now_is or now_is[at][0] != tags:
            lines += span_lines("half_hour", tags, at, [], HALF_HOUR_SECONDS, day, rules)
        if (day, tags) not in stay:
            gone.add((day, tags))
    for day, tags in sorted(gone):
        start, end = day_bounds(day, rules.time_zone)
        lines += span_lines("day", tags, start, [], end - start, day, rules)
    return lines
