"""A host's half-hour shared out to its guests: it adds up to the host, in any order of reports, and is never the host's own."""

import json
import random
import time
from dataclasses import replace

import pytest
from sqlalchemy import event, func, insert, select

from agent.report import Choice, Report
from collector.database.engine import Database
from collector.database.schema import (
    accounting_override,
    device_status,
    energy_fact,
    guest_energy,
    guest_fact,
    ledger,
    ledger_due,
    meter,
    rejected_rows,
    sealed_period,
)
from collector.device_energy import half_hours, ledger_rows
from collector.errors import ReportUnreadable
from collector.history import history_edit
from collector.ledger import current
from collector.segments import load_segments
from tests.collector.guests import OTHER, UUID, Runs, attributed, machine, settle, stays_of, with_guests
from tests.collector.hosts import COUNTER, SERVER, Host, deliver, new_host, recent_half_hour

WEB = Runs("web", UUID, processors=8)
DATABASE = Runs("db", OTHER, processors=16, vcpus=16, memory_bytes=64 * 2**30)
BOX = Runs("lxc-101", processors=1, vcpus=0, memory_bytes=0)


def energy_of(database: Database, host: Host, half_hour: int) -> int:
    """A device's energy in a half-hour, as every total has it."""
    with database.read() as connection:
        segments = load_segments(connection, half_hour, half_hour + 1800, [host.enrolled.device_id])
        ids = {one for segment in segments for one in segment.meter_ids}
        return sum(
            one.energy.total_uj
            for one in half_hours(segments, ledger_rows(connection, ids, half_hour, half_hour + 1800))
        )


def ledger_of_own(database: Database) -> list[tuple[object, ...]]:
    """The ledger by meters' names, without row numbers and the time of writing."""
    with database.read() as connection:
        query = select(meter.c.name, ledger).join(meter, meter.c.id == ledger.c.meter_id).where(current())
        return sorted(
            tuple(value for name, value in row.items() if name not in ("meter_id", "written_at", "revision"))
            for row in connection.execute(query).mappings()
        )


def test_guests_host_itself_and_headroom_are_the_host_to_the_microjoule(database: Database) -> None:
    host = new_host(database, recent_half_hour(4), watts=187)
    deliver(database, host, *with_guests(host.reports(3600, every=600, step=60), [WEB, DATABASE, BOX]))
    settle(database)
    found = attributed(database, host)
    assert sorted(found) == [host.start, host.start + 1800]
    for at, one in found.items():
        assert one.adds_up()
        assert one.host["energy_uj"] == energy_of(database, host, at) > 1800 * 187 * 10**6
        assert set(one.guests) == {UUID, OTHER, "lxc-101"}
        assert all(part["low_uj"] <= part["energy_uj"] <= part["high_uj"] for part in one.guests.values())
        assert one.host["headroom_energy_uj"] > 0
    whole = found[host.start]
    assert whole.guests[OTHER]["active_uj"] == pytest.approx(2 * whole.guests[UUID]["active_uj"], abs=2)
    # Half of the 80 processors are busy, 25 of these 40 with guests.
    active = sum(one["active_uj"] for one in whole.guests.values()) + whole.host["itself_energy_uj"]
    assert whole.host["itself_energy_uj"] == pytest.approx(active * 15 / 40, abs=2)
    assert whole.guests[OTHER]["idle_uj"] == pytest.approx(4 * whole.guests[UUID]["idle_uj"], abs=4)


def test_guests_change_nothing_of_their_hosts_own_ledger(database: Database) -> None:
    plain, running = (new_host(database, recent_half_hour(4)) for _ in range(2))
    deliver(database, plain, *plain.reports(3600, every=600, step=60))
    settle(database)
    alone = ledger_of_own(database)
    deliver(database, running, *with_guests(running.reports(3600, every=600, step=60), [WEB, DATABASE]))
    settle(database)
    assert ledger_of_own(database) == sorted(alone * 2)
    with database.read() as connection:
        watts = connection.execute(select(device_status.c.power_watts)).scalars().all()
    assert len(watts) == 2
    assert len(set(watts)) == 1, "power now is the host's, whatever its guests do"
    assert len(alone) == 9


def test_a_choice_that_names_a_guest_counts_nothing_by_it(database: Database) -> None:
    host = new_host(database, recent_half_hour(4))
    host.choice = Choice("machine", [f"guest/{UUID}"], {})
    deliver(database, host, *with_guests(host.reports(1800, every=300, step=60), [WEB]))
    settle(database)
    with database.read() as connection:
        [segment] = load_segments(connection, host.start, host.start + 1800)
    assert segment.meter_ids == ()
    assert energy_of(database, host, host.start) == 0
    assert not attributed(database, host)


def test_order_repetition_and_lateness_leave_one_attribution(database: Database) -> None:
    start = recent_half_hour(6)
    grown = replace(WEB, vcpus=8, first=2000)
    runs = [replace(WEB, last=1900), grown, DATABASE]
    results = []
    for seed in (0, 1):
        host = new_host(database, start)
        first, *others = with_guests(host.reports(5400, every=600, step=60), runs)
        if seed:
            others = random.Random(seed).sample(others, len(others))
            for one in (first, *others):
                deliver(database, host, one, one)
                settle(database)
        else:
            deliver(database, host, first, *others)
        settle(database)
        found = attributed(database, host)
        results.append((found, stays_of(database, host)))
    for found, stays in results[1:]:
        assert found == results[0][0]
        assert stays == results[0][1] == [(UUID, 0, 3), (OTHER, 0, 3)]
    sizes = [one.guests[UUID]["body"] for one in results[0][0].values()]
    assert ['"vcpus":8' in body for body in sizes] == [False, True, True]


def test_a_second_round_writes_nothing(database: Database) -> None:
    host = new_host(database, recent_half_hour(4))
    deliver(database, host, *with_guests(host.reports(1800, every=300, step=60), [WEB]))
    settle(database)
    before = attributed(database, host)
    with database.write() as connection:
        rows = select(energy_fact.c.meter_id, energy_fact.c.half_hour).distinct()
        connection.execute(insert(ledger_due).from_select(["meter_id", "half_hour"], rows))
        written = select(guest_energy.c.meter_id, func.count()).group_by(guest_energy.c.meter_id)
        counts = connection.execute(written).all()
    settle(database)
    assert attributed(database, host) == before
    with database.read() as connection:
        assert connection.execute(written).all() == counts
        assert connection.execute(select(func.count()).select_from(ledger_due)).scalar_one() == 0
        parts = set(
            connection.execute(select(energy_fact.c.part).where(energy_fact.c.half_hour == host.start)).scalars()
        )
    assert parts == {""}


def test_a_sealed_half_hour_keeps_its_parts_and_gets_a_revision(database: Database) -> None:
    host = new_host(database, recent_half_hour(4))
    reports = with_guests(host.reports(1800, every=300, step=60), [WEB])
    deliver(database, host, *reports[:-2])
    settle(database)
    before = attributed(database, host)[host.start]
    with database.write() as connection:
        seal = {"period_from": host.start, "period_to": host.start + 1800, "sealed_at": host.start, "actor": "test"}
        connection.execute(insert(sealed_period).values(seal))
    deliver(database, host, *reports[-2:])
    settle(database)
    after = attributed(database, host)[host.start]
    assert (before.host["revision"], after.host["revision"]) == (1, 2)
    assert after.adds_up()
    with database.read() as connection:
        old = connection.execute(select(guest_energy.c.active_uj).where(guest_energy.c.revision == 1)).scalars().all()
    assert old == [before.guests[UUID]["active_uj"]]


def test_a_guest_counts_only_for_the_time_it_ran(database: Database) -> None:
    host = new_host(database, recent_half_hour(4))
    short = replace(WEB, first=600, last=1200)
    deliver(
        database,
        host,
        *with_guests(host.reports(3600, every=600, step=60), [short, replace(WEB, name="all", uuid=OTHER)]),
    )
    settle(database)
    whole = attributed(database, host)[host.start]
    assert whole.guests[UUID]["ran_seconds"] == 600
    assert whole.guests[OTHER]["ran_seconds"] == 1800
    for name in ("idle_uj", "active_uj"):
        assert whole.guests[UUID][name] == pytest.approx(whole.guests[OTHER][name] / 3, rel=0.001)
    assert set(attributed(database, host)[host.start + 1800].guests) == {OTHER}
    assert stays_of(database, host) == [(UUID, 0, 1), (OTHER, 0, 2)]


def test_a_restarted_guest_is_one_guest(database: Database) -> None:
    host = new_host(database, recent_half_hour(4))
    runs = [replace(WEB, last=800), replace(WEB, first=1000, epoch="guest-boot-2")]
    deliver(database, host, *with_guests(host.reports(1800, every=300, step=60), runs))
    settle(database)
    whole = attributed(database, host)[host.start]
    assert whole.guests[UUID]["ran_seconds"] == 780 + 780
    assert whole.adds_up()


def test_the_parts_follow_the_meters_that_account_for_the_host(database: Database) -> None:
    host = new_host(database, recent_half_hour(6))
    host.choice = Choice("estimate", [], {})
    deliver(database, host, *with_guests(host.reports(3600, every=600, step=60), [WEB]))
    settle(database)
    before = attributed(database, host)
    changed, now = host.start + 1800, int(time.time())
    override = {
        "device_id": host.enrolled.device_id,
        "basis": "machine",
        "meters": json.dumps([COUNTER.name]),
        "reason": "test",
        "actor": "test",
        "valid_from": changed,
    }
    edited = host.enrolled.device_id
    with database.write() as connection, history_edit(connection, edited, changed, now, "collector-1"):
        connection.execute(insert(accounting_override).values(override))
    settle(database)
    after = attributed(database, host)
    assert after[host.start] == before[host.start]
    assert before[changed].host["energy_uj"] != after[changed].host["energy_uj"] == 1800 * 100 * 10**6
    assert all(one.adds_up() and one.host["energy_uj"] == energy_of(database, host, at) for at, one in after.items())


def spoiled(report: Report, index: int, **changes: object) -> Report:
    for name, value in changes.items():
        setattr(report.guests[index], name, value)
    return report


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"vcpus": -1.0}, "impossible number of processors"),
        ({"vcpus": 1e9}, "impossible number of processors"),
        ({"memory_bytes": -5}, "impossible size of memory"),
        ({"memory_bytes": 2**60}, "impossible size of memory"),
        ({"meter": "guest/none"}, "guest without its meter"),
        ({"meter": "cpu"}, "not called guest/"),
        ({"meter": f"guest/{OTHER}"}, "named twice"),
        ({"system_uuid": OTHER}, "UUID of another"),
        ({"name": "x" * 300}, "text too long"),
        ({"vcpus": "many"}, "guest of a wrong type"),
    ],
)
def test_a_bad_guest_costs_only_itself(sqlite_database: Database, changes: dict[str, object], reason: str) -> None:
    host = new_host(sqlite_database, recent_half_hour(4))
    [report] = with_guests([host.report(0, 1800, 60)], [DATABASE, WEB])
    deliver(sqlite_database, host, spoiled(report, 1, **changes))
    settle(sqlite_database)
    whole = attributed(sqlite_database, host)[host.start]
    assert set(whole.guests) == {OTHER}
    assert whole.adds_up()
    assert energy_of(sqlite_database, host, host.start) > 0
    assert reason in refusals(sqlite_database)


def refusals(database: Database) -> str:
    with database.read() as connection:
        return "\n".join(connection.execute(select(rejected_rows.c.reason)).scalars())


def test_ten_thousand_guests_are_refused_by_name_and_leave_the_stream_intact(sqlite_database: Database) -> None:
    host = new_host(sqlite_database, recent_half_hour(4))
    [report] = with_guests([host.report(0, 0)], [Runs(f"ct-{number}") for number in range(10_000)])
    with pytest.raises(ReportUnreadable, match=r"`\$.(guests|meters)`") as caught:
        deliver(sqlite_database, host, report)
    assert caught.value.remedy
    [good] = with_guests([host.report(0, 1800, 60)], [WEB])
    good.inventory = SERVER
    deliver(sqlite_database, host, good)
    settle(sqlite_database)
    assert attributed(sqlite_database, host)[host.start].adds_up()


def test_guests_of_a_guest_share_its_own_estimate(sqlite_database: Database) -> None:
    start = recent_half_hour(4)
    outer = new_host(sqlite_database, start)
    inner = new_host(sqlite_database, start, inventory=machine(UUID))
    inner.choice = Choice("estimate", [], {})
    deliver(sqlite_database, outer, *with_guests([outer.report(0, 1800, 60)], [WEB]))
    nested = with_guests([inner.report(0, 1800, 60)], [replace(DATABASE, vcpus=1)])
    deliver(sqlite_database, inner, *nested)
    settle(sqlite_database)
    parts = attributed(sqlite_database, inner)[start]
    assert parts.adds_up()
    assert parts.host["energy_uj"] == energy_of(sqlite_database, inner, start) > 0
    with sqlite_database.read() as connection:
        segments = load_segments(connection, start, start + 1800)
    assert {one.device_id for one in segments if one.counted} == {outer.enrolled.device_id}


def test_a_guests_meter_cannot_pass_for_the_hosts_own(sqlite_database: Database) -> None:
    host = new_host(sqlite_database, recent_half_hour(4))
    [report] = with_guests([host.report(0, 1800, 60)], [WEB])
    report.meters[1] = report.meters[1]._replace(covers="guest")
    deliver(sqlite_database, host, report)
    assert "meter of a guest that is not called" in refusals(sqlite_database)
    with sqlite_database.read() as connection:
        assert "cpu" not in connection.execute(select(meter.c.name)).scalars().all()


def test_many_guests_take_no_more_statements_than_few(database: Database) -> None:
    counts = []
    for many in (3, 60):
        host = new_host(database, recent_half_hour(4))
        runs = [Runs(f"ct-{number}", processors=0.1) for number in range(many)]
        first, second, *_ = with_guests(host.reports(1800, every=300, step=60), runs)
        deliver(database, host, first)
        statements: list[str] = []

        def note(*args: object, kept: list[str] = statements) -> None:
            kept.append(str(args[2]))

        event.listen(database.engine, "before_cursor_execute", note)
        deliver(database, host, second)
        settle(database)
        event.remove(database.engine, "before_cursor_execute", note)
        counts.append(len(statements))
        with database.read() as connection:
            facts = connection.execute(select(func.count()).select_from(guest_fact)).scalar_one()
    assert facts >= 63
    assert counts[1] <= counts[0] + 3
