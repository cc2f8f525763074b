"""The management controller in-band: the real ipmitool, against a controller on loopback, and what it wrote elsewhere."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.outcome import Absent, Data, Failed
from agent.settings import AgentSettings
from agent.sources import ipmi_dcmi
from agent.sources.doubt import TOLERATED_REPETITIONS
from agent.sources.ipmi_dcmi import Asking, parse, present
from tests.agent import trees
from tests.agent.sources.outcomes import data, failure, reason
from tests.conftest import missing
from tests.servers.bmc import Controller, controller
from tests.servers.process import free_port, stop, wait_until


@pytest.fixture
def ipmitool() -> str:
    found = ipmi_dcmi.program()
    if found is None:
        missing("ipmitool (Debian package ipmitool)")
    return found


@pytest.fixture
def bmc() -> Iterator[Controller]:
    with controller() as running:
        yield running


def asking(ipmitool: str, one: Controller, folder: Path, timeout_seconds: float = 15.0) -> Asking:
    command = (ipmitool, *one.arguments(), "-N", "1", "-R", "1", "dcmi", "power", "reading")
    return Asking(command, folder, timeout_seconds)


# The real program


def test_the_reading_of_the_moment_is_the_machine_at_the_plug(ipmitool: str, bmc: Controller, tmp_path: Path) -> None:
    [one] = data(asking(ipmitool, bmc, tmp_path).read()).values()
    assert (one.name, one.kind, one.covers, one.value) == ("ipmi_dcmi/system", "power", "machine_ac", 220.0)
    assert bmc.readings == 1


def test_a_measurement_that_is_deactivated_is_a_failure_with_a_remedy(
    ipmitool: str, bmc: Controller, tmp_path: Path
) -> None:
    bmc.active = False
    why, remedy = failure(asking(ipmitool, bmc, tmp_path).read())
    assert why == "the controller's power measurement is deactivated"
    assert "activate it" in remedy


def test_a_controller_that_gives_0_watts_is_not_believed(ipmitool: str, bmc: Controller, tmp_path: Path) -> None:
    bmc.watts = 0
    assert failure(asking(ipmitool, bmc, tmp_path).read())[0] == "the controller does not measure: it reads 0 W"


def test_a_controller_without_the_command_is_absent_and_one_that_refuses_it_has_failed(
    ipmitool: str, bmc: Controller, tmp_path: Path
) -> None:
    bmc.code = 0xC1
    assert "offers no power reading (DCMI: Invalid command)" in reason(asking(ipmitool, bmc, tmp_path).read())
    bmc.code = 0xD4
    assert "Insufficient privilege level" in failure(asking(ipmitool, bmc, tmp_path).read())[0]


def test_a_controller_that_hangs_is_given_up(ipmitool: str, bmc: Controller, tmp_path: Path) -> None:
    bmc.answers = False
    assert failure(asking(ipmitool, bmc, tmp_path, 0.5).read())[0] == "the controller did not answer in 0.5 s"


def test_openipmis_simulated_controller_has_no_dcmi_and_so_no_such_source(ipmitool: str, tmp_path: Path) -> None:
    if shutil.which("ipmi_sim") is None:
        missing("ipmi_sim (Debian package openipmi)")
    port = free_port()
    (tmp_path / "lan.conf").write_text(
        f'name "bmc"\nset_working_mc 0x20\n startlan 1\n  addr 127.0.0.1 {port}\n  priv_limit admin\n'
        "  allowed_auths_callback none\n  allowed_auths_user none md5\n  allowed_auths_operator none md5\n"
        "  allowed_auths_admin none md5\n  guid a123456789abcdefa123456789abcdef\n endlan\n"
        ' user 2 true "ipmiusr" "test" admin 10 none md5\n'
    )
    (tmp_path / "emu.conf").write_text(
        "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\nmc_enable 0x20\n"
    )
    files = ["-c", str(tmp_path / "lan.conf"), "-f", str(tmp_path / "emu.conf"), "-s", str(tmp_path)]
    with (tmp_path / "log").open("wb") as log:
        simulator = subprocess.Popen(["ipmi_sim", "-n", *files], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        command = (ipmitool, "-I", "lan", "-H", "127.0.0.1", "-p", str(port), "-U", "ipmiusr", "-P", "test", "-N", "1")
        asked = [*command, "mc", "info"]
        wait_until(lambda: not subprocess.run(asked, check=False, capture_output=True).returncode, "ipmi_sim")
        assert "Invalid command" in reason(Asking((*command, "dcmi", "power", "reading"), tmp_path).read())
    finally:
        stop(simulator)


def test_a_controller_whose_watts_never_follow_the_load_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "written").write_text(OUTPUTS[0][0])
    one = Asking(("/bin/cat", str(tmp_path / "written")), tmp_path)
    busy = total = 0
    for number in range(TOLERATED_REPETITIONS + 3):
        busy, total = busy + (80 if number % 2 else 10), total + 100
        trees.write(tmp_path, {"proc/stat": f"cpu  {busy} 0 0 {total - busy} 0 0 0 0 0 0"})
        outcome = one.read()
    why, remedy = failure(outcome)
    assert "keeps reading 220 W while the load goes from 10% to 80%" in why
    assert "disabled_sources" in remedy


# What it wrote: 1.8.19 of Debian 12; others after lib/ipmi_dcmi.c of their release

OUTPUTS = [
    (
        "\n    Instantaneous power reading:                   220 Watts\n"
        "    Minimum during sampling period:                 18 Watts\n"
        "    Average power reading over sample period:      212 Watts\n"
        "    IPMI timestamp:                           07/14/17 02:40:00 UTC    Sampling period:      00000001 Seconds.\n"
        "    Power reading state is:                   activated\n\n\n",
        220.0,
    ),
    (
        "\n    Instantaneous power reading:                     8 Watts\n"
        "    IPMI timestamp:                           Thu Jan  1 00:00:00 1970\n"
        "    Sampling period:                          00001000 Milliseconds\n"
        "    Power reading state is:                   activated\n",
        8.0,
    ),
    ("Current Power                        : 164 Watts\nPower Measurement                    : Active\n", 164.0),
    ("    Instantaneous power reading:               1250 Watts\r\n", 1250.0),
]


@pytest.mark.parametrize(("output", "watts"), OUTPUTS)
def test_every_versions_output_is_understood(output: str, watts: float) -> None:
    assert parse(output, "") == Data(watts)


@pytest.mark.parametrize(
    ("output", "errors", "kind", "why"),
    [
        ("", "Could not open device at /dev/ipmi0 or /dev/ipmi/0: Permission denied\n", Failed, "not allowed to open"),
        ("", "Could not open device at /dev/ipmi0: No such file or directory\n", Failed, "No such file"),
        ("", "\n    DCMI request failed because: Node busy (c0)\n", Failed, "refuses the power reading: Node busy"),
        ("", "DCMI request failed because: Invalid data field in request (cc)\n", Absent, "offers no power reading"),
        ("    Instantaneous power reading:     N/A Watts\n", "", Failed, "ipmitool gives no power"),
        ("Power reading state is: deactivated\nInstantaneous power reading: 5 Watts\n", "", Failed, "deactivated"),
        ("", "", Failed, "ipmitool gives no power: nothing"),
    ],
)
def test_what_is_no_reading_is_told_apart(output: str, errors: str, kind: type, why: str) -> None:
    outcome = parse(output, errors)
    assert isinstance(outcome, kind)
    assert isinstance(outcome, (Absent, Failed))
    assert why in outcome.reason


# Whether there is a controller


def test_a_machine_without_a_controller_is_told_from_one_without_driver_or_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(present(tmp_path), Absent)
    trees.write(tmp_path, {"sys/firmware/dmi/entries/38-0/type": "38"})
    without_driver = present(tmp_path)
    assert isinstance(without_driver, Failed)
    assert "modprobe ipmi_si ipmi_devintf" in without_driver.remedy
    source = ipmi_dcmi.make(AgentSettings(), tmp_path)
    assert source.read() == without_driver
    monkeypatch.setattr(ipmi_dcmi, "_DEVICES", (str(tmp_path / "ipmi0").lstrip("/"),))
    trees.write(tmp_path, {"ipmi0": ""})
    monkeypatch.setattr(ipmi_dcmi, "_DIRECTORIES", str(tmp_path))
    without_program = present(Path("/"))
    assert isinstance(without_program, Failed)
    assert "install the package ipmitool" in without_program.remedy
