"""The address that asks, also behind proxies that the configuration trusts."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request

from collector.people.configuration import Network


def address_of(request: Request, proxies: Sequence[Network]) -> str:
    """The peer's address; where the peer is a trusted proxy, the last one in X-Forwarded-For that is none.

    What stands further left there was written by whoever sent it, and is not looked at.
    """
    address = request.client.host if request.client else ""
    forwarded = [one.strip() for value in request.headers.getlist("x-forwarded-for") for one in value.split(",")]
    while forwarded and _within(address, proxies):
        address = forwarded.pop()
    return address[:64]


def _within(address: str, proxies: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in proxies)
