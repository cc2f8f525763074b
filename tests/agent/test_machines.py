"""What the agent says of captured machines, and what follows when their counters move on."""

import json
import os
import shutil
from pathlib import Path

import psutil
import pytest

from agent.clock import Clock
from agent.report import SampleTime
from agent.sample import Sample
from agent.sampler import Sampler
from tests.agent.machines import MACHINES, NAMES, golden
from tests.agent.users import become_nobody, unprivileged
from tests.servers.process import wait_until

R640_RANGE_UJ = 262143328850


class SteppedClock(Clock):
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = SampleTime(1_764_000_000_000_000_000, 5_000_000_000_000)
        self.boot = ""
        self.suspended = 0

    def suspended_ns(self) -> int:
        return self.suspended

    def now(self) -> SampleTime:
        return self.time

    def boot_id(self, root: Path = Path("/")) -> str:
        return self.boot or super().boot_id(root)

    def pass_seconds(self, seconds: float, step_seconds: float = 0) -> None:
        """Time passes; the wall clock is set forward by `step_seconds` on top."""
        passed = int(seconds * 1e9)
        self.time = SampleTime(self.time.wall_ns + passed + int(step_seconds * 1e9), self.time.boot_ns + passed)

    def sleep(self, seconds: float) -> None:
        """The machine is suspended: both clocks go on."""
        self.pass_seconds(seconds)
        self.suspended += int(seconds * 1e9)


class Machine:
    """A copy of a captured machine whose files can be changed, with a sampler on a clock of its own."""

    def __init__(self, name: str, folder: Path) -> None:
        self.root = folder / name
        shutil.copytree(MACHINES / name, self.root, symlinks=True)
        self.clock = SteppedClock()
        self.counter_state = folder / "counters.json"
        self.sampler = self.started()

    def started(self) -> Sampler:
        return Sampler(self.root, counter_state=self.counter_state, clock=self.clock)

    def zone(self, numbers: str) -> Path:
        return self.root / f"sys/class/powercap/intel-rapl:{numbers}/energy_uj"

    def count(self, numbers: str, joules: float) -> None:
        path = self.zone(numbers)
        path.write_text(f"{int(path.read_text()) + int(joules * 1e6)}\n")

    def sample(self, after_seconds: float = 10) -> Sample:
        self.clock.pass_seconds(after_seconds)
        return self.sampler.sample(with_inventory=False)


def joules(sample: Sample) -> dict[str, float]:
    """What each counter counted over the sample's interval."""
    return {
        one.meter.name: one.differences[0] / 1e6
        for one in sample.readings
        if one.meter.kind == "counter" and one.differences
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_output_for_a_captured_machine_is_the_golden_one(name: str) -> None:
    expected = json.loads((MACHINES / name / "expected.json").read_text())
    assert golden(MACHINES / name) == expected


def test_a_counter_that_cannot_be_read_is_a_failure_with_a_remedy_and_the_estimate_says_why() -> None:
    with unprivileged() as folder:
        machine = Machine("dell-r6515-epyc", folder)
        # As Linux has them since 5.10.
        for numbers in ("0", "0:0"):
            machine.zone(numbers).chmod(0o400 if os.geteuid() == 0 else 0)
        become_nobody()
        sample = machine.sample()
    rapl = next(state for state in sample.sources if state.source == "rapl")
    assert (rapl.outcome, rapl.reason) == ("failed", "not allowed to read the energy counter of intel-rapl:0")
    assert "CAP_DAC_READ_SEARCH" in rapl.remedy
    assert sample.choice.basis == "estimate"
    assert "not allowed to read" in sample.choice.why_not["package"]
    assert [one.meter.name for one in sample.readings] == ["cpu"]


def test_half_of_the_packages_is_not_taken_for_the_whole_machine() -> None:
    with unprivileged() as folder:
        machine = Machine("supermicro-epyc-amd-energy", folder)
        shutil.rmtree(machine.root / "sys/class/hwmon")
        machine.zone("1").chmod(0)
        become_nobody()
        sample = machine.sample()
    assert sample.choice.basis == "estimate"
    assert "intel-rapl:1" in sample.choice.why_not["package"]


def test_joules_between_two_samples_are_those_that_the_counters_counted(tmp_path: Path) -> None:
    machine = Machine("dell-r640-two-socket", tmp_path)
    assert joules(machine.sample()) == {}
    for numbers, counted in (("0", 900), ("0:0", 120), ("1", 1100), ("1:0", 80)):
        machine.count(numbers, counted)
    second = machine.sample(after_seconds=10)
    assert joules(second) == {
        "rapl/package-0": 900,
        "rapl/package-0/dram": 120,
        "rapl/package-1": 1100,
        "rapl/package-1/dram": 80,
    }
    intervals = {one.interval_ns for one in second.readings if one.meter.source == "rapl"}
    assert intervals == {10 * 10**9}


def test_a_counter_that_wraps_between_two_samples_loses_nothing(tmp_path: Path) -> None:
    machine = Machine("dell-r640-two-socket", tmp_path)
    machine.zone("0").write_text(f"{R640_RANGE_UJ - 400_000_000}\n")
    machine.sample()
    # The value after the largest is 0.
    machine.zone("0").write_text("599999999\n")
    assert joules(machine.sample())["rapl/package-0"] == 1000


def test_memory_counts_beside_the_package_and_cores_within_it(tmp_path: Path) -> None:
    machine = Machine("desktop-psys-amdgpu", tmp_path)
    parents = {one.meter.name: (one.meter.covers, one.meter.parent) for one in machine.sample().readings}
    assert parents["rapl/package-0/core"] == ("core", "rapl/package-0")
    assert parents["rapl/package-0/uncore"] == ("component", "rapl/package-0")
    assert parents["rapl/package-0/dram"] == ("dram", "")


def test_when_the_meter_goes_the_choice_falls_to_what_is_left_and_says_why(tmp_path: Path) -> None:
    machine = Machine("dell-r640-two-socket", tmp_path)
    assert machine.sample().choice.basis == "machine"
    meter = machine.root / "sys/devices/LNXSYSTM:00/LNXSYBUS:00/ACPI000D:00/power1_average"
    meter.write_text("0\n")
    choice = machine.sample().choice
    assert choice.basis == "package"
    assert choice.meters == [
        "rapl/package-0",
        "rapl/package-0/dram",
        "rapl/package-1",
        "rapl/package-1/dram",
    ]
    assert choice.why_not["machine"].startswith("acpi_meter: the meter reads 0 W; ipmi_dcmi: ")
    assert choice.why_not["psys"] == "rapl: the processor counts no platform energy"


def test_a_laptop_is_measured_by_its_battery_only_while_that_feeds_it(tmp_path: Path) -> None:
    machine = Machine("thinkpad-on-battery", tmp_path)
    assert machine.sample().choice.meters == ["battery/BAT0"]
    (machine.root / "sys/class/power_supply/BAT0/status").write_text("Charging\n")
    plugged = machine.sample()
    assert (plugged.choice.basis, plugged.choice.meters) == ("psys", ["rapl/psys"])
    assert "battery: on mains power" in plugged.choice.why_not["machine"]


def test_a_restart_goes_on_with_the_same_epoch_and_counts_the_time_between(tmp_path: Path) -> None:
    machine = Machine("dell-r6515-epyc", tmp_path)
    before = {one.meter.name: one.meter.epoch for one in machine.sample().readings}
    machine.sampler.close()
    machine.count("0", 2500)
    machine.sampler = machine.started()
    after = machine.sample(after_seconds=25)
    assert {one.meter.name: one.meter.epoch for one in after.readings} == before
    assert joules(after)["rapl/package-0"] == 2500


def test_a_reboot_begins_new_epochs(tmp_path: Path) -> None:
    machine = Machine("dell-r6515-epyc", tmp_path)
    before = {one.meter.epoch for one in machine.sample().readings}
    machine.sampler.close()
    machine.clock.boot = "another-boot"
    machine.count("0", 2500)
    machine.sampler = machine.started()
    after = machine.sample(after_seconds=25)
    assert not before & {one.meter.epoch for one in after.readings}
    assert joules(after) == {}


def test_a_clock_that_is_set_changes_no_interval(tmp_path: Path) -> None:
    machine = Machine("dell-r6515-epyc", tmp_path)
    machine.sample()
    machine.count("0", 500)
    machine.clock.pass_seconds(0, step_seconds=-86_400)
    second = machine.sample(after_seconds=10)
    assert joules(second)["rapl/package-0"] == 500
    assert {one.interval_ns for one in second.readings if one.meter.source == "rapl"} == {10 * 10**9}


def test_after_a_pause_of_an_hour_no_mean_is_made_up_for_it(tmp_path: Path) -> None:
    machine = Machine("thinkpad-on-battery", tmp_path)
    machine.sample()
    machine.sample()
    woken = machine.sample(after_seconds=3600)
    assert [one.meter.name for one in woken.readings if one.interval_ns] == []
    assert "battery/BAT0" not in [one.meter.name for one in woken.readings]
    assert "battery/BAT0" in [one.meter.name for one in machine.sample().readings]


def test_a_counter_that_went_on_while_the_machine_slept_is_counted(tmp_path: Path) -> None:
    machine = Machine("dell-r6515-epyc", tmp_path)
    machine.sample()
    machine.clock.sleep(40)
    machine.count("0", 900)
    assert joules(machine.sample(after_seconds=5))["rapl/package-0"] == 900


def test_a_counter_that_lost_its_count_in_a_sleep_is_not_taken_for_one_that_wrapped(tmp_path: Path) -> None:
    machine = Machine("dell-r6515-epyc", tmp_path)
    zone = machine.zone("0")
    zone.write_text(f"{R640_RANGE_UJ - 20_000_000_000}\n")
    before = machine.sample()
    machine.clock.sleep(30)
    # 45 kJ would be possible in that time.
    zone.write_text("25000000000\n")
    after = machine.sample(after_seconds=5)
    assert "rapl/package-0" not in joules(after)
    epochs = [
        one.meter.epoch for sample in (before, after) for one in sample.readings if one.meter.name == "rapl/package-0"
    ]
    assert len(epochs) == len(set(epochs)), "what it counts from here on is another epoch's"
    machine.count("0", 100)
    assert joules(machine.sample())["rapl/package-0"] == 100


def test_time_asleep_is_neither_at_work_nor_drawn_from_the_meter(tmp_path: Path) -> None:
    machine = Machine("dell-r640-two-socket", tmp_path)
    machine.sample()
    machine.clock.sleep(300)
    intervals = {one.meter.name: one.interval_ns for one in machine.sample(after_seconds=5).readings}
    assert intervals["cpu"] == 0, "the collector sees from the count how long the processors ran"
    [watts] = [interval for name, interval in intervals.items() if name.startswith("acpi")]
    assert watts == 5 * 10**9, "the meter's mean is of the time awake"
    # The processors are this machine's, and count in hundredths of a second.
    counted = sum(psutil.cpu_times())
    wait_until(lambda: sum(psutil.cpu_times()) > counted + 0.01, "this machine's processors to count on")
    intervals = {one.meter.name: one.interval_ns for one in machine.sample().readings}
    assert intervals["cpu"] == 10 * 10**9
