"""How busy the host is: means from counters, shares that add up, and no value rather than a wrong one."""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import utilisation
from agent.inventory.disks import physical_disks
from agent.inventory.network import card_names
from agent.sample import Point
from agent.utilisation import Utilisation

SHARES = ("user_ratio", "system_ratio", "idle_ratio", "iowait_ratio", "interrupt_ratio", "steal_ratio")


class Times(NamedTuple):
    """Processor times as psutil gives them on Linux."""

    user: float
    nice: float
    system: float
    idle: float
    iowait: float
    irq: float
    softirq: float
    steal: float
    guest: float
    guest_nice: float


class Disk(NamedTuple):
    read_count: int
    write_count: int
    read_bytes: int
    write_bytes: int
    busy_time: int


class Card(NamedTuple):
    bytes_sent: int
    bytes_recv: int
    packets_sent: int
    packets_recv: int
    errin: int
    errout: int
    dropin: int
    dropout: int


def of(points: list[Point], measurement: str) -> list[Point]:
    return [point for point in points if point.measurement == measurement]


seconds = st.lists(st.integers(0, 10**6).map(lambda hundredths: hundredths / 100), min_size=10, max_size=10)


@given(start=seconds, passed=seconds)
def test_the_shares_of_processor_time_add_up_to_one(start: list[float], passed: list[float]) -> None:
    # What guests use is within user and nice already.
    start[8] = start[9] = passed[8] = passed[9] = 0.0
    if sum(passed) < 1:
        passed[3] += 1
    readings = [Times(*start), Times(*(a + b for a, b in zip(start, passed, strict=True)))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil, "cpu_times", lambda: readings.pop(0))
        reader = Utilisation()
        reader._processors()
        fields: dict[str, Any] = reader._processors().fields
    assert sum(fields[name] for name in SHARES) == pytest.approx(1, abs=1e-5)
    busy = fields["user_ratio"] + fields["system_ratio"] + fields["interrupt_ratio"]
    assert fields["busy_ratio"] == pytest.approx(busy, abs=1e-5)


def test_work_at_low_priority_is_busy_and_waiting_and_stolen_time_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = Times(10, 20, 30, 15, 10, 2, 3, 10, 0, 0)
    readings = [Times(*[0.0] * 10), passed]
    monkeypatch.setattr(psutil, "cpu_times", lambda: readings.pop(0))
    reader = Utilisation()
    reader._processors()
    fields = reader._processors().fields
    assert {name: fields[name] for name in ("busy_ratio", *SHARES)} == {
        "busy_ratio": 0.65,
        "user_ratio": 0.3,
        "system_ratio": 0.3,
        "idle_ratio": 0.15,
        "iowait_ratio": 0.1,
        "interrupt_ratio": 0.05,
        "steal_ratio": 0.1,
    }


def test_a_share_that_went_backwards_has_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """iowait is not monotonic: Documentation/filesystems/proc.rst."""
    readings = [Times(10, 0, 10, 100, 50, 0, 0, 0, 0, 0), Times(12, 0, 12, 110, 40, 0, 0, 0, 0, 0)]
    monkeypatch.setattr(psutil, "cpu_times", lambda: readings.pop(0))
    reader = Utilisation()
    reader._processors()
    fields = reader._processors().fields
    assert fields["iowait_ratio"] is None
    assert fields["user_ratio"] == 0.5


def test_the_first_reading_has_counters_and_gauges_and_no_rates() -> None:
    points = Utilisation().points(0.0, None)
    [processor], [memory] = of(points, "system_cpu"), of(points, "system_memory")
    assert {"busy_seconds", "total_seconds", "load_1m"} <= set(processor.fields)
    assert not [name for name in processor.fields if name.endswith("_ratio")]
    assert not of(points, "system_disk") + of(points, "system_network")
    assert not [name for name in memory.fields if name.endswith("per_second")]


def test_processor_time_is_the_same_that_the_reading_showed() -> None:
    reader = Utilisation()
    [processor] = of(reader.points(0.0, None), "system_cpu")
    busy_us, total_us = reader.processor_time()
    assert busy_us / 1e6 == pytest.approx(processor.fields["busy_seconds"], abs=0.01)
    assert total_us / 1e6 == pytest.approx(processor.fields["total_seconds"], abs=0.01)
    assert 0 < busy_us < total_us


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A machine with the disk `sda` and the card `eth0`, whose counters the test sets."""
    (tmp_path / "sys/block/sda").mkdir(parents=True)
    (tmp_path / "sys/class/net/eth0/device").mkdir(parents=True)
    state: dict[str, Any] = {"root": tmp_path, "disk": Disk(0, 0, 0, 0, 0), "card": Card(0, 0, 0, 0, 0, 0, 0, 0)}
    monkeypatch.setattr(psutil, "disk_io_counters", lambda **_: {"sda": state["disk"], "sda1": state["disk"]})
    monkeypatch.setattr(psutil, "net_io_counters", lambda **_: {"eth0": state["card"], "lo": state["card"]})
    return state


def test_traffic_is_a_rate_over_the_interval(machine: dict[str, Any]) -> None:
    reader = Utilisation(machine["root"])
    reader.points(0.0, None)
    machine["disk"] = Disk(read_count=20, write_count=40, read_bytes=81920, write_bytes=1000, busy_time=2500)
    machine["card"] = Card(1000, 5000, 10, 50, 1, 2, 3, 4)
    points = reader.points(10.0, 10.0)
    [disk], [card] = of(points, "system_disk"), of(points, "system_network")
    assert disk.tags == {"disk": "sda"}
    assert disk.fields == {
        "read_bytes_per_second": 8192,
        "write_bytes_per_second": 100,
        "reads_per_second": 2,
        "writes_per_second": 4,
        "busy_ratio": 0.25,
    }
    assert card.tags == {"interface": "eth0"}
    assert card.fields == {
        "receive_bytes_per_second": 500,
        "transmit_bytes_per_second": 100,
        "receive_packets_per_second": 5,
        "transmit_packets_per_second": 1,
        "receive_errors_per_second": 0.1,
        "transmit_errors_per_second": 0.2,
        "drops_per_second": 0.7,
    }


def test_counters_that_went_backwards_give_no_rate_and_the_next_interval_is_right_again(
    machine: dict[str, Any],
) -> None:
    reader = Utilisation(machine["root"])
    machine["disk"], machine["card"] = Disk(9, 9, 9000, 9000, 9), Card(9000, 9000, 9, 9, 0, 0, 0, 0)
    reader.points(0.0, None)
    machine["disk"], machine["card"] = Disk(1, 1, 1000, 1000, 1), Card(1000, 1000, 1, 1, 0, 0, 0, 0)
    points = reader.points(10.0, 10.0)
    assert not of(points, "system_disk") + of(points, "system_network")
    machine["disk"], machine["card"] = Disk(2, 2, 2000, 2000, 2), Card(2000, 2000, 2, 2, 0, 0, 0, 0)
    points = reader.points(20.0, 10.0)
    [disk], [card] = of(points, "system_disk"), of(points, "system_network")
    assert disk.fields["read_bytes_per_second"] == card.fields["receive_bytes_per_second"] == 100


def test_after_a_long_pause_no_rate_is_given(machine: dict[str, Any]) -> None:
    reader = Utilisation(machine["root"])
    reader.points(0.0, None)
    machine["disk"] = Disk(9, 9, 9000, 9000, 9)
    assert not of(reader.points(4000.0, None), "system_disk")


def test_a_disk_that_comes_later_is_found_and_begins_without_a_rate(
    machine: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Utilisation(machine["root"])
    reader.points(0.0, None)
    (machine["root"] / "sys/block/sdb").mkdir()
    monkeypatch.setattr(psutil, "disk_io_counters", lambda **_: {"sda": Disk(0, 0, 0, 0, 0), "sdb": machine["disk"]})
    machine["disk"] = Disk(9, 9, 9000, 9000, 9)
    points = reader.points(utilisation._STATIC_SECONDS + 1.0, 10.0)
    assert [point.tags["disk"] for point in of(points, "system_disk")] == ["sda"]


class Part(NamedTuple):
    device: str
    mountpoint: str
    fstype: str


def test_each_local_file_system_is_listed_once_and_none_of_the_network_or_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data", "again", "nfs", "container"):
        (tmp_path / name).mkdir()
    parts = [
        Part("/dev/sda2", "/", "ext4"),
        Part("/dev/sdb1", str(tmp_path / "data"), "xfs"),
        Part("/dev/sdb1", str(tmp_path / "again"), "xfs"),
        Part("server:/export", str(tmp_path / "nfs"), "nfs4"),
        Part("overlay", str(tmp_path / "container"), "overlay"),
        Part("tmpfs", "/run", "tmpfs"),
        Part("proc", "/proc", "proc"),
        Part("/dev/sdc1", str(tmp_path / "gone"), "ext4"),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: parts)
    points = of(Utilisation().points(0.0, None), "system_filesystem")
    assert [point.tags["mount_point"] for point in points] == ["/", str(tmp_path / "data")]
    for point in points:
        used, free, ratio = (point.fields[name] for name in ("used_bytes", "free_bytes", "used_ratio"))
        assert isinstance(used, int)
        assert isinstance(free, int)
        assert ratio == pytest.approx(used / (used + free), abs=1e-6)


def test_a_temperature_that_no_hardware_has_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sensor(NamedTuple):
        label: str
        current: float

    found = {"coretemp": [Sensor("Package id 0", 44.04), Sensor("", -128.0)], "acpitz": [Sensor("", float("nan"))]}
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: found)
    points = of(Utilisation().points(0.0, None), "hw_temperature")
    assert [(point.tags["hw_id"], point.fields) for point in points] == [
        ("coretemp/Package id 0", {"temperature_celsius": 44.0})
    ]


def test_disks_made_of_others_of_memory_or_of_paths_are_not_physical(tmp_path: Path) -> None:
    names = ["sda", "nvme0n1", "nvme0c0n1", "vda", "mmcblk0", "xvda", "loop0", "dm-0", "md127", "zram0", "sr0", "ram1"]
    for name in names:
        (tmp_path / "sys/block" / name).mkdir(parents=True)
    assert physical_disks(tmp_path) == ["mmcblk0", "nvme0n1", "sda", "vda", "xvda"]


def test_cards_with_a_device_count_and_without_any_those_that_carry_traffic(tmp_path: Path) -> None:
    tree = tmp_path / "sys/class/net"
    for name in ("lo", "docker0", "veth12ab", "eth0", "bond0"):
        (tree / name).mkdir(parents=True)
    (tree / "bonding_masters").write_text("bond0\n")
    assert card_names(tmp_path) == ["bond0", "eth0"]
    (tree / "eth0/device").mkdir()
    assert card_names(tmp_path) == ["eth0"]


def test_on_this_machine_every_value_is_a_plain_number_in_its_range() -> None:
    reader = Utilisation()
    reader.points(0.0, None)
    for point in reader.points(1.0, 1.0):
        assert point.measurement
        for name, value in point.fields.items():
            assert value is None or type(value) in (int, float), (point, name)
            if name.endswith("_ratio") and isinstance(value, (int, float)):
                assert 0 <= value <= 1, (point, name)
            assert re.search(r"_(ratio|bytes|seconds|second|1m|5m|15m|celsius)$", name), name


def test_load_is_that_of_the_operating_system() -> None:
    [processor] = of(Utilisation().points(0.0, None), "system_cpu")
    assert processor.fields["load_15m"] == pytest.approx(os.getloadavg()[2], abs=0.2)


def test_in_a_container_the_file_systems_are_the_hosts_by_the_hosts_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Mounted(NamedTuple):
        device: str
        mountpoint: str
        fstype: str

    host, boot = tmp_path / "host", tmp_path / "host/boot"
    boot.mkdir(parents=True)
    monkeypatch.setattr(Path, "is_mount", lambda path: path == host)
    mounts = [Mounted("overlay", "/", "overlay"), Mounted("/dev/sda2", str(host), "ext4")]
    mounts += [Mounted("/dev/sda1", str(boot), "ext4"), Mounted("/dev/sda2", "/var/lib/ictagent", "ext4")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_kinds: mounts)
    points = of(Utilisation(host).points(1.0, None), "system_filesystem")
    assert [point.tags["mount_point"] for point in points] == ["/", "/boot"]
