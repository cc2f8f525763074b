"""Ranges of time in requests."""

import datetime

from carbon.calendar import HALF_HOUR_SECONDS
from collector.errors import BadRequest

LONGEST_RANGE_DAYS = 31


def half_hour_range(start: str | None, end: str | None) -> tuple[int, int]:
    """Half-hours (Unix seconds) of a range given as ISO 8601 instants or dates (UTC). Raises BadRequest."""
    if start is None or end is None:
        raise BadRequest("from and to belong together", "give both, such as from=2026-11-01&to=2026-11-02")
    bounds = []
    for name, text in (("from", start), ("to", end)):
        try:
            moment = datetime.datetime.fromisoformat(text)
        except ValueError as error:
            raise BadRequest(f"{name}={text[:40]} is no ISO 8601 date or time") from error
        moment = moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment
        bounds.append(int(moment.timestamp()) // HALF_HOUR_SECONDS * HALF_HOUR_SECONDS)
    if not bounds[0] < bounds[1] <= bounds[0] + LONGEST_RANGE_DAYS * 86_400:
        raise BadRequest(f"from must lie before to, and the range may be {LONGEST_RANGE_DAYS} days")
    return bounds[0], bounds[1]
