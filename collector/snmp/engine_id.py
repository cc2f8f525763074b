"""The engine id of an SNMPv3 device, which it tells whoever asks (RFC 3414, section 4): no user is needed for it."""

import asyncio
import random

from collector.snmp.client import Endpoint, SnmpError
from collector.snmp.udp import address, connect

_LONGEST = 32


async def engine_id(endpoint: Endpoint) -> str:
    """The engine id as hexadecimal digits, or "" for a device that does not speak v3 or does not answer in time."""
    number = random.SystemRandom().randrange(1 << 24, 1 << 30)
    try:
        host, _ = await address(endpoint)
        socket, link = await connect(host, endpoint.port)
    except (OSError, SnmpError):
        return ""
    try:
        socket.sendto(_question(number))
        async with asyncio.timeout(endpoint.timeout_seconds):
            refused = asyncio.ensure_future(link.refused.wait())
            try:
                while True:
                    packet = asyncio.ensure_future(link.packets.get())
                    await asyncio.wait((packet, refused), return_when=asyncio.FIRST_COMPLETED)
                    if not packet.done():
                        packet.cancel()
                        return ""
                    if found := engine_of(packet.result(), number):
                        return found
            finally:
                refused.cancel()
    except TimeoutError:
        return ""
    finally:
        socket.close()


def _question(number: int) -> bytes:
    """A GET of nothing to an engine of no name: the answer is a report with the name."""
    octets = number.to_bytes(4, "big")
    header = _part(0x30, _part(2, octets) + _part(2, b"\x00\xff\xe3") + _part(4, b"\x04") + _part(2, b"\x03"))
    security = _part(0x30, _part(4, b"") + _part(2, b"\0") * 2 + _part(4, b"") * 3)
    asked = _part(0xA0, _part(2, octets) + _part(2, b"\0") * 2 + _part(0x30, b""))
    scoped = _part(0x30, _part(4, b"") * 2 + asked)
    return _part(0x30, _part(2, b"\x03") + header + _part(4, security) + scoped)


def _part(tag: int, content: bytes) -> bytes:
    """One part in BER; everything here is shorter than 128 octets."""
    return bytes((tag, len(content))) + content


def engine_of(packet: bytes, number: int) -> str:
    """The engine id in an answer to the question of this number, or "" where it is none."""
    try:
        message, _ = _taken(packet, 0x30)
        version, rest = _taken(message, 2)
        header, rest = _taken(rest, 0x30)
        answered, _ = _taken(header, 2)
        security, _ = _taken(rest, 4)
        parameters, _ = _taken(security, 0x30)
        engine, _ = _taken(parameters, 4)
    except ValueError:
        return ""
    right = version == b"\x03" and int.from_bytes(answered, "big") == number and 5 <= len(engine) <= _LONGEST
    return engine.hex() if right else ""


def _taken(octets: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the first part, which must have this tag, and what follows it. Raises ValueError."""
    if len(octets) < 2 or octets[0] != tag:
        raise ValueError("another part")
    length, start = octets[1], 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or len(octets) < 2 + count:
            raise ValueError("no length")
        length, start = int.from_bytes(octets[2 : 2 + count], "big"), 2 + count
    if len(octets) < start + length:
        raise ValueError("cut off")
    return octets[start : start + length], octets[start + length :]
