"""NVIDIA cards, through a real shared library with NVML's entry points; figures after captured nvidia-smi outputs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.outcome import Absent, Data
from agent.sources.needs import NOTHING
from agent.sources.nvidia import Cards, needs, present
from tests.agent import trees
from tests.agent.sources.outcomes import data, failure, reason
from tests.servers.nvml import built

A10G = "GPU-9a9a6c50-2a47-2f51-a902-b82c3b127e94"
T4 = "GPU-d37e67a5-91dd-3774-a5cb-99096249601a"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(built(tmp_path_factory.mktemp("nvml")))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with what the cards are like."""
    monkeypatch.setenv("NVML_TEST_STATE", str(tmp_path / "cards"))
    return tmp_path / "cards"


def cards(state: Path, *lines: str, init: int = 0) -> None:
    state.write_text("\n".join([f"init {init}", *lines]))


def test_a_card_that_counts_energy_is_a_counter_of_microjoules(library: str, state: Path) -> None:
    cards(state, f"{A10G} 0 123456789 0 25580 0")
    [one] = data(Cards(library).read()).values()
    assert (one.name, one.kind, one.covers, one.value) == (f"nvidia/{A10G}/energy", "counter", "gpu", 123_456_789_000)


def test_an_older_card_gives_its_watts(library: str, state: Path) -> None:
    cards(state, f"{A10G} 0 1000 0 25580 0", f"{T4} 3 0 0 9920 0")
    found = data(Cards(library).read())
    assert (found[f"nvidia/{T4}"].kind, found[f"nvidia/{T4}"].value) == ("power", 9.92)
    # A divided card does not let its parts see the counter; one that never counts has stayed at 0.
    for energy in ("4 0", "0 0"):
        cards(state, f"{T4} {energy} 0 9920 0")
        assert list(data(Cards(library).read())) == [f"nvidia/{T4}"]


def test_cards_that_measure_nothing_are_absent_with_the_reason(library: str, state: Path) -> None:
    cards(state, f"{T4} 3 0 3 0 0")
    assert reason(Cards(library).read()) == "card 0 measures no power"
    cards(state)
    assert reason(Cards(library).read()) == "the NVIDIA driver sees no card"


def test_a_lost_card_costs_only_itself_and_is_named_until_it_is_back(library: str, state: Path) -> None:
    cards(state, f"{A10G} 0 1000 0 25580 0", f"{T4} 15 0 15 0 0")
    all_cards = Cards(library)
    outcome = all_cards.read()
    assert list(data(outcome)) == [f"nvidia/{A10G}/energy"]
    assert isinstance(outcome, Data)
    assert outcome.note == "card 1: the card has fallen off the bus"
    cards(state, f"{A10G} 15 0 15 0 15")
    why, remedy = failure(all_cards.read())
    assert why == "card 0: the card has fallen off the bus"
    assert "Xid 79" in remedy
    cards(state, f"{A10G} 0 5 0 25580 0")
    assert data(all_cards.read())


def test_a_driver_that_was_loaded_anew_has_failed_once_and_is_found_again(library: str, state: Path) -> None:
    cards(state, f"{A10G} 0 1000 0 25580 0")
    all_cards = Cards(library)
    assert data(all_cards.read())
    cards(state, f"{A10G} 0 1000 0 25580 0", init=18)
    for _ in range(2):
        why, remedy = failure(all_cards.read())
        assert "of different versions" in why
        assert "the agent" in remedy
    cards(state, f"{A10G} 0 1000 0 25580 0")
    assert data(all_cards.read())


def test_watts_of_all_ones_are_not_known(library: str, state: Path) -> None:
    cards(state, f"{T4} 3 0 0 4294967295 0")
    assert reason(Cards(library).read()) == "card 0 measures no power"


def test_a_card_that_sleeps_is_not_woken(tmp_path: Path) -> None:
    root = card(tmp_path, "nvidia")
    trees.write(root, {"sys/bus/pci/devices/0000:01:00.0/power/runtime_status": "suspended"})
    assert present(root) == Absent("the NVIDIA graphics card sleeps")


@pytest.mark.parametrize(
    ("code", "why", "remedy"),
    [
        (18, "of different versions", "restart the machine"),
        (9, "not loaded", "modprobe nvidia"),
        (999, "999", "nvidia-smi"),
    ],
)
def test_a_driver_that_does_not_start_says_what_to_do(
    code: int, why: str, remedy: str, library: str, state: Path
) -> None:
    cards(state, init=code)
    found = failure(Cards(library).read())
    assert why in found[0]
    assert remedy in found[1]


def test_a_library_that_is_missing_or_another_is_a_failure_with_a_remedy(tmp_path: Path) -> None:
    for name in (str(tmp_path / "libnvidia-ml.so.1"), "libc.so.6"):
        why, remedy = failure(Cards(name).read())
        assert why.startswith("libnvidia-ml.so.1 cannot be loaded")
        assert "libnvidia-ml" in remedy


def card(root: Path, driver: str, vendor: str = "0x10de") -> Path:
    device = root / "sys/bus/pci/devices/0000:01:00.0"
    trees.write(device, {"vendor": vendor, "class": "0x030000"})
    if driver:
        (root / "sys/bus/pci/drivers" / driver).mkdir(parents=True)
        (device / "driver").symlink_to(f"../../drivers/{driver}")
    return root


def test_a_machine_without_a_card_is_told_from_one_whose_card_has_another_driver(tmp_path: Path) -> None:
    assert present(tmp_path / "none") == Absent("there is no NVIDIA graphics card")
    assert present(card(tmp_path / "amd", "amdgpu", "0x1002")) == Absent("there is no NVIDIA graphics card")
    nvidia = present(card(tmp_path / "nvidia", "nvidia"))
    assert nvidia == Absent("a captured tree cannot be asked")
    assert needs(tmp_path / "none") == NOTHING


def test_a_card_that_holds_a_call_for_ever_does_not_hold_the_hosts_sample(
    library: str, state: Path, tmp_path: Path
) -> None:
    cards(state, f"{A10G} -1 0 0 0 0")
    program = (
        "import json, sys, time; from pathlib import Path; from agent.sampler import Sampler; from agent.sources import nvidia;"
        "from agent.sources.source import Background;"
        f"make = lambda settings, root: Background(nvidia.Cards({library!r}).read, 10, patience_seconds=0.2);"
        f"sampler = Sampler(Path({str(tmp_path)!r}), sources={{'nvidia': make}});"
        "took = [];\n"
        "for _ in range(3):\n"
        "    began = time.monotonic(); sampler.sample(with_inventory=False); took.append(time.monotonic() - began)\n"
        "sampler.close()\n"
        "print(json.dumps(took))"
    )
    environment = {**os.environ, "NVML_TEST_STATE": str(state)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True, env=environment
    )
    first, *others = json.loads(done.stdout)
    assert first < 1
    assert max(others) < 0.2
