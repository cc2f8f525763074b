"""The engine id of an SNMPv3 device, which it tells whoever asks (RFC 3414, section 4): no user is needed for it."""

import asyncio
import random

from collector.snmp.ber import OCTETS, SEQUENCE, Broken, Reader, integer_part, part
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
    number_part = integer_part(number)
    header = part(SEQUENCE, number_part, integer_part(0xFFE3), part(OCTETS, b"\x04"), integer_part(3))
    security = part(SEQUENCE, part(OCTETS), integer_part(0), integer_part(0), *(part(OCTETS) for _ in range(3)))
    asked = part(0xA0, number_part, integer_part(0), integer_part(0), part(SEQUENCE))
    scoped = part(SEQUENCE, part(OCTETS), part(OCTETS), asked)
    return part(SEQUENCE, integer_part(3), header, part(OCTETS, security), scoped)


def engine_of(packet: bytes, number: int) -> str:
    """The engine id in an answer to the question of this number, or "" where it is none."""
    try:
        message = Reader(packet).enter(SEQUENCE)
        version = message.integer()
        answered = message.enter(SEQUENCE).integer()
        engine = message.enter(OCTETS).enter(SEQUENCE).string()
    except Broken:
        return ""
    right = version == 3 and answered == number and 5 <= len(engine) <= _LONGEST
    return engine.hex() if right else ""
