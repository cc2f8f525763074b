"""One device, read: everything that its profiles make of a snapshot."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from collector.snmp.device_power import DevicePower, device_power
from collector.snmp.identity import DeviceIdentity, every_text, identify
from collector.snmp.neighbours import Neighbour
from collector.snmp.poll_plan import PARTS, Part
from collector.snmp.profile import Profile
from collector.snmp.profile_files import profiles
from collector.snmp.readings import Reading, readings
from collector.snmp.selection import select
from collector.snmp.snapshot import Snapshot
from collector.snmp.utilisation import MemoryUse, ProcessorLoad, memory, processors

HIGHEST_POE_CLASS = 8


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """What one device told at one time."""

    identity: DeviceIdentity
    power: DevicePower
    readings: list[Reading]
    processors: list[ProcessorLoad]
    memory: list[MemoryUse]
    profiles: tuple[str, ...]
    neighbours: tuple[Neighbour, ...] = ()
    """What it sees at its ports: of its last inventory, where the poll did not ask again."""
    powered_classes: tuple[int, ...] = ()
    """The class (0 to 8, 0 for "not told") of each device that it feeds over Ethernet, where its profiles tell."""


def evaluate(snapshot: Snapshot, holding: Sequence[Profile], parts: Collection[Part] = PARTS) -> DeviceReading:
    """What the profiles that hold for a device make of what it answered, of the parts that were asked.

    Without the inventory the identity is empty.
    """
    whole = "inventory" in parts
    identity = identify(snapshot, holding) if whole else DeviceIdentity()
    kind = identity.kind or next((one.kind for one in holding if one.kind), "")
    found = readings(snapshot, holding) if "power" in parts else []
    busy = holding if "utilisation" in parts else []
    return DeviceReading(
        identity,
        device_power(found, kind),
        found,
        processors(snapshot, busy),
        memory(snapshot, busy),
        tuple(one.name for one in holding),
        powered_classes=powered_classes(snapshot, busy),
    )


def powered_classes(snapshot: Snapshot, holding: Sequence[Profile]) -> tuple[int, ...]:
    """The classes of what a device's ports feed over Ethernet."""
    told = every_text(snapshot, (rule for one in holding for rule in one.powered_port))
    return tuple(int(one) if one.isdecimal() and int(one) <= HIGHEST_POE_CLASS else 0 for one in told)


def evaluate_whole(snapshot: Snapshot, among: Iterable[Profile] | None = None) -> DeviceReading:
    """The same of a snapshot that holds all that the device has: a recording."""
    return evaluate(snapshot, select(snapshot, profiles().values() if among is None else among))
