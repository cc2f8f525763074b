"""Ranges of the estate's totals: by the groups of what makes the errors, against a count of their own in plain numbers."""

import csv
import io
import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.cli import main
from carbon.wording import figure
from collector.database.engine import Database
from collector.database.schema import device_accounting
from collector.estate_totals import EstateTotal, Range, estate_totals
from tests.collector.estate_of_tests import KWH, MIDNIGHT, EstateOfTests

DAY = 48 * 1800
MONTH = "2026-06"
MODEL = 196 / 128
"""From 80% to 95%."""


def measured(estate: EstateOfTests, name: str, kwh: float, source: str, room: tuple[int, int]) -> str:
    """A server whose meter measures so much in a day, with the 10% that all meters of the test estate have."""
    estate.device(name, room=room, source=source)
    estate.measure(estate.own_meter(name), MIDNIGHT, MIDNIGHT + DAY, round(kwh * KWH / 48))
    return name


def modelled(estate: EstateOfTests, name: str, kwh: float, room: tuple[int, int]) -> str:
    """A server that nothing measures."""
    estate.device(name, source=None, room=room)
    number = estate.meter(name, "cpu", "processor_time", "machine_ac")
    chosen = {"basis": "estimate", "meters": "[]", "why_not": "{}", "valid_from": estate.since, "valid_to": None}
    estate.add(device_accounting, device_id=name, **chosen)
    estate.measure(number, MIDNIGHT, MIDNIGHT + DAY, round(kwh * KWH / 48), estimated=True)
    return name


def fill(estate: EstateOfTests) -> None:
    """A data room with four servers, and a cupboard with a UPS of 10 kWh, which feeds one of 2 kWh."""
    room = estate.room("County Hall", "Room 2")
    cupboard = estate.room("Depot", "Cupboard", "passive_cupboard")
    measured(estate, "a", 2, "redfish", room)
    measured(estate, "b", 3, "redfish", room)
    measured(estate, "c", 4, "rapl", room)
    modelled(estate, "d", 5, room)
    estate.device("ups-1", "ups", "snmp", cupboard)
    ups = estate.meter("ups-1", "whole")
    estate.measure(ups, MIDNIGHT, MIDNIGHT + DAY, round(10 * KWH / 48))
    estate.edge(ups, measured(estate, "e", 2, "redfish", cupboard))


def range_kwh(total: EstateTotal, of: Range) -> tuple[float, float, float]:
    low, high = total.range_uj(of)
    return low / KWH, total.amount_uj(of) / KWH, high / KWH


def around(value: float, *half_widths: float) -> object:
    """A range whose groups are off by so much, each independent of the others."""
    off = math.hypot(*half_widths)
    return pytest.approx((value - off, value, value + off), abs=1e-9)


def test_ranges_are_those_of_an_independent_count(sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        fill(EstateOfTests(connection))
        found = estate_totals(connection, MONTH, MONTH, MIDNIGHT + 2 * DAY)
    by_site = {site: total for (site,), total in found.by("site").items()}
    hall, depot = by_site["County Hall"], by_site["Depot"]
    # redfish 2 and 3 kWh, rapl 4, the model 5
    assert range_kwh(hall, "ict") == around(14, 0.5, 0.4, 0.5 * MODEL)
    assert range_kwh(hall, "overhead") == around(0.8 * 14, 0.8 * 0.5, 0.8 * 0.4, 0.8 * 0.5 * MODEL, 0.3 * 14)
    assert range_kwh(hall, "with_overhead") == around(1.8 * 14, 1.8 * 0.5, 1.8 * 0.4, 1.8 * 0.5 * MODEL, 0.3 * 14)
    # the server is a part of what the UPS measured, whose 10% are all that the whole may be off
    assert range_kwh(depot, "ict") == around(10, 1.0)
    by_class = {kind: total for (site, kind), total in found.by("site", "device_class").items() if site == "Depot"}
    assert range_kwh(by_class["server"], "ict") == around(2, 0.2)
    assert range_kwh(by_class["ups"], "ict") == around(8, 1.0, 0.2)
    [whole] = found.by("organisation").values()
    assert range_kwh(whole, "ict") == around(24, 0.5, 0.4, 0.5 * MODEL, 1.0)


def test_command_and_csv_tell_the_same_ranges(tmp_path: Path, sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        fill(EstateOfTests(connection))
    with sqlite_database.read() as connection:
        [whole] = estate_totals(connection, MONTH, MONTH, MIDNIGHT + 2 * DAY).by("organisation").values()
    low, value, high = range_kwh(whole, "with_overhead")

    def answer(output: str) -> str:
        asked = ["--from", MONTH, "--to", MONTH, "--state-directory", str(tmp_path), "--output", output]
        result = CliRunner().invoke(main, ["estate", "totals", "--by", "organisation", *asked])
        assert result.exit_code == 0, result.output
        return result.stdout

    told = json.loads(answer("json"))
    assert told["confidence"] == "95%"
    for row in (told["total"], *told["rows"], *csv.DictReader(io.StringIO(answer("csv")))):
        names = ("with_overhead_low_kwh", "with_overhead_kwh", "with_overhead_high_kwh")
        assert [float(row[name]) for name in names] == pytest.approx([low, value, high])
        assert row["confidence"] == "95%"
    table = answer("table")
    assert f"with overhead: {figure(value, 3)} kWh, {figure(low, 3)} to {figure(high, 3)}" in table
