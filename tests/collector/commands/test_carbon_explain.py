"""`ictagent carbon explain`: the causes as a table, JSON and CSV, of a small estate that was halved."""

import csv
import io
from pathlib import Path

import pytest

from collector.database.engine import Database
from tests.collector.commands.carbon_cli import CarbonCommands
from tests.collector.ledgers import half_hours, new_space, read_device
from tests.collector.registers import midnight

ARGUMENTS = ("explain", "--from", "2024-06", "--to", "2025-06")


@pytest.fixture
def carbon(sqlite_database: Database, tmp_path: Path) -> CarbonCommands:
    with sqlite_database.write() as connection:
        place = new_space(connection, "Town Hall", "Office", "office")
        begins = midnight("2024-06-01")
        first = half_hours(begins, midnight("2024-07-01"))
        second = half_hours(midnight("2025-06-01"), midnight("2025-07-01"))
        read_device(connection, "kept", first | second, begins, place, "Digital")
        read_device(connection, "gone", first, begins, place, "Digital", retired_at=midnight("2024-07-01"))
    return CarbonCommands(sqlite_database, tmp_path)


def test_the_causes_add_up_in_every_output(carbon: CarbonCommands) -> None:
    body = carbon.json(*ARGUMENTS, "--by", "site", "--top", "3")
    assert sum(body["causes_g"].values()) == body["change_g"] == body["after_g"] - body["before_g"] < 0
    assert body["by"]["parts_g"]["Town Hall"] == body["causes_g"]
    assert body["months"] == [{"before": "2024-06", "after": "2025-06"}]
    assert body["largest"]["grid_factor"][0]["name"] == "kept"
    rows = list(csv.DictReader(io.StringIO(carbon.done(*ARGUMENTS, "--output", "csv"))))
    assert {row["cause"]: round(float(row["kgco2e"]) * 1000) for row in rows} == body["causes_g"]
    table = carbon.done(*ARGUMENTS, "--by", "site", "--top", "3")
    assert body["words"] in table
    assert "the grid's carbon intensity" in table


def test_periods_that_make_no_sense_are_refused_with_what_is_possible(carbon: CarbonCommands) -> None:
    assert "give --from the earlier period" in carbon.refused("explain", "--from", "2025-06", "--to", "2024-06")
    result = carbon.run("explain", "--from", "June", "--to", "2025-06")
    assert result.exit_code == 2
    assert "FY2024 or 2024/25" in result.output
