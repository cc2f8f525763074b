"""How often one caller may ask: so many times in any span of a length. Kept in memory, by each collector for itself."""

import ipaddress
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from collector.errors import TooManyTries

MOST_CALLERS = 10_000
"""Callers remembered at once: beyond it the one heard of longest ago is forgotten."""


class SlidingWindow:
    """At most `limit` admissions of a caller in any `seconds`. Not for several threads at once."""

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, caller: str) -> float:
        """Admit a caller (0), or say in how many seconds it may ask again. One that is refused does not wait longer."""
        now = self._clock()
        times = self._seen.setdefault(caller, deque())
        self._seen.move_to_end(caller)
        while times and times[0] <= now - self._seconds:
            times.popleft()
        if len(times) >= self._limit:
            return times[0] + self._seconds - now
        times.append(now)
        if len(self._seen) > MOST_CALLERS:
            self._seen.popitem(last=False)
        return 0.0

    def admit(self, caller: str, what: str) -> None:
        """Admit a caller. Raises TooManyTries naming what it does too often."""
        if wait := self.wait(caller):
            raise TooManyTries(
                f"too many {what}: {self._limit} in {self._seconds:.0f} s are taken", "try again later", math.ceil(wait)
            )


def network_of(address: str) -> str:
    """Whom an address stands for: an IPv6 host has its whole /64 to send from.

    >>> network_of("192.0.2.7"), network_of("2001:db8::1:2:3:4"), network_of("::ffff:192.0.2.7")
    ('192.0.2.7', '2001:db8::/64', '192.0.2.7')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found, 64), strict=False))
