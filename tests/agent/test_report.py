"""A report as it is built and encoded; clocks and durable files beneath it."""

import gzip
import json
import math
import os
import re
from pathlib import Path
from typing import Any

import pytest

from agent.clock import Clock
from agent.files import read_text, write_durably
from agent.report import Choice, Event, Guest, Inventory, Meter, Report, Row, SampleTime, Series, SourceState, encode
from agent.report_builder import build_report
from agent.sample import MeterReading, Point, Sample


def sample(second: int, **changes: Any) -> Sample:
    made = Sample(SampleTime(second * 10**9, second * 10**9 + 5), "boot-1")
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def built(*samples: Sample, events: tuple[Event, ...] = ()) -> Report:
    return build_report(samples, "stream-0001", 1, "0.1.0", events)


def test_a_series_is_named_once_and_its_rows_by_position() -> None:
    def point(value: float) -> Point:
        return Point("system_cpu", {}, {"busy_ratio": value})

    report = built(sample(1, points=[point(0.1)]), sample(2, points=[point(0.2)]))
    assert report.series == [Series("system_cpu", {}, ["busy_ratio"])]
    assert report.rows == [Row(0, 10**9, [0.1]), Row(0, 2 * 10**9, [0.2])]
    assert report.samples == [SampleTime(10**9, 10**9 + 5), SampleTime(2 * 10**9, 2 * 10**9 + 5)]


def test_other_tags_or_other_fields_are_another_series() -> None:
    points = [
        Point("system_disk", {"disk": "sda"}, {"busy_ratio": 0.1}),
        Point("system_disk", {"disk": "sdb"}, {"busy_ratio": 0.1}),
        Point("system_disk", {"disk": "sda"}, {"busy_ratio": 0.1, "reads_per_second": 1.0}),
    ]
    assert len(built(sample(1, points=points)).series) == 3


def test_a_report_names_every_guest_that_it_has_a_reading_of_with_its_newest_size() -> None:
    def guest(name: str, memory_bytes: int = 4096) -> Guest:
        return Guest(f"guest/{name}", name, "", "virtual_machine", "libvirt", 2.0, memory_bytes)

    report = built(sample(1, guests=[guest("stopped"), guest("web")]), sample(2, guests=[guest("web", 8192)]))
    assert report.guests == [guest("stopped"), guest("web", 8192)]


def test_a_meter_in_a_new_epoch_is_named_again() -> None:
    def reading(epoch: str) -> MeterReading:
        return MeterReading(Meter("rapl/package-0", "rapl", "counter", "package", epoch), 0, [0], [])

    report = built(
        sample(1, readings=[reading("a")]), sample(2, readings=[reading("a")]), sample(3, readings=[reading("b")])
    )
    assert [meter.epoch for meter in report.meters] == ["a", "b"]
    assert [reading.meter for reading in report.readings] == [0, 0, 1]


def test_the_newest_inventory_sources_and_choice_stand_for_all() -> None:
    report = built(
        sample(1, inventory=Inventory(host_name="old"), choice=Choice("estimate")),
        sample(2, inventory=Inventory(host_name="new")),
        sample(3, sources=[SourceState("rapl", "data")], choice=Choice("psys", ["rapl/psys"])),
        events=(Event(1, "spool_dropped", "2"),),
    )
    assert report.inventory is not None
    assert report.inventory.host_name == "new"
    assert (report.choice.basis, report.sources[0].source, report.events[0].code) == ("psys", "rapl", "spool_dropped")


def test_the_same_report_is_always_the_same_bytes() -> None:
    one = built(sample(1, points=[Point("x", {"a": "b"}, {"y": 1.0, "z": None})]))
    assert encode(one) == encode(one)
    assert json.loads(gzip.decompress(encode(one)))["rows"] == [[0, 10**9, [1.0, None]]]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_sent(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(built(sample(1, points=[Point("x", {}, {"y": value})])))


def test_boot_time_goes_on_and_the_boot_has_the_kernels_name() -> None:
    clock = Clock()
    before, after = clock.now(), clock.now()
    assert after.boot_ns >= before.boot_ns > 0
    assert re.fullmatch(r"[0-9a-f-]{36}", clock.boot_id())


def test_where_the_kernel_names_no_boot_its_time_does(tmp_path: Path) -> None:
    clock = Clock()
    assert re.fullmatch(r"boot-\d+", clock.boot_id(tmp_path))
    assert clock.boot_id(tmp_path) == clock.boot_id(tmp_path)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state"
    write_durably(path, b"first")
    assert path.stat().st_mode & 0o777 == 0o600

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_durably(path, b"second")
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["state"]


def test_text_of_the_kernel_is_read_without_its_padding_and_whatever_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\0 Super Server \xff\n\0")
    assert read_text(tmp_path / "x") == "Super Server \ufffd"
