"""A connected UDP socket for one device: only its own packets come in, each as it came."""

import asyncio
import socket

from collector.snmp.client import Endpoint, SnmpNameError

_MOST_WAITING = 64
"""Packets that wait to be looked at: what a device sends beyond that is lost."""


class Link(asyncio.DatagramProtocol):
    """Packets of one device in order, and whether its machine refuses them."""

    def __init__(self) -> None:
        self.packets: asyncio.Queue[bytes] = asyncio.Queue(_MOST_WAITING)
        self.refused = asyncio.Event()

    def datagram_received(self, data: bytes, _: object) -> None:
        if not self.packets.full():
            self.packets.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, ConnectionRefusedError):
            self.refused.set()


async def address(endpoint: Endpoint) -> tuple[str, bool]:
    """The IP address of a device's host name, and whether it is IPv6. Where a name has both, IPv4 is asked.

    Raises SnmpNameError.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise SnmpNameError(
            f"{endpoint.host} has no address ({getattr(error, 'strerror', None) or error})",
            "check the name, or give the address",
        ) from error
    family, _, _, _, place = sorted(found, key=lambda one: one[0] != socket.AF_INET)[0]
    return str(place[0]), family == socket.AF_INET6


async def connect(host: str, port: int) -> tuple[asyncio.DatagramTransport, Link]:
    """A socket that speaks to one address alone."""
    return await asyncio.get_running_loop().create_datagram_endpoint(Link, remote_addr=(host, port))
