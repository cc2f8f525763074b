"""What suppliers' files say of a meter's half-hours, as the ledger is to have it: of the files that hold, the newest counts.

A row is a pure function of the readings of those files, so working it out again is always safe. The row names the file and
the cell that its value rests on. In a sealed period the old row stays and a higher revision is added.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from carbon.calendar import HALF_HOUR_SECONDS, day_bounds, local_day
from carbon.uncertainty import measured_band
from collector.database.schema import ledger, meter_file, meter_file_reading, sealed_period
from collector.ledger import AMOUNTS
from collector.supply_meters import SUPPLIER
from collector.taking import chunks

_MOST_KEYS = 500
_SAID = (*AMOUNTS, "method", "evidence")
_NOTHING: dict[str, Any] = {**dict.fromkeys(AMOUNTS, 0), "method": "measured", "evidence": "{}"}
"""A half-hour of a sealed period of which no file says anything any more."""


@dataclass(slots=True)
class Changes:
    """Rows of `ledger_staged` and `ledger_day_staged` but for their file: what the ledger has otherwise."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    days: list[dict[str, Any]] = field(default_factory=list)


def changes_of(
    connection: Connection, meter_id: int, half_hours: Sequence[int], zone_name: str, taken: int | None
) -> Changes:
    """What is to change in some half-hours of a meter, in their order: all that are asked for of each of their local days.

    Files that are visible count, and the file `taken`, which is about to be.
    """
    said = _said(connection, meter_id, half_hours, taken)
    first, last = local_day(half_hours[0], zone_name), local_day(half_hours[-1], zone_name)
    begins, ends = day_bounds(first, zone_name)[0], day_bounds(last, zone_name)[1]
    standing = _standing(connection, meter_id, begins, ends)
    sealed = _sealed(connection, begins, ends)
    holding: dict[int, Any] = {half_hour: row._mapping for half_hour, row in standing.items()}
    found = Changes()
    changed = set()
    for half_hour in half_hours:
        row = standing.get(half_hour)
        in_seal = any(since <= half_hour < until for since, until in sealed)
        gone = False
        if half_hour in said:
            values = _row(said[half_hour])
        elif row is None:
            continue
        else:
            values, gone = _NOTHING, not in_seal
        if row is not None and not gone and _same(row, values):
            continue
        revision = 1 if row is None else row.revision + in_seal
        found.rows.append({"meter_id": meter_id, "half_hour": half_hour, "revision": revision, "gone": gone, **values})
        changed.add(local_day(half_hour, zone_name))
        if gone:
            del holding[half_hour]
        else:
            holding[half_hour] = values
    for day in sorted(changed):
        since, until = day_bounds(day, zone_name)
        mine = [values for half_hour, values in holding.items() if since <= half_hour < until]
        sums = {name: sum(values[name] for values in mine) for name in AMOUNTS}
        found.days.append({"meter_id": meter_id, "local_day": day.isoformat(), "half_hours": len(mine), **sums})
    return found


def _said(connection: Connection, meter_id: int, half_hours: Sequence[int], taken: int | None) -> dict[int, Row[Any]]:
    """The reading that counts of each half-hour.

    Where older files say just the same as the newest, it is the oldest of them: who says a thing again changes nothing.
    """
    found: dict[int, Row[Any]] = {}
    for some in chunks(half_hours, _MOST_KEYS):
        query = (
            select(meter_file_reading)
            .join(meter_file, meter_file.c.id == meter_file_reading.c.file_id)
            .where(
                meter_file_reading.c.meter_id == meter_id,
                meter_file_reading.c.half_hour.in_(some),
                (meter_file.c.state == "visible") | (meter_file.c.id == taken),
            )
            .order_by(meter_file_reading.c.half_hour, meter_file_reading.c.file_id)
        )
        for row in connection.execute(query):
            before = found.get(row.half_hour)
            if before is None or (before.energy_uj, before.estimated) != (row.energy_uj, row.estimated):
                found[row.half_hour] = row
    return found


def _standing(connection: Connection, meter_id: int, begins: int, ends: int) -> dict[int, Row[Any]]:
    """The rows that hold from a half-hour to before another."""
    names = ("half_hour", "revision", *_SAID)
    query = (
        select(*(ledger.c[name] for name in names))
        .where(ledger.c.meter_id == meter_id, ledger.c.half_hour >= begins, ledger.c.half_hour < ends)
        .order_by(ledger.c.half_hour, ledger.c.revision)
    )
    return {row.half_hour: row for row in connection.execute(query)}


def _sealed(connection: Connection, begins: int, ends: int) -> list[tuple[int, int]]:
    query = select(sealed_period.c.period_from, sealed_period.c.period_to).where(
        sealed_period.c.period_from < ends, sealed_period.c.period_to > begins
    )
    return [(since, until) for since, until in connection.execute(query)]


def _same(row: Row[Any], values: Mapping[str, Any]) -> bool:
    return all(getattr(row, name) == values[name] for name in _SAID)


def _row(said: Row[Any]) -> dict[str, Any]:
    low, high = measured_band(said.energy_uj, "supplier_estimate" if said.estimated else SUPPLIER)
    return {
        "measured_uj": 0 if said.estimated else said.energy_uj,
        "estimated_uj": said.energy_uj if said.estimated else 0,
        "low_uj": low,
        "high_uj": high,
        "covered_seconds": HALF_HOUR_SECONDS,
        "spread_seconds": 0,
        "method": "estimated" if said.estimated else "measured",
        "evidence": json.dumps({"file": said.file_id, "cell": said.cell}, separators=(",", ":")),
    }
