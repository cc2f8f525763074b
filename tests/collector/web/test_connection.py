"""Clients that are slow, endless or cut off: each loses its connection at a limit, and the others are served."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from collector import limits as limits_module
from collector.commands.serve import bind
from collector.web import connection as connection_module
from collector.web import requests as requests_module
from collector.web.connection import LimitedConnection
from tests.collector.reports import packed, plain_report
from tests.collector.web.served import Served
from tests.servers.process import wait_until

POST = b"POST /v1/reports HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@contextlib.contextmanager
def raw(served: Served, *sent: bytes) -> Iterator[socket.socket]:
    """A connection by which something was sent already."""
    with socket.create_connection(("127.0.0.1", int(served.host.rpartition(":")[2])), timeout=15) as connection:
        for piece in sent:
            connection.sendall(piece)
        yield connection


def heard_until_its_end(connection: socket.socket) -> bytes:
    """All that comes until the collector ends the connection, in order or not."""
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            heard += piece
    return heard


def dripped(connection: socket.socket, content: bytes) -> float:
    """Seconds for which a byte can be sent every 50 ms, until the collector ends the connection."""
    started = time.monotonic()
    for at in range(len(content)):
        try:
            connection.sendall(content[at : at + 1])
        except OSError:
            break
        time.sleep(0.05)
    return time.monotonic() - started


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second in place of half a minute."""
    monkeypatch.setattr(connection_module, "ARRIVAL_SECONDS", 0.5)
    monkeypatch.setattr(connection_module, "STALLED_SECONDS", 0.5)


def known(served: Served) -> bytes:
    """The header line of a host that is enrolled."""
    return f"Authorization: Bearer {served.enrol('slow').key}\r\n".encode()


@pytest.mark.usefixtures("short")
def test_a_request_that_does_not_arrive_in_time_loses_its_connection_whatever_part_is_slow(empty: Served) -> None:
    head = POST + known(empty) + b"Content-Length: 400\r\n\r\n"
    beginnings = {
        "nothing at all": (b"", b""),
        "headers": (POST + b"X-Slow: ", b"s" * 200),
        "line breaks before a request": (b"", b"\r\n" * 100),
        "body": (head, b" " * 200),
        "chunks": (head.replace(b"Content-Length: 400", b"Transfer-Encoding: chunked"), b"1\r\n \r\n" * 40),
        "body of a second request": (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + head, b""),
    }
    lasted: dict[str, float] = {}

    def act(name: str) -> None:
        start, rest = beginnings[name]
        with raw(empty, start) as connection:
            lasted[name] = dripped(connection, rest)
            began = time.monotonic()
            heard_until_its_end(connection)
            lasted[name] += time.monotonic() - began

    threads = [threading.Thread(target=act, args=(name,)) for name in beginnings]
    for thread in threads:
        thread.start()
    # Others are served meanwhile.
    assert empty.client.get("/healthz").status_code == 200
    for thread in threads:
        thread.join()
    assert all(0.3 < seconds < 5 for seconds in lasted.values()), lasted
    assert empty.collector.limits.arriving_bytes == 0
    assert empty.collector.ingest.counters.accepted == 0


@pytest.mark.usefixtures("short")
def test_a_client_that_keeps_its_connection_open_and_sends_in_time_is_not_cut(empty: Served) -> None:
    key = known(empty)
    with raw(empty) as connection:
        for sequence in range(1, 5):
            body = packed(plain_report(sequence=sequence))
            clock = f"X-Ictagent-Wall-Ns: {time.time_ns()}\r\nX-Ictagent-Boot-Ns: {10**15}\r\n".encode()
            length = f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            for piece in (POST, key, clock + length, body):
                connection.sendall(piece)
                time.sleep(0.06)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
    assert empty.collector.ingest.counters.accepted == 4


@contextlib.contextmanager
def sending_much(total: int) -> Iterator[int]:
    """A server with our connections that answers everything with so many bytes; its port."""

    async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(total // 65536):
            await send({"type": "http.response.body", "body": b" " * 65536, "more_body": True})
        await send({"type": "http.response.body"})

    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(
        uvicorn.Config(application, http=LimitedConnection, lifespan="off", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: server.started, "the server to start", 10)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.usefixtures("short")
def test_a_client_that_takes_none_of_a_long_answer_loses_its_connection_and_a_slow_one_does_not() -> None:
    total = 32 * 1024 * 1024
    with sending_much(total) as port:
        for pause, whole in ((1.5, False), (0.01, True)):
            with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                heard = 0
                if not whole:
                    time.sleep(pause)
                with contextlib.suppress(ConnectionResetError):
                    while piece := connection.recv(256 * 1024):
                        heard += len(piece)
                        time.sleep(pause if whole else 0)
            assert (heard >= total) is whole, pause


def test_requests_sent_before_the_answers_are_bounded(empty: Served) -> None:
    asked = b"GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n" % empty.host.encode()
    with raw(empty, asked * 10) as connection:
        wait_heard(connection, b'"status":"ok"', 10)
    with raw(empty, asked * 2000) as connection:
        heard = heard_until_its_end(connection)
    assert heard.count(b'"status":"ok"') < 2000
    assert empty.client.get("/healthz").status_code == 200


def wait_heard(connection: socket.socket, words: bytes, times: int) -> None:
    """Read until words came so often."""
    heard = b""
    while heard.count(words) < times:
        piece = connection.recv(65536)
        assert piece, heard
        heard += piece


def test_a_head_without_end_is_refused(empty: Served) -> None:
    for endless in (b"X-Many: " + b"v" * 8000 + b"\r\n", b"v" * 8000):
        with raw(empty, POST, b"X-First: ") as connection:
            with contextlib.suppress(OSError):
                for _ in range(1000):
                    connection.sendall(endless)
            heard = heard_until_its_end(connection)
        assert heard.startswith(b"HTTP/1.1 400 ") or not heard, "it may be reset before the answer is read"
        assert b"200 OK" not in heard


def test_a_body_in_tiny_chunks_or_with_endless_trailers_is_ended(empty: Served) -> None:
    head = POST + known(empty) + b"Transfer-Encoding: chunked\r\n\r\n"
    tiny, extended, trailers = b"1\r\n \r\n", b"1;" + b"x" * 8000 + b"\r\n \r\n", b"x: y\r\n"
    for start, endless in ((b"", tiny), (b"", extended), (b"0\r\n", trailers)):
        with raw(empty, head, start) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(endless * (300_000 // len(endless)))
            assert heard_until_its_end(connection) == b""
    assert empty.collector.ingest.counters.accepted == 0
    assert empty.client.get("/healthz").status_code == 200


def test_nothing_of_a_body_is_kept_for_who_has_no_key(empty: Served) -> None:
    with raw(empty, POST, b"Content-Length: 4000000\r\n\r\n", b" " * 100_000) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")
        assert empty.collector.limits.arriving_bytes == 0
        # What it goes on sending is thrown away, and it may then ask anew.
        connection.sendall(b" " * 3_900_000)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n" % empty.host.encode())
        assert b'"status":"ok"' in connection.recv(65536)


def test_bodies_that_arrive_at_one_moment_are_bounded_together(empty: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits_module.LARGEST_ARRIVING_BYTES == 64 * 1024 * 1024
    monkeypatch.setattr(requests_module, "LARGEST_ARRIVING_BYTES", 300_000)
    key = known(empty)
    with contextlib.ExitStack() as held:
        for _ in range(2):
            held.enter_context(raw(empty, POST, key, b"Content-Length: 200000\r\n\r\n", b" " * 140_000))
        wait_until(lambda: empty.collector.limits.arriving_bytes == 280_000, "two bodies in arrival", 10)
        one_more = held.enter_context(raw(empty, POST, key, b"Content-Length: 200000\r\n\r\n", b" " * 140_000))
        answer = one_more.recv(65536)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 5" in answer.lower()
        assert b'"busy"' in answer
    wait_until(lambda: empty.collector.limits.arriving_bytes == 0, "all of it forgotten", 10)


@pytest.mark.parametrize("kept", [0, 10, 200])
def test_a_connection_cut_in_the_middle_of_a_body_keeps_nothing_and_is_no_defect(
    kept: int, empty: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    body = packed(plain_report())
    with raw(empty, POST, known(empty), f"Content-Length: {len(body)}\r\n\r\n".encode(), body[:kept]) as connection:
        connection.shutdown(socket.SHUT_WR)
        heard_until_its_end(connection)
    wait_until(lambda: empty.collector.ingest.counters.refused == 1, "the refusal counted", 10)
    assert empty.collector.ingest.counters.accepted == 0
    assert "Traceback" not in caplog.text
    assert "the connection ended in the middle of the body" in caplog.text
