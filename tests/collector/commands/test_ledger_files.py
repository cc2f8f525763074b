"""`ictagent ledger import|files|undo|bills|map`, as an officer uses them."""

import csv
import io
from pathlib import Path

import pytest

from tests.collector.commands.conftest import Installation
from tests.collector.half_hourly.layouts import LAYOUTS, MPAN, TRUTH

KWH = sum(TRUTH.values())


@pytest.fixture
def half_hours(tmp_path: Path) -> str:
    path = tmp_path / "=october.csv"
    path.write_text(LAYOUTS["a row a day, 50 numbered columns"][0], encoding="utf-8")
    return str(path)


def test_an_older_file_again_names_the_later_one_that_holds(
    installation: Installation, half_hours: str, tmp_path: Path
) -> None:
    later = tmp_path / "later.csv"
    first = str(TRUTH[min(TRUTH)])
    later.write_text(Path(half_hours).read_text().replace(f",{first},", ",77.7,", 1))
    for path in (half_hours, str(later)):
        installation.done("ledger", "import", path)
    assert "half-hours that a later file has otherwise: 1;" in installation.done("ledger", "import", half_hours)


def test_a_file_is_taken_shown_compared_with_its_bill_and_taken_back(
    installation: Installation, half_hours: str, tmp_path: Path
) -> None:
    dry = installation.json("ledger", "import", half_hours, "--dry-run", "--site", "Town Hall")
    assert (dry["import"], dry["meters"][0]["new"], float(dry["meters"][0]["kwh"])) == (None, len(TRUTH), float(KWH))
    assert installation.json("ledger", "files") == []
    said = installation.done("ledger", "import", half_hours, "--site", "Town Hall")
    assert "ictagent ledger undo 1" in said
    assert "assumed: the values are kWh" in said
    assert "same file was taken as import 1" in installation.done("ledger", "import", half_hours)
    rows = installation.json("ledger", "show", MPAN, "--day", "2026-10-25")
    assert (len(rows), rows[0]["meter"], rows[0]["method"]) == (50, f"mpan/{MPAN}", "measured")
    assert "Town Hall" in installation.done("estate", "list")

    bills = tmp_path / "bills.csv"
    bills.write_text(f"MPAN,From,To,kWh\n{MPAN},24/10/2026,25/10/2026,1\n", encoding="utf-8")
    installation.done("ledger", "bills", str(bills))
    compared = list(csv.DictReader(io.StringIO(installation.done("ledger", "bills", "--compare", "--output", "csv"))))
    assert [(row["MPAN"], row["verdict"]) for row in compared] == [(MPAN, "differs")]
    assert float(compared[0]["difference kWh"]) > 0

    listed = list(csv.DictReader(io.StringIO(installation.done("ledger", "files", "--output", "csv"))))
    assert [row["file"] for row in listed] == ["bills.csv", "'=october.csv"]
    for number in ("2", "1"):
        installation.done("ledger", "undo", number)
    assert "ledger files" in installation.refused("ledger", "undo", "1")
    assert MPAN not in installation.done("estate", "list")
    actions = [action for _, action, _, _ in installation.audited()]
    assert actions[-4:] == ["ledger.import", "ledger.bills", "ledger.undo", "ledger.undo"]


def test_a_mapping_is_saved_shown_and_used_by_its_name(
    installation: Installation, half_hours: str, tmp_path: Path
) -> None:
    toml = tmp_path / "npower.toml"
    toml.write_text('clock = "GMT"\n', encoding="utf-8")
    assert "none is saved" in installation.refused("ledger", "import", half_hours, "--map", "npower")
    installation.done("ledger", "map", "save", "npower", str(toml))
    assert installation.done("ledger", "map", "show", "npower") == 'clock = "GMT"\n'
    assert [one["name"] for one in installation.json("ledger", "map", "list")] == ["npower"]
    read = installation.json("ledger", "import", half_hours, "--map", "npower", "--dry-run")
    assert read["mapping"]["clock"] == "GMT"
    assert read["faults"]  # the file is not on GMT: the day of 50 half-hours is no day of 48
    assert "no name of a mapping" in installation.refused("ledger", "map", "save", "-x".replace("-", "."), str(toml))


def test_a_file_without_half_hours_is_refused_in_one_line(installation: Installation, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("MPAN,Start,kWh\n123,01/02/2026 00:00,1\n123,01/02/2026 00:30,1\n", encoding="utf-8")
    assert "no MPAN" in installation.refused("ledger", "import", str(path))
    assert installation.run("ledger", "bills").exit_code == 2
