"""Target, measures and pathway from the command line: what is entered, decided and forecast, and what is refused."""

import csv
import io
import json
from pathlib import Path

import pytest

from collector.database.engine import Database
from tests.collector.commands.carbon_cli import CarbonCommands
from tests.collector.ledgers import half_hours, new_space, read_device
from tests.collector.registers import midnight

UJ_PER_KWH = 3_600_000_000_000


@pytest.fixture
def carbon(sqlite_database: Database, tmp_path: Path) -> CarbonCommands:
    return CarbonCommands(sqlite_database, tmp_path)


@pytest.fixture
def evidence(tmp_path: Path) -> str:
    document = tmp_path / "baseline.pdf"
    document.write_bytes(b"a decision of the council")
    return str(document)


@pytest.fixture
def target(carbon: CarbonCommands, evidence: str) -> CarbonCommands:
    """A base year of 10 t in 2020/21, and nothing but 1 t from 2030/31 on."""
    carbon.done("base-year", "set", "FY2020", "10", "--method", "bills", "--document", evidence)
    carbon.done("target", "set", "FY2030", "1", "--reason", "the council's decision")
    return carbon


def test_a_pathway_without_readings_has_a_target_and_no_forecast(target: CarbonCommands) -> None:
    body = target.json("pathway")
    assert [body["years"][0]["actual_g"], body["years"][-1]["allowed_g"]] == [10_000_000, 1_000_000]
    assert body["gap_g"] is None
    assert "no forecast yet" in target.done("pathway")


def test_complete_years_are_carried_on_and_accepted_measures_taken_off(target: CarbonCommands) -> None:
    with target.database.write() as connection:
        place = new_space(connection, "Town Hall", "Office", "office")
        first, middle, last = (midnight(f"{year}-04-01") for year in (2024, 2025, 2026))
        rows = half_hours(first, middle, UJ_PER_KWH) | half_hours(middle, last, UJ_PER_KWH * 9 // 10)
        read_device(connection, "d1", rows, first, place, "Digital")
    target.done("measure", "add", "switch off at night", "--kwh", "1000", "--device", "d1", "--confidence", "high")
    target.done("measure", "add", "a new policy", "--kwh", "500", "--owner", "facilities")
    before = target.json("pathway")
    assert before["trend"] == "-0.1000"
    assert [year["year"] for year in before["years"] if year["actual_g"] is not None] == [2020, 2024, 2025]
    assert before["gap_with_measures_g"] == before["gap_g"]
    target.done("measure", "accept", "1")
    after = target.json("pathway")
    assert after["gap_g"] == before["gap_g"]
    assert after["gap_with_measures_g"] < after["gap_g"]
    everything = target.json("pathway", "--measures", "all")
    assert [one["saved_uj"] for one in everything["measures"]] == [1000 * UJ_PER_KWH, 500 * UJ_PER_KWH]
    target.done("measure", "done", "1", "--on", "2024-05-01")
    assert target.json("pathway")["gap_with_measures_g"] == after["gap_g"]  # the last year has it in it already
    rows_out = list(csv.DictReader(io.StringIO(target.done("pathway", "--output", "csv"))))
    assert rows_out[0]["financial_year"] == "2020/21"
    assert "energy -10.0% a year" in target.done("pathway")


def test_offsets_stand_beside_and_are_taken_off_nothing(target: CarbonCommands, evidence: str) -> None:
    target.done("offset", "add", "FY2030", "12", "--standard", "Woodland Carbon Code", "--document", evidence)
    assert target.json("target", "show")["offsets_g"] == {"2030": 12_000_000}
    assert "taken off nothing" in target.done("target", "show")
    target.done("offset", "withdraw", "1", "--reason", "retired twice")
    assert target.json("target", "show")["offsets_g"] == {}
    assert "no offset 1 that stands" in target.refused("offset", "withdraw", "1", "--reason", "again")


def test_a_dismissal_has_its_reason_and_ends_by_its_day(carbon: CarbonCommands) -> None:
    carbon.done("measure", "add", "turn it off", "--kwh", "10")
    carbon.done("measure", "dismiss", "1", "--reason", "standby", "--until", "2020-01-01")
    assert carbon.json("measure", "list")[0]["state"] == "open"
    carbon.done("measure", "dismiss", "1", "--reason", "standby", "--until", "2999-01-01")
    assert carbon.json("measure", "list", "--state", "dismissed")[0]["reason"] == "standby"
    carbon.done("measure", "open", "1")
    carbon.done("measure", "owner", "1", "facilities")
    assert carbon.json("measure", "show", "1")["owner"] == "facilities"
    assert "saves a year" in carbon.done("measure", "show", "1")
    assert carbon.audited()[0] == "carbon.measure.add"


def test_what_a_rule_leaves_out_is_listed_and_taken_back(carbon: CarbonCommands) -> None:
    carbon.done("measure", "exclude", "out_of_hours", "--device", "d1", "--reason", "evening meetings")
    assert carbon.json("measure", "exclusions")[0]["device"] == "d1"
    assert "leaves d1 out already" in carbon.refused(
        "measure", "exclude", "out_of_hours", "--device", "d1", "--reason", "again"
    )
    carbon.done("measure", "include", "1", "--reason", "a timer")
    assert json.loads(carbon.done("measure", "exclusions", "--output", "json")) == []


def test_what_makes_no_sense_is_refused_with_the_remedy(carbon: CarbonCommands, evidence: str) -> None:
    assert "no base year was entered" in carbon.refused("target", "set", "FY2030", "1", "--reason", "x")
    carbon.done("base-year", "set", "FY2020", "10", "--method", "bills", "--document", evidence)
    assert "no target was set" in carbon.refused("pathway")
    assert "0 <= target <= base" in carbon.refused("target", "set", "FY2030", "11", "--reason", "x")
    constant = ("target", "set", "FY2030", "0", "--shape", "constant_rate", "--reason", "x")
    assert "never arrives at 0" in carbon.refused(*constant)
    assert "there is no measure 7" in carbon.refused("measure", "accept", "7")
    carbon.done("measure", "add", "one", "--kwh", "1")
    assert "already" in carbon.refused("measure", "add", "one", "--kwh", "1")


def test_scenarios_are_saved_and_laid_beside_the_plan(target: CarbonCommands) -> None:
    with target.database.write() as connection:
        first, last = midnight("2025-04-01"), midnight("2026-04-01")
        read_device(connection, "d1", half_hours(first, last, UJ_PER_KWH), first)
    target.done("measure", "add", "off at night", "--kwh", "3000", "--device", "d1")
    target.done("scenario", "add", "everything", "--measures", "all")
    target.done("scenario", "add", "later", "--year", "FY2035", "--tonnes", "2", "--trend", "0.02")
    assert [one["name"] for one in target.json("scenario", "list")] == ["everything", "later"]
    assert "measures: all" in target.done("scenario", "list")
    found = target.json("scenario", "compare")
    assert list(found) == ["the plan", "everything", "later"]
    assert found["everything"]["gap_with_measures_g"] < found["the plan"]["gap_with_measures_g"]
    assert (found["later"]["target_year"], found["later"]["target_g"]) == (2035, 2_000_000)
    assert found["later"]["trend"] == "0.02"
    assert "in 2035/36" in target.done("scenario", "compare", "later")
    target.done("scenario", "remove", "later")
    assert "there is no scenario later" in target.refused("scenario", "compare", "later")
    assert "lies between -1 and 1" in target.refused("scenario", "add", "steep", "--trend", "3")
