"""Speaking to the collector over real sockets: keep-alive, TLS, proxy, deadlines, and answers that make no sense."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent import transport as transport_module
from agent.clock import Clock
from agent.errors import TransportError
from agent.settings import AgentSettings
from agent.transport import LONGEST_PAUSE_SECONDS, Transport, growing_pause
from tests.agent.scripted import ACCEPTED, Reply, connect_proxy, refusal, scripted
from tests.conftest import missing
from tests.servers.process import free_port


def to(url: str, **changes: str) -> Transport:
    return Transport(replace(AgentSettings(collector=url), **changes), Clock())  # type: ignore[arg-type]  # all are texts


def test_a_report_carries_key_clocks_and_boot() -> None:
    with scripted() as server:
        answer = to(server.url).post_report(b"\x1f\x8bbody", "the-key")
    assert (answer.status, answer.body) == (200, ACCEPTED)
    [heard] = server.heard
    assert (heard.method, heard.path, heard.body) == ("POST", "/v1/reports", b"\x1f\x8bbody")
    assert heard.headers["Authorization"] == "Bearer the-key"
    assert heard.headers["Content-Encoding"] == "gzip"
    assert abs(int(heard.headers["X-Ictagent-Wall-Ns"]) - time.time_ns()) < 60 * 10**9
    assert int(heard.headers["X-Ictagent-Boot-Ns"]) > 0
    assert heard.headers["X-Ictagent-Boot-Id"] == Clock().boot_id()


def test_a_path_in_the_address_goes_before_the_collectors_own() -> None:
    with scripted() as server:
        to(f"{server.url}/energy/").post_report(b"x", "k")
    assert server.heard[0].path == "/energy/v1/reports"


def test_one_connection_serves_many_requests() -> None:
    with scripted() as server:
        transport = to(server.url)
        for _ in range(3):
            transport.post_report(b"x", "k")
        transport.close()
    assert {one.connection for one in server.heard} == {0}


def test_a_kept_connection_that_the_server_closed_is_made_anew_without_a_word() -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_RDWR)

    with scripted(Reply(), Reply(act=hang_up), Reply()) as server:
        transport = to(server.url)
        transport.post_report(b"1", "k")
        assert transport.post_report(b"2", "k").status == 200
    assert [(one.body, one.connection) for one in server.heard] == [(b"1", 0), (b"2", 0), (b"2", 1)]


def test_a_server_that_asks_to_close_is_connected_to_anew() -> None:
    with scripted(Reply(headers={"Connection": "close"})) as server:
        transport = to(server.url)
        assert [transport.post_report(b"x", "k").status for _ in range(2)] == [200, 200]
    assert [one.connection for one in server.heard] == [0, 1]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed_so_that_the_key_goes_nowhere_else(status: int) -> None:
    with scripted() as other, scripted(Reply(status, {}, {"Location": f"{other.url}/v1/reports"})) as server:
        assert to(server.url).post_report(b"x", "secret").status == status
    assert not other.heard


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"\xff\xfe", b"[1]", b"null", b'"text"', b"[" * 100_000, b'{"error": 5}']
)
def test_an_answer_that_is_not_the_collectors_is_an_empty_one(content: bytes) -> None:
    with scripted(Reply(500, content)) as server:
        answer = to(server.url).post_report(b"x", "k")
    assert answer.status == 500
    assert answer.error == "the collector answered 500"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 0.0), ("-1", None), ("soon", None), ("²", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)],
)
def test_retry_after_is_read_as_seconds_or_not_at_all(header: str, seconds: float | None) -> None:
    with scripted(refusal(429, Retry_After=header)) as server:
        assert to(server.url).post_report(b"x", "k").retry_after == seconds


def test_the_collectors_words_reach_the_user_with_the_remedy() -> None:
    with scripted(refusal(400, "samples[3] is no time", "update the agent")) as server:
        assert to(server.url).post_report(b"x", "k").error == "samples[3] is no time; update the agent"


def garbage(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")


def cut_short(connection: socket.socket) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"accepted": true')


def cut_chunk(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{}")


def too_long(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" + b" " * 400_000)


def nothing(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("act", [garbage, cut_short, cut_chunk, too_long, nothing])
def test_an_answer_that_is_cut_off_too_long_or_no_http_is_no_answer(act: Callable[[socket.socket], None]) -> None:
    with scripted(Reply(act=act)) as server, pytest.raises(TransportError, match=r"cannot be reached: "):
        to(server.url).post_report(b"x", "k")
    assert len(server.heard) == 1


def drip(content: bytes) -> Callable[[socket.socket], None]:
    """Send byte by byte, ten a second, until the peer has had enough; a head that is whole at once."""
    head, end, body = content.partition(b"\r\n\r\n")
    at_once, slowly = (head + end, body) if end else (b"", content)

    def act(connection: socket.socket) -> None:
        connection.sendall(at_once)
        for index in range(len(slowly)):
            try:
                connection.sendall(slowly[index : index + 1])
            except OSError:
                return
            time.sleep(0.1)

    return act


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: " + b"s" * 300,
        b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + b" " * 300,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 300,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"x: y\r\n" * 60,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b" " * 300,
    ],
    ids=["headers", "body", "size of a chunk", "trailers", "body without a length"],
)
def test_a_peer_that_drips_its_answer_does_not_hold_the_sender(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "ANSWER_SECONDS", 0.6)
    with scripted(Reply(), Reply(act=drip(content))) as server:
        transport = to(server.url)
        transport.post_report(b"x", "k")
        started = time.monotonic()
        with pytest.raises(TransportError, match=r"did not answer within"):
            transport.post_report(b"x", "k")
        # Once, not a second time on a new connection.
        assert len(server.heard) == 2
    assert time.monotonic() - started < 3


def test_a_silent_peer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(TransportError, match=r"did not answer within"):
            to(f"http://127.0.0.1:{port}").post_report(b"x", "k")


def test_nobody_listening_and_a_name_nobody_knows_are_told_apart() -> None:
    port = free_port()
    with pytest.raises(TransportError, match=f"nothing listens at 127.0.0.1:{port}: is the collector running?"):
        to(f"http://127.0.0.1:{port}").post_report(b"x", "k")
    with pytest.raises(TransportError, match=r"the collector's name collector.invalid is not known"):
        to("https://collector.invalid").post_report(b"x", "k")


def test_an_ipv6_address_works() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        missing("IPv6 on loopback")
    with scripted(host="::1") as server:
        assert server.url.startswith("http://[::1]:")
        assert to(server.url).post_report(b"x", "k").status == 200
    assert server.heard[0].headers["Host"] == f"[::1]:{server.port}"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `ca.pem`, and `server.pem` (key and certificate for 127.0.0.1) that it signed."""
    if shutil.which("openssl") is None:
        missing("openssl")
    folder = tmp_path_factory.mktemp("authority")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=council", "-days", "2")
    openssl("req", *new, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=collector")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", *signing, "-out", "server.crt")
    (folder / "server.pem").write_text((folder / "server.key").read_text() + (folder / "server.crt").read_text())
    return folder


def test_tls_with_the_named_authority_works_and_keeps_the_connection(authority: Path) -> None:
    with scripted(certificate=authority / "server.pem") as server:
        transport = to(server.url, ca=str(authority / "ca.pem"))
        assert [transport.post_report(b"x", "k").status for _ in range(2)] == [200, 200]
        transport.close()
    assert {one.connection for one in server.heard} == {0}


def test_a_certificate_of_an_unknown_authority_is_refused_before_the_key_is_sent(authority: Path) -> None:
    with (
        scripted(certificate=authority / "server.pem") as server,
        pytest.raises(TransportError, match=r"certificate of .* is not trusted.*set `ca`"),
    ):
        to(server.url).post_report(b"x", "secret")
    assert not server.heard


def test_a_certificate_for_another_name_is_refused(authority: Path) -> None:
    with (
        scripted(certificate=authority / "server.pem") as server,
        pytest.raises(TransportError, match=r"certificate of .* is not trusted"),
    ):
        to(f"https://localhost:{server.port}", ca=str(authority / "ca.pem")).post_report(b"x", "secret")
    assert not server.heard


def test_an_authority_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match=r"the authority's certificate .*gone\.pem cannot be read"):
        to("https://127.0.0.1:1", ca=str(tmp_path / "gone.pem")).post_report(b"x", "k")


def test_the_way_through_a_proxy_is_a_tunnel_so_that_it_sees_neither_key_nor_report(authority: Path) -> None:
    with scripted(certificate=authority / "server.pem") as server, connect_proxy() as proxy:
        transport = to(server.url, ca=str(authority / "ca.pem"), proxy=proxy.address)
        assert [transport.post_report(b"x", "k").status for _ in range(2)] == [200, 200]
        transport.close()
    assert [line.split()[:2] for line in proxy.asked] == [["CONNECT", f"127.0.0.1:{server.port}"]]


def test_a_proxy_that_refuses_is_named() -> None:
    with connect_proxy(refuse=True) as proxy, pytest.raises(TransportError, match=r"Tunnel connection failed: 403"):
        to("https://collector.example", proxy=proxy.address).post_report(b"x", "k")


def test_the_pause_doubles_to_five_minutes_and_is_jittered_by_half() -> None:
    for failures, full in ((1, 1), (2, 2), (5, 16), (9, 256), (10, LONGEST_PAUSE_SECONDS), (10**6, 300)):
        pauses = [growing_pause(failures) for _ in range(200)]
        assert full / 2 <= min(pauses) < max(pauses) <= full
