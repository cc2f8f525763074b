"""Gaps in reports: filled by the device's own weeks, else by its class, else listed; never in the ledger, and never twice."""

import datetime
import threading
from collections.abc import Sequence

from sqlalchemy import func, select, update

from carbon.activity import Activity
from carbon.calendar import half_hours_of_day
from carbon.class_profiles import packaged_profiles, year_by_month
from carbon.report import Fill, Report
from collector.database.engine import Database
from collector.database.schema import device_accounting, gap_fill, ledger, ledger_day, organisation
from collector.fill_keeping import keep_recent_fills
from collector.fills import Fills
from collector.footprints import footprint_report, report_of
from tests.collector.estate_of_tests import MIDNIGHT, EstateOfTests
from tests.collector.ledgers import Read, half_hours, new_space, read_device, write_ledger
from tests.collector.registers import Item, midnight, register

BEGINS, ENDS = midnight("2025-09-01"), midnight("2025-11-01")
NOW = ENDS + 7 * 3600
OCTOBER = "2025-10"
SILENT = datetime.date(2025, 10, 15)
ENERGY = 180_000_000


def without(*days: datetime.date) -> dict[int, Read]:
    gone = {at for day in days for at in half_hours_of_day(day, "Europe/London")}
    return {at: one for at, one in half_hours(BEGINS, ENDS, ENERGY).items() if at not in gone}


def october(database: Database, now: int = NOW) -> Report:
    with database.read() as connection:
        return footprint_report(connection, 1, OCTOBER, OCTOBER, now)


def of(report: Report, device: str) -> Activity:
    [row] = [row for row in report.rows if row.activity.subject.device == device]
    return row.activity


def told(fills: Sequence[Fill]) -> list[tuple[str, str, int, int]]:
    return [(one.device, one.method, one.half_hours, one.energy_uj) for one in fills]


def test_a_silent_day_is_filled_by_the_devices_own_weeks_with_the_overhead_of_its_room(
    sqlite_database: Database,
) -> None:
    with sqlite_database.write() as connection:
        place = new_space(connection, "Town Hall", "Server room", "data_room")
        read_device(connection, "server", without(SILENT), BEGINS, place)
    found = october(sqlite_database)
    server = of(found, "server")
    assert told(found.fills) == [("server", "same weekday and half-hour", 48, 48 * ENERGY)]
    assert server.filled_uj == 48 * ENERGY
    assert server.it_uj == (31 * 48 + 2) * ENERGY
    assert server.overhead_uj == server.it_uj * 8 // 10
    assert server.possible_seconds - server.covered_seconds == 86_400
    assert server.errors["gap fill"] == (-48 * ENERGY * 54 // 100, 48 * ENERGY * 54 // 100)
    [fill] = found.fills
    assert (fill.low_uj, fill.high_uj) == (48 * ENERGY * 7 // 10, 48 * ENERGY * 13 // 10)
    with sqlite_database.read() as connection:
        assert connection.execute(select(func.sum(ledger.c.measured_uj))).scalar() == len(without(SILENT)) * ENERGY


def test_a_device_of_a_class_without_a_witness_has_its_profile_and_another_is_listed(sqlite_database: Database) -> None:
    """The telephone is never off; the laptop was not read in the month at all."""
    last = {at: Read(ENERGY) for at in half_hours_of_day(datetime.date(2025, 10, 31), "Europe/London")}
    november = {at: Read(ENERGY) for at in half_hours_of_day(datetime.date(2025, 11, 3), "Europe/London")}
    with sqlite_database.write() as connection:
        for name in ("phone", "server"):
            read_device(connection, name, last, midnight("2025-10-30"))
        read_device(connection, "laptop", november, midnight("2025-10-30"))
        items = [Item("desk_phone", "2025-01-01", device_id="phone"), Item("laptop", "2025-01-01", device_id="laptop")]
        register(connection, items, "2025-01-01")
    found = october(sqlite_database)
    day = {name: year_by_month(packaged_profiles()[name], 2025)[9] / 31 for name in ("desk_phone", "laptop")}
    assert told(found.fills) == [
        ("laptop", "class profile", 96, round(2 * day["laptop"])),
        ("phone", "class profile", 48, round(day["desk_phone"])),
        ("server", "excluded", 48, 0),
    ]
    assert of(found, "laptop").filled_uj == round(2 * day["laptop"])
    assert of(found, "server").filled_uj == 0


def test_a_laptop_that_is_read_while_it_runs_is_off_at_night(sqlite_database: Database) -> None:
    begins, ends = midnight("2025-10-06"), midnight("2025-10-11")
    hours = {at: Read(ENERGY) for at in half_hours(begins, ends) if 9 <= (at - begins) % 86_400 // 3600 < 17}
    with sqlite_database.write() as connection:
        read_device(connection, "laptop", hours, begins, retired_at=ends)
        register(connection, [Item("laptop", "2025-01-01", device_id="laptop")], "2025-01-01")
    found = october(sqlite_database)
    assert told(found.fills) == [("laptop", "taken as off", 5 * 32, 0)]
    assert of(found, "laptop").it_uj == len(hours) * ENERGY == 80 * ENERGY


def test_time_in_which_a_device_was_not_in_use_is_not_filled(sqlite_database: Database) -> None:
    noon = midnight("2025-10-15") + 12 * 3600
    spared = Item("server", "2025-10-15", device_id="spare", status="spare")
    used = Item("server", "2025-01-01", "2025-10-15", device_id="spare")
    with sqlite_database.write() as connection:
        read_device(connection, "retired", half_hours(BEGINS, noon), BEGINS, retired_at=noon)
        read_device(connection, "new", half_hours(noon, ENDS), noon)
        read_device(connection, "spare", half_hours(BEGINS, midnight("2025-10-15")), BEGINS)
        register(connection, [used, spared], "2025-01-01")
    assert told(october(sqlite_database).fills) == []


def test_only_what_is_over_is_missing(sqlite_database: Database) -> None:
    now = midnight("2025-10-15") + 12 * 3600
    with sqlite_database.write() as connection:
        read_device(connection, "server", half_hours(BEGINS, now - 1800), BEGINS)
    # The half-hour that ended just now is written five minutes later.
    assert told(october(sqlite_database, now).fills) == []
    assert told(october(sqlite_database, now + 300).fills) == [("server", "same weekday and half-hour", 1, ENERGY)]


def test_a_shared_device_is_filled_with_the_organisations_share(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        read_device(connection, "server", without(SILENT), BEGINS)
        register(connection, [Item("server", "2025-01-01", device_id="server", share=0.4)], "2025-01-01")
    found = october(sqlite_database)
    assert of(found, "server").filled_uj == 48 * ENERGY * 4 // 10
    assert of(found, "server").count == 1 * 4 / 10 or float(of(found, "server").count) == 0.4


def test_fills_are_kept_and_reckoned_anew_only_where_their_days_changed(database: Database) -> None:
    other = datetime.date(2025, 10, 6)
    with database.write() as connection:
        meter_id = read_device(connection, "server", without(SILENT, other), BEGINS)
    first = report_of(database, 1, OCTOBER, OCTOBER, NOW)
    with database.write() as connection:
        rows = connection.execute(select(gap_fill)).all()
        assert sorted(row.energy_uj for row in rows) == [
            48 * ENERGY,
            48 * ENERGY,
            2 * 48 * ENERGY,
        ]  # days, and the month
        # A kept fill is believed, as long as the days that it rests on are as they were.
        connection.execute(update(gap_fill).values(energy_uj=7))
    assert of(october(database), "server").filled_uj == 7
    witness = ledger_day.c.local_day == (SILENT - datetime.timedelta(weeks=2)).isoformat()
    with database.write() as connection:
        connection.execute(update(ledger_day).where(witness).values(measured_uj=1))
    assert of(october(database), "server").filled_uj == 7 + 48 * ENERGY
    with database.write() as connection:
        late = {at: Read(ENERGY) for day in (SILENT, other) for at in half_hours_of_day(day, "Europe/London")}
        write_ledger(connection, meter_id, late)
    again = report_of(database, 1, OCTOBER, OCTOBER, NOW)
    assert told(again.fills) == []
    assert again.grams.total == first.grams.total


def test_what_a_meter_above_a_silent_device_holds_is_not_filled_a_second_time(sqlite_database: Database) -> None:
    day = 48 * 1800
    with sqlite_database.write() as connection:
        estate = EstateOfTests(connection)
        room, other = estate.room("Town Hall", "Server room"), estate.room("Depot", "Cupboard", "passive_cupboard")
        for name, place in (("under", room), ("alone", other)):
            estate.device(name, room=place)
            estate.measure(estate.own_meter(name), MIDNIGHT, MIDNIGHT + day, ENERGY)
        estate.device("ups", "ups", source=None, room=room)
        whole = estate.meter("ups", "whole")
        estate.measure(whole, MIDNIGHT, MIDNIGHT + 2 * day, 3 * ENERGY)
        estate.edge(whole, "under")
        # From the day on on which it was first heard of: the rest of the year before is not what is asked.
        connection.execute(update(device_accounting).values(valid_from=MIDNIGHT))
    with sqlite_database.read() as connection:
        found = footprint_report(connection, 1, "2026-06", "2026-06", MIDNIGHT + 2 * day + 300)
    assert told(found.fills) == [("alone", "excluded", 48, 0)]
    by_kind = {
        row.activity.subject.kind: row.activity.it_uj for row in found.rows if row.activity.subject.device != "alone"
    }
    assert by_kind["rest"] + by_kind["device"] == 2 * 48 * 3 * ENERGY


def test_a_collector_keeps_this_and_the_last_years_fills_ready(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        read_device(connection, "server", without(SILENT), BEGINS)
    assert keep_recent_fills(sqlite_database, NOW, threading.Event()) > 0
    assert report_of(sqlite_database, 1, "2025-04", OCTOBER, NOW).fills
    with sqlite_database.read() as connection:
        [organisation_row] = connection.execute(select(organisation)).all()
        fills = Fills(connection, organisation_row, NOW)
        footprint_report(connection, 1, "2025-04", OCTOBER, NOW, fills)
    assert fills.kept.fresh == []
    assert keep_recent_fills(sqlite_database, NOW, threading.Event()) == 0
