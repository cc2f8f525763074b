"""An SNMP agent that misbehaves as told: raw UDP, BER by hand (RFC 1157, 3416, 3412, 3414), nothing of any SNMP library.

    with responder(Hostile(table(rows=30))) as port: ...

`Hostile.mangle` gets each request with the honest answer to it, and gives what is sent instead: any number of packets,
each with the seconds that it is late. v3 requests are answered only where `reports` says with what.
"""

import bisect
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

INTEGER, OCTETS, NULL, OBJECT_ID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, GAUGE32, TICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_VIEW = b"\x80\x00", b"\x81\x00", b"\x82\x00"
GET, GET_NEXT, RESPONSE, GET_BULK, REPORT = 0xA0, 0xA1, 0xA2, 0xA5, 0xA8
TOO_BIG, NO_SUCH_NAME, GEN_ERR = 1, 2, 5
LARGEST_ANSWER = 1400

Arcs = tuple[int, ...]
Packets = Iterable[tuple[float, bytes]]


def tlv(tag: int, content: bytes) -> bytes:
    """Tag, length, content."""
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(text: bytes | str) -> bytes:
    return tlv(OCTETS, text if isinstance(text, bytes) else text.encode())


def object_id(arcs: Arcs) -> bytes:
    content = bytearray((arcs[0] * 40 + arcs[1],))
    for arc in arcs[2:]:
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        content += bytes(reversed(septets))
    return tlv(OBJECT_ID, bytes(content))


def take(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag and content of what stands at a place, and the place behind it."""
    tag, length = data[at], data[at + 1]
    at += 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(data[at : at + size], "big")
        at += size
    return tag, data[at : at + length], at + length


def decoded_oid(content: bytes) -> Arcs:
    arcs, value = [content[0] // 40, content[0] % 40], 0
    for octet in content[1:]:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    return tuple(arcs)


def dotted(oid: str) -> Arcs:
    return tuple(map(int, oid.split(".")))


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    version: int
    community: bytes
    kind: int
    request_id: int
    first: int
    """Error status, or of GETBULK the non-repeaters."""
    second: int
    """Error index, or of GETBULK the repetitions."""
    oids: list[Arcs]

    def answer(
        self,
        variables: Iterable[tuple[Arcs, bytes]] = (),
        error: int = 0,
        index: int = 0,
        *,
        request_id: int | None = None,
        community: bytes | None = None,
    ) -> bytes:
        """A response to this request: OIDs with their encoded values."""
        body = b"".join(tlv(SEQUENCE, object_id(oid) + value) for oid, value in variables)
        pdu = integer(self.request_id if request_id is None else request_id)
        pdu += integer(error) + integer(index) + tlv(SEQUENCE, body)
        head = integer(self.version) + octets(self.community if community is None else community)
        return tlv(SEQUENCE, head + tlv(RESPONSE, pdu))

    def failed(self, error: int, index: int = 1) -> bytes:
        """A response with an error status, the request's variables given back."""
        return self.answer([(oid, tlv(NULL, b"")) for oid in self.oids], error, index)


def _request(packet: bytes) -> Request | None:
    _, message, _ = take(packet, 0)
    _, version, at = take(message, 0)
    if version[-1] > 1:
        return None
    _, community, at = take(message, at)
    kind, pdu, _ = take(message, at)
    _, request_id, at = take(pdu, 0)
    _, first, at = take(pdu, at)
    _, second, at = take(pdu, at)
    _, names, _ = take(pdu, at)
    oids, at = [], 0
    while at < len(names):
        _, variable, at = take(names, at)
        oids.append(decoded_oid(take(variable, 0)[1]))
    number, status, index = (int.from_bytes(one, "big", signed=True) for one in (request_id, first, second))
    return Request(version[-1], community, kind, number, status, index, oids)


@dataclass
class Hostile:
    """What the agent has and how it behaves; a test changes it while it runs."""

    values: dict[Arcs, bytes] = field(default_factory=dict)
    community: bytes = b"public"
    mangle: Callable[[Request, bytes], Packets] | None = None
    reports: Callable[[bytes], Packets] | None = None
    """What a v3 message is answered with."""
    after: Callable[[Arcs], tuple[Arcs, bytes] | None] | None = None
    """The successor of an OID, where it is not that of `values`."""
    heard: list[Request] = field(default_factory=list)
    _order: list[Arcs] = field(default_factory=list)

    def honest(self, request: Request) -> bytes:
        """The answer of an agent that behaves."""
        if len(self._order) != len(self.values):
            self._order = sorted(self.values)
        missing = [(oid, tlv(NULL, b"")) for oid in request.oids]
        found: list[tuple[Arcs, bytes]] = []
        if request.kind == GET:
            found = [(oid, self.values.get(oid, NO_SUCH_INSTANCE)) for oid in request.oids]
        elif request.kind == GET_NEXT:
            found = [self._next(oid) for oid in request.oids]
        elif request.kind == GET_BULK:
            found = self._bulk(request)
        if request.version == 0:
            for place, (_, value) in enumerate(found, start=1):
                if value in (NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_VIEW):
                    return request.answer(missing, NO_SUCH_NAME, place)
        return request.answer(found)

    def _next(self, oid: Arcs) -> tuple[Arcs, bytes]:
        if self.after is not None:
            return self.after(oid) or (oid, END_OF_VIEW)
        at = bisect.bisect_right(self._order, oid)
        return (self._order[at], self.values[self._order[at]]) if at < len(self._order) else (oid, END_OF_VIEW)

    def _bulk(self, request: Request) -> list[tuple[Arcs, bytes]]:
        found: list[tuple[Arcs, bytes]] = []
        size = 0
        row = request.oids[request.first :]
        for _ in range(request.second):
            answers = [self._next(oid) for oid in row]
            for oid, value in answers:
                size += len(object_id(oid)) + len(value) + 2
                if size > LARGEST_ANSWER:
                    return found
                found.append((oid, value))
            row = [oid for oid, _ in answers]
        return found

    def packets(self, packet: bytes) -> Packets:
        request = _request(packet)
        if request is None:
            return self.reports(packet) if self.reports else ()
        self.heard.append(request)
        if request.community != self.community:
            return ()
        honest = self.honest(request)
        return self.mangle(request, honest) if self.mangle else ((0.0, honest),)


def report(packet: bytes, counter: str, *, engine: bytes = b"\x80\x00\x1f\x88\x04hostile", boots: int = 1) -> bytes:
    """An unauthenticated v3 report (RFC 3414, section 3.2) with one of the usmStats counters."""
    _, message, _ = take(packet, 0)
    _, _, at = take(message, 0)
    _, header, at = take(message, at)
    message_id = int.from_bytes(take(header, 0)[1], "big")
    header = tlv(SEQUENCE, integer(message_id) + integer(65507) + octets(b"\0") + integer(3))
    security = tlv(SEQUENCE, octets(engine) + integer(boots) + integer(100) + octets(b"") * 3)
    variable = tlv(SEQUENCE, object_id(dotted(counter)) + integer(1, COUNTER32))
    pdu = tlv(REPORT, integer(0) + integer(0) + integer(0) + tlv(SEQUENCE, variable))
    scoped = tlv(SEQUENCE, octets(engine) + octets(b"") + pdu)
    return tlv(SEQUENCE, integer(3) + header + octets(security) + scoped)


@contextmanager
def responder(agent: Hostile, host: str = "127.0.0.1") -> Iterator[int]:
    """The agent on a loopback port, until the end of the block. Gives the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    ended = threading.Event()
    with socket.socket(family, socket.SOCK_DGRAM) as place:
        place.bind((host, 0))
        place.settimeout(0.02)
        port: int = place.getsockname()[1]

        def serve() -> None:
            late: list[tuple[float, bytes, Any]] = []
            while not ended.is_set():
                try:
                    packet, sender = place.recvfrom(65535)
                    for seconds, answer in agent.packets(packet):
                        late.append((time.monotonic() + seconds, answer, sender))
                except TimeoutError:
                    pass
                now = time.monotonic()
                for due in [one for one in late if one[0] <= now]:
                    late.remove(due)
                    place.sendto(due[1], due[2])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield port
        finally:
            ended.set()
            thread.join()


def table(rows: int, columns: int = 2, entry: Arcs = (1, 3, 6, 1, 4, 1, 55555, 1, 1)) -> dict[Arcs, bytes]:
    """A system group and a table of whole numbers: column, row -> column * 100000 + row."""
    system = {
        dotted("1.3.6.1.2.1.1.1.0"): octets("A hostile agent"),
        dotted("1.3.6.1.2.1.1.2.0"): object_id(dotted("1.3.6.1.4.1.55555.9")),
        dotted("1.3.6.1.2.1.1.3.0"): integer(4711, TICKS),
        dotted("1.3.6.1.2.1.1.5.0"): octets("hostile"),
    }
    cells = {
        (*entry, column, row): integer(column * 100_000 + row)
        for column in range(1, columns + 1)
        for row in range(1, rows + 1)
    }
    return system | cells
