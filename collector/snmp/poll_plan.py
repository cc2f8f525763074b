"""What to fetch of a device, and when: the parts of a poll, their OIDs by the profiles that hold, and their due times."""

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from collector.snmp.identity import ENGINE_ID, OWN_ADDRESSES, SYS_UP_TIME, SYSTEM
from collector.snmp.interfaces import columns as interface_columns
from collector.snmp.neighbours import COLUMNS as NEIGHBOUR_COLUMNS
from collector.snmp.oids import is_instance
from collector.snmp.profile import Profile
from collector.snmp.profile_files import oids_in

Part = Literal["power", "utilisation", "inventory"]
PARTS: tuple[Part, ...] = ("power", "utilisation", "inventory")

FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 900.0
"""A device that does not answer is tried less and less often, up to this."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Single values and columns."""

    values: frozenset[str]
    columns: frozenset[str]

    def __or__(self, other: "Wanted") -> "Wanted":
        return Wanted(self.values | other.values, self.columns | other.columns)


def wanted(part: Part, profiles: Iterable[Profile], *, with_interfaces: bool = True) -> Wanted:
    """The OIDs that a part of a poll needs."""
    held = list(profiles)
    rules: list[Sequence[Any]] = []
    oids: set[str] = {SYS_UP_TIME}
    for profile in held:
        if part == "power":
            rules.append(profile.reading)
        elif part == "utilisation":
            rules += [profile.processor, profile.memory, profile.managed, profile.powered_port]
        else:
            rules += [profile.hardware, profile.version, profile.serial, profile.member]
    for rule in rules:
        oids |= oids_in(rule)
    if part == "inventory":
        oids.update((*SYSTEM, ENGINE_ID, *OWN_ADDRESSES))
    if with_interfaces and part != "power":
        oids |= interface_columns(("inventory", "state") if part == "inventory" else ("state", "counters"))
        # The name is a tag of every point, and the speed says which rates can be.
        oids |= interface_columns(("inventory",))
        if part == "inventory":
            oids |= NEIGHBOUR_COLUMNS
    return Wanted(
        frozenset(oid for oid in oids if is_instance(oid)), frozenset(oid for oid in oids if not is_instance(oid))
    )


@dataclass(slots=True)
class Schedule:
    """When each part of one device is due, by a steady clock in seconds.

    The first polls of many devices are spread over the interval by their names, so that they do not come in bursts.
    """

    intervals: Mapping[Part, float]
    due: dict[Part, float] = field(default_factory=dict)
    failures: int = 0
    paused_until: float = 0.0
    asked_at: float = -math.inf
    """When something last happened that has everything polled."""

    @classmethod
    def begin(cls, device_id: str, intervals: Mapping[Part, float], now: float) -> "Schedule":
        """All parts at once, within the shortest interval of now: a device's first poll tells everything."""
        share = zlib.crc32(device_id.encode()) / 2**32
        first = now + share * min(intervals.values())
        return cls(intervals, dict.fromkeys(PARTS, first))

    def parts(self, now: float) -> frozenset[Part]:
        """What is due now. Inventory draws everything else along: a new inventory may mean new profiles."""
        if now < self.paused_until:
            return frozenset()
        found = {part for part, at in self.due.items() if at <= now}
        return frozenset(PARTS) if "inventory" in found else frozenset(found)

    @property
    def next_at(self) -> float:
        """When there is something to do next."""
        return max(self.paused_until, min(self.due.values()))

    def done(self, parts: Iterable[Part], now: float, begun: float = math.inf) -> None:
        """Some parts were polled, from `begun` on. Ticks that were missed are left out, not caught up.

        What happened after the poll had begun it may not have seen: then all is still due.
        """
        self.failures, self.paused_until = 0, 0.0
        if self.asked_at >= begun:
            return
        for part in parts:
            interval = self.intervals[part]
            late = max(0.0, now - self.due[part])
            self.due[part] += interval * (1 + late // interval)

    def failed(self, now: float, begun: float = math.inf) -> float:
        """A poll that began at `begun` failed: how long the device is left alone (seconds); not at all where it told of
        something meanwhile.
        """
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0**self.failures)
        if self.asked_at >= begun:
            pause = 0.0
        self.failures += 1
        self.paused_until = now + pause
        return pause

    def ask_again(self, now: float) -> None:
        """Something happened (a trap): everything is due, at once, whatever poll is under way."""
        self.paused_until, self.asked_at = 0.0, now
        self.due = dict.fromkeys(PARTS, 0.0)
