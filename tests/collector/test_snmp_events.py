"""Events of network devices in the database: counted, bounded, told as points, forgotten."""

import pytest
from sqlalchemy import select

from collector.database.engine import Database
from collector.database.schema import diagnosis, outbox, snmp_event
from collector.snmp.devices import NewDevice, add_device
from collector.snmp.traps.record import (
    KEPT_SECONDS,
    LONGEST_REPETITION_SECONDS,
    NewEvent,
    RefusedSender,
    events_of,
    forget_old_events,
    keep_events,
    note_refused,
)

NOW = 1_800_000_000


def test_events_are_kept_counted_and_forgotten(database: Database) -> None:
    with database.write() as connection:
        ups = add_device(connection, NewDevice("10.0.0.1"), "test")

        def keep(at: int, code: str = "ups_on_battery", detail: str = "words") -> str:
            event = NewEvent(ups, at * 10**9, code, "critical", detail, "1.3.6.1.2.1.33.2.1", "a collector")
            return keep_events(connection, [event])[0]

        assert [keep(NOW), keep(NOW + 50), keep(NOW + 100), keep(NOW + 161)] == ["new", "repeated", "repeated", "new"]
        assert keep(NOW + 161, detail="other words") == "new"
        found = events_of(connection, [ups], 10)
        assert [(one.at - NOW, one.last_at - NOW, one.count) for one in found] == [
            (161, 161, 1),
            (161, 161, 1),
            (0, 100, 3),
        ]
        assert len(connection.execute(select(outbox)).all()) == 3
        # Resent every minute, as the standard has UPSs do: a row an hour.
        later = [keep(NOW + 1000 + 60 * number, "alarm") for number in range(LONGEST_REPETITION_SECONDS // 60 + 2)]
        assert later.count("new") == 2
        assert forget_old_events(connection, NOW + 161 + KEPT_SECONDS) == 1
        assert forget_old_events(connection, NOW + 10**6 + KEPT_SECONDS) == 4
        assert connection.execute(select(snmp_event)).all() == []


def test_a_device_that_never_rests_fills_no_table(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.snmp.traps.record.MOST_A_DAY", 3)
    with database.write() as connection:
        ups = add_device(connection, NewDevice("10.0.0.1"), "test")
        event = [
            NewEvent(ups, (NOW + number) * 10**9, "alarm", "warning", f"number {number}", "1.3", "a collector")
            for number in range(5)
        ]
        assert keep_events(connection, event) == ["new", "new", "new", "too_many", "too_many"]


def test_a_device_whose_traps_count_again_is_no_longer_told_of(database: Database) -> None:
    with database.write() as connection:
        ups, other = (add_device(connection, NewDevice(f"10.0.0.{number}"), "test") for number in (1, 2))
        note_refused(connection, [RefusedSender(one, NOW, "its traps do not count", "set it") for one in (ups, other)])
        keep_events(connection, [NewEvent(ups, NOW * 10**9, "alarm", "warning", "words", "1.3", "a collector")])
        told = connection.execute(select(diagnosis.c.device_id, diagnosis.c.code)).all()
    assert told == [(other, "trap_refused")]
