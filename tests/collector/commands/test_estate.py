"""`ictagent estate`: what is listed, and edits that are dated, audited and leave the past as it was."""

import time
from typing import Any

import pytest

from carbon.spaces import ASSUMED
from tests.collector.commands.conftest import Installation
from tests.collector.web.estate_of_tests import Machine, desktop, history


def half_hours(installation: Installation, name: str) -> list[dict[str, Any]]:
    """The written half-hours of a device."""
    now = int(time.time())
    parameters = {"from": iso(now - 86_400), "to": iso(now + 86_400), "device_id": installation.hosts[name].device_id}
    rows: list[dict[str, Any]] = installation.served.client.get("/v1/energy", params=parameters).json()["half_hours"]
    return rows


def iso(unix_seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix_seconds))


def intensity(row: dict[str, Any]) -> float:
    """Kilograms a kilowatt-hour of ICT energy."""
    microjoules: int = row["measured_uj"] + row["estimated_uj"]
    return float(row["total_kg"]) / microjoules * 3.6e12


def test_list_shows_every_device_as_the_api_does(untouched: Installation) -> None:
    lines = untouched.done("estate", "list").splitlines()
    assert lines[0].split() == ["device", "name", "site", "space", "power", "method", "state"]
    assert len(lines) == 1 + len(untouched.hosts)
    [web01] = [line for line in lines if "web01" in line]
    assert "County Hall" in web01
    assert "measured" in web01
    assert web01.endswith("heard")
    listed = {one["device_id"]: one for one in untouched.json("estate", "list")}
    for one in untouched.served.client.get("/v1/devices").json()["devices"]:
        same = listed[one["device_id"]]
        assert all(one[name] == value for name, value in same.items() if name != "silent_seconds")


def test_show_has_inventory_sources_and_the_choice_of_meters(untouched: Installation) -> None:
    text = untouched.done("estate", "show", "web01")
    for words in ("PowerEdge R640", "a meter of the whole machine", "acpi/power1", "no powercap tree"):
        assert words in text
    detail = untouched.json("estate", "show", untouched.hosts["web01"].device_id)
    assert detail["inventory"]["host_name"] == "web01"
    assert detail["choice"]["meters"] == ["acpi/power1"]


def test_an_edit_is_audited_and_shows_everywhere_at_once(installation: Installation) -> None:
    device_id = installation.hosts["pc01"].device_id
    place = ("--site", "Library", "--space", "Room 2", "--kind", "office", "--owner", "Ann", "--directorate", "Place")
    assert installation.done("estate", "set", "pc01", *place) == f"{device_id} is set\n"
    shown = installation.served.client.get(f"/v1/devices/{device_id}").json()
    expected = {"site": "Library", "space": "Room 2", "owner": "Ann", "directorate": "Place"}
    assert {name: shown[name] for name in expected} == expected
    [(actor, action, subject, detail)] = installation.audited()
    assert actor.startswith("cli:")
    assert (action, subject, detail) == ("estate.set", device_id, {**expected, "kind": "office"})


def test_an_edit_changes_only_what_is_given_and_empty_text_clears(installation: Installation) -> None:
    installation.done("estate", "set", "pc01", "--site", "Library", "--owner", "Ann")
    installation.done("estate", "set", "pc01", "--directorate", "Place")
    installation.done("estate", "set", "pc01", "--owner", "")
    shown = installation.served.client.get(f"/v1/devices/{installation.hosts['pc01'].device_id}").json()
    assert (shown["site"], shown["owner"], shown["directorate"]) == ("Library", "", "Place")


def test_another_site_leaves_the_space_of_the_old_one(installation: Installation) -> None:
    installation.done("estate", "set", "pc01", "--site", "Library", "--space", "Room 2", "--kind", "office")
    installation.done("estate", "set", "pc01", "--site", "Depot")
    shown = installation.served.client.get(f"/v1/devices/{installation.hosts['pc01'].device_id}").json()
    assert (shown["site"], shown["space"]) == ("Depot", "")


def test_a_space_changes_the_carbon_from_then_on_and_not_the_past(installation: Installation) -> None:
    before = half_hours(installation, "web01")
    assert len(before) > 5
    installation.done("estate", "set", "web01", "--space", "Data room", "--kind", "data_room")
    now = int(time.time())
    installation.served.collector.roll_due(now + 3600)
    rows = half_hours(installation, "web01")
    assert rows[: len(before)] == before, "what was true then stays"
    changed = [row for row in rows if row["half_hour"] >= now - now % 1800]
    assert changed
    for row in changed:
        assert intensity(row) == pytest.approx(intensity(before[-1]) * ASSUMED["data_room"].value)


def test_another_kind_of_the_same_space_leaves_the_past_too(installation: Installation) -> None:
    before = half_hours(installation, "db01")
    assert len(before) > 5
    installation.done("estate", "set", "db01", "--kind", "cooled_cupboard")
    installation.served.collector.roll_due(int(time.time()) + 3600)
    rows = half_hours(installation, "db01")
    assert rows[: len(before)] == before
    assert intensity(rows[-1]) == pytest.approx(intensity(before[-1]) * ASSUMED["cooled_cupboard"].value)


def test_a_retired_device_is_out_of_the_list_stays_counted_and_comes_back(installation: Installation) -> None:
    device_id = installation.hosts["web01"].device_id
    before = half_hours(installation, "web01")
    assert installation.done("estate", "retire", "web01") == f"{device_id} is retired\n"
    assert device_id not in {one["device_id"] for one in installation.json("estate", "list")}
    assert [one["device_id"] for one in installation.json("estate", "list", "--retired")] == [device_id]
    assert installation.done("estate", "list", "--retired").endswith("retired\n")
    assert half_hours(installation, "web01") == before
    assert installation.done("estate", "retire", "--undo", device_id) == f"{device_id} is in use again\n"
    assert device_id in {one["device_id"] for one in installation.json("estate", "list")}
    assert half_hours(installation, "web01") == before
    assert [(action, subject) for _, action, subject, _ in installation.audited()] == [
        ("estate.retire", device_id),
        ("estate.unretire", device_id),
    ]


def test_retiring_twice_does_not_move_the_day(installation: Installation) -> None:
    installation.done("estate", "retire", "web01")
    [before] = installation.json("estate", "list", "--retired")
    assert "--undo" in installation.refused("estate", "retire", "web01")
    [after] = installation.json("estate", "list", "--retired")
    assert before["retired_at"] == after["retired_at"]
    installation.done("estate", "retire", "web01", "--undo")
    assert "is in use" in installation.refused("estate", "retire", "web01", "--undo")
    assert len(installation.audited()) == 2, "a refusal is no act"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "nobody"), "estate list"),
        (("set", "nobody", "--site", "X"), "there is no device nobody"),
        (("retire", "nobody"), "there is no device nobody"),
        (("set", "pc01", "--space", "Room 2", "--kind", "office"), "--site"),
        (("set", "web01", "--space", "Room 2"), "--kind"),
        (("set", "web01", "--kind", "office"), "--space"),
    ],
)
def test_a_refusal_is_one_line_with_the_remedy_and_changes_nothing(
    untouched: Installation, arguments: tuple[str, ...], words: str
) -> None:
    assert words in untouched.refused("estate", *arguments)
    assert untouched.audited() == []


def test_a_name_that_two_devices_have_is_not_guessed(installation: Installation) -> None:
    twin = installation.served.enrol("twin")
    twin.send(history(Machine(desktop("pc01")), int(time.time()), 0.05))
    line = installation.refused("estate", "retire", "pc01")
    assert twin.device_id in line
    assert installation.hosts["pc01"].device_id in line
    assert "give the device id" in line


def test_setting_nothing_or_a_kind_that_is_none_is_wrong_usage(untouched: Installation) -> None:
    assert untouched.run("estate", "set", "web01").exit_code == 2
    assert untouched.run("estate", "set", "web01", "--kind", "castle").exit_code == 2
    assert untouched.run("estate", "paint", "web01").exit_code == 2


def test_what_a_terminal_might_obey_is_not_printed(installation: Installation) -> None:
    installation.done("estate", "set", "web01", "--site", "\x1b[31mred\nline")
    listed = installation.done("estate", "list")
    assert "\x1b" not in listed
    assert "?[31mred?line" in listed
    assert len(listed.splitlines()) == 1 + len(installation.hosts)


def test_without_a_database_the_line_says_what_to_do(installation: Installation) -> None:
    installation.directory /= "elsewhere"
    for command in (("estate", "list"), ("ledger", "show", "x"), ("collector", "token", "list")):
        assert "run the collector first" in installation.refused(*command)
