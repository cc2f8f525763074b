"""One device, read: everything that its profiles make of a snapshot."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from collector.snmp.device_power import DevicePower, device_power
from collector.snmp.fed import FedDevice, LinkedPort, PoeKnowledge, PoePort, fed_devices
from collector.snmp.identity import DeviceIdentity, identify, rows_of_text
from collector.snmp.neighbours import Neighbour
from collector.snmp.poll_plan import PARTS, Part
from collector.snmp.profile import Profile
from collector.snmp.profile_files import profiles
from collector.snmp.readings import Reading, readings
from collector.snmp.rows import rows
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
    poe_ports: tuple[PoePort, ...] | None = None
    """Its ports that can feed over Ethernet, and what class (0 to 8, 0 for "not told") of device each feeds; None where
    its profiles tell none."""
    linked: tuple[LinkedPort, ...] = ()
    """Its PoE ports that a person linked to devices."""

    @property
    def powered_classes(self) -> tuple[int, ...]:
        """The class of each device that it feeds, where its profiles tell."""
        return tuple(one.poe_class for one in self.poe_ports or () if one.poe_class is not None)

    @property
    def fed(self) -> list[FedDevice]:
        """The devices whose energy its own figure holds."""
        kind, hardware = self.identity.kind, self.identity.hardware
        known = PoeKnowledge(kind, hardware, self.power, self.readings, self.poe_ports, self.neighbours, self.linked)
        return fed_devices(known)


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
        poe_ports=poe_ports(snapshot, busy),
    )


def poe_ports(snapshot: Snapshot, holding: Sequence[Profile]) -> tuple[PoePort, ...] | None:
    """The ports that can feed over Ethernet, by the first profile that tells of any; None where none does."""
    for rule in (rule for one in holding for rule in one.powered_port):
        feeding = dict(rows_of_text(snapshot, rule))
        found = [PoePort(index, _class(feeding.get(index))) for _, index, _ in rows(snapshot, rule.oid, rule.index)]
        if found:
            return tuple(found)
    return None


def _class(told: str | None) -> int | None:
    if told is None:
        return None
    return int(told) if told.isdecimal() and int(told) <= HIGHEST_POE_CLASS else 0


def evaluate_whole(snapshot: Snapshot, among: Iterable[Profile] | None = None) -> DeviceReading:
    """The same of a snapshot that holds all that the device has: a recording."""
    return evaluate(snapshot, select(snapshot, profiles().values() if among is None else among))
