"""What one device answered at one time: values by OID, and columns of tables by index."""

import bisect
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from collector.snmp.oids import arcs
from collector.snmp.values import SnmpValue, text


class Snapshot:
    """Values of one device. An OID that was not asked for and one that the device does not have are the same here."""

    def __init__(self, values: Mapping[str, SnmpValue] | Iterable[tuple[str, SnmpValue]]) -> None:
        self._values: dict[str, SnmpValue] = dict(values)
        self._columns: dict[str, dict[str, SnmpValue]] = {}

    @cached_property
    def _ordered(self) -> tuple[list[tuple[int, ...]], list[str]]:
        """The arcs of every OID in SNMP's order, and the OIDs in the same."""
        oids = sorted(self._values, key=arcs)
        return [arcs(oid) for oid in oids], oids

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[tuple[str, SnmpValue]]:
        """Every OID with its value, in SNMP's order."""
        for oid in self._ordered[1]:
            yield oid, self._values[oid]

    def get(self, oid: str) -> SnmpValue | None:
        return self._values.get(oid)

    def text(self, oid: str) -> str:
        """A value as text, or "" where there is none."""
        value = self._values.get(oid)
        return "" if value is None else text(value)

    def column(self, oid: str) -> dict[str, SnmpValue]:
        """Values below an OID by their index (the arcs behind it), in SNMP's order. An instance has the index ""."""
        found = self._columns.get(oid)
        if found is None:
            found = self._columns[oid] = self._below(oid)
        return found

    def has(self, root: str) -> bool:
        """Whether there is a value at an OID or below it."""
        key, keys = arcs(root), self._ordered[0]
        place = bisect.bisect_left(keys, key)
        return place < len(keys) and keys[place][: len(key)] == key

    def _below(self, oid: str) -> dict[str, SnmpValue]:
        key, (keys, oids) = arcs(oid), self._ordered
        found: dict[str, SnmpValue] = {}
        for place in range(bisect.bisect_left(keys, key), len(keys)):
            if keys[place][: len(key)] != key:
                break
            found[oids[place][len(oid) + 1 :]] = self._values[oids[place]]
        return found
