"""`ictagent carbon supplier|compare-bids`: the register of suppliers, its league, and bids side by side."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import Workbook

from agent.cli import main
from collector.database.engine import Database
from tests.collector.commands.carbon_cli import CarbonCommands
from tests.collector.commands.test_carbon_embodied import REGISTER

HEADS = "Option,Class,Model,Count,kWh a year,Watts,Hours a year,Life years,Unit price,PCF kgCO2e,PCF use kgCO2e"
GOOD = "A,laptop,L1,100,18.5,,,5,900,286,61"


@pytest.fixture
def carbon(sqlite_database: Database, tmp_path: Path) -> CarbonCommands:
    (tmp_path / "collector-id").write_text("collector-1")
    return CarbonCommands(sqlite_database, tmp_path)


def test_a_supplier_keeps_what_is_not_said_anew_and_a_maker_has_one(carbon: CarbonCommands, tmp_path: Path) -> None:
    (tmp_path / "plan.pdf").write_bytes(b"net zero")
    plan = ("--target-year", "2040", "--document", str(tmp_path / "plan.pdf"))
    carbon.done(
        "supplier", "set", "Acme IT", "--vendor", "Dell", "--contract", "C-1", "--contract-end", "2025-03-31", *plan
    )
    carbon.done("supplier", "set", "Acme IT", "--pcf-state", "asked", "--pcf-date", "2026-06-01")
    carbon.done("supplier", "set", "Cloudy", "--supplies", "services")
    shown = carbon.json("supplier", "show", "Acme IT")
    told = ("contract", "target_year", "pcf_state", "supplies", "vendors", "document")
    assert [shown[name] for name in told] == ["C-1", "2040", "asked", "goods", ["Dell"], "plan.pdf"]
    assert len(shown["sha256"]) == 64
    assert [one["supplier"] for one in carbon.json("supplier", "list", "--due")] == ["Acme IT"]
    assert "Acme IT sells dell already" in carbon.refused("supplier", "set", "Cloudy", "--vendor", " DELL")
    assert "no supplier Nobody" in carbon.refused("supplier", "show", "Nobody")
    assert carbon.audited().count("carbon.supplier.set") == 3


def test_the_league_adds_up_to_the_report(carbon: CarbonCommands, tmp_path: Path) -> None:
    (tmp_path / "register.csv").write_text(REGISTER, encoding="utf-8")
    given = ("--as-at", "2025-07-01", "--state-directory", str(tmp_path))
    taken = CliRunner().invoke(main, ["estate", "import", str(tmp_path / "register.csv"), *given])
    assert taken.exit_code == 0, taken.output
    carbon.done("supplier", "set", "Acme IT", "--vendor", "Dell")
    rows = carbon.json("supplier", "league", "--from", "FY2025")["rows"]
    standing = {row["supplier"]: row for row in rows}
    assert {name: row["devices"] for name, row in standing.items()} == {"Acme IT": 10, "HP": 5, "Cisco": 2}
    whole = carbon.json("footprint", "--from", "FY2025", "--by", "organisation")["total"]
    assert sum(Decimal(one["kgco2e"]) for one in rows) == Decimal(whole["kgco2e"])
    assert standing["HP"]["mean_age_years"] == ""
    laptops, server = 10 * 241 * Decimal(12) / 48, 1278 * Decimal(60 - 19) / 60  # the server's rest at its disposal
    assert Decimal(standing["Acme IT"]["embodied_kgco2e"]) == laptops + server


def test_bids_are_compared_from_a_workbook_as_from_a_csv(carbon: CarbonCommands, tmp_path: Path) -> None:
    rows = [HEADS.split(","), GOOD.split(","), ["B", "laptop", "L2", "100", "", "10", "1850", "5", "850", "", ""]]
    text = tmp_path / "bids.csv"
    text.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Bids for laptops"])
    for row in rows:
        sheet.append([float(cell) if cell.replace(".", "").isdigit() else cell for cell in row])
    book.save(tmp_path / "bids.xlsx")
    options = ("--first-year", "2026", "--pounds-per-kwh", "0.25")
    found = carbon.json("compare-bids", str(text), *options)["options"]
    assert found == carbon.json("compare-bids", str(tmp_path / "bids.xlsx"), *options)["options"]
    first, second = found
    assert first["whole_life_kwh"] == second["whole_life_kwh"] == "9250"
    assert first["use_kgco2e"] == second["use_kgco2e"]
    assert (first["embodied_kgco2e"], second["embodied_kgco2e"]) == ("22500.000", "33900.000")
    assert (first["price_pounds"], first["electricity_pounds"], first["total_pounds"]) == (
        "90000.00",
        "2312.50",
        "92312.50",
    )
    lines = csv.DictReader(
        io.StringIO(carbon.done("compare-bids", str(text), "--first-year", "2026", "--output", "csv"))
    )
    assert [(row["option"], row["electricity_pounds"]) for row in lines] == [("A", ""), ("B", "")]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("B,laptop,L2,100,18,,,5,850,286,", "K2: the use phase of the footprint is empty"),
        ("B,laptop,L2,100,18,,,5,850,50,61", "K2: the use phase is 61 kg, and the whole is 50 kg"),
        ("B,switch,S1,10,300,,,8,850,,", "J2: no product carbon footprint, and no category of products could stand"),
        ("B,laptop,L2,100,,,,5,850,,", "E2: neither kWh a year nor watts"),
        ("B,laptop,L2,100,,10,9000,5,850,,", "G2: 9000 hours are no part of a year"),
        ("B,laptop,L2,1.5,18,,,5,850,,", "D2: 1.5 is no number of devices"),
        ("B,laptop,L2,100,18,,,0,850,,", "H2: 0 years is no service life"),
        ("B,toaster,L2,100,18,,,5,850,,", "B2: toaster is no class of devices"),
        (",laptop,L2,100,18,,,5,850,,", "A2: option is empty"),
    ],
)
def test_bids_that_cannot_be_compared_are_refused_with_the_cell(
    row: str, words: str, carbon: CarbonCommands, tmp_path: Path
) -> None:
    file = tmp_path / "bids.csv"
    file.write_text("\n".join((HEADS, row, GOOD)), encoding="utf-8")
    assert words in carbon.refused("compare-bids", str(file))
