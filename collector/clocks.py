"""Putting right what a host with a wrong clock sent: samples are re-timed by its boot clock.

Every sample carries the wall clock and the time since boot, every request both at sending. The boot clock cannot be
set, so a sample's age at sending is certain; counted back from the collector's clock it gives the true time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.report import SampleTime

TOLERATED_NS = 30 * 10**9
"""Offsets to 30 seconds stay as they are: readings in order matter more than a slow clock's half minute."""
EARLIEST_NS = 1_420_070_400 * 10**9
"""2015-01-01: no agent ran before."""
LATEST_AHEAD_NS = 24 * 3600 * 10**9


@dataclass(frozen=True, slots=True)
class Sent:
    """The sender's clocks at the moment of sending, and the collector's at receiving; nanoseconds."""

    wall_ns: int
    boot_ns: int
    boot_id: str
    received_ns: int

    @property
    def offset_seconds(self) -> float:
        """How far the host's clock is ahead of the collector's, the time on the network included."""
        return (self.wall_ns - self.received_ns) / 1e9


def true_times(samples: Sequence[SampleTime], boot_id: str, sent: Sent) -> dict[int, int]:
    """True time of each sample by its own wall time, for those that are more than `TOLERATED_NS` off.

    Samples of an earlier boot are left: nothing proves how old they are. So are those whose boot time lies after the
    moment of sending, which no true sample has.
    """
    if boot_id != sent.boot_id:
        return {}
    moved = {}
    for wall_ns, boot_ns in samples:
        age_ns = sent.boot_ns - boot_ns
        true_ns = sent.received_ns - age_ns
        if age_ns >= 0 and abs(true_ns - wall_ns) > TOLERATED_NS:
            moved[wall_ns] = true_ns
    return moved


def plausible(unix_ns: int, received_ns: int) -> bool:
    """Whether a time can be believed: not before 2015, not over a day ahead."""
    return EARLIEST_NS <= unix_ns <= received_ns + LATEST_AHEAD_NS
