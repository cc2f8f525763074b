"""Access points of controllers, as devices of the estate whose energy is in exactly one place. On both databases."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from agent.report import NetworkCard, SampleTime
from carbon.calendar import HALF_HOUR_SECONDS
from collector.database.engine import Database
from collector.database.schema import device, device_accounting, device_feed, managed_device, snmp_device
from collector.estate import retire
from collector.segments import load_segments
from collector.snmp.device import DeviceReading
from collector.snmp.device_power import DevicePower
from collector.snmp.device_state import page_body
from collector.snmp.devices import NewDevice, PollOutcome, add_device, note_polls, remove_device
from collector.snmp.fed import seen_as_fed
from collector.snmp.identity import DeviceIdentity
from collector.snmp.managed import ManagedDevice
from collector.snmp.managed_report import ManagedState, managed_report
from collector.snmp.managed_store import ManagedFound, ToRecord, note_managed
from collector.snmp.neighbours import Neighbour
from collector.snmp.poe_feed import Feed, feed_of, feeding, note_feed
from collector.snmp.poll_plan import PARTS
from collector.snmp.polled import Poll
from collector.snmp.readings import Reading
from tests.collector.hosts import SERVER, deliver, new_host, recent_half_hour
from tests.collector.web.served import serving

HALL = ManagedDevice("1", "access_point", "Cisco", "ap-hall", "AIR-AP2802I", "FCW1", "00:1b:2c:00:00:01", online=True)
STORE = ManagedDevice("2", "access_point", "Cisco", "ap-store", "AIR-AP2802I", "FCW2", "00:1b:2c:00:00:02", online=True)


def polled(database: Database, host: str, kind: str) -> str:
    with database.write() as connection:
        return add_device(connection, NewDevice(host, kind=kind), "test")


def told(database: Database, controller: str, at: int, *found: ManagedDevice) -> list[ToRecord]:
    with database.write() as connection:
        return note_managed(connection, [ManagedFound(controller, at, found)])[0]


SEEN = Neighbour("lldp", 7, "Gi1/0/7", "mac", HALL.mac, capabilities=("access_point",))


def switch_says(database: Database, switch: str, told: DeviceReading, at: int = 1000) -> None:
    """A poll of a switch, as the poller writes it."""
    poll = Poll(SampleTime(at * 10**9, at * 10**9), "boot", told, [], frozenset(PARTS), None, 0.1)
    fed = tuple(seen_as_fed(told.fed))
    shown = page_body(poll, ([], []), [])
    with database.write() as connection:
        outcome = PollOutcome(switch, at, "ok", reading=shown, neighbours=tuple(told.neighbours), fed=fed)
        note_polls(connection, [outcome])


def switch_sees(database: Database, switch: str, watts: float | None, at: int = 1000, *, seen: bool = True) -> None:
    """HALL at port Gi1/0/7 of a switch that is measured; the port gives `watts`."""
    read = [] if watts is None else [Reading("1.7", "power", "W", watts, "poe_port", "Gi1/0/7", "test", index="1.7")]
    told = DeviceReading(
        DeviceIdentity("switch"), DevicePower(80.0, "device"), read, [], [], (), (SEEN,) if seen else ()
    )
    switch_says(database, switch, told, at)


def test_a_managed_access_point_is_one_device_under_whatever_controller(database: Database) -> None:
    first, second = (
        polled(database, "10.1.2.3", "wireless_controller"),
        polled(database, "10.1.2.4", "wireless_controller"),
    )
    ids = [one.device_id for one in told(database, first, 1000, HALL, STORE)]
    assert len(set(ids)) == 2
    assert [one.device_id for one in told(database, second, 2000, HALL)] == ids[:1]
    told(database, first, 2100, STORE)
    with database.read() as connection:
        rows = {row.device_id: row for row in connection.execute(select(managed_device))}
        kinds = connection.execute(select(device.c.kind).where(device.c.id.in_(ids))).scalars().all()
    assert (rows[ids[0]].controller_id, rows[ids[0]].absent_at) == (second, None)
    assert kinds == ["access_point", "access_point"]


def test_two_that_tell_one_serial_number_are_two_by_their_addresses(database: Database) -> None:
    controller = polled(database, "10.1.2.3", "wireless_controller")
    found = [replace(HALL, serial="SAME"), replace(STORE, serial="SAME")]
    first = [one.device_id for one in told(database, controller, 1000, *found)]
    assert len(set(first)) == 2
    assert [one.device_id for one in told(database, controller, 2000, *found)] == first


def test_one_that_its_controller_no_longer_tells_of_is_absent_and_stays(database: Database) -> None:
    controller = polled(database, "10.1.2.3", "wireless_controller")
    hall, _ = told(database, controller, 1000, HALL, STORE)
    told(database, controller, 2000, STORE)
    with database.read() as connection:
        row = connection.execute(select(managed_device).where(managed_device.c.device_id == hall.device_id)).one()
    assert (row.absent_at, row.online, row.last_seen_at) == (2000, False, 1000)
    assert told(database, controller, 3000, HALL)[0].device_id == hall.device_id


def test_one_that_a_person_retired_is_left_so(database: Database) -> None:
    controller = polled(database, "10.1.2.3", "wireless_controller")
    hall = told(database, controller, 1000, HALL)[0]
    with database.write() as connection:
        retire(connection, hall.device_id, "test", 1500, "c1")
    assert told(database, controller, 2000, HALL) == []
    with database.read() as connection:
        assert len(connection.execute(select(device.c.id)).all()) == 2


def test_one_that_is_polled_itself_is_the_same_device_and_reports_itself(database: Database) -> None:
    controller = polled(database, "10.1.2.3", "wireless_controller")
    itself = polled(database, "10.1.9.7", "access_point")
    with database.write() as connection:
        note_polls(connection, [PollOutcome(itself, 900, "ok", mac_address=HALL.mac)])
    assert told(database, controller, 1000, HALL) == []
    with database.read() as connection:
        assert connection.execute(select(managed_device.c.device_id)).scalars().all() == [itself]


def test_the_switch_that_reads_its_port_feeds_it_and_gives_its_power(database: Database) -> None:
    controller, switch = polled(database, "10.1.2.3", "wireless_controller"), polled(database, "10.1.2.5", "switch")
    hall = told(database, controller, 900, HALL)[0]
    assert hall.feed is None
    for watts, feed in ((7.5, Feed(switch, "Gi1/0/7", 7.5)), (None, Feed(switch, "Gi1/0/7", None)), (0.0, None)):
        switch_sees(database, switch, watts)
        assert told(database, controller, 1000, HALL)[0].feed == feed
    switch_sees(database, switch, 7.5)
    with database.write() as connection:
        connection.execute(update(snmp_device).where(snmp_device.c.device_id == switch).values(removed_at=1100))
    with database.read() as connection:
        assert feed_of(connection, hall.device_id) is None


def fed_by(database: Database, device_id: str) -> list[tuple[str, int, int | None]]:
    query = select(device_feed).where(device_feed.c.device_id == device_id).order_by(device_feed.c.id)
    with database.read() as connection:
        return [(row.switch_id, row.valid_from, row.valid_to) for row in connection.execute(query)]


def one_known_as(database: Database, how: str) -> str:
    """HALL as a device of the estate: polled itself, told by a controller, or a machine with an agent."""
    if how == "managed":
        return told(database, polled(database, "10.1.2.3", "wireless_controller"), 900, HALL)[0].device_id
    if how == "polled":
        itself = polled(database, "10.1.9.7", "access_point")
        with database.write() as connection:
            note_polls(connection, [PollOutcome(itself, 900, "ok", mac_address=HALL.mac)])
        return itself
    cards = [NetworkCard("docker0", "02:42:ac:11:00:02"), NetworkCard("eth0", HALL.mac.upper())]
    host = new_host(database, recent_half_hour(), inventory=replace(SERVER, network_cards=cards))
    deliver(database, host, *host.reports(60))
    return host.enrolled.device_id


@pytest.mark.parametrize("how", ["managed", "polled", "agent"])
def test_however_a_device_is_known_its_switch_feeds_it_from_its_poll_until_it_sees_it_no_longer(
    database: Database, how: str
) -> None:
    one, switch = one_known_as(database, how), polled(database, "10.1.2.5", "switch")
    switch_sees(database, switch, 7.5, 2000)
    switch_sees(database, switch, 7.5, 2100)
    assert fed_by(database, one) == [(switch, 2000, None)]
    switch_sees(database, switch, 7.5, 4000, seen=False)
    assert fed_by(database, one) == [(switch, 2000, 5400)]
    switch_sees(database, switch, None, 6000)
    switch_sees(database, switch, 0.0, 7300)
    assert fed_by(database, one)[1:] == [(switch, 6000, 9000)]


def test_a_feed_ends_with_its_switch_and_is_anothers_where_that_sees_it_too(database: Database) -> None:
    one = one_known_as(database, "polled")
    first, second = polled(database, "10.1.2.5", "switch"), polled(database, "10.1.2.6", "switch")
    switch_sees(database, first, 7.5, 2000)
    switch_sees(database, second, None, 2000)
    assert fed_by(database, one) == [(first, 2000, None)]
    with database.write() as connection:
        remove_device(connection, first, "test", "c1")
    assert [(row[0], row[2] is None) for row in fed_by(database, one)] == [(first, False), (second, True)]
    with database.write() as connection:
        retire(connection, second, "test", int(time.time()), "c1")
    assert all(row[2] is not None for row in fed_by(database, one))


def test_its_power_is_measured_by_the_switch_or_typical_of_its_kind() -> None:
    state, minute = ManagedState(), 60 * 10**9
    first = managed_report(HALL, None, state, SampleTime(10**18, minute))
    assert first.inventory is not None
    assert (first.inventory.serial, first.inventory.network_cards[0].mac_address) == ("FCW1", HALL.mac)
    assert first.readings == []
    second = managed_report(HALL, Feed("switch", "Gi1/0/7", 7.5), state, SampleTime(10**18 + minute, 2 * minute))
    assert second.inventory is None
    assert second.choice.meters == ["snmp_poe/power"]
    assert second.readings[0].values == [7.5]
    third = managed_report(HALL, None, state, SampleTime(10**18 + 2 * minute, 3 * minute))
    assert third.choice.meters == ["snmp_catalogue/power"]
    assert 3 < third.readings[0].values[0] < 25


AT = 1_700_000_000 // HALF_HOUR_SECONDS * HALF_HOUR_SECONDS
FEEDS = st.lists(
    st.builds(Feed, st.sampled_from("ab"), st.sampled_from("12"), st.sampled_from([None, 4.0, 12.0])), max_size=3
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(60, 2400), FEEDS), min_size=1, max_size=6))
def test_an_access_points_energy_is_in_exactly_one_place_however_knowledge_changes(
    sqlite_database: Database, changes: Sequence[tuple[int, Sequence[Feed]]]
) -> None:
    """In a half-hour in which a switch contained it at any time it is not counted, in every other it is."""
    with sqlite_database.write() as connection:
        ids = {name: add_device(connection, NewDevice(f"10.1.2.{ord(name)}"), "test") for name in "abc"}
        accounting = {"device_id": ids["c"], "basis": "machine", "meters": "[]", "why_not": "{}"}
        connection.execute(insert(device_accounting).values(**accounting, valid_from=AT, valid_to=None))
        at, now_fed = AT, False
        contained: set[int] = set()
        for pause, seen in changes:
            begun, at = at, at + pause
            if now_fed:
                contained.update(range(begun // HALF_HOUR_SECONDS, at // HALF_HOUR_SECONDS + 1))
            feed = feeding(seen)
            named = None if feed is None else Feed(ids[feed.switch_id], feed.port, feed.watts)
            note_feed(connection, ids["c"], named, at)
            now_fed = feed is not None
        end = (at // HALF_HOUR_SECONDS + 2) * HALF_HOUR_SECONDS
        if now_fed:
            contained.update(range(at // HALF_HOUR_SECONDS, end // HALF_HOUR_SECONDS))
        segments = load_segments(connection, AT, end, [ids["c"]])
        connection.rollback()
    for half_hour in range(AT // HALF_HOUR_SECONDS, end // HALF_HOUR_SECONDS):
        mine = [one for one in segments if one.start <= half_hour * HALF_HOUR_SECONDS < one.end]
        assert [one.counted for one in mine] == [half_hour not in contained]


def test_state_and_clients_are_shown_of_an_access_point_and_at_its_controller(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as served:
        database, client = served.collector.database, served.client
        controller = polled(database, "10.1.2.3", "wireless_controller")
        hall, store = told(database, controller, 1000, replace(HALL, clients=17), STORE)
        told(database, controller, 2000, replace(HALL, clients=17))
        shown = client.get(f"/v1/devices/{hall.device_id}/network").json()
        assert (shown["polling"], shown["managed_by"]["controller_id"]) == (None, controller)
        assert (shown["managed_by"]["online"], shown["managed_by"]["clients"]) == (True, 17)
        managed = client.get(f"/v1/devices/{controller}/network").json()["manages"]
        assert [(one["device_id"], one["absent_at"]) for one in managed] == [
            (hall.device_id, None),
            (store.device_id, 2000),
        ]
        assert "online, 17 clients" in client.get(f"/devices/{hall.device_id}").text
        page = client.get(f"/devices/{controller}").text
        assert f"/devices/{hall.device_id}" in page
        assert "absent since" in page
