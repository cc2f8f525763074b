"""Controllers that lie: those that give 0 W, or the same watts for minutes while the machine's load rises and falls."""

from pathlib import Path

from agent.files import read_text

TOLERATED_REPETITIONS = 20
"""Of the same watts, as readings to the watt: at one in half a minute, ten minutes."""
HIGHEST_MACHINE_WATTS = 30_000.0
"""No one machine draws more. What controllers give for "not known" does: 32767, 65535."""
LOAD_CHANGED_BY = 0.3
"""A share of all processors' time: no machine's power stays the same to the watt while its load changes so much."""


class Doubt:
    """Follows one meter's watts beside the machine's load."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._watts: float | None = None
        self._repeated = 0
        self._lowest, self._highest = 1.0, 0.0
        self._time: tuple[int, int] | None = None
        self._verdict = ""

    def of(self, watts: float) -> str:
        """Why a reading is not believed, or "". Called with each new reading of the meter, once."""
        busy = self._busy_since_before()
        if not 0 < watts < HIGHEST_MACHINE_WATTS:
            self._watts = None
            return f"it reads {watts:g} W"
        if watts != self._watts:
            self._watts, self._repeated, self._verdict = watts, 0, ""
            self._lowest, self._highest = 1.0, 0.0
            return ""
        self._repeated += 1
        if busy is not None:
            self._lowest, self._highest = min(self._lowest, busy), max(self._highest, busy)
        if self._repeated >= TOLERATED_REPETITIONS and self._highest - self._lowest >= LOAD_CHANGED_BY:
            # Said once and kept: a reason that changed with each reading would be news each time.
            self._verdict = self._verdict or (
                f"it keeps reading {watts:g} W while the load goes from {self._lowest:.0%} to {self._highest:.0%}"
            )
        return self._verdict

    def _busy_since_before(self) -> float | None:
        """The share of processor time used since the reading before."""
        try:
            times = [int(one) for one in read_text(self._root / "proc/stat").splitlines()[0].split()[1:9]]
            idle, total = times[3] + times[4], sum(times)
        except (OSError, ValueError, IndexError):
            return None
        before, self._time = self._time, (idle, total)
        if before is None or total <= before[1]:
            return None
        return max(0.0, min(1.0, 1 - (idle - before[0]) / (total - before[1])))
