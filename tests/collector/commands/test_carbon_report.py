"""`ictagent carbon report` and `export` on a council of class profiles."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.cli import main
from collector.database.engine import Database
from tests.collector.commands.carbon_cli import CarbonCommands


@pytest.fixture
def carbon(sqlite_database: Database, tmp_path: Path) -> CarbonCommands:
    arguments = ["laptop", "500", "--source", "licence count", "--from", "2024-04-01"]
    done = CliRunner().invoke(main, ["estate", "profile", "count", *arguments, "--state-directory", str(tmp_path)])
    assert done.exit_code == 0, done.output
    return CarbonCommands(sqlite_database, tmp_path)


def test_a_year_is_told_on_the_terminal_and_taken_along_in_every_format(carbon: CarbonCommands, tmp_path: Path) -> None:
    told = carbon.done("report", "--from", "FY2024")
    assert "2024/25 (April 2024 to March 2025)\nFinal: " in told
    assert "working at home" in told
    total = json.loads(carbon.done("export", "--from", "FY2024", "--format", "json"))["totals"]["total_g"]
    lines = list(
        csv.DictReader(io.StringIO(carbon.done("export", "--from", "FY2024", "--by", "class", "--by", "month")))
    )
    names = ("lb_s2_gen_kgco2e", "s3_td_kgco2e", "s3_wtt_gen_kgco2e", "s3_wtt_td_kgco2e")
    assert round(sum(float(line[name]) for line in lines for name in names) * 1000) == total > 0
    assert {line["asset_class"] for line in lines} == {"laptop"}
    for name, begins in (("year.xlsx", b"PK"), ("year.html", b"<!doctype html>")):
        carbon.done("export", "--from", "FY2024", "--output-file", str(tmp_path / name))
        assert (tmp_path / name).read_bytes().startswith(begins)
    tool = carbon.done("export", "--from", "FY2024", "--for", "councils-tool")
    assert tool.startswith("financial_year,organisation,site,uprn,ict_electricity_kwh")


def test_a_year_that_is_not_over_says_so_beside_its_rows(carbon: CarbonCommands) -> None:
    result = carbon.run("export")
    assert result.exit_code == 0
    assert result.stderr.startswith("Provisional: ")
    assert result.stdout.startswith("financial_year,")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "--format", "pdf", "--for", "greening-ict"), "is csv or xlsx"),
        (("export", "--format", "json", "--rows", "lines"), "of a CSV"),
        (("report", "--output-file", "report.doc"), "name the format of report.doc"),
        (("report", "--from", "2024"), "is no period"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(carbon: CarbonCommands, arguments: tuple[str, ...], said: str) -> None:
    result = carbon.run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_years_before_the_oldest_factors_and_unknown_organisations_are_told(
    carbon: CarbonCommands, tmp_path: Path
) -> None:
    assert "there is no organisation Elsewhere" in carbon.refused("report", "--organisation", "Elsewhere")
    missing_folder = tmp_path / "nowhere" / "report.csv"
    result = carbon.run("export", "--from", "FY2024", "--output-file", str(missing_folder))
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
