"""Processor time and limits from the cgroup tree, version 1 or 2, and Proxmox's containers in it.

A cgroup that holds one guest alone counts in it what works for the guest outside its process too (helpers for disks
and networks), to the microsecond. libvirt makes a scope `machine-qemu...` for each guest (without systemd a group
`....libvirt-qemu`), Proxmox `qemu.slice/ID.scope` and, for containers, `lxc/ID`.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.files import read_text, text_or_empty, there
from agent.guests.emulators import MOST_BYTES, MOST_VCPUS
from agent.report import Guest

_TREE = "sys/fs/cgroup"
_OWN = (
    re.compile(r"/machine-qemu[^/]*\.scope(?=/|\Z)"),
    re.compile(r"/[^/]+\.libvirt-qemu(?=/|\Z)"),
    re.compile(r"\A/qemu\.slice/\d+\.scope(?=/|\Z)"),
)
"""A group that is one guest's own. What lies below it (`libvirt/emulator`) is part of it."""
_USAGE = re.compile(r"^usage_usec (\d{1,18})$", re.MULTILINE)
_CONTAINER = re.compile(r"\A/lxc/\d+(?=/|\Z)")
_V1_PROCESSORS = ("cpu,cpuacct", "cpuacct")


@dataclass(frozen=True, slots=True)
class Group:
    """A cgroup: the file that counts its processor time, and its inode, which no other group ever has after it."""

    usage: Path
    inode: int

    def busy_us(self) -> int:
        """Processor microseconds since the group was made. Raises OSError when it is gone, ValueError on nonsense."""
        if self.usage.parent.stat().st_ino != self.inode:
            raise FileNotFoundError("another group has taken its name")
        text = read_text(self.usage)
        if self.usage.name == "cpuacct.usage":
            return int(text) // 1000
        found = _USAGE.search(text)
        if found is None:
            raise ValueError(f"no usage_usec in {self.usage}")
        return int(found[1])


def own_group(root: Path, groups: str) -> Group | None:
    """The group that holds a guest alone, by the text of its process's `cgroup` file; None where there is none."""
    for path, tree in _places(root, groups):
        for found in filter(None, (pattern.search(path) for pattern in _OWN)):
            if group := _group(tree / path[1 : found.end()]):
                return group
    return None


def inside_container(groups: str) -> bool:
    """Whether a process runs in one of Proxmox's containers, whose processor time holds its own."""
    return any(_CONTAINER.match(line.partition(":")[2].partition(":")[2]) for line in groups.splitlines())


def _places(root: Path, groups: str) -> Iterator[tuple[str, Path]]:
    """For each hierarchy that counts processor time: a process's path in it, and where its tree is mounted."""
    for line in groups.splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not path.startswith("/") or "/.." in path:
            continue
        if not controllers and is_unified(root):
            yield path, root / _TREE
        elif "cpuacct" in controllers.split(","):
            yield from ((path, root / _TREE / name) for name in _V1_PROCESSORS)


def is_unified(root: Path) -> bool:
    """Whether the tree is that of version 2 alone."""
    return there(root / _TREE / "cgroup.controllers")


def _group(directory: Path) -> Group | None:
    for name in ("cpu.stat", "cpuacct.usage"):
        # Version 1 has a cpu.stat too, which counts no usage.
        if _USAGE.search(text_or_empty(directory / name)) or (name != "cpu.stat" and there(directory / name)):
            return Group(directory / name, directory.stat().st_ino)
    return None


def traces_of_guests(root: Path) -> bool:
    """Whether the tree has groups of guests, which are seen even where their processes are hidden."""
    for tree in (root / _TREE, *(root / _TREE / name for name in _V1_PROCESSORS)):
        if any(next(tree.glob(pattern), None) for pattern in ("machine.slice/machine-qemu*", "qemu.slice/*.scope")):
            return True
    return False


def containers(root: Path) -> dict[str, tuple[Guest, Group]]:
    """Proxmox's running containers by the name of their meter."""
    found = {}
    for tree in (root / _TREE, *(root / _TREE / name for name in _V1_PROCESSORS)):
        for directory in _numbered(tree / "lxc"):
            group = _group(directory)
            if group is not None:
                guest = _container(root, directory)
                found[guest.meter] = (guest, group)
        if found:
            break
    return found


def _numbered(directory: Path) -> list[Path]:
    try:
        return [directory / name for name in sorted(os.listdir(directory)) if name.isascii() and name.isdecimal()]
    except OSError:
        return []


def _container(root: Path, directory: Path) -> Guest:
    number = directory.name
    return Guest(
        meter=f"guest/proxmox-{number}",
        name=_container_name(root, number) or number,
        system_uuid="",
        kind="container",
        manager="proxmox",
        vcpus=_processor_limit(root, directory),
        memory_bytes=_memory_limit(root, directory),
    )


def _container_name(root: Path, number: str) -> str:
    """Its host name, from what Proxmox writes for LXC, or its own configuration where that may be read."""
    for file in (f"var/lib/lxc/{number}/config", f"etc/pve/lxc/{number}.conf"):
        found = re.search(
            r"^(?:lxc\.uts\.name *=|hostname:) *([!-~]{1,128})$", text_or_empty(root / file), re.MULTILINE
        )
        if found:
            return found[1]
    return ""


def _processor_limit(root: Path, directory: Path) -> float:
    """Processors it may use: the quota (`cpulimit`), or its set of processors (`cores`) where that is smaller."""
    quota, period, *_ = [*text_or_empty(directory / "cpu.max").split(), "", ""]
    if not quota:
        quota, period = (text_or_empty(directory / f"cpu.cfs_{one}_us") for one in ("quota", "period"))
    limits = []
    if quota.isdecimal() and period.isdecimal() and int(period) > 0 and int(quota) > 0:
        limits.append(int(quota) / int(period))
    sets = directory if is_unified(root) else root / _TREE / "cpuset/lxc" / directory.name
    allowed, all_of_host = _set_size(sets / "cpuset.cpus"), _set_size(root / "sys/devices/system/cpu/online")
    if allowed and (not all_of_host or allowed < all_of_host):
        limits.append(float(allowed))
    limit = round(min(limits, default=0.0), 3)
    return limit if limit <= MOST_VCPUS else 0.0


def _set_size(path: Path) -> int:
    """How many processors a list such as `0-3,8` names; 0 where it is empty or none."""
    count = 0
    for part in filter(None, text_or_empty(path).split(",")):
        first, _, last = part.partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()):
            return 0
        count += max(0, int(last or first) - int(first) + 1)
    return count


def _memory_limit(root: Path, directory: Path) -> int:
    text = text_or_empty(directory / "memory.max") or text_or_empty(
        root / _TREE / "memory/lxc" / directory.name / "memory.limit_in_bytes"
    )
    # Version 1 writes the largest number that there is where no limit is set.
    return int(text) if text.isascii() and text.isdecimal() and int(text) <= MOST_BYTES else 0
