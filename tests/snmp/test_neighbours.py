"""What stands at a device's ports, after LLDP-MIB, LLDP-V2-MIB, LLDP-EXT-MED-MIB and CISCO-CDP-MIB, and in recordings."""

from pathlib import Path

import pytest

from collector.snmp.neighbours import Neighbour, neighbours
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import SnmpValue
from tests.servers.recordings import recording

LLDP, V2, CDP = "1.0.8802.1.1.2.1", "1.3.111.2.802.1.1.13.1.4", "1.3.6.1.4.1.9.9.23.1.2.1.1"
MED = f"{LLDP}.5.4795.1.3"
INTERFACES: dict[str, SnmpValue] = {
    **{f"1.3.6.1.2.1.2.2.1.2.{index}": f"GigabitEthernet1/0/{index - 100}".encode() for index in (101, 102, 103)},
    **{f"1.3.6.1.2.1.31.1.1.1.1.{index}": f"Gi1/0/{index - 100}".encode() for index in (101, 102, 103)},
    "1.3.6.1.2.1.31.1.1.1.18.102": b"to the library",
    "1.3.6.1.2.1.2.2.1.6.103": bytes.fromhex("0011223344aa"),
    "1.3.6.1.2.1.17.1.4.1.2.7": 103,
}


def remote(port: int, **columns: SnmpValue) -> dict[str, SnmpValue]:
    """A row of lldpRemTable; by default an access point's."""
    number = {"chassis_subtype": 4, "chassis": 5, "port_subtype": 6, "port_id": 7, "name": 9, "enabled": 12}
    row: dict[str, SnmpValue] = {
        "chassis_subtype": 4,
        "chassis": bytes.fromhex("001b2c3d4e5f"),
        "name": b"ap-hall",
        "enabled": b"\x10",
    }
    return {f"{LLDP}.4.1.1.{number[name]}.900.{port}.3": value for name, value in (row | columns).items()}


def local(port: int, subtype: int, identifier: bytes, description: bytes = b"") -> dict[str, SnmpValue]:
    return {
        f"{LLDP}.3.7.1.2.{port}": subtype,
        f"{LLDP}.3.7.1.3.{port}": identifier,
        f"{LLDP}.3.7.1.4.{port}": description,
    }


def only(values: dict[str, SnmpValue]) -> Neighbour:
    found = neighbours(Snapshot(INTERFACES | values))
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("number", "place", "if_index"),
    [
        (5, local(5, 5, b"Gi1/0/2"), 102),
        (5, local(5, 7, b"GigabitEthernet1/0/2"), 102),
        (5, local(5, 1, b"to the library"), 102),
        (5, local(5, 7, b"5", b"Gi1/0/2"), 102),
        (5, local(5, 3, bytes.fromhex("0011223344aa")), 103),
        (5, local(5, 7, b"102"), 102),
        (7, local(7, 7, b"port seven"), 103),
        (101, {}, 101),
        (5, local(5, 7, b"elsewhere"), None),
    ],
    ids=["ifName", "ifDescr", "ifAlias", "description", "MAC", "ifIndex as text", "bridge port", "ifIndex", "unknown"],
)
def test_the_port_of_a_neighbour_is_an_interface_however_lldp_names_it(
    number: int, place: dict[str, SnmpValue], if_index: int | None
) -> None:
    found = only(remote(number) | place)
    assert found.if_index == if_index
    assert found.port == ("elsewhere" if if_index is None else f"Gi1/0/{if_index - 100}")


def test_a_neighbour_says_who_it_is_where_it_is_managed_and_what_it_asks_for() -> None:
    row = "900.101.3"
    found = only(
        remote(101)
        | {
            f"{LLDP}.4.2.1.3.{row}.1.4.10.1.9.20": 2,
            f"{LLDP}.4.2.1.3.{row}.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.7": 2,
            f"{LLDP}.4.2.1.3.{row}.1.127.0.0.1": 2,
            f"{MED}.3.1.4.{row}": b"FCW2233A001",
            f"{MED}.3.1.5.{row}": b"Cisco",
            f"{MED}.3.1.6.{row}": b"AIR-AP2802I-E-K9",
            f"{MED}.7.1.1.{row}": 154,
        }
    )
    assert (found.chassis_id, found.mac, found.system_name) == ("00:1b:2c:3d:4e:5f", "00:1b:2c:3d:4e:5f", "ap-hall")
    assert (found.capabilities, found.kind) == (("access_point",), "access_point")
    assert found.addresses == ("10.1.9.20", "2001:db8::7")
    assert (found.vendor, found.model, found.serial) == ("Cisco", "AIR-AP2802I-E-K9", "FCW2233A001")
    assert found.asked_watts == 15.4


def test_a_chassis_is_named_by_its_address_or_its_text() -> None:
    by_address = only(remote(101, chassis_subtype=5, chassis=b"\x01\x0a\x01\x09\x14"))
    assert (by_address.chassis_id, by_address.mac) == ("10.1.9.20", "")
    by_text = only(
        remote(101, chassis_subtype=7, chassis=b"core-1\x00junk", port_subtype=3, port_id=b"\x00\x1b\x2c\x00\x00\x01")
    )
    assert (by_text.chassis_id, by_text.mac) == ("core-1", "00:1b:2c:00:00:01")


def test_a_row_that_names_nobody_is_no_neighbour() -> None:
    assert neighbours(Snapshot(INTERFACES | remote(101, chassis=b"", name=b""))) == []


def cdp(port: int, **columns: SnmpValue) -> dict[str, SnmpValue]:
    number = {"address_type": 3, "address": 4, "device_id": 6, "port": 7, "platform": 8, "capabilities": 9, "power": 15}
    row: dict[str, SnmpValue] = {
        "address_type": 1,
        "address": bytes((10, 1, 9, 20)),
        "device_id": b"ap-hall.example.gov.uk",
        "port": b"GigabitEthernet0",
        "platform": b"cisco AIR-AP2802I-E-K9",
        "capabilities": b"\x00\x00\x00\x02",
        "power": 15400,
    }
    return {f"{CDP}.{number[name]}.{port}.1": value for name, value in (row | columns).items()}


def test_cdp_is_read_where_only_that_is_there() -> None:
    found = only(cdp(102))
    assert (found.protocol, found.if_index, found.port) == ("cdp", 102, "Gi1/0/2")
    assert (found.vendor, found.model, found.kind) == ("Cisco", "AIR-AP2802I-E-K9", "access_point")
    assert (found.system_name, found.addresses) == ("ap-hall.example.gov.uk", ("10.1.9.20",))
    assert found.asked_watts == 15.4


def test_what_a_neighbour_says_beyond_all_bounds_is_cut_and_its_watts_are_not_believed() -> None:
    endless = b"x" * 5000
    found = only(cdp(102, device_id=endless, platform=endless, power=2**32 - 1))
    assert found.asked_watts is None
    assert {len(one) for one in (found.chassis_id, found.system_name, found.model)} == {255}
    by_lldp = only(remote(101) | {f"{MED}.3.1.4.900.101.3": endless})
    assert len(by_lldp.serial) == 255, "PostgreSQL's index takes 2,704 octets"


def test_a_neighbour_that_speaks_both_is_one() -> None:
    found = only(remote(101) | cdp(101))
    assert (found.protocol, found.chassis_id, found.model) == ("lldp", "00:1b:2c:3d:4e:5f", "AIR-AP2802I-E-K9")
    assert (found.asked_watts, found.addresses) == (15.4, ("10.1.9.20",))


def test_the_newer_lldp_mib_names_interfaces_themselves() -> None:
    row = "900.103.1.4"
    columns: dict[str, SnmpValue] = {
        f"{V2}.1.1.5.{row}": 4,
        f"{V2}.1.1.6.{row}": bytes.fromhex("001b2c3d4e5f"),
        f"{V2}.1.1.10.{row}": b"core",
        f"{V2}.1.1.13.{row}": b"\x28",
        f"{V2}.2.1.3.{row}.1.4.10.1.9.1": 2,
    }
    found = only(columns)
    assert (found.if_index, found.port, found.system_name, found.kind) == (103, "Gi1/0/3", "core", "router")
    assert found.addresses == ("10.1.9.1",)


def test_recordings_of_switches_tell_their_neighbours(shared: Path) -> None:
    def of(name: str) -> list[Neighbour]:
        return neighbours(recording(shared / "snmp" / "snmprec" / f"{name}.snmprec"))

    office = of("aos6")
    assert len(office) == 22
    assert all(one.if_index is not None for one in office)
    aruba = next(one for one in office if one.system_name == "ar1-ade7j0c")
    assert (aruba.port, aruba.mac, aruba.kind) == ("1/1", "ac:a3:1e:c3:af:aa", "access_point")
    assert aruba.addresses == ("172.31.126.41",)
    assert next((one.port, one.system_name, one.addresses) for one in of("voss_7432cq")) == (
        "1/22/1",
        "3002C OBM 4850GTS",
        ("10.254.75.11",),
    )
