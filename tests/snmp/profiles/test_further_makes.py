"""Profiles of makes A to I beside the large groups, and what a description tells of a make without one, on values
written after the MIBs' texts."""

from collections.abc import Mapping
from typing import Any

import pytest

from collector.snmp.device import DeviceReading, evaluate_whole
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import Oid, SnmpValue

ENTERPRISES = "1.3.6.1.4.1"
ENTITY = "1.3.6.1.2.1.47.1.1.1.1"


def device(object_id: str, description: str, values: Mapping[str, str | int] | None = None) -> DeviceReading:
    """A device of these values: OIDs below enterprises unless they begin with 1.3."""
    said: dict[str, SnmpValue] = {
        "1.3.6.1.2.1.1.1.0": description.encode(),
        "1.3.6.1.2.1.1.2.0": Oid(f"{ENTERPRISES}.{object_id}"),
    }
    for oid, value in (values or {}).items():
        full = oid if oid.startswith("1.3.") else f"{ENTERPRISES}.{oid}"
        said[full] = value.encode() if isinstance(value, str) else value
    return evaluate_whole(Snapshot(said))


def texts(one: DeviceReading) -> list[str]:
    return [one.identity.hardware, one.identity.version, one.identity.serial]


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("GigaVUE-HC2 GigaVUE-OS 5.4.00", ["GigaVUE-HC2", "5.4.00", ""]),
        ("EnGenius ECB350 v1.3.5", ["EnGenius ECB350", "1.3.5", ""]),
        ("AP, Model: NWA1123-AC PRO, Firmware Version: V6.10(ABHD.1)", ["NWA1123-AC PRO", "6.10(ABHD.1)", ""]),
        ("Barracuda Load Balancer 6.4.0.017", ["", "6.4.0.017", ""]),
        ("Product: GW 7; O/S Version 4.1-2.3; Serial No. 0034A12", ["GW 7", "4.1-2.3", "0034A12"]),
        ("Router HW:1.0 SW:2.3.1", ["", "2.3.1", ""]),
        ("Comet System P8552, Firmware Version 4-5-8-0", ["", "4-5-8-0", ""]),
        ("Mail Gateway 3.4", ["", "3.4", ""]),
        # A kernel, a protocol, a boot loader and a card are not the product.
        ("Linux host 5.10.0", ["", "5.10.0", ""]),
        ("Supervisor for SNMP V1.0", ["", "", ""]),
        ("SNMPv2 agent", ["", "", ""]),
        ("RS485 gateway", ["", "", ""]),
        ("Firmware V12", ["", "", ""]),
        ("Router; boot version 1.1, hardware version 2.0", ["", "", ""]),
        ("Web/SNMP Management Card, SN: ZA2001002384", ["", "", ""]),
    ],
)
def test_a_description_tells_model_version_and_serial_of_a_make_without_profile(
    description: str, expected: list[str]
) -> None:
    assert texts(device("99999.1", description)) == expected


def test_a_description_gives_way_to_what_tables_say() -> None:
    one = device("99999.1", "X-1000 v2.0", {f"{ENTITY}.5.1": 3, f"{ENTITY}.10.1": "7.7", f"{ENTITY}.13.1": "Y-2000"})
    assert texts(one) == ["Y-2000", "7.7", ""]


@pytest.mark.parametrize(
    ("object_id", "description", "values", "expected"),
    [
        (
            "1588.2.1.1.1",
            "Fibre Channel Switch.",
            {
                f"{ENTITY}.2.1": "Brocade G620",
                f"{ENTITY}.11.1": "EZL1912M00K",
                "1588.2.1.1.1.1.6.0": "v8.2.1c",
                "1588.2.1.1.1.26.1.0": 7,
                "1588.2.1.1.1.26.6.0": 31,
            },
            ["Brocade G620", "v8.2.1c", "EZL1912M00K", [7], [31]],
        ),
        (
            "22420.1.1",
            "EtherNID",
            {
                "22420.1.1.1.0": "MetroNID TE",
                "22420.1.1.4.0": "AEN_6.3_20418",
                "22420.1.1.6.0": "G151-0132",
                "22420.1.1.20.0": 12,
            },
            ["MetroNID TE", "AEN_6.3_20418", "G151-0132", [12], []],
        ),
        (
            "9694.1.4",
            "Peakflow SP 5.6.0 (build E2B9) System Board Model: CP5500 Serial Number: 1234-A",
            {},
            ["CP5500", "5.6.0", "1234-A", [], []],
        ),
        (
            "1166.1.36",
            "APEX",
            {"1166.7.1.7.0": "2.8.8", "1166.7.1.1.0": "0913520004"},
            ["APEX1500", "2.8.8", "0913520004", [], []],
        ),
        ("6321.1.2.4.1.6", "Calix AXOS", {"6321.1.2.4.2.5.10.0": "071904"}, ["E9-2", "", "071904", [], []]),
        (
            "30803.1",
            "EndaceProbe",
            {
                "30803.1.1.1.11.0": "EP-9200G4",
                "30803.1.1.1.1.0": "7.0.2",
                "30803.1.1.1.10.0": "91042",
                "30803.1.1.1.2.5.1.5.0": 3,
                "30803.1.1.1.2.5.1.5.1": 5,
            },
            ["EP-9200G4", "7.0.2", "91042", [3, 5], []],
        ),
        (
            "12356.105.1",
            "",
            {
                "12356.105.1.1.0": "FortiMail-400F",
                "12356.105.1.2.0": "FE400F3A19000001",
                "12356.105.1.3.0": "v7.0.2,build164",
                "12356.105.1.6.0": 6,
                "12356.105.1.7.0": 44,
            },
            ["FortiMail-400F", "v7.0.2,build164", "FE400F3A19000001", [6], [44]],
        ),
        (
            "12356.113.100",
            "",
            {
                "12356.113.1.1.0": "FAC-VM",
                "12356.113.1.2.0": "FAC-VM0A00000001",
                "12356.113.1.3.0": "6.4.1",
                "12356.113.1.4.0": 2,
                "12356.113.1.5.0": 37,
            },
            ["FAC-VM", "6.4.1", "FAC-VM0A00000001", [2], [37]],
        ),
        (
            "39406.1",
            "",
            {"39406.1.1.1.1.1.0": 5, "39406.1.1.1.1.3.0": "B0123"},
            ["xMEG-100", "", "B0123", [], []],
        ),
    ],
    ids=lambda one: one if isinstance(one, str) and one[0:1].isdigit() else "",
)
def test_texts_and_loads_are_read(
    object_id: str, description: str, values: dict[str, str | int], expected: list[Any]
) -> None:
    one = device(object_id, description, values)
    loads = [[load.percent for load in one.processors], [pool.percent for pool in one.memory]]
    assert [*texts(one), *loads] == expected


@pytest.mark.parametrize(
    ("object_id", "values", "expected"),
    [
        (
            "1588.2.1.1.1",
            {
                "1588.2.1.1.1.28.1.1.2.16.0.5.30.10.7": "7.294",
                "1588.2.1.1.1.28.1.1.3.16.0.5.30.10.7": "3316.50",
                "1588.2.1.1.1.1.22.1.2.1": 1,
                "1588.2.1.1.1.1.22.1.3.1": 4,
                "1588.2.1.1.1.1.22.1.4.1": 38,
                "1588.2.1.1.1.1.22.1.2.2": 2,
                "1588.2.1.1.1.1.22.1.4.2": 5100,
            },
            ["voltage 3.3165 optical", "current 0.007294 optical", "temperature 38 module"],
        ),
        (
            "18928.1",
            {
                "18928.1.2.2.1.8.1.2.1": "12V",
                "18928.1.2.2.1.8.1.3.1": 12099,
                "18928.1.2.2.1.8.1.2.9": "Battery Status",
                "18928.1.2.2.1.8.1.3.9": 255,
            },
            ["voltage 12.099 module"],
        ),
        ("3375.2.1.3.4.82", {"3375.2.1.3.2.5.2.1.2.3.49.50.86": 12120}, ["voltage 12.12 module"]),
    ],
)
def test_sensors_are_read(object_id: str, values: dict[str, str | int], expected: list[str]) -> None:
    one = device(object_id, "", values)
    assert [f"{reading.quantity} {reading.value:g} {reading.role}" for reading in one.readings] == expected


def test_a_nexus_is_named_by_its_model_and_not_as_chassis() -> None:
    one = device(
        "9.12.3.1.3.612",
        "Cisco NX-OS(tm) n7000, Software (n7000-s2-dk9), Version 6.2(8a), RELEASE SOFTWARE",
        {f"{ENTITY}.7.149": "Chassis", f"{ENTITY}.13.149": "N7K-C7010", f"{ENTITY}.11.149": "JAF1234ABCD"},
    )
    assert texts(one) == ["N7K-C7010", "6.2(8a)", "JAF1234ABCD"]


def test_a_cisco_without_entity_table_has_the_serial_of_its_chassis_table() -> None:
    description = (
        "Cisco Internetwork Operating System Software \r\nIOS (tm) C2600 Software (C2600-I-M), Version 12.2(8)T5"
    )
    assert texts(device("9.1.209", description, {"9.3.6.3.0": "JAD05190MTZ"}))[2] == "JAD05190MTZ"


def test_comware_is_a_platform_and_no_model() -> None:
    description = (
        "HPE Comware Platform Software, Software Version 7.1.070, Release 3111P07\r\nHPE 5130 24G 4SFP+ EI JG932A"
    )
    assert texts(device("25506.11.1.180", description))[:2] == ["HPE 5130 24G 4SFP+ EI JG932A", "7.1.070"]


def test_every_card_of_an_fsp_150_tells_its_voltage() -> None:
    cards = {"2544.1.12.3.1.91.1.5.1.1.1": 12033, "2544.1.12.3.1.57.1.5.1.1.1": 0, "2544.1.12.3.1.70.1.6.1.1.9": 11990}
    one = device("2544.1.12.1.1.41", "FSP150CC-XG116PRO (H)", cards)
    assert [f"{reading.value:g} {reading.role}" for reading in one.readings] == ["11.99 module", "12.033 module"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"4.1.4.0": "AP9212", "4.1.1.0": "B2", "4.1.5.0": "WA0150003461"}, ["AP9212 B2", "WA0150003461"]),
        ({"10.3.1.2.0": "AP9320", "10.3.1.4.0": "05", "10.3.1.6.0": "ZA1"}, ["AP9320 05", "ZA1"]),
        (
            {"13.3.2.2.1.4.0": "ACRC103", "13.3.2.2.1.7.0": "2", "13.3.2.2.1.5.0": "YK0846"},
            ["ACRC103 2", "YK0846"],
        ),
        ({"13.2.1.2.0": "ACPA4000", "13.2.1.6.0": "1", "13.2.1.4.0": "ZA2"}, ["ACPA4000 1", "ZA2"]),
        (
            {"15.1.7.0": "PD60G6FK1", "15.1.2.0": "7", "15.1.8.0": "QA1", "15.3.1.4.1.2.1": 4800},
            ["PD60G6FK1 7", "QA1"],
        ),
        ({"23.1.1.0": "PDPM72F", "23.1.5.0": "4", "23.1.2.0": "PD1", "22.4.3.1.0": 120}, ["PDPM72F 4", "PD1"]),
    ],
)
def test_apc_units_are_named_by_model_and_hardware_revision(values: dict[str, str | int], expected: list[str]) -> None:
    description = "APC Web/SNMP Management Card (MB:v3.9.2 PF:v3.7.3 PN:a.bin AF1:v3.7.2 AN1:b.bin MN:AP9619)"
    one = device("318.1.3.8.4", description, {f"318.1.1.{oid}": value for oid, value in values.items()})
    assert texts(one) == [expected[0], "AOS v3.7.3 / App v3.7.2", expected[1]]


def test_a_small_business_router_tells_its_model() -> None:
    one = device("9.6.1.23.1.1.1", "Linux, Cisco Small Business RV320, Version 1.4.2.20 Thu Dec 20 2018")
    assert texts(one) == ["RV320", "1.4.2.20", ""]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"109.1.1.1.1.8.1": 12, "109.1.1.1.1.7.1": 30}, [12]),
        ({"109.1.1.1.1.7.1": 30, "109.1.1.1.1.4.1": 31}, [30]),
        ({"109.1.1.1.1.5.1": 14, "109.1.1.1.1.4.1": 31}, [14]),
    ],
)
def test_a_cisco_processor_is_told_once_over_the_longest_time(values: dict[str, int], expected: list[int]) -> None:
    one = device("9.1.1178", "Cisco IOS Software", {f"9.9.{oid}": value for oid, value in values.items()})
    assert [load.percent for load in one.processors] == expected


@pytest.mark.parametrize(
    ("object_id", "values", "expected"),
    [
        ("2011.10.1.80", {"2011.10.2.6.1.1.1.1.6.2": 17, "2011.10.2.6.1.1.1.1.8.2": 41}, ([17], [41])),
        (
            "2011.2.23.96",
            {
                "2011.6.3.4.1.4.0.0.0": 9,
                "2011.6.3.5.1.1.2.0.0.0": 64000000,
                "2011.6.3.5.1.1.3.0.0.0": 48000000,
            },
            ([9], [25]),
        ),
        (
            "2011.2.23.96",
            {"2011.5.25.31.1.1.1.1.5.67": 12, "2011.5.25.31.1.1.1.1.7.67": 30, "2011.6.3.4.1.4.0.0.0": 9},
            ([12], [30]),
        ),
        (
            "21839.2.2.26.101",
            {"21839.2.2.26.1.39.2.1.0": 11, "21839.2.2.26.1.39.3.1.0": 100, "21839.2.2.26.1.39.3.3.0": 35},
            ([11], [65]),
        ),
        (
            "211.1.21.1.150",
            {"211.1.21.1.150.1.5.0": "ET103ACU", "211.1.21.1.150.5.4.2.1.2.0": 4, "211.1.21.1.150.5.4.2.1.2.1": 6},
            ([4, 6], []),
        ),
        ("39165.1", {"39165.1.7.0": "23 PERCENT", "39165.1.11.0": "43 PERCENT"}, ([23], [43])),
    ],
)
def test_loads_of_older_tables_are_read(
    object_id: str, values: dict[str, str | int], expected: tuple[list[float], list[float]]
) -> None:
    one = device(object_id, "", values)
    assert ([load.percent for load in one.processors], [pool.percent for pool in one.memory]) == expected


@pytest.mark.parametrize(
    ("object_id", "description", "expected"),
    [
        (
            "11.2.3.7.11.45",
            "Hewlett-Packard Company ProCurve J4900B Switch 2626, revision H.10.74",
            "J4900B 2626 H.10.74",
        ),
        (
            "11.2.3.7.11.216",
            "Aruba Instant On 1930 24G Switch JL682A, InstantOn_1930_1.0.5.0 (139), Linux 4.4.120",
            "Instant On 1930 24G Switch JL682A 1.0.5.0",
        ),
        ("9.6.1.32.371.1", "Linux, Cisco Systems Inc, WAP371, Version 1.2.0.2", "WAP371 1.2.0.2"),
        ("9.1.1282", "Cisco Wide Area Application Software (WAVE-594) Software Version 5.1.1c", "WAVE-594 5.1.1c"),
        ("11.5.7.5.2.1", "HP VC Flex-10 Enet Module Virtual Connect 4.10", "VC Flex-10 Enet Module 4.10"),
        ("1991.1.3.51.1.1", "Brocade NetIron CES, IronWare Version V5.4.0cT183 Compiled on", "NetIron CES 5.4.0cT183"),
        ("171.10.63.3", "D-Link DES-3026 Fast Ethernet Switch", "DES-3026 "),
        ("207.1.4.175", "Allied Telesis AT-GS950/24", "AT-GS950/24 "),
        (
            "2011.2.224.6",
            "Huawei AR2220 Huawei Versatile Routing Platform Software VRP (R) software,Version 5.160 (AR2200 V200R008C50)",
            "AR2220 5.160 (V200R008C50)",
        ),
    ],
)
def test_models_are_found_in_rarer_descriptions(object_id: str, description: str, expected: str) -> None:
    one = device(object_id, description)
    assert f"{one.identity.hardware} {one.identity.version}" == expected


@pytest.mark.parametrize(
    ("object_id", "values", "expected"),
    [
        (
            "211.1.21.1.150",
            {
                "211.1.21.1.150.1.1.0": "00ETERNUSDXMS3ET103ACU####CB4601234567##",
                "211.1.21.1.150.4.1.0": "V10L87-0000",
            },
            ["ET103ACU", "V10L87-0000", "4601234567"],
        ),
        (
            "1271.3",
            {"1271.3.4.6.3.1.2.1": "Waveserver 5", "1271.3.4.6.29.1.2.1": "M8712345"},
            ["Waveserver 5", "", "M8712345"],
        ),
    ],
)
def test_texts_of_tables_are_read(object_id: str, values: dict[str, str | int], expected: list[str]) -> None:
    assert texts(device(object_id, "Ciena Waveserver", values)) == expected
