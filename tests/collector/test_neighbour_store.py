"""Neighbours of polled devices in both databases: the newest state, and what is seen no longer."""

import dataclasses

from collector.database.engine import Database
from collector.snmp.devices import NewDevice, PollOutcome, add_device, note_polls, remove_device
from collector.snmp.neighbour_store import GONE_KEPT_SECONDS, seen_neighbours
from collector.snmp.neighbours import Neighbour

HALL = Neighbour(
    "lldp", 101, "Gi1/0/1", "mac", "00:1b:2c:3d:4e:5f", system_name="ap-hall", capabilities=("access_point",)
)
STORE = Neighbour("lldp", None, "", "mac", "00:1b:2c:3d:4e:60", system_name="ap-store", addresses=("10.1.9.21",))


def saw(database: Database, device_id: str, at: int, *found: Neighbour) -> None:
    with database.write() as connection:
        note_polls(connection, [PollOutcome(device_id, at, "ok", neighbours=found)])


def test_the_newest_state_of_each_neighbour_is_kept(database: Database) -> None:
    with database.write() as connection:
        switch = add_device(connection, NewDevice("10.1.2.3"), "test")
    saw(database, switch, 1000, HALL, STORE)
    renamed = dataclasses.replace(HALL, system_name="ap-entrance")
    saw(database, switch, 2000, renamed)
    with database.read() as connection:
        there = seen_neighbours(connection, switch)
        everything = seen_neighbours(connection, switch, gone=True)
    assert [(one.neighbour, one.first_seen_at, one.last_seen_at) for one in there] == [(renamed, 1000, 2000)]
    assert [(one.neighbour, one.gone_at) for one in everything if one not in there] == [(STORE, 2000)]
    saw(database, switch, 3000, renamed, STORE)
    with database.read() as connection:
        assert [one.gone_at for one in seen_neighbours(connection)] == [None, None]


def test_a_neighbour_long_gone_is_forgotten(database: Database) -> None:
    with database.write() as connection:
        switch = add_device(connection, NewDevice("10.1.2.3"), "test")
    saw(database, switch, 1000, HALL)
    saw(database, switch, 2000)
    saw(database, switch, 2001 + GONE_KEPT_SECONDS)
    with database.read() as connection:
        assert seen_neighbours(connection, gone=True) == []


def test_what_a_removed_device_saw_is_told_no_longer(database: Database) -> None:
    with database.write() as connection:
        switch = add_device(connection, NewDevice("10.1.2.3"), "test")
    saw(database, switch, 1000, HALL)
    with database.write() as connection:
        remove_device(connection, switch, "test", "c1")
    with database.read() as connection:
        assert seen_neighbours(connection) == []
