"""Access points of controllers, as devices of the estate whose energy is in exactly one place. On both databases."""

import json
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from agent.report import SampleTime
from carbon.calendar import HALF_HOUR_SECONDS
from collector.database.engine import Database
from collector.database.schema import device, device_accounting, managed_device, snmp_device
from collector.estate import retire
from collector.segments import load_segments
from collector.snmp.devices import NewDevice, PollOutcome, add_device, note_polls
from collector.snmp.managed import ManagedDevice
from collector.snmp.managed_report import ManagedState, managed_report
from collector.snmp.managed_store import ManagedFound, ToRecord, note_managed
from collector.snmp.neighbours import Neighbour
from collector.snmp.poe_feed import Feed, SeenAtPort, feed_of, feeding, note_feed, port_watts

HALL = ManagedDevice("1", "access_point", "Cisco", "ap-hall", "AIR-AP2802I", "FCW1", "00:1b:2c:00:00:01", online=True)
STORE = ManagedDevice("2", "access_point", "Cisco", "ap-store", "AIR-AP2802I", "FCW2", "00:1b:2c:00:00:02", online=True)


def polled(database: Database, host: str, kind: str) -> str:
    with database.write() as connection:
        return add_device(connection, NewDevice(host, kind=kind), "test")


def told(database: Database, controller: str, at: int, *found: ManagedDevice) -> list[ToRecord]:
    with database.write() as connection:
        return note_managed(connection, [ManagedFound(controller, at, found)])[0]


def switch_sees(database: Database, switch: str, watts: float | None, at: int = 1000) -> None:
    """HALL at port Gi1/0/7, which gives `watts`."""
    row = {"role": "poe_port", "quantity": "power", "name": "Gi1/0/7", "oid": "1.3.6.1.7", "value": watts}
    reading = json.dumps({"readings": [] if watts is None else [row]})
    seen = (Neighbour("lldp", 7, "Gi1/0/7", "mac", HALL.mac),)
    with database.write() as connection:
        note_polls(connection, [PollOutcome(switch, at, "ok", reading=reading, neighbours=seen)])


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


def test_a_port_is_found_by_its_name_or_its_interface() -> None:
    def reading(**changes: object) -> str:
        row = {"role": "poe_port", "quantity": "power", "name": "port 7", "oid": "1.3.6.1.1.7", "value": 4.5}
        return json.dumps({"readings": [row | changes]})

    assert port_watts(reading(), 7, "Gi1/0/7") == 4.5
    assert port_watts(reading(name="Gi1/0/9"), None, "Gi1/0/9") == 4.5
    assert port_watts(reading(), 8, "Gi1/0/8") is None
    assert port_watts(reading(role="outlet"), 7, "Gi1/0/7") is None
    assert port_watts("", 7, "Gi1/0/7") is None


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
PORTS = st.lists(
    st.builds(
        SeenAtPort,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["1", "2"]),
        st.sampled_from([None, 0.0, 0.2, 4.0, 12.0]),
    ),
    max_size=3,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(60, 2400), PORTS), min_size=1, max_size=6))
def test_an_access_points_energy_is_in_exactly_one_place_however_knowledge_changes(
    sqlite_database: Database, changes: Sequence[tuple[int, Sequence[SeenAtPort]]]
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
