"""From a request's body to the disk: bad parts are counted, good ones kept, and nothing counts twice."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isal import igzip
from sqlalchemy import func, select, update

from agent.report import BOOT_CLOCK_HEADER, WALL_CLOCK_HEADER, SourceState, encode
from collector.database.engine import Database, open_database
from collector.database.schema import (
    agent_key,
    device,
    energy_fact,
    outbox,
    rejected_rows,
    report_sequence,
    report_stream,
    source_state,
)
from collector.device_context import load_context
from collector.errors import NotAuthorised, QueueFull, ReportTooLarge, ReportUnreadable, SequenceConflict
from collector.record import Recorded
from tests.collector.hosts import NS, SERVER, Host, new_host, recent_half_hour
from tests.collector.ingesting import Sender, headers_of
from tests.collector.reports import Json, packed, plain_report


@pytest.fixture
def sender(database: Database) -> Iterator[Sender]:
    one = Sender(database)
    yield one
    one.close()


def count(database: Database, table: Any) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def rejected(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return dict(connection.execute(select(rejected_rows.c.reason, rejected_rows.c.count)).all())


def lines_of(database: Database) -> list[str]:
    with database.read() as connection:
        bodies = connection.execute(select(outbox.c.lines).order_by(outbox.c.id)).scalars().all()
    return [line for body in bodies for line in igzip.decompress(bytes(body)).decode().split("\n") if line]


def test_bad_rows_are_counted_exactly_by_reason_and_the_good_ones_go_on(database: Database, sender: Sender) -> None:
    host = new_host(database, recent_half_hour())
    report = plain_report()
    at = report["samples"][0][0]
    report["series"].append(["system_gpu_of_mars", {}, ["x"]])
    report["samples"] += [[time.time_ns() + 2 * 86_400 * NS, 10**19], [86_400 * NS, 10**19], [10**400, 0]]
    (future, _), (past, _) = report["samples"][1:3]
    report["rows"] += [
        [0, at, ["half", 0.1]],
        [0, at, [1e300, 0.1]],
        [0, at, [10**400, 0.1]],
        [0, at, [2**64, 0.1]],
        [0, at, [0.1]],
        [2, at, [1]],
        [9, at, [1]],
        [0, future, [0.1, 0.1]],
        [0, past, [0.1, 0.1]],
        [0, at, {"busy_ratio": 1}],
        [1, at, [42.5]],
    ]
    report["readings"] += [[0, at, 10 * NS, [-5], [1]], [0, future, 0, [5], []], ["0", at, 0, [5], []]]
    report["events"] = [{"unix_ns": at, "code": "no code!", "detail": "x"}]
    recorded = sender.send_body(packed(report), headers_of(host))
    assert recorded == Recorded(False, 14)
    assert rejected(database) == {
        "value of a wrong type: busy_ratio": 1,
        "value outside what is possible: busy_ratio": 3,
        "row with another number of values than its series has fields": 1,
        "measurement not known here: system_gpu_of_mars": 1,
        "row of a series that the report does not have": 1,
        "time before 2015 or over a day ahead": 3,
        "row of a wrong type": 1,
        "reading of a wrong type": 1,
        "cumulative value that is no whole number of 64 bits": 1,
        "event at an impossible time or with an unknown code": 1,
    }
    assert sum("temperature_celsius=" in line for line in lines_of(database)) == 2
    assert sum("busy_ratio=0.5," in line for line in lines_of(database)) == 1
    assert count(database, energy_fact) == 1
    assert sender.ingest.counters.rows_rejected == 14
    sender.send_body(packed({**report, "sequence": 2}), headers_of(host))
    assert rejected(database)["value outside what is possible: busy_ratio"] == 6, "days add up"


AWKWARD = ["\0", "\x85\u2028\x0b", "'; DROP TABLE device; --", "ß" * 3000, '\\"', "\n,= ", "😀" * 500]


@pytest.mark.parametrize("text", AWKWARD, ids=["NUL", "lines", "quote", "long", "escapes", "separators", "astral"])
def test_any_text_in_any_place_is_recorded_or_refused_by_name(database: Database, sender: Sender, text: str) -> None:
    host = new_host(database, recent_half_hour())
    at = plain_report()["samples"][0][0]
    report = plain_report(
        meters=[[text, text, "counter", "package", text, text], ["good", "rapl", "counter", "dram", "e", ""]],
        readings=[[0, at, 0, [5], []], [1, at, 0, [5], []]],
        samples=[[at, 1000 * NS]],
        series=[
            ["hw_temperature", {"hw_id": text}, ["temperature_celsius"]],
            ["system_cpu", {}, ["busy_ratio"]],
            [text, {text: text}, [text]],
        ],
        rows=[[0, at, [20]], [1, at, [0.5]], [2, at, [text]], [1, at, [text]]],
        sources=[{"source": text, "outcome": "failed", "reason": text, "remedy": text}],
        choice={"basis": "package", "meters": [text], "why_not": {text: text}},
        inventory={"machine_id": text, "host_name": text, "serial": text, "cpu_model": text, "disks": [{"name": text}]},
        events=[{"unix_ns": at, "code": "clock_step", "detail": text}],
    )
    assert not sender.send_body(packed(report), headers_of(host)).duplicate
    assert not sender.send_body(packed({**report, "sequence": 2}), headers_of(host)).duplicate
    assert any("busy_ratio=0.5" in line for line in lines_of(database))
    with database.read() as connection:
        stored = connection.execute(select(energy_fact.c.part, energy_fact.c.epoch).distinct()).all()
        assert load_context(connection, host.enrolled.device_id).sources
    assert len({row.part for row in stored}) == 2


def test_the_same_source_told_twice_and_at_length_changes_once(database: Database, sender: Sender) -> None:
    host = new_host(database, recent_half_hour())
    long = "because " * 500
    for first in (0, 70):
        report = host.report(first, first + 60)
        report.sources = [SourceState("rapl", "failed", long, "x"), SourceState("rapl", "failed", long, "x")]
        sender.send(host, report)
    with database.read() as connection:
        [row] = connection.execute(select(source_state)).all()
    assert row.since_at == host.start, "the second report tells nothing new"


def test_a_report_sent_twice_counts_once_and_with_other_content_is_a_conflict(
    database: Database, sender: Sender
) -> None:
    host = new_host(database, recent_half_hour())
    report = host.report(0, 60)
    assert [sender.send(host, report).duplicate for _ in range(3)] == [False, True, True]
    with pytest.raises(SequenceConflict) as caught:
        sender.send(host, replace(report, agent_version="0.1.1"))
    assert caught.value.status == 409
    assert "new stream" in caught.value.remedy
    assert count(database, outbox) == 1
    counters = sender.ingest.counters
    assert (counters.accepted, counters.duplicates, counters.refused, sender.woken) == (1, 2, 1, 1)


def test_two_streams_of_one_key_count_apart(database: Database, sender: Sender) -> None:
    host = new_host(database, recent_half_hour())
    report = host.report(0, 60)
    for stream in ("stream-0001", "stream-0002", "stream-0001"):
        sender.send(host, replace(report, stream_id=stream))
    with database.read() as connection:
        marks = connection.execute(select(report_stream.c.stream_id, report_stream.c.low_water)).all()
    assert sorted(map(tuple, marks)) == [("stream-0001", 1), ("stream-0002", 1)]
    assert count(database, report_sequence) == 2


@pytest.mark.parametrize("changes", [{"sequence": -7}, {"samples": "?"}, {"version": 99}, {"stream_id": None}])
def test_a_refused_report_leaves_nothing_behind(database: Database, sender: Sender, changes: Json) -> None:
    host = new_host(database, recent_half_hour())
    with pytest.raises(ReportUnreadable) as caught:
        sender.send_body(packed(plain_report(**changes)), headers_of(host))
    assert caught.value.field == next(iter(changes))
    assert [count(database, one) for one in (outbox, energy_fact, report_stream, rejected_rows)] == [0] * 4
    assert sender.ingest.counters.refused == 1


def test_a_host_is_known_by_its_own_key_only(database: Database, sender: Sender) -> None:
    host = new_host(database, recent_half_hour())
    key_id, _, secret = host.enrolled.key.partition(".")
    body, headers = packed(plain_report()), headers_of(host)
    wrong = [
        "",
        host.enrolled.key,
        f"Basic {host.enrolled.key}",
        f"Bearer {key_id}",
        f"Bearer {key_id}.",
        f"Bearer {key_id}.{secret[:-1]}",
        f"Bearer {secret}.{key_id}",
        f"Bearer {key_id}.{secret}ü",
        f"Bearer nobody.{secret}",
    ]
    for _ in range(2):  # before and after the key is in the cache
        for text in wrong:
            with pytest.raises(NotAuthorised):
                sender.send_body(body, {**headers, "authorization": text})
        sender.send_body(body, headers)
    assert count(database, outbox) == 1


def test_a_key_revoked_elsewhere_is_refused_at_once(database: Database, sender: Sender) -> None:
    host = new_host(database, recent_half_hour())
    sender.send(host, host.report(0, 60))
    with database.write() as connection:
        connection.execute(update(agent_key).values(revoked_at=1))
    for _ in range(2):
        with pytest.raises(NotAuthorised):
            sender.send(host, host.report(70, 120))
    assert count(database, outbox) == 1


@pytest.mark.parametrize("header", [WALL_CLOCK_HEADER, BOOT_CLOCK_HEADER])
@pytest.mark.parametrize("text", ["", "-1", "1.5", "soon", str(2**63), "9" * 400, "١٢٣"])
def test_a_request_without_its_senders_clocks_is_refused_by_the_headers_name(
    database: Database, sender: Sender, header: str, text: str
) -> None:
    host = new_host(database, recent_half_hour())
    with pytest.raises(ReportUnreadable) as caught:
        sender.send_body(packed(plain_report()), {**headers_of(host), header.lower(): text})
    assert caught.value.field == header


def test_a_request_that_is_cut_off_leaves_the_collector_taking_reports(database: Database, sender: Sender) -> None:
    host = new_host(database, recent_half_hour())
    first, second, third = host.report(0, 60), host.report(70, 120), host.report(130, 180)
    entered, release = threading.Event(), threading.Event()

    def hold(_connection: object, items: Any) -> list[None]:
        entered.set()
        release.wait(10)
        return [None] * len(items)

    async def cut_off() -> None:
        holding = sender.writer.submit(hold, None)
        await asyncio.to_thread(entered.wait, 10)
        request = asyncio.ensure_future(sender.ingest.report(encode(second), headers_of(host), time.time_ns()))
        while not sender.writer.waiting:
            await asyncio.sleep(0.01)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        release.set()
        await asyncio.wrap_future(holding)

    sender.send(host, first)
    sender._runner.run(cut_off())
    assert not sender.send(host, third).duplicate
    sender.send(host, second)
    with database.read() as connection:
        assert connection.execute(select(report_stream.c.low_water)).scalar_one() == 3


def test_a_collector_that_cannot_keep_up_says_so_and_records_nothing(
    database: Database, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = new_host(database, recent_half_hour())
    sender.send(host, host.report(0, 60))

    def full(*_: object) -> None:
        raise QueueFull("2000 writes are waiting", "send it again in a few seconds")

    monkeypatch.setattr(sender.writer, "submit", full)
    with pytest.raises(QueueFull) as caught:
        sender.send(host, host.report(70, 120))
    assert caught.value.status == 503
    assert count(database, outbox) == 1


def test_two_collectors_that_get_the_same_reports_count_each_once(
    postgres_url: str, postgres_database: Database
) -> None:
    database = postgres_database
    host = new_host(database, recent_half_hour(8))
    reports = host.reports(3000, every=120)
    both = threading.Barrier(2)

    def collector(name: str) -> list[bool]:
        opened = open_database(postgres_url)
        sender = Sender(opened, name)
        new = []
        for report in reports:
            both.wait(20)
            new.append(not sender.send(host, report).duplicate)
        sender.close()
        opened.close()
        return new

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(collector, ["collector-1", "collector-2"])
    assert [one != other for one, other in zip(first, second, strict=True)] == [True] * len(reports)
    assert count(database, outbox) == len(reports)
    with database.read() as connection:
        assert connection.execute(select(report_stream.c.low_water)).scalar_one() == len(reports)


def test_the_mark_moves_on_when_two_collectors_share_a_stream(postgres_url: str, postgres_database: Database) -> None:
    database = postgres_database
    host = new_host(database, recent_half_hour(8))
    reports = host.reports(6000, every=60)

    def collector(number: int) -> None:
        opened = open_database(postgres_url)
        sender = Sender(opened, f"collector-{number}")
        for report in reports[number::2]:
            sender.send(host, report)
        sender.close()
        opened.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(collector, [0, 1]))
    with database.read() as connection:
        assert connection.execute(select(report_stream.c.low_water)).scalar_one() == len(reports)


def test_an_edit_of_the_estate_shows_with_the_next_report_but_one(database: Database, sender: Sender) -> None:
    host = new_host(database, recent_half_hour())
    sender.send(host, host.report(0, 60))
    sender.send(host, host.report(70, 120))
    with database.write() as connection:
        connection.execute(update(device).values(kind="ups"))
        connection.exec_driver_sql("UPDATE setting SET value = '1' WHERE name = 'estate_version'")
    for first in (130, 190):
        sender.send(host, host.report(first, first + 50))
    assert "kind=ups" in lines_of(database)[-1]


JSON_TEXT = packed(plain_report())
spoiled = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=6), st.just([])
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_spoiled_is_refused_or_counted_and_the_good_rows_are_kept(
    database: Database, sender: Sender, data: st.DataObject
) -> None:
    host = _host_of(database)
    report = plain_report()
    at = report["samples"][0][0]
    report["stream_id"] = f"stream-{time.monotonic_ns()}"
    report["inventory"] = {"host_name": "h", "cpu_model": SERVER.cpu_model}
    good = [1, at, [round(data.draw(st.floats(0, 99)), 3)]]
    report["rows"].append(good)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(["samples", "series", "rows", "meters", "readings", "events", "sources"]))
        items = report[place]
        if place == "rows" and data.draw(st.booleans()):
            items.insert(0, data.draw(spoiled))
        elif items and isinstance(items[0], list) and items[0]:
            one = list(items[0])
            one[data.draw(st.integers(0, len(one) - 1))] = data.draw(spoiled)
            items.insert(0 if place != "series" else len(items), one)
    try:
        recorded = sender.send_body(packed(report), headers_of(host))
    except (ReportUnreadable, ReportTooLarge):
        return
    refused = recorded.rejected_rows
    with database.read() as connection:
        newest = connection.execute(select(outbox.c.lines).order_by(outbox.c.id.desc()).limit(1)).scalar_one()
    text = igzip.decompress(bytes(newest)).decode()
    assert f"temperature_celsius={good[2][0]} " in text
    sent = len(report["rows"]) + len(report["readings"]) + len(report["events"])
    derived = ("hw_host", "hw_component", "power_meter", "ictagent_source", "ictagent_event")
    kept = [line for line in text.split("\n") if line and not line.startswith(derived)]
    assert len(kept) >= sent - refused - len(report["readings"])


_hosts: dict[int, Host] = {}


def _host_of(database: Database) -> Host:
    """One host for all examples of one database."""
    if id(database) not in _hosts:
        _hosts[id(database)] = new_host(database, recent_half_hour())
    return _hosts[id(database)]
