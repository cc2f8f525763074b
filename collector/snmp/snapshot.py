"""What one device answered at one time: values by OID, and columns of tables by index."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from collector.snmp.layout import Layout
from collector.snmp.values import SnmpValue, text


class Snapshot:
    """Values of one device. An OID that was not asked for and one that the device does not have are the same here."""

    def __init__(
        self, values: Mapping[str, SnmpValue] | Iterable[tuple[str, SnmpValue]], layout: Layout | None = None
    ) -> None:
        """`layout` is that of the values, where it is known."""
        self.values: dict[str, SnmpValue] = values if isinstance(values, dict) else dict(values)
        self._columns: dict[str, dict[str, SnmpValue]] = {}
        if layout is not None:
            self.__dict__["layout"] = layout

    @cached_property
    def layout(self) -> Layout:
        """The OIDs in SNMP's order, and by column."""
        return Layout(frozenset(self.values))

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[tuple[str, SnmpValue]]:
        """Every OID with its value, in SNMP's order."""
        for oid in self.layout.ordered:
            yield oid, self.values[oid]

    def get(self, oid: str) -> SnmpValue | None:
        return self.values.get(oid)

    def text(self, oid: str) -> str:
        """A value as text, or "" where there is none."""
        value = self.values.get(oid)
        return "" if value is None else text(value)

    def column(self, oid: str) -> dict[str, SnmpValue]:
        """Values below an OID by their index (the arcs behind it), in SNMP's order. An instance has the index ""."""
        found = self._columns.get(oid)
        if found is None:
            values = self.values
            found = self._columns[oid] = {index: values[one] for index, one in self.layout.column(oid)}
        return found

    def has(self, root: str) -> bool:
        """Whether there is a value at an OID or below it."""
        return self.layout.has(root)
