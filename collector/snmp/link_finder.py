"""Which device each outlet and PoE port may feed: by its name, by the port's description, by the neighbour at the port.

Pure: it is given what is known of the estate. What it finds are proposals that a person confirms, each with its evidence.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from collector.power_proposals import Evidence, Found
from collector.snmp.interfaces import Interface
from collector.snmp.neighbours import Neighbour
from collector.snmp.outlet_names import NamedDevices, fits
from collector.snmp.places import Place
from collector.snmp.values import mac_of

BY_ADDRESS, BY_SYSTEM_NAME, BY_ALIAS_FACTOR = 0.95, 0.8, 0.9
"""How well a neighbour at a port tells which device it is: by its address, MAC address or serial; by its name. What an
administrator wrote beside a port is taken for a name, and somewhat less."""
SAME_SPACE, OTHER_SITE = 0.5, 0.5
"""The same space takes away half of the doubt; another site half of the score."""
SMALLEST_POE_WATTS = 0.5
"""A port that gives less feeds nothing: its neighbour has power of its own."""
WEAKEST = 0.15
"""Scores below are not worth a person's time."""


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device that may be fed: its names, and what tells it at a switch's port. Site and space "" where not known."""

    device_id: str
    names: tuple[str, ...]
    organisation: int
    site: str = ""
    space: str = ""
    addresses: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    serial: str = ""


@dataclass(frozen=True, slots=True)
class FeedingDevice:
    """A device that feeds others: its places, and of a switch its interfaces and the neighbours at its ports."""

    device_id: str
    places: tuple[Place, ...]
    interfaces: tuple[Interface, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()


@dataclass
class Estate:
    """The devices that may be fed, by all that tells them."""

    devices: Sequence[KnownDevice]
    by_id: Mapping[str, KnownDevice] = field(init=False)

    def __post_init__(self) -> None:
        self.by_id = {one.device_id: one for one in self.devices}

    @cached_property
    def named(self) -> NamedDevices:
        return NamedDevices.of((one.device_id, name) for one in self.devices for name in one.names)

    @cached_property
    def by_word(self) -> Mapping[str, frozenset[str]]:
        """By address, MAC address and serial, each with what it is before it."""
        found: dict[str, set[str]] = {}
        for one in self.devices:
            for word in _words(one.addresses, one.macs, one.serial):
                found.setdefault(word, set()).add(one.device_id)
        return {word: frozenset(ids) for word, ids in found.items()}


def find_links(estate: Estate, feeding: Iterable[FeedingDevice]) -> Iterator[Found]:
    """Every link that something speaks for."""
    for one in feeding:
        for place in one.places:
            if place.role == "poe_port":
                evidence = _of_port(estate, one, place)
            elif place.role == "outlet":
                evidence = _of_name(estate, place.label, "outlet_name", 1.0)
            else:
                continue
            yield from _found(estate, one, place, evidence)


_Speaking = dict[str, list[tuple[float, Evidence]]]
"""What speaks for each device, with how strongly."""


def _of_name(estate: Estate, label: str, how: str, factor: float) -> _Speaking:
    return {
        fit.device_id: [(fit.score * factor, Evidence(how, f"{label!r}: {fit.why}"))]
        for fit in fits(label, estate.named)
    }


def _of_port(estate: Estate, device: FeedingDevice, place: Place) -> _Speaking:
    if place.watts is None or place.watts < SMALLEST_POE_WATTS:
        return {}
    interface = interface_of(place, device.interfaces)
    if interface is None:
        return {}
    speaking = _of_name(estate, interface.alias, "port_alias", BY_ALIAS_FACTOR) if interface.alias else {}
    seen = [one for one in device.neighbours if one.if_index == interface.index]
    for one in seen:
        for device_id, (score, detail) in _neighbour(estate, one).items():
            # Of several devices at one port (a telephone with a computer behind it) the port feeds one.
            said = Evidence(one.protocol, f"{detail}, at port {interface.name}")
            speaking.setdefault(device_id, []).append((score / len(seen), said))
    return speaking


def _neighbour(estate: Estate, one: Neighbour) -> dict[str, tuple[float, str]]:
    """The devices that a neighbour may be, with how well it tells and what tells it."""
    for word in _words(one.addresses, (one.mac,), one.serial):
        known = estate.by_word.get(word, frozenset())
        if known:
            return {device_id: (BY_ADDRESS / len(known), f"the neighbour's {word}") for device_id in known}
    name = one.system_name
    named = [fit for fit in fits(name, estate.named) if fit.score > 0] if name else []
    return {fit.device_id: (fit.score * BY_SYSTEM_NAME / 0.9, f"the neighbour calls itself {name}") for fit in named}


def _words(addresses: Iterable[str], macs: Iterable[str], serial: str) -> list[str]:
    found = [f"address {one}" for one in addresses if one]
    found += [f"MAC address {mac}" for one in macs if (mac := mac_of(one))]
    return [*found, f"serial {serial}"] if serial else found


def _found(estate: Estate, device: FeedingDevice, place: Place, speaking: _Speaking) -> Iterator[Found]:
    parent = estate.by_id.get(device.device_id)
    for child_id, said in speaking.items():
        child = estate.by_id[child_id]
        if parent is None or child_id == device.device_id or child.organisation != parent.organisation:
            continue
        doubt = 1.0
        for score, _ in said:
            doubt *= 1 - score
        evidence = [one for _, one in said]
        if parent.site and child.site and parent.site != child.site:
            doubt = 1 - (1 - doubt) * OTHER_SITE
            evidence.append(Evidence("site", f"it stands at {child.site}, this at {parent.site}"))
        elif parent.space and parent.space == child.space and parent.site == child.site:
            doubt *= SAME_SPACE
            evidence.append(Evidence("space", f"both stand in {parent.space}"))
        score = round(1 - doubt, 3)
        if score >= WEAKEST:
            yield Found(device.device_id, place.meter, place.label, child_id, score, tuple(evidence))


def interface_of(place: Place, interfaces: Sequence[Interface]) -> Interface | None:
    """The interface of a PoE port, or None where it cannot be told.

    MIBs number PoE ports by unit and port, by ifIndex, or name them; an interface is it by its name, else by the same
    unit and port in its name (`Gi1/0/5` for 1.5), else by its ifIndex where no name speaks against it.
    """
    label = place.label.casefold()
    named = [one for one in interfaces if label and label in (one.name.casefold(), one.description.casefold())]
    if len(named) == 1:
        return named[0]
    index = [int(arc) for arc in place.meter.partition("/")[2].split(".") if arc.isdecimal()]
    if not index:
        return None
    physical = [one for one in interfaces if _PORT.match(one.name)]
    numbered = _by_numbers(physical, index[-2] if len(index) > 1 else 1, index[-1])
    if len(index) > 1:
        return numbered
    indexed = next((one for one in physical if one.index == index[0]), None)
    # A number that means one port as ifIndex and another by name means neither for certain.
    return (indexed or numbered) if None in (indexed, numbered) or indexed == numbered else None


def _by_numbers(physical: Sequence[Interface], unit: int, port: int) -> Interface | None:
    """The only port of this number: of this unit where names have one, counted from 1 or from 0."""
    numbered = [(numbers, one) for one in physical if (numbers := _numbers(one.name))[-1:] == [port]]
    for first in (unit, 0) if unit == 1 else (unit,):
        # A module's uplinks are numbered from 1 again: of `1/0/1` and `1/1/1` the first is meant.
        of_unit = [(numbers, one) for numbers, one in numbered if len(numbers) > 1 and numbers[0] == first]
        if of_unit:
            least = min(numbers[1:-1] for numbers, _ in of_unit)
            same = [one for numbers, one in of_unit if numbers[1:-1] == least]
            # TenGigabitEthernet1/0/1 beside GigabitEthernet1/0/1 gives no power.
            copper = [one for one in same if _COPPER.match(one.name)] or same
            return copper[0] if len(copper) == 1 else None
    plain = [one for numbers, one in numbered if len(numbers) == 1]
    return plain[0] if unit == 1 and len(plain) == 1 else None


_PORT = re.compile(r"(?!vlan|lo|null|po\b|port-?channel|ag|lag|trk|tunnel|mgmt|bridge|br)", re.IGNORECASE)
_COPPER = re.compile(r"(gi|fa|ge|eth|port|\d|[a-f]\d)", re.IGNORECASE)


def _numbers(name: str) -> list[int]:
    return [int(one) for one in re.findall(r"\d+", name)]
