"""QEMU's processes in the process table, each process looked at no more often than is needed.

A host may have thousands of processes and none of them a guest, so those that are known not to be are remembered. A
process may become another program (a manager forks, then starts QEMU): so each is looked at twice before it is
remembered. Its number may be given to another process, once the kernel has gone through all numbers and begun anew: so
all are forgotten after that, and every hour in any case. A guest itself is known by its number and its start time.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from agent.files import read_text, text_or_empty
from agent.guests.emulators import is_qemu
from agent.report import Guest

FORGOTTEN_NS = 3600 * 10**9
REMEMBERED_NS = 300 * 10**9
"""At least this long, however quickly numbers come round again: looking costs."""
_LOOKS = 2
_STATE, _USER, _SYSTEM, _STARTED = 0, 11, 12, 19
"""Positions in `/proc/PID/stat` behind the name, which may hold anything. Source: proc(5)."""
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_FIRST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Process:
    """A process: its number, its start in clock ticks since boot, and the microseconds it used, all threads together."""

    pid: int
    started: int
    busy_us: int


@dataclass(frozen=True, slots=True)
class Found:
    """A guest's process. `groups` is the text of its `cgroup` file."""

    process: Process
    guest: Guest
    groups: str


class ProcessTable:
    """Looks for guests' processes below `root`."""

    def __init__(self, root: Path) -> None:
        self._directory = root / "proc"
        self._looks: dict[int, int] = {}
        self._forgotten_ns = 0
        self._newest_pid = 0
        self._came_round = False
        self.hidden = False
        """Whether the processes of other users were not to be seen at the last look."""

    def look(self, boot_ns: int, known: set[int]) -> list[Found]:
        """Guests' processes but those whose numbers are `known`. Raises OSError where there is no process table."""
        self._forget(boot_ns)
        running = {int(name) for name in os.listdir(self._directory) if name.isascii() and name.isdecimal()}
        # The first process is always there: who does not see it, sees its own alone (hidepid, ProtectProc=).
        self.hidden = bool(running) and 1 not in running
        looks = {pid: self._looks.get(pid, 0) for pid in running - known}
        found = []
        for pid in sorted(pid for pid, times in looks.items() if times < _LOOKS):
            one = self._guest(pid)
            if one is not None:
                found.append(one)
            else:
                looks[pid] += 1
        self._looks = looks
        return found

    def _forget(self, boot_ns: int) -> None:
        """Forget what was looked at, where a number may have been given away since."""
        newest = text_or_empty(self._directory / "loadavg").rpartition(" ")[2]
        newest_pid = int(newest) if newest.isascii() and newest.isdecimal() else 0
        self._came_round |= newest_pid < self._newest_pid or newest_pid == 0
        self._newest_pid = newest_pid
        if boot_ns - self._forgotten_ns >= (REMEMBERED_NS if self._came_round else FORGOTTEN_NS):
            self._looks, self._forgotten_ns, self._came_round = {}, boot_ns, False

    def read(self, pid: int) -> Process | None:
        """A process as it is now; None when it is gone, or has ended and only waits to be noticed."""
        try:
            fields = read_text(self._directory / str(pid) / "stat").rpartition(")")[2].split()
            if fields[_STATE] in "ZXx":
                return None
            ticks = int(fields[_USER]) + int(fields[_SYSTEM])
            return Process(pid, int(fields[_STARTED]), ticks * 1_000_000 // _TICKS)
        except (OSError, ValueError, IndexError):
            return None

    def _guest(self, pid: int) -> Found | None:
        directory = self._directory / str(pid)
        path = directory / "cmdline"
        if not is_qemu(_first_argument(path)):
            return None
        from agent.guests.command_line import Appliance, read_guest  # noqa: PLC0415  # only hosts with guests load it

        before = self.read(pid)
        guest = read_guest(text_or_empty(path).split("\0"))
        groups = text_or_empty(directory / "cgroup")
        after = self.read(pid)
        # The number may have passed on between two looks at it.
        if before is None or after is None or before.started != after.started:
            return None
        return None if guest is None or isinstance(guest, Appliance) else Found(after, guest, groups)


def _first_argument(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, _FIRST_BYTES).partition(b"\0")[0].decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
