"""Profiles of HPE, Aruba, Comware and Dell, of servers' controllers, arrays and console servers, on values written after
their MIBs' texts."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from collector.snmp.device import DeviceReading, evaluate_whole
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import Oid, SnmpValue
from tests.benchmarks import snmp_corpus

E = "1.3.6.1.4.1."
DESCRIPTION, OBJECT_ID = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0"
ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
FAMILIES = (
    r"^(aruba-instant|arubaos|avocent|datadomain|dell-o|dell-powervault|dnos|drac|fluidfs|hpblmos|hpe-ilo|hpmsm|ibm-imm"
    r"|opengear|powerconnect|procurve|supermicro|trippliteconsole)"
)
MET = 262


class Case(NamedTuple):
    """What a device answers (OIDs below the enterprises, or whole where they begin with a dot), and what is read."""

    values: Mapping[str, object] = MappingProxyType({})
    told: frozenset[tuple[str, float, str]] | set[tuple[str, float, str]] = frozenset()
    texts: tuple[str, str, str] = ("", "", "")
    description: str = ""
    object_id: str = "99999.1"
    processors: tuple[float, ...] = ()
    memory: tuple[float, ...] = ()


HP = "11.2.14.11.5.1"
CX = "47196.4.1.1.3"
SC2 = "231.2.10.2.2.10"

CASES: dict[str, Case] = {
    "procurve": Case(
        {f"{HP}.9.6.1.0": 17, f"{HP}.1.2.2.1.1.5.1": 1000, f"{HP}.1.2.2.1.1.7.1": 250, "11.2.36.1.1.2.9.0": "SG1"},
        texts=("JL322A 2930M-48G-PoE+", "WC.16.05.0004", "SG1"),
        description="Aruba JL322A 2930M-48G-PoE+ Switch, revision WC.16.05.0004, ROM WC.17.02.0006 (/ws/build)",
        object_id="11.2.3.7.11.182",
        processors=(17,),
        memory=(25,),
    ),
    "procurve old": Case(
        texts=("J4900B 2626", "H.10.35", ""),
        description="ProCurve J4900B Switch 2626, revision H.10.35, ROM H.08.02 (/sw/code/build/fish)",
        object_id="11.2.3.7.11.45",
    ),
    "procurve small": Case(
        texts=("1810G - 24 GE", "P.1.14", ""),
        description="HP ProCurve 1810G - 24 GE, P.1.14, eCos-2.0, CFE-2.1",
        object_id="11.2.3.7.11.103",
    ),
    "hpicf-power-supply": Case(
        {f"{HP}.55.1.1.1.2.1": 3, f"{HP}.55.1.1.1.6.1": 48, f"{HP}.55.1.1.1.7.1": 1100}
        | {f"{HP}.55.1.1.1.2.2": 1, f"{HP}.55.1.1.1.6.2": 0, "11.2.14.11.1.9.1.1.1.8.1.5": 6400}
        | {"11.2.14.11.1.9.1.8.1.3.1": 61, "11.2.14.11.1.9.1.1.1.1.1.5": 121, "11.2.14.11.1.9.1.1.1.2.1.5": 528}
        | {f"{HP}.82.1.1.1.1.9.49": 1, f"{HP}.82.1.1.1.1.12.49": 32928, f"{HP}.82.1.1.1.1.13.49": 8850},
        {
            ("power", 48, "psu_output"),
            ("power", 1100, "rating"),
            ("power", 6.4, "poe_port"),
            ("power", 61, "poe_total"),
            ("current", 0.121, "poe_port"),
            ("voltage", 52.8, "poe_port"),
            ("voltage", 3.2928, "optical"),
            ("current", 0.00885, "optical"),
        },
    ),
    "aruba-cx": Case(
        {f".{ENTITY}.5.1": 11, f".{ENTITY}.2.1": "Aruba 6300 VSF Stack", f".{ENTITY}.13.1": "JL658A"}
        | {f"{CX}.15.1.2.1.9.1": 39, f"{CX}.15.1.2.1.10.1": 30},
        texts=("Aruba 6300 VSF Stack", "FL.10.10.1030", ""),
        description="Aruba JL658A 6300M 24SFP+ 4SFP56 Swch FL.10.10.1030",
        object_id="47196.4.1.1.1.100",
        processors=(39,),
        memory=(30,),
    ),
    "aruba-cx-power": Case(
        {f"{CX}.11.8.1.0.1.1.5.1.0.1": "chassis", f"{CX}.11.8.1.0.1.1.6.1.0.1": 131}
        | {f"{CX}.11.8.1.0.1.1.5.1.2.1": "line card", f"{CX}.11.8.1.0.1.1.6.1.2.1": 44}
        | {f"{CX}.11.2.1.1.7.1.1": 64, f"{CX}.11.2.1.1.8.1.1": 550, f"{CX}.8.1.1.1.7.1.5": 3700}
        | {f"{CX}.27.1.2.1.1.11.36": "3.3089", f"{CX}.27.1.2.2.1.2.36.4": "7.5000"},
        {
            ("power", 131, "device"),
            ("power", 44, "module"),
            ("power", 64, "psu_output"),
            ("power", 550, "rating"),
            ("power", 3.7, "poe_port"),
            ("voltage", 3.3089, "optical"),
            ("current", 0.0075, "optical"),
        },
    ),
    "aruba-controller": Case(
        {"14823.2.2.1.1.1.12.0": "MC1", "14823.2.2.1.2.1.13.1.3.1": 16}
        | {"14823.2.2.1.1.1.11.1.2.1": 8000, "14823.2.2.1.1.1.11.1.3.1": 2000},
        texts=("Aruba7210", "8.6.0.4", "MC1"),
        description="ArubaOS (MODEL: Aruba7210), Version 8.6.0.4 (74969)",
        object_id="14823.1.1.32",
        processors=(16,),
        memory=(25,),
    ),
    "aruba-instant": Case(
        {"14823.2.3.3.1.2.1.1.4.36.1.2.3.4.5": "BT1", "14823.2.3.3.1.2.1.1.7.36.1.2.3.4.5": 9}
        | {"14823.2.3.3.1.2.1.1.8.36.1.2.3.4.5": 250, "14823.2.3.3.1.2.1.1.10.36.1.2.3.4.5": 1000},
        texts=("105", "6.4.4.8-4.2.4.12", "BT1"),
        description="ArubaOS (MODEL: 105), Version 6.4.4.8-4.2.4.12",
        object_id="14823.1.2.71",
        processors=(9,),
        memory=(75,),
    ),
    "comware": Case(
        {
            "25506.2.6.1.1.1.1.6.2": 12,
            "25506.2.6.1.1.1.1.8.2": 40,
            "25506.2.6.1.1.1.1.6.3": 0,
            "25506.2.6.1.1.1.1.8.3": 0,
        }
        | {"25506.2.6.1.2.1.1.2.2": "CN1"},
        texts=("HPE 5130 24G 4SFP+ EI", "7.1.045", "CN1"),
        description="HPE Comware Platform Software, Software Version 7.1.045, Release 3113P05\r\nHPE 5130 24G 4SFP+ EI"
        "\r\nCopyright (c) 2010-2016 Hewlett Packard Enterprise",
        object_id="25506.11.1.181",
        processors=(12,),
        memory=(40,),
    ),
    "hh3c-power": Case(
        {f".{ENTITY}.5.2": 3, "25506.2.6.1.3.1.1.3.2": 96000, "25506.2.6.1.3.1.1.2.2": 350000}
        | {f".{ENTITY}.5.7": 6, "25506.2.6.1.3.1.1.3.7": 90000, "25506.2.14.1.1.5.1.4": 7100}
        | {"25506.2.70.1.1.1.16.9": 329, "25506.2.70.1.1.1.17.9": 602},
        {
            ("power", 96, "device"),
            ("power", 350, "rating"),
            ("power", 90, "psu_output"),
            ("power", 7.1, "poe_port"),
            ("voltage", 3.29, "optical"),
            ("current", 0.00602, "optical"),
        },
    ),
    "3com": Case(
        texts=("Switch 4500 26-Port", "3Com OS V3.03.02s168p07", ""),
        description="3Com Switch 4500 26-Port Software Version 3Com OS V3.03.02s168p07",
        object_id="43.1.16.4.3.31",
    ),
    "hpe-ilo": Case(
        {"232.2.2.4.2.0": "ProLiant DL380 Gen10", "232.2.2.2.1.0": "CZ1"}
        | {"232.11.2.13.1.0": "4000", "232.11.2.13.2.0": "1000", "232.11.2.13.3.0": "900", "232.11.2.13.4.0": "810"},
        texts=("ProLiant DL380 Gen10", "2.44", "CZ1"),
        description="Integrated Lights-Out 5 2.44 Apr 30 2021",
        object_id="232.9.4.11",
        memory=(75, 10),
    ),
    "hpe-health": Case(
        {"232.6.2.15.3.0": 187, "232.6.2.15.4.0": -1, "232.6.2.9.3.1.3.0.1": 3, "232.6.2.9.3.1.7.0.1": 95}
        | {"232.6.2.9.3.1.6.0.1": 228, "232.6.2.9.3.1.8.0.1": 500, "232.6.2.9.3.1.3.0.2": 2, "232.6.2.9.3.1.7.0.2": 0},
        {
            ("power", 187, "device"),
            ("power", 95, "psu_output"),
            ("power", 500, "rating"),
            ("voltage", 228, "psu_input"),
        },
    ),
    "hpe-onboard-administrator": Case(
        {"232.22.2.3.1.1.1.3.1": "BladeSystem c7000 Enclosure G3", "232.22.2.3.1.1.1.7.1": "GB1"}
        | {"232.22.2.3.1.1.1.8.1": "4.60", "232.22.2.5.1.1.1.10.0.1.1": 412, "232.22.2.5.1.1.1.9.0.1.1": 2650}
        | {"232.22.2.5.1.1.1.16.0.1.1": 3, "232.22.2.5.1.1.1.10.0.1.2": -1, "232.22.2.4.1.1.1.39.0.1.1": 120},
        {("power", 412, "psu_output"), ("power", 2650, "rating"), ("power", 120, "statistic")},
        ("BladeSystem c7000 Enclosure G3", "4.60", "GB1"),
        object_id="11.5.7.1.2",
    ),
    "hpe-onboard-administrator-name": Case(
        texts=("", "4.60", ""), description="HP Onboard Administrator version 4.60", object_id="11.5.7.1.2"
    ),
    "hp-msm": Case(
        {"8744.5.21.1.1.5.0": 42, "8744.5.21.1.1.9.0": 1000, "8744.5.21.1.1.10.0": 100},
        texts=("MSM765", "6.6.0.0-22530", "SG1"),
        description="MSM765 - Hardware revision 2 - Serial number SG1 - Firmware version 6.6.0.0-22530",
        object_id="8744.1.47",
        processors=(42,),
        memory=(90,),
    ),
    "hp-http-manageability": Case(
        {"11.2.36.1.1.5.1.1.9.1": "MSL G3", "11.2.36.1.1.5.1.1.10.1": "MX1", "11.2.36.1.1.5.1.1.12.1": "9.70"},
        texts=("MSL G3", "9.70", "MX1"),
    ),
    "hpe-3par": Case(
        texts=("3PAR 7200c", "3.2.2.709", "CZ1"),
        description="HP_3PAR 7200c, ID: 12345, Serial number: CZ1, InForm OS version: 3.2.2.709",
        object_id="12925.1",
    ),
    "dell-idrac": Case(
        {"674.10892.5.1.3.12.0": "PowerEdge R640", "674.10892.5.1.1.8.0": "5.10.10.00", "674.10892.5.1.3.2.0": "TAG"}
        | {"674.10892.5.4.600.30.1.6.1.1": 4, "674.10892.5.4.600.30.1.7.1.1": 23, "674.10892.5.4.600.30.1.6.1.3": 144}
        | {"674.10892.5.4.600.30.1.7.1.3": 26, "674.10892.5.4.600.30.1.6.1.4": 1, "674.10892.5.4.600.30.1.7.1.4": 16}
        | {"674.10892.5.4.600.30.1.6.1.5": 2500, "674.10892.5.4.600.30.1.7.1.5": 7}
        | {"674.10892.5.4.600.12.1.16.1.1": 204, "674.10892.5.4.600.12.1.6.1.1": 7500}
        | {"674.10892.5.4.600.60.1.7.1.1": 1234567, "674.10892.5.4.600.60.1.9.1.1": 402}
        | {"674.10892.5.4.600.20.1.6.1.1": 3020, "674.10892.5.4.600.20.1.7.1.1": 12},
        {
            ("current", 0.4, "psu_input"),
            ("current", 2.5, "module"),
            ("power", 144, "device"),
            ("voltage", 204, "psu_input"),
            ("voltage", 3.02, "module"),
            ("power", 750, "rating"),
            ("power", 402, "statistic"),
            ("energy", 1234.567, "device"),
        },
        ("PowerEdge R640", "5.10.10.00", "TAG"),
    ),
    "dell-openmanage": Case(
        {"674.10892.1.600.30.1.6.1.1": 210, "674.10892.1.600.30.1.7.1.1": 26, "674.10892.1.600.12.1.9.1.1": 232},
        {("power", 210, "device"), ("voltage", 232, "psu_input")},
    ),
    "dell-chassis": Case(
        {"674.10892.2.1.1.19.0": "PowerEdge M1000e", "674.10892.2.1.2.1.0": "6.20", "674.10892.2.1.1.6.0": "TAG"}
        | {
            "674.10892.2.4.1.1.13.1": "1721.000",
            "674.10892.2.4.1.1.14.1": "7.744",
            "674.10892.2.4.1.1.6.1": "42470.004",
        }
        | {"674.10892.2.4.2.1.5.1.1": "243.500", "674.10892.2.4.2.1.6.1.1": "1.281", "674.10892.2.4.2.1.7.1.1": "2700"},
        {
            ("power", 1721, "device"),
            ("current", 7.744, "device"),
            ("energy", 42470.004, "device"),
            ("voltage", 243.5, "psu_input"),
            ("current", 1.281, "psu_input"),
            ("power", 2700, "rating"),
        },
        ("PowerEdge M1000e", "6.20", "TAG"),
    ),
    "dell-mm": Case(
        {"674.10892.6.1.1.1.0": "PowerEdge MX7000", "674.10892.6.1.1.5.0": "1.40.20", "674.10892.6.1.1.6.0": "TAG"}
        | {"674.10892.6.4.1.1.9.1": "4843", "674.10892.6.4.1.1.3.1": "9773", "674.10892.6.4.2.1.7.1.1": "203"}
        | {"674.10892.6.4.1.1.5.1": "5362"},
        {
            ("power", 4843, "device"),
            ("energy", 9773, "device"),
            ("voltage", 203, "psu_input"),
            ("power", 5362, "statistic"),
        },
        ("PowerEdge MX7000", "1.40.20", "TAG"),
    ),
    "dell-os10": Case(
        {"674.11000.5000.100.4.1.1.3.1.6.1": "A03", "674.11000.5000.100.4.1.1.3.1.7.1": "TAG"},
        texts=("s4128Fon", "A03", "TAG"),
        description="Dell EMC Networking OS10 Enterprise.",
        object_id="674.11000.5000.100.2.1.7",
    ),
    "dell-force10": Case(
        {"6027.3.10.1.2.9.1.2.1": 7, "6027.3.10.1.2.9.1.5.1": 31, "6027.3.26.1.4.6.1.4.2.1.1": 1}
        | {"6027.3.26.1.4.6.1.10.2.1.1": 83, "6027.3.26.1.4.6.1.4.2.1.2": 3, "6027.3.26.1.4.6.1.10.2.1.2": 0},
        {("power", 83, "psu_input")},
        ("S4810", "8.3.12.0", ""),
        description="Dell Force10 OS\nOperating System Version: 2.0\nApplication Software Version: 8.3.12.0\nSeries: S4810"
        "\nCopyright (c) 1999-2012 by Dell Inc.",
        object_id="6027.1.3.12",
        processors=(7,),
        memory=(31,),
    ),
    "dell-powerconnect": Case(
        {"674.10895.3000.1.2.100.8.1.4.1": "TAG"}
        | {"674.10895.5000.2.6132.1.1.1.1.4.9.0": "5 Secs ( 18.523%)   60 Secs (  7.4291%)  300 Secs (  5.7341%)"}
        | {"674.10895.5000.2.6132.1.1.1.1.4.1.0": 400, "674.10895.5000.2.6132.1.1.1.1.4.2.0": 1000}
        | {"674.10895.5000.2.6132.1.1.15.1.1.1.2.1.7": 5300, "674.10895.5000.2.6132.1.1.15.1.1.1.4.1.7": 53},
        {("power", 5.3, "poe_port"), ("voltage", 53, "poe_port")},
        texts=("Dell Networking N2048", "6.1.1.7", "TAG"),
        description="Dell Networking N2048, 6.1.1.7, Linux 3.6.5-601418a5",
        object_id="674.10895.3054",
        processors=(18.52,),
        memory=(60,),
    ),
    "fc-management": Case(
        {".1.3.6.1.3.94.1.8.1.6.80.0.1": "Voltage 12V Rail Loc: right-PSU: 12.42V"}
        | {".1.3.6.1.3.94.1.8.1.6.80.0.2": "Current 12V Rail Loc: right-PSU: 44.57A"}
        | {".1.3.6.1.3.94.1.8.1.6.80.0.3": "Capacitor Pack Voltage-Ctlr B: 8.14V"}
        | {".1.3.6.1.3.94.1.8.1.6.80.0.4": "Capacitor Charge-Ctlr B: 98%"}
        | {".1.3.6.1.3.94.1.8.1.6.80.0.5": "Overall Unit Status: OK"},
        {
            ("voltage", 12.42, "psu_output"),
            ("current", 44.57, "psu_output"),
            ("voltage", 8.14, "module"),
            ("charge", 98, "module"),
        },
    ),
    "dell-powervault": Case(texts=("DELL EMC ME4084", "", ""), description="DELL EMC ME4084", object_id="674"),
    "hpe-msa": Case(texts=("MSA 2050 SAN", "", ""), description="HPE MSA 2050 SAN", object_id="11.2.51"),
    "dell-datadomain": Case(
        texts=("", "5.5.1.4-464376", ""), description="Data Domain OS 5.5.1.4-464376", object_id="19746.3.1.38"
    ),
    "dell-fluidfs": Case(
        {"674.11000.2000.200.1.47.1": "6.0.300135", "674.11000.2000.200.1.47.2": "Dell Storage FS8600"},
        texts=("Dell Storage FS8600", "6.0.300135", ""),
    ),
    "dell-equallogic": Case(
        {"12740.2.1.1.1.21.1.5": 10, "12740.2.1.1.1.22.1.5": 0, "12740.2.1.1.1.23.1.5": 3},
        texts=("", "10.0.3", ""),
        object_id="12740.17.1",
    ),
    "ibm-imm": Case(
        {"2.3.51.3.1.5.2.1.5.0": "System x3550 M3", "2.3.51.3.1.5.1.1.3.1": "YUOOC7E", "2.3.51.3.1.5.2.1.3.0": "KD1"}
        | {"2.3.51.3.1.2.2.1.3.1": 3340, "2.3.51.3.1.10.1.10.0": 187, "2.3.51.3.1.10.1.12.0": 60},
        {("voltage", 3.34, "module"), ("power", 187, "device"), ("power", 60, "module")},
        ("System x3550 M3", "YUOOC7E", "KD1"),
    ),
    "lenovo-xcc": Case(
        {
            "19046.11.1.1.5.2.1.5.0": "ThinkSystem SR650",
            "19046.11.1.1.5.1.1.3.1": "CDI3",
            "19046.11.1.1.5.2.1.3.0": "J1",
        }
        | {"19046.11.1.1.2.2.1.3.1": "12120", "19046.11.1.1.2.2.1.3.2": "3.05 Volts", "19046.11.1.1.10.1.10.0": 210},
        {("voltage", 12.12, "module"), ("voltage", 3.05, "module"), ("power", 210, "device")},
        ("ThinkSystem SR650", "CDI3", "J1"),
    ),
    "ibm-bladecenter": Case(
        {"2.3.51.2.2.10.5.1.2.0": "2352W", "2.3.51.2.2.10.1.1.1.10.1": "900W", "2.3.51.2.2.2.1.5.0": "-5.02 Volts"}
        | {"2.3.51.2.2.21.1.1.1.0": "8852", "2.3.51.2.2.21.1.1.2.0": "4XG", "2.3.51.2.2.21.1.1.3.0": "KQ1"},
        {("power", 2352, "device"), ("power", 900, "psu_output"), ("voltage", -5.02, "module")},
        ("8852-4XG", "", "KQ1"),
    ),
    "ibm-networking-os": Case(
        {"26543.2.7.6.1.1.1.10.0": "7.9.1.0", "26543.2.7.6.1.2.2.1.0": 14},
        texts=("RackSwitch G8264", "7.9.1.0", ""),
        description="IBM Networking Operating System RackSwitch G8264",
        object_id="26543.1.7.6",
        processors=(14,),
    ),
    "supermicro-bmc": Case(
        {"21317.1.5.1.0": 3, "21317.1.5.2.0": 88, "21317.1.3.1.2.1": "11.847", "21317.1.3.1.13.1": "12V"}
        | {
            "21317.1.3.1.2.2": "3600.000",
            "21317.1.3.1.13.2": "FAN1",
            "21317.1.3.1.2.3": "3.03",
            "21317.1.3.1.13.3": "VBAT",
        },
        {("voltage", 11.847, "module"), ("voltage", 3.03, "module")},
        ("", "3.88.", ""),
    ),
    "supermicro-health": Case(
        {"10876.2.1.1.1.1.3.1": 1, "10876.2.1.1.1.1.4.1": 1128, "10876.2.1.1.1.1.3.2": 0, "10876.2.1.1.1.1.4.2": 4500},
        {("voltage", 1.128, "module")},
    ),
    "fujitsu-primergy": Case(
        {f"{SC2}.2.3.1.5.1": "PRIMERGY RX2540 M4", f"{SC2}.2.3.1.7.1": "YM1", f"{SC2}.4.5.1.5.1": 163}
        | {f"{SC2}.6.2.1.6.1.1": 84, f"{SC2}.6.2.1.6.1.2": 0, f"{SC2}.6.3.1.5.1.1": 12060, f"{SC2}.6.3.1.4.1.1": 3}
        | {f"{SC2}.6.7.1.5.1.3.1": 31, f"{SC2}.4.10.1.5.1.5.1": 22, f"{SC2}.4.10.1.5.1.2.1": 47},
        {
            ("power", 163, "device"),
            ("power", 84, "psu_output"),
            ("voltage", 12.06, "module"),
            ("power", 31, "module"),
        },
        ("PRIMERGY RX2540 M4", "", "YM1"),
        processors=(22,),
        memory=(47,),
    ),
    "huawei-ibmc": Case(
        {"2011.2.235.1.1.1.6.0": "2288H V5", "2011.2.235.1.1.1.7.0": "2102", "2011.2.235.1.1.1.13.0": 164}
        | {"2011.2.235.1.1.20.4.0": "1531.2", "2011.2.235.1.1.6.50.1.8.1": 88, "2011.2.235.1.1.1.23.0": 9}
        | {"2011.2.235.1.1.13.50.1.15.1": 4, "2011.2.235.1.1.13.50.1.2.1": "12.120", "2011.2.235.1.1.1.25.0": 33}
        | {"2011.2.235.1.1.11.50.1.2.1": 1, "2011.2.235.1.1.11.50.1.4.1": "3.63"},
        {
            ("power", 164, "device"),
            ("energy", 1531.2, "device"),
            ("power", 88, "psu_input"),
            ("voltage", 12.12, "module"),
        },
        ("2288H V5", "3.63", "2102"),
        processors=(9,),
        memory=(33,),
    ),
    "oracle-ilom": Case(
        {f".{ENTITY}.7.5": "/SYS/VPS", "42.2.70.101.1.1.8.1.1.5": 8, "42.2.70.101.1.1.8.1.2.5": 0}
        | {"42.2.70.101.1.1.8.1.4.5": 310, f".{ENTITY}.7.6": "/SYS/MB/V_+12V", "42.2.70.101.1.1.8.1.1.6": 6}
        | {"42.2.70.101.1.1.8.1.2.6": -3, "42.2.70.101.1.1.8.1.4.6": 12160},
        {("power", 310, "device"), ("voltage", 12.16, "module")},
        ("ORACLE SERVER X6-2", "3.2.4.52", ""),
        description="ORACLE SERVER X6-2, ILOM v3.2.4.52, r101649",
    ),
    "opengear": Case(
        {"25049.17.1.1": "4.3.0 f5ad8650 ()", "25049.17.1.2": "7008", "25049.17.13.1.3.1": 12, "25049.17.13.1.4.1": 39},
        {("voltage", 12, "psu_input"), ("current", 0.39, "psu_output")},
        ("ACM550x", "4.3.0", "7008"),
        object_id="25049.1.81",
    ),
    "tripplite-console": Case(
        texts=("B097-016", "4.12.3", ""),
        description="TrippLite B097-016, Linux 3.10.0-uc0 armv7l, TrippLite/B097 Version 4.12.3 a5834656 -- Tue May 17",
        object_id="850.1.7",
    ),
    "avocent-acs": Case(
        {"10418.16.2.1.2.0": "ACS6032 with dual supply", "10418.16.2.1.4.0": "05", "10418.16.2.1.7.0": "3.3.0"},
        texts=("ACS6032", "3.3.0", "05"),
        object_id="10418.16.1.3",
    ),
    "lantronix-slc": Case(
        {"244.1.1.6.28.0": "SLC8032-DualAC-USB", "244.1.1.6.2.0": "0080A3", "244.1.1.6.3.0": "7.4"},
        texts=("SLC8032-DualAC-USB", "7.4", "0080A3"),
        object_id="244.1.1",
    ),
    "snia-sml": Case(
        {"14851.3.1.3.1.0": "3573-TL", "14851.3.1.3.4.0": "F.11", "14851.3.1.4.3.0": "00L4"},
        texts=("3573-TL", "F.11", "00L4"),
    ),
}


def snmp(value: object) -> SnmpValue:
    assert isinstance(value, (int, str))
    return value.encode() if isinstance(value, str) else value


def read(case: Case) -> DeviceReading:
    values = {(oid[1:] if oid[0] == "." else E + oid): snmp(value) for oid, value in case.values.items()}
    system: dict[str, SnmpValue] = {DESCRIPTION: case.description.encode(), OBJECT_ID: Oid(E + case.object_id)}
    return evaluate_whole(Snapshot({**values, **system}))


@pytest.mark.parametrize("name", CASES)
def test_a_device_is_read_by_its_mib(name: str) -> None:
    case = CASES[name]
    device = read(case)
    assert name.split(maxsplit=1)[0] in device.profiles or name == "aruba-cx"
    assert {(one.quantity, one.value, one.role) for one in device.readings} == case.told
    assert (device.identity.hardware, device.identity.version, device.identity.serial) == case.texts
    assert tuple(one.percent for one in device.processors) == case.processors
    assert tuple(one.percent for one in device.memory) == case.memory


def test_a_switch_that_answers_is_not_said_to_draw_nothing() -> None:
    power = read(Case({f"{CX}.11.2.1.1.7.1.1": 0}, object_id="47196.4.1.1.1.303")).power
    assert (power.watts, power.basis, [one.code for one in power.diagnoses]) == (None, "none", ["power_zero"])


def test_recordings_of_the_families_are_met(shared: Path) -> None:
    rows = snmp_corpus.compared(shared / "snmp", lambda name: re.match(FAMILIES, name) is not None)
    assert sum(row.good for row in rows if not row.note) >= MET
