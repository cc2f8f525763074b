"""Counters of devices made into rates: wraps, restarts and impossible jumps told apart from traffic.

A 32-bit counter may wrap between two polls; a 64-bit one does not in a device's life. A device that restarted, or that
says that the counter was set anew (ifCounterDiscontinuityTime), begins again: nothing is known of the time between.
"""

from dataclasses import dataclass
from typing import Literal

CounterBits = Literal[32, 64]

TICKS_PER_SECOND = 100
"""sysUpTime counts hundredths of a second, in 32 bits: it wraps after 497 days, which is no restart."""
_UP_TIME_RANGE = 1 << 32
_UP_TIME_SLACK_SECONDS = 60.0
"""By how much a device's uptime may fall behind ours before it is taken for a restart."""
FASTEST_OVER_SPEED = 2.0
"""A rate beyond this many times the interface's speed is no traffic."""


@dataclass(slots=True)  # not frozen, which takes longer to make: two are made of each interface
class Count:
    """A counter as it was read: its value, when (seconds of a steady clock), and the last time it was set anew, by the
    device's own uptime in ticks (None where it does not say)."""

    value: int
    at_seconds: float
    discontinuity_ticks: int | None = None


def restarted(before_ticks: int, now_ticks: int, elapsed_seconds: float) -> bool:
    """Whether a device restarted between two readings of its uptime, `elapsed_seconds` apart.

    >>> restarted(100_000, 3_000, 60.0), restarted(_UP_TIME_RANGE - 1_000, 5_000, 60.0)
    (True, False)
    """
    if elapsed_seconds < 0:
        return True
    passed = (now_ticks - before_ticks) % _UP_TIME_RANGE / TICKS_PER_SECOND
    return abs(passed - elapsed_seconds) > _UP_TIME_SLACK_SECONDS + 0.01 * elapsed_seconds


def rate(before: Count, now: Count, bits: CounterBits, highest_per_second: float | None = None) -> float | None:
    """Counts a second between two readings, or None where it cannot be known.

    `highest_per_second` is what the counter can do at most (an interface's speed in octets); beyond
    `FASTEST_OVER_SPEED` of it nothing is believed. A 32-bit counter that went down has wrapped once, if that is possible
    at that speed; without a known speed it may as well have been set anew, so that nothing is said.

    >>> rate(Count(100, 0.0), Count(700, 60.0), 64), rate(Count(700, 0.0), Count(100, 60.0), 64)
    (10.0, None)
    """
    elapsed = now.at_seconds - before.at_seconds
    if elapsed <= 0 or before.discontinuity_ticks != now.discontinuity_ticks:
        return None
    difference = now.value - before.value
    if difference < 0:
        if bits == 64 or highest_per_second is None:
            return None
        difference += 1 << 32
    found = difference / elapsed
    if highest_per_second is not None and found > FASTEST_OVER_SPEED * highest_per_second:
        return None
    return found
