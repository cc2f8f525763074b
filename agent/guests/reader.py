"""The guests that run now, with their processor time: what the sampler asks for at every sample.

New guests are looked for every half minute, known ones are read each time. What a guest used before it was first seen
is counted to none: with the host's rest it is headroom.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from agent.files import is_directory
from agent.guests.account import Account, Usage
from agent.guests.cgroups import Group, containers, inside_container, own_group, traces_of_guests
from agent.guests.processes import Process, ProcessTable
from agent.outcome import Absent, Data, Failed, Outcome
from agent.report import Guest, Value
from agent.sample import MeterReading, Point

LOOK_NS = 30 * 10**9
MOST_GUESTS = 500
"""A report holds 1000 meters at most; the largest hosts run a few hundred guests."""
MEASUREMENT = "system_guest"
_UPGRADE = (
    "run `ictagent upgrade` as root, which writes the service anew: it may then see them; "
    "where /proc is mounted with hidepid=, name a group that sees them with gid= first"
)


@dataclass(frozen=True, slots=True)
class GuestData:
    """The guests with a reading, and their readings and points in the same order."""

    guests: list[Guest]
    readings: list[MeterReading]
    points: list[Point]


@dataclass(frozen=True, slots=True)
class _Running:
    """A guest, and where its processor time is counted: in its own group, or in its process."""

    guest: Guest
    epoch: str
    group: Group | None
    process: Process | None


class Guests:
    """Reads the guests of the host below `root`; remembers them and what was counted."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._table = ProcessTable(root)
        self._running: dict[str, _Running] = {}
        self._account = Account()
        self._looked_ns: int | None = None
        self._left_out = 0

    def read(self, boot_id: str, boot_ns: int, host: MeterReading) -> Outcome[GuestData]:
        """The guests now. `host` is the sample's reading of the host's processor time."""
        if not is_directory(self._root / "proc"):
            return Absent("this system has no process table in /proc")
        before = len(self._running)
        usages = self._usages()
        due = self._looked_ns is None or not 0 <= boot_ns - self._looked_ns < LOOK_NS
        # One that is gone may have been started anew.
        if due or len(self._running) < before:
            self._looked_ns = boot_ns
            try:
                self._look(boot_id, boot_ns)
            except OSError as error:
                return Failed(
                    f"the process table cannot be read: {error.strerror}", "run the agent where it sees /proc"
                )
            usages = self._usages()
        if not self._running:
            return self._none()
        by_meter = {one.meter.name: one for one in self._account.readings(usages, host)}
        running = [self._running[meter] for meter in by_meter]
        readings = list(by_meter.values())
        points = [_point(one.guest, by_meter[one.guest.meter]) for one in running]
        return Data(GuestData([one.guest for one in running], readings, points), self._note())

    def _note(self) -> str:
        if self._table.hidden:
            return f"the processes of other users are hidden from the agent, and so may be guests: {_UPGRADE}"
        if self._left_out:
            return f"{self._left_out} are left out: they have the identity of another guest, or are too many"
        return ""

    def _none(self) -> Outcome[GuestData]:
        self._account = Account()
        if not self._table.hidden:
            return Absent("no guest runs here (QEMU's virtual machines and Proxmox's containers are looked for)")
        if traces_of_guests(self._root):
            return Failed(
                "virtual machines run here, but the processes of other users are hidden from the agent",
                _UPGRADE,
            )
        return Absent("no guest is seen; the processes of other users are hidden from the agent")

    def _usages(self) -> list[Usage]:
        """What each known guest used so far; those that are gone are forgotten."""
        found, running = [], {}
        for meter, one in self._running.items():
            busy_us = self._busy_us(one)
            if busy_us is not None:
                running[meter] = one
                found.append(Usage(meter, one.epoch, busy_us))
        self._running = running
        return found

    def _busy_us(self, one: _Running) -> int | None:
        if one.group is not None:
            try:
                return one.group.busy_us()
            except (OSError, ValueError):
                return None
        process = self._process(one)
        return process.busy_us if process is not None else None

    def _lives(self, one: _Running) -> bool:
        return one.process is None or self._process(one) is not None

    def _process(self, one: _Running) -> Process | None:
        """A guest's process as it is now; None when it is gone, though another may have its number."""
        now = self._table.read(one.process.pid) if one.process is not None else None
        return now if now is not None and one.process is not None and now.started == one.process.started else None

    def _look(self, boot_id: str, boot_ns: int) -> None:
        # A group may outlive its guest's process.
        self._running = {meter: one for meter, one in self._running.items() if self._lives(one)}
        known = {one.process.pid for one in self._running.values() if one.process is not None}
        fresh = [
            _Running(guest, f"{boot_id}/{group.inode}", group, None)
            for meter, (guest, group) in containers(self._root).items()
        ]
        for found in sorted(self._table.look(boot_ns, known), key=lambda one: one.process.started):
            if inside_container(found.groups):
                continue
            group = own_group(self._root, found.groups)
            epoch = f"{boot_id}/{found.process.started}"
            fresh.append(_Running(found.guest, epoch, group, found.process))
        self._left_out = 0
        for one in fresh:
            self._add(one)

    def _add(self, one: _Running) -> None:
        """Take a guest up. A second one with the identity of one that runs is known by another, or left out."""
        guest, before = one.guest, self._running.get(one.guest.meter)
        if before is not None and before.epoch != one.epoch:
            guest = replace(guest, meter=f"guest/{guest.manager}-{guest.name}", system_uuid="")
            before = self._running.get(guest.meter)
        another = before is not None and before.epoch != one.epoch
        if another or (before is None and len(self._running) >= MOST_GUESTS):
            self._left_out += 1
            return
        self._running[guest.meter] = replace(one, guest=guest)


def _point(guest: Guest, reading: MeterReading) -> Point:
    busy, total = reading.differences or (0, 0)
    fields: dict[str, Value] = {
        "name": guest.name,
        "cpu_seconds": round(reading.values[0] / 1e6, 3),
        "busy_ratio": round(busy / total, 6) if total else None,
        "vcpu_busy_ratio": round(busy * 1000 / (reading.interval_ns * guest.vcpus), 6)
        if reading.interval_ns and guest.vcpus
        else None,
        "vcpus": guest.vcpus or None,
        "memory_bytes": guest.memory_bytes or None,
    }
    return Point(MEASUREMENT, {"guest": guest.meter.partition("/")[2]}, fields)
