"""`ictagent ledger show`: the half-hours of a device, to the microjoule in JSON."""

import datetime
import time

import pytest

from carbon.calendar import local_day
from tests.collector.commands.conftest import Installation


def days() -> set[datetime.date]:
    """The local days that the hosts' five hours of history touch."""
    now = int(time.time())
    return {local_day(at - at % 1800, "Europe/London") for at in (now, now - 5 * 3600)}


def test_the_rows_of_the_days_are_the_ledgers(untouched: Installation) -> None:
    rows = [row for day in days() for row in untouched.json("ledger", "show", "web01", "--day", day.isoformat())]
    assert len(rows) > 5
    assert {row["meter"] for row in rows} == {"acpi/power1"}
    start = min(row["half_hour"] for row in rows)
    parameters = {
        "from": datetime.datetime.fromtimestamp(start, datetime.UTC).isoformat(),
        "to": datetime.datetime.fromtimestamp(start + 86_400, datetime.UTC).isoformat(),
        "device_id": untouched.hosts["web01"].device_id,
    }
    api = untouched.served.client.get("/v1/energy", params=parameters).json()["half_hours"]
    assert sum(row["measured_uj"] for row in rows) == sum(one["measured_uj"] for one in api)
    assert all(row["method"] == "measured" and row["revision"] == 1 for row in rows)


def test_the_table_has_a_line_a_row_and_says_how_each_was_got(untouched: Installation) -> None:
    lines = untouched.done("ledger", "show", "pc01", "--day", max(days()).isoformat()).splitlines()
    if lines:  # none is written in the first half-hour of a day
        assert "method" in lines[0]
        assert all("estimated" in line for line in lines[1:])
    rows = untouched.json("ledger", "show", "pc01", "--day", max(days()).isoformat())
    assert len(lines) == (1 + len(rows) if rows else 0)


def test_a_day_without_rows_says_so(untouched: Installation) -> None:
    result = untouched.run("ledger", "show", "web01", "--day", "2020-01-01")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no half-hour of this day is written" in result.stderr
    assert untouched.json("ledger", "show", "web01", "--day", "2020-01-01") == []


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "01/02/2026"])
def test_a_day_that_is_none_is_wrong_usage(untouched: Installation, day: str) -> None:
    assert untouched.run("ledger", "show", "web01", "--day", day).exit_code == 2


def test_an_unknown_device_is_refused_in_one_line(untouched: Installation) -> None:
    assert "estate list" in untouched.refused("ledger", "show", "nobody")
