"""`ictagent carbon embodied|pcf|life`: of a register as councils keep it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.cli import main
from collector.database.engine import Database
from tests.collector.commands.carbon_cli import CarbonCommands

REGISTER = """Asset Tag,Make,Model,Type,Site,Purchase date,Disposal date,Status,Qty
A1,Dell,Latitude 5440,Laptop,County Hall,2024-05-10,,In use,10
A2,Dell,PowerEdge R650,Server,County Hall,2023-09-01,2025-06-15,Disposed,1
A3,Cisco,C9300-48P,Switch,Depot,2025-04-02,,In use,2
A4,HP,E24,Monitor,Depot,,,In use,5
"""


@pytest.fixture
def carbon(sqlite_database: Database, tmp_path: Path) -> CarbonCommands:
    (tmp_path / "collector-id").write_text("collector-1")
    (tmp_path / "register.csv").write_text(REGISTER, encoding="utf-8")
    given = ("--as-at", "2025-07-01", "--state-directory", str(tmp_path))
    taken = CliRunner().invoke(main, ["estate", "import", str(tmp_path / "register.csv"), *given])
    assert taken.exit_code == 0, taken.output
    return CarbonCommands(sqlite_database, tmp_path)


def test_a_document_takes_the_medians_place_and_is_taken_back(carbon: CarbonCommands, tmp_path: Path) -> None:
    period = ("--from", "FY2024", "--to", "FY2025")
    before = carbon.json("embodied", *period)
    assert [(row["class"], row["devices"], row["kgco2e"]) for row in before["rows"]] == [("laptop", 10, "2410.000")]
    assert before["without"] == [
        {"class": "monitor", "why": "no acquisition date", "devices": 5},
        {"class": "switch", "why": "no factor", "devices": 2},
    ]
    (tmp_path / "pcf").mkdir()
    (tmp_path / "pcf" / "l.pdf").write_bytes(b"286 kg")
    models = tmp_path / "models.csv"
    rows = "Vendor,Model,Class,Total kgCO2e,Use kgCO2e,Transport kgCO2e,End of life kgCO2e,Document,Date\n"
    models.write_text(rows + "Dell,Latitude 5440,laptop,286,61,18,2,l.pdf,01/03/2024\n", encoding="utf-8")
    folder = ("--documents", str(tmp_path / "pcf"))
    assert "1 of them new; nothing was written" in carbon.done("pcf", "import", str(models), *folder, "--dry-run")
    carbon.done("pcf", "import", str(models), *folder)
    assert "0 of them new" in carbon.done("pcf", "import", str(models), *folder)
    assert carbon.json("embodied", *period)["kgco2e"] == "2050.000"
    [row] = carbon.json("embodied", *period, "--by", "source")["rows"]
    assert row["source"] == "product carbon footprint of Dell Latitude 5440: l.pdf, 2024-03-01"
    carbon.done("pcf", "undo", "1", "--reason", "of another model")
    assert carbon.json("embodied", *period)["kgco2e"] == "2410.000"
    models.write_text(rows + "Dell,Latitude 5440,laptop,286,x,18,2,l.pdf,01/03/2024\n", encoding="utf-8")
    assert "models.csv, E2: 'x' is no number" in carbon.refused("pcf", "import", str(models), *folder)
    models.write_text(rows + "Dell,Latitude 5440,laptop,50,61,18,2,l.pdf,01/03/2024\n", encoding="utf-8")
    assert "models.csv, D2: the parts add up to 81 kg" in carbon.refused("pcf", "import", str(models), *folder)


def test_the_service_life_that_a_council_sets_spreads_the_management_view(carbon: CarbonCommands) -> None:
    year = ("--view", "management", "--by", "class", "--from", "FY2024", "--to", "FY2024")
    laptops = next(row for row in carbon.json("embodied", *year)["rows"] if row["class"] == "laptop")
    assert laptops["kgco2e"] == "552.291"  # 2,410 kg over 48 months, 11 of them
    carbon.done("life", "set", "laptop", "5", "--reason", "policy")
    laptops = next(row for row in carbon.json("embodied", *year)["rows"] if row["class"] == "laptop")
    assert laptops["kgco2e"] == "441.833"
    assert "lies between half a year and 30" in carbon.refused("life", "set", "laptop", "50", "--reason", "x")
    disposed = carbon.json("embodied", "--view", "management", "--from", "2025-06", "--to", "2025-06")["rows"]
    server = next(row for row in disposed if row["class"] == "server")
    assert server["kgco2e"] == "830.700"  # of 1,278 kg over 60 months 21 are over: what is left


def test_every_report_says_what_is_embodied_beside_its_total(carbon: CarbonCommands) -> None:
    [note] = carbon.json("footprint", "--from", "FY2025")["notes"]
    assert note.startswith("embodied carbon is in no total, and its two views are never added: by the inventory view")
    assert "0 kg CO2e of devices acquired in these months" in note  # the switches have no factor
    assert note.endswith("; 7 devices have no factor or no date of acquisition")
