"""A virtual machine with an agent and the host that runs it: one energy, counted once, whenever their reports come."""

from dataclasses import replace

import pytest
from sqlalchemy import insert, update

from agent.report import Choice, Inventory
from carbon.calendar import HALF_HOUR_SECONDS
from collector.database.engine import Database
from collector.database.schema import organisation
from collector.device_energy import half_hours, ledger_rows, rules_of
from collector.guest_links import link_uuid
from collector.guest_queries import on_hosts, shared_host
from collector.queries import devices
from collector.running_totals import running_totals
from collector.segments import load_segments
from collector.totals import month_totals
from tests.collector.guests import (
    OTHER,
    SWAPPED,
    UUID,
    Runs,
    attributed,
    machine,
    other_organisation,
    settle,
    stays_of,
    with_guests,
)
from tests.collector.hosts import Host, deliver, new_host, recent_half_hour

HALF_HOURS = 4
WEB = Runs("web", UUID)


def count_lone_guests(database: Database) -> None:
    with database.write() as connection:
        connection.execute(update(organisation).values(count_host_missing=True))


def lone_guest(database: Database, start: int, inventory: Inventory | None = None) -> Host:
    """A virtual machine with an agent, which estimates."""
    host = new_host(database, start, inventory=inventory or machine(UUID))
    host.choice = Choice("estimate", [], {})
    return host


def counted(database: Database, host: Host) -> list[bool]:
    """Whether each of four half-hours from the start is counted."""
    with database.read() as connection:
        end = host.start + HALF_HOURS * HALF_HOUR_SECONDS
        segments = load_segments(connection, host.start, end, [host.enrolled.device_id])
    return [
        next(one.counted for one in segments if one.start <= at < one.end)
        for at in range(host.start, host.start + HALF_HOURS * HALF_HOUR_SECONDS, HALF_HOUR_SECONDS)
    ]


def total_uj(database: Database, start: int) -> int:
    """All counted energy of the two days around."""
    with database.read() as connection:
        rules = rules_of(connection)
        first, last = rules.day(start - 86_400), rules.day(start + 86_400)
        return sum(one.energy.total_uj for one in month_totals(connection, rules, first, last).values())


def energy_of(database: Database, host: Host, indices: list[int]) -> int:
    """A device's own figures in some half-hours from its start, counted or not."""
    with database.read() as connection:
        end = host.start + HALF_HOURS * HALF_HOUR_SECONDS
        segments = load_segments(connection, host.start, end, [host.enrolled.device_id])
        ids = {one for segment in segments for one in segment.meter_ids}
        rows = half_hours(segments, ledger_rows(connection, ids, host.start, end))
    return sum(one.energy.total_uj for one in rows if (one.half_hour - host.start) // HALF_HOUR_SECONDS in indices)


@pytest.mark.parametrize("spelling", [UUID, SWAPPED, UUID.upper()])
def test_a_guest_is_withdrawn_for_the_half_hours_in_which_its_host_tells_of_it(
    database: Database, spelling: str
) -> None:
    count_lone_guests(database)
    start = recent_half_hour(6)
    guest, host = lone_guest(database, start, machine(spelling)), new_host(database, start)
    deliver(database, guest, *guest.reports(7200, every=600, step=60))
    settle(database)
    assert counted(database, guest) == [True] * 4
    alone = total_uj(database, start)
    assert alone == energy_of(database, guest, [0, 1, 2, 3]) > 0
    # The host is heard of late, and tells of the second and third half-hour only.
    host.start = start + 1800
    deliver(database, host, *with_guests(host.reports(3600, every=600, step=60), [WEB]))
    settle(database)
    assert counted(database, guest) == [True, False, False, True]
    assert total_uj(database, start) == energy_of(database, guest, [0, 3]) + energy_of(database, host, [0, 1])


def test_a_host_that_was_silent_in_between_leaves_its_guest_to_itself(database: Database) -> None:
    count_lone_guests(database)
    start = recent_half_hour(6)
    guest, host = lone_guest(database, start), new_host(database, start)
    deliver(database, guest, *guest.reports(7200, every=600, step=60))
    reports = with_guests(host.reports(7200, every=600, step=60), [WEB])
    away = [one for one in reports if one.samples[0].wall_ns // 10**9 >= start + 5400]
    deliver(database, host, *reports[:2], *away)
    settle(database)
    assert counted(database, guest) == [False, True, True, False]
    deliver(database, host, *reports[2:9])
    settle(database)
    assert counted(database, guest) == [False] * 4
    assert stays_of(database, host) == [(UUID, 0, 4)]


def test_links_do_not_depend_on_who_reports_first(database: Database) -> None:
    count_lone_guests(database)
    found = []
    start = recent_half_hour(6)
    for host_first in (True, False):
        guest, host = lone_guest(database, start, machine(UUID if host_first else OTHER)), new_host(database, start)
        runs = [replace(WEB, uuid=UUID if host_first else OTHER, last=4000)]
        both = [
            (guest, guest.reports(7200, every=600, step=60)),
            (host, with_guests(host.reports(7200, every=600, step=60), runs)),
        ]
        for one, reports in both if host_first else reversed(both):
            deliver(database, one, *reports)
            settle(database)
        found.append(counted(database, guest))
    assert found == [[False, False, False, True]] * 2


def test_a_machine_that_moves_has_a_part_of_each_host(database: Database) -> None:
    start = recent_half_hour(6)
    guest = lone_guest(database, start)
    first, second = new_host(database, start, watts=100), new_host(database, start, watts=200)
    deliver(database, guest, *guest.reports(3600, every=600, step=60))
    deliver(database, first, *with_guests(first.reports(3600, every=600, step=60), [replace(WEB, last=2400)]))
    moved = replace(WEB, first=2400, epoch="after-the-move")
    deliver(database, second, *with_guests(second.reports(3600, every=600, step=60), [moved]))
    settle(database)
    changing = start + 1800
    parts = [attributed(database, host)[changing] for host in (first, second)]
    assert [one.guests[UUID]["ran_seconds"] for one in parts] == [600, 1200]
    assert all(one.adds_up() for one in parts)
    with database.read() as connection:
        [segment] = load_segments(connection, changing, changing + 1800, [guest.enrolled.device_id])
        shares = on_hosts(connection, guest.enrolled.device_id, start, start + 3600)
    both = {first.enrolled.device_id, second.enrolled.device_id}
    assert set(segment.host_ids) == {one.host_id for one in shares} == both
    by_host = {one.host_id: one for one in shares}
    for host in (first, second):
        written = [one.guests[UUID]["energy_uj"] for one in attributed(database, host).values() if UUID in one.guests]
        assert by_host[host.enrolled.device_id].energy_uj == sum(written)
        assert by_host[host.enrolled.device_id].half_hours == len(written)


@pytest.mark.parametrize(
    "inventory",
    [
        machine(UUID, cloud="aws"),
        machine(UUID, platform="container"),
        machine(UUID, platform="physical"),
        machine(""),
        machine("00000000-0000-0000-0000-000000000000"),
        machine(OTHER),
    ],
)
def test_what_is_no_machine_of_the_host_stays_by_itself(sqlite_database: Database, inventory: Inventory) -> None:
    count_lone_guests(sqlite_database)
    start = recent_half_hour(6)
    guest, host = lone_guest(sqlite_database, start, inventory), new_host(sqlite_database, start)
    deliver(sqlite_database, guest, *guest.reports(7200, every=600, step=60))
    deliver(sqlite_database, host, *with_guests(host.reports(7200, every=600, step=60), [WEB]))
    settle(sqlite_database)
    assert counted(sqlite_database, guest) == [True] * 4


def test_a_host_of_another_organisation_takes_nobody(database: Database) -> None:
    count_lone_guests(database)
    start = recent_half_hour(6)
    guest, host = lone_guest(database, start), new_host(database, start)
    with database.write() as connection:
        values = {"name": "Elsewhere", "time_zone": "Europe/London", "year_rule": "majority"}
        added = insert(organisation).values(**values, count_host_missing=False).returning(organisation.c.id)
        theirs = connection.execute(added).scalar_one()
    other_organisation(database, host, theirs)
    deliver(database, guest, *guest.reports(7200, every=600, step=60))
    deliver(database, host, *with_guests(host.reports(7200, every=600, step=60), [WEB]))
    settle(database)
    assert counted(database, guest) == [True] * 4
    with database.read() as connection:
        assert on_hosts(connection, guest.enrolled.device_id, start, start + 7200) == []
        shared = shared_host(connection, host.enrolled.device_id, start, start + 7200)
    assert shared is not None
    assert [one.device_id for one in shared.guests] == [""]


def test_a_guest_without_an_agent_has_its_part_beside_one_with(database: Database) -> None:
    start = recent_half_hour(6)
    guest, host = lone_guest(database, start), new_host(database, start)
    deliver(database, guest, *guest.reports(3600, every=600, step=60))
    deliver(
        database, host, *with_guests(host.reports(3600, every=600, step=60), [WEB, Runs("db", OTHER, processors=6)])
    )
    settle(database)
    with database.read() as connection:
        shared = shared_host(connection, host.enrolled.device_id, start, start + 3600)
    assert shared is not None
    assert [(one.name, one.device_id, one.host_name) for one in shared.guests] == [
        ("db", "", ""),
        ("web", guest.enrolled.device_id, "crm-vm01"),
    ]
    for name in ("energy_uj", "low_uj", "high_uj"):
        parts = [*shared.guests, shared.host_itself, shared.headroom]
        assert sum(getattr(one, name) for one in parts) == getattr(shared.whole, name)
    assert shared.half_hours == 2
    assert shared.whole.energy_uj == energy_of(database, host, [0, 1])


def test_lists_tell_a_guests_host_while_it_is_one(database: Database) -> None:
    count_lone_guests(database)
    start = recent_half_hour(3)
    guest, host = lone_guest(database, start), new_host(database, start)
    deliver(database, guest, *guest.reports(5400, every=600, step=60))
    deliver(database, host, *with_guests(host.reports(5400, every=600, step=60), [WEB]))
    settle(database)
    device_id = guest.enrolled.device_id
    for now, host_id in ((start + 5700, host.enrolled.device_id), (start + 6 * 5400, "")):
        with database.read() as connection:
            [row] = [one for one in devices(connection, now=now) if one.device_id == device_id]
        assert (row.host_id, row.host_missing, row.counted) == (host_id, not host_id, not host_id)


def test_the_open_half_hour_of_a_linked_guest_is_not_counted_either(database: Database) -> None:
    count_lone_guests(database)
    start = recent_half_hour(1)
    guest, host = lone_guest(database, start), new_host(database, start)
    deliver(database, guest, *guest.reports(2400, every=600, step=60))
    deliver(database, host, *with_guests(host.reports(2400, every=600, step=60), [WEB]))
    now = start + 2500
    settle(database, now)
    with database.read() as connection:
        totals = running_totals(connection, now)
    assert totals.year_of(guest.enrolled.device_id).energy.total_uj == 0
    assert totals.year_of(host.enrolled.device_id).energy.total_uj > 2400 * 100 * 10**6


def test_both_byte_orders_are_one_spelling() -> None:
    assert link_uuid(UUID) == link_uuid(SWAPPED.upper()) != ""
    assert link_uuid("no uuid") == link_uuid("ffffffff-ffff-ffff-ffff-ffffffffffff") == ""
    assert link_uuid(OTHER) != link_uuid(UUID)
