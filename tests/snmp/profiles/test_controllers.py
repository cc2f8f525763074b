"""What controllers tell of the access points that they manage, after their MIBs and in recordings."""

from pathlib import Path

from collector.snmp import device
from collector.snmp.managed import ManagedDevice, managed
from collector.snmp.poll_plan import wanted
from collector.snmp.profile_files import profiles
from collector.snmp.selection import select
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import Oid, SnmpValue
from tests.servers.recordings import recording

MAC, INDEX = bytes.fromhex("001b2c000001"), "0.27.44.0.0.1"


def of(object_id: str, description: bytes, values: dict[str, SnmpValue]) -> ManagedDevice:
    system: dict[str, SnmpValue] = {"1.3.6.1.2.1.1.1.0": description, "1.3.6.1.2.1.1.2.0": Oid(object_id)}
    snapshot = Snapshot(system | values)
    held = select(snapshot, profiles().values())
    assert device.evaluate(snapshot, held).identity.sys_object_id == object_id
    found = managed(snapshot, held)
    assert len(found) == 1, found
    asked = wanted("utilisation", held).columns
    assert all(any(oid.startswith(column) for column in asked) for oid in values)
    return found[0]


def test_cisco_controllers_of_both_systems() -> None:
    table = "1.3.6.1.4.1.14179.2.2.1.1"
    columns: dict[int, SnmpValue] = {
        3: b"ap-hall",
        6: 1,
        8: b"8.10.185.0",
        16: b"AIR-AP2802I-E-K9",
        17: b"FCW1",
        19: "10.1.9.7",
    }
    columns[33] = MAC
    # The row is named by the radios' address, which is another than the Ethernet port's.
    row = "0.27.44.0.0.240"
    values = {f"{table}.{column}.{row}": value for column, value in columns.items()}
    values[f"1.3.6.1.4.1.9.9.513.1.1.1.1.54.{row}"] = 12
    found = of("1.3.6.1.4.1.9.1.2530", b"Cisco IOS Software [Amsterdam], C9800 Software", values)
    assert (found.name, found.model, found.serial) == ("ap-hall", "AIR-AP2802I-E-K9", "FCW1")
    assert (found.mac, found.address, found.version) == ("00:1b:2c:00:00:01", "10.1.9.7", "8.10.185.0")
    assert (found.online, found.clients, found.kind) == (True, 12, "access_point")


def test_aruba_controllers() -> None:
    table = "1.3.6.1.4.1.14823.2.2.1.5.2.1.4.1"
    columns: dict[int, SnmpValue] = {2: "10.1.9.7", 3: b"ap-hall", 6: b"CNB1", 13: b"515", 19: 2}
    values = {f"{table}.{column}.{INDEX}": value for column, value in columns.items()}
    found = of("1.3.6.1.4.1.14823.1.1.9", b"ArubaOS (MODEL: Aruba7030), Version 8.6.0.4", values)
    assert (found.mac, found.model, found.serial, found.online) == ("00:1b:2c:00:00:01", "AP-515", "CNB1", False)


def test_ruckus_zonedirector_and_smartzone() -> None:
    zone: dict[int, SnmpValue] = {
        1: MAC,
        2: b"ap-hall",
        3: 1,
        4: b"R510",
        5: b"4317",
        7: b"10.4.1",
        10: "10.1.9.7",
        15: 3,
    }
    smart: dict[int, SnmpValue] = {1: MAC, 5: b"ap-hall", 7: b"10.4.1", 8: b"R510", 9: b"4317", 10: "10.1.9.7", 15: 3}
    smart[16] = b"Connect"
    for table, columns in (("1.3.6.1.4.1.25053.1.2.2.1.1.2.1.1", zone), ("1.3.6.1.4.1.25053.1.4.2.1.1.2.2.1", smart)):
        values = {f"{table}.{column}.6.{INDEX}": value for column, value in columns.items()}
        found = of("1.3.6.1.4.1.25053.3.1.5.2", b"Ruckus Wireless ZD1200", values)
        assert (found.mac, found.model, found.serial, found.clients) == ("00:1b:2c:00:00:01", "R510", "4317", 3)
        assert (found.online, found.version, found.name) == (True, "10.4.1", "ap-hall")


def test_a_row_that_could_not_be_known_again_is_left_out() -> None:
    table = "1.3.6.1.4.1.14179.2.2.1.1"
    values: dict[str, SnmpValue] = {f"{table}.3.1": b"ap", "1.3.6.1.2.1.1.2.0": Oid("1.3.6.1.4.1.9.1.2530")}
    snapshot = Snapshot(values)
    assert managed(snapshot, select(snapshot, profiles().values())) == []


def test_a_recorded_cluster_of_aruba_instant(shared: Path) -> None:
    snapshot = recording(shared / "snmp" / "snmprec" / "aruba-instant.snmprec")
    found = managed(snapshot, select(snapshot, profiles().values()))
    assert [(one.model, one.serial, one.online) for one in found][:2] == [
        ("AP-635", "PHRCKYJ2RR", True),
        ("AP-635", "PHRCKYJ4N1", True),
    ]
    assert found[0].mac == "68:28:cf:c7:e9:c0"
