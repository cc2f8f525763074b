"""Whether a controller's energy counter may stand for the machine in place of its watts: decided once, by ten minutes of both.

A counter misses nothing between two readings, so it is better, if it counts what it says. It must agree with the watts,
and its steps must be fine: one that moves by 0.001 kWh (3600 J) makes of 200 W now 120 and now 240 W in half a minute.
"""

WATCHED_SECONDS = 600.0
_TOLERATED_SHARE = 0.1
"""Watts read twice a minute stand for the time between only so well."""
_FINE_SHARE = 0.02
"""The finest step as a share of what is counted between two readings: as good as the watts that it replaces."""
_LONGEST_GAP_SECONDS = 120.0


class Proof:
    """Follows one counter beside the watts of the same chassis."""

    def __init__(self) -> None:
        self._verdict: bool | None = None
        self._before: tuple[int, float] | None = None
        self._begin()

    def _begin(self) -> None:
        self._counted_uj = self._expected_uj = self._seconds = 0.0
        self._readings = 0

    def given(self, energy_uj: int, step_uj: int, watts: float, now_seconds: float) -> bool:
        """Whether the counter is proved, with a new reading of both. `step_uj` is the finest it can move."""
        before, self._before = self._before, (energy_uj, now_seconds)
        if self._verdict is not None or before is None:
            return bool(self._verdict)
        counted, seconds = energy_uj - before[0], now_seconds - before[1]
        if counted < 0 or not 0 < seconds <= _LONGEST_GAP_SECONDS:
            self._begin()
            return False
        self._counted_uj += counted
        self._expected_uj += watts * seconds * 1e6
        self._seconds += seconds
        self._readings += 1
        if self._seconds >= WATCHED_SECONDS:
            agrees = abs(self._counted_uj - self._expected_uj) <= _TOLERATED_SHARE * self._expected_uj
            self._verdict = agrees and step_uj <= _FINE_SHARE * self._counted_uj / self._readings
        return bool(self._verdict)
