"""Slots of the grid's intensity in the database: kept by region and half-hour, gaps found, tries remembered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from sqlalchemy import Connection, func, select

from carbon.calendar import HALF_HOUR_SECONDS
from collector.database.schema import grid_intensity, grid_region, grid_try
from collector.database.upsert import upsert
from collector.grid_intensity.answers import Answer, Slot

NATIONAL = "national"
_AT_ONCE = 200


def keep(connection: Connection, region: str, answer: Answer, now: int) -> list[Slot]:
    """Keep an answer's slots; those of which a value is new, as they are kept.

    What was measured stays where a later answer has only a forecast.
    """
    if not answer.slots:
        return []
    first, last = answer.slots[0].half_hour, answer.slots[-1].half_hour
    mine = (grid_intensity.c.region == region) & grid_intensity.c.half_hour.between(first, last)
    before = {row.half_hour: row for row in connection.execute(select(grid_intensity).where(mine))}
    changed = []
    rows = []
    for told in answer.slots:
        old = before.get(told.half_hour)
        slot = told
        if old is not None:
            actual = old.actual if told.actual is None else told.actual
            forecast = old.forecast if told.forecast is None else told.forecast
            slot = Slot(told.half_hour, forecast, actual, told.index or old.level)
        if old is None or slot != Slot(old.half_hour, old.forecast, old.actual, old.level):
            changed.append(slot)
        values = {"forecast": slot.forecast, "actual": slot.actual, "level": slot.index, "retrieved_at": now}
        rows.append({"region": region, "half_hour": slot.half_hour, **values})
    for begin in range(0, len(rows), _AT_ONCE):
        columns = ("forecast", "actual", "level", "retrieved_at")
        upsert(connection, grid_intensity, rows[begin : begin + _AT_ONCE], columns)
    return changed


def keep_region(connection: Connection, outward: str, region: tuple[int, str], now: int) -> None:
    """Remember of which region an outward postcode is."""
    row = {"outward": outward, "region_id": region[0], "name": region[1], "told_at": now}
    upsert(connection, grid_region, [row], ("region_id", "name", "told_at"))


def regions(connection: Connection) -> dict[str, tuple[str, str]]:
    """The region's key and name of each outward postcode that was told."""
    rows = connection.execute(select(grid_region)).all()
    return {row.outward: (str(row.region_id), row.name) for row in rows}


def note_try(connection: Connection, subject: str, now: int, answer: Answer | None, problem: str = "") -> None:
    """Remember how asking went: with an answer, or with a problem."""
    row = {
        "subject": subject,
        "tried_at": now,
        "answered_at": None if answer is None else now,
        "problem": problem,
        "faults": 0 if answer is None else len(answer.faults),
        "disagreeing": 0 if answer is None else answer.disagreeing,
    }
    told = ("answered_at", "faults", "disagreeing") if answer is not None else ()
    upsert(connection, grid_try, [row], ("tried_at", "problem", *told))


def unsettled(connection: Connection, region: str, start: int, end: int) -> list[int]:
    """Half-hours from `start` to before `end` of which more is to be told: none is kept, or it is not the last word.

    Nationally that is what was measured; of a region, which never has that, what was told after the half-hour's end.
    """
    settled = grid_intensity.c.retrieved_at >= grid_intensity.c.half_hour + HALF_HOUR_SECONDS
    if region == NATIONAL:
        settled = grid_intensity.c.actual.is_not(None)
    query = select(grid_intensity.c.half_hour).where(
        grid_intensity.c.region == region,
        grid_intensity.c.half_hour >= start,
        grid_intensity.c.half_hour < end,
        settled,
    )
    known = set(connection.execute(query).scalars())
    return [at for at in range(start, end, HALF_HOUR_SECONDS) if at not in known]


def intensities(connection: Connection, region: str, start: int, end: int) -> dict[int, Decimal]:
    """gCO2 per kWh by half-hour: of Great Britain what was measured, of a region the last forecast."""
    column = grid_intensity.c.actual if region == NATIONAL else grid_intensity.c.forecast
    query = select(grid_intensity.c.half_hour, column.label("grams")).where(
        grid_intensity.c.region == region,
        grid_intensity.c.half_hour >= start,
        grid_intensity.c.half_hour < end,
        column.is_not(None),
    )
    return {row.half_hour: Decimal(str(row.grams)) for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a region: slots from the first to the last, how many have the last word, and how asking went."""

    region: str
    first: int
    last: int
    slots: int
    measured: int
    gaps: Sequence[tuple[int, int]]


def kept(connection: Connection, now: int) -> list[Kept]:
    """Each region with what is kept of it. A gap is a stretch of half-hours that are over, from its first to its last."""
    found = []
    for region in connection.execute(
        select(grid_intensity.c.region).distinct().order_by(grid_intensity.c.region)
    ).scalars():
        mine = grid_intensity.c.region == region
        counts = (func.min(grid_intensity.c.half_hour), func.max(grid_intensity.c.half_hour), func.count())
        first, last, slots = connection.execute(select(*counts).where(mine)).one()
        measured = connection.execute(
            select(func.count()).where(mine, grid_intensity.c.actual.is_not(None))
        ).scalar_one()
        value = grid_intensity.c.actual if region == NATIONAL else grid_intensity.c.forecast
        end = min(last + HALF_HOUR_SECONDS, now - now % HALF_HOUR_SECONDS)
        known = select(grid_intensity.c.half_hour).where(mine, value.is_not(None), grid_intensity.c.half_hour < end)
        there = set(connection.execute(known).scalars())
        missing = [at for at in range(first, end, HALF_HOUR_SECONDS) if at not in there]
        found.append(Kept(region, first, last, slots, measured, stretches(missing)))
    return found


def stretches(half_hours: Iterable[int]) -> list[tuple[int, int]]:
    """Half-hours in order as stretches without a break, each by its first and its last.

    >>> stretches([0, 1800, 5400])
    [(0, 1800), (5400, 5400)]
    """
    times = list(half_hours)
    if not times:
        return []
    breaks = [(one, other) for one, other in pairwise(times) if other != one + HALF_HOUR_SECONDS]
    return list(zip([times[0], *(other for _, other in breaks)], [*(one for one, _ in breaks), times[-1]], strict=True))


@dataclass(frozen=True, slots=True)
class Try:
    """How asking went last: when, when there was an answer last, and what is odd of that answer."""

    tried_at: int
    answered_at: int | None
    problem: str
    rows_left_out: int
    slots_with_two_values: int


def tries(connection: Connection) -> dict[str, Try]:
    """The last try of `national` and of each outward postcode."""
    rows = connection.execute(select(grid_try).order_by(grid_try.c.subject)).all()
    return {row.subject: Try(row.tried_at, row.answered_at, row.problem, row.faults, row.disagreeing) for row in rows}
