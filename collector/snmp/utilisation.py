"""How busy a device is: processors and memory."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from collector.snmp.oids import is_instance
from collector.snmp.profile import Column, MemoryRule, ProcessorRule, Profile
from collector.snmp.rows import beside, factor, name_of, rows
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import number, text


@dataclass(frozen=True, slots=True)
class ProcessorLoad:
    """Load of one processor, percent."""

    oid: str
    percent: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """One memory pool. Bytes are None where the device tells the percentage alone; `oid` is the first that was read."""

    oid: str
    percent: float
    used_bytes: int | None = None
    total_bytes: int | None = None
    name: str = ""


def processors(snapshot: Snapshot, profiles: Iterable[Profile]) -> list[ProcessorLoad]:
    """The load of each processor, from the first profile that tells it."""
    for profile in profiles:
        found: list[ProcessorLoad] = []
        for rule in profile.processor:
            if rule.adds or not found:
                known = {one.oid for one in found}
                found += (one for one in _loads(snapshot, rule) if one.oid not in known)
        if found:
            return found
    return []


def _loads(snapshot: Snapshot, rule: ProcessorRule) -> list[ProcessorLoad]:
    found = []
    for oid, index, raw in rows(snapshot, rule.oid, rule.index, rule.where):
        if is_instance(rule.oid) and index:
            continue
        value = raw
        if rule.pattern:
            match = re.search(rule.pattern, text(raw))
            value = match[1].encode() if match else b""
        figure = number(value)
        if figure is None:
            continue
        percent = 100 - figure / rule.divide if rule.idle else figure / rule.divide
        if 0 <= percent <= 100:
            found.append(ProcessorLoad(oid, round(percent, 2), name_of(snapshot, rule.name, rule.names, index)))
    if rule.mean and found:
        mean = sum(one.percent for one in found) / len(found)
        return [ProcessorLoad(found[0].oid, round(mean, 2), found[0].name)]
    return found


def memory(snapshot: Snapshot, profiles: Iterable[Profile]) -> list[MemoryUse]:
    """Each memory pool, from the first profile that tells one."""
    for profile in profiles:
        found: list[MemoryUse] = []
        for rule in profile.memory:
            if rule.adds or not found:
                known = {one.oid for one in found}
                found += [one for one in _pools(snapshot, rule) if one.oid not in known]
        if found:
            return found
    return []


def _pools(snapshot: Snapshot, rule: MemoryRule) -> Iterator[MemoryUse]:
    for _, index, _ in rows(snapshot, rule.rows, rule.index, rule.where):
        if is_instance(rule.rows) and index:
            continue
        pool = _pool(snapshot, rule, index)
        if pool is not None:
            yield pool


def _pool(snapshot: Snapshot, rule: MemoryRule, index: str) -> MemoryUse | None:
    unit = rule.unit_bytes
    if rule.unit is not None:
        by = factor(snapshot, rule.unit, index)
        unit *= by if by else 1
    used, free = (_bytes(snapshot, one, index, unit) for one in (rule.used, rule.free))
    total = _bytes(snapshot, rule.total, index, unit if rule.total_unit_bytes is None else rule.total_unit_bytes)
    percent = factor(snapshot, rule.percent, index) if rule.percent else None
    if percent is not None and rule.percent_free:
        percent = 100 - percent
    if used is not None and total is None and free is not None:
        total = used + free
    elif used is None and total is not None and free is not None:
        used = total - free
    if used is None and total is not None and percent is not None:
        used = total * percent / 100
    if used is not None and rule.beside:
        less = used - sum(_bytes(snapshot, one, index, unit) or 0 for one in rule.beside)
        used = less if less >= 0 else used
    if used is not None and total:
        percent = 100 * used / total
    if percent is None or not 0 <= percent <= 100:
        return None
    first = next(one for one in (rule.used, rule.percent, rule.free, rule.total) if one is not None)
    oid = f"{first.oid}.{index}" if index and not is_instance(first.oid) else first.oid
    name = name_of(snapshot, rule.name, rule.names, index)
    whole = [None if one is None else round(one) for one in (used, total)]
    return MemoryUse(oid, round(percent, 2), whole[0] if total else None, whole[1] or None, name)


def _bytes(snapshot: Snapshot, column: Column | None, index: str, unit: float) -> float | None:
    if column is None or beside(snapshot, column, index) is None:
        return None
    figure = factor(snapshot, column, index)
    return None if figure is None or figure < 0 else figure * unit
