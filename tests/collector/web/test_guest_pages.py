"""Pages and API of hosts with guests: where the energy goes, what a machine had of its host, and nothing of others'."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import insert

from agent.report import Choice
from collector.database.schema import organisation
from tests.collector.guests import OTHER, UUID, Runs, machine, other_organisation, with_guests
from tests.collector.hosts import Host, deliver, new_host, recent_half_hour
from tests.collector.web.served import Served, serving
from tests.collector.web.test_pages import Document

HOSTILE = "<script>alert('x')</script>"


@dataclass
class Hall:
    """A collector with a host of three guests, one of which has an agent, and a host without any."""

    served: Served
    host: Host
    guest: Host
    lone: Host

    def page(self, host: Host) -> Document:
        answer = self.served.client.get(f"/devices/{host.enrolled.device_id}")
        assert answer.status_code == 200, answer.text
        document = Document()
        document.feed(answer.text)
        return document

    def path(self, host: Host) -> str:
        return f"/v1/devices/{host.enrolled.device_id}/guests"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with serving(tmp_path_factory.mktemp("hall")) as served:
        database, start = served.collector.database, recent_half_hour(4)
        host, guest, lone = (new_host(database, start, inventory=one) for one in (None, machine(UUID), None))
        guest.choice = Choice("estimate", [], {})
        runs = [
            Runs("web", UUID, processors=12),
            Runs(HOSTILE, OTHER, vcpus=8),
            Runs("lxc-101", vcpus=0, memory_bytes=0, processors=1),
        ]
        deliver(database, host, *with_guests(host.reports(7200, every=600), runs))
        for one in (guest, lone):
            deliver(database, one, *one.reports(7200, every=600))
        served.settle()
        yield Hall(served, host, guest, lone)


def test_the_page_of_a_host_shows_where_its_energy_goes(hall: Hall) -> None:
    page = hall.page(hall.host)
    rows = page.table("Parts of this host's energy")
    assert [row[0] for row in rows[1:]] == ["web", HOSTILE, "lxc-101", "the host itself", "headroom", "the host"]
    assert rows[1][1] == "virtual machine (libvirt), 4 vCPU, 16 GiB"
    assert rows[3][1] == "container (libvirt), no limit of processors, no limit of memory"
    assert sum(float(row[-1].removesuffix("%")) for row in rows[1:-1]) == pytest.approx(100, abs=0.3)
    links = [attributes.get("href") for tag, attributes in page.elements if tag == "a"]
    assert f"/devices/{hall.guest.enrolled.device_id}" in links
    pictures = [attributes for tag, attributes in page.elements if tag == "img" and "guests" in attributes["alt"]]
    assert [one["src"].startswith("data:image/svg+xml;base64,") for one in pictures] == [True]
    assert "script" not in [tag for tag, _ in page.elements]


def test_the_page_of_a_virtual_machine_shows_its_host_and_its_part(hall: Hall) -> None:
    page = hall.page(hall.guest)
    [_, row] = page.table("of each host that ran it")
    assert row[0] == "web01"
    assert "This is a guest of its host" in page.text
    assert "whose host is not known" not in page.text
    links = [attributes.get("href") for tag, attributes in page.elements if tag == "a"]
    assert f"/devices/{hall.host.enrolled.device_id}" in links


def test_a_host_without_guests_has_no_such_section(hall: Hall) -> None:
    page = hall.page(hall.lone)
    assert "Where its energy goes" not in page.text
    assert "Its part of its host" not in page.text
    answer = hall.served.client.get(hall.path(hall.lone)).json()
    assert (answer["as_host"], answer["as_guest"]) == (None, [])


def test_the_api_adds_up_to_the_ledgers_energy(hall: Hall) -> None:
    times = {"from": "2020-01-01", "to": "2020-01-02"}
    assert hall.served.client.get(hall.path(hall.host), params=times).json()["as_host"] is None
    answer = hall.served.client.get(hall.path(hall.host)).json()
    shared = answer["as_host"]
    for name in ("energy_uj", "low_uj", "high_uj"):
        parts = [*shared["guests"], shared["host_itself"], shared["headroom"]]
        assert sum(one[name] for one in parts) == shared["whole"][name]
    ledger = hall.served.client.get(
        "/v1/energy",
        params={
            "from": _iso(answer["from"]),
            "to": _iso(answer["to"]),
            "device_id": hall.host.enrolled.device_id,
        },
    ).json()
    assert shared["whole"]["energy_uj"] == sum(one["measured_uj"] + one["estimated_uj"] for one in ledger["half_hours"])
    [mine] = hall.served.client.get(hall.path(hall.guest)).json()["as_guest"]
    [same] = [one for one in shared["guests"] if one["device_id"] == hall.guest.enrolled.device_id]
    assert mine["energy_uj"] == same["energy_uj"] > 0
    assert mine["host_id"] == hall.host.enrolled.device_id


def _iso(at: int) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("parameters", "status"),
    [({"from": "2026-01-01"}, 400), ({"from": "x", "to": "y"}, 400), ({"since": "1"}, 400), ({}, 404)],
)
def test_a_wrong_question_is_told_what_is_wrong(hall: Hall, parameters: dict[str, str], status: int) -> None:
    path = hall.path(hall.host) if status == 400 else "/v1/devices/nobody/guests"
    answer = hall.served.client.get(path, params=parameters)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "remedy"}


def test_the_list_says_whose_guest_a_device_is(hall: Hall) -> None:
    rows = {one["device_id"]: one for one in hall.served.client.get("/v1/devices").json()["devices"]}
    row = rows[hall.guest.enrolled.device_id]
    assert (row["host_id"], row["host_missing"], row["counted"]) == (hall.host.enrolled.device_id, False, False)


def test_nobody_counts_guests_of_an_organisation_that_is_not_theirs(hall: Hall) -> None:
    """Whose devices a route shows is checked by test_roles for every route; this is the name of a guest's own device."""
    database = hall.served.collector.database
    with database.write() as connection:
        values = {
            "name": "Elsewhere",
            "time_zone": "Europe/London",
            "year_rule": "majority",
            "count_host_missing": False,
        }
        theirs = connection.execute(insert(organisation).values(values).returning(organisation.c.id)).scalar_one()
    start = recent_half_hour(4)
    twin = new_host(database, start, inventory=machine(OTHER, "theirs"))
    other_organisation(database, twin, theirs)
    deliver(database, twin, *twin.reports(600, every=600))
    shared = hall.served.client.get(hall.path(hall.host)).json()["as_host"]
    [other] = [one for one in shared["guests"] if one["system_uuid"] == OTHER]
    assert (other["device_id"], other["host_name"]) == ("", "")
