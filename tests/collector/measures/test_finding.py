"""Finding measures in a small estate: a server that idles, a screen left on, PoE at night, a UPS far too large."""

import datetime
import json
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, insert, update

from carbon.calendar import day_bounds
from carbon.embodied_sources import median_of_class
from carbon.measures.working_hours import is_working_time, local_time
from carbon.server_efficiency import energy_ratio
from collector.database.engine import Database
from collector.database.schema import inventory, ledger, register_import, register_item, register_state, snmp_device
from collector.measures.finding import find_measures
from collector.measures.look import Look
from tests.collector.commands.carbon_cli import CarbonCommands
from tests.collector.estate_of_tests import HALF_HOUR, KWH, ZONE, EstateOfTests

END = day_bounds(datetime.date(2026, 7, 1), ZONE)[0]
NOW = END + 10 * 3600
START = day_bounds(datetime.date(2026, 6, 1), ZONE)[0]
"""June 2026: 30 days, 22 of them working days."""


def bins(**milliseconds: int) -> str:
    """Evidence of a half-hour with milliseconds in some bins: `at_0`, `at_30`."""
    found = [milliseconds.get(f"at_{place * 10}", 0) for place in range(11)]
    return json.dumps({"covered_ms": found, "spread_ms": [0] * 11})


def server(estate: EstateOfTests, name: str, evidence: str, busiest: str | None = None) -> None:
    """A server of 100 W with its utilisation, in its busiest half-hour another."""
    estate.device(name)
    estate.measure(estate.own_meter(name), START, END, KWH // 20)
    cpu = estate.meter(name, "cpu", "cpu", "machine_ac")
    estate.measure(cpu, START, END, KWH // 20, estimated=True)
    estate.connection.execute(update(ledger).where(ledger.c.meter_id == cpu).values(evidence=evidence))
    if busiest is not None:
        once = (ledger.c.meter_id == cpu) & (ledger.c.half_hour == START + 10 * HALF_HOUR)
        estate.connection.execute(update(ledger).where(once).values(evidence=busiest))


def at_work(energy_uj: int, otherwise_uj: int) -> object:
    return lambda at: energy_uj if is_working_time(local_time(at, ZONE)) else otherwise_uj


@pytest.fixture
def estate_database(sqlite_database: Database) -> Database:
    with sqlite_database.write() as connection:
        estate = EstateOfTests(connection)
        server(estate, "idle", bins(at_0=1_790_000, at_10=10_000))
        server(estate, "nightly", bins(at_0=1_800_000), bins(at_0=900_000, at_30=900_000))
        server(estate, "works", bins(at_0=1_500_000, at_20=300_000))
    return sqlite_database


def found(database: Database, rule: str) -> dict[str, int]:
    """Savings a year by the title of what a rule finds in the 30 days before 1 July 2026."""
    with database.read() as connection:
        measures = find_measures(connection, 1, ZONE, NOW, [rule])[rule]
    return {one.title: one.total_uj for one in measures}


def test_days_looked_at_are_whole_local_ones_up_to_yesterday(sqlite_database: Database) -> None:
    with sqlite_database.read() as connection:
        look = Look(connection, 1, ZONE, NOW, 30)
        assert (look.start, look.end, look.last) == (START, END, datetime.date(2026, 6, 30))


def test_a_server_is_idle_by_the_bins_that_the_ledger_keeps(estate_database: Database) -> None:
    assert found(estate_database, "idle_server") == {"switch off server idle": 30 * 48 * KWH // 20 * 365 // 30}


def test_a_screen_left_on_is_found_and_one_that_sleeps_is_not(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        estate = EstateOfTests(connection)
        for name, at_night in (("left on", KWH // 40), ("asleep", KWH // 1000)):
            estate.device(name)
            body = json.dumps({"platform": "physical", "chassis": "desktop"})
            known = {"device_id": name, "version": 1, "host_name": name, "platform": "physical", "sha256": ""}
            connection.execute(insert(inventory).values(**known, body=body, valid_from=START, valid_to=None))
            energy = at_work(KWH // 40, at_night)
            estate.measure(estate.own_meter(name), START, END, energy)  # type: ignore[arg-type]  # of a half-hour
    # 28 days from 3 June: 20 working days of 24 half-hours, so 864 of 1,344 are out of hours.
    of_nights = 864 * (KWH // 40 - 2 * HALF_HOUR * 1_000_000)
    assert found(sqlite_database, "out_of_hours") == {"switch left on off out of hours": of_nights * 365 // 28}


def test_poe_at_night_is_found_of_ports_with_half_hours(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        estate = EstateOfTests(connection)
        for name, at_night in (("flat", KWH // 200), ("timed", 0)):
            estate.device(name, "switch")
            port = estate.meter(name, "poe_port/1.1", "snmp_poe")
            estate.measure(port, START, END, at_work(KWH // 200, at_night))  # type: ignore[arg-type]  # of a half-hour
    titles = found(sqlite_database, "poe_out_of_hours")
    assert titles == {"switch PoE ports of flat off out of hours": round(864 * (KWH // 200) / 0.88) * 365 // 28}


def test_a_large_ups_is_found_by_its_rating_its_output_and_its_loss(sqlite_database: Database) -> None:
    reading = {
        "oid": "1.3",
        "quantity": "power",
        "unit": "W",
        "value": 10_000.0,
        "role": "rating",
        "name": "",
        "profile": "p",
    }
    with sqlite_database.write() as connection:
        estate = EstateOfTests(connection)
        for name, watts in (("large", 1000), ("right", 6000)):
            estate.device(name, "ups")
            estate.measure(estate.meter(name, "whole"), START, END, watts * HALF_HOUR * 1_000_000)
            estate.measure(estate.own_meter(name), START, END, 100 * HALF_HOUR * 1_000_000)
            add_polled(estate, name, json.dumps({"readings": [reading]}))
    # 3% of 8,000 W are 240 W, and it loses 100 W.
    assert found(sqlite_database, "oversized_ups") == {
        "replace UPS large by a smaller one at its end of life": 100 * 86_400 * 365 * 1_000_000
    }


def required(table: Table) -> dict[str, object]:
    """Values of a table's columns that must have one: nothing, and 0."""
    return {
        column.name: "" if column.type.python_type is str else 0
        for column in table.columns
        if not column.nullable and column.name != "id"
    }


def add_polled(estate: EstateOfTests, name: str, reading: str) -> None:
    """A polled device with what its last poll read."""
    known = {"device_id": name, "name": name, "host": name, "reading": reading}
    estate.connection.execute(insert(snmp_device).values(**(required(snmp_device) | known)))


def test_what_is_found_is_kept_once_and_stays_as_it_was_decided(
    estate_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: float(NOW))
    carbon = CarbonCommands(estate_database, tmp_path)
    assert carbon.json("measure", "find", "--dry-run")["found"][0]["title"] == "switch off server idle"
    assert carbon.json("measure", "list") == []
    assert carbon.json("measure", "find", "--rule", "idle_server")["new"] == 1
    carbon.done("measure", "accept", "1")
    assert carbon.json("measure", "find")["known"] == 1
    assert [one["state"] for one in carbon.json("measure", "list")] == ["accepted"]
    carbon.done("measure", "exclude", "idle_server", "--device", "idle", "--reason", "standby")
    assert "idle_server: nothing found in 30 days" in carbon.run("measure", "find", "--rule", "idle_server").stderr
    assert carbon.audited().count("carbon.measure.find") == 3


def test_a_server_of_the_register_s_old_date_is_found_with_the_embodied_carbon_of_a_new_one(
    estate_database: Database,
) -> None:
    with estate_database.write() as connection:
        register(connection, {"idle": "2016-05-01", "works": "2024-05-01"})
    with estate_database.read() as connection:
        (one,) = find_measures(connection, 1, ZONE, NOW, ["old_server"])["old_server"]
    median = median_of_class("server")
    assert median is not None
    assert one.title == "replace server idle of 2016"
    assert one.embodied_g == median.median * 1000
    assert one.total_uj == round(365 * 48 * (KWH // 20) * (1 - energy_ratio(2016, 2026)))


def register(connection: Connection, acquired: dict[str, str]) -> None:
    """A register in which devices are servers, with the days on which they were acquired."""
    new = required(register_import) | {"organisation_id": 1, "as_at": START, "at": START, "state": "visible"}
    number = (connection.execute(insert(register_import).values(**new)).inserted_primary_key or (0,))[0]
    for name, day in acquired.items():
        connection.execute(insert(register_item).values(id=name, organisation_id=1, created_import=number))
        known = {"item_id": name, "device_id": name, "device_class": "server", "acquired_on": day, "quantity": 1}
        more = {"import_id": number, "valid_from": START, "valid_to": None}
        connection.execute(insert(register_state).values(**(required(register_state) | known | more)))
