"""The footprint of an organisation: every part of the estate's energy once, with its supply, and whole grams that add up."""

from decimal import Decimal

import pytest

from carbon.activity import Activity
from carbon.report import Report
from carbon.uncertainty import range_of
from carbon.units import UJ_PER_KWH
from collector.activities import activities
from collector.database.engine import Database
from collector.errors import BadRequest
from collector.estate_totals import AMOUNTS, estate_totals
from collector.footprints import footprint_report
from collector.organisation import set_boundary
from tests.collector.footprint_estate import BEGINS, ENDS, HALF_HOUR_UJ, MONTHS, NOW, new_estate
from tests.collector.ledgers import Read, read_device
from tests.collector.registers import midnight


@pytest.fixture
def estate(sqlite_database: Database) -> Database:
    new_estate(sqlite_database)
    return sqlite_database


def report(database: Database, first: str = MONTHS[0], last: str = MONTHS[1], now: int = NOW) -> Report:
    with database.read() as connection:
        return footprint_report(connection, 1, first, last, now)


def test_activities_are_the_estates_energy_to_the_microjoule(estate: Database) -> None:
    with estate.read() as connection:
        found = activities(connection, 1, *MONTHS, NOW).counted
        totals = estate_totals(connection, *MONTHS, NOW).by()[()]
    assert sum(one.activity_uj for one in found) == sum(getattr(totals, name) for name in AMOUNTS)
    assert sum(one.overhead_uj for one in found) == totals.overhead_uj > 0
    assert sum(one.covered_seconds for one in found) == totals.covered_seconds


def test_what_is_not_the_organisations_own_electricity_is_scope_3(estate: Database) -> None:
    rows = report(estate).rows
    by_device = {row.activity.subject.device: row for row in rows if row.activity.subject.kind == "device"}
    scopes = {name: (row.scope, row.scope_3_category) for name, row in by_device.items()}
    assert scopes == {"server": ("2", ""), "rented": ("3", "8"), "home": ("3", "7")}
    assert by_device["rented"].activity.subject.uprn == "200001"
    profiles = {row.activity.subject.supply for row in rows if row.activity.subject.kind == "profile"}
    assert profiles == {"own", "home"}


def test_devices_of_a_class_are_as_many_as_there_are_wherever_they_are_used(estate: Database) -> None:
    october = [row.activity for row in report(estate, "2025-10", "2025-10").rows]
    assert sum(one.count for one in october if one.subject.asset_class == "laptop") == 50
    assert all(one.count == 1 for one in october if one.subject.kind == "device")


def test_grams_are_energy_times_factor_and_add_up_however_they_are_grouped(estate: Database) -> None:
    found = report(estate)
    [server] = [
        row for row in found.rows if row.activity.subject.device == "server" and row.activity.subject.month == "2025-10"
    ]
    half_hours_of_october = 31 * 48 + 2  # the clocks go back
    assert server.activity.measured_uj == half_hours_of_october * 180_000_000
    assert server.activity.overhead_uj == server.activity.measured_uj * 8 // 10
    kwh = Decimal(server.activity.activity_uj) / UJ_PER_KWH
    assert server.grams.s2_generation == int((kwh * Decimal("177")).to_integral_value())
    for key in ("site", "month", "asset_class", "supply"):
        grouped = found.by(lambda row, key=key: str(getattr(row.activity.subject, key)))  # type: ignore[misc]  # one key a turn
        assert sum(row.grams.total for rows in grouped.values() for row in rows) == found.grams.total


def test_schools_outside_of_the_boundary_are_left_out_and_told(estate: Database) -> None:
    everything = report(estate)
    with estate.write() as connection:
        set_boundary(connection, 1, "out", "they report themselves", 0, "test", NOW)
    found = report(estate)
    assert not any(row.activity.subject.school for row in found.rows)
    assert found.left_out_g > 0
    assert found.left_out_g + found.grams.total == everything.grams.total


def test_a_report_is_provisional_until_its_months_are_over(estate: Database) -> None:
    assert report(estate).state == "final"
    assert report(estate, now=ENDS - 3600).state == "provisional"
    assert report(estate, "2025-10", "2025-11").state == "provisional"


def test_months_in_the_wrong_order_are_refused(estate: Database) -> None:
    with pytest.raises(BadRequest, match="lies after"):
        report(estate, "2025-10", "2025-09")


def test_errors_of_an_activity_are_those_of_its_reading_and_of_its_rooms_pue(estate: Database) -> None:
    def of(device: str) -> Activity:
        return next(row.activity for row in report(estate).rows if row.activity.subject.device == device)

    server, rented = of("server"), of("rented")
    assert set(rented.errors) == {"redfish"}
    assert {group.partition(" ")[0] for group in server.errors} == {"redfish", "PUE"}
    low, high = range_of(rented.activity_uj, rented.errors)
    assert (low, high) == (rented.activity_uj * 9 // 10, rented.activity_uj * 11 // 10)


def test_months_that_another_model_estimated_say_so(database: Database) -> None:
    change = midnight("2025-10-01")
    with database.write() as connection:
        rows = {
            at: Read(HALF_HOUR_UJ, estimated=True, model_version="1" if at < change else "2")
            for at in range(BEGINS, ENDS, 1800)
        }
        read_device(connection, "guessed", rows, BEGINS, source="cpu_time", meter_name="cpu")
    sources = {row.activity.subject.month: row.activity.source for row in report(database).rows}
    assert sources["2025-09"].endswith("model 1")
    assert sources["2025-10"].endswith("model 2")
