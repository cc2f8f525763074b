"""What a switch feeds over Ethernet, and whose energy its figure therefore holds: one rule for both sides.

The switch's side (`collector.snmp.estimate`) adds to its estimate what is fed, where nothing else of the figure holds it.
The fed device's side (`collector.snmp.poe_feed`) leaves a device out of totals exactly where this rule says that it is fed.
A port feeds one device; what else is seen there (a computer behind a telephone) has a supply of its own.

Source of the rule: carbon reference, section 6: a PoE device is never added beside a metered or PoE-reading switch.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from carbon.poe import feeds
from collector.snmp.device_power import DevicePower
from collector.snmp.neighbours import Neighbour
from collector.snmp.readings import Reading

FED_KINDS = frozenset({"access_point", "phone", "camera"})
"""What usually has no supply of its own, and is fed by the port that it stands at."""
FEEDERS = ("switch", "router", "firewall", "network_device")
"""Kinds that feed what stands at their ports: access points and printers see switches too."""
SMALLEST_WATTS = 0.5
"""A port that gives less feeds nothing."""

Holds = Literal["measured", "poe_watts", "poe_classes", "children"]
"""How a switch's figure holds what it feeds: in what is measured, in PoE that it reads, in the classes of its feeding
ports, or because its estimate adds the devices that are known at its ports."""


@dataclass(frozen=True, slots=True)
class PoePort:
    """A port that can feed: its row of the switch's table, and the class of what it feeds now, None where that is nothing."""

    index: str
    poe_class: int | None


@dataclass(frozen=True, slots=True)
class LinkedPort:
    """A PoE port that a person linked to a device: the port's meter, and the device's kind."""

    meter: str
    kind: str


@dataclass(frozen=True, slots=True)
class PoeKnowledge:
    """What is known of a switch, for what it feeds. `ports` is None where no table tells which ports feed."""

    kind: str
    hardware: str
    power: DevicePower
    readings: Sequence[Reading] = ()
    ports: tuple[PoePort, ...] | None = None
    neighbours: Sequence[Neighbour] = ()
    linked: Sequence[LinkedPort] = ()

    @property
    def holds(self) -> Holds:
        """How its figure holds what it feeds, by what the figure is made of (`own_power`, `typical_power`)."""
        if self.power.watts is not None:
            return "measured"
        if self.power.poe_watts is not None:
            return "poe_watts"
        return "children" if self.ports is None else "poe_classes"


@dataclass(frozen=True, slots=True)
class FedDevice:
    """A device that a port feeds, and that the switch's figure holds. `watts` at the port, None where they are not told.

    `neighbour` is None of one that a person linked, and that is seen by nothing.
    """

    neighbour: Neighbour | None
    kind: str
    port: str
    watts: float | None = None


def fed_devices(switch: PoeKnowledge) -> list[FedDevice]:
    """The devices whose energy a switch's figure holds: at most one a port.

    A device that stands at a port and is not among these counts for itself.
    """
    if switch.kind not in FEEDERS:
        return []
    at_port: dict[tuple[object, ...], list[Neighbour]] = {}
    for number, one in enumerate(switch.neighbours):
        # Of a port that is not known nobody can say who else is there.
        key = (one.if_index, one.port) if one.if_index is not None or one.port else (number,)
        at_port.setdefault(key, []).append(one)
    found, unseen = [], list(switch.linked)
    for seen in at_port.values():
        if_index, port = seen[0].if_index, seen[0].port
        mine = [one for one in unseen if names_port(one.meter.partition("/")[2], if_index, port)]
        if mine:
            # What a person said of a port holds, whoever is seen there.
            unseen = [one for one in unseen if one not in mine]
            found += [FedDevice(None, one.kind, port, port_watts(switch.readings, if_index, port)) for one in mine]
            continue
        watts, gives = port_watts(switch.readings, if_index, port), _gives(switch, if_index, port)
        chosen = _fed_of(seen, switch, gives=gives)
        if chosen is not None:
            found.append(FedDevice(chosen, chosen.kind, port, watts))
    return found + [FedDevice(None, one.kind, one.meter.partition("/")[2]) for one in unseen]


@dataclass(frozen=True, slots=True)
class SeenAsFed:
    """A device that a switch feeds, by what tells which device of the estate it is; as it stands in the last reading."""

    port: str
    watts: float | None
    serial: str
    mac: str
    addresses: tuple[str, ...]


def seen_as_fed(fed: Iterable[FedDevice]) -> list[SeenAsFed]:
    """What of it is seen: what a person linked is known already."""
    return [
        SeenAsFed(one.port, one.watts, one.neighbour.serial, one.neighbour.mac, one.neighbour.addresses)
        for one in fed
        if one.neighbour is not None
    ]


def _gives(switch: PoeKnowledge, if_index: int | None, port: str) -> bool | None:
    """Whether a port gives power; None where nothing tells."""
    watts = port_watts(switch.readings, if_index, port)
    if watts is not None:
        return watts >= SMALLEST_WATTS
    if switch.ports is not None:
        rows = [one for one in switch.ports if names_port(one.index, if_index, port)]
        if len(rows) == 1:
            return rows[0].poe_class is not None
        if not any(one.poe_class is not None for one in switch.ports):
            return False
    if switch.power.poe_watts is not None and switch.power.poe_watts < SMALLEST_WATTS:
        return False
    return None


def _fed_of(seen: Sequence[Neighbour], switch: PoeKnowledge, *, gives: bool | None) -> Neighbour | None:
    """Which of those that are seen at a port it feeds."""
    if gives is False:
        return None
    asking = [one for one in seen if one.asked_watts is not None]
    usual = [one for one in seen if one.kind in FED_KINDS]
    if gives is None and not asking:
        # An estimate that nothing of PoE stands in adds only what the switch is known to be able to feed.
        return next(iter(usual), None) if switch.holds != "children" or feeds(switch.hardware) else None
    alone = list(seen) if gives and len(seen) == 1 else []
    return next(iter([*asking, *usual, *alone]), None)


def port_watts(readings: Iterable[Reading], if_index: int | None, port: str) -> float | None:
    """Watts that a switch gives at a port; None where it does not tell."""
    poe = [one for one in readings if one.role == "poe_port" and one.quantity == "power"]
    named = [one for one in poe if port and one.name == port]
    found = named if len(named) == 1 else [one for one in poe if names_port(one.index or one.oid, if_index, port)]
    return found[0].value if len(found) == 1 else None


def names_port(row: str, if_index: int | None, port: str) -> bool:
    """Whether a row of a PoE table is a port: its name, its ifIndex, or its unit and number (`pethPsePortTable`: 2.7 is
    Gi2/0/7).

    >>> names_port("1.7", 7, "7"), names_port("2.7", 10207, "Gi2/0/7"), names_port("2.7", 10107, "Gi1/0/7")
    (True, True, False)
    """
    if row == port:
        return True
    arcs = row.split(".")
    numbers = re.findall(r"\d+", port)
    if len(numbers) >= 2 and len(arcs) >= 2:
        if (arcs[-2], arcs[-1]) == (numbers[0], numbers[-1]):
            return True
        # Unit and number are known: another unit's port of the same number is not it.
        return if_index is not None and arcs[-1] == str(if_index) and str(if_index) != numbers[-1]
    return if_index is not None and arcs[-1] == str(if_index)
