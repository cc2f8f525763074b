"""`ictagent carbon footprint|fills|boundary|base-year|fte|unit`: what an officer asks of a period, and what is said of it."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from collector.database.engine import Database
from collector.footprints import footprint_report
from tests.collector.commands.carbon_cli import CarbonCommands
from tests.collector.footprint_estate import MONTHS, NOW, new_estate

PERIOD = ("--from", "2025-09", "--to", "2025-10")


@pytest.fixture
def carbon(sqlite_database: Database, tmp_path: Path) -> CarbonCommands:
    new_estate(sqlite_database)
    (tmp_path / "baseline.pdf").write_bytes(b"%PDF-1.7 baseline")
    return CarbonCommands(sqlite_database, tmp_path)


@pytest.mark.parametrize("by", ["site", "device"])
def test_rows_add_up_to_the_total(carbon: CarbonCommands, by: str) -> None:
    found = carbon.json("footprint", *PERIOD, "--by", by)
    for name in ("activity_kwh", "kgco2e", "scope_2_kgco2e", "measured_kwh"):
        assert sum(Decimal(row[name]) for row in found["rows"]) == Decimal(found["total"][name]), name
    lines = ("generation_kgco2e", "td_kgco2e", "wtt_generation_kgco2e", "wtt_td_kgco2e")
    assert sum(Decimal(found["total"][name]) for name in lines) == Decimal(found["total"]["kgco2e"])
    assert found["state"] == "final"
    assert found["factor_sets"] == ["2025 1"]
    low, high = Decimal(found["total"]["low_kgco2e"]), Decimal(found["total"]["high_kgco2e"])
    assert low < Decimal(found["total"]["kgco2e"]) < high


def test_by_scope_everything_stands_once(carbon: CarbonCommands) -> None:
    found = carbon.json("footprint", *PERIOD, "--by", "scope")
    kinds = [(row["scope"], row["category"]) for row in found["rows"]]
    assert kinds == [("2", ""), ("3", "3"), ("3", "7"), ("3", "8")]
    sites = {row["site"]: Decimal(row["scope_2_kgco2e"]) for row in carbon.json("footprint", *PERIOD)["rows"]}
    # Homes and landlords' supplies are in no Scope 2.
    assert sites == {"Town Hall": Decimal(found["rows"][0]["kgco2e"]), "Homes": 0, "Rented": 0}
    assert sum(Decimal(row["kgco2e"]) for row in found["rows"]) == Decimal(found["total_kgco2e"])
    rows = list(csv.reader(io.StringIO(carbon.done("footprint", *PERIOD, "--by", "scope", "--output", "csv"))))
    assert rows[0] == ["scope", "category", "kgco2e"]
    refused = carbon.run("footprint", *PERIOD, "--by", "scope", "--by", "site")
    assert refused.exit_code == 2
    assert "stands alone" in refused.stderr


def test_the_terminal_says_state_total_and_range(carbon: CarbonCommands) -> None:
    told = carbon.done("footprint", *PERIOD)
    assert "2025-09 to 2025-10, final" in told
    assert "Town Hall" in told
    assert " to " in next(line for line in told.splitlines() if line.startswith("total"))


def test_a_word_on_the_boundary_is_on_the_rows_of_its_site_and_service_from_its_day_on(carbon: CarbonCommands) -> None:
    said = ("--site", "Town Hall", "--reason", "metered apart", "--from", "2025-10-01")
    carbon.done("boundary", "set", "part", *said, "--category", "servers")
    carbon.done("boundary", "set", "no", "--reason", "own supply, all of it")
    [everywhere, hall] = carbon.json("boundary", "list")
    assert (everywhere["site"], everywhere["inside"]) == ("all", "no")
    assert (hall["category"], hall["from"], hall["reason"]) == ("servers", "2025-10-01", "metered apart")
    with carbon.database.read() as connection:
        activities = [row.activity for row in footprint_report(connection, 1, *MONTHS, NOW).rows]
    inside = {(one.subject.device, one.subject.month): one.inside for one in activities if one.subject.device}
    assert inside == {
        ("server", "2025-09"): "no",
        ("server", "2025-10"): "part",
        # A word on all sites is one on the organisation's own supply: these two are not.
        **{(device, month): "no" for device in ("rented", "home") for month in MONTHS},
    }
    profiles = {(one.subject.supply, one.inside) for one in activities if one.subject.kind == "profile"}
    assert profiles == {("own", "no"), ("home", "no")}
    carbon.done("boundary", "undo", "--site", "Town Hall", "--category", "servers", "--from", "2025-10-01")
    assert [row["site"] for row in carbon.json("boundary", "list")] == ["all"]
    assert "no site" in carbon.refused("boundary", "set", "no", "--site", "Nowhere", "--reason", "x")
    assert carbon.audited()[-3:] == ["carbon.boundary.set", "carbon.boundary.set", "carbon.boundary.undo"]


def test_a_base_year_needs_evidence_and_another_one_its_reason(carbon: CarbonCommands) -> None:
    proof = ("--document", str(carbon.directory / "baseline.pdf"))
    assert "no base year" in carbon.refused("base-year", "show")
    carbon.done("base-year", "set", "FY2010", "1900.5", "--method", "bills, ICT share 12%", *proof)
    [held] = carbon.json("base-year", "show")
    assert (held["financial_year"], held["tco2e"], held["recalculation_threshold"]) == ("2010/11", "1900.5", "0.05")
    assert len(held["document_sha256"]) == 64
    again = ("base-year", "set", "2018/19", "412", "--method", "meters", *proof)
    assert "needs its reason" in carbon.refused(*again)
    carbon.done(*again, "--reason", "the target was set against it")
    assert [one["tco2e"] for one in carbon.json("base-year", "show", "--all")] == ["1900.5", "412"]
    assert carbon.run("base-year", "set", "2018-04", "412", "--method", "meters", *proof).exit_code == 2


def test_staff_and_units_of_a_year_are_those_said_last(carbon: CarbonCommands) -> None:
    carbon.done("fte", "set", "FY2025", "4000", "--source", "estimate")
    carbon.done("fte", "set", "FY2025", "4210.5", "--source", "workforce return")
    [row] = carbon.json("fte", "list")
    assert (row["financial_year"], row["full_time_equivalents"]) == ("2025/26", "4210.5")
    carbon.done("unit", "set", "FY2025", "desktop session", "1250000", "--category", "servers", "--source", "log")
    [unit] = carbon.json("unit", "list")
    assert (unit["unit"], unit["amount"], unit["service_category"]) == ("desktop session", "1250000", "servers")
    assert "above 0" in carbon.refused("fte", "set", "FY2025", "0", "--source", "nobody")


def test_the_gap_log_is_empty_where_all_was_read(carbon: CarbonCommands) -> None:
    assert json.loads(carbon.done("fills", *PERIOD, "--output", "json")) == []


def test_indicators_say_what_they_rest_on_and_leave_out_what_is_not_known(carbon: CarbonCommands) -> None:
    proof = ("--document", str(carbon.directory / "baseline.pdf"))
    before = carbon.json("indicators", "--from", "FY2025")
    assert before["intensities"]["kgco2e_per_fte"] is None
    carbon.done("fte", "set", "FY2025", "100", "--source", "return")
    carbon.done("unit", "set", "FY2025", "session", "1000", "--category", "servers", "--source", "log")
    carbon.done("line", "add", "water_supply", "--month", "2025-10", "--amount", "12", "--site", "Town Hall", *proof)
    found = carbon.json("indicators", "--from", "FY2025")
    total = Decimal(carbon.json("footprint", "--from", "FY2025")["total_kgco2e"])
    assert Decimal(found["intensities"]["kgco2e_per_fte"]) == round(total / 100, 6)
    [room] = found["rooms"]
    assert (room["site"], room["pue"], room["pue_measured"], room["ref"]) == ("Town Hall", "1.800000", False, None)
    assert room["pue_basis"].startswith("assumed for a data room")
    [service] = found["services"]
    assert Decimal(service["sci_gco2e_per_unit"]) == Decimal(service["operational_kgco2e"])
    assert Decimal(found["water"][0]["wue_litres_per_kwh"]) > 0
    assert "assumed for a data room" in carbon.done("indicators", "--from", "FY2025")


def test_two_periods_that_were_counted_alike_differ_like_for_like_as_they_are_published(carbon: CarbonCommands) -> None:
    found = carbon.json("like-for-like", "--from", "2025-09", "--to", "2025-10")
    assert Decimal(found["published_change_kgco2e"]) == Decimal(found["like_for_like_change_kgco2e"]) > 0
    assert found["recalculate_base_year"] is None
    carbon.done(
        "base-year", "set", "FY2018", "1", "--method", "bills", "--document", str(carbon.directory / "baseline.pdf")
    )
    assert carbon.json("like-for-like", "--from", "2025-09", "--to", "2025-10")["recalculate_base_year"] is False
    assert "like for like" in carbon.done("like-for-like", "--from", "2025-09", "--to", "2025-10")
