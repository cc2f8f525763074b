"""Cisco's profiles and those of the standard entity tables, on values written after the MIBs' texts."""

import re
from pathlib import Path

import pytest

from collector.snmp.device import DeviceReading, evaluate_whole
from collector.snmp.snapshot import Snapshot
from tests.benchmarks import snmp_corpus

Values = dict[str, int | str]
ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
SENSOR = "1.3.6.1.2.1.99.1.1.1"
CISCO_SENSOR = "1.3.6.1.4.1.9.9.91.1.1.1.1"
CISCO = "1.3.6.1.4.1.9.9"
FAMILIES = r"^(ios|cimc|cisco|ftd|pixos|meraki|arista)"
MET, EXPECTED = 141, 142


def read(values: Values, description: str = "", object_id: str = "1.3.6.1.4.1.9.1.1") -> DeviceReading:
    system: Values = {"1.3.6.1.2.1.1.1.0": description, "1.3.6.1.2.1.1.2.0": object_id}
    return evaluate_whole(
        Snapshot({oid: value.encode() if isinstance(value, str) else value for oid, value in (system | values).items()})
    )


def told(device: DeviceReading) -> set[tuple[str, float, str]]:
    return {(one.quantity, one.value, one.role) for one in device.readings}


def sensor(table: str, row: int, kind: int, scale: int, digits: int, value: int, status: int = 1) -> Values:
    columns = dict(enumerate((kind, scale, digits, value, status), start=1))
    return {f"{table}.{column}.{row}": number for column, number in columns.items()}


def part(row: int, within: int, kind: int, name: str) -> Values:
    return {f"{ENTITY}.4.{row}": within, f"{ENTITY}.5.{row}": kind, f"{ENTITY}.7.{row}": name}


@pytest.mark.parametrize("table", [SENSOR, CISCO_SENSOR])
def test_sensors_take_their_role_from_the_supply_or_port_that_they_are_in(table: str) -> None:
    device = read(
        part(1, 0, 3, "Chassis with SFP ports")
        | part(2, 1, 6, "Bay A")
        | part(3, 2, 8, "P: In pwr")
        | part(4, 2, 8, "P: Out pwr")
        | part(5, 2, 8, "V")
        | part(6, 1, 10, "Te1/1/1")
        | part(7, 6, 8, "Bias")
        | part(8, 1, 8, "P: pwr")
        | part(9, 1, 8, "Total power")
        | part(10, 1, 8, "PSU 2 Iin")
        | part(11, 1, 8, "PSU 2 Vin broken")
        | part(12, 1, 8, "Rx power")
        | sensor(table, 3, 6, 9, 0, 120)
        | sensor(table, 4, 6, 8, 0, 110000)
        | sensor(table, 5, 3, 9, 1, 2301)
        | sensor(table, 7, 5, 7, 0, 7500)
        | sensor(table, 8, 6, 9, 1, 495)
        | sensor(table, 9, 6, 9, 0, 130)
        | sensor(table, 10, 5, 8, 0, 610)
        | sensor(table, 11, 4, 9, 0, 12, status=3)
        | sensor(table, 12, 6, 7, -1, 50)
    )
    assert told(device) == {
        ("power", 120, "psu_input"),
        ("power", 110, "psu_output"),
        ("voltage", 230.1, "psu_input"),
        ("current", 0.0075, "optical"),
        ("power", 49.5, "module"),
        ("power", 130, "device"),
        ("current", 0.61, "psu_input"),
        ("power", 0.0005, "optical"),
    }
    assert (device.power.watts, device.power.basis) == (130, "device")


def test_a_sensor_in_both_tables_counts_once() -> None:
    rows = part(1, 0, 6, "Power Supply A") | part(2, 1, 8, "Input power")
    device = read(rows | sensor(SENSOR, 2, 6, 9, 0, 90) | sensor(CISCO_SENSOR, 2, 6, 9, 0, 90))
    assert len(device.readings) == 2
    assert (device.power.watts, device.power.profile) == (90, "cisco-entity-sensor")


def test_poe_is_measured_by_the_standard_and_granted_by_cisco() -> None:
    device = read(
        {
            "1.3.6.1.2.1.105.1.3.1.1.2.1": 740,
            "1.3.6.1.2.1.105.1.3.1.1.4.1": 24,
            f"{CISCO}.402.1.3.1.4.1": 89700,
            f"{CISCO}.402.1.3.1.5.1": 650300,
            f"{CISCO}.402.1.2.1.9.1.7": 6300,
            f"{CISCO}.402.1.2.1.6.1.7": 30000,
            f"{CISCO}.500.1.2.1.1.9.1000": 1100,
        }
    )
    assert told(device) == {
        ("power", 740, "rating"),
        ("power", 24, "poe_total"),
        ("power", 89.7, "poe_total"),
        ("power", 650.3, "rating"),
        ("power", 6.3, "poe_port"),
        ("power", 30, "rating"),
        ("power", 1100, "rating"),
    }
    assert (device.power.watts, device.power.poe_watts) == (None, 24)


def test_grants_and_older_monitors_are_no_consumption() -> None:
    device = read(
        {
            f"{CISCO}.117.1.1.1.1.2.1": "CentiAmps @ 42V",
            f"{CISCO}.117.1.1.1.1.3.1": 5945,
            f"{CISCO}.117.1.1.1.1.4.1": 2000,
            f"{CISCO}.13.1.2.1.3.1": 3300,
            f"{CISCO}.13.1.3.1.3.1": 41,
            f"{CISCO}.13.1.3.1.6.1": 1,
            f"{CISCO}.13.1.3.1.3.2": 0,
            f"{CISCO}.13.1.3.1.6.2": 5,
        }
    )
    assert told(device) == {
        ("power", 2496.9, "rating"),
        ("power", 840, "rating"),
        ("voltage", 3.3, "module"),
        ("temperature", 41, "module"),
    }
    assert device.power.watts is None


def test_energy_objects_say_how_they_were_measured() -> None:
    eo = "1.3.6.1.2.1.229.1.2.1"
    rows = (
        (1, 3, 250000, -3, 3, 1),
        (2, 6, 260, 0, 4, 1),
        (3, 10, 7, 0, 3, 1),
        (4, 9, 0, 0, 1, 1),
        (5, 9, 40, 0, 5, 1),
    )
    values: Values = {}
    for row, kind, power, unit, caliber, local in rows:
        columns = {1: power, 3: unit, 5: caliber, 7: local}
        values |= {f"{eo}.{column}.{row}": number for column, number in columns.items()} | {f"{ENTITY}.5.{row}": kind}
    device = read(values)
    assert told(device) == {
        ("power", 250, "device"),
        ("power", 260, "psu_input"),
        ("power", 7, "poe_port"),
        ("power", 40, "rating"),
    }


def test_small_business_switches() -> None:
    root = "1.3.6.1.4.1.9.6.1.101"
    device = read(
        {
            f"{root}.53.14.1.2.1": "2.5.9.16",
            f"{root}.53.14.1.3.1": "1.4.0.2",
            f"{root}.53.14.1.5.1": "DNI123",
            f"{root}.1.9.0": 12,
            f"{root}.108.1.1.3.1.49": 53400,
            f"{root}.108.1.1.4.1.49": 118,
            f"{root}.108.1.1.5.1.49": 6300,
            f"{root}.134.3.0": 4200,
        },
        "CBS350-24P-4G 24-Port Gigabit PoE Managed Switch",
        "1.3.6.1.4.1.9.6.1.1004.24.2",
    )
    identity = device.identity
    assert (identity.kind, identity.hardware, identity.version, identity.serial) == (
        "switch",
        "CBS350-24P-4G",
        "Software 2.5.9.16, Firmware 1.4.0.2",
        "DNI123",
    )
    assert told(device) >= {
        ("power", 6.3, "poe_port"),
        ("current", 0.118, "poe_port"),
        ("voltage", 53.4, "poe_port"),
        ("power", 4.2, "module"),
    }
    assert [one.percent for one in device.processors] == [12]


def test_processors_are_cores_where_there_are_some_and_forwarding_ones_beside() -> None:
    device = read(
        {
            f"{CISCO}.109.1.1.1.1.8.7": 20,
            f"{CISCO}.109.1.1.1.1.8.9": 30,
            f"{CISCO}.109.1.1.2.1.5.7.0": 15,
            f"{CISCO}.109.1.1.2.1.5.7.1": 25,
            f"{CISCO}.109.1.1.1.1.17.7": 300,
            f"{CISCO}.109.1.1.1.1.19.7": 100,
            f"{CISCO}.715.1.1.6.1.14.9026.2": 5,
            f"{CISCO}.715.1.1.6.1.14.9026.3": 6,
            "1.3.6.1.4.1.9.2.1.58.0": 99,
        }
    )
    assert [one.percent for one in device.processors] == [15, 25, 30, 6]
    assert [(one.used_bytes, one.percent) for one in device.memory] == [(300 * 1024, 75)]


@pytest.mark.parametrize(
    ("values", "percents"),
    [
        ({f"{CISCO}.221.1.1.1.1.18.1.1": 30, f"{CISCO}.221.1.1.1.1.20.1.1": 70}, [30]),
        ({f"{CISCO}.221.1.1.1.1.7.1.1": 40, f"{CISCO}.221.1.1.1.1.8.1.1": 60}, [40]),
        ({f"{CISCO}.48.1.1.1.5.1": 50, f"{CISCO}.48.1.1.1.6.1": 50}, [50]),
        ({f"{CISCO}.305.1.1.2.0": 61}, [61]),
        ({"1.3.6.1.4.1.14179.1.1.5.2.0": 1000, "1.3.6.1.4.1.14179.1.1.5.3.0": 250}, [75]),
    ],
)
def test_memory(values: Values, percents: list[int]) -> None:
    assert [one.percent for one in read(values).memory] == percents


IOS = "Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 15.2(7)E4, RELEASE SOFTWARE (fc2)"
NAMED = "Cisco IOS Software [Amsterdam], Catalyst L3 Switch Software (CAT9K_IOSXE), Version 17.3.4, RELEASE SOFTWARE"
NXOS = "Cisco NX-OS(tm) n9000, Software (n9000-dk9), Version 7.0(3)I4(2), RELEASE SOFTWARE"
CODEC = "Cisco Codec\nSoftW: TC7.3.6\nMCU: Cisco TelePresence SX20"
MAIL = "Cisco Model : C170, AsyncOS Version: 9.1.0-032, Build Date: 2015-03-24, Serial #: 78DA-FGL18"
ARISTA = "Arista Networks EOS version 4.20.1F running on an Arista Networks DCS-7050SX-64"
CALLS = "Hardware:VMware, 2 Intel CPUs, 6144 MB Memory Software:UCOS 6.0.0.0-2.i386"
MODEM = "<<HW_REV: 1.0; VENDOR: Cisco; SW_REV: epc3928-1.2; MODEL: EPC3928AD>>"


@pytest.mark.parametrize(
    ("description", "object_id", "values", "expected"),
    [
        (IOS, "9.1.1226", {}, ("switch", "cat3560x24", "15.2(7)E4", "")),
        (
            IOS,
            "9.1.1226",
            {f"{ENTITY}.13.1": "WS-C2960", f"{ENTITY}.11.1": "FOC1"},
            ("switch", "WS-C2960", "15.2(7)E4", "FOC1"),
        ),
        (NAMED, "9.1.2694", {f"{ENTITY}.7.1": "c93xx Stack"}, ("switch", "c93xx Stack", "CAT9K_IOSXE 17.3.4", "")),
        (NXOS, "9.12.3.1.3.1", {f"{ENTITY}.13.149": "N9K-C9396PX"}, ("switch", "N9K-C9396PX", "7.0(3)I4(2)", "")),
        ("Cisco Adaptive Security Appliance Version 9.1(5)", "9.1.669", {}, ("firewall", "ciscoASA5510", "9.1(5)", "")),
        ("Meraki MX84", "29671.2.20", {f"{ENTITY}.11.1": "Q2XX"}, ("firewall", "Meraki MX84", "", "Q2XX")),
        (
            "Cisco Systems, Inc. WS-C6509 Cisco Catalyst Operating System Software, Version 8.4(11)GLX",
            "9.5.44",
            {},
            ("switch", "WS-C6509", "8.4(11)GLX", ""),
        ),
        (
            "Cisco AP Software, ap1g5-k9w8 Version: 17.3.4.30",
            "9.1.2696",
            {f"{ENTITY}.13.1": "C9115AXI"},
            ("access_point", "C9115AXI", "17.3.4.30", ""),
        ),
        (NXOS, "9.12.3.1.3.1084", {}, ("switch", "cevChassisN5kC5548UP", "7.0(3)I4(2)", "")),
        (CODEC, "5596.150.6.4.1", {}, ("appliance", "Cisco TelePresence SX20", "TC7.3.6", "")),
        (MAIL, "15497.1.1", {}, ("appliance", "C170", "9.1.0-032", "78DA-FGL18")),
        (ARISTA, "30065.1.3011", {}, ("switch", "DCS-7050SX-64", "4.20.1F", "")),
        (
            CALLS,
            "9.1.1348",
            {"1.3.6.1.2.1.54.1.1.1.1.3.5": "Cisco Unified CallManager", "1.3.6.1.2.1.54.1.1.1.1.4.5": "10.5.2"},
            ("server", "VMware", "10.5.2", ""),
        ),
        (MODEM, "1429.2", {}, ("router", "EPC3928AD", "epc3928-1.2", "")),
        ("Cisco ONS 15454 10.30-013D", "3607.1.10.10", {}, ("router", "ONS 15454", "10.30-013D", "")),
        (
            "Cisco Controller",
            "9.1.1069",
            {"1.3.6.1.4.1.14179.1.1.1.14.0": "8.5.140.0", "1.3.6.1.4.1.14179.1.1.1.4.0": "FCW1"},
            ("wireless_controller", "cisco5500Wlc", "8.5.140.0", "FCW1"),
        ),
        ("", "41916.3.1.2", {"1.3.6.1.4.1.41916.3.1.1.1.4.1.0": "vedge-100"}, ("router", "vedge-100", "", "")),
    ],
)
def test_identity(description: str, object_id: str, values: Values, expected: tuple[str, ...]) -> None:
    identity = read(values, description, f"1.3.6.1.4.1.{object_id}").identity
    assert (identity.kind, identity.hardware, identity.version, identity.serial) == expected


def test_server_boards_tell_power_and_model() -> None:
    stats = f"{CISCO}.719.1.9.14.1"
    device = read(
        {
            f"{CISCO}.719.1.9.6.1.6.0": "UCSC-C220-M6S",
            f"{CISCO}.719.1.9.6.1.14.0": "WMP1",
            f"{stats}.4.1": 210,
            f"{stats}.5.1": 205,
            f"{stats}.8.1": "17.5",
            f"{stats}.12.1": "12.1",
        },
        "Cisco Integrated Management Controller(Cisco IMC), Firmware Version 4.3(4.2), Copyright",
    )
    identity = device.identity
    assert (identity.kind, identity.hardware, identity.version, identity.serial) == (
        "server_bmc",
        "UCSC-C220-M6S",
        "4.3(4.2)",
        "WMP1",
    )
    assert told(device) == {
        ("power", 210, "device"),
        ("power", 205, "statistic"),
        ("current", 17.5, "device"),
        ("voltage", 12.1, "device"),
    }


def test_a_part_is_not_taken_for_the_device() -> None:
    rows: Values = {
        f"{ENTITY}.5.1": 3,
        f"{ENTITY}.13.1": "",
        f"{ENTITY}.5.9": 9,
        f"{ENTITY}.13.9": "SFP-10G",
        f"{ENTITY}.11.9": "X",
    }
    identity = read(rows, object_id="1.3.6.1.4.1.99999.1").identity
    assert (identity.hardware, identity.serial) == ("", "")


@pytest.mark.parametrize("root", ["1.3.6.1.4.1.89", "1.3.6.1.4.1.9.6.1.101"])
def test_radlan_switches_tell_ports_and_transceivers_under_either_number(root: str) -> None:
    device = read(
        {
            f"{root}.1.9.0": 34,
            f"{root}.108.1.1.5.1.3": 2500,
            f"{root}.90.1.2.1.3.74.5": 40,
            f"{root}.90.1.2.1.3.74.6": 3296000,
            f"{root}.90.1.2.1.3.74.7": 7528,
            f"{root}.90.1.2.1.3.74.8": -5700,
        },
        object_id=root if root.endswith("101") else "1.3.6.1.4.1.99999.1",
    )
    assert told(device) >= {
        ("power", 2.5, "poe_port"),
        ("voltage", 3.296, "optical"),
        ("current", 0.007528, "optical"),
    }
    assert [one.percent for one in device.processors] == [34]


def test_host_sensors() -> None:
    lm = "1.3.6.1.4.1.2021.13.16"
    device = read(
        {f"{lm}.4.1.2.1": "VOUT", f"{lm}.4.1.3.1": 12187, f"{lm}.2.1.3.1": 41000}, object_id="1.3.6.1.4.1.8072.3"
    )
    assert told(device) == {("voltage", 12.187, "module"), ("temperature", 41, "module")}


def test_recordings_of_the_families_are_met(shared: Path) -> None:
    rows = snmp_corpus.compared(shared / "snmp", lambda name: re.match(FAMILIES, name) is not None)
    plain = [row for row in rows if not row.note]
    assert len(plain) >= EXPECTED
    assert sum(row.good for row in plain) >= MET
