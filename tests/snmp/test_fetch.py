"""What is fetched again and again of a device: rows by their names, until something tells that there may be others."""

import asyncio
from collections.abc import Iterable

import pytest

from collector.snmp.client import SnmpTimeout
from collector.snmp.fetch import KnownRows, fetch
from collector.snmp.oids import is_below
from collector.snmp.poll_plan import Wanted
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import SnmpValue

NUMBER, DESCRIPTION, OPERATION, ABSENT = (
    "1.3.6.1.2.1.2.1.0",
    "1.3.6.1.2.1.2.2.1.2",
    "1.3.6.1.2.1.2.2.1.8",
    "1.3.6.1.4.1",
)
WANTED = Wanted(frozenset({"1.3.6.1.2.1.1.5.0"}), frozenset({DESCRIPTION, OPERATION, ABSENT}))


class Device:
    """A client of a device in memory; `deaf` are OIDs that it gives in walks alone."""

    def __init__(self, rows: int) -> None:
        self.values: dict[str, SnmpValue] = {"1.3.6.1.2.1.1.5.0": b"switch"}
        self.walks: list[list[str]] = []
        self.deaf: set[str] = set()
        self.error: SnmpTimeout | None = None
        for row in range(1, rows + 1):
            self.add(row)

    def add(self, row: int) -> None:
        self.values |= {f"{DESCRIPTION}.{row}": f"port {row}".encode(), f"{OPERATION}.{row}": 1}

    async def get(self, oids: Iterable[str]) -> dict[str, SnmpValue]:
        return {oid: self.values[oid] for oid in oids if oid in self.values and oid not in self.deaf}

    async def heads(self, oids: Iterable[str]) -> dict[str, SnmpValue]:
        raise NotImplementedError

    async def walk(self, columns: Iterable[str]) -> dict[str, SnmpValue]:
        self.walks.append(list(columns))
        found = {oid: value for oid, value in self.values.items() if any(is_below(oid, one) for one in self.walks[-1])}
        if self.error is not None:
            self.error.found = found
            raise self.error
        return found

    async def close(self) -> None:
        raise NotImplementedError


def read(device: Device, known: KnownRows) -> Snapshot:
    return asyncio.run(fetch(device, WANTED, known)).snapshot


def test_what_was_walked_is_asked_by_name() -> None:
    device, known = Device(3), KnownRows()
    first = read(device, known)
    device.values[f"{OPERATION}.2"] = 2
    again = read(device, known)
    assert device.walks == [[DESCRIPTION, OPERATION, ABSENT]]
    assert again.column(OPERATION) == {"1": 1, "2": 2, "3": 1}
    assert [oid for oid, _ in again] == [oid for oid, _ in first] == sorted(device.values)


def test_without_knowledge_everything_is_walked() -> None:
    device = Device(2)
    assert len(asyncio.run(fetch(device, WANTED)).snapshot) == len(device.values)
    assert len(device.walks) == 1


def test_a_row_that_is_gone_and_a_number_that_changed_have_the_tables_walked() -> None:
    device, known = Device(3), KnownRows()
    read(device, known)
    del device.values[f"{DESCRIPTION}.3"], device.values[f"{OPERATION}.3"]
    device.add(7)
    assert list(read(device, known).column(DESCRIPTION)) == ["1", "2", "7"]
    device.values[NUMBER] = 4
    device.add(8)
    assert list(read(device, known).column(DESCRIPTION)) == ["1", "2", "7", "8"]
    read(device, known)
    assert len(device.walks) == 3


def test_the_tables_are_walked_again_after_a_while() -> None:
    device, known = Device(1), KnownRows()
    read(device, known)
    known.walked_at -= 4000
    device.add(2)
    assert list(read(device, known).column(OPERATION)) == ["1", "2"]


def test_a_device_that_does_not_answer_by_name_is_walked() -> None:
    device, known = Device(2), KnownRows()
    device.deaf.add(f"{OPERATION}.1")
    for _ in range(4):
        assert len(read(device, known).column(OPERATION)) == 2
    assert known.names_fail
    assert len(device.walks) == 4


def test_a_walk_that_failed_is_not_remembered() -> None:
    device, known = Device(2), KnownRows()
    device.error = SnmpTimeout("late")
    assert len(read(device, known).column(OPERATION)) == 2
    device.error = None
    read(device, known)
    assert len(device.walks) == 2


@pytest.mark.parametrize("rows", [0, 1])
def test_empty_tables_are_not_asked(rows: int) -> None:
    device, known = Device(rows), KnownRows()
    for _ in range(3):
        read(device, known)
    assert len(device.walks) == 1


def test_what_the_device_has_nothing_of_is_asked_again_with_its_inventory_or_when_its_tables_change() -> None:
    device, known = Device(2), KnownRows()
    device.values[NUMBER] = 2
    read(device, known)
    known.walked_at -= 4000
    read(device, known)
    device.values[NUMBER] = 3
    read(device, known)
    read(device, KnownRows())
    everything, filled = [DESCRIPTION, OPERATION, ABSENT], [DESCRIPTION, OPERATION]
    assert device.walks == [everything, filled, everything, everything]


def test_a_value_that_is_missing_once_is_asked_again() -> None:
    device, known = Device(1), KnownRows()
    name = device.values.pop("1.3.6.1.2.1.1.5.0")
    assert read(device, known).get("1.3.6.1.2.1.1.5.0") is None
    device.values["1.3.6.1.2.1.1.5.0"] = name
    known.walked_at -= 4000
    assert read(device, known).get("1.3.6.1.2.1.1.5.0") == name
    del device.values["1.3.6.1.2.1.1.5.0"]
    assert read(device, known).get("1.3.6.1.2.1.1.5.0") is None
    device.values["1.3.6.1.2.1.1.5.0"] = name
    assert read(device, known).get("1.3.6.1.2.1.1.5.0") == name


def test_equal_devices_share_what_is_known_of_their_rows() -> None:
    one, other = KnownRows(), KnownRows()
    for known in (one, other):
        device = Device(3)
        read(device, known)
        assert list(read(device, known).column(OPERATION)) == ["1", "2", "3"]
    assert one.rows is other.rows
    assert one.asking(WANTED).layout is other.asking(WANTED).layout
