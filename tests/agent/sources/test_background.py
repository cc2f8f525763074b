"""Slow sources: read in the background, each reading handed over once, none delays a sample or passes for a newer one."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import Clock
from agent.outcome import Absent, Data, Failed, Outcome
from agent.report import SampleTime
from agent.sample import Sample
from agent.sampler import Sampler
from agent.sources.reading import RawReading
from agent.sources.source import Background
from tests.agent.sources.outcomes import data, failure, reason
from tests.servers.process import wait_until

PERIOD = 30.0


class Device:
    """Something slow to ask. What it answers, and whether it answers, the test decides."""

    def __init__(self) -> None:
        self.outcome: Outcome[list[RawReading]] = Data([RawReading("slow/1", "power", "machine_ac", 100.0)])
        self.answers = threading.Event()
        self.answers.set()
        self.asked = self.answered = 0

    def read(self) -> Outcome[list[RawReading]]:
        self.asked += 1
        self.answers.wait(30)
        outcome = self.outcome
        self.answered += 1
        return outcome

    def gives(self, watts: float) -> None:
        self.outcome = Data([RawReading("slow/1", "power", "machine_ac", watts)])


class Host:
    """A sampler with one slow source, on a clock that the test moves."""

    def __init__(self, root: Path) -> None:
        self.device = Device()
        self.now_ns = 10**12
        self.source = Background(self.device.read, PERIOD, now=lambda: self.now_ns)
        self.sampler = Sampler(root, clock=self.clock(), sources={"slow": lambda _settings, _root: self.source})

    def clock(self) -> Clock:
        host = self

        class Moved(Clock):
            def now(self) -> SampleTime:
                return SampleTime(1_764_000_000_000_000_000 + host.now_ns, host.now_ns)

        return Moved()

    def sample(self, after_seconds: float = 10.0) -> Sample:
        """A sample; a reading that it asks for has arrived before this returns, and so is in the next one."""
        self.now_ns += int(after_seconds * 1e9)
        sample = self.sampler.sample(with_inventory=False)
        if self.device.answers.is_set():
            wait_until(lambda: self.device.answered == self.device.asked and not self.source.reading, "the answer")
        return sample


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    one = Host(tmp_path)
    yield one
    one.device.answers.set()
    one.sampler.close()


def readings(sample: Sample) -> list[tuple[float, float]]:
    """Watts and seconds of the slow meter's readings."""
    return [(one.values[0], one.interval_ns / 1e9) for one in sample.readings if one.meter.source == "slow"]


def test_a_slow_meter_is_asked_once_in_a_period_and_each_reading_reaches_back_to_the_one_before(host: Host) -> None:
    found = []
    for number in range(13):
        host.device.gives(100 + number)
        found.append(readings(host.sample()))
    assert host.device.asked == 5
    given = [one for sample in found for one in sample]
    assert [seconds for _, seconds in given] == [10, 30, 30, 30]
    assert len({watts for watts, _ in given}) == 4


def test_a_reading_that_came_before_there_was_an_interval_is_given_with_the_next_sample(host: Host) -> None:
    host.source.settle(5)
    assert readings(host.sample()) == []
    assert readings(host.sample(after_seconds=1)) == [(100.0, 1.0)]
    assert readings(host.sample()) == []


def test_the_meter_stays_chosen_between_its_readings(host: Host) -> None:
    host.sample()
    choices = [host.sample().choice for _ in range(6)]
    assert {(choice.basis, *choice.meters) for choice in choices} == {("machine", "slow/1")}


def test_a_device_that_hangs_delays_no_sample_and_its_last_reading_is_never_given_again(host: Host) -> None:
    host.sample()
    assert readings(host.sample()) == [(100.0, 10.0)]
    host.device.answers.clear()
    began = time.monotonic()
    samples = [host.sample() for _ in range(14)]
    assert time.monotonic() - began < 5
    assert [readings(one) for one in samples] == [[]] * 14
    states = [one.sources[0].outcome for one in samples]
    # Three periods after its last answer it has failed, and stays so.
    assert states == ["data"] * 8 + ["failed"] * 6
    assert samples[-1].sources[0].reason == "it does not answer"
    assert samples[-1].choice.basis == "estimate"


def test_after_a_long_silence_a_reading_stands_only_for_its_own_sample(host: Host) -> None:
    host.sample()
    host.sample()
    host.device.answers.clear()
    for _ in range(14):
        host.sample()
    host.device.answers.set()
    host.device.gives(150)
    wait_until(lambda: not host.source.reading, "the answer")
    assert readings(host.sample()) == [(150.0, 10.0)]


def test_one_failed_reading_is_said_and_changes_no_choice_several_do(host: Host) -> None:
    host.sample()
    host.device.outcome = Failed("the controller is busy", "wait")
    for _ in range(4):
        sample = host.sample()
    assert (sample.sources[0].outcome, sample.sources[0].reason) == (
        "data",
        "the newest reading failed: the controller is busy",
    )
    assert sample.choice.basis == "machine"
    for _ in range(6):
        sample = host.sample()
    assert (sample.sources[0].outcome, sample.sources[0].reason) == ("failed", "the controller is busy")
    assert sample.choice.basis == "estimate"


def test_a_machine_that_slept_does_not_give_the_reading_from_before(host: Host) -> None:
    host.sample()
    host.sample()
    host.device.answers.clear()
    woken = host.sample(after_seconds=8 * 3600)
    assert readings(woken) == []
    assert (woken.sources[0].outcome, woken.sources[0].reason) == ("absent", "its answer is awaited")


def test_a_slow_counter_counts_once_a_reading(host: Host) -> None:
    counted = []
    for number in range(8):
        host.device.outcome = Data([RawReading("slow/e", "counter", "gpu", 10_000_000_000 + number * 10**9)])
        sample = host.sample()
        counted += [one.differences for one in sample.readings if one.meter.source == "slow"]
    assert counted == [[], [3 * 10**9], [3 * 10**9]]


def test_a_source_that_is_not_there_starts_no_thread_and_asks_nobody() -> None:
    device = Device()
    source = Background(device.read, PERIOD, present=lambda: Absent("no such device"))
    before = threading.active_count()
    source.settle(5)
    assert reason(source.read()) == "no such device"
    assert (threading.active_count(), device.asked) == (before, 0)


def test_settling_waits_for_the_first_answer_and_no_longer_than_it_is_told() -> None:
    device = Device()
    source = Background(device.read, PERIOD)
    assert reason(Background(Device().read, PERIOD, now=lambda: 1).read())
    source.settle(20)
    assert data(source.read())
    source.close()
    silent = Device()
    silent.answers.clear()
    source = Background(silent.read, PERIOD)
    began = time.monotonic()
    source.settle(0.2)
    assert 0.15 < time.monotonic() - began < 2
    assert reason(source.read()) == "its answer is awaited"
    silent.answers.set()
    source.close()


def test_a_defect_of_a_slow_source_is_reported_and_it_is_asked_again() -> None:
    now = [1]
    asked = []

    def broken() -> Outcome[list[RawReading]]:
        asked.append(1)
        raise IndexError("list index out of range")

    source = Background(broken, PERIOD, now=lambda: now[0])
    source.settle(5)
    assert failure(source.read()) == ("IndexError: list index out of range", "report this as a defect of ictagent")
    now[0] += int(40e9)
    source.settle(5)
    wait_until(lambda: source.read() and len(asked) == 2, "a second question")
    source.close()


def test_the_farewell_is_said_by_the_thread_that_asked() -> None:
    spoke: list[int] = []
    device = Device()

    def read() -> Outcome[list[RawReading]]:
        spoke.append(threading.get_ident())
        return device.read()

    source = Background(read, PERIOD, farewell=lambda: spoke.append(threading.get_ident()))
    source.settle(5)
    source.close()
    assert len(spoke) == 2
    assert spoke[0] == spoke[1] != threading.get_ident()
