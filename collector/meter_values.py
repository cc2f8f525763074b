"""What suppliers' files say of a meter's half-hours, in the ledger: of the files that hold, the newest counts.

A row is a pure function of the readings of those files, so writing it again is always safe. The row names the file and
the cell that its value rests on. In a sealed period the old row stays and a higher revision is added.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from carbon.calendar import HALF_HOUR_SECONDS
from carbon.uncertainty import measured_band
from collector.database.schema import ledger, ledger_day, meter_file, meter_file_reading, sealed_period
from collector.ledger import write_days, write_rows
from collector.supply_meters import SUPPLIER

_MOST_KEYS = 500


@dataclass(slots=True)
class Values:
    """What holds of a meter by half-hour, as rows of the ledger; `gone` are half-hours of which it has a row and no file
    says anything.
    """

    meter_id: int
    device_id: str
    rows: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)


def values_of(connection: Connection, values: Values, half_hours: Sequence[int], taken: int) -> None:
    """Add to `values` what holds in some half-hours. Files that are visible count, and the file `taken`, which is about to be."""
    said = _said(connection, values.meter_id, half_hours, taken)
    standing = _standing(connection, values.meter_id, half_hours)
    for half_hour in half_hours:
        if half_hour in said:
            values.rows[half_hour] = _row(said[half_hour])
        elif half_hour in standing:
            values.gone.add(half_hour)


def write_values(connection: Connection, values: Values, now: int) -> int:
    """Bring the ledger of a meter up to date, with its days; how many rows changed."""
    meter_id = values.meter_id
    sealed = _sealed(connection, values.gone)
    written = write_rows(connection, meter_id, {**values.rows, **dict.fromkeys(sealed, _NOTHING)}, now)
    removed = values.gone - sealed
    for some in _chunks(sorted(removed)):
        connection.execute(delete(ledger).where(ledger.c.meter_id == meter_id, ledger.c.half_hour.in_(some)))
    changed = written | removed
    write_days(connection, meter_id, values.device_id, changed)
    empty = (ledger_day.c.meter_id == meter_id) & (ledger_day.c.half_hours == 0)
    connection.execute(delete(ledger_day).where(empty))
    return len(changed)


def _said(connection: Connection, meter_id: int, half_hours: Sequence[int], taken: int) -> dict[int, Row[Any]]:
    """The reading that counts of each half-hour.

    Where older files say just the same as the newest, it is the oldest of them: who says a thing again changes nothing.
    """
    found: dict[int, Row[Any]] = {}
    for some in _chunks(half_hours):
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


def _standing(connection: Connection, meter_id: int, half_hours: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for some in _chunks(half_hours):
        query = select(ledger.c.half_hour).where(ledger.c.meter_id == meter_id, ledger.c.half_hour.in_(some))
        found.update(connection.execute(query).scalars())
    return found


def _sealed(connection: Connection, half_hours: set[int]) -> set[int]:
    if not half_hours:
        return set()
    seals = connection.execute(select(sealed_period.c.period_from, sealed_period.c.period_to)).all()
    return {one for one in half_hours if any(begins <= one < ends for begins, ends in seals)}


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
        "model_version": "",
        "inventory_version": None,
        "evidence": json.dumps({"file": said.file_id, "cell": said.cell}, separators=(",", ":")),
    }


_NOTHING: dict[str, Any] = {
    **dict.fromkeys(("measured_uj", "estimated_uj", "low_uj", "high_uj", "covered_seconds", "spread_seconds"), 0),
    "method": "measured",
    "model_version": "",
    "inventory_version": None,
    "evidence": "{}",
}
"""A half-hour of a sealed period of which no file says anything any more."""


def _chunks(items: Sequence[int]) -> Iterable[Sequence[int]]:
    return (items[begin : begin + _MOST_KEYS] for begin in range(0, len(items), _MOST_KEYS))
