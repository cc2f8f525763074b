"""A management controller on the network for the real `ipmitool`: IPMI 1.5 sessions without authentication, and DCMI.

`ipmi_sim` of OpenIPMI has no DCMI, so what these tests are about is answered here, byte by byte after the
specifications: IPMI 2.0 sections 13.6, 22.13 to 22.20; DCMI 1.5 section 6.6.1 (Get Power Reading).
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_SESSION = 0x01020304
_DCMI = 0xDC


@dataclass
class Controller:
    """What the controller answers; a test changes it while it runs. `code` is the completion code of the reading."""

    watts: int = 220
    average: int = 212
    period_ms: int = 1000
    active: bool = True
    code: int = 0
    answers: bool = True
    port: int = 0
    readings: int = 0
    asked: list[tuple[int, int]] = field(default_factory=list)

    def arguments(self) -> tuple[str, ...]:
        """What makes ipmitool ask this controller instead of the machine's own."""
        return ("-I", "lan", "-H", "127.0.0.1", "-p", str(self.port), "-A", "NONE", "-L", "USER", "-U", "", "-P", "")

    def reply(self, function: int, command: int) -> bytes:
        """Completion code and data of a response."""
        self.asked.append((function, command))
        if function == 0x2C and command == 0x02:
            self.readings += 1
            if self.code:
                return bytes([self.code])
            state = 0x40 if self.active else 0
            figures = (self.watts, 18, 362, self.average, 1_500_000_000, self.period_ms, state)
            return bytes([0, _DCMI]) + struct.pack("<HHHHIIB", *figures)
        if function != 0x06:
            return b"\xc1"
        replies = {
            0x01: bytes([0, 0x20, 1, 1, 0, 0x51, 0x80, 0, 0, 0, 0, 0]),
            0x38: bytes([0, 1, 0x01, 0x13, 0, 0, 0, 0, 0]),
            0x39: b"\0" + struct.pack("<I", _SESSION) + bytes(16),
            0x3A: b"\0\0" + struct.pack("<II", _SESSION, 1) + b"\x02",
            0x3B: b"\0\x02",
            0x3C: b"\0",
        }
        return replies.get(command, b"\xc1")


def _checksum(part: bytes) -> int:
    return -sum(part) & 0xFF


def _response(controller: Controller, packet: bytes) -> bytes | None:
    """The packet that answers one, or None for what is no IPMI message without authentication."""
    if len(packet) < 21 or packet[3] != 0x07 or packet[4] != 0:
        return None
    message = packet[14:]
    responder, function, requester, sequence, command = message[0], message[1], message[3], message[4], message[5]
    head = bytes([requester, ((function >> 2) | 1) << 2])
    tail = bytes([responder, sequence, command]) + controller.reply(function >> 2, command)
    body = head + bytes([_checksum(head)]) + tail + bytes([_checksum(tail)])
    return packet[:4] + packet[4:13] + bytes([len(body)]) + body


@contextmanager
def controller(**answers: int) -> Iterator[Controller]:
    """A controller on a loopback port, until the end of the block."""
    one = Controller()
    for name, value in answers.items():
        setattr(one, name, value)
    ended = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as place:
        place.bind(("127.0.0.1", 0))
        place.settimeout(0.05)
        one.port = place.getsockname()[1]

        def serve() -> None:
            while not ended.is_set():
                try:
                    packet, sender = place.recvfrom(1024)
                except TimeoutError:
                    continue
                answer = _response(one, packet) if one.answers else None
                if answer is not None:
                    place.sendto(answer, sender)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield one
        finally:
            ended.set()
            thread.join()
