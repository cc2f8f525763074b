"""The measurement `grid_intensity`: a point for each slot whose value is new, into the outbox like any other."""

from collections.abc import Sequence

from sqlalchemy import Connection

from agent.report import Value
from collector.grid_intensity.answers import Slot
from collector.lines import SeriesTemplate
from collector.outbox import append
from collector.prepare import pack

_NS = 10**9
_FIELDS = ("forecast_grams_per_kwh", "actual_grams_per_kwh", "index")


def append_series(connection: Connection, collector_id: str, now: int, region: str, slots: Sequence[Slot]) -> None:
    """Add the points of a region's changed slots to the outbox of a collector. `now` in Unix seconds."""
    rows: list[tuple[int, list[Value]]] = [
        (slot.half_hour * _NS, [slot.forecast, slot.actual, slot.index or None]) for slot in slots
    ]
    lines = SeriesTemplate("grid_intensity", {"region": region}, list(_FIELDS)).lines(rows)
    append(connection, collector_id, now, [pack(lines, [at for at, _ in rows])])
