"""Neighbours of a device: what stands at the other end of its ports, by LLDP (IEEE 802.1AB) or, where only that is there, CDP.

LLDP-MIB numbers ports by itself: `lldpLocPortTable` says what each is, as a name, an alias, an address or a text, by which
its interface is found. Where it says nothing of use, the number is that of the bridge's port, else the ifIndex. What
LLDP-MED adds (maker, model, serial, the power that it asks for) is taken where it is told.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from collector.snmp.interfaces import Interface, interfaces
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import SnmpValue, mac_of, text

_LLDP = "1.0.8802.1.1.2.1"
_LOCAL, _REMOTE, _ADDRESSES = f"{_LLDP}.3.7.1", f"{_LLDP}.4.1.1", f"{_LLDP}.4.2.1.3"
_MED = f"{_LLDP}.5.4795.1.3"
_LLDP_V2 = "1.3.111.2.802.1.1.13.1.4"
_CDP = "1.3.6.1.4.1.9.9.23.1.2.1.1"
_BRIDGE_PORT = "1.3.6.1.2.1.17.1.4.1.2"
_PHYSICAL_ADDRESS = "1.3.6.1.2.1.2.2.1.6"

LOCAL_SUBTYPE, LOCAL_ID, LOCAL_DESCRIPTION = f"{_LOCAL}.2", f"{_LOCAL}.3", f"{_LOCAL}.4"
MED_SERIAL, MED_VENDOR, MED_MODEL = f"{_MED}.3.1.4", f"{_MED}.3.1.5", f"{_MED}.3.1.6"
MED_POWER = f"{_MED}.7.1.1"
"""Tenths of a watt that a powered device asks for."""
_MED_POWER_MOST = 1023
_MOST_ASKED_WATTS = 102.3
"""The most that LLDP-MED can say; a port gives 90. CDP could say 4 MW, and whoever plugs in can send it."""
_LONGEST, _LONGEST_DESCRIPTION = 255, 1024

_V1 = tuple(f"{_REMOTE}.{column}" for column in (4, 5, 6, 7, 8, 9, 10, 11, 12))
_V2 = tuple(f"{_LLDP_V2}.1.1.{column}" for column in (5, 6, 7, 8, 9, 10, 11, 12, 13))
"""In both: chassis id's subtype and id, port id's subtype and id, port description, system name and description,
capabilities that there are and that are in use."""
_V2_ADDRESSES = f"{_LLDP_V2}.2.1.3"
_CDP_COLUMNS = {
    "address_type": f"{_CDP}.3",
    "address": f"{_CDP}.4",
    "version": f"{_CDP}.5",
    "device_id": f"{_CDP}.6",
    "port": f"{_CDP}.7",
    "platform": f"{_CDP}.8",
    "capabilities": f"{_CDP}.9",
    "power": f"{_CDP}.15",
    "name": f"{_CDP}.17",
}

COLUMNS = frozenset(
    {
        LOCAL_SUBTYPE,
        LOCAL_ID,
        LOCAL_DESCRIPTION,
        *_V1,
        _ADDRESSES,
        MED_SERIAL,
        MED_VENDOR,
        MED_MODEL,
        MED_POWER,
        *_V2,
        _V2_ADDRESSES,
        *_CDP_COLUMNS.values(),
        _BRIDGE_PORT,
        _PHYSICAL_ADDRESS,
    }
)
"""What to fetch for them, beside the interfaces."""

SubType = Literal["", "component", "alias", "port_component", "mac", "address", "name", "local"]
_CHASSIS_SUBTYPES: tuple[SubType, ...] = ("", "component", "alias", "port_component", "mac", "address", "name", "local")
_PORT_SUBTYPES: tuple[SubType, ...] = ("", "alias", "port_component", "mac", "address", "name", "local", "local")
_CAPABILITIES = ("other", "repeater", "bridge", "access_point", "router", "telephone", "cable_modem", "station")
"""Bits of LldpSystemCapabilitiesMap, the highest first."""
_WRITTEN = re.compile(rb"([0-9A-Fa-f]{2}) \d")
"""Firmware and recordings that write the octet in hexadecimal, with the numbers of its bits behind it."""
_CDP_CAPABILITIES = ((0x01, "router"), (0x02, "bridge"), (0x08, "bridge"), (0x10, "station"), (0x80, "telephone"))
_CDP_ACCESS_POINT = re.compile(r"\bAIR-|\bC91\d\d|\bCW91\d\d|Meraki MR|\bMR\d\d")
_IPV4, _IPV6 = 1, 2
"""IANA's address families, which LLDP and CDP number alike; CDP means IP by 1."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What is seen at one port. An empty text is "not told".

    `if_index` is the port's interface, None where that cannot be found; `port` is its name. `chassis_id` is a MAC address
    as `00:1b:2c:...`, an IP address, or text, as its `chassis_subtype` says. `asked_watts` is what a powered device says
    that it needs, at most.
    """

    protocol: Literal["lldp", "cdp"]
    if_index: int | None
    port: str
    chassis_subtype: SubType = ""
    chassis_id: str = ""
    port_subtype: SubType = ""
    port_id: str = ""
    port_description: str = ""
    system_name: str = ""
    system_description: str = ""
    capabilities: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    """Where it can be managed: IPv4 before IPv6."""
    vendor: str = ""
    model: str = ""
    serial: str = ""
    asked_watts: float | None = None

    @property
    def mac(self) -> str:
        """Its MAC address, as `00:1b:2c:...`, or "": the chassis', else its port's."""
        if self.chassis_subtype == "mac":
            return self.chassis_id
        return self.port_id if self.port_subtype == "mac" else ""

    @property
    def kind(self) -> str:
        """What kind of device it is by its capabilities, or ""."""
        for capability, kind in (
            ("access_point", "access_point"),
            ("telephone", "phone"),
            ("router", "router"),
            ("bridge", "switch"),
        ):
            if capability in self.capabilities:
                return kind
        return ""


def neighbours(snapshot: Snapshot, known: Sequence[Interface] | None = None) -> list[Neighbour]:
    """Every neighbour that a device tells of, by port. Of a port whose neighbours speak LLDP, CDP only adds to them."""
    ports = _Ports(snapshot, interfaces(snapshot) if known is None else known)
    found = [*_lldp(snapshot, ports), *_lldp_v2(snapshot, ports)]
    found = [one for one in found if one.chassis_id or one.port_id or one.system_name]
    by_cdp = _cdp(snapshot, ports)
    by_port: dict[int | None, list[Neighbour]] = {}
    for one in by_cdp:
        by_port.setdefault(one.if_index, []).append(one)
    told = {one.if_index for one in found if one.if_index is not None}
    found = [_completed(one, by_port.get(one.if_index, ())) for one in found]
    found += [one for one in by_cdp if one.if_index not in told]
    return sorted(set(found), key=lambda one: (one.if_index is None, one.if_index or 0, one.port, one.chassis_id))


def _completed(one: Neighbour, others: Sequence[Neighbour]) -> Neighbour:
    """A neighbour with what CDP alone told of it."""
    same = others if len(others) == 1 else [other for other in others if other.system_name == one.system_name]
    if len(same) != 1 or one.if_index is None:
        return one
    other = same[0]
    return replace(
        one,
        vendor=one.vendor or other.vendor,
        model=one.model or other.model,
        asked_watts=other.asked_watts if one.asked_watts is None else one.asked_watts,
        addresses=one.addresses or other.addresses,
        capabilities=one.capabilities or other.capabilities,
    )


class _Ports:
    """The device's own ports, by what LLDP calls them."""

    def __init__(self, snapshot: Snapshot, known: Sequence[Interface]) -> None:
        self._snapshot = snapshot
        self._by_index = {one.index: one for one in known}

    @cached_property
    def _by_word(self) -> tuple[Mapping[str, int], ...]:
        """Indexes by ifName, by ifDescr and by ifAlias: what two interfaces share names none."""
        ways = (
            [(one.name, one.index) for one in self._by_index.values()],
            [(one.description, one.index) for one in self._by_index.values()],
            [(one.alias, one.index) for one in self._by_index.values()],
        )
        return tuple(_unique(pairs) for pairs in ways)

    @cached_property
    def _by_mac(self) -> Mapping[str, int]:
        rows = self._snapshot.column(_PHYSICAL_ADDRESS).items()
        return _unique([(mac_of(value), int(index)) for index, value in rows if index.isdecimal()])

    def of(self, if_index: int) -> tuple[int | None, str]:
        """Index and name of an interface that is named by its index."""
        one = self._by_index.get(if_index)
        return if_index, one.name if one else str(if_index)

    def of_lldp(self, number: str) -> tuple[int | None, str]:
        """Index, where it can be found, and name of LLDP's local port of this number."""
        snapshot = self._snapshot
        subtype = _subtype(_PORT_SUBTYPES, snapshot.get(f"{LOCAL_SUBTYPE}.{number}"))
        value = snapshot.get(f"{LOCAL_ID}.{number}")
        words = "" if value is None else text(value)
        description = snapshot.text(f"{LOCAL_DESCRIPTION}.{number}")
        found: int | None = None
        if subtype == "mac" and value is not None:
            found = self._by_mac.get(mac_of(value))
        if found is None:
            found = next(
                (way[word] for word in (words, description) for way in self._by_word if word and word in way), None
            )
        if found is None and subtype == "local" and words.isdecimal() and int(words) in self._by_index:
            found = int(words)
        if found is None:
            bridged = snapshot.get(f"{_BRIDGE_PORT}.{number}")
            numbered = bridged if isinstance(bridged, int) else int(number)
            found = numbered if numbered in self._by_index else None
        if found is not None:
            return self.of(found)
        return None, (description or ("" if subtype == "mac" else words) or number)[:_LONGEST]


def _unique(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    twice = set()
    for word, index in pairs:
        if word in found:
            twice.add(word)
        found.setdefault(word, index)
    return {word: index for word, index in found.items() if word and word not in twice}


def _lldp(snapshot: Snapshot, ports: _Ports) -> Iterable[Neighbour]:
    addresses = _management(snapshot, _ADDRESSES, 3)
    for index in _indexes(snapshot, _V1, 3):
        _, number, _ = index.split(".")
        asked = snapshot.get(f"{MED_POWER}.{index}")
        yield replace(
            _remote(snapshot, _V1, index, ports.of_lldp(number)),
            addresses=addresses.get(index, ()),
            vendor=snapshot.text(f"{MED_VENDOR}.{index}")[:_LONGEST],
            model=snapshot.text(f"{MED_MODEL}.{index}")[:_LONGEST],
            serial=snapshot.text(f"{MED_SERIAL}.{index}")[:_LONGEST],
            asked_watts=asked / 10 if isinstance(asked, int) and 0 < asked <= _MED_POWER_MOST else None,
        )


def _lldp_v2(snapshot: Snapshot, ports: _Ports) -> Iterable[Neighbour]:
    addresses = _management(snapshot, _V2_ADDRESSES, 4)
    for index in _indexes(snapshot, _V2, 4):
        port = ports.of(int(index.split(".")[1]))
        yield replace(_remote(snapshot, _V2, index, port), addresses=addresses.get(index, ()))


def _indexes(snapshot: Snapshot, columns: Sequence[str], arcs: int) -> list[str]:
    """The rows of a remote table, by the columns that say who it is."""
    found = {index: None for column in (columns[1], columns[5]) for index in snapshot.column(column)}
    return [index for index in found if index.count(".") == arcs - 1]


def _remote(snapshot: Snapshot, columns: Sequence[str], index: str, port: tuple[int | None, str]) -> Neighbour:
    values = [snapshot.get(f"{column}.{index}") for column in columns]
    chassis_subtype, port_subtype = _subtype(_CHASSIS_SUBTYPES, values[0]), _subtype(_PORT_SUBTYPES, values[2])
    return Neighbour(
        "lldp",
        *port,
        chassis_subtype=chassis_subtype,
        chassis_id=_identifier(chassis_subtype, values[1]),
        port_subtype=port_subtype,
        port_id=_identifier(port_subtype, values[3]),
        port_description=_line(values[4]),
        system_name=_line(values[5]),
        system_description="" if values[6] is None else text(values[6])[:_LONGEST_DESCRIPTION],
        capabilities=_capabilities(values[8]) or _capabilities(values[7]),
    )


def _line(value: SnmpValue | None) -> str:
    """A text up to the end of its first line: some firmware has its whole buffer behind it."""
    if isinstance(value, bytes):
        value = re.split(rb"[\0\r\n]", value, maxsplit=1)[0]
    return "" if value is None else text(value)[:_LONGEST]


def _subtype(among: tuple[SubType, ...], value: SnmpValue | None) -> SubType:
    return among[value] if isinstance(value, int) and 0 < value < len(among) else ""


def _identifier(subtype: SubType, value: SnmpValue | None) -> str:
    """An id as its subtype says that it is spelt."""
    if value is None:
        return ""
    if subtype == "mac":
        return mac_of(value) or _line(value)
    if subtype == "address" and isinstance(value, bytes):
        return _address(value[:1], value[1:]) or _line(value)
    return _line(value)


def _address(family: bytes, octets: bytes) -> str:
    """An address from the number of its family and its octets, or ""."""
    if family in (b"\x01", b"") and len(octets) == 4:
        return str(ipaddress.IPv4Address(octets))
    if family in (b"\x02", b"") and len(octets) == 16:
        return str(ipaddress.IPv6Address(octets))
    return ""


def _management(snapshot: Snapshot, column: str, arcs: int) -> dict[str, tuple[str, ...]]:
    """Management addresses by the row that they belong to: they stand in the index, with or without their length."""
    found: dict[str, list[str]] = {}
    for index in snapshot.column(column):
        parts = index.split(".")
        row, family, octets = ".".join(parts[:arcs]), parts[arcs : arcs + 1], parts[arcs + 1 :]
        if octets and int(octets[0]) == len(octets) - 1:
            octets = octets[1:]
        if not family or int(family[0]) not in (_IPV4, _IPV6) or any(int(one) > 255 for one in octets):
            continue
        if address := _address(bytes([int(family[0])]), bytes(int(one) for one in octets)):
            found.setdefault(row, []).append(address)
    return {row: _ordered(addresses) for row, addresses in found.items()}


def _ordered(addresses: Iterable[str]) -> tuple[str, ...]:
    """IPv4 first, those that lead nowhere left out."""
    known = [ipaddress.ip_address(one) for one in dict.fromkeys(addresses)]
    useful = [one for one in known if not (one.is_unspecified or one.is_loopback or one.is_multicast)]
    return tuple(str(one) for one in sorted(useful, key=lambda one: (one.version, one.packed)))


def _capabilities(value: SnmpValue | None) -> tuple[str, ...]:
    """The capabilities in the bits of the first octet.

    >>> _capabilities(b"\\x30"), _capabilities(b"28 2 4"), _capabilities(b"")
    (('bridge', 'access_point'), ('bridge', 'router'), ())
    """
    if not isinstance(value, bytes) or not value:
        return ()
    first = value[0]
    if written := _WRITTEN.match(value):
        first = int(written[1], 16)
    return tuple(name for place, name in enumerate(_CAPABILITIES) if first & (0x80 >> place))


def _cdp(snapshot: Snapshot, ports: _Ports) -> list[Neighbour]:
    found = []
    for index in snapshot.column(_CDP_COLUMNS["device_id"]):
        parts = index.split(".")
        if len(parts) != 2:
            continue
        values = {name: snapshot.get(f"{column}.{index}") for name, column in _CDP_COLUMNS.items()}
        words = {
            name: "" if value is None else text(value)[: _LONGEST_DESCRIPTION if name == "version" else _LONGEST]
            for name, value in values.items()
        }
        octets = values["address"] if values["address_type"] == _IPV4 else None
        address = _address(b"", octets) if isinstance(octets, bytes) else ""
        mac = mac_of(values["device_id"] or "")
        power = values["power"]
        watts = power / 1000 if isinstance(power, int) else 0.0
        vendor, model = (
            ("Cisco", words["platform"][6:]) if words["platform"].startswith("cisco ") else ("", words["platform"])
        )
        found.append(
            Neighbour(
                "cdp",
                *ports.of(int(parts[0])),
                chassis_subtype="mac" if mac else "local",
                chassis_id=mac or words["device_id"],
                port_subtype="name",
                port_id=words["port"],
                system_name=words["name"] or ("" if mac else words["device_id"].partition("(")[0]),
                system_description=words["version"],
                capabilities=_cdp_capabilities(values["capabilities"], words["platform"]),
                addresses=_ordered([address] if address else []),
                vendor=vendor,
                model=model,
                asked_watts=watts if 0 < watts <= _MOST_ASKED_WATTS else None,
            )
        )
    return found


def _cdp_capabilities(value: SnmpValue | None, platform: str) -> tuple[str, ...]:
    """CDP knows no access points: its makers' names do."""
    bits = int.from_bytes(value, "big") if isinstance(value, bytes) else 0
    found = ["access_point"] if _CDP_ACCESS_POINT.search(platform) else []
    return tuple(dict.fromkeys([*found, *(name for bit, name in _CDP_CAPABILITIES if bits & bit)]))
