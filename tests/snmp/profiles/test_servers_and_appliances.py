"""Profiles of operating systems, firewalls, wireless, storage, printers and other appliances, on values written after
the MIBs' texts, and on the recordings where they are present."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from collector.snmp.device import DeviceReading, evaluate_whole
from collector.snmp.snapshot import Snapshot
from collector.snmp.values import Oid, SnmpValue
from tests.benchmarks import snmp_corpus

E = "1.3.6.1.4.1"
STORAGE = "1.3.6.1.2.1.25.2.3.1"
FAMILIES = (
    r"^(axiscam|canonprinter|konica|epson|fujifilm|jetdirect|okilan|sharp|dsm|infortrend|exagrid|f5|forti|gaia|"
    r"secureplatform|hiveos|netscaler|nutanix|linux|openbsd|opnsense|pfsense|panos|purestorage|rubrik|ruckus|screenos|"
    r"sonicwall|sophos|truenas|vmware|windows|zywall|firebrick|aaron|alpineoe|deva|ecreso|esphome|profline|gemds|"
    r"gw-eydfa|oceanstor|rs$|saf|tachyon|tait)"
)
MET, EXPECTED = 561, 575


@dataclass(frozen=True)
class Case:
    """What a device answers (OIDs below the enterprises, or whole), and what must be read."""

    profile: str
    description: str = ""
    object_id: str = ""
    values: Mapping[str, SnmpValue] = field(default_factory=dict)
    texts: tuple[str, str, str] = ("", "", "")
    readings: set[tuple[str, float, str]] = field(default_factory=set)
    processors: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


def read(values: Mapping[str, SnmpValue]) -> DeviceReading:
    return evaluate_whole(Snapshot({oid: one.encode() if type(one) is str else one for oid, one in values.items()}))


def storage(rows: dict[int, tuple[int, str, int, int]]) -> dict[str, SnmpValue]:
    """Rows of the host's storage table: type, description, size and used, in kibibytes."""
    found: dict[str, SnmpValue] = {}
    for row, (kind, name, size, used) in rows.items():
        columns: dict[int, SnmpValue] = {2: Oid(f"1.3.6.1.2.1.25.2.1.{kind}"), 3: name, 4: 1024, 5: size, 6: used}
        found |= {f"{STORAGE}.{column}.{row}": value for column, value in columns.items()}
    return found


SPELT = ".".join(map(str, b"+5VSupplyVoltage"))
CASES = [
    Case(
        "host-resources",
        values={"1.3.6.1.2.1.25.3.3.1.2.196608": 12, "1.3.6.1.2.1.25.3.3.1.2.196609": 14, "1.3.6.1.2.1.25.2.2.0": 1000}
        | storage(
            {
                1: (2, "Physical memory", 1000, 900),
                3: (3, "Virtual memory", 2000, 900),
                4: (4, "/", 9, 9),
                6: (1, "Memory buffers", 1000, 100),
                7: (1, "Cached memory", 500, 500),
                10: (3, "Swap space", 0, 0),
            }
        ),
        processors=[12, 14],
        memory=[30, 45, 10, 50],
    ),
    Case(
        "host-resources",
        # Buffers and cache that are not within what is called used, and pools of FreeBSD's kernel.
        values=storage(
            {
                1: (2, "Physical memory", 1000, 300),
                6: (1, "Memory buffers", 1000, 100),
                7: (1, "Cached memory", 500, 500),
                8: (2, "UMA: UMA Zones", 5, 5),
            }
        ),
        memory=[30, 10, 50],
    ),
    Case(
        "ucd",
        values={f"{E}.2021.11.11.0": 97}
        | {f"{E}.2021.4.{one}.0": value for one, value in {3: 500, 4: 400, 5: 1000, 6: 500, 14: 50, 15: 150}.items()},
        processors=[3],
        memory=[30, 20, 5, 15],
    ),
    Case(
        "linux",
        "Linux web1 6.1.0-18-amd64 #1 SMP Debian 6.1.76-1 x86_64",
        texts=("Generic x86 64-bit", "6.1.0-18-amd64", ""),
    ),
    Case(
        "windows",
        "Hardware: Intel64 Family 6 Model 85 AT/AT COMPATIBLE - Software: Windows Version 6.3 (Build 17763 Multi)",
        f"{E}.311.1.1.3.1.2",
        texts=("Intel x64", "Server 2019 1809 (NT 10.0)", ""),
    ),
    Case("bsd", "FreeBSD fw 13.2-RELEASE-p4 FreeBSD 13.2 GENERIC amd64", texts=("amd64", "13.2-RELEASE-p4", "")),
    Case("unix", "SunOS db 5.11 11.4.0.15.0 sun4v", texts=("sun4v", "5.11", "")),
    Case(
        "vmware",
        "VMware ESXi 7.0.3 build-20328353 VMware, Inc. x86_64",
        f"{E}.6876.4.1",
        {"1.3.6.1.2.1.47.1.1.1.1.2.1": "Dell Inc. PowerEdge R640", "6876.1.2.0": "7.0.3"},
        ("Dell Inc. PowerEdge R640", "7.0.3", ""),
    ),
    Case(
        "fortinet-fortigate",
        values={
            "1.3.6.1.2.1.47.1.1.1.1.13.1": "FWF_61F",
            "12356.101.4.1.1.0": "v7.2.6",
            "12356.101.4.1.3.0": 7,
            "12356.101.4.4.2.1.2.1": 9,
            "12356.101.4.1.4.0": 40,
            "12356.101.4.1.5.0": 2048,
            "12356.101.4.3.2.1.2.1": "+VCC3",
            "12356.101.4.3.2.1.3.1": "3.33",
            "12356.101.4.3.2.1.2.2": "PS1 VIN",
            "12356.101.4.3.2.1.3.2": "231",
            "12356.101.4.3.2.1.2.3": "PS1 Fan 1",
            "12356.101.4.3.2.1.3.3": "8000",
        },
        texts=("FortiWiFi 61F", "v7.2.6", ""),
        readings={("voltage", 3.33, "module"), ("voltage", 231, "psu_input")},
        processors=[7, 9],
        memory=[40],
    ),
    Case(
        "fortinet-managers",
        object_id=f"{E}.12356.103.3.64",
        values={"12356.103.2.1.2.0": 25, "12356.103.2.1.3.0": 100, "12356.103.2.1.7.0": "v7.0"},
        texts=("FortiAnalyzer (FAZ) VM", "v7.0", ""),
        memory=[25],
    ),
    Case(
        "fortinet-fortiswitch",
        values={"12356.106.4.1.1.0": "FortiSwitch-448E-FPOE v7.2.3,build0444", "12356.106.4.1.2.0": 30},
        texts=("FortiSwitch-448E-FPOE", "7.2.3", ""),
        processors=[30],
    ),
    Case("fortinet-fortiap", values={"12356.120.1.1.0": "FP231F-v7.0"}, texts=("FortiAP 231F", "FP231F-v7.0", "")),
    Case(
        "fortinet-other",
        object_id=f"{E}.12356.105",
        values={"12356.105.1.1.0": "FML", "12356.105.1.2.0": "FE1", "12356.105.1.3.0": "v7.0.1", "12356.105.1.6.0": 3},
        texts=("FML", "v7.0.1", "FE1"),
        processors=[3],
    ),
    Case(
        "checkpoint",
        values={"2620.1.6.16.7.0": "CP 6600", "2620.1.6.4.1.0": "R81", "2620.1.6.7.8.3.1.3.1.0": "12.05"},
        texts=("CP 6600", "R81", ""),
        readings={("voltage", 12.05, "module")},
    ),
    Case(
        "paloalto",
        object_id=f"{E}.25461.2.3.24",
        values={
            "25461.1.1.7.1.1.1.0": 2400,
            "25461.1.1.7.1.1.2.0": 910,
            "25461.1.1.7.1.2.1.1.1.5": 200,
            "25461.2.1.2.1.1.0": "10.2",
            "25461.2.1.2.3.1.0": 4,
        },
        texts=("", "10.2", ""),
        readings={("power", 2400, "rating"), ("power", 910, "device"), ("power", 200, "module"), ("load", 4, "module")},
    ),
    Case(
        "sonicwall",
        values={"8741.2.1.1.1.0": "TZ 470", "8741.2.1.1.3.0": "7.1", "8741.2.1.1.4.0": "2", "8741.1.3.1.3.0": 5},
        texts=("TZ 470", "(Firmware 7.1 / ROM 2)", ""),
        processors=[5],
    ),
    Case(
        "screenos",
        "NetScreen-5GT version 5.4.0r8.0 (SN: 0064092005, Firewall+VPN)",
        f"{E}.3224.1.9",
        {"3224.16.1.3.0": 8, "3224.16.2.1.0": 750, "3224.16.2.2.0": 250},
        ("NetScreen-5GT", "5.4.0r8.0", "0064092005"),
        processors=[8],
        memory=[75],
    ),
    Case(
        "zyxel-zywall",
        values={"890.1.15.3.1.11.0": "USG60", "890.1.6.22.1.1.0": 9, "890.1.6.22.1.2.0": 50, "890.1.15.3.2.6.0": 10},
        texts=("USG60", "", ""),
        processors=[9],
        memory=[50, 10],
    ),
    Case(
        "sophos",
        values={"2604.5.1.1.2.0": "XGS87", "2604.5.1.9.5.1.5.1": 6300, "2604.5.1.9.5.1.6.1": 53500},
        texts=("XGS87", "", ""),
        readings={("power", 6.3, "poe_port"), ("voltage", 53.5, "poe_port")},
    ),
    Case("pfsense", "pfSense gw.lan 2.7.0-RELEASE FreeBSD 14.0-CURRENT amd64", texts=("amd64", "2.7.0-RELEASE", "")),
    Case(
        "truenas", "TrueNAS-13.0-U6 (a1). Hardware: amd64 Xeon. Software: FreeBSD", texts=("amd64 Xeon", "13.0-U6", "")
    ),
    Case(
        "firebrick",
        "FB2900 FB2900 Name (V1.50 2020-01-01)",
        f"{E}.24693.1.2900",
        {
            "24693.100.1.1.1.2.1": "Voltage (mV)",
            "24693.100.1.1.1.4.1": 5007,
            "24693.100.2.1.1.2.5.1": 250,
            "24693.100.4.1.1": 100,
            "24693.100.4.1.2": 40,
        },
        ("FB2900", "V1.50", ""),
        {("voltage", 5.007, "module")},
        [2.5],
        [60],
    ),
    Case(
        "f5",
        object_id=f"{E}.3375.2.1.3.4.43",
        values={"3375.2.1.3.5.2.0": "BIG-IP i2600", "3375.2.1.1.2.1.44.0": 100, "3375.2.1.1.2.1.45.0": 14},
        texts=("BIG-IP i2600", "", ""),
        memory=[14],
    ),
    Case(
        "netscaler",
        object_id=f"{E}.5951.1",
        values={
            "5951.4.1.1.1.0": "NetScaler NS13.1: Build 4.43.nc",
            f"5951.4.1.1.41.7.1.2.16.{SPELT}": 5216,
            "5951.4.1.1.41.6.1.2.3.67.80.85": 4,
        },
        texts=("", "NS13.1", ""),
        readings={("voltage", 5.216, "module")},
        processors=[4],
    ),
    Case(
        "hillstone", object_id=f"{E}.28557.1.2", values={"28557.2.2.1.3.0": 9}, texts=("SA5040", "", ""), processors=[9]
    ),
    Case("watchguard", "M470", f"{E}.3097.1.5.1", {"3097.6.3.77.0": 250}, ("M470", "", ""), processors=[2.5]),
    Case("stormshield", object_id=f"{E}.11256.2.0", values={"11256.1.18.1.0": "SN210"}, texts=("SN210", "", "")),
    Case(
        "clavister",
        object_id=f"{E}.5089.1",
        values={"5089.1.2.1.11.1.3.1": 5010, "5089.1.2.1.11.1.4.1": "mV", "5089.1.2.1.1.0": 6},
        readings={("voltage", 5.01, "module")},
        processors=[6],
    ),
    Case(
        "printer-mib",
        values={
            "1.3.6.1.2.1.25.3.2.1.2.1": Oid("1.3.6.1.2.1.25.3.1.5"),
            "1.3.6.1.2.1.25.3.2.1.3.1": "Acme Laser",
            "1.3.6.1.2.1.43.5.1.1.17.1": "S1",
        },
        texts=("Acme Laser", "", "S1"),
    ),
    Case(
        "hp-jetdirect",
        "HP ETHERNET MULTI-ENVIRONMENT,SN:X1,PID:HP LaserJet 600 M602",
        f"{E}.11.2.3.9.1",
        texts=("LaserJet 600 M602", "", "X1"),
    ),
    Case(
        "printers-konica-canon",
        "KONICA MINOLTA bizhub C308",
        f"{E}.18334.1.1.1.2",
        {"18334.1.1.1.1.6.1.0": "1.5"},
        ("bizhub C308", "1.5", ""),
    ),
    Case(
        "ricoh",
        "RICOH MP C3004 1.21 / RICOH Network Printer C model",
        f"{E}.367.1.1",
        texts=("MP C3004", "1.21", ""),
    ),
    Case(
        "kyocera",
        object_id=f"{E}.1347.41",
        values={"1347.43.5.1.1.1.1": "TASKalfa 2552ci"},
        texts=("TASKalfa 2552ci", "", ""),
    ),
    Case(
        "brother",
        "Brother NC-8300h, Firmware Ver.1.05  (13.11.13),MID 8C5-H13,FID 2",
        f"{E}.2435.2.3.9.1",
        {"2435.2.3.9.1.1.7.0": "MFG:Brother;CMD:PJL;MDL:HL-5450DN;CLS:PRINTER;"},
        ("HL-5450DN", "1.05", ""),
    ),
    Case(
        "printers-other",
        "Lexmark MS810 version NH.HS12.N219 kernel 2.6.28",
        f"{E}.641.2",
        texts=("MS810", "NH.HS12.N219", ""),
    ),
    Case(
        "aerohive",
        "AP230, HiveOS 8.1r2a build-178408",
        f"{E}.26928.1",
        {"26928.1.2.3.0": 1, "26928.1.2.4.0": 27},
        ("AP230", "8.1r2a build-178408", ""),
        processors=[1],
        memory=[27],
    ),
    Case(
        "ruckus",
        "Ruckus Wireless ZD1112",
        f"{E}.25053.3.1.5.2",
        {"25053.1.2.1.1.1.1.18.0": "9.13", "25053.1.2.1.1.1.1.20.0": "GB", "25053.1.2.1.1.1.15.13.0": 4},
        ("ZD1112", "9.13 (GB)", ""),
        processors=[4],
    ),
    Case(
        "cambium", values={"17713.21.1.1.1.0": "4.6", "17713.21.2.1.64.0": 55}, texts=("", "4.6", ""), processors=[5.5]
    ),
    Case("xirrus", object_id=f"{E}.21013", values={"21013.1.2.28.16.1.4.0": "XR-620"}, texts=("XR-620", "", "")),
    Case(
        "radio-links",
        object_id=f"{E}.31926",
        values={"31926.1.1.0": 48, "31926.1.2.0": 41},
        readings={("voltage", 48, "psu_input"), ("temperature", 41, "module")},
    ),
    Case(
        "infortrend",
        object_id=f"{E}.1714.1.1",
        values={"1714.1.1.9.1.6.5": 5, "1714.1.1.9.1.9.5": 5170, "1714.1.1.9.1.6.1": 3, "1714.1.1.9.1.9.1": 609},
        readings={("voltage", 5.17, "module")},
    ),
    Case(
        "saf-integra",
        "Prod: Integra-G;Vers: 1.2;S/N: 44",
        f"{E}.7571.100.1.1.7.9",
        {f"7571.100.1.1.7.9.4.{one}.0": value for one, value in {5: 53000, 6: 768, 7: 40700, 10: 793}.items()},
        ("Integra-G", "1.2", "44"),
        {("voltage", 53, "psu_input"), ("current", 0.768, "psu_input"), ("power", 40.7, "device")},
        [20.7],
    ),
    Case(
        "tachyon",
        object_id=f"{E}.57344.1",
        values={"57344.1.3.6.0": 3, "57344.1.3.7.0": 36, "57344.1.2.2.1.5.1": 66960, "57344.1.2.6.1.12.1": 600},
        readings={("frequency", 66.96e9, "optical"), ("runtime", 10, "statistic")},
        processors=[3],
        memory=[36],
    ),
    Case(
        "tait",
        object_id=f"{E}.3570.2.2",
        values={f"3570.2.2.2.1.2.4.2.{one}.0": value for one, value in {4: 5930, 5: 2807}.items()}
        | {"3570.2.2.2.1.2.3.2.1.0": 25},
        readings={("current", 5.93, "psu_output"), ("voltage", 28.07, "psu_output"), ("power", 25, "optical")},
    ),
    Case(
        "rohde-schwarz",
        "Sx800",
        f"{E}.2566.127.1.2.167",
        {"2566.127.1.2.167.4.1.2.5.0": "50.0", "2566.127.1.2.167.4.1.2.29.0": "12.1"},
        ("Sx800", "", ""),
        {("power", 50, "optical"), ("voltage", 12.1, "psu_output")},
    ),
    Case(
        "ecreso",
        values={"6404.3.1.2.7.1.3.1.0": 1000, "6404.3.1.2.7.1.3.2.0": 15, "6404.3.1.2.7.1.4.6.0": 1000},
        texts=("1000W", "", ""),
        readings={("power", 1000, "optical"), ("power", 1.5, "optical")},
    ),
    Case(
        "broadcast-receivers",
        object_id=f"{E}.35833.37",
        values={"35833.37.3.1.0": 89900, "35833.37.1.2.0": "7K1"},
        texts=("", "", "7K1"),
        readings={("frequency", 89.9e6, "optical")},
    ),
    Case(
        "optical-amplifiers",
        object_id=f"{E}.17409.1.11",
        values={"17409.1.11.4.1.2.1": 541, "17409.1.11.4.1.3.1": 28, "17409.1.11.7.1.2.1": 48},
        readings={("current", 0.541, "module"), ("current", 0.28, "module"), ("voltage", 4.8, "module")},
    ),
    Case(
        "gemds",
        object_id=f"{E}.4130.10",
        values={"4130.10.1.1.1.2.9.0": "13.8", "4130.10.1.1.1.2.2.0": 77},
        texts=("", "", "77"),
        readings={("voltage", 13.8, "psu_input")},
    ),
    Case("axis", "; AXIS P1354; Network Camera; 5.90.1.2; Jun 20", f"{E}.368.1", texts=("AXIS P1354", "5.90.1.2", "")),
    Case(
        "esphome",
        "ESPHome version 2024.12.2",
        values={"1.3.9999.2.2.0": 240},
        texts=("", "2024.12.2", ""),
        readings={("frequency", 240e6, "module")},
    ),
    Case("storage", "Pure Storage FlashArray, Purity//FA 6.5.6", texts=("FlashArray", "Purity//FA 6.5.6", "")),
    Case(
        "synology",
        values={
            "6574.1.5.1.0": "DS920+",
            "6574.1.5.3.0": "DSM 7.1-42661",
            "6574.4.2.12.1.0": 18.0,
            "6574.4.3.6.1.0": 1200,
        },
        texts=("DS920+", "7.1-42661", ""),
        readings={("load", 18, "ups_output"), ("runtime", 20, "ups_battery")},
    ),
    Case(
        "qnap",
        values={"24681.1.2.1.0": "12.30 %", "24681.1.2.2.0": "2000.0 MB", "24681.1.2.3.0": "500.0 MB"},
        processors=[12.3],
        memory=[75],
    ),
    Case(
        "netapp",
        "NetApp Release 9.1P5: Thu",
        f"{E}.789.2.5",
        {"789.1.2.1.3.0": 5, "789.1.1.5.0": "FAS2552"},
        ("FAS2552", "9.1P5", ""),
        processors=[5],
    ),
    Case(
        "audiocodes",
        "Product: MP-118 FXS;SW Version: 5.80A.045",
        f"{E}.5003.8.1",
        {"5003.9.10.10.2.5.8.0": 4, "5003.9.10.10.2.5.10.0": 6},
        ("MP-118 FXS", "5.80A.045", ""),
        processors=[4, 6],
    ),
    Case(
        "huawei-oceanstor",
        values={
            "34774.4.1.1.6.0": "6.0.1",
            "34774.4.1.23.5.2.1.7.2.48.65": 98304,
            "34774.4.1.23.5.2.1.8.2.48.65": 22,
            "34774.4.1.23.5.2.1.9.2.48.65": 71,
            "34774.4.1.23.5.2.1.10.2.48.65": 120,
        },
        texts=("", "6.0.1", ""),
        readings={("voltage", 12, "module")},
        processors=[22],
        memory=[71],
    ),
    Case(
        "ruckus-ap",
        object_id=f"{E}.25053.3.1.4.71",
        values={"25053.1.1.2.1.1.1.1.0": "R500", "25053.1.1.2.1.1.1.2.0": "9"},
        texts=("R500", "", "9"),
    ),
    Case(
        "pulse-secure",
        object_id=f"{E}.12532.256.2",
        values={"12532.6.0": "MAG-2600", "12532.7.0": "8.1", "12532.10.0": 4, "12532.11.0": 33},
        texts=("MAG-2600", "8.1", ""),
        processors=[4],
        memory=[33],
    ),
    Case(
        "adic",
        values={
            "3764.1.1.10.3.0": "Scalar i500",
            "3764.1.1.200.200.10.1.9.1.1": 180,
            "3764.1.1.200.200.10.1.3.1.1": 500,
            "3764.1.1.200.200.20.1.4.1.1.1": 12050,
        },
        texts=("Scalar i500", "", ""),
        readings={("power", 180, "psu_input"), ("power", 500, "rating"), ("voltage", 12.05, "module")},
    ),
    Case(
        "benu",
        object_id=f"{E}.39406.1",
        values={"39406.1.1.1.4.1.1.4.1.7": 5, "39406.1.1.1.4.1.1.5.1.7": 210},
        readings={("power", 210, "module")},
    ),
    Case(
        "siae",
        object_id=f"{E}.3373.1103",
        values={"3373.74.7.1.7.2": 3300, "3373.74.7.1.10.2": 250},
        readings={("voltage", 3.3, "optical"), ("power", 0.00025, "optical")},
    ),
    Case("vyos", "VyOS 1.3.2", texts=("", "1.3.2", "")),
    Case("meinberg", "Meinberg LANTIME M600 V6.24", f"{E}.5597.30", texts=("LANTIME M600", "6.24", "")),
    Case("phones", "snom320-SIP 8.7.3.25 1.1.5-u", texts=("snom320", "8.7.3.25", "")),
    Case(
        "cameras",
        values={"39165.1.1.0": "DS-2CD2142", "39165.1.7.0": "23 PERCENT"},
        texts=("DS-2CD2142", "", ""),
        processors=[23],
    ),
    Case(
        "openbsd-sensors",
        values={
            "30155.2.1.2.1.3.1": 2,
            "30155.2.1.2.1.5.1": "11.98",
            "30155.2.1.2.1.3.2": 5,
            "30155.2.1.2.1.5.2": "7.1",
        },
        readings={("voltage", 11.98, "module"), ("power", 7.1, "module")},
    ),
    Case(
        "efficientip",
        object_id=f"{E}.2440.1.6",
        values={"2440.1.14.6.1.0": 182, "2440.1.14.6.2.0": 5120, "2440.1.14.6.3.0": 300, "2440.1.14.6.4.0": 1400},
        readings={("power", 182, "device"), ("energy", 5120, "device")}
        | {("power", 300, "statistic"), ("current", 1.4, "statistic")},
    ),
    Case(
        "infoblox",
        object_id=f"{E}.7779.1.1420",
        values={"7779.3.1.1.2.1.8.1.1.0": 8},
        texts=("ib4000", "", ""),
        processors=[8],
    ),
    Case("bluecat", object_id=f"{E}.13315.2.1", values={"13315.3.2.2.1.2.0": "9.3"}, texts=("", "9.3", "")),
    Case(
        "bluecoat",
        object_id=f"{E}.3417.1.1",
        values={"3417.2.1.1.1.1.1.3.4": 4, "3417.2.1.1.1.1.1.4.4": -2, "3417.2.1.1.1.1.1.5.4": 1205},
        readings={("voltage", 12.05, "module")},
    ),
    Case(
        "riverbed", object_id=f"{E}.17163.1.1", values={"17163.1.1.1.3.0": "rbt_sh 9.6.1 #1"}, texts=("", "9.6.1", "")
    ),
    Case("silver-peak", object_id=f"{E}.23867.1.2.48", texts=("ECS", "", "")),
    Case("a10", object_id=f"{E}.22610.1.3", values={"22610.2.4.1.3.2.1.3.1": 5}, processors=[5]),
    Case("greenbone", object_id=f"{E}.35847.1", values={"35847.1.2.1.0": "GSM 400"}, texts=("GSM 400", "", "")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.profile)
def test_a_device_is_read_as_its_mib_says(case: Case) -> None:
    system: dict[str, SnmpValue] = {"1.3.6.1.2.1.1.1.0": case.description, "1.3.6.1.2.1.1.2.0": Oid(case.object_id)}
    device = read(system | {oid if oid.startswith("1.3") else f"{E}.{oid}": one for oid, one in case.values.items()})
    assert case.profile in device.profiles
    identity = device.identity
    assert (identity.hardware, identity.version, identity.serial) == case.texts
    assert {(one.quantity, one.value, one.role) for one in device.readings} == case.readings
    assert [one.percent for one in device.processors] == pytest.approx(case.processors)
    assert [one.percent for one in device.memory] == pytest.approx(case.memory)


def test_recordings_of_servers_and_appliances_are_read(shared: Path) -> None:
    found = snmp_corpus.compared(shared / "snmp", _is_mine)
    assert len(found) == EXPECTED
    assert sum(row.good for row in found) >= MET


def _is_mine(name: str) -> bool:
    return re.search(FAMILIES, name) is not None
