"""Devices with half-hours in the ledger, as rows: what reports over months start from."""

import datetime
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert

from carbon.calendar import HALF_HOUR_SECONDS, local_day
from collector.database.schema import (
    device,
    device_accounting,
    device_placement,
    ledger,
    ledger_day,
    meter,
    site,
    space,
)
from tests.collector.registers import ZONE


@dataclass(frozen=True, slots=True)
class Read:
    """What a meter's half-hour holds: microjoules, seconds with readings, and seconds over which a gap was spread."""

    energy_uj: int
    covered: int = HALF_HOUR_SECONDS
    spread: int = 0
    estimated: bool = False
    model_version: str = ""


def half_hours(start: int, end: int, energy_uj: int = 180_000_000) -> dict[int, Read]:
    """Every half-hour from one to before another, read as a whole."""
    return {at: Read(energy_uj) for at in range(start, end, HALF_HOUR_SECONDS)}


def new_space(connection: Connection, site_name: str, name: str, kind: str) -> tuple[int, int]:
    """A site with a space; their row numbers."""
    made = insert(site).values(organisation_id=1, name=site_name).returning(site.c.id)
    site_id: int = connection.execute(made).scalar_one()
    made = insert(space).values(site_id=site_id, name=name, kind=kind).returning(space.c.id)
    space_id: int = connection.execute(made).scalar_one()
    return site_id, space_id


def read_device(
    connection: Connection,
    device_id: str,
    rows: Mapping[int, Read],
    start: int,
    place: tuple[int | None, int | None] = (None, None),
    directorate: str = "",
    source: str = "redfish",
    retired_at: int | None = None,
    meter_name: str = "power",
) -> int:
    """A device that accounts for itself by one meter from `start` on, with its ledger by half-hour and day; the meter."""
    connection.execute(
        insert(device).values(
            id=device_id, organisation_id=1, kind="host", created_at=start, retired_at=retired_at, merged_into=None
        )
    )
    values = {"device_id": device_id, "name": meter_name, "source": source, "kind": "energy", "covers": "machine_ac"}
    made = insert(meter).values(**values, parent="", created_at=start).returning(meter.c.id)
    meter_id: int = connection.execute(made).scalar_one()
    held = {"device_id": device_id, "valid_from": start, "valid_to": None}
    connection.execute(
        insert(device_accounting).values(
            **held,
            basis="machine" if meter_name == "power" else "estimate",
            meters=json.dumps([meter_name]),
            why_not="{}",
        )
    )
    site_id, space_id = place
    connection.execute(
        insert(device_placement).values(
            **held, site_id=site_id, space_id=space_id, directorate=directorate, owner="", actor="test"
        )
    )
    write_ledger(connection, meter_id, rows)
    return meter_id


def write_ledger(connection: Connection, meter_id: int, rows: Mapping[int, Read]) -> None:
    """Half-hours of a meter and the sums of their days."""
    days: dict[datetime.date, list[dict[str, int]]] = defaultdict(list)
    written = []
    for at, one in rows.items():
        measured, estimated = (0, one.energy_uj) if one.estimated else (one.energy_uj, 0)
        amounts = {
            "measured_uj": measured,
            "estimated_uj": estimated,
            "low_uj": one.energy_uj * 9 // 10,
            "high_uj": one.energy_uj * 11 // 10,
            "covered_seconds": one.covered,
            "spread_seconds": one.spread,
        }
        days[local_day(at, ZONE)].append(amounts)
        words = {"method": "measured", "model_version": one.model_version, "inventory_version": None, "evidence": "{}"}
        written.append({"meter_id": meter_id, "half_hour": at, "revision": 1, **amounts, **words, "written_at": at})
    if written:
        connection.execute(insert(ledger), written)
    for day, found in days.items():
        sums = {name: sum(one[name] for one in found) for name in found[0]}
        more = {"half_hours": len(found), "dirty": False}
        connection.execute(insert(ledger_day).values(meter_id=meter_id, local_day=day.isoformat(), **sums, **more))
