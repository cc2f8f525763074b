"""`ictagent` on clocks that a test sets, everything else as installed. A program of its own: see tests/servers/clocked.py.

CLOCK_FILE names a file with three numbers: nanoseconds to add to the wall clock and to the boot clock, and how long
the machine was suspended. With SIMULATED_UNTIL_NOW the loop's waits are not waited for: the clocks, and the counter
that they drive, move on by as much, until the wall clock has reached the real one; then the counter's value is written to
`counted` beside that file, and the agent is asked to end. SPOOL_BYTES bounds the spool lower than a setting may.
"""

import os
import select
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from agent import clock, loop
from agent.cli import main
from agent.report import SampleTime
from agent.spool import Spool
from tests.servers.powercap import EnergyCounter

_FILE = Path(os.environ["CLOCK_FILE"])


def offsets() -> tuple[int, int, int]:
    wall_ns, boot_ns, suspended_ns = map(int, _FILE.read_text().split())
    return wall_ns, boot_ns, suspended_ns


def now(_: clock.Clock) -> SampleTime:
    wall_ns, boot_ns, _suspended = offsets()
    return SampleTime(time.time_ns() + wall_ns, clock.boot_ns() + boot_ns)


class Simulation:
    """Time that passes only while the loop waits. `microjoules` is what the counter counts in a second."""

    def __init__(self, counter: EnergyCounter, microjoules: int) -> None:
        self.wall_ns, self.boot_ns, _ = offsets()
        self._counter, self._microjoules = counter, microjoules
        self._start_ns, self._passed_ns = time.time_ns(), 0

    def now(self) -> SampleTime:
        return SampleTime(
            self._start_ns + self.wall_ns + self._passed_ns, clock_at_start + self.boot_ns + self._passed_ns
        )

    def monotonic(self) -> float:
        return self._passed_ns / 1e9

    def select(self, read: Any, write: Any, other: Any, timeout: float) -> Any:
        found = select.select(read, write, other, 0)
        if not found[0]:
            # A microsecond more, so that rounding never leaves the loop a moment before what is due.
            passed_ns = int(timeout * 1e9) + 1000
            seconds = (self._passed_ns + passed_ns) // 10**9 - self._passed_ns // 10**9
            self._counter.advance(seconds * self._microjoules)
            self._passed_ns += passed_ns
            if self._passed_ns + self.wall_ns >= 0:
                _FILE.with_name("counted").write_text(str(self._counter.value))
                signal.raise_signal(signal.SIGTERM)
        return found


def put(place: object, name: str, thing: object) -> None:
    """The test's own in the place of the real one."""
    setattr(place, name, thing)


clock_at_start = clock.boot_ns()
put(clock.Clock, "now", now)
put(clock.Clock, "suspended_ns", lambda _: offsets()[2])
if "SIMULATED_UNTIL_NOW" in os.environ:
    simulation = Simulation(EnergyCounter(Path("/sys/class")), int(os.environ["SIMULATED_UNTIL_NOW"]))
    put(clock.Clock, "now", lambda _: simulation.now())
    used = {name: getattr(time, name) for name in ("time", "perf_counter", "process_time")}
    put(loop, "time", SimpleNamespace(monotonic=simulation.monotonic, **used))
    put(loop, "select", SimpleNamespace(select=simulation.select))
if "SPOOL_BYTES" in os.environ:
    put(loop, "Spool", lambda directory, _: Spool(directory, int(os.environ["SPOOL_BYTES"])))
sys.exit(main())
