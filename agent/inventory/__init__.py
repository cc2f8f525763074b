"""What the host is: read once at start and daily, from the kernel's files below a root directory."""

import socket
from pathlib import Path

from agent.files import text_or_empty
from agent.inventory.cpu import read_cpu
from agent.inventory.disks import read_disks
from agent.inventory.dmi import read_dmi
from agent.inventory.hyperv import read_host_of_guest
from agent.inventory.network import read_network_cards
from agent.inventory.platform import read_platform
from agent.inventory.uuids import read_system_uuid
from agent.report import Inventory

_KB = 1024


def read_inventory(root: Path = Path("/")) -> Inventory:
    """The host's inventory; what cannot be read stays empty."""
    dmi = read_dmi(root)
    cpu = read_cpu(root)
    platform = read_platform(root, dmi, cpu.hypervisor_flag)
    return Inventory(
        machine_id=text_or_empty(root / "etc/machine-id") or text_or_empty(root / "var/lib/dbus/machine-id"),
        host_name=_host_name(root),
        vendor=dmi.vendor,
        model=dmi.model,
        serial=dmi.serial,
        asset_tag=dmi.asset_tag if platform.platform == "physical" else "",
        system_uuid=read_system_uuid(root),
        chassis=dmi.chassis,
        cpu_model=cpu.model,
        cpu_sockets=cpu.sockets,
        cpu_cores=cpu.cores,
        cpu_threads=cpu.threads,
        memory_bytes=_memory_bytes(root),
        disks=read_disks(root),
        network_cards=read_network_cards(root),
        operating_system=_operating_system(root),
        kernel=text_or_empty(root / "proc/sys/kernel/osrelease"),
        architecture=cpu.architecture,
        platform=platform.platform,
        hypervisor=platform.hypervisor,
        cloud=platform.cloud,
        host_of_guest=read_host_of_guest(root),
        boot_unix_ns=_boot_unix_ns(root),
    )


def _host_name(root: Path) -> str:
    return text_or_empty(root / "proc/sys/kernel/hostname") or (socket.gethostname() if root == Path("/") else "")


def _memory_bytes(root: Path) -> int | None:
    for line in text_or_empty(root / "proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        if name == "MemTotal" and value.split()[:1] and value.split()[0].isdecimal():
            return int(value.split()[0]) * _KB
    return None


def _operating_system(root: Path) -> str:
    for path in ("etc/os-release", "usr/lib/os-release"):
        for line in text_or_empty(root / path).splitlines():
            name, _, value = line.partition("=")
            if name == "PRETTY_NAME":
                return value.strip("\"'")
    return ""


def _boot_unix_ns(root: Path) -> int | None:
    for line in text_or_empty(root / "proc/stat").splitlines():
        if line.startswith("btime ") and line[6:].strip().isdecimal():
            return int(line[6:]) * 10**9
    return None
