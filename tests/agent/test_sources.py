"""Every energy source: data, absent with a reason, or failed with a reason and a remedy; also on bad input."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.outcome import Absent, Data, Failed, Outcome
from agent.sampler import Sampler
from agent.settings import AgentSettings
from agent.sources import SOURCES, SWITCHES, acpi_meter, amdgpu, battery, hwmon, rapl
from agent.sources.reading import RawReading
from agent.sources.source import kernel_files
from tests.agent import trees

BAD_NUMBERS = ["", "N/A", "12.5", "0x10", "-"]


def data(outcome: Outcome[list[RawReading]]) -> dict[str, RawReading]:
    assert isinstance(outcome, Data), outcome
    return {one.name: one for one in outcome.value}


def reason(outcome: Outcome[list[RawReading]]) -> str:
    """Why a source is absent; it is not failed."""
    assert isinstance(outcome, Absent), outcome
    return outcome.reason


def failure(outcome: Outcome[list[RawReading]]) -> str:
    """Why a source failed; every failure has a remedy."""
    assert isinstance(outcome, Failed), outcome
    assert outcome.remedy
    return outcome.reason


@pytest.mark.parametrize("name", SOURCES)
def test_a_machine_without_any_tree_has_every_source_absent_with_a_reason(name: str, tmp_path: Path) -> None:
    assert reason(SOURCES[name](AgentSettings(), tmp_path).read())


# RAPL


def test_rapl_names_each_zone_after_its_package_and_says_what_it_covers(tmp_path: Path) -> None:
    trees.zone(tmp_path, "intel-rapl:0", "package-0", "5")
    trees.zone(tmp_path, "intel-rapl:0:0", "core", "3")
    trees.zone(tmp_path, "intel-rapl:0:1", "dram", "2", "65712999613")
    trees.zone(tmp_path, "intel-rapl:1", "psys", "9")
    found = data(rapl.read(tmp_path))
    assert {name: (one.covers, one.parent, one.value) for name, one in found.items()} == {
        "rapl/package-0": ("package", "", 5),
        "rapl/package-0/core": ("core", "rapl/package-0", 3),
        "rapl/package-0/dram": ("dram", "", 2),
        "rapl/psys": ("psys", "", 9),
    }
    assert found["rapl/package-0/dram"].range_uj == 65712999613


def test_rapl_reads_a_package_once_when_the_memory_mapped_interface_shows_it_again(tmp_path: Path) -> None:
    trees.zone(tmp_path, "intel-rapl:0", "package-0", "777")
    trees.zone(tmp_path, "intel-rapl-mmio:0", "package-0", "not read")
    assert {name: one.value for name, one in data(rapl.read(tmp_path)).items()} == {"rapl/package-0": 777}


def test_rapl_takes_the_memory_mapped_interface_where_there_is_no_other(tmp_path: Path) -> None:
    trees.zone(tmp_path, "intel-rapl-mmio:0", "package-0", "777")
    assert list(data(rapl.read(tmp_path))) == ["rapl/package-0"]


def test_rapl_tells_dies_of_one_package_apart(tmp_path: Path) -> None:
    for die in (0, 1):
        trees.zone(tmp_path, f"intel-rapl:{die}", f"package-0-die-{die}")
    assert {one.covers for one in data(rapl.read(tmp_path)).values()} == {"package"}
    assert len(data(rapl.read(tmp_path))) == 2


@pytest.mark.parametrize("text", [*BAD_NUMBERS, "-5"])
def test_rapl_fails_on_a_counter_that_is_no_number(text: str, tmp_path: Path) -> None:
    trees.zone(tmp_path, "intel-rapl:0", "package-0", text)
    assert "zone intel-rapl:0 cannot be read" in failure(rapl.read(tmp_path))


def test_rapl_fails_when_reading_the_counter_does(tmp_path: Path) -> None:
    trees.zone(tmp_path, "intel-rapl:0", "package-0")
    (tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj").unlink()
    (tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj").mkdir()
    assert "Is a directory" in failure(rapl.read(tmp_path))


def test_rapl_passes_over_zones_without_name_or_counter(tmp_path: Path) -> None:
    trees.write(tmp_path, {"sys/class/powercap/intel-rapl:0/energy_uj": "5", "sys/class/powercap/dtpm:0/name": "pkg"})
    assert reason(rapl.read(tmp_path)) == "no powercap zone has an energy counter"


def test_rapl_is_absent_where_the_tree_is_empty(tmp_path: Path) -> None:
    (tmp_path / "sys/class/powercap").mkdir(parents=True)
    assert "no zones" in reason(rapl.read(tmp_path))


def test_rapl_without_a_stated_range_is_a_counter_that_never_wraps(tmp_path: Path) -> None:
    trees.zone(tmp_path, "intel-rapl:0", "package-0", range_uj="?")
    assert data(rapl.read(tmp_path))["rapl/package-0"].range_uj is None


# ACPI power meter


def test_the_acpi_meter_prefers_the_average_and_gives_the_machine_at_the_plug(tmp_path: Path) -> None:
    trees.chip(tmp_path, 3, "power_meter", "ACPI000D:00", power1_average="212000000", power1_input="999000000")
    [one] = data(acpi_meter.read(tmp_path)).values()
    assert (one.name, one.covers, one.value) == ("acpi_meter/ACPI000D:00", "machine_ac", 212.0)


def test_the_acpi_meter_gives_the_instant_where_it_has_no_average(tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "power_meter", "ACPI000D:00", power1_input="99000000")
    assert data(acpi_meter.read(tmp_path))["acpi_meter/ACPI000D:00"].value == 99.0


@pytest.mark.parametrize("text", ["0", "-1000000"])
def test_an_acpi_meter_that_reads_nothing_has_failed(text: str, tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "power_meter", "ACPI000D:00", power1_average=text)
    assert failure(acpi_meter.read(tmp_path)).startswith("the meter reads ")


@pytest.mark.parametrize("text", BAD_NUMBERS)
def test_an_acpi_meter_that_gives_no_number_has_failed(text: str, tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "power_meter", "ACPI000D:00", power1_average=text)
    assert "power1_average cannot be read" in failure(acpi_meter.read(tmp_path))


def test_an_acpi_meter_whose_reading_breaks_has_failed(tmp_path: Path) -> None:
    (trees.chip(tmp_path, 0, "power_meter", "ACPI000D:00") / "power1_average").mkdir()
    assert "Is a directory" in failure(acpi_meter.read(tmp_path))


# Battery


def test_a_discharging_battery_is_the_whole_machine(tmp_path: Path) -> None:
    trees.battery(tmp_path, power_now="12300000")
    [one] = data(battery.read(tmp_path)).values()
    assert (one.name, one.covers, one.value) == ("battery/BAT0", "battery", 12.3)


def test_a_battery_without_power_is_read_by_current_and_voltage(tmp_path: Path) -> None:
    trees.battery(tmp_path, current_now="1500000", voltage_now="12000000")
    assert data(battery.read(tmp_path))["battery/BAT0"].value == 18.0


def test_discharge_given_as_a_negative_number_is_discharge(tmp_path: Path) -> None:
    trees.battery(tmp_path, "BAT0", power_now="-8000000")
    trees.battery(tmp_path, "BAT1", current_now="-1000000", voltage_now="11000000")
    assert {name: one.value for name, one in data(battery.read(tmp_path)).items()} == {
        "battery/BAT0": 8.0,
        "battery/BAT1": 11.0,
    }


@pytest.mark.parametrize("status", ["Charging", "Full", "Not charging", "Unknown", ""])
def test_a_battery_that_does_not_discharge_says_nothing_of_the_machine(status: str, tmp_path: Path) -> None:
    trees.battery(tmp_path, status=status, power_now="45000000")
    assert "on mains power" in reason(battery.read(tmp_path))


def test_the_battery_of_a_mouse_is_not_the_machines(tmp_path: Path) -> None:
    trees.battery(tmp_path, "hidpp_battery_0", scope="Device", power_now="1000")
    assert reason(battery.read(tmp_path)) == "there is no battery"


@pytest.mark.parametrize(
    "files",
    [{}, {"power_now": "0"}, {"power_now": "?"}, {"current_now": "5"}, {"current_now": "0", "voltage_now": "5"}],
)
def test_a_battery_that_discharges_and_measures_nothing_has_failed(files: dict[str, str], tmp_path: Path) -> None:
    trees.battery(tmp_path, **files)
    assert failure(battery.read(tmp_path)) == "BAT0 discharges and gives neither power nor current"


# Other hwmon sensors


def test_hwmon_sensors_are_components_and_an_average_is_taken_before_an_instant(tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "ina226", "i2c-1/1-0040", power1_input="7000000", power1_average="6000000")
    trees.chip(tmp_path, 1, "fam15h_power", "0000:00:18.4", power1_input="25000000", energy1_input="5")
    found = data(hwmon.read(tmp_path))
    assert {name: (one.kind, one.covers, one.value) for name, one in found.items()} == {
        "hwmon/ina226/1-0040/power1": ("power", "component", 6.0),
        "hwmon/fam15h_power/0000:00:18.4/power1": ("power", "component", 25.0),
        "hwmon/fam15h_power/0000:00:18.4/energy1": ("counter", "component", 5),
    }


@pytest.mark.parametrize(
    ("driver", "label", "covers"),
    [
        ("corsairpsu", "power total", "machine_dc"),
        ("macsmc_hwmon", "Total System Power", "machine_dc"),
        ("ibmpowernv", "System", "machine_ac"),
        ("corsairpsu", "power +12v", "component"),
        ("pmbus", "System", "component"),
    ],
)
def test_hwmon_knows_the_drivers_that_see_the_whole_machine(
    driver: str, label: str, covers: str, tmp_path: Path
) -> None:
    trees.chip(tmp_path, 0, driver, "device", power1_input="90000000", power1_label=label)
    [one] = data(hwmon.read(tmp_path)).values()
    assert one.covers == covers


def test_amd_energy_counts_sockets_and_leaves_their_cores_out(tmp_path: Path) -> None:
    files = {"energy1_input": "10", "energy1_label": "Ecore000", "energy2_input": "20", "energy2_label": "Esocket0"}
    trees.chip(tmp_path, 0, "amd_energy", "amd_energy.0", **files)
    [one] = data(hwmon.read(tmp_path)).values()
    assert (one.covers, one.value) == ("package", 20)


def test_hwmon_leaves_alone_what_other_sources_read(tmp_path: Path) -> None:
    for number, driver in enumerate(["power_meter", "amdgpu", "BAT0", "ucsi_source_psy_USBC000:001", "AC"]):
        trees.chip(tmp_path, number, driver, f"device{number}", power1_input="5000000")
    assert "no hardware monitor" in reason(hwmon.read(tmp_path))


def test_a_broken_hwmon_sensor_costs_only_itself_and_is_named(tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "pmbus", "1-0058", power1_input="80000000", power2_input="")
    outcome = hwmon.read(tmp_path)
    assert list(data(outcome)) == ["hwmon/pmbus/1-0058/power1"]
    assert isinstance(outcome, Data)
    assert "pmbus power2_input" in outcome.note
    states = {state.source: state for state in Sampler(tmp_path).sample(with_inventory=False).sources}
    assert (states["hwmon"].outcome, states["hwmon"].reason) == ("data", outcome.note)


def test_hwmon_fails_where_every_sensor_is_broken(tmp_path: Path) -> None:
    (trees.chip(tmp_path, 0, "pmbus", "1-0058") / "power1_input").mkdir()
    assert "pmbus power1_input" in failure(hwmon.read(tmp_path))


@pytest.mark.parametrize("text", ["0", "-3000000"])
def test_an_hwmon_sensor_that_reads_no_power_is_left_out(text: str, tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "pmbus", "1-0058", power1_input=text)
    assert reason(hwmon.read(tmp_path))


def test_a_chip_without_name_is_passed_over(tmp_path: Path) -> None:
    (trees.chip(tmp_path, 0, "pmbus", "1-0058", power1_input="5000000") / "name").unlink()
    assert reason(hwmon.read(tmp_path))


# AMD graphics cards


def test_amd_graphics_cards_give_their_average_or_else_the_instant(tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "amdgpu", "0000:03:00.0", power1_average="31000000", power1_input="99000000")
    trees.chip(tmp_path, 1, "amdgpu", "0000:0a:00.0", power1_input="250000000")
    assert {name: (one.covers, one.value) for name, one in data(amdgpu.read(tmp_path)).items()} == {
        "amdgpu/0000:03:00.0": ("gpu", 31.0),
        "amdgpu/0000:0a:00.0": ("gpu", 250.0),
    }


def test_an_amd_graphics_card_that_sleeps_draws_nothing(tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "amdgpu", "0000:03:00.0", power1_average="0")
    assert data(amdgpu.read(tmp_path))["amdgpu/0000:03:00.0"].value == 0.0


def test_an_amd_graphics_card_without_sensor_is_absent_in_other_words_than_no_card(tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "amdgpu", "0000:03:00.0", temp1_input="40000")
    assert reason(amdgpu.read(tmp_path)) == "the AMD graphics card measures no power"


@pytest.mark.parametrize("text", BAD_NUMBERS)
def test_an_amd_graphics_card_that_gives_no_number_has_failed(text: str, tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "amdgpu", "0000:03:00.0", power1_average=text)
    assert "0000:03:00.0 power1_average cannot be read" in failure(amdgpu.read(tmp_path))


# All of them together


HUGE = str(10**30)


@pytest.mark.parametrize(
    "build",
    [
        lambda root: trees.zone(root, "intel-rapl:0", "package-0", HUGE, HUGE),
        lambda root: trees.chip(root, 0, "power_meter", "ACPI000D:00", power1_average=HUGE),
        lambda root: trees.battery(root, current_now=HUGE, voltage_now=HUGE),
        lambda root: trees.chip(root, 0, "pmbus", "1-0058", energy1_input=HUGE, power1_input=HUGE),
        lambda root: trees.chip(root, 0, "amdgpu", "0000:03:00.0", power1_input="9" * 5000),
    ],
)
def test_numbers_beyond_reason_stop_nothing_and_never_leave_64_bits(
    build: Callable[[Path], object], tmp_path: Path
) -> None:
    build(tmp_path)
    sampler = Sampler(tmp_path)
    sampler.sample(with_inventory=True)
    sample = sampler.sample(with_inventory=False)
    assert [one.source for one in sample.sources] == list(SWITCHES)
    for one in sample.readings:
        if one.meter.kind == "counter":
            assert all(0 <= value < 2**63 for value in [*one.values, *one.differences])


def test_a_source_that_raises_never_stops_the_others_and_is_reported(tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "power_meter", "ACPI000D:00", power1_average="100000000")

    def broken(_root: Path) -> Outcome[list[RawReading]]:
        raise IndexError("list index out of range")

    sampler = Sampler(tmp_path, sources={"broken": kernel_files(broken), **SOURCES})
    sampler.sample(with_inventory=False)
    sample = sampler.sample(with_inventory=False)
    state = sample.sources[0]
    assert (state.outcome, state.reason) == ("failed", "IndexError: list index out of range")
    assert state.remedy
    assert sample.choice.meters == ["acpi_meter/ACPI000D:00"]


def test_a_source_switched_off_is_not_read_and_says_so(tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "power_meter", "ACPI000D:00", power1_average="100000000")
    trees.zone(tmp_path, "intel-rapl:0", "package-0")
    asked = []

    def watched(_root: Path) -> Outcome[list[RawReading]]:
        asked.append(1)
        return Absent("never asked")

    settings = AgentSettings(disabled_sources=("acpi_meter",))
    sampler = Sampler(tmp_path, settings, sources={**SOURCES, "acpi_meter": kernel_files(watched)})
    sample = sampler.sample(with_inventory=False)
    assert not asked
    states = {state.source: state for state in sample.sources}
    assert states["acpi_meter"].outcome == "off"
    assert sample.choice.basis == "package"
    assert "acpi_meter: switched off in the configuration" in sample.choice.why_not["machine"]


def test_two_batteries_feed_one_machine_together_and_two_meters_are_not_added(tmp_path: Path) -> None:
    for name in ("BAT0", "BAT1"):
        trees.battery(tmp_path, name, power_now="5000000")
    assert Sampler(tmp_path).sample(with_inventory=False).choice.meters == ["battery/BAT0", "battery/BAT1"]
    for number in (0, 1):
        trees.chip(tmp_path, number, "power_meter", f"ACPI000D:0{number}", power1_average="50000000")
    assert Sampler(tmp_path).sample(with_inventory=False).choice.meters == ["acpi_meter/ACPI000D:00"]
