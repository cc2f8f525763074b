"""`ictagent collector audit list`: filtered, bounded, as table, JSON and CSV."""

import csv
import io
import json

import pytest

from collector.database.audit import audit
from tests.collector.commands.conftest import Installation

DAY = 86_400


@pytest.fixture
def acts(bare: Installation) -> Installation:
    """Three acts on three days of January 1970, and one that holds what CSV has to quote."""
    with bare.served.collector.database.write() as connection:
        audit(connection, DAY, "user:anna", "login", "anna", {"address": "192.0.2.1"})
        audit(connection, 2 * DAY, "user:unknown name", "login.failed", "unknown name", {"address": "192.0.2.2"})
        audit(connection, 3 * DAY, "cli:root", "site.rename", 'County "Hall", West\n%', {"to": "100%"})
    return bare


def subjects(acts: Installation, *options: str) -> list[str]:
    return [one["action"] for one in acts.json("collector", "audit", "list", *options)]


def test_the_newest_come_first_and_no_more_than_asked_for(acts: Installation) -> None:
    assert subjects(acts) == ["site.rename", "login.failed", "login"]
    assert subjects(acts, "--limit", "1") == ["site.rename"]


def test_every_word_of_the_filter_has_to_be_there_and_is_taken_as_written(acts: Installation) -> None:
    assert subjects(acts, "--filter", "LOGIN 192.0.2") == ["login.failed", "login"]
    assert subjects(acts, "--filter", "192.0.2.2") == ["login.failed"]
    assert subjects(acts, "--filter", "%") == ["site.rename"]
    assert subjects(acts, "--filter", "_") == []


def test_a_period_begins_with_its_first_day_and_ends_before_its_last(acts: Installation) -> None:
    assert subjects(acts, "--from", "1970-01-03") == ["site.rename", "login.failed"]
    assert subjects(acts, "--to", "1970-01-03") == ["login"]
    assert subjects(acts, "--from", "1970-01-02", "--to", "1970-01-03") == ["login"]


def test_csv_holds_what_the_log_holds(acts: Installation) -> None:
    rows = list(csv.DictReader(io.StringIO(acts.done("collector", "audit", "list", "--output", "csv"))))
    assert rows[0]["object"] == 'County "Hall", West\n%'
    assert json.loads(rows[0]["detail"]) == {"to": "100%"}
    assert [row["at"] for row in rows] == ["1970-01-04T00:00:00Z", "1970-01-03T00:00:00Z", "1970-01-02T00:00:00Z"]


@pytest.mark.parametrize("name", ['=HYPERLINK("http://evil.test")', "+1", "-1", "@SUM(1)", "\t=1"])
def test_csv_holds_no_formula(bare: Installation, name: str) -> None:
    with bare.served.collector.database.write() as connection:
        audit(connection, DAY, name, "site.rename", name, {})
    [row] = csv.DictReader(io.StringIO(bare.done("collector", "audit", "list", "--output", "csv")))
    assert (row["actor"], row["object"]) == (f"'{name}", f"'{name}")


def test_a_table_shows_one_act_a_line(acts: Installation) -> None:
    printed = acts.done("collector", "audit", "list").splitlines()
    assert printed[0].split() == ["at", "actor", "action", "object", "detail"]
    assert len(printed) == 4
    assert acts.run("collector", "audit", "list", "--filter", "nothing has this").stderr == "no act matches\n"
