"""What a QEMU process's command line says of its guest. Nothing of it leaves the host but name, UUID and size.

QEMU's options are `key=value` lists with commas doubled in values, or since 6.0 JSON for `-object` and `-device`.
Source: QEMU's manual, qemu-options.hx; what libvirt 6 to 10 and Proxmox VE 7 to 9 write.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.guests.emulators import MOST_BYTES, MOST_VCPUS, is_qemu
from agent.inventory.uuids import normalised
from agent.report import Guest, GuestManager

_SUFFIXES = {"": 1 << 20, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50, "e": 1 << 60}
_SIZE = re.compile(r"(\d{1,19}(?:\.\d{1,9})?)\s*([bkmgtpe]?)(?:i?b)?\Z", re.IGNORECASE)
_DEFAULT_MEMORY_BYTES = 128 << 20
"""What QEMU gives a guest without `-m`."""
_LONGEST_NAME = 128
_TOPOLOGY = ("sockets", "drawers", "books", "dies", "clusters", "modules", "cores", "threads")


@dataclass(frozen=True, slots=True)
class Appliance:
    """A QEMU that is a tool of the host and no guest: libguestfs looking into disks, Proxmox restoring files, libvirt
    asking what the emulator can do, and the devices of a Xen guest, whose processors are not this process's."""


def read_guest(arguments: Sequence[str]) -> Guest | Appliance | None:
    """The guest that a command line starts; None where the command is no system emulator that runs one.

    Whatever in it makes no sense counts as left out: QEMU itself would not have started with it.
    """
    if not arguments or not is_qemu(arguments[0]) or not any(one.startswith("-") for one in arguments[1:]):
        return None
    options = _Options(arguments)
    name = _printable(options.name)
    if name.startswith("guestfs-") or options.has("xen-domid", "xen-attach") or options.machine() == "none":
        return Appliance()
    if any(".guestfs-" in one or "/file-restore/" in one for one in arguments):
        return Appliance()
    manager = _manager(options, arguments)
    number = options.last("id")
    identity = options.uuid or f"{manager}-{number if manager == 'proxmox' else name or _fingerprint(arguments)}"
    return Guest(
        meter=f"guest/{identity}",
        name=name or identity,
        system_uuid=options.uuid,
        kind="virtual_machine",
        manager=manager,
        vcpus=float(options.vcpus()),
        memory_bytes=options.memory_bytes(),
    )


def _manager(options: "_Options", arguments: Sequence[str]) -> GuestManager:
    if re.fullmatch(r"\d{1,9}", options.last("id")):
        return "proxmox"
    # The file of its master key, and the socket of its monitor, lie in a directory of that name; a user's own too.
    return "libvirt" if any("libvirt/qemu/" in one for one in arguments) else "qemu"


def _fingerprint(arguments: Sequence[str]) -> str:
    """A name for a guest that has none: a script starts it with the same words each time."""
    return hashlib.sha256("\0".join(arguments).encode(errors="replace")).hexdigest()[:12]


class _Options:
    """The options of a command line, by name without dashes, each in the order of its occurrences."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._values: dict[str, list[str]] = {}
        for option, value in zip(arguments[1:], [*arguments[2:], ""], strict=True):
            if option.startswith("-"):
                self._values.setdefault(option.lstrip("-"), []).append("" if value.startswith("-") else value)
        self.name = self._implied("name", "guest").get("guest", "")
        self.uuid = self._uuid()

    def last(self, option: str) -> str:
        """The value of the option's last occurrence, or ""."""
        return (self._values.get(option) or [""])[-1]

    def has(self, *options: str) -> bool:
        """Whether any of the options is there."""
        return any(option in self._values for option in options)

    def machine(self) -> str:
        """The type of the machine, "" for the emulator's usual one."""
        return (self._implied("M", "type") | self._implied("machine", "type")).get("type", "")

    def vcpus(self) -> int:
        """Virtual processors at the start: `-smp`, and those that are plugged in as devices."""
        smp = self._implied("smp", "cpus")
        count = _whole(smp.get("cpus", ""))
        if count is None and any(smp.get(one) for one in _TOPOLOGY):
            count = _whole(smp.get("maxcpus", "")) or 1
            if "maxcpus" not in smp:
                for one in _TOPOLOGY:
                    count *= _whole(smp.get(one, "")) or 1
        count = count if count is not None else _whole(smp.get("maxcpus", ""))
        plugged = sum(str(one.get("driver", "")).endswith("-cpu") for one in self._properties("device", "driver"))
        return min(MOST_VCPUS, max(1, count or 1) + plugged)

    def memory_bytes(self) -> int:
        """Memory at the start: `-m`, and modules (DIMMs) that are plugged in as devices."""
        memory = size_bytes(self._implied("m", "size").get("size", ""))
        dimms = [one for one in self._properties("device", "driver") if one.get("driver") == "pc-dimm"]
        backends = {one.get("id"): one.get("size") for one in self._properties("object", "qom-type")} if dimms else {}
        plugged = sum(_object_bytes(backends.get(one.get("memdev"))) for one in dimms)
        return min(MOST_BYTES, (memory if memory else _DEFAULT_MEMORY_BYTES) + plugged)

    def _uuid(self) -> str:
        """As the guest sees it in its DMI: the system table's where that is written out, else `-uuid`."""
        said = self.last("uuid")
        for table in self._values.get("smbios", []):
            fields = _listed(table, "file")
            if fields.get("type") == "1" and fields.get("uuid"):
                said = fields["uuid"]
        return normalised(said)

    def _implied(self, option: str, first: str) -> dict[str, str]:
        """Properties of all occurrences together: a later one wins. `first` is the name that may be left out."""
        found: dict[str, str] = {}
        for text in self._values.get(option, []):
            found |= _listed(text, first)
        return found

    def _properties(self, option: str, first: str) -> Iterator[dict[str, object]]:
        for text in self._values.get(option, []):
            if not text.startswith("{"):
                yield dict(_listed(text, first))
                continue
            try:
                found = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                yield found


def _listed(text: str, first: str) -> dict[str, str]:
    """`a=1,b=x,,y` as {"a": "1", "b": "x,y"}; the first value may stand alone, and is then called `first`."""
    found: dict[str, str] = {}
    for position, part in enumerate(text.replace(",,", "\0").split(",")):
        key, equals, value = part.replace("\0", ",").partition("=")
        if equals:
            found[key] = value
        elif position == 0 and key:
            found[first] = key
    return found


def size_bytes(text: str) -> int | None:
    """A size as QEMU writes it; a bare number is mebibytes. None for what is none.

    >>> size_bytes("4096"), size_bytes("4G"), size_bytes("1.5g"), size_bytes("4194304k"), size_bytes("much")
    (4294967296, 4294967296, 1610612736, 4294967296, None)
    """
    found = _SIZE.match(text)
    return int(float(found[1]) * _SUFFIXES[found[2].lower()]) if found else None


def _object_bytes(size: object) -> int:
    """The size of a memory backend: bytes where it is a bare number, unlike `-m`."""
    if isinstance(size, int) and not isinstance(size, bool):
        return max(0, size)
    text = size if isinstance(size, str) else ""
    return size_bytes(f"{text}b" if text.isdecimal() else text) or 0


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _printable(text: str) -> str:
    """A name that may become a key: bounded, without control characters."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text.strip())[:_LONGEST_NAME]
