"""What feeds what: proposals from all that is known, links that a person makes, ends and withdraws; on both databases."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from agent.report import Inventory, NetworkCard
from collector.database.engine import Database
from collector.database.schema import audit_log, meter, meter_edge, power_link
from collector.errors import BadRequest, NotFound
from collector.estate import Placement, place, retire
from collector.power_path import (
    WantedLink,
    end_link,
    find_place,
    linked_meters,
    links,
    make_link,
    take_up_link,
    withdraw_link,
)
from collector.power_proposals import Proposal, confirm, proposals, reject
from collector.power_view import power_path
from collector.snmp.interfaces import Interface
from collector.snmp.neighbour_store import note_neighbours
from collector.snmp.neighbours import Neighbour
from collector.snmp.path_search import search
from collector.snmp.readings import Reading
from tests.collector.hosts import Host, deliver, new_host, recent_half_hour
from tests.snmp.power_path_of_tests import Polled, device_reading, interface, reading

ACTOR = "user:pat"


@dataclass
class Room:
    """A rack: a PDU and a PoE switch that are polled, two servers with agents."""

    database: Database
    pdu: Polled
    switch: Polled
    web: Host
    store: Host

    def write(self, change: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        with self.database.write() as connection:
            return change(connection, *arguments, **more)

    def read(self, query: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        with self.database.read() as connection:
            return query(connection, *arguments, **more)

    def search(self, now: int | None = None) -> int:
        def write(handler: Callable[[Connection], int]) -> int:
            with self.database.write() as connection:
                return handler(connection)

        return search(self.database, write, int(time.time()) if now is None else now)

    def proposed(self, state: str | None = "proposed") -> dict[tuple[str, str], Proposal]:
        """Proposals by place and the device fed."""
        return {(one.place, one.child_device_id): one for one in self.read(proposals, state)}

    def link(self, place_name: str, child: str, **more: Any) -> int:
        """Link an outlet of the PDU from the start of the test's time on."""

        def change(connection: Connection) -> int:
            found = find_place(connection, self.pdu.device_id, place_name)
            return make_link(
                connection, WantedLink(self.pdu.device_id, found, child, **({"begins": self.pdu.start} | more)), ACTOR
            )

        return int(self.write(change))


def outlets(*names: str, watts: float = 50) -> list[Reading]:
    return [reading("outlet", str(number), name, watts) for number, name in enumerate(names, 1)]


def polled(database: Database, start: int, kind: str, name: str, readings: Sequence[Reading], **more: Any) -> Polled:
    """A polled device that was read twice and whose page has its reading."""
    one = Polled(database, start, lambda _: device_reading(kind, readings, name), name=name, **more)
    one.run((0, 60))
    one.show()
    return one


def named_host(database: Database, start: int, name: str, mac: str = "", **more: Any) -> Host:
    cards = [NetworkCard("eth0", mac)] if mac else []
    one = new_host(
        database, start, inventory=Inventory(host_name=name, platform="physical", network_cards=cards, **more)
    )
    deliver(database, one, one.report(0, 60))
    return one


PORTS: list[Interface] = [interface(number, f"Gi1/0/{number}") for number in range(1, 5)]
MAC = "00:1b:2c:3d:4e:5f"


@pytest.fixture
def room(sqlite_database: Database) -> Room:
    return furnished(sqlite_database)


@pytest.fixture
def room_on_either(database: Database) -> Room:
    """The same on SQLite and on PostgreSQL: for what their SQL may tell apart."""
    return furnished(database)


def furnished(database: Database) -> Room:
    start = recent_half_hour(6)
    web = named_host(database, start, "web01.corp.example")
    store = named_host(database, start, "store02", MAC)
    names = ("WEB01 PSU A", "web01 psu b", "store02", "spare", "Outlet 5", "core-1 left")
    pdu = polled(database, start, "pdu", "pdu-1", outlets(*names))
    ports = [reading("poe_port", f"1.{number}", f"Port {number}", 6.5 if number < 3 else 0.0) for number in (1, 2, 3)]
    switch = polled(database, start, "switch", "core-1", ports, interfaces=PORTS)
    return Room(database, pdu, switch, web, store)


def test_outlets_names_propose_the_devices_they_mean_and_link_none(room_on_either: Room) -> None:
    room = room_on_either
    assert room.search() == 4
    web, store = (one.enrolled.device_id for one in (room.web, room.store))
    found = room.proposed()
    assert set(found) == {
        ("outlet/1", web),
        ("outlet/2", web),
        ("outlet/3", store),
        ("outlet/6", room.switch.device_id),
    }
    assert found["outlet/1", web].evidence[0].how == "outlet_name"
    assert found["outlet/3", store].score > found["outlet/1", web].score
    assert room.read(links) == []
    assert room.search() == 0, "the same again is nothing new"


def test_neighbours_at_ports_that_give_power_propose_what_the_ports_feed(room: Room) -> None:
    seen = [
        Neighbour("lldp", 1, "Gi1/0/1", chassis_subtype="mac", chassis_id=MAC, system_name="something else"),
        Neighbour("lldp", 2, "Gi1/0/2", system_name="web01"),
        Neighbour("lldp", 3, "Gi1/0/3", chassis_subtype="mac", chassis_id=MAC),
    ]
    room.write(note_neighbours, room.switch.device_id, seen, int(time.time()))
    room.search()
    found = {key: one for key, one in room.proposed().items() if key[0].startswith("poe")}
    assert set(found) == {
        ("poe_port/1.1", room.store.enrolled.device_id),
        ("poe_port/1.2", room.web.enrolled.device_id),
    }
    by_mac, by_name = found.values()
    assert by_mac.score > by_name.score
    assert MAC in by_mac.evidence[0].detail


def test_a_name_of_two_devices_proposes_both_with_little_score(room: Room) -> None:
    other = named_host(room.database, room.pdu.start, "web01.dmz.example")
    room.search()
    found = room.proposed()
    both = [found["outlet/1", one.enrolled.device_id] for one in (room.web, other)]
    assert all(one.score < 0.5 for one in both)


def test_the_same_space_speaks_for_a_link_and_another_site_against_it(room: Room) -> None:
    room.search()
    web, store = room.web.enrolled.device_id, room.store.enrolled.device_id
    before = room.proposed()
    now = int(time.time())
    room.write(place, room.pdu.device_id, Placement("Hall", "Rack room", "data_room"), ACTOR, now)
    room.write(place, web, Placement("Hall", "Rack room", "data_room"), ACTOR, now)
    room.write(place, store, Placement("Library"), ACTOR, now)
    room.search()
    after = room.proposed()
    assert after["outlet/1", web].score > before["outlet/1", web].score
    assert after["outlet/3", store].score < before["outlet/3", store].score
    assert "Library" in after["outlet/3", store].evidence[-1].detail


def test_a_confirmed_proposal_is_a_link_and_its_place_is_proposed_no_more(room_on_either: Room) -> None:
    room = room_on_either
    room.search()
    web = room.web.enrolled.device_id
    number = room.proposed()["outlet/1", web].id
    assert room.write(confirm, number, ACTOR, room.pdu.start) == number
    [link] = room.read(links)
    assert (link.place, link.child_device_id, link.share, link.valid_from) == ("outlet/1", web, 1.0, room.pdu.start)
    named_host(room.database, room.pdu.start, "web01.dmz.example")
    room.search()
    assert not [key for key in room.proposed() if key[0] == "outlet/1"]
    with pytest.raises(BadRequest, match="linked already"):
        room.write(confirm, number, ACTOR)
    audited = room.read(
        lambda connection: connection.execute(select(audit_log).where(audit_log.c.action.like("path.%"))).one()
    )
    assert (audited.actor, audited.action, audited.object) == (ACTOR, "path.confirm", room.pdu.device_id)
    assert json.loads(audited.detail)["place"] == "outlet/1"


def test_a_rejected_proposal_is_not_made_again_until_that_is_undone(room: Room) -> None:
    room.search()
    number = room.proposed()["outlet/3", room.store.enrolled.device_id].id
    room.write(reject, number, ACTOR)
    room.search()
    assert number not in {one.id for one in room.proposed().values()}
    assert {one.id for one in room.proposed("rejected").values()} == {number}
    with pytest.raises(BadRequest, match="rejected"):
        room.write(reject, number, ACTOR)
    room.write(reject, number, ACTOR, undo=True)
    assert number in {one.id for one in room.proposed().values()}


def test_a_proposal_goes_when_the_outlet_is_renamed_and_when_the_device_is_retired(room: Room) -> None:
    now = int(time.time())
    room.search(now)
    web, store = room.web.enrolled.device_id, room.store.enrolled.device_id
    room.pdu.read = lambda _: device_reading("pdu", outlets("web01", "spare", "store02"), "pdu-1")
    room.pdu.show()
    room.write(retire, store, ACTOR, now, "collector-1")
    room.search(now + 1)
    assert set(room.proposed()) == {("outlet/1", web)}


def test_an_ended_link_stays_in_the_past_and_can_be_taken_up_again(room: Room) -> None:
    web, start = room.web.enrolled.device_id, room.pdu.start
    number = room.link("outlet/1", web)
    room.write(end_link, number, start + 3600, ACTOR)
    assert [one.valid_to for one in room.read(links)] == [start + 3600]
    assert [one.id for one in room.read(links, None, start + 1800)] == [number]
    assert room.read(links, None, start + 3600) == []
    with pytest.raises(BadRequest, match="ended already"):
        room.write(end_link, number, start + 3600, ACTOR)
    room.write(take_up_link, number, ACTOR)
    assert [one.valid_to for one in room.read(links)] == [None]


def test_an_ended_link_is_not_taken_up_again_over_what_stands_in_its_place(room: Room) -> None:
    web, store, start = room.web.enrolled.device_id, room.store.enrolled.device_id, room.pdu.start
    number = room.link("outlet/1", web)
    room.write(end_link, number, start + 3600, ACTOR)
    room.link("outlet/1", store, begins=start + 3600)
    with pytest.raises(BadRequest, match="no part left"):
        room.write(take_up_link, number, ACTOR)
    with pytest.raises(BadRequest, match="begins at or after"):
        room.write(end_link, room.link("outlet/2", web), start, ACTOR)


def test_a_withdrawn_link_never_was_and_is_a_proposal_again(room_on_either: Room) -> None:
    room = room_on_either
    room.search()
    web = room.web.enrolled.device_id
    number = room.proposed()["outlet/1", web].id
    room.write(confirm, number, ACTOR)
    room.write(withdraw_link, number, ACTOR)
    assert room.read(lambda connection: connection.execute(select(func.count()).select_from(meter_edge)).scalar()) == 0
    assert room.proposed()["outlet/1", web].decided_by == ""
    by_hand = room.link("outlet/4", web)
    room.write(withdraw_link, by_hand, ACTOR)
    assert room.read(lambda one: one.execute(select(power_link.c.id).where(power_link.c.id == by_hand)).all()) == []
    with pytest.raises(NotFound):
        room.write(withdraw_link, by_hand, ACTOR)


def test_a_pair_can_be_linked_again_after_it_ended(room: Room) -> None:
    web, start = room.web.enrolled.device_id, room.pdu.start
    first = room.link("outlet/1", web, ends=start + 1800)
    again = room.link("outlet/1", web, begins=start + 3600)
    assert again == first
    assert [(one.valid_from, one.valid_to) for one in room.read(links)] == [
        (start, start + 1800),
        (start + 3600, None),
    ]
    room.write(withdraw_link, again, ACTOR)
    assert [one.valid_to for one in room.read(links)] == [start + 1800]


def test_what_cannot_be_is_refused_with_what_to_do(room: Room) -> None:
    web = room.web.enrolled.device_id
    with pytest.raises(BadRequest, match="itself"):
        room.link("outlet/1", room.pdu.device_id)
    with pytest.raises(BadRequest, match="future"):
        room.link("outlet/1", web, begins=int(time.time()) + 7200)
    with pytest.raises(NotFound, match="no device"):
        room.link("outlet/1", "000000000000")
    with pytest.raises(NotFound, match="no place 'outlet/99'"):
        room.link("outlet/99", web)
    room.link("outlet/6", room.switch.device_id)

    def back(connection: Connection) -> int:
        port = find_place(connection, room.switch.device_id, "poe_port/1.1")
        return make_link(connection, WantedLink(room.switch.device_id, port, room.pdu.device_id, room.pdu.start), ACTOR)

    with pytest.raises(BadRequest, match="circle") as caught:
        room.write(back)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("named", "meter_name"), [("outlet/3", "outlet/3"), ("Store02", "outlet/3"), ("3", "outlet/3"), ("", "whole")]
)
def test_a_place_is_named_by_its_meter_its_label_or_its_number(room: Room, named: str, meter_name: str) -> None:
    room.pdu.read = lambda _: device_reading(
        "pdu", [*outlets("WEB01", "spare", "store02"), reading("inlet", "1", "Inlet", 150)], "pdu-1"
    )
    room.pdu.show()
    assert room.read(find_place, room.pdu.device_id, named).meter == meter_name


def test_a_poe_port_is_followed_once_it_is_linked(room: Room) -> None:
    def port(connection: Connection) -> int:
        found = find_place(connection, room.switch.device_id, "poe_port/1.1")
        return make_link(
            connection,
            WantedLink(room.switch.device_id, found, room.store.enrolled.device_id, room.switch.start),
            ACTOR,
        )

    assert room.read(linked_meters) == {}
    number = room.write(port)
    room.switch.before.feeds.linked = room.read(linked_meters)[room.switch.device_id]
    room.switch.run(range(120, 1860, 60))
    room.switch.roll()
    sources = room.read(lambda one: dict(one.execute(select(meter.c.name, meter.c.source)).all()))
    assert sources["poe_port/1.1"] == "snmp_poe"
    assert "poe_port/1.2" not in sources
    room.write(end_link, number, room.switch.start + 1800, ACTOR)
    assert room.read(linked_meters) == {}


def test_both_feeds_of_a_device_are_compared_with_its_own_reading(room: Room) -> None:
    web = room.web.enrolled.device_id
    for outlet in ("outlet/1", "outlet/2"):
        room.link(outlet, web)
    with room.database.read() as connection:
        shown = power_path(connection, web, room.pdu.start + 60)
    assert [one.watts for one in shown.fed_by] == [50, 50]
    assert shown.comparison is not None
    own = shown.comparison.own_watts
    assert shown.comparison.difference_watts == pytest.approx(100 - own)
    assert shown.comparison.difference_percent == pytest.approx(100 * (100 - own) / own)


def test_nothing_is_compared_while_an_outlet_tells_no_watts(room: Room) -> None:
    web = room.web.enrolled.device_id
    room.link("outlet/1", web)
    with room.database.read() as connection:
        later = power_path(connection, web, room.pdu.start + 3600)
    assert later.comparison is None
    assert "WEB01 PSU A" in later.why_not_compared
    room.pdu.read = lambda _: device_reading("pdu", [reading("outlet", "1", "x", 0.4, "current")], "pdu-1")
    room.pdu.show()
    with room.database.read() as connection:
        assert power_path(connection, web, room.pdu.start + 60).comparison is None


def test_an_outlet_without_readings_has_a_meter_once_it_is_linked(room: Room) -> None:
    names = lambda one: set(one.execute(select(meter.c.name).where(meter.c.device_id == room.pdu.device_id)).scalars())  # noqa: E731  # short
    room.pdu.read = lambda _: device_reading("pdu", [reading("outlet", "9", "x", 0.4, "current")], "pdu-1")
    room.pdu.run((120, 180, 600))
    room.pdu.show()
    assert "outlet/9" not in room.read(names)
    room.link("outlet/9", room.web.enrolled.device_id)
    assert "outlet/9" in room.read(names)


def test_of_two_people_who_link_an_outlet_at_once_one_is_told_of_the_other(postgres_database: Database) -> None:
    room = furnished(postgres_database)
    devices = (room.web.enrolled.device_id, room.store.enrolled.device_id)
    room.write(withdraw_link, room.link("outlet/1", devices[0]), ACTOR)  # its meter is there from now on
    first_has_linked, second_asks = threading.Event(), threading.Event()
    refused: list[str] = []

    def second() -> None:
        first_has_linked.wait(10)
        second_asks.set()
        try:
            room.link("outlet/1", devices[1])
        except BadRequest as error:
            refused.append(error.message)

    other = threading.Thread(target=second)
    other.start()
    with room.database.write() as connection:
        found = find_place(connection, room.pdu.device_id, "outlet/1")
        make_link(connection, WantedLink(room.pdu.device_id, found, devices[0], room.pdu.start), ACTOR)
        first_has_linked.set()
        second_asks.wait(10)
        other.join(0.5)  # it waits for this transaction
    other.join(10)
    assert refused == [f"there is no part left: what passes here goes to {devices[0]} (share 1)"]
    assert [(one.child_device_id, one.share) for one in room.read(links)] == [(devices[0], 1.0)]
