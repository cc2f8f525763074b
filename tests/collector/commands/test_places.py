"""Spaces and the organisation by the command line: dated, audited, and refused with a remedy where they make no sense."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from agent.cli import main
from collector.database.engine import Database
from collector.database.schema import audit_log
from collector.estate import Placement, place
from collector.rolling import Due, write_ledger
from tests.collector.hosts import Host, deliver, new_host, recent_half_hour

Command = Callable[..., Result]


@pytest.fixture
def opened(tmp_path: Path, sqlite_database: Database) -> Database:
    """The database of a collector that has run before."""
    (tmp_path / "collector-id").write_text("collector-1")
    return sqlite_database


@pytest.fixture
def ictagent(tmp_path: Path) -> Command:
    def run(*words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--state-directory", str(tmp_path)])

    return run


def in_a_data_room(database: Database) -> Host:
    host = new_host(database, recent_half_hour())
    with database.write() as connection:
        wanted = Placement(site="County Hall", space="Room 2", kind="data_room")
        place(connection, host.enrolled.device_id, wanted, "test", host.start)
    return host


def test_a_pue_needs_its_source_and_shows_with_it(opened: Database, ictagent: Command) -> None:
    in_a_data_room(opened)
    refused = ictagent("estate", "space", "set", "County Hall", "Room 2", "--pue", "1.5")
    assert (refused.exit_code, "--source" in refused.stderr) == (2, True)
    words = ["--pue", "1.5", "--low", "1.4", "--high", "1.7", "--source", "metered in May"]
    assert ictagent("estate", "space", "set", "County Hall", "Room 2", *words).exit_code == 0
    [row] = json.loads(ictagent("estate", "space", "list", "--output", "json").stdout)
    assert (row["pue"], row["low"], row["high"], row["source"]) == (1.5, 1.4, 1.7, "metered in May")
    assert "1.4 to 1.7" in ictagent("estate", "space", "list").stdout
    with opened.read() as connection:
        acts = list(connection.execute(select(audit_log.c.action)).scalars())
    assert acts[-1] == "space.pue"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["County Hall", "Room 9", "--kind", "office"], "ictagent estate space list"),
        (["County Hall", "Room 2", "--pue", "0.5", "--source", "x"], "at least 1"),
        (["County Hall", "Room 2", "--pue", "1.5", "--low", "1.6", "--source", "x"], "--low and --high around --pue"),
        (["County Hall", "Room 2", "--pue", "1.5", "--source", "x", "--from", "2999-01-01"], "lies ahead"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    opened: Database, ictagent: Command, words: list[str], said: str
) -> None:
    in_a_data_room(opened)
    result = ictagent("estate", "space", "set", *words)
    assert result.exit_code == 1
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_nothing_to_set_is_wrong_usage(opened: Database, ictagent: Command) -> None:
    assert ictagent("estate", "space", "set", "County Hall", "Room 2").exit_code == 2


def test_the_organisation_is_shown_and_set(opened: Database, ictagent: Command) -> None:
    words = ["--name", "Example Council", "--year-rule", "calendar", "--count-host-missing"]
    assert ictagent("estate", "organisation", *words).exit_code == 0
    shown = json.loads(ictagent("estate", "organisation", "--output", "json").stdout)
    assert shown == {
        "name": "Example Council",
        "time_zone": "Europe/London",
        "year_rule": "calendar",
        "count_host_missing": True,
        "schools": "in",
        "poe_rule": "on",
        "others": [],
    }
    assert ictagent("estate", "organisation", "--time-zone", "Mars/Base").exit_code == 1


def test_what_figures_rest_on_cannot_change_once_a_half_hour_is_written(opened: Database, ictagent: Command) -> None:
    host = in_a_data_room(opened)
    assert ictagent("estate", "organisation", "--time-zone", "Europe/Dublin").exit_code == 0
    deliver(opened, host, *host.reports(1800, every=600))
    with opened.write() as connection:
        write_ledger(connection, [Due(host.enrolled.device_id, int(time.time()), "collector-1")])
    for words in (["--time-zone", "Europe/London"], ["--year-rule", "blended"]):
        refused = ictagent("estate", "organisation", *words)
        assert refused.exit_code == 1
        assert "cannot change any more" in refused.stderr
    assert ictagent("estate", "organisation", "--name", "Other", "--time-zone", "Europe/Dublin").exit_code == 0


def shown(ictagent: Command, *words: str) -> Any:
    """What a command printed as JSON, which must succeed."""
    result = ictagent(*words, "--output", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_second_organisation_has_settings_and_a_boundary_of_its_own(opened: Database, ictagent: Command) -> None:
    assert shown(ictagent, "estate", "organisation", "--add", "Other District")["name"] == "Other District"
    assert (
        "is an organisation Other District already"
        in ictagent("estate", "organisation", "--add", "Other District").stderr
    )
    words = ("--organisation", "Other District", "--schools", "out", "--reason", "they report for themselves")
    assert shown(ictagent, "estate", "organisation", *words)["schools"] == "out"
    assert shown(ictagent, "estate", "organisation")["schools"] == "in"
    assert ictagent("estate", "organisation", "--schools", "out").exit_code == 2
    assert "there is no organisation Nowhere" in ictagent("estate", "organisation", "--organisation", "Nowhere").stderr
    with opened.read() as connection:
        acts = list(connection.execute(select(audit_log.c.action)).scalars())
    assert acts[-2:] == ["organisation.add", "organisation.boundary"]


def test_a_site_has_an_address_from_a_day_on(opened: Database, ictagent: Command) -> None:
    in_a_data_room(opened)
    place_of = ("estate", "site", "set", "County Hall")
    assert ictagent(*place_of, "--postcode", "EX1 1AA", "--uprn", "100023336956").exit_code == 0
    assert ictagent(*place_of, "--tenure", "landlord").exit_code == 0
    [site] = shown(ictagent, "estate", "site", "list")
    assert (site["detail"]["postcode"], site["detail"]["tenure"]) == ("EX1 1AA", "landlord")
    assert "is no postcode" in ictagent(*place_of, "--postcode", "nowhere").stderr
    assert "there is no site Atlantis" in ictagent("estate", "site", "set", "Atlantis", "--uprn", "1").stderr
    assert "lies ahead" in ictagent(*place_of, "--uprn", "1", "--from", "2099-01-01").stderr
