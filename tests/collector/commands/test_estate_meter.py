"""The metering tree by the command line: what meters measure, what they feed, drawn with its shares; each act taken back."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from agent.cli import main
from collector.database.engine import Database
from collector.database.schema import audit_log, diagnosis, meter_place
from collector.metering_alarms import alarms_of_yesterday, note_alarms
from tests.collector.estate_of_tests import KWH, EstateOfTests

DAY = 24 * 3600
Command = Callable[..., Result]
START = time.time_ns() // 10**9 // DAY * DAY - 5 * DAY
END = START + 4 * DAY


@pytest.fixture
def opened(sqlite_database: Database) -> Database:
    """A room with a UPS that feeds a server and a switch, 10, 3 and 2 kWh a day, and a supply meter."""
    with sqlite_database.write() as connection:
        estate = EstateOfTests(connection)
        room = estate.room("County Hall", "Room 2")
        for name, kind, kwh in (("ups-1", "ups", 0.5), ("web01", "host", 3.0), ("sw-1", "switch", 2.0)):
            estate.device(name, kind, room=room)
            estate.measure(estate.own_meter(name), START, END, round(kwh * KWH / 48))
        estate.measure(estate.meter("ups-1", "whole"), START, END, 10 * KWH // 48)
        supply = estate.device("supply", "meter", None)
        estate.measure(estate.meter(supply, "mpan/1012345678901"), START, END, 90 * KWH // 48)
    return sqlite_database


@pytest.fixture
def ictagent(opened: Database, tmp_path: Path) -> Command:
    def run(*words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--state-directory", str(tmp_path)])

    return run


def feed(ictagent: Command, *words: str) -> None:
    """Link from before anything was measured."""
    result = ictagent("estate", "meter", "feed", *words, "--from", "2020-01-01")
    assert result.exit_code == 0, result.output


def months() -> list[str]:
    """The months that the test's four days lie in."""
    return sorted({time.strftime("%Y-%m", time.gmtime(at)) for at in range(START, END, DAY)})


def drawn(ictagent: Command) -> dict[str, float]:
    """Kilowatt-hours a day by how they are known, of all months together."""
    sums: dict[str, float] = {}
    for month in months():
        result = ictagent("estate", "show", "--tree", "--month", month, "--output", "json")
        assert result.exit_code == 0, result.output
        body = json.loads(result.stdout)
        for name, uj in {
            **body["shares"],
            "withheld_uj": body["withheld_uj"],
            "not_ict_uj": body["not_ict_uj"],
        }.items():
            sums[name] = round(sums.get(name, 0) + uj / KWH / 4, 6)
    return sums


def test_the_tree_is_drawn_with_what_is_measured_and_what_is_not_explained(ictagent: Command) -> None:
    assert drawn(ictagent)["total_uj"] == 5.5
    feed(ictagent, "ups-1", "web01")
    assert drawn(ictagent)["withheld_uj"] == 7, "the switch beside it may hang on it too"
    feed(ictagent, "ups-1", "sw-1")
    shares = drawn(ictagent)
    assert (shares["measured_uj"], shares["unexplained_uj"], shares["total_uj"]) == (5.5, 5, 10.5)
    table = ictagent("estate", "show", "--tree", "--month", months()[-1]).stdout
    lines = [line for line in table.splitlines() if line.strip()]
    order = [line.split()[0] for line in lines if line.startswith(("County", "  ")) and "kWh beside" not in line]
    assert order[:5] == ["County", "Room", "ups-1", "whole", "sw-1"]
    assert any(line.strip().startswith("not explained") for line in lines)


def test_a_building_is_set_shown_apart_and_taken_back(ictagent: Command, opened: Database) -> None:
    words = ["estate", "meter", "set", "1012345678901", "--purpose", "whole_building", "--from", "2020-01-01"]
    dry = ictagent(*words, "--dry-run")
    assert (dry.exit_code, "would be set" in dry.stdout) == (0, True)
    with opened.read() as connection:
        assert connection.execute(select(meter_place)).first() is None
    assert ictagent(*words).exit_code == 0
    assert "so already" in ictagent(*words).stdout
    table = ictagent("estate", "show", "--tree", "--month", months()[-1]).stdout
    [line] = [line for line in table.splitlines() if "mpan/1012345678901" in line]
    assert line.strip().startswith("supply mpan/1012345678901")
    assert "a whole building's" in line
    assert drawn(ictagent)["total_uj"] == 5.5
    feed(ictagent, "supply", "ups-1", "--place", "mpan/1012345678901")
    assert drawn(ictagent)["not_ict_uj"] == 89.5
    rows = json.loads(ictagent("estate", "meter", "list", "--output", "json").stdout)
    assert {row["name"]: (row["purpose"], row["feeds"]) for row in rows} == {
        "mpan/1012345678901": ("whole_building", ["ups-1"]),
        "whole": ("ict", []),
    }
    assert ictagent("estate", "meter", "set", "1012345678901", "--undo").exit_code == 0
    with opened.read() as connection:
        assert connection.execute(select(meter_place)).first() is None
        acts = list(connection.execute(select(audit_log.c.action).order_by(audit_log.c.id)).scalars())
    assert acts == ["meter.set", "path.link", "meter.unset"]


def test_a_link_into_one_of_two_inlets_is_drawn_listed_shared_and_taken_back(
    ictagent: Command, opened: Database
) -> None:
    with opened.write() as connection:
        estate = EstateOfTests(connection)
        pdu = estate.device("pdu-1", "pdu")
        for number in (1, 2):
            estate.measure(estate.meter(pdu, f"inlet/{number}"), START, END, 2 * KWH // 48)
    into = ("estate", "meter", "feed", "ups-1", "pdu-1", "--into", "inlet/2", "--share", "0.5", "--from", "2020-01-01")
    dry = ictagent(*into, "--dry-run")
    assert (dry.exit_code, dry.stdout.strip()) == (0, "it could be: ups-1 whole feeds pdu-1 at inlet/2")
    before = drawn(ictagent)
    assert _fed(ictagent)["ups-1", "whole"] == []
    made = ictagent(*into)
    assert made.exit_code == 0, made.output
    link = made.stdout.split(":")[0].removeprefix("link ")
    assert _fed(ictagent)["ups-1", "whole"] == ["pdu-1"]
    listed = json.loads(ictagent("snmp", "path", "list", "--state", "confirmed", "--output", "json").stdout)["links"]
    assert [(one["child_name"], one["child_place"], one["share"]) for one in listed] == [("pdu-1", "inlet/2", 0.5)]
    table = ictagent("estate", "show", "--tree", "--month", months()[-1]).stdout
    assert [line.split()[0] for line in table.splitlines() if "  whole" in line or "  pdu-1" in line] == [
        "whole",
        "pdu-1",
    ]
    for words in (["unlink", "--to", "2020-02-01"], ["unlink", "--undo"]):
        assert ictagent("snmp", "path", words[0], link, *words[1:]).exit_code == 0
        assert _fed(ictagent)["ups-1", "whole"] == ([] if "--to" in words else ["pdu-1"])
    assert ictagent("estate", "meter", "unfeed", link, "--as-if-never").exit_code == 0
    assert _fed(ictagent)["ups-1", "whole"] == []
    assert drawn(ictagent) == before


def test_a_poe_port_feeds_no_inlet(ictagent: Command, opened: Database) -> None:
    with opened.write() as connection:
        estate = EstateOfTests(connection)
        estate.meter("sw-1", "poe_port/7")
        estate.meter("web01", "inlet/1")
    refused = ictagent("snmp", "path", "link", "sw-1", "web01", "--place", "poe_port/7", "--into", "inlet/1")
    assert refused.exit_code == 1
    assert "a PoE port feeds the whole of a device" in refused.stderr


def _fed(ictagent: Command) -> dict[tuple[str, str], list[str]]:
    """What each meter feeds, as the list of meters has it."""
    rows = json.loads(ictagent("estate", "meter", "list", "--all", "--output", "json").stdout)
    return {(row["device"], row["name"]): row["feeds"] for row in rows}


def test_what_cannot_be_is_refused_with_what_to_do(ictagent: Command) -> None:
    for words, said in (
        (["ups-1", "--accounting", "always"], "needs a reason"),
        (["ups-9", "--purpose", "ict"], "there is no device ups-9"),
        (["ups-1", "--site", "Nowhere"], "no site Nowhere"),
        (["ups-1", "--site", "County Hall", "--space", "Room 9"], "no space Room 9"),
        (["ups-1:outlet/4", "--purpose", "ict"], "no place 'outlet/4'"),
        (["ups-1", "--point", "it", "--purpose", "whole_building", "--from", "2999-01-01"], "lies ahead"),
        (["ups-1", "--undo"], "nothing was said"),
    ):
        refused = ictagent("estate", "meter", "set", *words)
        assert (refused.exit_code, said in refused.stderr) == (1, True), refused.output


def test_the_latest_word_holds_and_taking_it_back_brings_the_one_before(ictagent: Command) -> None:
    for point, since in (("room_incomer", "2020-01-01"), ("building", "2020-02-01"), ("ups_output", "2020-02-01")):
        assert ictagent("estate", "meter", "set", "ups-1", "--point", point, "--from", since).exit_code == 0

    def now() -> str:
        rows = json.loads(ictagent("estate", "meter", "list", "--output", "json").stdout)
        return next(str(row["reading_point"]) for row in rows if row["name"] == "whole")

    assert now() == "ups_output"
    ictagent("estate", "meter", "set", "ups-1", "--undo")
    assert now() == "room_incomer"


def test_parts_that_exceed_their_meter_become_a_diagnosis_until_they_do_not(
    ictagent: Command, opened: Database
) -> None:
    with opened.write() as connection:
        estate = EstateOfTests(connection)
        pdu = estate.device("pdu-1", "pdu", None)
        estate.measure(estate.meter(pdu, "whole"), START, END, KWH // 48)
    feed(ictagent, "pdu-1", "web01")
    listed = json.loads(ictagent("estate", "meter", "alarms", "--output", "json").stdout)
    assert {one["device_id"] for one in listed} == {"pdu-1"}
    now = START + 4 * DAY
    for codes in (["parts_exceed_meter"], []):
        with opened.write() as connection:
            note_alarms(connection, alarms_of_yesterday(connection, now), now)
            assert list(connection.execute(select(diagnosis.c.code)).scalars()) == codes
        assert ictagent("estate", "meter", "unfeed", "1", "--as-if-never").exit_code == (0 if codes else 1)
