"""The agent writes reports from dataclasses and the collector reads them into its own types: the two are one contract."""

import dataclasses
import gzip

import msgspec

from agent.report import (
    Choice,
    Event,
    Guest,
    Inventory,
    Meter,
    Reading,
    Report,
    Row,
    SampleTime,
    Series,
    SourceState,
    encode,
    jsonable,
)
from collector.wire import WireReport

EVERYTHING = Report(
    "stream-0001",
    7,
    "0.1.0",
    "boot-1",
    [SampleTime(10, 20)],
    [Series("system_cpu", {"a": "b"}, ["busy_ratio", "note"])],
    [Row(0, 10, [0.5, None])],
    [Meter("rapl/package-0", "rapl", "counter", "package", "e1", "")],
    [Reading(0, 10, 5, [123], [4])],
    [SourceState("rapl", "data"), SourceState("hwmon", "failed", "why", "what to do")],
    Choice("package", ["rapl/package-0"], {"machine": "none"}),
    Inventory(machine_id="m", cpu_sockets=2),
    [Guest("guest/u", "web", "u", "virtual_machine", "libvirt", 2.0, 4096)],
    [Event(10, "spool_dropped", "2 reports")],
)
"""A report in which nothing is left at its default."""


def test_the_collector_knows_every_field_of_the_report_and_no_other() -> None:
    written = [field.name for field in dataclasses.fields(Report)]
    read = [field.name for field in msgspec.structs.fields(WireReport)]
    assert sorted(read) == sorted(written)


def test_what_must_be_in_a_report_is_the_same_on_both_sides() -> None:
    def must(field: dataclasses.Field[object]) -> bool:
        return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING

    written = {field.name for field in dataclasses.fields(Report) if must(field)}
    assert written == {field.name for field in msgspec.structs.fields(WireReport) if field.required}


def test_a_report_with_everything_in_it_is_read_as_it_was_written() -> None:
    read = msgspec.json.decode(gzip.decompress(encode(EVERYTHING)), type=WireReport)
    for field in dataclasses.fields(Report):
        assert msgspec.to_builtins(getattr(read, field.name)) == msgspec.to_builtins(getattr(EVERYTHING, field.name)), (
            field.name
        )


def test_nothing_in_the_example_is_left_at_its_default() -> None:
    bare = Report("", 0, "", "")
    left = [name for name, value in jsonable(EVERYTHING).items() if value == jsonable(bare)[name]]
    assert left == ["version"]
