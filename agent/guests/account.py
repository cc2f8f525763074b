"""Guests' processor time as meter readings that together never exceed the host's.

Both are counted by the kernel, but not by the same clock: a guest's in nanoseconds of run time, the host's in ticks of
its timer, by what happened to run. Over a short interval the guests may so seem to have used more than the host was
busy. What does not fit is then held back, from each in proportion, and counted in the following intervals: nothing is
lost, and the sum of the parts is never more than the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.guests import NAME
from agent.report import Meter
from agent.sample import MeterReading


@dataclass(frozen=True, slots=True)
class Usage:
    """A guest's processor microseconds since it started; `epoch` is another with each start."""

    meter: str
    epoch: str
    busy_us: int


@dataclass(slots=True)
class _Counted:
    epoch: str
    busy_us: int


class Account:
    """Remembers what was counted of each guest in the sample before."""

    def __init__(self) -> None:
        self._counted: dict[str, _Counted] = {}

    def readings(self, usages: Sequence[Usage], host: MeterReading) -> list[MeterReading]:
        """A reading of each guest, over the interval of the host's processor time."""
        total_us = int(host.values[1])
        before, self._counted = self._counted, {}
        going_on, found = [], []
        for one in usages:
            counted = before.get(one.meter)
            if host.interval_ns and counted is not None and counted.epoch == one.epoch:
                going_on.append((one, counted))
            else:
                busy_us = min(one.busy_us, total_us)
                self._counted[one.meter] = _Counted(one.epoch, busy_us)
                found.append(MeterReading(_meter(one), 0, [busy_us, total_us], []))
        if not going_on:
            return found
        busy_of_host, total_of_host = host.differences
        used = [max(0, one.busy_us - counted.busy_us) for one, counted in going_on]
        for (one, counted), difference in zip(going_on, _fitted(used, busy_of_host), strict=True):
            counted.busy_us += difference
            self._counted[one.meter] = counted
            values: list[int | float] = [counted.busy_us, total_us]
            found.append(MeterReading(_meter(one), host.interval_ns, values, [difference, total_of_host]))
        return found


def _fitted(parts: list[int], whole: int) -> list[int]:
    """Parts scaled down so that they fit into the whole.

    >>> _fitted([300, 100], 200), _fitted([3, 1], 200)
    ([150, 50], [3, 1])
    """
    total = sum(parts)
    return parts if total <= whole else [part * whole // total for part in parts]


def _meter(one: Usage) -> Meter:
    return Meter(one.meter, NAME, "utilisation", "guest", one.epoch)
