"""Profiles of UPSs and DC plants, on values written after the MIBs' texts."""

import re
from pathlib import Path

import pytest

from collector.snmp.device import DeviceReading, evaluate_whole
from collector.snmp.snapshot import Snapshot
from tests.benchmarks import snmp_corpus
from tests.servers.recordings import recording

Values = dict[str, int | str]
UPS = "1.3.6.1.2.1.33.1"
APC = "1.3.6.1.4.1.318.1.1.1"
XUPS = "1.3.6.1.4.1.534.1"
MGE = "1.3.6.1.4.1.705.1"
LIEBERT = "1.3.6.1.4.1.476.1.42.3"
FLEXIBLE = f"{LIEBERT}.9.20.1"
TRIPP = "1.3.6.1.4.1.850.1.1.3.1"
SC300 = "1.3.6.1.4.1.1918.2.14.10"
FAMILIES = {"ups", "dc_plant"}
MET, EXPECTED = 623, 640


def read(values: Values, description: str = "", object_id: str = "1.3.6.1.4.1.8072.3.2.10") -> DeviceReading:
    system: Values = {"1.3.6.1.2.1.1.1.0": description, "1.3.6.1.2.1.1.2.0": object_id}
    return evaluate_whole(
        Snapshot({oid: value.encode() if isinstance(value, str) else value for oid, value in (system | values).items()})
    )


def told(device: DeviceReading) -> set[tuple[str, float, str]]:
    return {(one.quantity, one.value, one.role) for one in device.readings}


FIGURES: list[tuple[str, Values, set[tuple[str, float, str]]]] = [
    (
        "ups-mib",
        {
            f"{UPS}.2.2.0": 90,
            f"{UPS}.2.3.0": 25,
            f"{UPS}.2.4.0": 97,
            f"{UPS}.2.5.0": 2703,
            f"{UPS}.2.6.0": -12,
            f"{UPS}.3.3.1.2.1": 499,
            f"{UPS}.3.3.1.3.1": 231,
            f"{UPS}.3.3.1.4.1": 52,
            f"{UPS}.3.3.1.5.1": 1100,
            f"{UPS}.4.2.0": 500,
            f"{UPS}.4.4.1.4.1": 1000,
            f"{UPS}.4.4.1.5.1": 33,
            f"{UPS}.5.1.0": 501,
            f"{UPS}.9.6.0": 3000,
        },
        {
            ("runtime", 1.5, "statistic"),
            ("runtime", 25, "ups_battery"),
            ("charge", 97, "ups_battery"),
            ("voltage", 270.3, "ups_battery"),
            ("current", -1.2, "ups_battery"),
            ("frequency", 49.9, "ups_input"),
            ("voltage", 231, "ups_input"),
            ("current", 5.2, "ups_input"),
            ("power", 1100, "ups_input"),
            ("frequency", 50, "ups_output"),
            ("power", 1000, "ups_output"),
            ("load", 33, "ups_output"),
            ("frequency", 50.1, "ups_bypass"),
            ("power", 3000, "rating"),
        },
    ),
    (
        "apc-ups",
        {
            f"{APC}.2.2.3.0": 152200,
            f"{APC}.2.2.9.0": -1,
            f"{APC}.2.3.1.0": 995,
            f"{APC}.2.3.4.0": 408,
            f"{APC}.3.3.1.0": 2301,
            f"{APC}.3.2.15.0": 7,
            f"{APC}.4.2.8.0": 410,
            f"{APC}.4.3.3.0": 378,
            f"{APC}.4.3.4.0": 30,
            f"{APC}.4.3.6.0": 123456,
            f"{APC}.9.2.3.1.9.1.1.1": 300,
            f"{APC}.9.2.3.1.3.2.1.1": 231,
        },
        {
            ("runtime", 25.36666667, "ups_battery"),
            ("charge", 99.5, "ups_battery"),
            ("voltage", 40.8, "ups_battery"),
            ("voltage", 230.1, "ups_input"),
            ("energy", 7, "ups_input"),
            ("power", 410, "ups_output"),
            ("load", 37.8, "ups_output"),
            ("current", 3, "ups_output"),
            ("energy", 1234.56, "ups_output"),
            ("power", 300, "ups_input"),
            ("voltage", 231, "ups_bypass"),
        },
    ),
    (
        "apc-battery-manager",
        {"1.3.6.1.4.1.318.1.1.16.9.2.1.9.1": 54321, "1.3.6.1.4.1.318.1.1.9.4.1.2.0": 20500},
        {("voltage", 54.321, "ups_battery"), ("current", 20.5, "device")},
    ),
    (
        "eaton-xups",
        {
            f"{XUPS}.2.1.0": 8620,
            f"{XUPS}.2.2.0": 78,
            f"{XUPS}.2.3.0": -2,
            f"{XUPS}.3.4.1.2.1": 228,
            f"{XUPS}.4.1.0": 25,
            f"{XUPS}.4.4.1.7.1": 12,
            f"{XUPS}.4.4.1.9.1": 260,
            f"{XUPS}.4.7.0": 81234,
            f"{XUPS}.4.9.5.0": 92,
        },
        {
            ("runtime", 143.6666667, "ups_battery"),
            ("voltage", 78, "ups_battery"),
            ("current", -2, "ups_battery"),
            ("voltage", 228, "ups_input"),
            ("load", 25, "ups_output"),
            ("current", 1.2, "ups_output"),
            ("apparent_power", 260, "ups_output"),
            ("energy", 81.234, "ups_output"),
            ("power_factor", 0.92, "ups_output"),
        },
    ),
    (
        "eaton-mge",
        {
            f"{MGE}.5.1.0": 2594,
            f"{MGE}.5.5.0": 810,
            f"{MGE}.6.2.1.2.1.0": 2290,
            f"{MGE}.6.2.1.4.0": 500,
            f"{MGE}.7.2.1.4.1": 59,
            f"{MGE}.7.2.1.5.1": 70,
        },
        {
            ("runtime", 43.23333333, "ups_battery"),
            ("voltage", 81, "ups_battery"),
            ("voltage", 229, "ups_input"),
            ("load", 59, "ups_output"),
            ("current", 7, "ups_output"),
        },
    ),
    (
        "riello-ups",
        {
            "1.3.6.1.4.1.5491.10.1.1.10.0": 9000,
            "1.3.6.1.4.1.5491.10.1.4.4.1.4.1": 3396,
            "1.3.6.1.4.1.5491.10.1.3.3.1.5.1": 65535,
        },
        {("power", 9000, "rating"), ("power", 3396, "ups_output")},
    ),
    (
        "delta-ups",
        {"1.3.6.1.4.1.2254.2.4.4.3.0": 2312, "1.3.6.1.4.1.2254.2.4.5.6.0": 122, "1.3.6.1.4.1.2254.2.4.7.6.0": 554},
        {("voltage", 231.2, "ups_input"), ("power", 122, "ups_output"), ("voltage", 55.4, "ups_battery")},
    ),
    (
        "cyberpower-ups",
        {
            "1.3.6.1.4.1.3808.1.1.1.2.2.4.0": 120000,
            "1.3.6.1.4.1.3808.1.1.1.4.2.1.0": 1230,
            "1.3.6.1.4.1.3808.1.1.1.4.2.5.0": 210,
            "1.3.6.1.4.1.3808.1.1.1.4.2.6.0": 1234,
        },
        {
            ("runtime", 20, "ups_battery"),
            ("voltage", 123, "ups_output"),
            ("power", 210, "ups_output"),
            ("energy", 123.4, "ups_output"),
        },
    ),
    (
        "abb-ups",
        {"1.3.6.1.4.1.53973.1.1.1.1.4.4.1.4.1": 900, "1.3.6.1.4.1.53973.1.1.2.1.4.4.1.4.1": 450},
        {("power", 900, "ups_output")},
    ),
    (
        "mitsubishi-ups",
        {"1.3.6.1.4.1.13891.101.4.4.1.2.1": 4801, "1.3.6.1.4.1.13891.101.4.4.1.2.2": 208},
        {("voltage", 480.1, "ups_output"), ("voltage", 208, "ups_output")},
    ),
    (
        "socomec-ups",
        {
            "1.3.6.1.4.1.4555.1.1.7.1.2.3.0": 65535,
            "1.3.6.1.4.1.4555.1.1.7.1.3.3.1.3.1": 655350,
            "1.3.6.1.4.1.4555.1.1.7.1.3.3.1.2.1": 2400,
            "1.3.6.1.4.1.4555.1.1.1.1.4.4.1.4.1": 12,
        },
        {("voltage", 240, "ups_input"), ("load", 12, "ups_output")},
    ),
    (
        "phoenixtec-eppc",
        {"1.3.6.1.4.1.935.10.1.1.2.18.1.5.1": 640, "1.3.6.1.4.1.935.10.1.1.2.16.1.3.1": 2312},
        {("power", 640, "ups_output"), ("voltage", 231.2, "ups_input")},
    ),
    (
        "megatec-ups",
        {
            "1.3.6.1.4.1.935.1.1.1.2.2.4.0": 9999,
            "1.3.6.1.4.1.935.1.1.1.8.3.5.0": 235,
            "1.3.6.1.4.1.935.1.1.1.8.4.2.0": 2346,
        },
        {("runtime", 166.65, "ups_battery"), ("load", 23.5, "ups_output"), ("voltage", 234.6, "ups_bypass")},
    ),
    (
        "eaton-matrix",
        {"1.3.6.1.4.1.935.10.2.1.2.2.1.10.1": 17, "1.3.6.1.4.1.935.10.2.1.3.2.1.11.1": 1222},
        {("apparent_power", 17, "module"), ("voltage", 122.2, "ups_output")},
    ),
    (
        "orvaldi-ups",
        {"1.3.6.1.4.1.21111.1.1.5.4.0": 20130, "1.3.6.1.4.1.21111.1.1.4.5.1.3.1": 2440},
        {("power", 2013, "ups_output"), ("voltage", 244, "ups_input")},
    ),
    (
        "liebert-gp",
        {
            f"{LIEBERT}.5.2.2.1.2.1": "1.3.6.1.4.1.476.1.42.3.5.2.1.5",
            f"{LIEBERT}.5.2.2.1.8.1": 8200,
            f"{LIEBERT}.5.2.2.1.10.1": 123000,
            f"{LIEBERT}.5.2.2.1.11.1": 415,
            f"{LIEBERT}.5.2.3.1.3.3.1": "1.3.6.1.4.1.476.1.42.3.5.2.1.1",
            f"{LIEBERT}.5.2.3.1.5.3.1": 227,
            f"{LIEBERT}.5.2.3.1.14.3.1": 90,
            f"{LIEBERT}.5.1.18.0": 14,
        },
        {
            ("power", 8200, "ups_output"),
            ("energy", 123, "ups_output"),
            ("load", 41.5, "ups_output"),
            ("voltage", 227, "ups_input"),
            ("power_factor", 0.9, "ups_input"),
            ("runtime", 14, "ups_battery"),
        },
    ),
    (
        "tripplite-ups",
        {
            f"{TRIPP}.3.3.2.1.4.1.1": 512,
            f"{TRIPP}.3.3.2.1.11.1.1": 51,
            f"{TRIPP}.3.3.2.1.3.1.1": 431,
            f"{TRIPP}.3.3.2.1.13.1.1": 81234,
            f"{TRIPP}.3.5.1.1.9.1.2": 64,
            f"{TRIPP}.3.1.1.1.5.1": 152200,
        },
        {
            ("power", 512, "ups_output"),
            ("power", 510, "ups_output"),
            ("current", 4.31, "ups_output"),
            ("energy", 81.234, "ups_output"),
            ("power", 64, "outlet"),
            ("runtime", 25.36666667, "ups_battery"),
        },
    ),
    (
        "tripplite-12x",
        {"1.3.6.1.4.1.850.100.1.10.4.1.2.1": 40, "1.3.6.1.4.1.850.100.1.4.7.1.3.1": 65534},
        {("power", 40, "outlet")},
    ),
    (
        "hp-ups",
        {"1.3.6.1.4.1.232.165.3.4.4.1.4.1": 730, "1.3.6.1.4.1.232.165.3.3.1.0": 500},
        {("power", 730, "ups_output"), ("frequency", 50, "ups_input")},
    ),
    (
        "dell-ups",
        {"1.3.6.1.4.1.674.10902.2.120.2.9.0": 800, "1.3.6.1.4.1.674.10902.2.120.5.3.0": 1200},
        {("apparent_power", 800, "ups_output"), ("runtime", 20, "ups_battery")},
    ),
    (
        "toshiba-ups",
        {"1.3.6.1.4.1.186.1.19.2.5.1.3.13.0": 24, "1.3.6.1.4.1.186.1.19.2.5.1.2.12.0": 9000},
        {("power", 24000, "ups_output"), ("power", 9000, "ups_input")},
    ),
    (
        "alpha-ups",
        {"1.3.6.1.4.1.7309.6.1.4.4.1.5.1": 350, "1.3.6.1.4.1.7309.6.1.3.2.1.2.1": 60},
        {("power", 350, "ups_output"), ("frequency", 60, "ups_input")},
    ),
    (
        "vertiv-rdu",
        {"1.3.6.1.4.1.13400.3.4.491.1.1.39.1": 52, "1.3.6.1.4.1.13400.3.2.225.1.1.8.1": 123},
        {("power", 5200, "ups_output"), ("power", 1230, "inlet")},
    ),
    (
        "cet-tsi",
        {
            "1.3.6.1.4.1.12551.4.1.2.2.1.12.1": 3411,
            "1.3.6.1.4.1.12551.4.1.2.2.1.14.1": 12000,
            "1.3.6.1.4.1.12551.4.1.1.1.1.28.4": 300,
        },
        {("power", 3411, "ups_output"), ("power", 12000, "rating"), ("temperature", 26.85, "module")},
    ),
    (
        "ge-pulsar",
        {"1.3.6.1.4.1.10520.2.1.3.1.4.0": -54690, "1.3.6.1.4.1.10520.2.1.3.7.1.11.10": 900},
        {("voltage", -54.69, "ups_output"), ("current", 0.9, "module")},
    ),
    (
        "eaton-rps-sc300",
        {
            f"{SC300}.50.30.0": 123,
            f"{SC300}.60.30.1.103.2": 65535,
            f"{SC300}.70.10.20.0": 5432,
            f"{SC300}.50.20.0": 255,
        },
        {("power", 1230, "ups_output"), ("voltage", 54.32, "ups_output")},
    ),
    (
        "eaton-rps-sc200",
        {"1.3.6.1.4.1.1918.2.13.10.50.30.0": 123, "1.3.6.1.4.1.1918.2.13.10.100.43.0": 3600},
        {("power", 1230, "ups_output"), ("runtime", 60, "ups_battery")},
    ),
    (
        "delta-orion",
        {"1.3.6.1.4.1.20246.2.3.1.1.1.2.3.1.0": 5412, "1.3.6.1.4.1.20246.2.3.1.1.1.2.3.8.0": 2147483647},
        {("voltage", 54.12, "ups_output")},
    ),
    (
        "emerson-netsure",
        {"1.3.6.1.4.1.6302.2.1.2.2.0": 53490, "1.3.6.1.4.1.6302.2.1.2.3.0": 12500},
        {("voltage", 53.49, "ups_output"), ("current", 12.5, "ups_output")},
    ),
    (
        "huawei-dc",
        {"1.3.6.1.4.1.2011.6.164.1.6.1.3.0": 549, "1.3.6.1.4.1.2011.6.164.1.3.1.5.0": 535},
        {("voltage", 54.9, "ups_output"), ("voltage", 53.5, "rating")},
    ),
    (
        "eltek-valere",
        {"1.3.6.1.4.1.13858.2.3.2.0": 5451, "1.3.6.1.4.1.13858.2.1.6.1.4.1.2": 594},
        {("voltage", 54.51, "ups_output"), ("current", 5.94, "module")},
    ),
    (
        "alpha-cxc",
        {
            "1.3.6.1.4.1.7309.4.1.6.2.2.1.3.1": 5399,
            "1.3.6.1.4.1.7309.4.1.6.2.2.1.4.1": "Load Voltage",
            "1.3.6.1.4.1.7309.4.1.6.2.2.1.3.4": -376,
            "1.3.6.1.4.1.7309.4.1.6.2.2.1.4.4": "Battery Current",
            "1.3.6.1.4.1.7309.4.1.6.2.2.1.3.12": 48,
            "1.3.6.1.4.1.7309.4.1.6.2.2.1.4.12": "System Voltage Mode",
        },
        {("voltage", 53.99, "ups_output"), ("current", -3.76, "ups_battery")},
    ),
    (
        "alpha-compas",
        {"1.3.6.1.4.1.26854.3.2.1.20.1.20.1.13.3.11.0": 55},
        {("voltage", 55, "ups_output")},
    ),
    (
        "algcom-dc-ups",
        {"1.3.6.1.4.1.49136.1.1.2.0": 1374, "1.3.6.1.4.1.49136.1.8.8.0": -1897},
        {("current", 1.374, "ups_output"), ("current", -1.897, "statistic")},
    ),
    ("bke", {"1.3.6.1.4.1.27533.5.3.1.0": 549}, {("voltage", 54.9, "ups_battery")}),
    ("ict-inverter", {"1.3.6.1.4.1.39145.12.6.0": "54.3"}, {("voltage", 54.3, "ups_battery")}),
    (
        "exeltech-inverter",
        {"1.3.6.1.4.1.30320.1.0.1.1.0": 117, "1.3.6.1.4.1.30320.1.0.1.2.0": 65535, "1.3.6.1.4.1.30320.1.0.1.3.0": 600},
        {("voltage", 117, "ups_input"), ("frequency", 60, "ups_input")},
    ),
    (
        "himoinsa-genset",
        {"1.3.6.1.4.1.41809.1.55.1.2.0": 500, "1.3.6.1.4.1.41809.1.29.0": 137},
        {("frequency", 50, "ups_input"), ("voltage", 13.7, "ups_battery")},
    ),
    (
        "morningstar",
        {"1.3.6.1.4.1.33333.2.36.0": 8738, "1.3.6.1.4.1.33333.5.62.0": "123.5", "1.3.6.1.4.1.33333.2.52.0": 71},
        {("voltage", 47.99926758, "ups_battery"), ("power", 123.5, "ups_input"), ("energy", 7.1, "module")},
    ),
    (
        "eaton-ats2",
        {"1.3.6.1.4.1.534.10.2.2.2.1.2.2": 2301, "1.3.6.1.4.1.534.10.2.2.3.2.0": 34},
        {("voltage", 230.1, "inlet"), ("current", 3.4, "outlet")},
    ),
    (
        "eltek-smartpack",
        {"1.3.6.1.4.1.12148.10.10.5.5.0": 5399, "1.3.6.1.4.1.12148.10.9.2.5.0": 125},
        {("voltage", 53.99, "ups_battery"), ("current", 12.5, "ups_output")},
    ),
    (
        "fujitsu-eternus-power",
        {
            "1.3.6.1.4.1.211.1.21.1.150.13.1.2.1.5.0": 640,
            "1.3.6.1.4.1.211.1.21.1.150.13.1.2.1.2.0": 2,
            "1.3.6.1.4.1.211.1.21.1.150.13.1.2.1.5.1": 9,
            "1.3.6.1.4.1.211.1.21.1.150.13.1.2.1.2.1": 255,
        },
        {("power", 640, "statistic")},
    ),
]


@pytest.mark.parametrize(("profile", "values", "expected"), FIGURES, ids=[one[0] for one in FIGURES])
def test_figures(profile: str, values: Values, expected: set[tuple[str, float, str]]) -> None:
    device = read(values)

    assert profile in device.profiles
    assert told(device) == expected


def test_cards_that_differ_from_rfc_1628() -> None:
    device = read(
        {
            f"{UPS}.2.3.0": 65535,
            f"{UPS}.3.3.1.2.1.0": "5000",
            f"{UPS}.3.3.1.3.1.0": "2360",
            f"{UPS}.3.3.1.5.1.0": 65535,
            f"{UPS}.4.4.1.4.1.0": "122",
        }
    )

    assert told(device) == {("frequency", 50, "ups_input"), ("voltage", 236, "ups_input"), ("power", 122, "ups_output")}
    assert {one.name for one in device.readings} == {"Input 1", "Output 1"}


def test_kilowatts_in_the_place_of_watts() -> None:
    huawei = "1.3.6.1.4.1.2011.6.174.4.1.2.4"
    values: Values = {f"{UPS}.4.4.1.4.1": 1, f"{UPS}.4.4.1.5.1": 27}

    assert ("power", 1000, "ups_output") in told(read(values, object_id=huawei))
    assert ("power", 40, "ups_output") in told(read({f"{UPS}.4.4.1.4.1": 40, f"{UPS}.4.4.1.5.1": 2}, object_id=huawei))


@pytest.mark.parametrize(
    ("values", "watts"),
    [
        pytest.param(
            {f"{XUPS}.4.4.1.4.1": 231, f"{XUPS}.4.4.1.4.2": 944, f"{XUPS}.4.9.3.0": 1175}, 1175, id="phases and total"
        ),
        pytest.param({f"{XUPS}.4.9.3.0": 1175}, 1175, id="total alone"),
        pytest.param(
            {f"{APC}.4.2.8.0": 600, f"{APC}.9.3.3.1.13.1.1.1": 300, f"{APC}.9.3.3.1.13.1.1.2": 300}, 600, id="apc total"
        ),
        pytest.param({f"{APC}.9.3.3.1.13.1.1.1": 300, f"{APC}.9.3.3.1.13.1.1.2": 310}, 610, id="apc phases"),
        pytest.param({f"{UPS}.3.3.1.5.1": 0, f"{UPS}.4.4.1.4.1": 310}, 310, id="an input of 0 is not believed"),
        pytest.param({f"{UPS}.4.4.1.5.1": 20, f"{UPS}.9.6.0": 3000}, 600, id="load of a rating"),
        pytest.param({"1.3.6.1.4.1.12551.4.1.2.2.1.12.1": 3411}, 3411, id="a DC plant feeds"),
    ],
)
def test_what_a_ups_feeds_is_counted_once(values: Values, watts: float) -> None:
    assert read(values).power.watts == watts


def flexible(*rows: tuple[str, str, str]) -> Values:
    return {
        f"{FLEXIBLE}.{column}.1.2.1.{row}": text
        for row, (label, value, unit) in enumerate(rows, start=1)
        for column, text in ((10, label), (20, value), (30, unit))
    }


def test_liebert_flexible_table() -> None:
    device = read(
        flexible(
            ("System Input RMS A-B", "401", "VAC"),
            ("System Output True Power", "5.3", "kW"),
            ("System Output Power Phase A", "1.8", "kW"),
            ("Bypass Input Frequency", "50.0", "Hz"),
            ("Battery Time Remaining", "24", "min"),
            ("Battery Percentage Charge", "100", "%"),
            ("System Output Nominal Voltage", "230", "VAC"),
            ("System Output Pct Power", "41", "%"),
            ("Output Power Factor", "0.95", ""),
            ("Firmware", "2.0", ""),
        )
    )

    assert told(device) == {
        ("voltage", 401, "ups_input"),
        ("power", 5300, "ups_output"),
        ("power", 1800, "ups_output"),
        ("frequency", 50, "ups_bypass"),
        ("runtime", 24, "ups_battery"),
        ("charge", 100, "ups_battery"),
        ("voltage", 230, "rating"),
        ("load", 41, "ups_output"),
        ("power_factor", 0.95, "ups_output"),
    }
    assert read(flexible(("System Output True Power", "5.3", "kW")) | {f"{UPS}.2.1.0": 2}).power.watts == 5300


IDENTITIES: list[tuple[Values, str, str, tuple[str, str, str]]] = [
    ({f"{UPS}.1.2.0": "UPS2000 6kVA", f"{UPS}.1.3.0": "V1R1"}, "", "", ("UPS2000 6kVA", "V1R1", "")),
    ({f"{UPS}.1.4.0": "2.48"}, "NET Agent II", "", ("", "2.48", "")),
    (
        {f"{APC}.1.1.1.0": "Smart-UPS X 750", f"{APC}.1.2.1.0": "UPS 09.9 (ID20)", f"{APC}.1.2.3.0": "AS1"},
        "APC Web/SNMP Management Card (MB:v4.1.0 PF:v6.6.4 PN:a.bin AF1:v6.6.4 AN1:b.bin MN:AP9631)",
        "1.3.6.1.4.1.318.1.3.27",
        ("Smart-UPS X 750 UPS 09.9 (ID20)", "AOS v6.6.4 / App v6.6.4", "AS1"),
    ),
    (
        {f"{MGE}.1.1.0": "Eaton 9PX", f"{MGE}.1.2.0": "1000i", f"{MGE}.1.4.0": "INV: 01.16", f"{MGE}.1.7.0": "GA1"},
        "",
        "",
        ("Eaton 9PX 1000i", "01.16", "GA1"),
    ),
    (
        {f"{XUPS}.1.2.0": "9PX", f"{XUPS}.1.3.0": "01.20", f"{XUPS}.1.6.0": "GA2", f"{XUPS}.2.1.0": 1},
        "",
        "",
        ("9PX", "01.20", "GA2"),
    ),
    ({"1.3.6.1.4.1.232.165.3.1.2.0": "HP R3000;AF1;3C4A"}, "", "", ("HP R3000", "", "3C4A")),
    ({}, "CS121 v 5.14.50", "1.3.6.1.2.1.33", ("CS121", "5.14.50", "")),
    ({}, "Netman 204", "1.3.6.1.4.1.5491.308", ("Netman 204", "", "")),
    (
        {f"{UPS}.1.3.0": "R1.1.1", f"{UPS}.1.4.0": "iStars_SWV4"},
        "",
        "1.3.6.1.4.1.40614",
        ("", "iStars_SWV4 R1.1.1", ""),
    ),
    (
        {"1.3.6.1.4.1.4555.1.1.7.1.1.1.0": "NETYS RT", "1.3.6.1.4.1.4555.1.1.7.1.1.5.0": "Net Vision 8 v8.00"},
        "",
        "",
        ("NETYS RT", "8.00", ""),
    ),
    (
        {"1.3.6.1.4.1.476.1.42.2.1.2.0": "IS-UNITY", "1.3.6.1.4.1.476.1.42.2.1.3.0": "7.4.0"},
        "",
        "",
        ("IS-UNITY", "7.4.0", ""),
    ),
    (
        {"1.3.6.1.4.1.7309.5.1.3.0": "v8.30"},
        "System Controller, SW: v8.30, HW: S1, SN: 252",
        "1.3.6.1.4.1.7309.5",
        ("", "v8.30", "252"),
    ),
]


@pytest.mark.parametrize(("values", "description", "object_id", "expected"), IDENTITIES)
def test_identity(values: Values, description: str, object_id: str, expected: tuple[str, str, str]) -> None:
    identity = read(values, description, object_id).identity

    assert (identity.hardware, identity.version, identity.serial) == expected


def test_recordings_of_these_families(shared: Path) -> None:
    folder = shared / "snmp"
    tables = {name: snmp_corpus.table(folder / f"{name}.tsv") for name in ("power", "inventory")}
    names = {row["recording"] for rows in tables.values() for row in rows if row["family"] in FAMILIES}
    said = {name: evaluate_whole(recording(folder / "snmprec" / f"{name}.snmprec")) for name in names}
    power, inventory = ([row for row in tables[name] if row["recording"] in names] for name in ("power", "inventory"))
    found = [*snmp_corpus.power_rows(power, said), *snmp_corpus.inventory_rows(inventory, said)]
    plain = [row for row in found if not row.note]

    # What is not met: 2300 V, 5 Hz, 20.6 V, 11.7 V and 1 W, which the recordings' own other figures contradict.
    assert sum(row.good for row in plain) >= MET
    assert len(plain) == EXPECTED
    assert not [row for row in plain if not row.good and not re.search("voltage|frequency|power|current", row.what)]
