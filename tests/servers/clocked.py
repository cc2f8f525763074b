"""An agent's process whose clocks the test sets: stepped, put back with a snapshot, or run on by the length of a sleep."""

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.servers.ictagent import AgentProgram
from tests.servers.powercap import EnergyCounter

REPOSITORY = Path(__file__).parents[2]
UP_SECONDS = 30 * 24 * 3600
"""How much longer than the test's machine the agent's has been up, so that its boot clock can be put back."""


class ClockedAgent(AgentProgram):
    """`ictagent run` on a package counter and clocks of the test's. `set` may be called while it runs."""

    def __init__(
        self,
        directory: Path,
        collector: str,
        counter: EnergyCounter,
        token: str = "",
        extra: Mapping[str, str] | None = None,
        state_directory: Path | None = None,
        options: tuple[str, ...] = ("--interval-seconds", "1", "--report-seconds", "1"),
    ) -> None:
        self._clocks = directory / "clocks"
        clocks = {"CLOCK_FILE": str(self._clocks), "PYTHONPATH": str(REPOSITORY)}
        program = [*counter.prefix, sys.executable, str(Path(__file__).with_name("clocked_agent.py"))]
        super().__init__(directory, collector, token, {**clocks, **(extra or {})}, (), state_directory, options)
        self._command = [*program, *self._command[1:]]
        self.set()

    def set(self, wall_seconds: int = 0, boot_seconds: int = 0, suspended_seconds: int = 0) -> None:
        """The clocks from now on: how far the wall clock is ahead of the real one, the boot clock ahead of UP_SECONDS."""
        values = (wall_seconds, boot_seconds + UP_SECONDS, suspended_seconds)
        new = self._clocks.with_suffix(".new")
        new.write_text(" ".join(str(one * 10**9) for one in values))
        new.replace(self._clocks)
