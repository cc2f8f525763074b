"""Samples of a host with a wrong clock are dated by its boot clock, and only where that proves their age."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from agent.report import Inventory, SampleTime
from collector.clocks import EARLIEST_NS, LATEST_AHEAD_NS, TOLERATED_NS, Sent, plausible, true_times
from collector.database.engine import Database
from collector.database.schema import device_status, diagnosis, energy_fact
from collector.prepare import prepare
from collector.wire import receive
from tests.collector.hosts import NS, Host, new_host, recent_half_hour
from tests.collector.ingesting import Sender
from tests.collector.reports import plain_report, text_of

RECEIVED = 1_790_000_000 * NS
DAY = 24 * 3600 * NS


def sent(offset_ns: int = 0, boot_ns: int = 5000 * NS, boot_id: str = "boot-1") -> Sent:
    return Sent(RECEIVED + offset_ns, boot_ns, boot_id, RECEIVED)


def sampled(age_ns: int, offset_ns: int = 0) -> SampleTime:
    """A sample taken `age_ns` before sending by a clock that is `offset_ns` ahead."""
    return SampleTime(RECEIVED - age_ns + offset_ns, 5000 * NS - age_ns)


@pytest.mark.parametrize("sign", [1, -1])
def test_an_offset_of_thirty_seconds_is_left_and_a_nanosecond_more_is_put_right(sign: int) -> None:
    edge = sampled(60 * NS, sign * TOLERATED_NS)
    beyond = sampled(50 * NS, sign * (TOLERATED_NS + 1))
    assert true_times([edge, beyond], "boot-1", sent()) == {beyond.wall_ns: RECEIVED - 50 * NS}


def test_a_clock_that_was_set_between_samples_and_sending_is_put_right_by_sample() -> None:
    wrong, right = sampled(600 * NS, -40 * 365 * DAY), sampled(10 * NS)
    assert true_times([wrong, right], "boot-1", sent()) == {wrong.wall_ns: RECEIVED - 600 * NS}


def test_samples_of_another_boot_are_left_alone() -> None:
    wrong = sampled(60 * NS, DAY)
    assert true_times([wrong], "boot-0", sent()) == {}
    assert true_times([wrong], "boot-1", sent(boot_id="")) == {}


def test_a_sample_taken_after_it_was_sent_is_left_alone() -> None:
    assert true_times([SampleTime(RECEIVED - DAY, 5000 * NS + 1)], "boot-1", sent()) == {}


def test_a_laptop_that_slept_with_a_full_spool_keeps_its_times() -> None:
    # The boot clock counts the sleep, so eight hours passed on both clocks between sampling and sending.
    slept = sampled(8 * 3600 * NS)
    assert true_times([slept], "boot-1", sent(boot_ns=5000 * NS)) == {}
    assert true_times([sampled(8 * 3600 * NS, 3600 * NS)], "boot-1", sent()) == {
        RECEIVED - 7 * 3600 * NS: RECEIVED - 8 * 3600 * NS
    }


@given(st.integers(0, 10**18), st.integers(-(10**19), 10**19))
def test_however_wrong_the_clock_a_samples_true_time_is_its_age_before_receiving(age_ns: int, offset_ns: int) -> None:
    sample = SampleTime(RECEIVED - age_ns + offset_ns, -age_ns)
    moved = true_times([sample], "boot-1", sent(boot_ns=0))
    assert moved.get(sample.wall_ns, sample.wall_ns) == RECEIVED - age_ns + (0 if moved else offset_ns)
    assert bool(moved) == (abs(offset_ns) > TOLERATED_NS)


def test_times_are_believed_from_2015_to_one_day_ahead() -> None:
    assert time.gmtime(EARLIEST_NS // NS)[:6] == (2015, 1, 1, 0, 0, 0)
    assert [plausible(EARLIEST_NS - 1, RECEIVED), plausible(EARLIEST_NS, RECEIVED)] == [False, True]
    latest = RECEIVED + LATEST_AHEAD_NS
    assert LATEST_AHEAD_NS == DAY
    assert [plausible(latest, RECEIVED), plausible(latest + 1, RECEIVED)] == [True, False]


def late_host(database: Database, offset_seconds: int) -> tuple[Host, Sender]:
    """A host whose clock is ahead of ours, and what sends its reports."""
    host = new_host(database, recent_half_hour(2) + offset_seconds)
    host.inventory = Inventory(host_name="late", cpu_model="x")
    return host, Sender(database)


def test_a_wrong_clock_counts_in_the_right_half_hour_and_is_diagnosed(database: Database) -> None:
    offset = 7200
    host, sender = late_host(database, offset)
    report = host.report(0, 600)
    now_ns = (host.start - offset + 630) * NS
    recorded = sender.send(host, report, wall_ns=now_ns + offset * NS, boot_ns=631 * NS, received_ns=now_ns)
    assert recorded.rejected_rows == 0
    with database.read() as connection:
        half_hours = set(connection.execute(select(energy_fact.c.half_hour)).scalars())
        told = connection.execute(select(diagnosis)).mappings().one()
        status = connection.execute(select(device_status)).one()
    sender.close()
    assert half_hours == {host.start - offset}
    assert (told["code"], told["count"]) == ("clock_offset", 1)
    assert "2:00:00 ahead" in told["detail"]
    assert "61 samples" in told["detail"]
    assert "NTP" in told["remedy"]
    assert status.clock_offset_seconds == offset
    assert status.last_sample_at == host.start - offset + 600


def test_the_same_report_of_another_boot_stays_where_its_clock_put_it(database: Database) -> None:
    host, sender = late_host(database, 7200)
    report = replace(host.report(0, 600), boot_id="boot-0")
    now_ns = (host.start + 630 - 7200) * NS
    sender.send(host, report, wall_ns=now_ns + 7200 * NS, boot_ns=631 * NS, received_ns=now_ns)
    with database.read() as connection:
        assert set(connection.execute(select(energy_fact.c.half_hour)).scalars()) == {host.start}
        assert connection.execute(select(diagnosis)).first() is None
    sender.close()


def test_rows_before_2015_or_over_a_day_ahead_are_refused_and_those_beside_them_kept(database: Database) -> None:
    host, sender = late_host(database, 0)
    context = sender.context(host)
    good = RECEIVED - 10 * NS
    times = [EARLIEST_NS - 1, RECEIVED + DAY + 1, 2**63 - 1, 0, good, EARLIEST_NS, RECEIVED + DAY]
    report = plain_report(
        samples=[[one, 10**18] for one in times],  # after sending, so nothing proves their age
        rows=[[0, one, [0.5, 0.25]] for one in times],
        readings=[[0, one, 0, [5], []] for one in times],
    )
    recording = prepare(receive(text_of(report), ""), context, sent())
    assert {reason: count for reason, (count, _) in recording.refused.reasons.items()} == {
        "time before 2015 or over a day ahead": 8,
        "reading that begins over 35 days ago: its half-hour is closed": 1,
    }
    assert recording.batch is not None
    assert (recording.batch.first_ns, recording.batch.last_ns) == (EARLIEST_NS, RECEIVED + DAY)
    assert {fact.half_hour for fact in recording.facts} == {
        (RECEIVED + DAY) // NS // 1800 * 1800,
        good // NS // 1800 * 1800,
    }
    sender.close()
