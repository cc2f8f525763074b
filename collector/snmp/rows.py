"""Rows of a table as profiles speak of them: values beside a row, conditions on it, its name."""

import re
from collections.abc import Iterator, Sequence

from collector.snmp.oids import is_instance, part
from collector.snmp.profile import Column, Condition, Key
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import SnmpValue, number, text

_PLACE = re.compile(r"\{(-?\d+)\}")
_DEEPEST = 12
"""How many rows around a row are looked at."""


def rows(
    snapshot: Snapshot, oid: str, index: str = "", where: Sequence[Condition] = ()
) -> Iterator[tuple[str, str, SnmpValue]]:
    """OID, index and value of each row of a column that meets the conditions; of an instance itself, with index ""."""
    for found, value in snapshot.column(oid).items():
        if index and re.fullmatch(index, found) is None:
            continue
        if all(meets(snapshot, one, found) for one in where):
            yield (f"{oid}.{found}" if found else oid), found, value


def beside(snapshot: Snapshot, column: Column | Condition, index: str) -> SnmpValue | None:
    """The value of another column for a row, or None."""
    oid = column.oid
    if not is_instance(oid):
        inner = index if column.index is None else part(index, column.index[0], column.index[1] or None)
        oid = f"{oid}{column.prefix and '.' + column.prefix}{inner and '.' + inner}{column.suffix and '.' + column.suffix}"
    value = snapshot.get(oid)
    if value is not None and column.pointer:
        return snapshot.get(f"{column.pointer}.{text(value)}")
    return value


def meets(snapshot: Snapshot, condition: Condition, index: str) -> bool:
    """Whether a row meets a condition, or what is given instead."""
    for place in _places(snapshot, condition, index):
        value = beside(snapshot, condition, place)
        if condition.missing if value is None else _holds(condition, value):
            return True
    return any(meets(snapshot, one, index) for one in condition.instead)


def _places(snapshot: Snapshot, condition: Condition, index: str) -> Iterator[str]:
    """The row, and those that it is part of."""
    yield index
    seen = {index}
    while condition.within is not None and len(seen) < _DEEPEST:
        index = snapshot.text(f"{condition.within}.{index}")
        if not index or index in seen:
            return
        seen.add(index)
        yield index


def _holds(condition: Condition, value: SnmpValue) -> bool:
    if condition.any_of and not any(_same(value, one) for one in condition.any_of):
        return False
    if any(_same(value, one) for one in condition.none_of):
        return False
    if condition.matches and re.search(condition.matches, text(value)) is None:
        return False
    if condition.above is None and condition.below is None:
        return True
    figure = number(value)
    if figure is None:
        return False
    return (condition.above is None or figure > condition.above) and (
        condition.below is None or figure < condition.below
    )


def _same(value: SnmpValue, key: Key) -> bool:
    return value == key if isinstance(key, int) and isinstance(value, (int, float)) else text(value) == str(key)


def name_of(snapshot: Snapshot, template: str, names: Sequence[Column], index: str) -> str:
    """A row's name by its template; without one, the first of `names` that is not empty."""
    found = ""
    for column in names:
        value = beside(snapshot, column, index)
        if value is not None and (found := mapped(column, value)):
            break
    if not template:
        return found
    numbers = index.split(".")

    def arc(match: re.Match[str]) -> str:
        place = int(match[1])
        place -= place > 0
        return numbers[place] if -len(numbers) <= place < len(numbers) else ""

    filled = _PLACE.sub(arc, template.replace("{index}", index).replace("{text}", spelt(index)))
    return filled.replace("{name}", found).strip()


def spelt(index: str) -> str:
    """The text that the arcs of an index spell, with or without their number before them; "" where they spell none.

    >>> spelt("3.67.80.85"), spelt("67.80.85"), spelt("1.2")
    ('CPU', 'CPU', '')
    """
    codes = [int(one) for one in index.split(".") if one]
    if len(codes) > 1 and codes[0] == len(codes) - 1:
        codes = codes[1:]
    found = "".join(chr(one) for one in codes) if codes and max(codes) < 0x110000 else ""
    return found if found.isprintable() else ""


def mapped(column: Column, value: SnmpValue) -> str:
    """A column's value as text, or what its `map` makes of it: "" where that knows it not."""
    return str(column.map.get(text(value), "")) if column.map else text(value)


def factor(snapshot: Snapshot, column: Column, index: str) -> float | None:
    """What a column multiplies a row's number by: its number, or what its map makes of it; None where unknown."""
    value = beside(snapshot, column, index)
    if value is None:
        return None
    if column.map:
        mapped = column.map.get(text(value))
        return float(mapped) if mapped is not None else None
    return number(value)
