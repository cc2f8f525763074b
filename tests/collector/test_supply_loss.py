"""A host metered behind its power supply: the ledger has the output as measured and the loss as estimated, together."""

import time

import pytest
from sqlalchemy import select

from agent.report import Choice, Meter, Reading, Report
from carbon.power_supply import SUPPLY_MODEL_VERSION, loss_ratio
from collector.database.engine import Database
from collector.database.schema import ledger, meter
from collector.device_energy import half_hours, ledger_rows, method_of
from collector.ledger import current, provisional, roll
from collector.segments import load_segments
from tests.collector.hosts import PROCESSORS, Host, deliver, new_host, recent_half_hour

OUTPUT = Meter("hwmon/corsairpsu/1-1/power1", "hwmon", "power", "machine_dc", "")
PLUG = Meter("acpi_meter/A", "acpi_meter", "power", "machine_ac", "")


def metered(host: Host, one: Meter, watts: float, last: int) -> list[Report]:
    """The host's reports with a power meter in place of its processors' counter."""
    reports = host.reports(last)
    for report in reports:
        report.choice = Choice("machine", [one.name])
        report.meters = [one, PROCESSORS]
        report.readings = [
            reading if reading.meter else Reading(0, reading.unix_ns, reading.interval_ns, [watts], [])
            for reading in report.readings
            if reading.meter or reading.interval_ns
        ]
    return reports


def energies(
    database: Database, host: Host, start: int, rows_of: str = "written"
) -> list[tuple[int, int, int, int, str]]:
    device_id = host.enrolled.device_id
    with database.read() as connection:
        segments = load_segments(connection, start, start + 3600, [device_id])
        ids = {one for segment in segments for one in segment.meter_ids}
        rows = (
            ledger_rows(connection, ids, start, start + 3600)
            if rows_of == "written"
            else provisional(connection, device_id)
        )
        found = [one.energy for one in half_hours(segments, rows)]
    return [(one.measured_uj, one.estimated_uj, one.low_uj, one.high_uj, method_of(one)) for one in found]


def test_the_machine_is_its_supplys_output_and_what_the_supply_loses(database: Database) -> None:
    start = recent_half_hour(4)
    host = new_host(database, start)
    deliver(database, host, *metered(host, OUTPUT, 100.0, 3600))
    before = energies(database, host, start, "provisional")
    with database.write() as connection:
        roll(connection, host.enrolled.device_id, int(time.time()))
    written = energies(database, host, start)
    output, lost = 1800 * 100 * 10**6, loss_ratio()
    assert (
        written
        == [
            (
                output,
                round(output * lost.value),
                round(output * 0.9) + round(output * 0.9 * lost.low),
                round(output * 1.1) + round(output * 1.1 * lost.high),
                "mixed",
            )
        ]
        * 2
    )
    assert before[:2] == written
    with database.read() as connection:
        query = select(ledger).join(meter, meter.c.id == ledger.c.meter_id)
        rows = connection.execute(query.where(meter.c.name == f"{OUTPUT.name}/supply_loss", current())).all()
    assert {(row.method, row.model_version, row.covered_seconds) for row in rows} == {
        ("estimated", SUPPLY_MODEL_VERSION, 1800)
    }


def test_a_meter_at_the_plug_has_no_loss_to_add(database: Database) -> None:
    start = recent_half_hour(4)
    host = new_host(database, start)
    deliver(database, host, *metered(host, PLUG, 100.0, 1800))
    with database.write() as connection:
        roll(connection, host.enrolled.device_id, int(time.time()))
        names = connection.execute(select(meter.c.name)).scalars().all()
    assert energies(database, host, start)[0][:2] == (1800 * 100 * 10**6, 0)
    assert not [name for name in names if "supply_loss" in name]


def test_a_ups_that_only_tells_its_load_is_estimated_in_the_ledger_too(database: Database) -> None:
    start = recent_half_hour(4)
    host = new_host(database, start)
    by_load = PLUG._replace(name="nut/x/load", source="nut_load")
    deliver(database, host, *metered(host, by_load, 70.0, 1800))
    with database.write() as connection:
        roll(connection, host.enrolled.device_id, int(time.time()))
    measured, estimated, low, high, method = energies(database, host, start)[0]
    assert (measured, estimated, method) == (0, 1800 * 70 * 10**6, "estimated")
    assert [low, high] == pytest.approx([estimated * 0.7, estimated * 1.3])
