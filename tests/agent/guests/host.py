"""Hosts with guests as `/proc` and cgroup trees, after what libvirt 6 to 10 and Proxmox VE 7 to 9 leave there."""

import dataclasses
from pathlib import Path

from agent.guests.reader import GuestData, Guests
from agent.outcome import Data, Outcome
from agent.report import Meter
from agent.sample import MeterReading
from tests.agent import trees

BOOT = "6f1b3f52-5a3c-4c0e-9a8e-1d2c3b4a5f60"
SECOND = 10**9
CPUS = 8
WEB = "4c4c4544-0042-3510-8052-b4c04f564433"
DB = "9f0c1a52-7b1e-4d7c-a8f4-2c0d51a3e001"

LIBVIRT_6 = [
    "/usr/bin/qemu-system-x86_64",
    *("-name", "guest=web01,debug-threads=on", "-S"),
    *("-object", "secret,id=masterKey0,format=raw,file=/var/lib/libvirt/qemu/domain-3-web01/master-key.aes"),
    *("-machine", "pc-q35-focal,accel=kvm,usb=off,dump-guest-core=off", "-cpu", "host", "-m", "4096"),
    *("-overcommit", "mem-lock=off", "-smp", "4,sockets=4,cores=1,threads=1", "-uuid", WEB),
    *("-no-user-config", "-nodefaults", "-chardev", "socket,id=charmonitor,fd=31,server,nowait"),
    *("-device", "virtio-net-pci,netdev=hostnet0,id=net0,mac=52:54:00:aa:bb:cc,bus=pci.1,addr=0x0"),
]
LIBVIRT_10 = [
    "/usr/libexec/qemu-kvm",
    *("-name", "guest=db,,prod,debug-threads=on", "-S"),
    "-object",
    '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/domain-1-db/master-key.aes"}',
    *("-machine", "pc-q35-rhel9.4.0,usb=off,memory-backend=pc.ram,hpet=off,acpi=on", "-accel", "kvm", "-cpu", "host"),
    *("-m", "size=8388608k,slots=16,maxmem=33554432k"),
    *("-object", '{"qom-type":"memory-backend-ram","id":"pc.ram","size":8589934592}'),
    *("-smp", "2,maxcpus=8,sockets=8,dies=1,cores=1,threads=1"),
    *("-object", '{"qom-type":"memory-backend-ram","id":"memdimm0","size":4294967296}'),
    *("-device", '{"driver":"pc-dimm","node":0,"memdev":"memdimm0","id":"dimm0","slot":0}'),
    *("-uuid", DB.upper(), "-display", "none", "-no-user-config", "-nodefaults"),
]
PROXMOX_8 = [
    "/usr/bin/kvm",
    *("-id", "100", "-name", "files,debug-threads=on", "-no-shutdown"),
    *("-chardev", "socket,id=qmp,path=/var/run/qemu-server/100.qmp,server=on,wait=off"),
    *("-pidfile", "/var/run/qemu-server/100.pid", "-daemonize"),
    *("-smbios", f"type=1,uuid={WEB}", "-smp", "4,sockets=1,cores=4,maxcpus=4", "-nodefaults"),
    *("-cpu", "host,+kvm_pv_eoi,+kvm_pv_unhalt", "-m", "2048", "-machine", "type=pc+pve0"),
]
PROXMOX_9_HOTPLUG = [
    "/usr/bin/kvm",
    *("-id", "204", "-name", "build,debug-threads=on", "-smbios", f"type=1,uuid={DB}"),
    *("-smp", "1,sockets=1,cores=4,maxcpus=4", "-device", "kvm64-x86_64-cpu,id=cpu2,socket-id=0,core-id=1,thread-id=0"),
    *("-m", "size=1024,slots=255,maxmem=4194304M", "-object", "memory-backend-ram,id=ram-node0,size=1024M"),
    *("-object", "memory-backend-ram,id=mem-dimm0,size=512M", "-device", "pc-dimm,id=dimm0,memdev=mem-dimm0,node=0"),
]


def process(
    root: Path,
    pid: int,
    arguments: list[str],
    *,
    ticks: int = 0,
    started: int = 5000,
    groups: str = "0::/",
    state: str = "S",
) -> None:
    """A process as the kernel shows it; `ticks` is the processor time of all its threads."""
    directory = root / f"proc/{pid}"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "cmdline").write_bytes(b"".join(one.encode() + b"\0" for one in arguments))
    user, system = ticks - ticks // 4, ticks // 4
    fields = f"{state} 1 {pid} {pid} 0 -1 138412416 5230 0 0 0 {user} {system} 0 0 20 0 9 0 {started} 1800 4000"
    # The name is the program's own choice, and may look like what follows it.
    trees.write(directory, {"stat": f"{pid} (CPU 0) S 1 (kvm) {fields}", "cgroup": groups})


def init(root: Path) -> None:
    """The first process, and the files of the tree's root that make it version 2."""
    process(root, 1, ["/sbin/init", "splash"], started=1)
    trees.write(root, {"sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids"})


def usage(root: Path, group: str, busy_us: int) -> None:
    """A cgroup of version 2 with its processor time."""
    text = f"usage_usec {busy_us}\nuser_usec {busy_us}\nsystem_usec 0\nnr_periods 0\nnr_throttled 0"
    trees.write(root, {f"sys/fs/cgroup/{group}/cpu.stat": text})


def host_reading(
    second: float, busy_us: int, interval_seconds: float = 10, busy_in_interval_us: int | None = None
) -> MeterReading:
    """The host's own processor time at a sample, 10 s after the one before."""
    total = int(second * CPUS * 1e6)
    passed = int(interval_seconds * CPUS * 1e6)
    busy = passed if busy_in_interval_us is None else busy_in_interval_us
    differences = [busy, passed] if interval_seconds else []
    meter = Meter("cpu", "cpu_time", "utilisation", "processors", BOOT)
    return MeterReading(meter, int(interval_seconds * SECOND), [busy_us, total], differences)


class Watched:
    """A host's guests, sampled every ten seconds of its own time."""

    def __init__(self, root: Path) -> None:
        self.guests = Guests(root)
        self.second = 1000

    def outcome(self, busy_in_interval_us: int | None = None) -> Outcome[GuestData]:
        self.second += 10
        first = self.second == 1010
        host = host_reading(self.second, 0, 0 if first else 10, busy_in_interval_us)
        return self.guests.read(BOOT, self.second * SECOND, host)

    def sample(self, busy_in_interval_us: int | None = None) -> GuestData:
        outcome = self.outcome(busy_in_interval_us)
        assert isinstance(outcome, Data), outcome
        return outcome.value


def busy_of(data: GuestData) -> dict[str, int | None]:
    """What each guest used in the interval, microseconds by its name; None where it has no interval."""
    return {
        guest.name: one.differences[0] if one.differences else None
        for guest, one in zip(data.guests, data.readings, strict=True)
    }


def sizes(data: GuestData) -> dict[str, tuple[object, ...]]:
    """Each guest but its meter and name, by its name."""
    return {guest.name: dataclasses.astuple(guest)[2:] for guest in data.guests}
