"""`ictagent collector deadletter`: refused lines with the reason, sent again, or dropped for good."""

import time

import pytest
from sqlalchemy import insert

from collector.database.schema import dead_letter
from tests.collector.commands.conftest import Installation
from tests.servers.process import wait_until

NOW_NS = time.time_ns()
REFUSED = "hw_host,device_id=d1 power_watts=7.5 " + str(NOW_NS)
CONFLICT = 'hw_host,device_id=d1 power_watts="much" ' + str(NOW_NS)
GARBLED = "no line at all"


@pytest.fixture
def refused(bare: Installation) -> Installation:
    """An installation with three refused lines: one whose reason is gone, one refused for ever, one that is no line."""
    rows = [
        {"target": "embedded", "line": line, "reason": f"reason of {at}", "created_at": int(time.time())}
        for at, line in enumerate((REFUSED, CONFLICT, GARBLED))
    ]
    with bare.served.collector.database.write() as connection:
        connection.execute(insert(dead_letter), [*rows, {**rows[0], "target": "influx"}])
    return bare


def lines(installation: Installation, *options: str) -> list[str]:
    return [one["line"] for one in installation.json("collector", "deadletter", "list", *options)]


def test_the_list_has_each_line_with_the_reason_and_can_be_of_one_store(refused: Installation) -> None:
    assert lines(refused) == [REFUSED, CONFLICT, GARBLED, REFUSED]
    assert lines(refused, "--target", "influx") == [REFUSED]
    table = refused.done("collector", "deadletter", "list").splitlines()
    assert table[0].split() == ["id", "store", "reason", "line"]
    assert len(table) == 5
    assert "reason of 1" in table[2]


def test_retried_lines_reach_the_store_and_what_is_refused_again_comes_back(refused: Installation) -> None:
    said = refused.done("collector", "deadletter", "retry", "--target", "embedded")
    assert said == "2 lines are sent again; 1 are no line protocol and stay\n"
    wait_until(lambda: CONFLICT in lines(refused), "the store to refuse it again")
    assert lines(refused, "--target", "embedded") == [GARBLED, CONFLICT]
    assert lines(refused, "--target", "influx") == [REFUSED], "the other store's stay"
    [series] = refused.served.collector.points.read("hw_host", NOW_NS, NOW_NS + 1, {"device_id": "d1"})
    assert series.points == [(NOW_NS, {"power_watts": 7.5})]
    [(_, action, subject, detail)] = refused.audited()
    assert (action, subject, detail) == ("deadletter.retry", "embedded", {"lines": 2})


def test_dropping_asks_first_and_is_audited(refused: Installation) -> None:
    assert refused.run("collector", "deadletter", "drop", input="n\n").exit_code == 1
    assert len(lines(refused)) == 4
    assert refused.done("collector", "deadletter", "drop", "--target", "influx", "--yes") == "1 lines are dropped\n"
    assert refused.done("collector", "deadletter", "drop", "--yes") == "3 lines are dropped\n"
    assert lines(refused) == []
    assert [(subject, detail["lines"]) for _, _, subject, detail in refused.audited()] == [("influx", 1), ("all", 3)]


def test_no_refused_line_is_said_in_words(bare: Installation) -> None:
    result = bare.run("collector", "deadletter", "list")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no line was refused\n")
    assert lines(bare) == []
