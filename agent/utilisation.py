"""How busy the host is: means over the interval from the kernel's counters, by psutil; never an instant's reading.

The first sample has only gauges and cumulative counters. A counter that went backwards (a card replaced, a reset)
gives no value for its interval rather than a wrong one.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import psutil

from agent.files import is_directory
from agent.inventory.disks import physical_disks
from agent.inventory.network import card_names
from agent.report import Value
from agent.sample import Point

_STATIC_SECONDS = 300
"""Disks, cards and mounts are listed anew this often: they change rarely, and listing costs more than reading."""
_LOCAL_FILE_SYSTEMS = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "overlay"}
    | {"vfat", "exfat", "ntfs", "ntfs3", "fuseblk", "apfs", "hfs", "ufs"}
)
"""File systems that hold data on this machine. Network ones are left out: a dead server would hang the agent."""


def _ratio(part: float, whole: float) -> float | None:
    return min(1.0, round(part / whole, 6)) if whole > 0 and part >= 0 else None


class Utilisation:
    """Reads utilisation; remembers the counters of the reading before. `root` serves the lists of disks and cards."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._cpu: psutil._ntuples.scputimes | None = None
        self._swap: tuple[int, int] | None = None
        self._disks: Mapping[str, tuple[int, ...]] = {}
        self._network: Mapping[str, tuple[int, ...]] = {}
        self._listed_at = -1e9
        self._disk_names: list[str] = []
        self._card_names: list[str] = []
        self._mounts: list[str] = []

    def points(self, now_seconds: float, elapsed_seconds: float | None) -> list[Point]:
        """All points. `now_seconds` is any steady clock; `elapsed_seconds` since the reading before, None at first."""
        if now_seconds - self._listed_at > _STATIC_SECONDS:
            self._listed_at = now_seconds
            self._disk_names = physical_disks(self._root)
            self._card_names = card_names(self._root)
            self._mounts = _mounts(self._root)
        found = [self._processors(), self._memory(elapsed_seconds)]
        found += self._file_systems()
        found += self._disk_traffic(elapsed_seconds)
        found += self._network_traffic(elapsed_seconds)
        found += _temperatures()
        return found

    def processor_time(self) -> tuple[int, int]:
        """Busy and total processor microseconds since boot, of the reading that `points` made last."""
        assert self._cpu is not None  # noqa: S101  # the sampler reads the points first
        busy, total, *_ = _busy_and_total(self._cpu)
        return round(busy * 1e6), round(total * 1e6)

    def _processors(self) -> Point:
        now, before = psutil.cpu_times(), self._cpu
        self._cpu = now
        busy, total, iowait, steal, interrupt, system, user, idle = _busy_and_total(now)
        fields: dict[str, Value] = {"busy_seconds": round(busy, 2), "total_seconds": round(total, 2)}
        if hasattr(os, "getloadavg"):
            fields["load_1m"], fields["load_5m"], fields["load_15m"] = (round(load, 2) for load in os.getloadavg())
        if before is not None:
            earlier = _busy_and_total(before)
            passed = total - earlier[1]
            names = ("iowait_ratio", "steal_ratio", "interrupt_ratio", "system_ratio", "user_ratio", "idle_ratio")
            values = (iowait, steal, interrupt, system, user, idle)
            fields["busy_ratio"] = _ratio(busy - earlier[0], passed)
            for name, value, start in zip(names, values, earlier[2:], strict=True):
                fields[name] = _ratio(value - start, passed)
        return Point("system_cpu", {}, fields)

    def _memory(self, elapsed: float | None) -> Point:
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        fields: dict[str, Value] = {
            "total_bytes": memory.total,
            "used_bytes": memory.used,
            "available_bytes": memory.available,
            "used_ratio": _ratio(memory.total - memory.available, memory.total),
            "swap_total_bytes": swap.total,
            "swap_used_bytes": swap.used,
        }
        counters = (swap.sin, swap.sout)
        if self._swap is not None and elapsed:
            rates = _rates(self._swap, counters, elapsed)
            if rates is not None:
                fields["swap_in_bytes_per_second"], fields["swap_out_bytes_per_second"] = rates
        self._swap = counters
        return Point("system_memory", {}, fields)

    def _file_systems(self) -> list[Point]:
        points = []
        for mount in self._mounts:
            try:
                usage = os.statvfs(mount)
            except OSError:
                continue
            used = (usage.f_blocks - usage.f_bfree) * usage.f_frsize
            free = usage.f_bavail * usage.f_frsize
            fields: dict[str, Value] = {
                "total_bytes": usage.f_blocks * usage.f_frsize,
                "used_bytes": used,
                "free_bytes": free,
                "used_ratio": _ratio(used, used + free),
            }
            points.append(Point("system_filesystem", {"mount_point": self._on_the_host(mount)}, fields))
        return points

    def _on_the_host(self, mount: str) -> str:
        """A mount point as the host knows it, which has its root elsewhere than a container sees it."""
        below = Path(mount)
        return str(Path("/") / below.relative_to(self._root)) if below.is_relative_to(self._root) else mount

    def _disk_traffic(self, elapsed: float | None) -> list[Point]:
        if not self._disk_names:
            return []
        counters = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
        now = {
            name: (one.read_bytes, one.write_bytes, one.read_count, one.write_count, getattr(one, "busy_time", 0))
            for name in self._disk_names
            if (one := counters.get(name)) is not None
        }
        names = ("read_bytes_per_second", "write_bytes_per_second", "reads_per_second", "writes_per_second")
        points = []
        for name, values in now.items():
            before = self._disks.get(name)
            rates = _rates(before, values, elapsed) if before is not None and elapsed else None
            if rates is not None:
                fields: dict[str, Value] = dict(zip(names, rates, strict=False))
                fields["busy_ratio"] = min(1.0, rates[4] / 1000)
                points.append(Point("system_disk", {"disk": name}, fields))
        self._disks = now
        return points

    def _network_traffic(self, elapsed: float | None) -> list[Point]:
        if not self._card_names:
            return []
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
        now = {
            name: (
                one.bytes_recv,
                one.bytes_sent,
                one.packets_recv,
                one.packets_sent,
                one.errin,
                one.errout,
                one.dropin + one.dropout,
            )
            for name in self._card_names
            if (one := counters.get(name)) is not None
        }
        names = (
            "receive_bytes_per_second",
            "transmit_bytes_per_second",
            "receive_packets_per_second",
            "transmit_packets_per_second",
            "receive_errors_per_second",
            "transmit_errors_per_second",
            "drops_per_second",
        )
        points = []
        for name, values in now.items():
            before = self._network.get(name)
            rates = _rates(before, values, elapsed) if before is not None and elapsed else None
            if rates is not None:
                points.append(Point("system_network", {"interface": name}, dict(zip(names, rates, strict=True))))
        self._network = now
        return points


def _rates(before: tuple[int, ...], now: tuple[int, ...], elapsed: float) -> tuple[float, ...] | None:
    """Counts a second, or None where any counter went backwards."""
    differences = [later - earlier for earlier, later in zip(before, now, strict=True)]
    if min(differences) < 0:
        return None
    return tuple(round(difference / elapsed, 3) for difference in differences)


def _busy_and_total(times: "psutil._ntuples.scputimes") -> tuple[float, ...]:
    """Busy, total, iowait, steal, interrupt, system, user and idle seconds. Guests' time is within user's already."""
    user = times.user + getattr(times, "nice", 0.0)
    iowait, steal = getattr(times, "iowait", 0.0), getattr(times, "steal", 0.0)
    interrupt = getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0)
    busy = user + times.system + interrupt
    return busy, busy + times.idle + iowait + steal, iowait, steal, interrupt, times.system, user, times.idle


def _mounts(root: Path) -> list[str]:
    """One mount point for each local file system: the first, where a device is mounted several times.

    In a container that has the host's root mounted, only what is mounted below that is the host's.
    """
    found: dict[str, str] = {}
    inside = root if root != Path("/") and root.is_mount() else Path("/")
    for part in psutil.disk_partitions(all=True):
        if not Path(part.mountpoint).is_relative_to(inside):
            continue
        if part.fstype not in _LOCAL_FILE_SYSTEMS or not is_directory(Path(part.mountpoint)):
            continue
        if part.fstype == "overlay" and part.mountpoint != "/":
            continue
        found.setdefault(part.device if part.fstype != "overlay" else "overlay", part.mountpoint)
    return sorted(found.values())


def _temperatures() -> list[Point]:
    if not hasattr(psutil, "sensors_temperatures"):
        return []
    points = []
    for chip, sensors in psutil.sensors_temperatures().items():
        for index, sensor in enumerate(sensors):
            if -80 <= sensor.current <= 250:
                tags = {"hw_id": f"{chip}/{sensor.label or index}", "hw_type": "temperature"}
                points.append(Point("hw_temperature", tags, {"temperature_celsius": round(sensor.current, 1)}))
    return points
