"""Devices that a controller manages: access points that answer no SNMP of their own, each a row of the controller's table."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.inventory.dmi import meaningful
from collector.snmp.profile import Column, ManagedRule, Profile
from collector.snmp.rows import beside, rows
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import SnmpValue, mac_of, number, text

_LONGEST = 255


@dataclass(frozen=True, slots=True)
class ManagedDevice:
    """A managed device as its controller tells of it. An empty text is "not told", and so is None.

    `key` is the controller's own row, `mac` as `00:1b:2c:3d:4e:5f`.
    """

    key: str
    kind: str
    vendor: str
    name: str = ""
    model: str = ""
    serial: str = ""
    mac: str = ""
    address: str = ""
    version: str = ""
    online: bool | None = None
    clients: int | None = None


def managed(snapshot: Snapshot, holding: Iterable[Profile]) -> list[ManagedDevice]:
    """What a controller manages, by the first profile that finds any. One that tells neither serial number nor MAC address
    could not be known again, and is left out.
    """
    for profile in holding:
        for rule in profile.managed:
            found = [one for one in _of_rule(snapshot, rule, profile.vendor) if one.serial or one.mac]
            if found:
                return list({one.mac or one.serial: one for one in found}.values())
    return []


def _of_rule(snapshot: Snapshot, rule: ManagedRule, vendor: str) -> Iterator[ManagedDevice]:
    for _, index, _ in rows(snapshot, rule.rows, where=rule.where):

        def value(column: Column | None, index: str = index) -> SnmpValue | None:
            return None if column is None else beside(snapshot, column, index)

        def words(column: Column | None) -> str:
            found = value(column)
            return "" if found is None else text(found)[:_LONGEST]

        state, clients, model = value(rule.state), value(rule.clients), words(rule.model)
        figure = None if clients is None else number(clients)
        yield ManagedDevice(
            key=index,
            kind=rule.kind,
            vendor=vendor,
            name=words(rule.name),
            model=rule.model_format.format(model) if model else "",
            serial=meaningful(words(rule.serial)),
            mac=_mac(value(rule.mac), index, rule),
            address=_address(value(rule.address)),
            version=words(rule.version),
            online=None if state is None else any(_same(state, one) for one in rule.online),
            clients=None if figure is None or figure < 0 else int(figure),
        )


def _same(value: SnmpValue, key: str | int) -> bool:
    return value == key if isinstance(key, int) and isinstance(value, int) else text(value) == str(key)


def _mac(told: SnmpValue | None, index: str, rule: ManagedRule) -> str:
    """The MAC address in its column, else the one that the row's index is."""
    if told is not None and (found := mac_of(told)):
        return found
    arcs = [int(one) for one in index.split(".") if one][-6:] if rule.mac_in_index else []
    return mac_of(bytes(arcs)) if len(arcs) == 6 and max(arcs) < 256 else ""


def _address(value: SnmpValue | None) -> str:
    if value is None:
        return ""
    try:
        found = ipaddress.ip_address(value if isinstance(value, bytes) and len(value) in (4, 16) else text(value))
    except ValueError:
        return ""
    return "" if found.is_unspecified else str(found)
