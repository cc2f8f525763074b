"""Interfaces of a device: what they are, whether they are up, and their counters (IF-MIB, RFC 2863).

The 64-bit counters are preferred; a device without them gives the 32-bit ones, which `counter_bits` tells, because they
wrap after 34 seconds at 1 Gbit/s.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from collector.snmp.layout import Layout
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
_TOLD = (DESCRIPTION, TYPE, ADMIN_STATUS, OPER_STATUS, NAME)
"""An interface is there where one of these tells of it."""
_COLUMNS = {*INVENTORY_COLUMNS, *STATE_COLUMNS, *(column for pair in COUNTERS.values() for column in pair if column)}


@dataclass(slots=True)  # not frozen: that takes four times as long to make, and thousands are made a minute
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
    get = snapshot.values.get
    found = []
    for index, oids in snapshot.layout.made(interfaces, _places):
        (
            (description, type_, speed, admin, oper, name, high_speed, alias),
            (in_wide, out_wide, in_narrow, out_narrow, *packets),
            rest,
        ) = oids
        in_octets, out_octets = get(in_wide), get(out_wide)
        bits = 64
        if in_octets is None:
            in_octets = get(in_narrow)
            bits = 0 if in_octets is None else 32
        words = _words(get(description))
        in_unicast, out_unicast = (
            get(wide) if get(wide) is not None else get(narrow) for wide, narrow in (packets[:2], packets[2:])
        )
        found.append(
            Interface(
                index,
                _words(get(name)) or words,
                _words(get(alias)),
                words,
                _whole(get(type_)),
                _speed(_whole(get(high_speed)), _whole(get(speed))),
                _state(get(admin)),
                _state(get(oper)),
                bits,
                _whole(in_octets),
                _whole(get(out_narrow) if out_octets is None else out_octets),
                _whole(in_unicast),
                _whole(out_unicast),
                *[_whole(get(oid)) for oid in rest],
            )
        )
    return found


_Places = list[tuple[int, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]]


def _places(layout: Layout) -> _Places:
    """Index of each interface, and where its values are: the OIDs, "" for what the device does not have."""
    rows = {column: dict(layout.column(column)) for column in _COLUMNS}
    indexes = {index for column in _TOLD for index in rows[column] if index.isdecimal()}
    told = (DESCRIPTION, TYPE, SPEED, ADMIN_STATUS, OPER_STATUS, NAME, HIGH_SPEED, ALIAS)
    (in_wide, in_narrow), (out_wide, out_narrow) = COUNTERS["in_octets"], COUNTERS["out_octets"]
    packets = (*COUNTERS["in_unicast_packets"], *COUNTERS["out_unicast_packets"])
    doubled = (in_wide, out_wide, in_narrow, out_narrow, *packets)
    single = tuple(narrow for wide, narrow in COUNTERS.values() if not wide)

    def at(columns: tuple[str, ...], index: str) -> tuple[str, ...]:
        return tuple(rows[column].get(index, "") for column in columns)

    return [
        (int(index), (at(told, index), at(doubled, index), at(single, index))) for index in sorted(indexes, key=int)
    ]


def _words(value: SnmpValue | None) -> str:
    return "" if value is None else text(value)


def _speed(high_megabits: int | None, bits: int | None) -> int | None:
    """Bits a second: ifHighSpeed counts in millions, and is what a fast interface has alone."""
    if high_megabits and (not bits or bits == _SPEED_TOO_HIGH or high_megabits * 10**6 > bits):
        return high_megabits * 10**6
    return bits if bits and bits != _SPEED_TOO_HIGH else None


def _state(value: SnmpValue | None) -> bool | None:
    if type(value) is int:
        return value == _UP
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
