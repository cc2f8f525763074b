"""Points of a device's interfaces as lines of line protocol, written at once: they are most of what polling yields.

What the collector read itself needs no report between, as what others send does; the same bounds hold.
"""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Literal

from collector.lines import escaped_tag, escaped_text, series_key
from collector.snmp.interfaces import Interface
from collector.snmp.rates import Count, rate

_LONGEST_TAG, _LONGEST_TEXT = 256, 1024
_LARGEST = 2**63 - 1
_REMEMBERED_SECONDS = 3600.0
"""How long the counts of an interface that a device no longer tells of are kept."""
_UP, _DOWN = 1, 2
_MEASUREMENT = "interface"
_NUMBERS = (
    ("in_errors", "ifInErrors"),
    ("out_errors", "ifOutErrors"),
    ("in_discards", "ifInDiscards"),
    ("out_discards", "ifOutDiscards"),
)

Counters = MutableMapping[tuple[int, str], Count]


@dataclass(frozen=True, slots=True)
class InterfacePoints:
    """Interfaces at one time, each with octets a second received and sent (None where they are not known)."""

    unix_ns: int
    rows: list[tuple[Interface, float | None, float | None]]

    def lines(self, tags: Mapping[str, str]) -> list[str]:
        """One line for each interface that told anything, with the device's tags."""
        # Tags are sorted, and the interface's own stand together in the middle.
        before = series_key(_MEASUREMENT, {name: value for name, value in tags.items() if name < "ifIndex"})
        after = series_key("", {name: value for name, value in tags.items() if name > "ifName"})
        found = []
        for one, received, sent in self.rows:
            if fields := _fields(one, received, sent):
                name = f",ifName={escaped_tag(one.name[:_LONGEST_TAG])}" if one.name else ""
                found.append(f"{before},ifIndex={one.index}{name}{after} {','.join(fields)} {self.unix_ns}")
        return found


def interface_points(
    found: Iterable[Interface], counters: Counters, unix_ns: int, steady_seconds: float
) -> InterfacePoints:
    """The interfaces with their rates since `counters`, which are brought up to date."""
    rows = []
    for one in found:
        bits: Literal[32, 64] = 64 if one.counter_bits == 64 else 32
        highest = one.speed_bits / 8 if one.speed_bits else None
        received = _rate(counters, (one.index, "in_octets"), one.in_octets, steady_seconds, bits, highest)
        sent = _rate(counters, (one.index, "out_octets"), one.out_octets, steady_seconds, bits, highest)
        rows.append((one, received, sent))
    if len(counters) > 4 * len(rows):
        # Dialled-in tunnels come with a new number each.
        for key in [key for key, one in counters.items() if steady_seconds - one.at_seconds > _REMEMBERED_SECONDS]:
            del counters[key]
    return InterfacePoints(unix_ns, rows)


def _rate(
    counters: Counters,
    key: tuple[int, str],
    value: int | None,
    at_seconds: float,
    bits: Literal[32, 64],
    highest: float | None,
) -> float | None:
    if value is None:
        counters.pop(key, None)
        return None
    earlier = counters.get(key)
    counters[key] = now = Count(value, at_seconds)
    return rate(earlier, now, bits, highest) if earlier else None


def _fields(one: Interface, received: float | None, sent: float | None) -> list[str]:
    fields = []
    # A 64-bit count as InfluxDB's signed integer holds it.
    if one.in_octets is not None:
        fields.append(f"ifHCInOctets={one.in_octets & _LARGEST}i")
    if one.out_octets is not None:
        fields.append(f"ifHCOutOctets={one.out_octets & _LARGEST}i")
    for attribute, name in _NUMBERS:
        value = getattr(one, attribute)
        if value is not None and -_LARGEST <= value <= _LARGEST:
            fields.append(f"{name}={value}i")
    if one.admin_up is not None:
        fields.append(f"ifAdminStatus={_UP if one.admin_up else _DOWN}i")
    if one.oper_up is not None:
        fields.append(f"ifOperStatus={_UP if one.oper_up else _DOWN}i")
    if one.speed_bits is not None:
        fields.append(f"speed_bits_per_second={one.speed_bits}")
    if received is not None:
        fields.append(f"receive_bytes_per_second={received}")
    if sent is not None:
        fields.append(f"transmit_bytes_per_second={sent}")
    if one.alias:
        fields.append(f'ifAlias="{escaped_text(one.alias[:_LONGEST_TEXT])}"')
    if one.description:
        fields.append(f'ifDescr="{escaped_text(one.description[:_LONGEST_TEXT])}"')
    return fields
