"""The host's clocks: wall time, time since boot counting suspend, and which boot it is."""

import time
from pathlib import Path

from agent.report import SampleTime

_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_ns() -> int:
    """Nanoseconds since boot, the time of a suspended machine included."""
    return time.clock_gettime_ns(_BOOT_CLOCK)


class Clock:
    """Reads the real clocks; tests pass one of their own."""

    def now(self) -> SampleTime:
        return SampleTime(time.time_ns(), boot_ns())

    def suspended_ns(self) -> int:
        """How long the machine was suspended since boot, to some microseconds; only differences mean something."""
        return boot_ns() - time.clock_gettime_ns(time.CLOCK_MONOTONIC)

    def boot_id(self, root: Path = Path("/")) -> str:
        """The kernel's random id of this boot; elsewhere the boot's time to the nearest ten seconds."""
        try:
            return (root / "proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:64]
        except (OSError, UnicodeDecodeError):
            now = self.now()
            return f"boot-{round((now.wall_ns - now.boot_ns) / 1e10)}"
