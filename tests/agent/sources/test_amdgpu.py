"""Energy counters of AMD cards; their watts are in tests/agent/test_sources.py."""

import struct
from pathlib import Path

import pytest

from agent.outcome import Data
from agent.sources import amdgpu
from tests.agent import trees
from tests.agent.sources.outcomes import data, reason


def card(root: Path, *, device_class: str = "0x120000", table: bytes = b"", **files: str) -> Path:
    folder = trees.chip(root, 0, "amdgpu", "0000:03:00.0", power1_average="31000000", **files)
    device = (folder / "device").resolve()
    trees.write(device, {"class": device_class})
    (device / "gpu_metrics").write_bytes(table)
    return device


def metrics(major: int, minor: int, at: int, units: int, size: int = 160) -> bytes:
    """A table with its accumulator at this byte; all other fields say "not measured"."""
    body = bytearray(b"\xff" * size)
    struct.pack_into("<HBB", body, 0, size, major, minor)
    struct.pack_into("<Q", body, at, units)
    return bytes(body)


@pytest.mark.parametrize(("minor", "at"), [(1, 24), (2, 24), (3, 24), (4, 24), (5, 88)])
def test_the_accumulator_of_a_data_centre_card_is_counted_in_microjoules(minor: int, at: int, tmp_path: Path) -> None:
    card(tmp_path, table=metrics(1, minor, at, 65_536 * 1000))
    [one] = data(amdgpu.read(tmp_path)).values()
    assert (one.name, one.kind, one.covers, one.value) == ("amdgpu/0000:03:00.0/energy", "counter", "gpu", 1000 * 10**6)


def test_hwmons_own_counter_comes_first(tmp_path: Path) -> None:
    card(tmp_path, table=metrics(1, 4, 24, 65_536), energy1_input="777")
    assert data(amdgpu.read(tmp_path))["amdgpu/0000:03:00.0/energy"].value == 777


@pytest.mark.parametrize(
    ("table", "device_class"),
    [
        (metrics(1, 3, 24, 5), "0x030000"),
        (metrics(1, 4, 24, 2**64 - 1), "0x120000"),
        (metrics(1, 4, 24, 0), "0x120000"),
        (metrics(1, 4, 24, 5)[:20], "0x120000"),
        (metrics(1, 5, 88, 5, size=96)[:90], "0x038000"),
        (metrics(9, 9, 24, 5), "0x120000"),
        (metrics(2, 1, 24, 5), "0x120000"),
        (b"", "0x120000"),
    ],
    ids=["a card with a screen", "all ones", "zero", "cut short", "cut in the field", "unknown", "of an APU", "empty"],
)
def test_a_counter_that_cannot_be_trusted_leaves_the_watts(table: bytes, device_class: str, tmp_path: Path) -> None:
    card(tmp_path, table=table, device_class=device_class)
    assert {name: one.value for name, one in data(amdgpu.read(tmp_path)).items()} == {"amdgpu/0000:03:00.0": 31.0}


def test_a_card_that_breaks_costs_only_itself_and_is_named(tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "amdgpu", "0000:03:00.0", power1_average="")
    trees.chip(tmp_path, 1, "amdgpu", "0000:0a:00.0", power1_input="250000000")
    outcome = amdgpu.read(tmp_path)
    assert list(data(outcome)) == ["amdgpu/0000:0a:00.0"]
    assert isinstance(outcome, Data)
    assert outcome.note.startswith("0000:03:00.0 power1_average cannot be read")


def test_watts_beyond_any_card_are_none(tmp_path: Path) -> None:
    trees.chip(tmp_path, 0, "amdgpu", "0000:03:00.0", power1_average="4294967295000")
    assert reason(amdgpu.read(tmp_path)) == "the AMD graphics card measures no power"


def test_a_card_that_sleeps_is_not_woken(tmp_path: Path) -> None:
    device = card(tmp_path)
    trees.write(device, {"power/runtime_status": "suspended"})
    assert reason(amdgpu.read(tmp_path)) == "the AMD graphics card sleeps"
