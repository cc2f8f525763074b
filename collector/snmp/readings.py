"""Readings: what the profiles of a device make of a snapshot."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from collector.snmp.oids import is_instance
from collector.snmp.profile import UNITS, Profile, Quantity, ReadingRule, Role
from collector.snmp.rows import factor, name_of, rows
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import SnmpValue, number, text

NEVER = frozenset({2147483647.0, -2147483648.0, 4294967295.0, 18446744073709551615.0})
"""Raw numbers that no agent measures: the ends of the integers, which firmware gives for "not known"."""

_MOST_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading: the object instance that was read, and its value in the quantity's unit.

    `index` is its row of the table, "" for a single value: readings of one place share it, whatever a person calls the
    place. `step` is the smallest change of the value that the device can tell, in the unit.
    """

    oid: str
    quantity: Quantity
    unit: str
    value: float
    role: Role
    name: str
    profile: str
    counted: bool = True
    estimated: bool = False
    index: str = ""
    step: float = 0.0


def readings(snapshot: Snapshot, profiles: Iterable[Profile]) -> list[Reading]:
    """Every reading of a device, profile by profile. An instance that two rules match is read by the first."""
    found: list[Reading] = []
    seen: set[str] = set()
    for profile in profiles:
        mine: list[Reading] = []
        for rule in profile.reading:
            if any(one.role == rule.role and one.quantity in rule.unless for one in mine):
                continue
            mine += [one for one in _of_rule(snapshot, profile, rule) if one.oid not in seen]
            seen.update(one.oid for one in mine)
        found += mine
    return found


def _of_rule(snapshot: Snapshot, profile: Profile, rule: ReadingRule) -> Iterator[Reading]:
    for oid, index, raw in rows(snapshot, rule.oid, rule.index, rule.where):
        if is_instance(rule.oid) and index:
            continue
        found = _value(snapshot, rule, index, raw)
        if found is not None:
            value, step = found
            name = name_of(snapshot, rule.name, rule.names, index) or rule.object
            yield Reading(
                oid,
                rule.quantity,
                UNITS[rule.quantity],
                value,
                rule.role,
                name,
                profile.name,
                rule.counted,
                rule.estimated,
                index,
                step,
            )


def _value(snapshot: Snapshot, rule: ReadingRule, index: str, raw: SnmpValue) -> tuple[float, float] | None:
    """The raw number in the quantity's unit and its step, or None where there is none."""
    if rule.pattern:
        match = re.search(rule.pattern, text(raw))
        raw = match[1].encode() if match and match[1] else b""
    figure = number(raw, -1 if rule.text == "last" else 0)
    if figure is None or figure in NEVER or figure in rule.unavailable or (figure < 0 and not rule.signed):
        return None
    unit = _smallest(raw)
    for column in rule.scale_by:
        by = factor(snapshot, column, index)
        if by is None:
            return None
        figure *= by
        unit *= by
    if rule.decimals is not None:
        digits = factor(snapshot, rule.decimals, index)
        if digits is None or not -_MOST_DECIMALS <= digits <= _MOST_DECIMALS:
            return None
        figure /= 10**digits
        unit /= 10**digits
    value = figure * rule.scale + rule.offset
    if not math.isfinite(value) or (rule.highest is not None and value > rule.highest):
        return None
    # What binary fractions leave behind (23.400000000000002) is no reading.
    return float(f"{value:.10g}"), float(f"{abs(unit * rule.scale):.10g}")


def _smallest(raw: SnmpValue) -> float:
    """The smallest change of a raw number: one, of a text its last digit, of a float what its 24 bits can tell.

    >>> _smallest(1402), _smallest(b"57.1 W"), _smallest(b"1402")
    (1.0, 0.1, 1.0)
    """
    if isinstance(raw, float):
        return abs(raw) * 2.0**-24
    match = re.search(r"\d\.(\d+)", text(raw)) if isinstance(raw, bytes) else None
    return float(f"1e-{len(match[1])}") if match else 1.0
