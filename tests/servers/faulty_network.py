"""A network that breaks: a TCP proxy before the collector that cuts a report's request or answer where a test says.

It knows just enough of HTTP to find where a message's head and body end, and keeps every exchange that got through
whole, so that a test can say what was acknowledged to the agent and what was not.
"""

import contextlib
import gzip
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tests.servers.accepting import accepting
from tests.servers.process import free_port

REPORT = b"POST /v1/reports "


@dataclass(frozen=True)
class Fault:
    """Where a report's exchange breaks, and how: so many bytes of the head, or of the body, of one side get through.

    `reset` ends both connections at once (RST), `close` in order (FIN), `stall` says nothing more until the peer
    ends it, `drip` one more byte a second.
    """

    side: Literal["request", "answer"]
    part: Literal["head", "body"]
    passed_bytes: int
    how: Literal["reset", "close", "stall", "drip"]


@dataclass(frozen=True)
class Acknowledged:
    """A report whose answer of success reached the agent whole."""

    stream_id: str
    sequence: int


class FaultyNetwork:
    """The proxy. `faults` are used up in turn, one for each report that is sent; without one everything gets through."""

    def __init__(self, target_port: int) -> None:
        self.faults: deque[Fault] = deque()
        self.used: list[Fault] = []
        self.acknowledged: list[Acknowledged] = []
        self.stalled = threading.Event()
        self.asked = 0
        """Reports that an agent began to send so far."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._target_port = target_port
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)

    def carry(self, client: socket.socket) -> None:
        # Either side may be killed at any moment; its peer then sees the connection end.
        with contextlib.suppress(OSError), client, contextlib.ExitStack() as held:
            server: socket.socket | None = None
            while (request := _message(client)) is not None:
                self.asked += request.startswith(REPORT)
                fault = self.faults.popleft() if request.startswith(REPORT) and self.faults else None
                if server is None:
                    server = held.enter_context(socket.create_connection(("127.0.0.1", self._target_port)))
                if fault is not None and fault.side == "request":
                    self._break(fault, request, server, (client, server))
                    return
                server.sendall(request)
                answer = _message(server)
                if answer is None:
                    return
                if fault is not None:
                    self._break(fault, answer, client, (client, server))
                    return
                client.sendall(answer)
                self._note(request, answer)

    def _break(
        self, fault: Fault, message: bytes, to: socket.socket, both: tuple[socket.socket, socket.socket]
    ) -> None:
        self.used.append(fault)
        start = message.index(b"\r\n\r\n") + 4 if fault.part == "body" else 0
        if passed := message[: start + fault.passed_bytes]:
            to.sendall(passed)
        if fault.how == "drip":
            self.stalled.set()
            for at in range(start + fault.passed_bytes, len(message)):
                to.sendall(message[at : at + 1])
                time.sleep(1)
        if fault.how == "stall":
            self.stalled.set()
            # The agent's end of the connection tells that it gave up.
            while both[0].recv(65536):
                continue
            return
        for one in both:
            if fault.how == "reset":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()

    def _note(self, request: bytes, answer: bytes) -> None:
        if request.startswith(REPORT) and answer.startswith(b"HTTP/1.1 200 "):
            report = json.loads(gzip.decompress(request.partition(b"\r\n\r\n")[2]))
            self.acknowledged.append(Acknowledged(report["stream_id"], report["sequence"]))


def _message(source: socket.socket) -> bytes | None:
    """One whole HTTP message with a Content-Length, or None where the peer ended in between."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = source.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        piece = source.recv(65536)
        if not piece:
            return None
        body += piece
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def faulty_network(target_port: int) -> Iterator[FaultyNetwork]:
    """The proxy, running before a program at this port."""
    network = FaultyNetwork(target_port)
    with accepting(network.listener, network.carry):
        yield network
