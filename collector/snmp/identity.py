"""What a device is: kind, vendor, hardware, version, serial and name."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from collector.snmp.oids import is_instance
from collector.snmp.profile import Profile, TextRule
from collector.snmp.rows import beside, mapped, rows
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import SnmpValue, mac_of, text

SYS_DESCRIPTION = "1.3.6.1.2.1.1.1.0"
SYS_OBJECT_ID = "1.3.6.1.2.1.1.2.0"
SYS_UP_TIME = "1.3.6.1.2.1.1.3.0"
SYS_NAME = "1.3.6.1.2.1.1.5.0"
ENGINE_ID = "1.3.6.1.6.3.10.2.1.1.0"
_CHASSIS_SUBTYPE, _CHASSIS_ID = "1.0.8802.1.1.2.1.3.1.0", "1.0.8802.1.1.2.1.3.2.0"
_BRIDGE_ADDRESS = "1.3.6.1.2.1.17.1.1.0"
OWN_ADDRESSES = (_CHASSIS_SUBTYPE, _CHASSIS_ID, _BRIDGE_ADDRESS)
_MAC_SUBTYPE = 4
SYSTEM = (SYS_DESCRIPTION, SYS_OBJECT_ID, SYS_UP_TIME, SYS_NAME)

_UNSAID = frozenset({"", "n/a", "na", "none", "null", "unknown", "not specified", "not available", "-", "0"})
"""What firmware writes where it has no text."""


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """A device as it names itself. An empty text is "not known"."""

    kind: str = ""
    vendor: str = ""
    hardware: str = ""
    version: str = ""
    serial: str = ""
    name: str = ""
    sys_object_id: str = ""
    sys_description: str = ""
    engine_id: str = ""
    """Hexadecimal digits."""
    mac_address: str = ""
    """As `00:1b:2c:3d:4e:5f`: by which its neighbours see it."""
    members: tuple[str, ...] = ()
    """The models of a stack's members, or of the chassis; an empty one is like the device. () where nothing tells."""


def identify(snapshot: Snapshot, profiles: Sequence[Profile]) -> DeviceIdentity:
    """The device's identity: of each text the first that a profile gives, in the order of the profiles."""
    return DeviceIdentity(
        kind=next((one.kind for one in profiles if one.kind), ""),
        vendor=next((one.vendor for one in profiles if one.vendor), ""),
        hardware=_first(snapshot, (rule for one in profiles for rule in one.hardware)),
        version=_first(snapshot, (rule for one in profiles for rule in one.version)),
        serial=_first(snapshot, (rule for one in profiles for rule in one.serial)),
        name=snapshot.text(SYS_NAME),
        sys_object_id=snapshot.text(SYS_OBJECT_ID),
        sys_description=snapshot.text(SYS_DESCRIPTION),
        engine_id=engine.hex() if isinstance(engine := snapshot.get(ENGINE_ID), bytes) else "",
        mac_address=_mac_address(snapshot),
        members=every_text(snapshot, (rule for one in profiles for rule in one.member)),
    )


def _mac_address(snapshot: Snapshot) -> str:
    """What the device calls itself in LLDP, else the address of its bridge."""
    chassis = _CHASSIS_ID if snapshot.get(_CHASSIS_SUBTYPE) == _MAC_SUBTYPE else ""
    values = (snapshot.get(oid) for oid in (chassis, _BRIDGE_ADDRESS))
    return next((mac for value in values if value is not None and (mac := mac_of(value))), "")


def _first(snapshot: Snapshot, rules: Iterable[TextRule]) -> str:
    return next((found for rule in rules if (found := _text_of(snapshot, rule))), "")


def every_text(snapshot: Snapshot, rules: Iterable[TextRule]) -> tuple[str, ...]:
    """The texts of all rows of the first rule that finds any; a row that says nothing is ""."""
    return next((found for rule in rules if (found := tuple(_texts_of(snapshot, rule)))), ())


def _text_of(snapshot: Snapshot, rule: TextRule) -> str:
    return next((found for found in _texts_of(snapshot, rule) if found), "")


def _texts_of(snapshot: Snapshot, rule: TextRule) -> Iterator[str]:
    return (told for _, told in rows_of_text(snapshot, rule))


def rows_of_text(snapshot: Snapshot, rule: TextRule) -> Iterator[tuple[str, str]]:
    """The rows of a rule that meet its conditions: index and text."""
    for _, index, value in rows(snapshot, rule.oid, rule.index, rule.where):
        if is_instance(rule.oid) and index:
            continue
        said = _said(value, rule)
        if said[0].lower() in _UNSAID:
            yield index, ""
            continue
        others = [(column, beside(snapshot, column, index)) for column in rule.more]
        parts = [*said, *("" if other is None else mapped(column, other) for column, other in others)]
        yield index, " ".join(rule.format.format(*parts).split())


def _said(value: SnmpValue, rule: TextRule) -> list[str]:
    """The text that a rule takes from a value, or where its pattern has several groups, each of them."""
    said = [value.hex() if rule.hex and isinstance(value, bytes) else text(value)]
    if rule.pattern:
        match = re.search(rule.pattern, said[0], re.DOTALL)
        said = [group or "" for group in match.groups()] if match else [""]
    said = [rule.map.get(said[0], "")] if rule.map else [one.strip() for one in said]
    return [one.upper() for one in said] if rule.upper else said
