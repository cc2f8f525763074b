"""Class profiles by the command line: shown with their source, set with their dates, taken back, and beside what is read."""

import csv
import datetime
import io
import json
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from agent.cli import main
from agent.report import Inventory
from carbon.class_profiles import packaged_profiles
from collector.database.engine import Database, open_database
from collector.database.migrate import migrate
from collector.database.schema import audit_log, ledger_day
from collector.rolling import Due, write_ledger
from tests.collector.hosts import deliver, new_host, recent_half_hour

Command = Callable[..., Result]
LAPTOP = packaged_profiles()["laptop"]
KWH = ("office_kwh", "office_low_kwh", "office_high_kwh", "home_kwh", "home_low_kwh", "home_high_kwh")


@pytest.fixture
def opened(tmp_path: Path, sqlite_database: Database) -> Database:
    """The database of a collector that has run before."""
    (tmp_path / "collector-id").write_text("collector-1")
    return sqlite_database


def command_on(directory: Path) -> Command:
    """`ictagent estate profile` on a database."""

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, ["estate", "profile", *words, "--state-directory", str(directory)])

    return run


@pytest.fixture
def profile(opened: Database, tmp_path: Path) -> Command:
    del opened
    return command_on(tmp_path)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The same on a database that the tests of this module leave as it is."""
    directory = tmp_path_factory.mktemp("untouched")
    database = open_database(directory / "ictagent.db")
    migrate(database)
    database.close()
    return command_on(directory)


def done(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def told(profile: Command, *words: str) -> Any:
    return json.loads(done(profile(*words, "--output", "json")))


def test_every_packaged_profile_is_listed_with_its_source_and_its_years_energy(untouched: Command) -> None:
    rows = {row["class"]: row for row in told(untouched, "list")}
    assert set(rows) == set(packaged_profiles())
    laptop = rows["laptop"]
    year = LAPTOP.year_wh(datetime.datetime.now(datetime.UTC).year) / 1000
    assert laptop["office_kwh_a_year"] + laptop["home_kwh_a_year"] == pytest.approx(float(year), abs=0.002)
    assert (laptop["source"], laptop["whose"], laptop["read_devices"]) == (LAPTOP.source, "packaged", 0)
    listed = list(csv.DictReader(io.StringIO(done(untouched("list", "--output", "csv")))))
    assert [row["class"] for row in listed] == list(rows)
    assert "laptop" in done(untouched("list"))


def test_a_profile_is_set_from_a_day_on_shown_with_its_past_and_taken_back(opened: Database, profile: Command) -> None:
    before = told(profile, "show", "laptop")
    words = ("--hours-active", "4.5", "--source", "staff survey", "--from", "2026-04-01")
    done(profile("set", "laptop", *words))
    first, second = told(profile, "show", "laptop")
    assert (first["until"], first["own"], first["profile"]["source"]) == ("2026-04-01", False, LAPTOP.source)
    assert (second["from"], second["until"], second["own"]) == ("2026-04-01", None, True)
    assert second["profile"] == {**first["profile"], "hours_active": 4.5, "source": "staff survey"}
    shown = done(profile("show", "laptop"))
    assert "staff survey" in shown
    assert "4.5" in shown
    done(profile("reset", "laptop", "--from", "2026-05-01"))
    assert [one["own"] for one in told(profile, "show", "laptop")] == [False, True, False]
    done(profile("undo", "laptop", "--from", "2026-05-01"))
    done(profile("undo", "laptop", "--from", "2026-04-01"))
    assert told(profile, "show", "laptop") == before
    with opened.read() as connection:
        acts = list(connection.execute(select(audit_log.c.action).order_by(audit_log.c.id)).scalars())
    assert acts[-4:] == ["profile.set", "profile.reset", "profile.undo", "profile.undo"]


def test_numbers_make_energy_whose_parts_add_up_by_any_key(profile: Command) -> None:
    done(profile("count", "laptop", "5000", "--source", "licences", "--from", "2026-01-01"))
    done(profile("count", "monitor", "30", "--site", "=Hall", "--source", "walk", "--from", "2026-02-15"))
    done(profile("count", "monitor", "70", "--directorate", "Housing", "--source", "walk", "--from", "2026-02-15"))
    span = ("months", "--from", "2026-01", "--to", "2026-03")
    whole = told(profile, *span)
    for key in ("class", "site", "directorate"):
        found = told(profile, *span, "--by", key)
        assert found["total"] == whole["total"]
        for name in ("office_kwh", "home_kwh"):
            parts = sum(Decimal(row[name]) for row in found["rows"])
            assert abs(parts - Decimal(found["total"][name])) < Decimal("1e-18")
    january = next(row for row in whole["rows"] if row["month"] == "2026-01")
    assert (january["class"], january["device_days"]) == ("laptop", "155000")
    assert Decimal(january["office_low_kwh"]) / Decimal(january["office_kwh"]) == Decimal("0.6")
    listed = list(csv.DictReader(io.StringIO(done(profile(*span, "--by", "site", "--output", "csv")))))
    assert {row["site"] for row in listed} == {"", "'=Hall"}
    assert "total" in done(profile(*span))


def test_bounds_of_several_classes_are_narrower_than_their_sum(profile: Command) -> None:
    for name in ("laptop", "desktop"):
        done(profile("count", name, "100", "--source", "x", "--from", "2026-01-01"))
    found = told(profile, "months", "--from", "2026-01", "--to", "2026-01")
    width = {
        row.get("class", "all"): Decimal(row["office_high_kwh"]) - Decimal(row["office_kwh"])
        for row in (*found["rows"], found["total"])
    }
    in_quadrature = (width["laptop"] ** 2 + width["desktop"] ** 2).sqrt()
    assert float(width["all"]) == pytest.approx(float(in_quadrature), rel=1e-9)


def test_a_number_is_listed_and_taken_back(profile: Command) -> None:
    done(profile("count", "laptop", "5000", "--source", "licences", "--from", "2026-01-01"))
    done(profile("count", "laptop", "0", "--source", "in the register", "--from", "2026-06-01"))
    assert [(row["count"], row["from"], row["until"]) for row in told(profile, "counts")] == [
        (5000, "2026-01-01", "2026-06-01"),
        (0, "2026-06-01", None),
    ]
    done(profile("uncount", "laptop", "--from", "2026-06-01"))
    assert [(row["count"], row["until"]) for row in told(profile, "counts")] == [(5000, None)]
    assert "5000" in done(profile("counts"))
    assert done(profile("counts", "--output", "csv")).splitlines()[1] == "laptop,,,,5000,2026-01-01,,licences"


def test_laptops_that_are_read_stand_beside_the_profile_and_out_of_its_energy(
    opened: Database, profile: Command
) -> None:
    half_hour = recent_half_hour(4)
    inventory = Inventory(host_name="nb01", platform="physical", chassis="laptop", cpu_model="i5", cpu_cores=4)
    host = new_host(opened, half_hour, inventory=inventory)
    deliver(opened, host, *host.reports(3600, every=600))
    with opened.write() as connection:
        write_ledger(connection, [Due(host.enrolled.device_id, int(time.time()), "collector-1")])
    done(profile("count", "laptop", "10", "--source", "x", "--from", "2026-01-01"))
    row = next(row for row in told(profile, "list") if row["class"] == "laptop")
    with opened.read() as connection:
        columns = func.min(ledger_day.c.local_day), func.max(ledger_day.c.local_day)
        first, last = map(datetime.date.fromisoformat, connection.execute(select(*columns)).one())
    days = (last - first).days + 1
    # 100 W of processor packages for an hour, and the model's estimate of the rest of the machine on top.
    assert row["read_devices"] == 1
    assert row["read_kwh_a_month"] >= 0.1 / days * 365.2425 / 12
    assert row["read_to_profile"] == pytest.approx(row["read_kwh_a_month"] / row["profile_kwh_a_month"], rel=0.01)
    assert "1 used" in done(profile("list"))
    assert "outside of its band" in done(profile("list"))
    month = f"{first:%Y-%m}"
    if first.day > 1:  # on the first day of a month no day of it is over
        [energy] = told(profile, "months", "--from", month, "--to", month)["rows"]
        assert int(energy["device_days"]) % 9 == 0  # one of the ten is read


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("set", "laptop", "--hours-active", "40", "--source", "x"), 1, "at most 24"),
        (("set", "laptop", "--hours-active", "4"), 2, "--source"),
        (("set", "laptop", "--source", "x"), 2, "nothing to set"),
        (("set", "switch", "--watts-idle", "40", "--source", "x"), 1, "--watts-active"),
        (("set", "laptop", "--home-share", "1", "--source", "x", "--from", "2999-01-01"), 1, "lies ahead"),
        (("set", "toaster", "--home-share", "1", "--source", "x"), 2, "toaster"),
        (("show", "switch"), 1, "has no profile"),
        (("reset", "laptop"), 1, "no profile of its own"),
        (("undo", "laptop", "--from", "2026-01-01"), 1, "nothing of laptop"),
        (("count", "laptop", "5", "--space", "Room", "--source", "x"), 1, "--site"),
        (("count", "laptop", "-5", "--source", "x"), 2, "-5"),
        (("uncount", "laptop", "--site", "Nowhere", "--from", "2026-01-01"), 1, "no site Nowhere"),
        (("uncount", "laptop", "--from", "2026-01-01"), 1, "no such number"),
        (("months", "--from", "2026-05", "--to", "2026-04"), 2, "lies after"),
        (("list", "--organisation", "Nobody"), 1, "no organisation Nobody"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(
    untouched: Command, words: tuple[str, ...], code: int, said: str
) -> None:
    result = untouched(*words)
    assert result.exit_code == code, result.output
    assert said in result.stderr


def test_a_class_without_a_profile_is_told_when_it_is_counted(profile: Command) -> None:
    result = profile("count", "switch", "20", "--source", "x")
    assert result.exit_code == 0
    assert "switch has no profile" in result.stderr
    assert "no device needs a profile" in profile("months").stderr
