"""Typical power of network devices without a power reading."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.network_classes import classes
from carbon.network_models import find, models, ports_of
from carbon.network_power import BANDS, KIND_WATTS, typical_power, ups_loss
from carbon.poe import CLASS_MAXIMUM_WATTS, CLASS_TYPICAL_WATTS, PSE_EFFICIENCY, Fed, of_classes
from carbon.uncertainty import METER_TIERS, UPWARD_TIERS, measured_band

NAMES = st.sampled_from(sorted({one.name for one in models()})) | st.text(max_size=30)
KINDS = st.sampled_from(sorted(KIND_WATTS)) | st.just("")
MAKERS = st.sampled_from(["", "Cisco", "HPE Aruba", "Dell", "Nobody"])


def test_a_known_model_has_its_datasheets_watts_however_it_is_written() -> None:
    for hardware in ("CBS350-48P-4X", "cbs350 48p 4x"):
        found = typical_power("switch", hardware)
        assert (found.watts, found.basis, found.level) == (61.53, "datasheet of CBS350-48P-4X", "datasheet")
        assert found.low < found.watts < found.high


@pytest.mark.parametrize(
    ("hardware", "vendor", "basis"),
    [
        ("Juniper EX3400-48T", "Juniper", "datasheet of EX3400-48T"),
        ("QFX5130-32CD", "Juniper", "datasheet of QFX5130-32CD-AFI"),
        ("C9200L-48T-4G", "Cisco", "datasheet of Catalyst 9200L-48T-4G"),
        ("ciscoASR92024SZM", "Cisco", "datasheet of ASR-920-24SZ-M"),
        ("ISR4331/K9", "Cisco", "datasheet of ISR4331"),
        ("N9K-C9336C-FX2", "Cisco", "datasheet of Nexus 9336C-FX2"),
        ("MS225-48LP", "Cisco Meraki", "datasheet of Meraki MS225-48LP"),
        ("J9146A E2910al-24G-PoE", "HPE", "measured of 2910al-24G PoE"),
        ("JL658A", "HPE Aruba", "name plate of Aruba 6300M-24SFPP-4SFP56"),
        ("Dell Networking N3048", "Dell", "measured of N3048"),
        ("FortiGate 60F", "Fortinet", "name plate of FortiGate 60F"),
        ("FGT_60F", "Fortinet", "name plate of FortiGate 60F"),
        ("US-24-250W", "Ubiquiti", "measured of Unifi Switch 24 PoE 250W"),
        ("RB760iGS", "MikroTik", "name plate of RB760iGS"),
        ("PA-5220", "Palo Alto Networks", "name plate of PA-5220"),
        ("TZ 570", "SonicWall", "0.66 of the maximum of TZ570"),
    ],
)
def test_models_are_found_by_the_names_that_devices_give_themselves(hardware: str, vendor: str, basis: str) -> None:
    kind = "firewall" if vendor in ("Fortinet", "SonicWall", "Palo Alto Networks") else "switch"
    assert typical_power(kind, hardware, vendor).basis == basis


def test_the_makers_name_finds_no_model_of_it() -> None:
    for hardware in ("cisco5500Wlc", "Cisco Wireless CW9176I Cloud Managed AP", "Juniper", "Dell EMC"):
        assert typical_power("wireless_controller", hardware, "Cisco").level == "kind"


def test_a_number_of_other_length_is_another_family() -> None:
    found = find("firewall", "FortiGate 501E", "Fortinet")
    assert found is None or "50E" not in found.basis


def test_a_variant_that_feeds_others_is_not_the_model_without() -> None:
    plain, feeding = (
        typical_power("switch", "DGS-1210-52", "D-Link"),
        typical_power("switch", "DGS-1210-52MP", "D-Link"),
    )
    assert plain.level != "family"
    assert feeding.level in ("family", "size")
    assert feeding.watts > plain.watts


def test_a_family_is_reckoned_by_the_number_of_ports() -> None:
    small, large = (typical_power("switch", f"DGS-1520-{ports}ZZ", "D-Link") for ports in (24, 48))
    assert small.level == large.level == "family"
    assert 1.3 < large.watts / small.watts < 2.5


@pytest.mark.parametrize(
    ("name", "ports"),
    [
        ("WS6-DGS-1210-52MP/F1", 52),
        ("PowerConnect 6248", 48),
        ("N1524P", 24),
        ("GS1900-8", 8),
        ("DES-3550 Rev. A5G", 50),
        ("S5300", None),
        ("MX5-T", None),
        ("", None),
    ],
)
def test_a_switchs_name_tells_its_ports(name: str, ports: int | None) -> None:
    assert ports_of(name) == ports


def test_a_switch_of_no_known_model_is_reckoned_by_its_ports() -> None:
    found = typical_power("switch", "ZZ-9-48T")
    assert (found.level, found.basis) == ("size", "a switch of 48 ports")
    assert found.low < 40 < found.watts < 80 < found.high


def test_a_chassis_is_no_desktop_switch() -> None:
    assert typical_power("switch", "J8697A 5406zl", "HPE").watts > 5 * typical_power("switch", "Nobody's").watts


@pytest.mark.parametrize("hardware", ["FortiGate VM", "Juniper VMX", "BIG-IP Virtual Edition", "ArubaMC-VA", "VMware"])
def test_a_virtual_machine_draws_nothing_of_its_own(hardware: str) -> None:
    found = typical_power("firewall", hardware)
    assert (found.watts, found.low, found.high, found.level) == (0, 0, 0, "virtual")


@pytest.mark.parametrize(
    "hardware",
    [
        "catalyst65xxVirtualSwitch",
        "cat4xxxVirtualSwitch",
        "ciscoC68xxVirtualSwitch",
        "HP Virtual Connect Flex-10",
        "EX4300 Virtual Chassis",
        "Dominion KX KVM-over-IP switch",
        "16-port KVM",
        "KVM switch",
    ],
)
def test_a_machine_that_is_called_virtual_draws_power_all_the_same(hardware: str) -> None:
    found = typical_power("switch", hardware)
    assert found.level != "virtual"
    assert found.high > found.watts > found.low > 0
    assert ("chassis" in found.basis) == ("VirtualSwitch" in hardware)


def test_members_of_a_stack_count_one_each_by_their_own_model() -> None:
    small, large = typical_power("switch", "CBS350-24T-4X"), typical_power("switch", "CBS350-48P-4X")
    stack = typical_power("switch", "a stack", members=["CBS350-24T-4X", "CBS350-48P-4X", "CBS350-48P-4X"])
    assert stack.watts == pytest.approx(small.watts + 2 * large.watts, abs=0.01)
    assert stack.basis.startswith("3 members: ")
    assert typical_power("switch", "CBS350-48P-4X", members=["", ""]).watts == pytest.approx(2 * large.watts)


def test_poe_is_added_once_over_the_supplys_efficiency() -> None:
    plain = typical_power("switch", "CBS350-48P-4X", members=["", ""])
    every = {"poe_watts": 90.0, "poe_classes": [4, 4], "fed": Fed(30, 20, 40)}
    measured = typical_power("switch", "CBS350-48P-4X", members=["", ""], **every)  # type: ignore[arg-type]  # of three kinds
    assert measured.watts - plain.watts == pytest.approx(90 / PSE_EFFICIENCY, abs=0.01)
    by_class = typical_power("switch", "CBS350-48P-4X", members=["", ""], poe_classes=[4, 4], fed=Fed(30, 20, 40))
    assert by_class.watts - plain.watts == pytest.approx(2 * CLASS_TYPICAL_WATTS[4][0] / PSE_EFFICIENCY, abs=0.01)
    assert typical_power("switch", "CBS350-48P-4X", poe_watts=0.0, poe_classes=[4]).watts == 61.53


def test_measured_poe_has_no_wider_band_than_the_supplys_efficiency() -> None:
    plain, giving = typical_power("switch", "CBS350-48P-4X"), typical_power("switch", "CBS350-48P-4X", poe_watts=90.0)
    assert 90 <= giving.low - plain.low <= 100 <= giving.high - plain.high <= 110


@pytest.mark.parametrize("poe_class", CLASS_MAXIMUM_WATTS)
def test_a_device_takes_no_more_than_its_class_allows(poe_class: int) -> None:
    found = of_classes([poe_class])
    assert 0 < found.low < found.watts < found.high == CLASS_MAXIMUM_WATTS[poe_class]


def test_a_class_that_is_not_known_counts_as_not_told() -> None:
    assert of_classes([42]) == of_classes([0])


@pytest.mark.parametrize("kind", KIND_WATTS)
def test_an_unknown_model_has_its_kinds_watts_and_band(kind: str) -> None:
    found = typical_power(kind, "Nobody's")
    assert (found.watts, found.low, found.high) == KIND_WATTS[kind]
    assert found.low < found.watts < found.high


def test_what_is_not_known_at_all_says_so() -> None:
    assert typical_power("", "").basis == "an unknown device"


@given(
    KINDS,
    NAMES,
    MAKERS,
    st.lists(NAMES, max_size=4),
    st.none() | st.floats(0, 3000),
    st.lists(st.integers(0, 9), max_size=5),
)
def test_an_estimate_lies_within_its_band_and_a_member_more_is_never_less(
    kind: str, hardware: str, vendor: str, members: list[str], poe: float | None, poe_classes: list[int]
) -> None:
    found = typical_power(kind, hardware, vendor, members, poe, poe_classes)
    assert 0 <= found.low <= found.watts <= found.high
    more = typical_power(kind, hardware, vendor, [*(members or [hardware]), ""], poe, poe_classes)
    assert more.watts >= found.watts
    assert more.low >= found.low
    assert more.high >= found.high


@given(st.floats(100, 100_000), st.none() | st.floats(0, 1))
def test_a_upss_loss_grows_with_its_rating_and_load(rated: float, load: float | None) -> None:
    found = ups_loss(rated, None if load is None else load * rated)
    assert 0 < found.low < found.watts < found.high < 0.2 * rated
    assert ups_loss(rated, rated).watts >= found.watts


def test_every_model_draws_something() -> None:
    watts = [one.watts for one in models() if one.watts is not None]
    assert min(watts) > 0
    assert 30 < statistics.median(watts) < 300


def test_every_sort_of_device_lies_within_its_band() -> None:
    assert classes()
    for one in classes():
        assert 0 < one.low < one.watts < one.high, one.words
        assert one.kinds <= KIND_WATTS.keys(), one.words


def test_the_ledgers_bands_of_estimates_are_those_of_the_catalogue() -> None:
    low, high = BANDS["family"]
    assert (1 - METER_TIERS["snmp_family"], 1 + UPWARD_TIERS["snmp_family"]) == (low, high)
    assert measured_band(1000, "snmp_family") == (350, 2200)
    assert measured_band(1000, "snmp_kind") == (200, 3000)
    assert BANDS["size"][1] == 1 + UPWARD_TIERS["snmp_kind"]
    assert BANDS["datasheet"] == (1 - METER_TIERS["snmp_catalogue"], 1 + METER_TIERS["snmp_catalogue"])
