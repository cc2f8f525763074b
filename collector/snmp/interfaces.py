"""Interfaces of a device: what they are, whether they are up, and their counters (IF-MIB, RFC 2863).

The 64-bit counters are preferred; a device without them gives the 32-bit ones, which `counter_bits` tells, because they
wrap after 34 seconds at 1 Gbit/s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collector.snmp.snapshot import Snapshot
from collector.snmp.values import SnmpValue, number, text

_IF = "1.3.6.1.2.1.2.2.1"
_IFX = "1.3.6.1.2.1.31.1.1.1"
DESCRIPTION, TYPE, SPEED = f"{_IF}.2", f"{_IF}.3", f"{_IF}.5"
ADMIN_STATUS, OPER_STATUS = f"{_IF}.7", f"{_IF}.8"
NAME, HIGH_SPEED, ALIAS = f"{_IFX}.1", f"{_IFX}.15", f"{_IFX}.18"
DISCONTINUITY = f"{_IFX}.19"
_UP = 1
_SPEED_TOO_HIGH = 4294967295
"""ifSpeed's end: faster than it can say, see ifHighSpeed."""

COUNTERS: dict[str, tuple[str, str]] = {
    "in_octets": (f"{_IFX}.6", f"{_IF}.10"),
    "out_octets": (f"{_IFX}.10", f"{_IF}.16"),
    "in_unicast_packets": (f"{_IFX}.7", f"{_IF}.11"),
    "out_unicast_packets": (f"{_IFX}.11", f"{_IF}.17"),
    "in_discards": ("", f"{_IF}.13"),
    "in_errors": ("", f"{_IF}.14"),
    "out_discards": ("", f"{_IF}.19"),
    "out_errors": ("", f"{_IF}.20"),
}
"""Each counter's 64-bit and 32-bit column."""

INVENTORY_COLUMNS = (DESCRIPTION, TYPE, SPEED, NAME, HIGH_SPEED, ALIAS)
STATE_COLUMNS = (ADMIN_STATUS, OPER_STATUS)
_COLUMNS = {*INVENTORY_COLUMNS, *STATE_COLUMNS, *(column for pair in COUNTERS.values() for column in pair if column)}


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface. Counters are None where the device does not tell them; `counter_bits` is 64, 32, or 0 for none."""

    index: int
    name: str
    alias: str
    description: str
    type: int | None
    speed_bits: int | None
    admin_up: bool | None
    oper_up: bool | None
    counter_bits: int
    in_octets: int | None = None
    out_octets: int | None = None
    in_unicast_packets: int | None = None
    out_unicast_packets: int | None = None
    in_discards: int | None = None
    in_errors: int | None = None
    out_discards: int | None = None
    out_errors: int | None = None


def interfaces(snapshot: Snapshot) -> list[Interface]:
    """Every interface of the tables, by index."""
    tables = {column: snapshot.column(column) for column in _COLUMNS}
    told = (DESCRIPTION, TYPE, ADMIN_STATUS, OPER_STATUS, NAME)
    indexes = {index for column in told for index in tables[column] if index.isdecimal()}
    return [_interface(tables, index) for index in sorted(indexes, key=int)]


def _interface(tables: Mapping[str, Mapping[str, SnmpValue]], index: str) -> Interface:
    def at(column: str) -> SnmpValue | None:
        return tables[column].get(index)

    def words(column: str) -> str:
        value = at(column)
        return "" if value is None else text(value)

    counters: dict[str, int | None] = {}
    bits = 0
    for name, (wide, narrow) in COUNTERS.items():
        value = at(wide) if wide else None
        if name == "in_octets":
            bits = 64 if value is not None else 32 if at(narrow) is not None else 0
        counters[name] = _whole(at(narrow) if value is None else value)
    return Interface(
        index=int(index),
        name=words(NAME) or words(DESCRIPTION),
        alias=words(ALIAS),
        description=words(DESCRIPTION),
        type=_whole(at(TYPE)),
        speed_bits=_speed(_whole(at(HIGH_SPEED)), _whole(at(SPEED))),
        admin_up=_state(at(ADMIN_STATUS)),
        oper_up=_state(at(OPER_STATUS)),
        counter_bits=bits,
        **counters,
    )


def _speed(high_megabits: int | None, bits: int | None) -> int | None:
    """Bits a second: ifHighSpeed counts in millions, and is what a fast interface has alone."""
    if high_megabits and (not bits or bits == _SPEED_TOO_HIGH or high_megabits * 10**6 > bits):
        return high_megabits * 10**6
    return bits if bits and bits != _SPEED_TOO_HIGH else None


def _state(value: SnmpValue | None) -> bool | None:
    figure = None if value is None else number(value)
    return None if figure is None else figure == _UP


def _whole(value: SnmpValue | None) -> int | None:
    return value if isinstance(value, int) else None


def columns(parts: Iterable[str]) -> set[str]:
    """The columns to fetch for `parts`: `inventory`, `state`, `counters`."""
    wanted = set(parts)
    found: set[str] = set()
    if "inventory" in wanted:
        found.update(INVENTORY_COLUMNS)
    if "state" in wanted:
        found.update(STATE_COLUMNS)
    if "counters" in wanted:
        found.update(column for pair in COUNTERS.values() for column in pair if column)
    return found
