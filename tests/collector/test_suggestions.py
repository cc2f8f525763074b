"""Neighbours that the estate does not know, told as suggestions, on both databases."""

from collector.database.engine import Database
from collector.snmp.devices import NewDevice, PollOutcome, add_device, note_polls
from collector.snmp.evidence import Recognised, note_evidence
from collector.snmp.neighbour_store import seen_neighbours
from collector.snmp.neighbours import Neighbour
from collector.snmp.suggestions import recognised, suggestions

NETWORKS = ("10.1.0.0/16", "2001:db8::/32")


def seen(number: int, name: str = "", **changes: object) -> Neighbour:
    values = {"chassis_subtype": "mac", "chassis_id": f"00:1b:2c:00:00:{number:02x}", "system_name": name}
    return Neighbour("lldp", number, f"Gi1/0/{number}", **(values | changes))  # type: ignore[arg-type]  # by name


def polled(database: Database, host: str, *found: Neighbour, name: str = "", mac: str = "") -> str:
    with database.write() as connection:
        device_id = add_device(connection, NewDevice(host, name=name), "test")
        note_polls(connection, [PollOutcome(device_id, 1000, "ok", neighbours=found, mac_address=mac)])
    return device_id


def test_what_the_estate_knows_is_not_suggested(database: Database) -> None:
    unknown = seen(9, "ap-hall", addresses=("192.168.7.9", "10.1.9.9"), capabilities=("access_point",))
    by_mac, by_address, by_serial = seen(1), seen(2, addresses=("10.1.2.4",)), seen(3, serial="FCW1")
    by_name = seen(4, "core")
    edge = polled(database, "10.1.2.3", by_mac, by_address, by_serial, by_name, unknown, name="edge")
    other = polled(database, "10.1.2.4", mac="00:1b:2c:00:00:01")
    with database.write() as connection:
        note_evidence(connection, other, {"serial": ["FCW1"], "host_name": ["core"]}, 1000)
    with database.read() as connection:
        known = recognised(connection, seen_neighbours(connection, edge))
        found = suggestions(connection, NETWORKS)
    assert known == [
        Recognised(other, "mac_address"),
        Recognised(other, "address"),
        Recognised(other, "serial"),
        Recognised(other, "host_name"),
        None,
    ]
    assert [(one.neighbour, one.allowed) for one in found] == [(unknown, "10.1.9.9")]
    assert [(place.device, place.port) for place in found[0].seen_at] == [("edge", "Gi1/0/9")]


def test_one_that_several_see_is_suggested_once(database: Database) -> None:
    polled(database, "10.1.2.3", seen(9, "core", addresses=("192.168.7.9",)), name="edge-1")
    polled(database, "10.1.2.4", seen(9, "core", addresses=("192.168.7.9",)), seen(8, "ap"), name="edge-2")
    with database.read() as connection:
        found = suggestions(connection, NETWORKS)
    assert [(one.neighbour.system_name, one.allowed, len(one.seen_at)) for one in found] == [
        ("ap", "", 1),
        ("core", "", 2),
    ]


def test_what_two_devices_have_tells_nothing(database: Database) -> None:
    edge = polled(database, "10.1.2.3", seen(1, "switch"))
    for host in ("10.1.2.4", "10.1.2.5"):
        device_id = polled(database, host)
        with database.write() as connection:
            note_evidence(connection, device_id, {"host_name": ["switch"]}, 1000)
    with database.read() as connection:
        assert recognised(connection, seen_neighbours(connection, edge)) == [None]
