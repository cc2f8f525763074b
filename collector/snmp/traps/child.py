"""The process that holds the sockets for notifications and is the only one to read their packets.

Run as `python -m collector.snmp.traps.child PARENT`. It hears on its standard input where to listen and which devices are
known, and tells on its standard output what they sent. It ends when its input does, or its parent. Its memory is bounded.
"""

import asyncio
import contextlib
import resource
import socket
import sys
import time
from typing import cast

import msgspec

from collector.commands.agent_child import end_with_parent
from collector.snmp.client import Credential
from collector.snmp.traps.address import of_listen, plain_address
from collector.snmp.traps.notification import Notification
from collector.snmp.traps.pipe import Begin, Failed, Heard, Kept, Listening, Refusals, SenderLine, Senders, ToChild
from collector.snmp.traps.receiver import Receiver, Sender
from collector.snmp.traps.user_security import OwnEngine
from collector.snmp.values import SnmpValue, text

LARGEST_MEMORY_BYTES = 1 << 30
"""Of addresses, most of which no memory stands behind: a child that needs more ends and is started again."""
LARGEST_BACKLOG_BYTES = 1 << 20
"""What waits for the collector to read it; what comes beyond is dropped and counted."""
RECEIVE_BUFFER_BYTES = 1 << 20
LONGEST_LINE_BYTES = 64 << 20
"""All known devices are one line: some thousands of them, a few hundred octets each."""
TELL_SECONDS = 1.0
LONGEST_VALUE = 256
_decoder = msgspec.json.Decoder(ToChild)


def said(device_id: str, notification: Notification, key: bytes) -> Heard:
    """A notification for the collector."""
    variables = [(oid, _shown(value)) for oid, value in notification.variables]
    return Heard(device_id, key.hex(), notification.oid, variables)


def _shown(value: SnmpValue) -> int | float | str:
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)
    if isinstance(value, bytes):
        try:
            readable = all(one.isprintable() or one in "\r\n\t\0" for one in value.decode())
        except UnicodeDecodeError:
            readable = False
        if not readable:
            return f"0x{value[: LONGEST_VALUE // 2].hex()}"
    return text(value)[:LONGEST_VALUE]


class _Socket(asyncio.DatagramProtocol):
    """One address that is listened at."""

    def __init__(self, child: "Child") -> None:
        self._child = child
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Python 3.11's is one and does not say so.
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._child.packet(self, data, addr)


class Child:
    """Sockets on one side, the collector on the other, the receiver between."""

    def __init__(self, out: asyncio.WriteTransport, begin: Begin) -> None:
        self._out = out
        self._listen = begin.listen
        self._receiver = Receiver(OwnEngine(bytes.fromhex(begin.engine_id), begin.boots, time.monotonic()))
        self._waiting: dict[str, tuple[_Socket, tuple[str, int]]] = {}
        self._last: dict[str, str] = {}
        self._devices: dict[str, str] = {}
        self._told = 0

    async def open(self) -> None:
        """Begin to listen. Raises OSError."""
        loop = asyncio.get_running_loop()
        addresses = []
        for one in self._listen:
            held = _bound(*of_listen(one))
            await loop.create_datagram_endpoint(lambda: _Socket(self), sock=held)
            host, port, *_ = held.getsockname()
            addresses.append(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        self.tell(Listening(addresses))

    def tell(self, line: Listening | Failed | Heard | Refusals) -> None:
        self._out.write(msgspec.json.encode(line) + b"\n")

    def packet(self, socket_: _Socket, data: bytes, sender: tuple[str, int]) -> None:
        """Judge a packet, and answer or tell of it."""
        address = plain_address(sender[0].partition("%")[0])
        result = self._receiver.take(data, address, time.monotonic())
        if result.reply is not None and socket_.transport is not None:
            socket_.transport.sendto(result.reply, sender)
        if result.reason:
            self._refused(result.reason, address, result.device_id)
        if result.taken is None:
            return
        taken = result.taken
        if self._out.get_write_buffer_size() > LARGEST_BACKLOG_BYTES:
            self._receiver.forget(taken.key)
            self._receiver.refused["queue_full"] += 1
            self._refused("queue_full", address, taken.device_id)
            return
        line = said(taken.device_id, taken.notification, taken.key)
        if taken.notification.confirmed:
            self._waiting[line.key] = (socket_, sender)
        self.tell(line)

    def _refused(self, reason: str, address: str, device_id: str) -> None:
        self._last[reason] = address
        if device_id:
            self._devices[device_id] = reason

    def hear(self, line: Senders | Kept) -> None:
        """A line of the collector's."""
        if isinstance(line, Senders):
            self._receiver.know([_sender(one) for one in line.senders])
            return
        key = bytes.fromhex(line.key)
        waiting = self._waiting.pop(line.key, None)
        if not line.recorded:
            self._receiver.forget(key)
            return
        reply = self._receiver.recorded(key)
        if waiting is not None and reply is not None and waiting[0].transport is not None:
            waiting[0].transport.sendto(reply, waiting[1])

    async def tell_refusals(self) -> None:
        """Say once a second what did not count, where there was something."""
        while True:
            await asyncio.sleep(TELL_SECONDS)
            total = self._receiver.refused.total()
            if total != self._told:
                self._told = total
                self.tell(Refusals(dict(self._receiver.refused), self._last, self._devices))
                self._last, self._devices = {}, {}


def _bound(host: str, port: int) -> socket.socket:
    """A socket at an address; `[::]` hears IPv4 too. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family, socket.SOCK_DGRAM)
    try:
        one.setblocking(False)
        with contextlib.suppress(OSError):  # the kernel may allow less
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        one.bind((host, port))
    except OSError:
        one.close()
        raise
    return one


def _sender(line: SenderLine) -> Sender:
    credential = Credential(
        "",
        line.version,
        line.community,
        line.user,
        line.auth_protocol,
        line.auth_key,
        line.priv_protocol,
        line.priv_key,
    )
    return Sender(line.device_id, line.address, line.port, credential, line.engine_id)


async def serve() -> None:
    """Work until the standard input ends."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=LONGEST_LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin.buffer)
    out, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout.buffer)
    first = await lines.readline()
    if not first:
        return
    begin = msgspec.json.decode(first, type=Begin)
    child = Child(out, begin)
    try:
        await child.open()
    except OSError as error:
        child.tell(Failed(f"{error.strerror or error}"))
        out.close()
        return
    telling = asyncio.create_task(child.tell_refusals())
    while line := await lines.readline():
        heard = _decoder.decode(line)
        if isinstance(heard, (Senders, Kept)):
            child.hear(heard)
    telling.cancel()


def bound_memory() -> None:
    """Let this process have so much and no more, and write no core with keys in it."""
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST_MEMORY_BYTES, LARGEST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    bound_memory()
    asyncio.run(serve())
