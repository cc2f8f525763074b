"""End-user devices: half-hour means are all that leaves them, and no energy is lost by it."""

import gzip
import itertools
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.half_hours import CUMULATIVE_FIELDS, HALF_HOUR_NS, HalfHours, is_end_user_device
from agent.names import MEASUREMENTS
from agent.report import Guest, Inventory, Meter, SampleTime
from agent.sample import MeterReading, Point, Sample
from tests.agent.scripted import scripted
from tests.agent.test_loop import running
from tests.servers.process import wait_until

NS = 10**9
START = 1_790_000_000 * NS // HALF_HOUR_NS * HALF_HOUR_NS
"""A half-hour's beginning, in Unix nanoseconds; the boot clock of these tests is 1000 hours behind."""
BOOT = START - 3_600_000 * NS
POLLED = ("interface", "network_device", "power_meter")
"""What reports of polled devices have, and no host sends."""
CPU = Meter("cpu", "cpu_time", "utilisation", "processors", "boot-1")
PACKAGE = Meter("rapl/package-0", "rapl", "counter", "package", "epoch-1")
BMC = Meter("dcmi", "ipmi_dcmi", "power", "machine_ac", "")


class Laptop:
    """Makes samples: two counters that go on, and a power reading, each over the time since the sample before."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.at_ns = int(seconds * NS)
        self.busy, self.total, self.energy = 0, 0, 0
        self.watt_ns = 0.0

    def sample(self, interval_ns: int, busy: int = 100, energy: int = 5000, watts: float = 20.0) -> Sample:
        self.at_ns += interval_ns
        self.busy, self.total, self.energy = self.busy + busy, self.total + busy * 2, self.energy + energy
        self.watt_ns += watts * interval_ns
        time_ = SampleTime(START + self.at_ns, BOOT + self.at_ns)
        readings = [
            MeterReading(CPU, interval_ns, [self.busy, self.total], [busy, busy * 2]),
            MeterReading(PACKAGE, interval_ns, [self.energy], [energy]),
            MeterReading(BMC, interval_ns, [watts], []),
        ]
        return Sample(time_, "boot-1", [Point("system_cpu", {}, {"busy_ratio": busy / 1000})], readings)

    def sleep(self, seconds: float) -> None:
        self.at_ns += int(seconds * NS)


def readings_of(samples: list[Sample], meter: Meter) -> list[tuple[int, int, MeterReading]]:
    """Begin and end of each reading of a meter, in nanoseconds since `START`."""
    found = [
        (one.time.wall_ns - START, reading) for one in samples for reading in one.readings if reading.meter == meter
    ]
    return [(end - reading.interval_ns, end, reading) for end, reading in found]


def test_a_half_hour_becomes_one_sample_with_means_sums_and_last_counts() -> None:
    laptop, half_hours, sent = Laptop(), HalfHours(), []
    for number in range(181):
        sample = laptop.sample(10 * NS, watts=10.0 if number % 2 else 30.0)
        sample.points[0].fields.update(busy_seconds=float(number), load_1m=float(number % 2))
        sent += half_hours.add(sample)
    assert len(sent) == 1
    # The sample at 10:30:00 is the next half-hour's: this one has the 179 before it.
    assert sent[0].points == [Point("system_cpu", {}, {"busy_ratio": 0.1, "busy_seconds": 178.0, "load_1m": 0.4972})]
    assert [(one.meter.name, one.interval_ns // NS, one.differences) for one in sent[0].readings] == [
        ("cpu", 1790, [17900, 35800]),
        ("rapl/package-0", 1790, [179 * 5000]),
        ("dcmi", 1790, []),
    ]
    assert sent[0].readings[2].values == [pytest.approx((30 * 90 + 10 * 89) / 179)]


def test_guests_go_with_their_means_and_one_that_was_seen_once_is_not_told() -> None:
    laptop, half_hours = Laptop(), HalfHours()
    box, once = (Guest(f"guest/{name}", name, "", "virtual_machine", "libvirt", 2.0, 4096) for name in ("box", "once"))
    for interval_ns in (0, 10 * NS, 10 * NS):
        sample = laptop.sample(interval_ns)
        differences = [100, 200] if interval_ns else []
        meter = Meter(box.meter, "guests", "utilisation", "guest", "e")
        sample.readings.append(MeterReading(meter, interval_ns, [1000, 2000], differences))
        sample.readings.append(MeterReading(meter._replace(name=once.meter), 0, [5, 2000], []))
        sample.guests = [box, once]
        half_hours.add(sample)
    [sent] = half_hours.finish()
    assert sent.guests == [box]
    assert [one.differences for one in sent.readings if one.meter.name == box.meter] == [[200, 400]]


def test_the_minutes_within_a_half_hour_are_not_told() -> None:
    """Switched on at 10:05 and at 10:20, for three minutes each: the same as six minutes from 10:00."""
    laptop, half_hours = Laptop(300), HalfHours()
    for pause in (720, 0):
        for _ in range(18):
            assert half_hours.add(laptop.sample(10 * NS)) == []
        laptop.sleep(pause)
    [told] = half_hours.finish()
    assert [(begin // NS, end // NS) for begin, end, _ in readings_of([told], CPU)] == [(0, 360)]
    assert told.time.boot_ns - BOOT == told.time.wall_ns - START == 360 * NS


def test_a_device_that_samples_all_the_time_has_readings_without_a_gap_or_overlap() -> None:
    laptop, half_hours, sent = Laptop(3), HalfHours(), []
    for _ in range(900):
        sent += half_hours.add(laptop.sample(10 * NS))
    spans = [(begin // NS, end // NS) for begin, end, _ in readings_of(sent, PACKAGE)]
    assert spans == [(0, 1790), (1800, 3600), (3600, 5400), (5400, 7200), (7200, 9000)]


@given(
    st.lists(
        st.tuples(
            st.integers(1, 60), st.integers(0, 20_000), st.integers(0, 10**6), st.sampled_from([0, 0, 0, 700, 40_000])
        ),
        min_size=1,
        max_size=120,
    ),
    st.integers(0, 1799),
)
def test_energy_and_time_are_the_same_as_before_and_no_reading_overlaps(
    steps: list[tuple[int, int, int, int]], second: int
) -> None:
    laptop, half_hours, sent = Laptop(second), HalfHours(), []
    half_hours.hand_on(laptop.sample(NS))
    begun, busy, energy, watt_ns = laptop.at_ns, laptop.busy, laptop.energy, laptop.watt_ns
    time_ns = 0
    for seconds, energy_uj, busy_us, sleep in steps:
        sent += half_hours.add(laptop.sample(seconds * NS, busy_us, energy_uj, energy_uj / seconds))
        time_ns += seconds * NS
        laptop.sleep(sleep)
    sent += half_hours.finish()
    assert half_hours.finish() == []
    cpu, package, bmc = (readings_of(sent, meter) for meter in (CPU, PACKAGE, BMC))
    assert sum(one.differences[0] for _, _, one in cpu) == laptop.busy - busy
    assert sum(one.differences[0] for _, _, one in package) == laptop.energy - energy
    assert sum(one.values[0] * one.interval_ns for _, _, one in bmc) == pytest.approx(
        laptop.watt_ns - watt_ns, rel=1e-6
    )
    for readings in (cpu, package, bmc):
        assert sum(end - begin for begin, end, _ in readings) == time_ns
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(readings))
        assert readings[0][0] >= begun
    assert [one.time for one in sent] == sorted(one.time for one in sent)


def test_a_clock_that_is_set_back_tells_the_half_hour_so_far_and_repeats_nothing() -> None:
    laptop, half_hours = Laptop(600), HalfHours()
    for _ in range(60):
        half_hours.add(laptop.sample(10 * NS))
    later = laptop.sample(10 * NS)
    later.time = SampleTime(later.time.wall_ns - 3600 * NS, later.time.boot_ns)
    [told] = half_hours.add(later)
    [again] = half_hours.finish()
    assert told.readings[0].interval_ns == 600 * NS
    assert again.readings[0].interval_ns == 10 * NS
    assert again.time.boot_ns - 10 * NS >= told.time.boot_ns


def test_a_new_epoch_is_added_up_apart() -> None:
    laptop, half_hours = Laptop(), HalfHours()
    half_hours.add(laptop.sample(10 * NS))
    other = laptop.sample(10 * NS)
    meter = PACKAGE._replace(epoch="epoch-2")
    other.readings = [MeterReading(meter, 0, [7], []), MeterReading(meter, 10 * NS, [9], [2])]
    half_hours.add(other)
    told = [one for sample in half_hours.finish() for one in sample.readings if one.meter.name == PACKAGE.name]
    assert [(one.meter.epoch, one.differences) for one in told] == [("epoch-1", [5000]), ("epoch-2", [2])]


def test_a_counter_that_went_on_while_the_device_slept_is_told_as_it_is() -> None:
    laptop, half_hours = Laptop(), HalfHours()
    half_hours.add(laptop.sample(10 * NS))
    sent = half_hours.add(laptop.sample(40_000 * NS))
    sent += half_hours.finish()
    assert [end - begin for begin, end, _ in readings_of(sent, PACKAGE)] == [10 * NS, 40_000 * NS]


def test_which_counts_have_no_mean_is_what_the_measurements_say() -> None:
    said = {
        field.name
        for measurement in MEASUREMENTS.values()
        if measurement.sent_by_agents and measurement.name not in POLLED
        for field in measurement.fields
        if "since" in field.description or field.name == "rejected_reports"
    }
    assert said == CUMULATIVE_FIELDS


@pytest.mark.parametrize(
    ("choice", "chassis", "is_one"),
    [
        ("auto", "laptop", True),
        ("auto", "desktop", True),
        ("auto", "server", False),
        ("auto", "", False),
        ("yes", "server", True),
        ("no", "laptop", False),
    ],
)
def test_laptops_and_desktops_are_end_user_devices_unless_it_is_said(choice: str, chassis: str, is_one: bool) -> None:
    assert is_end_user_device(choice, Inventory(chassis=chassis)) is is_one


def test_the_agent_of_an_end_user_device_tells_that_it_started_and_then_means(tmp_path: Path) -> None:
    with scripted() as server:
        with running(tmp_path, server.url, ICTAGENT_END_USER_DEVICE="yes") as agent:
            wait_until(lambda: len(reports(server.heard)) >= 2, "the two reports of the start")
            # Samples are taken every second; none of them is sent, unless a half-hour ends just now.
            begun = time.monotonic()
            wait_until(lambda: time.monotonic() - begun > 3, "three more samples")
            assert agent.end() == 0
        start, second, *means = reports(server.heard)
    assert start["inventory"]["end_user_device"] is True
    assert (start["rows"], second["rows"]) == ([], [])
    assert [one[2] for one in second["readings"]] != [0]
    assert 1 <= len(means) <= 3
    assert means[-1]["rows"]
    assert {len(report["samples"]) for report in means} <= {1, 2}
    assert "half-hour means" in agent.log.read_text()


def reports(heard: list[Any]) -> list[dict[str, Any]]:
    return [json.loads(gzip.decompress(one.body)) for one in heard if one.path == "/v1/reports"]
