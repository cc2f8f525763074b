"""Several collectors on one PostgreSQL: a device is polled by one of them, and by another when that one is gone."""

import asyncio
import itertools
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from agent.report import SampleTime
from carbon.calendar import HALF_HOUR_SECONDS
from carbon.facts import PowerFacts, from_text
from collector.clocks import Sent
from collector.database.engine import Database
from collector.database.schema import energy_fact, ledger, meter, snmp_device, snmp_poller
from collector.database.writer import Writer
from collector.errors import LeaseLost
from collector.ledger import current
from collector.rolling import write_round
from collector.service import Collector
from collector.settings import CollectorSettings
from collector.snmp.devices import NewDevice, PollOutcome, add_device, note_polls, polled_devices
from collector.snmp.leases import Lease, Leases, share
from collector.wire import Received, Refused, WireReport
from tests.conftest import missing
from tests.servers.polling_collector import PollingCollector
from tests.servers.process import free_port, wait_until
from tests.servers.snmpd import Snmpd, available, snmpd

DEVICES = 12
NS = 10**9


def test_every_device_is_one_collectors_and_who_leaves_moves_its_own_alone() -> None:
    devices = [f"{number:012x}" for number in range(3000)]
    three = {one: share(devices, one, ("a", "b", "c")) for one in "abc"}
    assert sorted(itertools.chain.from_iterable(three.values())) == devices
    assert all(850 < len(mine) < 1150 for mine in three.values())
    two = {one: share(devices, one, ("a", "b")) for one in "ab"}
    assert sorted(itertools.chain.from_iterable(two.values())) == devices
    assert all(three[one] < two[one] for one in "ab")


class Clock:
    """A collector's own clock, which stands until it is moved."""

    def __init__(self) -> None:
        self.ns = 10**12

    def __call__(self) -> int:
        return self.ns


def add(database: Database, count: int, port: int = 161, **intervals: int) -> list[str]:
    """Devices at addresses of their own on the loopback network; their ids."""
    with database.write() as connection:
        found = [
            add_device(connection, NewDevice(f"127.0.0.{number}", port, retries=0), "test")
            for number in range(1, count + 1)
        ]
        if intervals:
            connection.execute(update(snmp_device).values(**intervals))
    return found


def owners(database: Database) -> dict[str, str]:
    query = select(snmp_device.c.device_id, snmp_device.c.lease_owner)
    with database.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def run_out(database: Database, collector_id: str) -> None:
    """The time passes for which a collector's leases hold."""
    with database.write() as connection:
        mine = snmp_poller.c.collector_id == collector_id
        connection.execute(update(snmp_poller).where(mine).values(until_ns=snmp_poller.c.until_ns - 3600 * NS))


def held(leases: Leases) -> dict[str, Lease]:
    renewal = leases.renew(anew=True)
    assert renewal is not None
    return renewal.share


def test_who_comes_gets_its_share_when_the_other_has_given_it_up(postgres_database: Database) -> None:
    devices = set(add(postgres_database, 40))
    one, other = Leases(postgres_database, "one"), Leases(postgres_database, "other")
    assert held(one).keys() == devices
    assert one.renew(anew=False) is None, "nothing changed"
    assert held(other) == {}, "all are held by one that lives"
    renewal = one.renew(anew=False)
    assert renewal is not None, "another came"
    assert renewal.to_give_up == devices - renewal.share.keys()
    assert 5 < len(renewal.to_give_up) < 35
    assert held(other) == {}, "it has not given them up yet"
    one.give_up(renewal.to_give_up)
    taken = other.renew(anew=False)
    assert taken is not None
    assert taken.share.keys() == renewal.to_give_up
    held(one)
    assert (one.renew(anew=False), other.renew(anew=False)) == (None, None), "all is where it should be"


def test_a_collector_not_heard_of_loses_all_and_takes_its_share_back(postgres_database: Database) -> None:
    devices = set(add(postgres_database, 10))
    one, other = Leases(postgres_database, "one"), Leases(postgres_database, "other")
    before = held(one)
    run_out(postgres_database, "one")
    taken = other.renew(anew=False)
    assert taken is not None
    assert taken.share.keys() == devices
    assert all(lease.number > before[name].number for name, lease in taken.share.items())
    assert held(one) == {}, "it comes back to find all polled by another"
    again = other.renew(anew=False)
    assert again is not None
    other.give_up(again.to_give_up)
    assert held(one).keys() == again.to_give_up


def test_after_a_lapse_that_nobody_used_the_old_leases_are_worth_nothing(postgres_database: Database) -> None:
    add(postgres_database, 3)
    one = Leases(postgres_database, "one")
    before = held(one)
    run_out(postgres_database, "one")
    after = one.renew(anew=False)
    assert after is not None
    assert {name: lease.number for name, lease in after.share.items()} == {
        name: lease.number + 1 for name, lease in before.items()
    }


def test_a_collector_stops_by_its_own_clock_before_another_may_begin(postgres_database: Database) -> None:
    clock = Clock()
    one = Leases(postgres_database, "one", 45, clock)
    assert one.seconds_left() == 0
    one.renew(anew=True)
    assert one.seconds_left() == 40
    clock.ns += 39 * NS
    assert one.seconds_left() == 1
    clock.ns += 2 * NS
    assert one.seconds_left() == 0


def test_who_stops_in_order_leaves_all_at_once(postgres_database: Database) -> None:
    devices = set(add(postgres_database, 10))
    one, other = Leases(postgres_database, "one"), Leases(postgres_database, "other")
    held(one)
    one.leave()
    assert one.seconds_left() == 0
    assert held(other).keys() == devices


def test_what_is_read_without_the_lease_is_not_recorded(postgres_database: Database, tmp_path: Path) -> None:
    add(postgres_database, 1)
    url = str(postgres_database.engine.url.set(drivername="postgresql"))
    collector = Collector(CollectorSettings(state_directory=tmp_path, database=url))
    try:
        (lease,) = held(Leases(postgres_database, collector.collector_id)).values()
        with postgres_database.read() as connection:
            (device,) = polled_devices(connection)
        outcome = PollOutcome(device.device_id, 1_790_000_000, "ok")

        def record(sequence: int, under: Lease) -> None:
            now = time.time_ns()
            sample = SampleTime(now, now)
            report = WireReport("stream", sequence, "snmp", "boot", samples=[sample])
            sent = Sent(now, now, "boot", now)
            received = Received(report, bytes([sequence]) * 32, Refused())
            asyncio.run(collector.ingest.take(device.key_id, device.device_id, received, sent, lease=under))

        record(1, lease)
        for stale in (Lease(lease.collector_id, lease.number - 1), Lease("another", lease.number)):
            with pytest.raises(LeaseLost):
                record(2, stale)
            collector.writer.run(note_polls, replace(outcome, lease=stale))
            with postgres_database.read() as connection:
                assert polled_devices(connection)[0].state == "never"
        collector.writer.run(note_polls, replace(outcome, lease=lease))
        with postgres_database.read() as connection:
            assert polled_devices(connection)[0].state == "ok"
    finally:
        collector.stop()


def test_on_sqlite_there_are_no_leases(tmp_path: Path, agent: Snmpd) -> None:
    collector = Collector(CollectorSettings(state_directory=tmp_path / "state"))
    add(collector.database, 1, agent.port, power_seconds=1)
    collector.start()
    try:
        wait_until(lambda: collector.poller.polls > 1, "two polls")
        assert set(owners(collector.database).values()) == {""}
        with collector.database.read() as connection:
            assert connection.execute(select(func.count()).select_from(snmp_poller)).scalar_one() == 0
    finally:
        collector.stop()


@pytest.fixture
def network(tmp_path: Path) -> Iterator[int]:
    """The port of an agent that answers at every address of the loopback network: a device each."""
    if not available():
        missing("net-snmp's agent (Debian package snmpd)")
    with snmpd(tmp_path / "snmpd", free_port(), host="0.0.0.0") as one:  # noqa: S104  # loopback's many addresses
        yield one.port


def test_a_stopped_and_a_killed_collectors_devices_move_and_none_is_counted_twice(
    postgres_url: str, postgres_database: Database, network: int, tmp_path: Path
) -> None:
    lease_seconds = 2.0
    devices = add(postgres_database, DEVICES, network, power_seconds=1, utilisation_seconds=3600)
    collectors = [PollingCollector(postgres_url, tmp_path / name, lease_seconds) for name in ("one", "other")]

    def shared_by(*those: PollingCollector) -> bool:
        return set(owners(postgres_database).values()) == {one.collector_id for one in those}

    def all_polled_since(moment_ms: int) -> bool:
        return all(found and found[-1][1] > moment_ms for found in intervals(postgres_database, devices).values())

    try:
        one, other = collectors
        wait_until(lambda: shared_by(one, other) and all_polled_since(0), "both to poll a share each", 60)
        began_ms = int(time.time() * 1000)
        wait_until(lambda: all_polled_since(began_ms), "all to be polled")
        for what in (signal.SIGSTOP, signal.SIGKILL):
            wait_until(lambda: shared_by(one, other), "both to have a share")
            one.send(what)
            gone = time.monotonic()
            wait_until(lambda: shared_by(other), "the other to take all")
            assert time.monotonic() - gone < lease_seconds + 5
            taken_ms = int(time.time() * 1000)
            wait_until(lambda: all_polled_since(taken_ms), "the other to poll all")  # noqa: B023  # it is waited for here
            if what == signal.SIGSTOP:
                one.send(signal.SIGCONT)
        ended_ms = int(time.time() * 1000)
        other.send(signal.SIGTERM)
        other.process.wait(30)
        assert set(owners(postgres_database).values()) == {""}, other.said
    finally:
        for each in collectors:
            each.end()
    for found in intervals(postgres_database, devices).values():
        gaps = [later[0] - earlier[1] for earlier, later in itertools.pairwise(found)]
        assert min(gaps) >= 0, "two collectors told of the same time"
        # Each move of the two costs a device its lease, a look and the begin of its turn at most.
        lost_ms = sum(gap for gap in gaps if gap > 0)
        assert lost_ms < 3 * (lease_seconds + 4) * 1000
    conserved(postgres_database, devices, began_ms, ended_ms)


def intervals(database: Database, devices: list[str]) -> dict[str, list[tuple[int, int, int]]]:
    """What polls told of each device's power: begin, end (Unix milliseconds) and microwatts, in order."""
    found: dict[str, list[tuple[int, int, int]]] = {name: [] for name in devices}
    query = select(meter.c.device_id, energy_fact.c.half_hour, energy_fact.c.body).join(meter)
    with database.read() as connection:
        for row in connection.execute(query):
            facts: Any = from_text(row.body)
            assert isinstance(facts, PowerFacts)
            at = row.half_hour * 1000
            found[row.device_id] += [(at + begin, at + end, power) for begin, end, power in facts.intervals]
    return {name: sorted(those) for name, those in found.items()}


def conserved(database: Database, devices: list[str], began_ms: int, ended_ms: int) -> None:
    """The ledger has each device's power times the time that it was polled, and no more."""
    polled = intervals(database, devices)
    writer = Writer(database)
    write_round(database, writer, "test", int(time.time()) + 2 * HALF_HOUR_SECONDS)
    writer.close()
    query = (
        select(meter.c.device_id, func.sum(ledger.c.measured_uj + ledger.c.estimated_uj))
        .join(meter, meter.c.id == ledger.c.meter_id)
        .where(current())
        .group_by(meter.c.device_id)
    )
    with database.read() as connection:
        energy = {name: int(amount) for name, amount in connection.execute(query)}
    assert energy.keys() == set(devices)
    for name, uj in energy.items():
        told = sum((end - begin) * power for begin, end, power in polled[name]) / 1000
        assert uj == pytest.approx(told, rel=1e-6)
        most = max(power for *_, power in polled[name]) * (ended_ms + 2000 - min(one[0] for one in polled[name])) / 1000
        assert uj <= most
        assert began_ms < ended_ms
