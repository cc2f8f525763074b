"""Conversion factors by the command line, as an officer imports, compares and accepts them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from collector.database.engine import Database
from tests.carbon.flat_files import FlatFile

Command = Callable[..., Result]


@pytest.fixture
def factors(tmp_path: Path, sqlite_database: Database) -> Command:
    assert sqlite_database.path is not None

    def run(*words: str) -> Result:
        directory = str(sqlite_database.path and sqlite_database.path.parent)
        return CliRunner().invoke(main, ["carbon", "factors", *words, "--state-directory", directory])

    return run


@pytest.fixture
def flat(tmp_path: Path) -> str:
    """A file in which well-to-tank of generation more than doubles."""
    return str(FlatFile(2026, (0.13, 0.013, 0.1, 0.0036), 1.2).save(tmp_path / "flat-2026.xlsx"))


def test_a_dry_run_says_what_an_import_does_and_writes_nothing(factors: Command, flat: str) -> None:
    said = factors("import", flat, "--dry-run").stdout
    assert "UK Government conversion factors 2026, version 1.2, updated 10/06/2026" in said
    assert "0.13096" in said
    assert "(+118%)" in said
    assert said.endswith("nothing was written\n")
    listed = json.loads(factors("list", "--output", "json").stdout)
    assert [one["from"] for one in listed] == ["packaged"] * 11


def test_an_import_is_listed_shown_compared_and_accepted(factors: Command, flat: str) -> None:
    found = json.loads(factors("import", flat, "--output", "json").stdout)
    assert (found["import"], found["holds"], len(found["unaccepted"])) == (1, True, 1)
    assert found["lines"]["s3_td"] == {"value": "0.013", "row_id": "13_402_4000_5_1", "cell": "Factors by Category!J6"}
    [row] = [one for one in csv.DictReader(factors("list", "--output", "csv").stdout.splitlines()) if one["by"]]
    assert (row["year"], row["state"], row["holds"], row["s2_generation"]) == ("2026", "to be accepted", "yes", "0.13")
    diff = json.loads(factors("diff", "2025", "2026", "--output", "json").stdout)
    assert diff[2] == {
        "line": "s3_wtt_generation",
        "2025": "0.04590",
        "2026": "0.1",
        "change": "1.178649",
        "accept": "over half",
    }
    assert "s2_generation,0.17700,0.13,-0.265537," in factors("diff", "2025", "2026", "--output", "csv").stdout
    accepted = factors("accept", "2026", "--reason", "paper of June")
    assert "accepted: Electricity, well-to-tank of generation" in accepted.stdout
    shown = factors("show", "2026").stdout
    assert "2026, version 1.2, final, imported, SHA-256 " in shown
    assert "paper of June" in shown
    every = list(csv.DictReader(factors("show", "2026", "--all", "--output", "csv").stdout.splitlines()))
    assert [one["value"] for one in every] == ["0.13", "0.013", "0.1", "0.0036", "0.1"]
    assert "imported before, as import 1: nothing changes" in factors("import", flat).stdout


def test_a_version_that_holds_no_longer_is_listed_before_the_one_that_does(
    factors: Command, flat: str, tmp_path: Path
) -> None:
    factors("import", flat)
    corrected = FlatFile(2026, (0.13, 0.013, 0.037, 0.0036), 1.3).save(tmp_path / "corrected.xlsx")
    assert factors("import", str(corrected)).exit_code == 0
    rows = json.loads(factors("list", "--output", "json").stdout)[-2:]
    assert [(one["version"], one["holds"], one["s3_wtt_generation"]) for one in rows] == [
        ("1.2", "no", "0.1"),
        ("1.3", "yes", "0.037"),
    ]
    assert "0.1 " in factors("show", "2026", "--version", "1.2").stdout


def test_a_packaged_set_is_shown_with_rows_and_cells_and_what_it_lacks(factors: Command) -> None:
    rows = json.loads(factors("show", "2025", "--output", "json").stdout)
    assert rows[0]["row_id"] == "7_400_4000_5_1"
    assert rows[0]["cell"] == "Factors by Category!J3066"
    assert next(one["factor"] for one in rows if one["line"] == "weee_reuse") == "not available"
    refused = factors("show", "2025", "--all")
    assert refused.exit_code == 1
    assert "import the Government's file" in refused.stderr


def test_what_cannot_be_read_or_found_is_refused_in_one_line(factors: Command, tmp_path: Path) -> None:
    wrong = FlatFile(2026, (0.13, -0.013, 0.1, 0.0036)).save(tmp_path / "wrong.xlsx")
    refused = factors("import", str(wrong))
    assert refused.exit_code == 1
    assert "wrong.xlsx, Factors by Category!J6: the factor of Electricity, transmission" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "no factor set of 2040" in factors("show", "2040").stderr
    assert factors("diff", "last", "2026").exit_code == 2
    assert "no factor set of 2026 was imported" in factors("accept", "2026", "--reason", "x").stderr
