"""The whole machine's watts by the board's management controller (BMC), asked in-band with `ipmitool`.

`ipmitool dcmi power reading` over `/dev/ipmi0`; DCMI's "Get Power Reading" is the power at the machine's input. The
reading of the moment is used: controllers disagree about the period and the unit of their averages. Asking takes a
slow controller a second and more, so it is asked every half minute, in the background.
Source: DCMI specification 1.5, section 6.6.1; ipmitool's lib/ipmi_dcmi.c. `/dev/ipmi0` belongs to root.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from agent.outcome import Absent, Data, Failed, Outcome
from agent.sources.doubt import Doubt
from agent.sources.needs import NOTHING, Needs
from agent.sources.reading import RawReading
from agent.sources.source import Background, Source

if TYPE_CHECKING:
    from agent.settings import AgentSettings

NAME = "ipmi_dcmi"
TIMEOUT_SECONDS = 15.0
_DEVICES = ("dev/ipmi0", "dev/ipmi/0", "dev/ipmidev/0")
_DIRECTORIES = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
_SWITCH_OFF = 'switch the source off: disabled_sources = ["ipmi_dcmi"]'

_WATTS = re.compile(r"^\s*(?:Instantaneous power reading|Current Power)\s*:\s*(-?\d+)\s*Watts?\b", re.I | re.M)
_STATE = re.compile(r"^\s*(?:Power reading state is|Power Measurement)\s*:\s*(\w+)", re.I | re.M)
_REFUSED = re.compile(r"DCMI request failed because: (.*?)\s*(?:\(([0-9a-f]{2})\))?\s*$", re.I | re.M)
_NOT_OFFERED = ("c1", "c2", "cc", "d1", "d6")
"""Completion codes of a controller without the command. Source: IPMI 2.0, table 5-2."""


def make(settings: "AgentSettings", root: Path) -> Source:
    """The source, which starts `ipmitool` only where there is a controller to ask."""
    asking = Asking((program() or "", "dcmi", "power", "reading"), root)
    return Background(asking.read, settings.bmc_interval_seconds, present=lambda: present(root))


def program() -> str | None:
    """The path of `ipmitool`, from the system's own directories only: it may run as root."""
    return shutil.which("ipmitool", path=_DIRECTORIES)


def present(root: Path) -> Absent | Failed | None:
    """Why this host's controller cannot be asked, or None."""
    if not any((root / device).exists() for device in _DEVICES):
        # SMBIOS type 38 is the record of a management controller's interface.
        if (root / "sys/firmware/dmi/entries/38-0").exists():
            return Failed(
                "this machine has a management controller, but no /dev/ipmi0",
                f"load its drivers (modprobe ipmi_si ipmi_devintf), or {_SWITCH_OFF}",
            )
        return Absent("this machine has no management controller (/dev/ipmi0)")
    if root != Path("/"):
        return Absent("a captured tree cannot be asked")
    if program() is None:
        return Failed(
            "this machine has a management controller, and ipmitool is not installed",
            f"install the package ipmitool, or {_SWITCH_OFF}",
        )
    return None


def needs(root: Path) -> Needs:
    """The controller's device, which only root may open for writing, and the program."""
    devices = frozenset(f"/{device}" for device in _DEVICES if (root / device).exists())
    path = program()
    if not devices or path is None:
        return NOTHING
    return Needs(frozenset({"CAP_DAC_OVERRIDE"}), devices, programs=frozenset({path}))


class Asking:
    """Runs the program and judges what it says. `command` is the whole command line."""

    def __init__(self, command: tuple[str, ...], root: Path, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._command = command
        self._doubt = Doubt(root)
        self._timeout_seconds = timeout_seconds

    def read(self) -> Outcome[list[RawReading]]:
        try:
            done = subprocess.run(  # noqa: S603  # a fixed command line
                self._command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._timeout_seconds,
                env={"LC_ALL": "C", "PATH": _DIRECTORIES},
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Failed(
                f"the controller did not answer in {self._timeout_seconds:g} s",
                f"restart it (ipmitool mc reset cold) or update its firmware, or {_SWITCH_OFF}",
            )
        except OSError as error:
            return Failed(f"ipmitool cannot be run: {error.strerror}", "install the package ipmitool again")
        outcome = parse(done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
        if not isinstance(outcome, Data):
            return outcome
        if doubt := self._doubt.of(outcome.value):
            return Failed(f"the controller does not measure: {doubt}", f"update its firmware, or {_SWITCH_OFF}")
        return Data([RawReading(f"{NAME}/system", "power", "machine_ac", outcome.value)])


def parse(output: str, errors: str) -> Outcome[float]:
    """Watts from what any version of `ipmitool dcmi power reading` writes."""
    state, watts = _STATE.search(output), _WATTS.search(output)
    if state is not None and not state[1].lower().startswith("activ"):
        return Failed(
            "the controller's power measurement is deactivated",
            f"activate it in the power management of BMC or BIOS, or {_SWITCH_OFF}",
        )
    if watts is not None:
        return Data(float(watts[1]))
    said = f"{errors}\n{output}"
    if refused := _REFUSED.search(said):
        if (refused[2] or "").lower() in _NOT_OFFERED:
            return Absent(f"the management controller offers no power reading (DCMI: {refused[1]})")
        return Failed(
            f"the controller refuses the power reading: {refused[1]}", f"update its firmware, or {_SWITCH_OFF}"
        )
    if "permission denied" in said.lower():
        return Failed("not allowed to open the controller's device", "run as root, or let the service open /dev/ipmi0")
    first = next((line.strip() for line in said.splitlines() if line.strip()), "nothing")
    return Failed(f"ipmitool gives no power: {first[:200]}", f"try `ipmitool dcmi power reading`, or {_SWITCH_OFF}")
