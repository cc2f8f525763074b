"""A real HTTP server on loopback that answers as a test tells it to, and keeps what it heard."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ACCEPTED = {"accepted": True, "duplicate": False, "rejected_rows": 0}


@dataclass(frozen=True)
class Heard:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class Reply:
    """What to answer: a status with JSON or raw bytes; or, in `act`, whatever is done to the connection instead."""

    status: int = 200
    content: Any = field(default_factory=lambda: ACCEPTED)
    headers: dict[str, str] = field(default_factory=dict)
    act: Callable[[socket.socket], None] | None = None

    def body(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()


def refusal(status: int, message: str = "no", remedy: str = "do something", **headers: str) -> Reply:
    """An answer in the collector's shape of errors; `Retry_After="2"` becomes a header."""
    content = {"error": {"code": "refused", "message": message, "remedy": remedy}}
    return Reply(status, content, {name.replace("_", "-"): value for name, value in headers.items()})


class Scripted:
    """The server: `replies` are given in turn, the last one for ever after; `heard` is what came."""

    def __init__(self, *replies: Reply, host: str = "127.0.0.1", certificate: Path | None = None) -> None:
        self.replies = list(replies) or [Reply()]
        self.heard: list[Heard] = []
        self._connections: dict[tuple[str, int], int] = {}
        self._lock = threading.Lock()
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # The stream of a connection that a test broke must not wait for more.
            timeout = 30

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                reply = script.take(self, body)
                if reply.act is not None:
                    reply.act(self.connection)
                    self.close_connection = True
                    return
                content = reply.body()
                self.send_response_only(reply.status)
                usual = {"Date": self.date_time_string(), "Content-Type": "application/json"}
                headers = {**usual, "Content-Length": str(len(content)), **reply.headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = handle_any  # noqa: N815  # the names are the library's

            def log_message(self, *_: object) -> None:
                """The test reads `heard`, not a log."""

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A peer that goes away in the middle is part of the tests."""

        self.server = Server((host, 0), Handler)
        self.port: int = self.server.server_address[1]
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def take(self, handler: BaseHTTPRequestHandler, body: bytes) -> Reply:
        with self._lock:
            peer = (handler.client_address[0], handler.client_address[1])
            number = self._connections.setdefault(peer, len(self._connections))
            self.heard.append(Heard(handler.command, handler.path, dict(handler.headers), body, number))
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def bodies(self, path: str = "/v1/reports") -> list[bytes]:
        return [one.body for one in self.heard if one.path == path]


@contextlib.contextmanager
def scripted(*replies: Reply, host: str = "127.0.0.1", certificate: Path | None = None) -> Iterator[Scripted]:
    """The server, running."""
    script = Scripted(*replies, host=host, certificate=certificate)
    thread = threading.Thread(target=script.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield script
    finally:
        script.server.shutdown()
        script.server.server_close()
        thread.join()


@dataclass
class Proxy:
    """An HTTP proxy that knows CONNECT, and what it was asked for."""

    address: str
    asked: list[str]


@contextlib.contextmanager
def connect_proxy(refuse: bool = False) -> Iterator[Proxy]:
    """A running proxy; with `refuse` it forbids every connection."""
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=relay, args=(client,), daemon=True).start()

    def relay(client: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += client.recv(1024)
        asked.append(request.split(b"\r\n")[0].decode())
        if refuse:
            client.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            client.close()
            return
        host, _, port = asked[-1].split()[1].rpartition(":")
        target = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        back = threading.Thread(target=pump, args=(target, client), daemon=True)
        back.start()
        pump(client, target)
        back.join()

    def pump(source: socket.socket, sink: socket.socket) -> None:
        # Either side may go first.
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield Proxy(f"http://127.0.0.1:{listener.getsockname()[1]}", asked)
    finally:
        # Closing alone does not wake a thread that waits in `accept`.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
