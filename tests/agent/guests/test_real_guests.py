"""Guests of a real QEMU on this machine: one that works all the time, and one that is stopped."""

import fcntl
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from agent.sample import MeterReading, Sample
from agent.sampler import Sampler
from tests.conftest import missing
from tests.servers.process import stop, wait_until

QEMU = "qemu-system-x86_64"
BUSY = "0d6f0a4e-3a55-4f0e-9a51-7c1d5a0e1101"
STOPPED = "0d6f0a4e-3a55-4f0e-9a51-7c1d5a0e1102"


@contextmanager
def machine(folder: Path, name: str, uuid: str, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """An emulated machine whose disk's first sector is `jmp $`: it works for nothing, for ever."""
    if shutil.which(QEMU) is None:
        missing(f"{QEMU} (Debian: qemu-system-x86)")
    disk = folder / f"{name}.img"
    disk.write_bytes(b"\xeb\xfe".ljust(510, b"\0") + b"\x55\xaa")
    command = [QEMU, "-name", f"guest={name},debug-threads=on", "-uuid", uuid, "-machine", "pc,accel=tcg"]
    command += ["-m", "size=32768k", "-smp", "2", "-nodefaults", "-display", "none", "-net", "none"]
    command += ["-drive", f"file={disk},format=raw,if=ide,snapshot=on", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=(folder / f"{name}.log").open("wb"))
    try:
        # Until then the process is still a copy of this one.
        wait_until(lambda: uuid.encode() in Path(f"/proc/{process.pid}/cmdline").read_bytes(), "the program's start")
        yield process
    finally:
        stop(process)


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """One of these tests at a time on this machine: each sees the guests of all."""
    with (Path(tempfile.gettempdir()) / "ictagent-tests-qemu.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def of(sample: Sample, uuid: str) -> MeterReading:
    return next(one for one in sample.readings if one.meter.name == f"guest/{uuid}")


def named(sample: Sample) -> set[str]:
    return {guest.name for guest in sample.guests} & {"busy", "stopped"}


@pytest.fixture
def sampler() -> Iterator[Sampler]:
    made = Sampler(sources={})
    yield made
    made.close()


def test_a_real_guest_is_found_counted_and_forgotten(tmp_path: Path, sampler: Sampler) -> None:
    with machine(tmp_path, "stopped", STOPPED, "-S"), machine(tmp_path, "busy", BUSY) as busy:
        process = psutil.Process(busy.pid)
        wait_until(lambda: process.cpu_times().user > 0.5, "the guest's work")
        first = sampler.sample(with_inventory=False)
        before = process.cpu_times()
        wait_until(lambda: process.cpu_times().user > before.user + 0.5, "more of the guest's work")
        used = process.cpu_times()
        second = sampler.sample(with_inventory=False)

        assert named(first) == named(second) == {"busy", "stopped"}
        guest = next(one for one in second.guests if one.name == "busy")
        assert (guest.system_uuid, guest.vcpus, guest.memory_bytes) == (BUSY, 2.0, 32 * 2**20)
        assert of(first, BUSY).differences == []
        busy_us, total_us = of(second, BUSY).differences
        host = next(one for one in second.readings if one.meter.covers == "processors")
        together = sum(one.differences[0] for one in second.readings if one.meter.covers == "guest" and one.differences)
        assert total_us == host.differences[1]
        assert together <= host.differences[0] <= total_us
        # What does not fit into what the host was busy is counted later, so at most this.
        least = min(used.user + used.system - before.user - before.system - 0.03, host.differences[0] / 1e6 - 0.03)
        assert busy_us / 1e6 >= least * 0.9
        assert of(second, STOPPED).differences[0] < 0.2 * busy_us
    assert named(sampler.sample(with_inventory=False)) == set()


def test_a_guest_that_was_killed_and_started_anew_has_another_epoch(tmp_path: Path, sampler: Sampler) -> None:
    epochs = []
    for _ in range(2):
        with machine(tmp_path, "busy", BUSY) as process:
            epochs.append(of(sampler.sample(with_inventory=False), BUSY).meter.epoch)
            process.kill()
            process.wait()
    assert len(set(epochs)) == 2


def test_the_command_shows_the_guests(tmp_path: Path) -> None:
    with machine(tmp_path, "stopped", STOPPED, "-S"):
        shown = subprocess.run(
            [sys.executable, "-m", "agent", "sample", "--interval", "0.2"], capture_output=True, text=True, check=True
        ).stdout
        line = next(one.split() for one in shown.splitlines() if one.startswith("stopped "))
        assert line[:7] == ["stopped", "qemu", "virtual", "machine", "2.0", "0.0", "GiB"]
