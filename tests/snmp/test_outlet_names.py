"""Which device an outlet's name means, as people in councils write it."""

import time

import pytest

from collector.snmp.outlet_names import NamedDevices, fits, is_default

ESTATE = NamedDevices.of(
    [
        ("core1", "SW-CORE-01.net.council.example"),
        ("core2", "sw-core-02"),
        ("srv12", "srv12.corp.example"),
        ("srv2", "srv2"),
        ("fw1", "fw1"),
        ("web", "web01"),
        ("web-other", "web01.dmz.example"),
        ("san", "SAN-Head A"),
        ("nas", "NAS Library"),
    ]
)


@pytest.mark.parametrize(
    ("label", "device"),
    [
        ("SW-CORE-01", "core1"),
        ("sw core 01", "core1"),
        ("SW-CORE-01 PSU A", "core1"),
        ("SW-CORE-01_PSU1", "core1"),
        ("sw_core_01-PS2", "core1"),
        ("sw-core-01.net.council.example left", "core1"),
        ("SW-CORE-1 feed B", "core1"),
        ("Rack 4: sw-core-02", "core2"),
        ("srv12", "srv12"),
        ("SRV12.corp.example", "srv12"),
        ("srv12-A", "srv12"),
        ("srv12 (left)", "srv12"),
        ("U14 srv12 power supply 2", "srv12"),
        ("srv2", "srv2"),
        ("fw1-a / left", "fw1"),
        ("FW1", "fw1"),
        ("FW01", "fw1"),
        ("SAN-Head A", "san"),
        ("SAN Head A psu b", "san"),
        ("nas library", "nas"),
    ],
)
def test_an_outlet_s_name_means_the_device_that_a_person_would_take_it_for(label: str, device: str) -> None:
    assert [one.device_id for one in fits(label, ESTATE)] == [device]


@pytest.mark.parametrize(
    "label", ["", "Outlet 3", "outlet12", "spare", "A7", "Outlet 1.3", "C13", "server", "srv", "fw", "12", "sw-core"]
)
def test_a_name_that_means_no_device_fits_none(label: str) -> None:
    assert fits(label, ESTATE) == []


def test_a_name_that_fits_two_devices_fits_both_and_neither_well() -> None:
    found = fits("web01 PSU A", ESTATE)
    assert [one.device_id for one in found] == ["web", "web-other"]
    assert all(one.score < 0.5 for one in found)
    assert "2 devices fit" in found[0].why


def test_the_longer_name_is_meant_where_one_name_begins_another() -> None:
    devices = NamedDevices.of([("sw", "sw"), ("sw1", "sw 1"), ("host", "hv-1"), ("host11", "hv-1-1")])
    assert [one.device_id for one in fits("SW 1", devices)] == ["sw1"]
    assert [one.device_id for one in fits("hv-1-1", devices)] == ["host11"]
    assert [one.device_id for one in fits("hv-1 left", devices)] == ["host"]


def test_the_whole_name_fits_better_than_one_without_its_supply_and_that_better_than_a_part() -> None:
    scores = [fits(label, ESTATE)[0].score for label in ("srv12", "srv12 psu a", "rack 3 srv12 u4", "SRV012")]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 4


@pytest.mark.parametrize("label", ["Outlet 12", "Socket 4", "spare", "Port #3", "Unused", "b12", "Receptacle 2"])
def test_makers_names_are_known(label: str) -> None:
    assert is_default(label)


def test_a_label_without_end_costs_no_more_than_a_long_one() -> None:
    began = time.process_time()
    assert [one.device_id for one in fits(f"sw-core-02 {'a1 ' * 1000}", ESTATE)] == ["core2"]
    assert time.process_time() - began < 1
