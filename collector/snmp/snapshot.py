"""What one device answered at one time: values by OID, and columns of tables by index."""

import bisect
from collections.abc import Iterable, Iterator, Mapping

from collector.snmp.oids import arcs
from collector.snmp.values import SnmpValue, text


class Snapshot:
    """Values of one device. An OID that was not asked for and one that the device does not have are the same here."""

    def __init__(self, values: Mapping[str, SnmpValue] | Iterable[tuple[str, SnmpValue]]) -> None:
        self._values: dict[str, SnmpValue] = dict(values)
        self._keys = sorted(map(arcs, self._values))
        self._columns: dict[str, dict[str, SnmpValue]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[tuple[str, SnmpValue]]:
        """Every OID with its value, in SNMP's order."""
        for key in self._keys:
            oid = ".".join(map(str, key))
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
        key = arcs(root)
        place = bisect.bisect_left(self._keys, key)
        return place < len(self._keys) and self._keys[place][: len(key)] == key

    def _below(self, oid: str) -> dict[str, SnmpValue]:
        key = arcs(oid)
        found: dict[str, SnmpValue] = {}
        for place in range(bisect.bisect_left(self._keys, key), len(self._keys)):
            candidate = self._keys[place]
            if candidate[: len(key)] != key:
                break
            index = ".".join(map(str, candidate[len(key) :]))
            found[index] = self._values[".".join(map(str, candidate))]
        return found
