"""The whole machine's watts by the board's management controller (BMC), asked in-band with `ipmitool`.

`ipmitool dcmi power reading` over `/dev/ipmi0`; DCMI's "Get Power Reading" is the power at the machine's input. The
reading of the moment is used: controllers disagree about the period and the unit of their averages. Asking takes a
slow controller a second and more, so it is asked every half minute, in the background.

Where the controller has no DCMI reading, or one that does not measure, its sensors are looked through for one of the
whole machine (`agent/sources/ipmi_sensors.py`): once an hour until one is found, then every minute, as reading the
table takes a controller seconds.
Source: DCMI specification 1.5, section 6.6.1; ipmitool's lib/ipmi_dcmi.c. `/dev/ipmi0` belongs to root.
"""

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.clock import boot_ns
from agent.files import there
from agent.outcome import Absent, Data, Failed, Outcome
from agent.sources.doubt import Doubt
from agent.sources.needs import NOTHING, Needs
from agent.sources.reading import RawReading
from agent.sources.source import Background, Source

if TYPE_CHECKING:
    from agent.settings import AgentSettings

NAME = "ipmi_dcmi"
TIMEOUT_SECONDS = 15.0
SENSORS_TIMEOUT_SECONDS = 60.0
SENSORS_EVERY_SECONDS = 55.0
SENSORS_LOOKED_FOR_SECONDS = 3600.0
_FORGOTTEN_AFTER = 10
"""Tables that lack a sensor which was there, before another may take its place."""
_DEVICES = ("dev/ipmi0", "dev/ipmi/0", "dev/ipmidev/0")
_DIRECTORIES = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
_SWITCH_OFF = 'switch the source off: disabled_sources = ["ipmi_dcmi"]'

_WATTS = re.compile(r"^\s*(?:Instantaneous power reading|Current Power)\s*:\s*(-?\d+)\s*Watts?\b", re.I | re.M)
_DEACTIVATED = "deactivated"
_STATE = re.compile(r"^\s*(?:Power reading state is|Power Measurement)\s*:\s*(\w+)", re.I | re.M)
_REFUSED = re.compile(r"DCMI request failed because: (.*?)\s*(?:\(([0-9a-f]{2})\))?\s*$", re.I | re.M)
_NOT_OFFERED = ("c1", "c2", "cc", "d1", "d6")
"""Completion codes of a controller without the command. Source: IPMI 2.0, table 5-2."""
_NOT_OFFERED_WORDS = re.compile(
    r"invalid command|valid dcmi command was not returned|dcmi is not supported|not supported in present state", re.I
)
"""The same from versions that leave the code out (before 1.8.12), and from an ipmitool or controller without DCMI."""


def make(settings: "AgentSettings", root: Path) -> Source:
    """The source, which starts `ipmitool` only where there is a controller to ask."""
    # Found in the system's own directories when it is run.
    asking = Asking(("ipmitool", "dcmi", "power", "reading"), root, sensors=("ipmitool", "sdr", "list", "full"))
    return Background(asking.read, settings.bmc_interval_seconds, present=lambda: present(root))


def program() -> str | None:
    """The path of `ipmitool`, from the system's own directories only: it may run as root."""
    import shutil  # noqa: PLC0415  # with its packers half a megabyte, for hosts with a controller alone

    return shutil.which("ipmitool", path=_DIRECTORIES)


def present(root: Path) -> Absent | Failed | None:
    """Why this host's controller cannot be asked, or None."""
    if not any(there(root / device) for device in _DEVICES):
        # SMBIOS type 38 is the record of a management controller's interface.
        if there(root / "sys/firmware/dmi/entries/38-0"):
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
    devices = frozenset(f"/{device}" for device in _DEVICES if there(root / device))
    path = program()
    if not devices or path is None:
        return NOTHING
    return Needs(frozenset({"CAP_DAC_OVERRIDE"}), devices, programs=frozenset({path}))


class Asking:
    """Runs the program and judges what it says. `command` and `sensors` are whole command lines; no `sensors`: DCMI alone."""

    def __init__(
        self,
        command: tuple[str, ...],
        root: Path,
        timeout_seconds: float = TIMEOUT_SECONDS,
        sensors: tuple[str, ...] = (),
    ) -> None:
        self._command, self._sensors_command = command, sensors
        self._doubt, self._sensors_doubt = Doubt(root), Doubt(root)
        self._timeout_seconds = timeout_seconds
        self._sensor = ""
        self._sensors_due = 0.0
        self._missed = 0
        self._newest: Outcome[list[RawReading]] | None = None

    def read(self) -> Outcome[list[RawReading]]:
        if self._sensor:
            found = self._by_sensor()
            if not isinstance(found, Absent):
                return found
            self._sensor = ""
        outcome, may_have_sensors = self._by_dcmi()
        if isinstance(outcome, Data) or not may_have_sensors or not self._sensors_command:
            return outcome
        if time.monotonic() < self._sensors_due:
            return outcome
        found = self._by_sensor()
        if isinstance(found, Data):
            return found
        self._sensors_due = time.monotonic() + SENSORS_LOOKED_FOR_SECONDS
        return outcome

    def _by_dcmi(self) -> tuple[Outcome[list[RawReading]], bool]:
        """The power reading, and whether the sensors may know what it does not."""
        done = self._run(self._command, self._timeout_seconds)
        if isinstance(done, Failed):
            return done, False
        state = parse(*done)
        if not isinstance(state, Data):
            return state, isinstance(state, Absent) or _DEACTIVATED in state.reason
        if doubt := self._doubt.of(state.value):
            failed = Failed(f"the controller does not measure: {doubt}", f"update its firmware, or {_SWITCH_OFF}")
            return failed, True
        return Data([RawReading(f"{NAME}/system", "power", "machine_ac", state.value)]), True

    def _by_sensor(self) -> Outcome[list[RawReading]]:
        """The sensor that sees the whole machine; between its readings the last one, which says when it was taken."""
        if self._sensor and self._newest is not None and time.monotonic() < self._sensors_due:
            return self._newest
        self._sensors_due = time.monotonic() + SENSORS_EVERY_SECONDS
        done = self._run(self._sensors_command, SENSORS_TIMEOUT_SECONDS)
        if isinstance(done, Failed):
            return done
        from agent.sources.ipmi_sensors import whole_machine  # noqa: PLC0415  # few hosts need their patterns

        found = whole_machine(done[0])
        if found is None or (self._sensor and found[0] != self._sensor):
            self._missed += 1
            if not self._sensor or self._missed >= _FORGOTTEN_AFTER:
                return Absent("the controller has no sensor of the whole machine's power")
            return Failed(
                f"the controller's sensor {self._sensor!r} gives nothing now", f"look at it, or {_SWITCH_OFF}"
            )
        (self._sensor, watts), self._missed = found, 0
        if doubt := self._sensors_doubt.of(watts):
            self._newest = Failed(
                f"the controller's sensor {self._sensor!r} does not measure: {doubt}",
                f"update its firmware, or {_SWITCH_OFF}",
            )
        else:
            reading = RawReading(f"{NAME}/{self._sensor.replace(' ', '_')}", "power", "machine_ac", watts)
            dated = replace(reading, taken_ns=boot_ns(), period_seconds=SENSORS_EVERY_SECONDS)
            self._newest = Data([dated], f"by its sensor {self._sensor!r}, not by DCMI")
        return self._newest

    def _run(self, command: tuple[str, ...], timeout_seconds: float) -> tuple[str, str] | Failed:
        """What the program wrote, and its errors."""
        import subprocess  # noqa: PLC0415  # for hosts with a controller alone

        try:
            done = subprocess.run(  # noqa: S603  # a fixed command line
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_seconds,
                env={"LC_ALL": "C", "PATH": _DIRECTORIES},
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Failed(
                f"the controller did not answer in {timeout_seconds:g} s",
                f"restart it (ipmitool mc reset cold) or update its firmware, or {_SWITCH_OFF}",
            )
        except OSError as error:
            return Failed(f"ipmitool cannot be run: {error.strerror}", "install the package ipmitool again")
        return done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def parse(output: str, errors: str) -> Outcome[float]:
    """Watts from what any version of `ipmitool dcmi power reading` writes."""
    state, watts = _STATE.search(output), _WATTS.search(output)
    if state is not None and not state[1].lower().startswith("activ"):
        return Failed(
            f"the controller's power measurement is {_DEACTIVATED}",
            f"activate it in the power management of BMC or BIOS, or {_SWITCH_OFF}",
        )
    if watts is not None:
        return Data(float(watts[1]))
    said = f"{errors}\n{output}"
    if refused := _REFUSED.search(said):
        if (refused[2] or "").lower() in _NOT_OFFERED or (not refused[2] and _NOT_OFFERED_WORDS.search(refused[1])):
            return Absent(f"the management controller offers no power reading (DCMI: {refused[1]})")
        return Failed(
            f"the controller refuses the power reading: {refused[1]}", f"update its firmware, or {_SWITCH_OFF}"
        )
    if words := _NOT_OFFERED_WORDS.search(said):
        return Absent(f"the management controller offers no power reading (ipmitool: {words[0]})")
    if "permission denied" in said.lower():
        return Failed("not allowed to open the controller's device", "run as root, or let the service open /dev/ipmi0")
    first = next((line.strip() for line in said.splitlines() if line.strip()), "nothing")
    return Failed(f"ipmitool gives no power: {first[:200]}", f"try `ipmitool dcmi power reading`, or {_SWITCH_OFF}")
