"""`ictagent carbon tables`: versions of the Green Book's tables."""

from pathlib import Path

import pytest

from collector.database.engine import Database
from collector.green_book_tables import standing_table
from tests.collector.commands.carbon_cli import CarbonCommands
from tests.collector.data_tables import data_tables


@pytest.fixture
def carbon(sqlite_database: Database, tmp_path: Path) -> CarbonCommands:
    return CarbonCommands(sqlite_database, tmp_path)


def test_an_import_holds_until_it_is_withdrawn_and_each_is_audited(carbon: CarbonCommands, tmp_path: Path) -> None:
    file = str(data_tables(tmp_path / "tables.xlsx"))
    tried = carbon.json("tables", "import", file, "--table", "electricity", "--dry-run")
    assert tried["id"] is None
    assert {"column": "grid_average", "year": 2022, "before": "", "after": "0.198868"} in tried["changes"]
    assert [one["holds"] for one in carbon.json("tables", "list")] == [True, True]
    taken = carbon.json("tables", "import", file, "--table", "electricity")
    assert [(one["id"], one["holds"]) for one in carbon.json("tables", "list")] == [
        (0, False),
        (taken["id"], True),
        (0, True),
    ]
    with carbon.database.read() as connection:
        assert standing_table(connection, "electricity_factors").sha256 == taken["sha256"]
    assert "was imported as" in carbon.refused("tables", "import", file, "--table", "electricity")
    carbon.done("tables", "withdraw", str(taken["id"]), "--reason", "a draft")
    assert carbon.json("tables", "list")[0]["holds"] is True
    assert carbon.json("tables", "list")[1]["withdrawn"] == "a draft"
    assert "no imported table" in carbon.refused("tables", "withdraw", str(taken["id"]), "--reason", "again")
    assert carbon.audited() == ["carbon.table.import", "carbon.table.withdraw"]
    carbon.json("tables", "import", file, "--table", "electricity")


def test_a_table_is_shown_year_by_year_with_how_each_value_was_got(carbon: CarbonCommands) -> None:
    shown = carbon.json("tables", "show", "--table", "electricity", "--from", "2025", "--to", "2026")
    assert [one["year"] for one in shown["years"]] == [2025, 2026]
    assert shown["years"][0]["grid_average"] == {"value": "0.126655", "method": "published"}
    assert shown["years"][1]["grid_average"] == {"value": "0.1108486", "method": "interpolated"}
    lines = carbon.done("tables", "show", "--table", "carbon-values", "--output", "csv").splitlines()
    assert lines[:2] == ["year,low,central,high,method", "2025,136.53,273.06,409.60,published"]
