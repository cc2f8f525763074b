"""Which OIDs a device's answer has, in order and by column: made once, and shared by all equal devices and polls."""

import bisect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from collector.snmp.oids import arcs

T = TypeVar("T")


class Layout:
    """Some OIDs. What is found in them is remembered, for they are asked for the same again and again."""

    __slots__ = ("__weakref__", "_columns", "_keys", "_made", "oids", "ordered")

    def __init__(self, oids: frozenset[str]) -> None:
        self.oids = oids
        self.ordered = tuple(sorted(oids, key=arcs))
        """In SNMP's order."""
        self._keys = [arcs(oid) for oid in self.ordered]
        self._columns: dict[str, tuple[tuple[str, str], ...]] = {}
        self._made: dict[object, Any] = {}

    def column(self, oid: str) -> tuple[tuple[str, str], ...]:
        """Index (the arcs behind it) and OID of all that lies below an OID; an instance has the index ""."""
        found = self._columns.get(oid)
        if found is None:
            key, start = arcs(oid), len(oid) + 1
            first = place = bisect.bisect_left(self._keys, key)
            while place < len(self._keys) and self._keys[place][: len(key)] == key:
                place += 1
            found = self._columns[oid] = tuple((one[start:], one) for one in self.ordered[first:place])
        return found

    def has(self, root: str) -> bool:
        """Whether one of the OIDs is another, or lies below it."""
        key, keys = arcs(root), self._keys
        place = bisect.bisect_left(keys, key)
        return place < len(keys) and keys[place][: len(key)] == key

    def made(self, what: object, make: Callable[["Layout"], T]) -> T:
        """What `make` makes of these OIDs, made once; `what` is its name."""
        found: T
        if what in self._made:
            found = self._made[what]
        else:
            found = self._made[what] = make(self)
        return found


_known: "WeakValueDictionary[frozenset[str], Layout]" = WeakValueDictionary()


def layout_of(oids: Iterable[str]) -> Layout:
    """The layout of some OIDs, the same one for the same OIDs."""
    key = frozenset(oids)
    found = _known.get(key)
    if found is None:
        found = _known[key] = Layout(key)
    return found
