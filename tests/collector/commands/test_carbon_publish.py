"""`ictagent carbon publish|verify|restate|coverage` and `explain --figure`, as two officers and an auditor use them."""

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from agent.cli import main
from carbon.evidence.verify import unzipped
from collector.database.engine import Database
from collector.database.schema import published_report
from collector.people.accounts import add_account
from collector.people.passwords import hash_password
from tests.collector.commands.carbon_cli import CarbonCommands
from tests.collector.footprint_estate import BEGINS, HALF_HOURS, new_estate
from tests.collector.ledgers import half_hours, read_device
from tests.collector.registers import midnight

PASSWORD = "three random words"  # of accounts that live for one test
PERIOD = ("--from", "2025-09", "--to", "2025-10")


@pytest.fixture
def carbon(sqlite_database: Database, tmp_path: Path) -> CarbonCommands:
    new_estate(sqlite_database)
    hashed = hash_password(PASSWORD, "ben")
    with sqlite_database.write() as connection:
        add_account(connection, "ben", hashed, "officer", [], 0, "test")
        add_account(connection, "vera", hashed, "viewer", [], 0, "test")
    return CarbonCommands(sqlite_database, tmp_path)


def approved(carbon: CarbonCommands, login: str, typed: str = PASSWORD) -> str:
    arguments = ["carbon", "publish", "approve", "1", "--account", login, "--state-directory", str(carbon.directory)]
    result = CliRunner().invoke(main, arguments, input=f"{typed}\n")
    return result.stderr if result.exit_code else ""


def in_an_empty_place(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with no state directory, configuration or home of a collector: as on an auditor's machine."""
    place.mkdir(exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-m", "agent", "carbon", "verify", *arguments]
    return subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, check=False
    )  # our own command


def test_a_report_is_prepared_approved_handed_out_and_verified_in_an_empty_place(
    carbon: CarbonCommands, tmp_path: Path
) -> None:
    result = carbon.run("publish", "prepare", *PERIOD)
    assert result.exit_code == 0, result.output
    assert "Somebody else approves it" in result.stderr
    assert "another person approves it" in carbon.refused("publish", "approve", "1")
    assert "password is wrong" in approved(carbon, "ben", "guessed")
    assert "password is wrong" in approved(carbon, "nobody")
    assert "does not sign" in approved(carbon, "vera")
    assert approved(carbon, "ben") == ""
    [row] = carbon.json("publish", "list")
    assert (row["state"], row["approved_by"], row["restates"]) == ("published", "user:ben", None)
    assert "published" in carbon.done("publish", "list")
    assert carbon.audited().count("carbon.publish.refused") == 3

    on_collector = carbon.json("verify")
    assert on_collector["problems"] == []
    assert on_collector["changed_figures"] == 0
    assert "every figure is the same" in carbon.done("verify", "1")
    assert on_collector["ledger_rows"] == 3 * HALF_HOURS
    pack = tmp_path / "pack.zip"
    carbon.done("publish", "pack", "1", "--output-file", str(pack))
    alone = in_an_empty_place(tmp_path / "elsewhere", "--pack", str(pack), "--output", "json")
    assert alone.returncode == 0, alone.stderr
    told = json.loads(alone.stdout)
    assert told["pack_sha256"] == row["pack_sha256"]
    assert (told["atoms"], told["electricity_g"]) == (on_collector["atoms"], on_collector["electricity_g"])
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_pack_that_was_changed_does_not_hold_and_the_place_is_named(carbon: CarbonCommands, tmp_path: Path) -> None:
    carbon.done("publish", "prepare", *PERIOD)
    pack = tmp_path / "pack.zip"
    carbon.done("publish", "pack", "1", "--output-file", str(pack))
    body = bytearray(pack.read_bytes())
    body[len(body) // 2] ^= 1
    pack.write_bytes(body)
    assert "does not hold" in carbon.refused("verify", "--pack", str(pack))
    with carbon.database.write() as connection:
        connection.execute(update(published_report).values(total_g=1))
    result = carbon.run("verify", "1")
    assert result.exit_code == 1
    assert "DIFFERS the database: report 1" in result.stdout


def test_a_figure_is_walked_back_to_the_factor_row_and_to_ledger_rows_of_the_hash_that_was_published(
    carbon: CarbonCommands,
) -> None:
    carbon.done("publish", "prepare", *PERIOD)
    assert "nothing was published yet" in carbon.refused("explain", "--figure", "total/all")
    approved(carbon, "ben")
    body = carbon.json("explain", "--figure", "device=server/s2_generation")
    assert sum(one["grams"] for one in body["device_months"]) == body["grams"] > 0
    [factor] = body["device_months"][0]["factors"]
    assert (factor["factor_set"], factor["kg_per_kwh"]) == ("2025", "0.17700")
    assert factor["row_id"]
    assert len(factor["file_sha256"]) == 64
    table = carbon.done("explain", "--figure", "total/all", "--report", "1")
    assert factor["row_id"] in table
    assert "laptop by profile" in table

    rows = list(
        csv.reader(io.StringIO(carbon.done("explain", "--figure", "device=server/s2_generation", "--output", "csv")))
    )
    [september] = [one["ledger"][0] for one in body["device_months"] if one["month"] == "2025-09"]
    lines = io.StringIO(newline="")
    mine = [row[2:] for row in rows[1:] if int(row[2]) < midnight("2025-10-01")]
    csv.writer(lines, lineterminator="\n").writerows(mine)
    assert len(mine) == september["half_hours"]
    assert hashlib.sha256(lines.getvalue().encode()).hexdigest() == september["sha256"]

    assert "is no figure" in carbon.refused("explain", "--figure", "colour=red/all")
    assert "there is no published report 9" in carbon.refused("explain", "--figure", "total/all", "--report", "9")
    for wrong in (("--figure", "total/all", "--from", "FY2024"), ("--report", "1"), ("--from", "FY2024")):
        assert carbon.run("explain", *wrong).exit_code == 2


def test_a_restatement_says_what_would_change_and_needs_its_reason(carbon: CarbonCommands) -> None:
    carbon.done("publish", "prepare", *PERIOD)
    assert "is prepared" in carbon.run("restate", "1", "--dry-run").stderr
    approved(carbon, "ben")
    assert carbon.run("restate", "1").exit_code == 2
    with carbon.database.write() as connection:
        read_device(connection, "late", half_hours(BEGINS, midnight("2025-11-01")), BEGINS)
    body = carbon.json("restate", "1", "--dry-run")
    assert "figures would be others" in carbon.done("verify", "1")
    assert {one["figure"] for one in body["changed"]} >= {"total/all", "device=late/all", "month=2025-09/all"}
    carbon.done("restate", "1", "--reason", "a device came late")
    old, new = carbon.json("publish", "list")
    assert (new["restates"], new["state"], new["total_g"]) == (1, "prepared", body["new_g"])
    assert old["total_g"] == body["old_g"]
    carbon.done("publish", "withdraw", "2", "--reason", "not yet")
    assert [one["state"] for one in carbon.json("publish", "list")] == ["published", "withdrawn"]


def test_coverage_is_shown_accepted_and_taken_back(carbon: CarbonCommands, tmp_path: Path) -> None:
    with carbon.database.write() as connection:
        for name in ("silent", "silent too"):
            read_device(connection, name, half_hours(BEGINS, midnight("2025-09-06")), BEGINS)
    [low] = [one for one in carbon.json("coverage", "show", *PERIOD) if one["state"] == "to be accepted"]
    assert "coverage accept" in carbon.refused("publish", "prepare", *PERIOD)
    carbon.done("coverage", "accept", low["class"], *PERIOD, "--reason", "fills were checked")
    assert [one["reason"] for one in carbon.json("coverage", "list")] == ["fills were checked"]
    assert "fills were checked" in carbon.done("coverage", "list")
    assert "accepted" in carbon.done("coverage", "show", *PERIOD)
    carbon.done("publish", "prepare", *PERIOD)
    pack = tmp_path / "pack.zip"
    carbon.done("publish", "pack", "1", "--output-file", str(pack))
    assert b"fills were checked" in unzipped(pack.read_bytes())["acceptances.json"]
    carbon.done("coverage", "withdraw", "1", "--reason", "they were wrong")
    assert carbon.json("coverage", "list") == []
    assert "carbon.coverage.accept" in carbon.audited()
