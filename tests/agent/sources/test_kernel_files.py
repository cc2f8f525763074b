"""What the kernel's files give on machines of other makes: boards, laptops, and firmware that counts what it should not."""

from pathlib import Path

import pytest

from agent.outcome import Data
from agent.settings import AgentSettings
from agent.sources import SOURCES, acpi_meter, battery, hwmon
from tests.agent import trees
from tests.agent.sources.outcomes import data, failure, reason

# A platform counter that firmware has not set up


def energies(root: Path, package: int, psys: int) -> None:
    trees.zone(root, "intel-rapl:0", "package-0", str(package))
    trees.zone(root, "intel-rapl:1", "psys", str(psys))


@pytest.mark.parametrize(("psys_step", "covers"), [(0, "component"), (40_000_000, "component"), (90_000_000, "psys")])
def test_a_platform_that_counts_less_than_its_processors_is_left_aside_for_good(
    psys_step: int, covers: str, tmp_path: Path
) -> None:
    source = SOURCES["rapl"](AgentSettings(), tmp_path)
    for number in range(4):
        energies(tmp_path, 5_000_000 + number * 60_000_000, 7_000_000 + number * psys_step)
        outcome = source.read()
    assert data(outcome)["rapl/psys"].covers == covers
    assert isinstance(outcome, Data)
    assert ("left aside" in outcome.note) == (covers == "component")
    energies(tmp_path, 5_000_000 + 4 * 60_000_000, 900_000_000)
    assert data(source.read())["rapl/psys"].covers == covers


def test_a_counter_that_wraps_says_nothing_of_the_platform(tmp_path: Path) -> None:
    source = SOURCES["rapl"](AgentSettings(), tmp_path)
    for package, psys in ((10, 262_000_000_000), (200_000_000, 5), (390_000_000, 250_000_000)):
        energies(tmp_path, package, psys)
        assert data(source.read())["rapl/psys"].covers == "psys"


# Boards and cards


def test_a_jetsons_input_rail_is_the_whole_board_and_its_others_are_parts(tmp_path: Path) -> None:
    rails = {
        "in1_label": "VDD_IN", "in1_input": "5000", "curr1_input": "1400",
        "in2_label": "VDD_CPU_GPU_CV", "in2_input": "5000", "curr2_input": "400",
        "in3_label": "VDD_SOC", "in3_input": "5000", "curr3_input": "0", "in7_label": "sum of shunt voltages",
    }  # fmt: skip
    trees.chip(tmp_path, 1, "ina3221", "1-0040", **rails)
    found = data(hwmon.read(tmp_path))
    assert {name: (one.covers, one.value) for name, one in found.items()} == {
        "hwmon/ina3221/1-0040/rail1": ("machine_dc", 7.0),
        "hwmon/ina3221/1-0040/rail2": ("component", 2.0),
    }


def test_intels_graphics_cards_are_cards_and_the_chip_on_one_is_a_part(tmp_path: Path) -> None:
    trees.chip(tmp_path, 1, "i915", "0000:03:00.0", energy1_input="77")
    files = {"energy1_input": "50", "energy1_label": "card", "energy2_input": "40", "energy2_label": "pkg"}
    trees.chip(tmp_path, 2, "xe", "0000:04:00.0", **files)
    assert [one.covers for one in data(hwmon.read(tmp_path)).values()] == ["gpu", "gpu", "component"]


@pytest.mark.parametrize(("name", "kind"), [("CMB1", "Battery"), ("ADP1", "Mains"), ("qcom_battmgr_usb", "USB")])
def test_a_supply_that_the_kernel_shows_a_second_time_is_no_sensor(name: str, kind: str, tmp_path: Path) -> None:
    folder = trees.chip(tmp_path, 1, name, name, power1_input="9000000")
    trees.write((folder / "device").resolve(), {"type": kind})
    assert "no hardware monitor" in reason(hwmon.read(tmp_path))


# The firmware's meter


def test_of_several_firmware_meters_one_that_reads_nothing_costs_only_itself(tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "power_meter", "ACPI000D:00", power1_average="0")
    trees.chip(tmp_path, 1, "power_meter", "ACPI000D:01", power1_average="212000000", power1_is_battery="0")
    trees.chip(tmp_path, 2, "power_meter", "ACPI000D:02", power1_average="9000000", power1_is_battery="1")
    assert list(data(acpi_meter.read(tmp_path))) == ["acpi_meter/ACPI000D:01"]


def test_a_firmware_meter_that_gives_a_filler_has_failed(tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "power_meter", "ACPI000D:00", power1_average="65535000000")
    assert failure(acpi_meter.read(tmp_path))[0] == "the meter reads 65535 W"


def test_a_firmware_meter_whose_average_cannot_be_read_gives_the_instant(tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "power_meter", "ACPI000D:00", power1_average="", power1_input="99000000")
    assert data(acpi_meter.read(tmp_path))["acpi_meter/ACPI000D:00"].value == 99.0


# Laptops


@pytest.mark.parametrize(("kind", "online"), [("Mains", "1"), ("USB", "1"), ("USB", "2")])
def test_a_battery_that_helps_a_weak_charger_shows_a_part(kind: str, online: str, tmp_path: Path) -> None:
    trees.battery(tmp_path, power_now="6000000")
    trees.write(tmp_path / "sys/class/power_supply/SUPPLY", {"type": kind, "online": online})
    assert (
        reason(battery.read(tmp_path))
        == "the battery discharges while SUPPLY supplies the machine too: it shows a part"
    )
    trees.write(tmp_path / "sys/class/power_supply/SUPPLY", {"online": "0"})
    assert data(battery.read(tmp_path))
