"""The places of the power path: what is one place, what it is called, and how its energy is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from collector.snmp.device import evaluate_whole
from collector.snmp.device_power import device_power
from collector.snmp.places import Place, places
from collector.snmp.readings import Reading
from tests.servers.recordings import recording
from tests.snmp.power_path_of_tests import reading


def found(kind: str, *readings: Reading) -> dict[str, Place]:
    return {one.meter: one for one in places(readings, device_power(readings, kind), kind)}


def test_watts_and_energy_of_an_outlet_are_one_place_though_they_stand_in_different_rows() -> None:
    watts = reading("outlet", "1.7.5", "web01", 80)
    energy = reading("outlet", "1.7.8", "web01", 12.345, "energy", step=0.001)
    one = found("pdu", watts, energy)["outlet/1.7.5"]
    assert (one.label, one.watts, one.energy_kwh, one.kind, one.source) == (
        "web01",
        80,
        12.345,
        "counter",
        "snmp_counter",
    )


def test_a_renamed_outlet_stays_the_same_meter() -> None:
    before, after = (found("pdu", reading("outlet", "7", name, 80)) for name in ("Outlet 7", "web01"))
    assert list(before) == list(after)


def test_outlets_that_somebody_called_alike_are_two() -> None:
    watts = [reading("outlet", index, "server", 80 + int(index)) for index in ("3", "4")]
    energy = [reading("outlet", index, "server", float(index), "energy", step=0.001) for index in ("3", "4")]
    both = found("pdu", *watts, *energy)
    assert [(one.watts, one.energy_kwh) for one in both.values() if one.role == "outlet"] == [(83, 3.0), (84, 4.0)]


@pytest.mark.parametrize(
    ("step", "with_watts", "source"),
    [
        (0.001, True, "snmp_counter"),
        (0.01, True, "snmp_counter"),
        (0.1, True, "snmp_watts"),
        (1.0, True, "snmp_watts"),
        (0.1, False, "snmp_counter"),
    ],
)
def test_a_counter_is_taken_where_its_step_is_fine_enough(step: float, with_watts: bool, source: str) -> None:
    readings = [reading("outlet", "1", "o", 12.3, "energy", step=step)]
    readings += [reading("outlet", "1", "o", 80)] if with_watts else []
    assert found("pdu", *readings)["outlet/1"].source == source


def test_a_counter_of_whole_kilowatt_hours_alone_tells_no_half_hours() -> None:
    assert not found("pdu", reading("outlet", "1", "o", 12, "energy", step=1.0))["outlet/1"].measures


def test_an_outlet_without_power_readings_is_a_place_all_the_same() -> None:
    one = found("pdu", reading("outlet", "5", "srv12", 0.4, "current"))["outlet/5"]
    assert (one.label, one.measures) == ("srv12", False)


def test_all_that_passes_through_has_a_place_of_its_own_and_its_inlet_s_counter() -> None:
    inlet = reading("inlet", "1", "Inlet", 1200)
    count = reading("inlet", "1", "Inlet", 400.25, "energy", step=0.001)
    whole = found("pdu", inlet, count)["whole"]
    assert (whole.watts, whole.energy_kwh) == (1200, 400.25)
    two = found("pdu", inlet, replace(inlet, name="Inlet 2", index="2", oid="1.2"), count)["whole"]
    assert (two.watts, two.energy_kwh) == (2400, None)


def test_a_ups_that_tells_its_load_alone_is_an_estimate() -> None:
    load = reading("ups_output", "", "Load", 40, "load")
    rated = reading("rating", "", "Rated", 1000)
    whole = found("ups", load, rated)["whole"]
    assert (whole.watts, whole.source) == (400, "snmp_load")


def test_supplies_and_inlets_of_a_switch_are_its_own_and_only_its_ports_feed() -> None:
    switch = found("switch", reading("psu_input", "1", "PSU 1", 90), reading("poe_port", "1.5", "Port 5", 7))
    assert list(switch) == ["poe_port/1.5"]


def test_of_two_profiles_that_read_the_same_outlets_one_counts() -> None:
    twice = [reading("outlet", "1", "Outlet 1", 80, profile=name) for name in ("maker", "standard")]
    assert [one.role for one in found("pdu", *twice).values()] == ["outlet"]


def test_what_others_add_up_to_is_no_place() -> None:
    assert "outlet/9" not in found("pdu", reading("outlet", "9", "sum", 800, counted=False))


@pytest.mark.parametrize(
    ("device", "outlets", "source"),
    [("raritan-pdu_px3", 24, "snmp_counter"), ("dell-rpdu", 24, "snmp_watts"), ("chatsworth-pdu", 24, "snmp_counter")],
)
def test_outlets_of_recorded_pdus_are_each_one_meter(shared: Path, device: str, outlets: int, source: str) -> None:
    read = evaluate_whole(recording(shared / "snmp" / "snmprec" / f"{device}.snmprec"))
    mine = [one for one in places(read.readings, read.power, read.identity.kind) if one.role == "outlet"]
    assert len({one.meter for one in mine}) == len(mine) == outlets
    assert {one.source for one in mine} == {source}
    assert sum(one.watts or 0 for one in mine) == pytest.approx(
        sum(one.value for one in read.readings if one.role == "outlet" and one.quantity == "power" and one.counted)
    )
