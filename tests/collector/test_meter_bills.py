"""Bills beside half-hours: compared by meter and days, in kWh and coverage, and never in the ledger."""

import datetime
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import func, insert, select

from carbon.calendar import half_hours_of_day
from collector.database.engine import Database
from collector.database.schema import device, ledger, meter_bill, meter_file_reading
from collector.half_hourly.bills import read_bills
from collector.half_hourly.mapping import SupplierMapping
from collector.half_hourly.rows import HalfHourlyFile, Reading
from collector.meter_bills import BillPlan, apply_bills, compared, plan_bills
from collector.meter_file_list import files
from collector.meter_files import apply, plan, undo
from collector.supply_meters import NewMeter
from collector.taking import Who
from tests.collector.half_hourly.layouts import MPAN, OTHER_MPAN

UJ = 3_600_000_000_000
WHO = Who("cli:test", int(time.time()))
DAYS = [datetime.date(2026, 10, 24), datetime.date(2026, 10, 25)]
HALF_HOURS = [at for day in DAYS for at in half_hours_of_day(day, "Europe/London")]


def planned(database: Database, directory: Path, *lines: str) -> BillPlan:
    path = directory / "bills.csv"
    path.write_text("\n".join(["MPAN,From,To,kWh,Estimated", *lines]), encoding="utf-8")
    with database.read() as connection:
        return plan_bills(connection, read_bills(path), 1)


def take(database: Database, directory: Path, *lines: str) -> int:
    return apply_bills(database, planned(database, directory, *lines), NewMeter(), WHO)


def measure(database: Database, half_hours: Sequence[int]) -> int:
    """Half-hours of one kWh each in the ledger."""
    readings = [Reading(MPAN, at, UJ, estimated=False, cell="C2") for at in half_hours]
    file = HalfHourlyFile("h.csv", "0" * 64, readings, [], SupplierMapping())
    with database.read() as connection:
        made = plan(connection, file, 1)
    return apply(database, made, NewMeter(), WHO)


def test_bills_and_half_hours_are_compared_with_their_coverage(database: Database, tmp_path: Path) -> None:
    measure(database, HALF_HOURS)
    take(
        database,
        tmp_path,
        f"{MPAN},24/10/2026,25/10/2026,98,N",  # 48 and 50 half-hours
        f"{MPAN},25/10/2026,25/10/2026,60,Y",
        f"{MPAN},25/10/2026,26/10/2026,50,N",
        f"{OTHER_MPAN},24/10/2026,25/10/2026,7,N",
    )
    with database.read() as connection:
        rows = {(one.mpan, one.first_day, one.last_day): one for one in compared(connection, 1)}
    whole = rows[MPAN, "2026-10-24", "2026-10-25"]
    assert (whole.half_hours_uj, whole.difference_uj, whole.coverage, whole.verdict) == (98 * UJ, 0, 1.0, "agrees")
    assert whole.overlaps
    day = rows[MPAN, "2026-10-25", "2026-10-25"]
    assert (day.difference_uj, day.difference_ratio, day.verdict, day.bill_estimated) == (
        -10 * UJ,
        -1 / 6,
        "differs",
        True,
    )
    part = rows[MPAN, "2026-10-25", "2026-10-26"]
    assert (part.verdict, part.coverage) == ("half-hours are missing", 50 / 98)
    other = rows[OTHER_MPAN, "2026-10-24", "2026-10-25"]
    assert (other.verdict, other.overlaps) == ("no half-hours", False)


def test_a_bill_is_never_in_the_ledger(database: Database, tmp_path: Path) -> None:
    take(database, tmp_path, f"{MPAN},24/10/2026,25/10/2026,98,N")
    with database.read() as connection:
        for table in (ledger, meter_file_reading):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_a_later_bill_for_the_same_days_counts_and_undo_brings_the_old_one_back(
    database: Database, tmp_path: Path
) -> None:
    first = take(database, tmp_path, f"{MPAN},24/10/2026,25/10/2026,90,Y")
    again = planned(database, tmp_path, f"{MPAN},24/10/2026,25/10/2026,90,Y")
    assert (again.same_as, len(again.unchanged)) == (first, 1)
    second = take(database, tmp_path, f"{MPAN},24/10/2026,25/10/2026,98,N")
    bills = []
    for step in (None, second, first):
        if step is not None:
            undo(database, step, WHO)
        with database.read() as connection:
            bills.append([one.bill_uj // UJ for one in compared(connection, 1)])
            kinds = [(one.kind, one.state) for one in files(connection, 1)]
    assert bills == [[98], [90], []]
    assert kinds == [("bills", "undone")] * 2
    with database.read() as connection:
        for table in (meter_bill, device):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_bills_that_were_cut_off_are_seen_by_nobody(database: Database, tmp_path: Path) -> None:
    take(database, tmp_path, f"{MPAN},24/10/2026,25/10/2026,90,Y")
    with database.write() as connection:
        bill = dict(connection.execute(select(meter_bill)).mappings().one())
        from_file = meter_bill.c.file_id.table.metadata.tables["meter_file"]
        row = dict(connection.execute(select(from_file)).mappings().one())
        connection.execute(insert(from_file).values(**{**row, "id": 100, "state": "writing", "sha256": "1"}))
        connection.execute(insert(meter_bill).values(**{**bill, "id": 100, "file_id": 100, "energy_uj": 5}))
    with database.read() as connection:
        assert [one.bill_uj // UJ for one in compared(connection, 1)] == [90]
    take(database, tmp_path, f"{MPAN},26/10/2026,27/10/2026,9,Y")
    with database.read() as connection:
        assert connection.execute(select(meter_bill.c.energy_uj).where(meter_bill.c.file_id == 100)).all() == []
