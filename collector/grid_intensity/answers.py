"""Answers of the Carbon Intensity API, as slots: pure reading of its JSON, with all that it is known to do.

`actual` is null for slots that are open, and missing in regional answers; a `from` on a boundary brings the slot before it
along; 48 hours ahead are 96 or 97 rows; a slot may come twice, with two values; slots may be missing. A row that makes no
sense is left out and counted, and never costs the rest of the answer. Source: carbon reference, section 2.
"""

import datetime
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carbon.calendar import HALF_HOUR_SECONDS
from collector.errors import TargetUnavailable

HIGHEST_GRAMS_PER_KWH = 2000.0
"""Coal alone is at about 1,000: beyond twice of that a value is of another unit."""
_LONGEST_INDEX = 20
_FORM = "%Y-%m-%dT%H:%MZ"
_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True, slots=True)
class Slot:
    """A half-hour by the second of its start; gCO2 per kWh. `actual` is None while it is open, and of regions."""

    half_hour: int
    forecast: float | None
    actual: float | None
    index: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The slots of an answer, each once, in order; what was left out of it and why; slots that came with two values.

    `region` is the region's number and name in a regional answer.
    """

    slots: Sequence[Slot]
    faults: Sequence[str] = ()
    disagreeing: int = 0
    region: tuple[int, str] | None = None


def written(half_hour: int) -> str:
    """A time as the API writes it.

    >>> written(1516449600)
    '2018-01-20T12:00Z'
    """
    return datetime.datetime.fromtimestamp(half_hour, datetime.UTC).strftime(_FORM)


def read_answer(body: Any, start: int, end: int, *, regional: bool) -> Answer:
    """The slots of a decoded answer that begin from `start` to before `end`. Raises TargetUnavailable if it is no answer."""
    data = body.get("data") if isinstance(body, dict) else None
    region = None
    if regional:
        # A list of one region, or the region itself.
        data = data[0] if isinstance(data, list) and len(data) == 1 else data
        region = _region(data)
        data = data.get("data") if isinstance(data, dict) else None
    if not isinstance(data, list):
        raise TargetUnavailable("the Carbon Intensity API's answer holds no list of slots", "see grid_intensity_url")
    slots: dict[int, Slot] = {}
    faults: list[str] = []
    twice: set[int] = set()
    for row in data:
        found = _slot(row)
        if isinstance(found, str):
            faults.append(found)
        elif start <= found.half_hour < end:
            before = slots.get(found.half_hour)
            if before is not None and (before.forecast, before.actual) != (found.forecast, found.actual):
                twice.add(found.half_hour)
            # Of two values the one that was measured, else the later of the answer.
            if before is None or before.actual is None or found.actual is not None:
                slots[found.half_hour] = found
    return Answer([slots[at] for at in sorted(slots)], faults, len(twice), region)


def _slot(row: Any) -> Slot | str:
    if not isinstance(row, dict) or not isinstance(row.get("intensity"), dict):
        return f"{str(row)[:80]} is no slot"
    begins, ends = _time(row.get("from")), _time(row.get("to"))
    if begins is None or begins % HALF_HOUR_SECONDS or ends != begins + HALF_HOUR_SECONDS:
        return f"{str(row.get('from'))[:30]} to {str(row.get('to'))[:30]} is no half-hour"
    values: Mapping[str, Any] = row["intensity"]
    numbers: dict[str, float | None] = {}
    for name in ("forecast", "actual"):
        value = values.get(name)
        if value is not None and not _sound(value):
            return f"{name} of {row['from']} is {str(value)[:30]}"
        numbers[name] = None if value is None else float(value)
    if numbers["forecast"] is None and numbers["actual"] is None:
        return f"{row['from']} has no value"
    index = values.get("index")
    return Slot(
        begins, numbers["forecast"], numbers["actual"], index[:_LONGEST_INDEX] if isinstance(index, str) else ""
    )


def _sound(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value <= HIGHEST_GRAMS_PER_KWH


def _time(text: Any) -> int | None:
    if not isinstance(text, str) or not _WRITTEN.fullmatch(text):
        return None
    try:
        return int(datetime.datetime.fromisoformat(text).timestamp())
    except ValueError:
        return None


def _region(data: Any) -> tuple[int, str]:
    number = data.get("regionid") if isinstance(data, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        raise TargetUnavailable("the Carbon Intensity API's answer names no region", "check the site's postcode")
    return number, str(data.get("shortname") or f"region {number}")[:60]
