"""Bills of supply meters beside their half-hours: kept, compared, and never in a total."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from sqlalchemy import Connection, insert, select

from carbon.calendar import day_bounds, days_between
from collector.database.audit import audit
from collector.database.engine import Database
from collector.database.schema import ledger_day, meter, meter_bill, meter_file, organisation
from collector.half_hourly.bills import Bill, BillFile
from collector.meter_files import begin_file, clear_abandoned, same_file, set_state
from collector.supply_meters import Made, NewMeter, make_meters, require_own, supply_meters
from collector.taking import Who

BILLS_AT_ONCE = 500
TOLERANCE = 0.02
"""Bill and half-hours come from the same meter: 2% (that of fiscal meters, carbon.uncertainty) is no difference."""
LEAST_COVERAGE = 0.99

Verdict = Literal["agrees", "differs", "half-hours are missing", "no half-hours"]


@dataclass(frozen=True, slots=True)
class BillPlan:
    """What an import of bills would do: those that are new, that say otherwise than before, and that are there."""

    organisation_id: int
    file: BillFile
    new: Sequence[Bill]
    changed: Sequence[Bill]
    unchanged: Sequence[Bill]
    same_as: int | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A bill and the half-hours of its days. `difference_uj` is half-hours less bill; `coverage` the part of the days' time
    that has a half-hour. `overlaps` says whether another bill of the meter has some of the same days.
    """

    mpan: str
    first_day: str
    last_day: str
    bill_uj: int
    bill_estimated: bool
    half_hours_uj: int
    coverage: float
    difference_uj: int
    difference_ratio: float | None
    verdict: Verdict
    overlaps: bool
    file_id: int
    cell: str


def plan_bills(connection: Connection, file: BillFile, organisation_id: int) -> BillPlan:
    """Compare a file of bills with those that are there."""
    require_own(connection, organisation_id, sorted({one.mpan for one in file.bills}))
    standing = {
        (one.mpan, one.first_day, one.last_day): (one.bill_uj, one.bill_estimated)
        for one in compared(connection, organisation_id)
    }
    new: list[Bill] = []
    changed: list[Bill] = []
    unchanged: list[Bill] = []
    for one in file.bills:
        before = standing.get((one.mpan, one.first_day.isoformat(), one.last_day.isoformat()))
        if before is None:
            new.append(one)
        else:
            (unchanged if before == (one.energy_uj, one.estimated) else changed).append(one)
    same = same_file(connection, organisation_id, "bills", file.sha256, mapping_text(file))
    return BillPlan(organisation_id, file, new, changed, unchanged, same)


def mapping_text(file: BillFile) -> str:
    return json.dumps(asdict(file.mapping), sort_keys=True)


def apply_bills(database: Database, planned: BillPlan, new: NewMeter, who: Who) -> int:
    """Keep a file's bills; the id of the import, which `collector.meter_files.undo` takes back."""
    clear_abandoned(database, planned.organisation_id, who)
    file = planned.file
    zone_name = "UTC"
    with database.write() as connection:
        zone_name = connection.execute(
            select(organisation.c.time_zone).where(organisation.c.id == planned.organisation_id)
        ).scalar_one()
        mpans = sorted({one.mpan for one in file.bills})
        made = Made()
        meters = make_meters(connection, planned.organisation_id, mpans, new, who.actor, who.now, made)
        ids = {mpan: row.id for mpan, row in meters.items()}
        values = {
            "kind": "bills",
            "name": file.name,
            "sha256": file.sha256,
            "mapping": mapping_text(file),
            "readings": len(file.bills),
            "first_at": day_bounds(min(one.first_day for one in file.bills), zone_name)[0],
            "last_at": day_bounds(max(one.last_day for one in file.bills), zone_name)[1],
        }
        file_id = begin_file(connection, planned.organisation_id, values, made, who)
    for begin in range(0, len(file.bills), BILLS_AT_ONCE):
        rows = [
            {
                "meter_id": ids[one.mpan],
                "file_id": file_id,
                "first_day": one.first_day.isoformat(),
                "last_day": one.last_day.isoformat(),
                "energy_uj": one.energy_uj,
                "estimated": one.estimated,
                "cell": one.cell,
            }
            for one in file.bills[begin : begin + BILLS_AT_ONCE]
        ]
        with database.write() as connection:
            connection.execute(insert(meter_bill), rows)
    with database.write() as connection:
        set_state(connection, file_id, "writing", "visible")
        detail = {"file": file.name, "sha256": file.sha256, "bills": len(file.bills), "mpans": mpans}
        audit(connection, who.now, who.actor, "ledger.bills", str(file_id), detail)
    return file_id


def compared(connection: Connection, organisation_id: int, mpan: str | None = None) -> list[Compared]:
    """Every bill that holds, by meter and day: of several for the same meter and days, the newest file's."""
    zone_name = connection.execute(
        select(organisation.c.time_zone).where(organisation.c.id == organisation_id)
    ).scalar_one()
    ids = {row.id: one for one, row in supply_meters(connection, organisation_id).items() if mpan in (None, one)}
    query = (
        select(meter_bill)
        .join(meter_file, meter_file.c.id == meter_bill.c.file_id)
        .join(meter, meter.c.id == meter_bill.c.meter_id)
        .where(meter_file.c.state == "visible", meter_file.c.organisation_id == organisation_id)
        .order_by(meter_bill.c.file_id, meter_bill.c.id)
    )
    newest = {
        (row.meter_id, row.first_day, row.last_day): row
        for row in connection.execute(query).all()
        if row.meter_id in ids
    }
    days: dict[int, dict[str, tuple[int, int]]] = {}
    for meter_id in {key[0] for key in newest}:
        rows = connection.execute(select(ledger_day).where(ledger_day.c.meter_id == meter_id)).all()
        days[meter_id] = {row.local_day: (row.measured_uj + row.estimated_uj, row.covered_seconds) for row in rows}
    found = []
    for key, row in sorted(newest.items(), key=lambda item: (ids[item[0][0]], *item[0][1:])):
        first, last = (datetime.date.fromisoformat(text) for text in key[1:])
        mine = [days[key[0]].get(day.isoformat(), (0, 0)) for day in days_between(first, last)]
        possible = day_bounds(last, zone_name)[1] - day_bounds(first, zone_name)[0]
        energy, covered = sum(one for one, _ in mine), sum(seconds for _, seconds in mine)
        found.append(
            Compared(
                mpan=ids[key[0]],
                first_day=key[1],
                last_day=key[2],
                bill_uj=row.energy_uj,
                bill_estimated=row.estimated,
                half_hours_uj=energy,
                coverage=covered / possible,
                difference_uj=energy - row.energy_uj,
                difference_ratio=(energy - row.energy_uj) / row.energy_uj if row.energy_uj else None,
                verdict=_verdict(row.energy_uj, energy, covered / possible),
                overlaps=any(
                    other != key and other[0] == key[0] and other[1] <= key[2] and key[1] <= other[2]
                    for other in newest
                ),
                file_id=row.file_id,
                cell=row.cell,
            )
        )
    return found


def _verdict(bill_uj: int, half_hours_uj: int, coverage: float) -> Verdict:
    if not coverage:
        return "no half-hours"
    if coverage < LEAST_COVERAGE:
        return "half-hours are missing"
    return "agrees" if abs(half_hours_uj - bill_uj) <= TOLERANCE * bill_uj else "differs"
