"""A report is recorded once, whole, whatever is sent again or beside it; on SQLite and on PostgreSQL."""

import time
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from collector.claim import Identity, claim, forget_old_hashes
from collector.database.engine import Database
from collector.database.schema import (
    agent_key,
    device_accounting,
    device_evidence,
    device_status,
    diagnosis,
    energy_fact,
    inventory,
    meter,
    outbox,
    report_sequence,
    report_stream,
    source_state,
)
from collector.errors import NotAuthorised, SequenceConflict
from collector.record import Recorded
from tests.collector.hosts import SERVER, deliver, new_host, recent_half_hour


def count(database: Database, table: object) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]  # a table


def test_a_report_sent_twice_counts_once(database: Database) -> None:
    host = new_host(database, recent_half_hour())
    report = host.report(0, 60)
    assert deliver(database, host, report, report) == [Recorded(False, 0), Recorded(True, 0)]
    assert count(database, outbox) == 1
    assert count(database, energy_fact) == 2


def test_the_same_number_with_other_content_is_a_conflict_and_changes_nothing(database: Database) -> None:
    host = new_host(database, recent_half_hour())
    first = host.report(0, 60)
    host.sequence = 0
    other = host.report(0, 50)
    results = deliver(database, host, first, other)
    assert isinstance(results[1], SequenceConflict)
    assert count(database, outbox) == 1


def test_a_reinstalled_spool_begins_a_stream_of_its_own(database: Database) -> None:
    host = new_host(database, recent_half_hour())
    first = host.report(0, 60)
    host.sequence, host.stream_id = 0, "stream-0002"
    second = host.report(70, 120)
    assert deliver(database, host, first, second) == [Recorded(False, 0), Recorded(False, 0)]


def test_the_low_water_mark_moves_over_what_came_out_of_order(database: Database) -> None:
    host = new_host(database, recent_half_hour())
    reports = host.reports(300)
    deliver(database, host, reports[0], reports[2], reports[4])
    with database.read() as connection:
        assert connection.execute(select(report_stream.c.low_water)).scalar_one() == 1
    deliver(database, host, reports[3], reports[1])
    with database.read() as connection:
        assert connection.execute(select(report_stream.c.low_water)).scalar_one() == 5


def test_numbers_below_the_mark_stay_recorded_when_their_hashes_are_forgotten(database: Database) -> None:
    host = new_host(database, recent_half_hour(36 * 48))
    first, second = host.reports(120)
    deliver(database, host, first, second)
    assert forget_after_36_days(database) == 2
    assert deliver(database, host, first) == [Recorded(True, 0)]
    host.start = recent_half_hour()
    assert deliver(database, host, host.report(0, 60)) == [Recorded(False, 0)]


def test_hashes_beyond_numbers_that_a_restart_left_unused_are_forgotten_too(database: Database) -> None:
    host = new_host(database, recent_half_hour())
    deliver(database, host, host.report(0, 60))
    host.sequence = 1000
    deliver(database, host, host.report(70, 120), host.report(130, 180))
    assert forget_after_36_days(database) == 3
    with database.read() as connection:
        assert connection.execute(select(report_stream.c.low_water)).scalar_one() == 1002
    assert deliver(database, host, host.report(190, 240)) == [Recorded(False, 0)]


def test_a_snapshot_restored_after_its_hashes_are_forgotten_is_a_conflict_and_not_a_repetition(
    database: Database,
) -> None:
    host = new_host(database, recent_half_hour())
    deliver(database, host, *host.reports(120))
    forget_after_36_days(database)
    host.sequence = 0
    [result] = deliver(database, host, host.report(70, 120))
    assert isinstance(result, SequenceConflict), "its samples are younger than any hash that is forgotten"


def forget_after_36_days(database: Database) -> int:
    """Let what is recorded have come 36 days ago, and forget; how many hashes went."""
    with database.write() as connection:
        connection.execute(update(report_sequence).values(received_at=int(time.time()) - 36 * 86_400))
        return forget_old_hashes(connection, int(time.time()))


def test_a_revoked_key_is_refused_with_the_next_report(database: Database) -> None:
    host = new_host(database, recent_half_hour())
    first, second = host.reports(120)
    deliver(database, host, first)
    with database.write() as connection:
        connection.execute(update(agent_key).values(revoked_at=int(time.time())))
    assert isinstance(deliver(database, host, second)[0], NotAuthorised)
    assert count(database, outbox) == 1


def test_a_key_that_nobody_gave_is_refused(database: Database) -> None:
    with database.write() as connection, pytest.raises(NotAuthorised):
        claim(connection, Identity("nobody", "stream-0001", 1, b"x" * 32), 0, 0)


def test_inventory_choice_and_sources_are_dated_and_change_once(database: Database) -> None:
    host = new_host(database, recent_half_hour())
    deliver(database, host, *host.reports(180))
    changed = host.report(190, 240)
    changed.inventory = replace(SERVER, memory_bytes=512 * 10**9)
    deliver(database, host, changed)
    with database.read() as connection:
        versions = connection.execute(select(inventory).order_by(inventory.c.version)).all()
        assert [row.version for row in versions] == [1, 2]
        assert versions[0].valid_to == versions[1].valid_from == host.start + 190
        assert versions[1].valid_to is None
        choices = connection.execute(select(device_accounting)).all()
        assert [(row.basis, row.valid_to) for row in choices] == [("package", None)]
        states = dict(connection.execute(select(source_state.c.source, source_state.c.outcome)).all())
        assert states == {"rapl": "data", "battery": "absent"}


def test_power_now_is_that_of_the_newest_sample(database: Database) -> None:
    host = new_host(database, recent_half_hour(0), watts=140)
    deliver(database, host, host.report(0, 60))
    with database.read() as connection:
        row = connection.execute(select(device_status)).one()
    assert row.method == "mixed"
    assert row.power_low_watts < 140 < row.power_watts < row.power_high_watts


def test_two_hosts_with_one_machine_id_are_two_devices_and_both_are_told(database: Database) -> None:
    original, clone = (new_host(database, recent_half_hour()) for _ in range(2))
    deliver(database, original, original.report(0, 60))
    deliver(database, clone, clone.report(0, 60))
    with database.read() as connection:
        told = connection.execute(select(diagnosis.c.device_id, diagnosis.c.code)).all()
        evidence = connection.execute(select(device_evidence.c.device_id).where(device_evidence.c.name == "machine_id"))
        assert len(evidence.all()) == 2
    assert {row.device_id for row in told} == {original.enrolled.device_id, clone.enrolled.device_id}
    assert {row.code for row in told} == {"same_machine_id"}


def test_meters_are_made_once(database: Database) -> None:
    host = new_host(database, recent_half_hour())
    deliver(database, host, *host.reports(240))
    assert count(database, meter) == 3, "package, processors, and what the model fills beside the package"
