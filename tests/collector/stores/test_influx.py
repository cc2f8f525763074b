"""InfluxDB's answers told apart: what is wrong with lines, and what with the server. A real InfluxDB 1.6.7 behind nginx."""

import http.server
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from collector.errors import TargetUnavailable
from collector.stores.influx import InfluxSettings, InfluxStore
from tests.collector.batches import NS, batch_of, memory_line
from tests.conftest import missing
from tests.servers import influxd as influx_server
from tests.servers.influxd import Influxd
from tests.servers.process import free_port

NOW = (time.time_ns() // NS - 60) * NS
DAY = 24 * 3600 * NS


class CountingStore(InfluxStore):
    """Counts the requests it sends."""

    requests = 0

    def _post(self, body: bytes) -> None:
        self.requests += 1
        super()._post(body)


def store_of(server: Influxd, **settings: Any) -> CountingStore:
    return CountingStore(InfluxSettings(server.url, "ictagent", token_file=server.token_file, **settings))


def count(server: Influxd, field: str = "used_bytes", measurement: str = "system_memory") -> int:
    statement = f'SELECT count("{field}") FROM "{measurement}"'  # noqa: S608  # the test's own names
    found = server.query("ictagent", statement)
    return int(found[0]["values"][0][1]) if found else 0


def test_a_revoked_token_keeps_everything_and_a_new_one_is_read_without_a_restart(influx: Influxd) -> None:
    store = store_of(influx)
    influx.revoke_token()
    with pytest.raises(TargetUnavailable) as caught:
        store.write([batch_of([memory_line(NOW)])])
    assert "401" in caught.value.message
    assert "influx_token_file" in caught.value.remedy
    influx.token_file.write_text("another-token-entirely\n")
    store.write([batch_of([memory_line(NOW)])])
    assert count(influx) == 1
    store.close()


def test_a_token_file_that_is_gone_is_named(influx: Influxd) -> None:
    store = store_of(influx)
    influx.token_file.unlink()
    with pytest.raises(TargetUnavailable) as caught:
        store.write([batch_of([memory_line(NOW)])])
    assert str(influx.token_file) in caught.value.message
    store.close()


def test_a_missing_database_is_the_servers_condition_and_heals_when_it_is_made(influx: Influxd) -> None:
    store = store_of(influx)
    influx.command("DROP DATABASE ictagent")
    with pytest.raises(TargetUnavailable) as caught:
        store.write([batch_of([memory_line(NOW)])])
    assert "404" in caught.value.message
    assert "influx_bucket" in caught.value.remedy
    influx.command("CREATE DATABASE ictagent")
    assert store.write([batch_of([memory_line(NOW)])]).dead == []
    assert count(influx) == 1
    store.close()


def test_a_request_without_a_bucket_is_no_fault_of_its_lines(influx: Influxd) -> None:
    store = InfluxStore(InfluxSettings(influx.url, "", token_file=influx.token_file))
    with pytest.raises(TargetUnavailable):
        store.write([batch_of([memory_line(NOW)])])
    store.close()


def test_a_server_that_is_away_keeps_everything(influx: Influxd) -> None:
    store = store_of(influx)
    influx.stop()
    with pytest.raises(TargetUnavailable) as caught:
        store.write([batch_of([memory_line(NOW)])])
    assert "cannot be reached" in caught.value.message
    influx.start()
    store.write([batch_of([memory_line(NOW)])])
    assert count(influx) == 1
    store.close()


def test_a_body_too_large_is_halved_until_it_fits(tmp_path: Path) -> None:
    if absent := influx_server.missing_program():
        missing(f"{absent} (Debian packages influxdb and nginx-light)")
    with influx_server.influxd(tmp_path / "influxd", largest_body="2k") as server:
        store = store_of(server)
        lines = [memory_line(NOW + index * 7919, index * 7.7919, f"web{index * 48271 % 65537}") for index in range(400)]
        written = store.write([batch_of(lines)])
        assert (written.dead, count(server)) == ([], 400)
        assert 3 < store.requests < 64
        # One line that compression does not make small enough.
        detail = "".join(chr(0x4E00 + index * 7919 % 20000) for index in range(1000))
        large = f'ictagent_event,device_id=d1,code=x detail="{detail}" {NOW}'
        written = store.write([batch_of([memory_line(NOW + 1), large, memory_line(NOW + 2)])])
        assert written.dead == [(large, "larger than the server takes")]
        assert count(server) == 402
        store.close()


def test_one_bad_line_of_twenty_thousand_is_found_in_few_requests(influx: Influxd) -> None:
    store = store_of(influx)
    store.write([batch_of([memory_line(NOW)])])
    lines = [memory_line(NOW + 1 + index, index, f"web{index % 100}") for index in range(20_000)]
    bad = f'system_memory,device_id=d1,host_name=web7,kind=host used_bytes="much" {NOW + 10**6}'
    store.requests = 0
    written = store.write([batch_of([*lines[:12_345], bad, *lines[12_345:]])])
    assert [line for line, _ in written.dead] == [bad]
    assert "field type conflict" in written.dead[0][1]
    assert store.requests <= 2 * 15 + 1
    assert count(influx) == 20_001
    store.close()


def test_a_field_that_always_conflicts_costs_few_requests(influx: Influxd) -> None:
    # A bucket that another program has written to: every point of one measurement conflicts, among thousands of good.
    store = store_of(influx)
    other = 'system_disk,device_id=d1 read_bytes_per_second="slow"'
    store.write([batch_of([f"{other} {NOW}"])])
    lines = []
    for index in range(2000):
        lines.append(memory_line(NOW + index))
        lines.append(f"system_disk,device_id=d1 read_bytes_per_second={index} {NOW + 10 + index}")
        lines.append(f"system_disk,device_id=d1,disk=sda busy_ratio=0.5 {NOW + 10 + index}")
    store.requests = 0
    written = store.write([batch_of(lines)])
    assert [line for line, _ in written.dead] == lines[1::3]
    assert store.requests <= 3
    assert (count(influx), count(influx, "busy_ratio", "system_disk")) == (2000, 2000)
    store.close()


def keep_a_week(server: Influxd) -> None:
    server.command("DROP DATABASE ictagent")
    server.command("CREATE DATABASE ictagent WITH DURATION 7d SHARD DURATION 1d")


def test_points_older_than_the_servers_retention_are_skipped_and_counted(influx: Influxd) -> None:
    keep_a_week(influx)
    store = store_of(influx)
    old = [memory_line(NOW - 20 * DAY + index) for index in range(30)]
    new = [memory_line(NOW + index) for index in range(70)]
    mixed = [line for pair in zip(old, new[:30], strict=True) for line in pair] + new[30:]
    written = store.write([batch_of(mixed)])
    assert (written.skipped_old, written.dead, count(influx)) == (30, [], 70)
    assert store.requests == 2
    written = store.write([batch_of(old, 2)])
    assert (written.skipped_old, written.dead, count(influx)) == (30, [], 70)
    store.close()


def test_a_bad_line_among_old_ones_is_not_lost_from_sight(influx: Influxd) -> None:
    keep_a_week(influx)
    store = store_of(influx)
    store.write([batch_of([memory_line(NOW)])])
    old = [memory_line(NOW - 20 * DAY + index) for index in range(9)]
    conflict = f'system_memory,device_id=d1,host_name=web01,kind=host used_bytes="much" {NOW + 5}'
    unreadable = f"system_memory,device_id=d1 used_bytes=oops {NOW + 6}"
    good = [memory_line(NOW + 10 + index) for index in range(9)]
    written = store.write([batch_of([*old[:5], conflict, *good[:4], unreadable, *old[5:], *good[4:]])])
    assert {line for line, _ in written.dead} == {conflict, unreadable}
    assert (written.skipped_old, count(influx)) == (9, 10)
    store.close()


def test_what_is_known_to_be_too_old_is_not_sent(influx: Influxd) -> None:
    store = CountingStore(
        InfluxSettings(influx.url, "ictagent", token_file=influx.token_file, retention_days=7.0), clock=lambda: NOW
    )
    batches = [
        batch_of([memory_line(NOW - 8 * DAY), memory_line(NOW - 7 * DAY - 1)], 1),
        batch_of([memory_line(NOW - 7 * DAY)], 2),
    ]
    assert store.write(batches).skipped_old == 2
    assert store.requests == 1
    assert store.write(batches[:1]).skipped_old == 2
    assert (store.requests, count(influx)) == (1, 1)
    store.close()


Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def answering(answer: Callable[[int], Answer]) -> Iterator[tuple[str, Counter[str]]]:
    """A real HTTP server whose answer to its nth request is given; its URL, and how often it was asked."""
    asked: Counter[str] = Counter()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked["requests"] += 1
            status, headers, body = answer(asked["requests"])
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the test's output is the test's."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("0", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
def test_a_busy_server_is_asked_again_when_it_says(status: int, header: str, seconds: float | None) -> None:
    with answering(lambda _: (status, {"Retry-After": header}, b'{"message":"slow down"}')) as (url, asked):
        store = InfluxStore(InfluxSettings(url, "ictagent"))
        with pytest.raises(TargetUnavailable) as caught:
            store.write([batch_of([memory_line(NOW)])])
        store.close()
    assert caught.value.retry_after == seconds
    assert f"answers {status}" in caught.value.message
    assert asked["requests"] == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b"<html><h1>400 The plain HTTP request was sent to HTTPS port</h1></html>"),
        (400, b""),
        (422, b"[]"),
        (400, b'{"error": {"code": 7}}'),
        (302, b""),
        (500, b'{"error":"timeout"}'),
        (502, b"Bad Gateway"),
        (403, b'{"message":"forbidden"}'),
    ],
)
def test_an_answer_that_does_not_speak_of_lines_condemns_none(status: int, body: bytes) -> None:
    with answering(lambda _: (status, {}, body)) as (url, asked):
        store = InfluxStore(InfluxSettings(url, "ictagent"))
        with pytest.raises(TargetUnavailable) as caught:
            store.write([batch_of([memory_line(NOW + index) for index in range(10)])])
        store.close()
    assert caught.value.remedy
    assert asked["requests"] == 1


def test_a_server_that_refuses_every_line_without_a_count_is_asked_at_most_twice_a_line() -> None:
    with answering(lambda _: (422, {}, b'{"message":"I do not like it"}')) as (url, asked):
        store = InfluxStore(InfluxSettings(url, "ictagent"))
        lines = [memory_line(NOW + index) for index in range(64)]
        written = store.write([batch_of(lines)])
        store.close()
    assert [line for line, _ in written.dead] == lines
    assert asked["requests"] == 2 * 64 - 1


def test_a_server_that_fails_in_the_middle_of_dividing_keeps_the_whole_batch() -> None:
    answers: dict[int, Answer] = {1: (422, {}, b'{"message":"a line"}'), 2: (204, {}, b""), 3: (503, {}, b"")}
    with answering(lambda number: answers.get(number, (204, {}, b""))) as (url, _):
        store = InfluxStore(InfluxSettings(url, "ictagent"))
        batch = batch_of([memory_line(NOW + index) for index in range(4)])
        with pytest.raises(TargetUnavailable):
            store.write([batch])
        assert store.write([batch]).dead == []
        store.close()
