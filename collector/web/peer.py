"""The address that asks, also behind proxies that the configuration trusts."""

import ipaddress
import re
from collections.abc import Sequence

from starlette.requests import Request

from collector.people.configuration import Network

_WITH_PORT = re.compile(r"(?P<plain>[0-9.]+)(:[0-9]{1,5})?|\[(?P<bracketed>[^\]]+)\](:[0-9]{1,5})?")
"""How some proxies write an asker: with the port that it asks from, which is another one each time."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(request: Request, proxies: Sequence[Network]) -> str:
    """The peer's address; where the peer is a trusted proxy, the last one in X-Forwarded-For that is none.

    What stands further left there was written by whoever sent it, and is not looked at. What is no address names nobody:
    then it is the proxy that asks.
    """
    address = request.client.host if request.client else ""
    forwarded = [one for value in request.headers.getlist("x-forwarded-for") for one in value.split(",")]
    parsed = _parsed(address)
    while forwarded and parsed is not None and any(parsed in network for network in proxies):
        following = _parsed(forwarded.pop())
        if following is None:
            break
        parsed = following
    return address[:64] if parsed is None else str(parsed)


def _parsed(text: str) -> Address | None:
    """The address of `192.0.2.7`, `192.0.2.7:5040`, `2001:db8::7`, `[2001:db8::7]:5040`, or None.

    An IPv4 peer of a socket that takes both kinds is written `::ffff:192.0.2.7`.
    """
    found = _WITH_PORT.fullmatch(text.strip())
    try:
        address = ipaddress.ip_address((found["plain"] or found["bracketed"]) if found else text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
