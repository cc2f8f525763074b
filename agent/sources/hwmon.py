"""Other power and energy sensors of the hwmon tree: power supplies, boards, regulators.

Most see a part of the machine, and which part the kernel does not say: they are shown, never added. Only drivers
known to see a whole machine, and processors' socket counters, count for more. The INA3221 of small ARM boards gives no
watts but volts and amperes of three rails: their product is taken, and the rail named as the board's input is the whole.
Sources: the drivers' pages under Documentation/hwmon in the kernel tree.
"""

import re
from pathlib import Path

from agent.files import names_in, number_or_none, read_text, text_or_empty
from agent.outcome import Absent, Data, Failed, Outcome
from agent.report import Covers
from agent.sources import acpi_meter, amdgpu
from agent.sources.hwmon_tree import Chip, chips
from agent.sources.needs import Needs, to_read
from agent.sources.reading import RawReading

NAME = "hwmon"

WHOLE: dict[str, tuple[str, Covers]] = {
    "corsairpsu": ("power total", "machine_dc"),
    "macsmc_hwmon": ("Total System Power", "machine_dc"),
    "ibmpowernv": ("System", "machine_ac"),
}
"""Drivers with a sensor of the whole machine: its label, and on which side of the supply it sits."""

_RAILS = "ina3221"
_INPUT_RAIL = re.compile(r"(VDD_IN|POM_5V_IN|VIN_SYS_5V0|VIN)", re.I)
"""What NVIDIA's Jetson boards call it."""
_GRAPHICS = ("i915", "xe")
"""Drivers whose energy counter is the card's; `xe` has one of its chip beside it, which is in that."""
_SENSOR = re.compile(r"(power\d+)_(average|input)|(energy\d+)_input")
_SOCKET = re.compile(r"Esocket\d+")
_NOT_OURS = re.compile(rf"{acpi_meter.DRIVER}|{amdgpu.DRIVER}|BAT.*|ACAD.*|AC\d*|ucsi.*")
"""Chips other sources read, and the power_supply class's mirrors."""
_SUPPLIES = ("Battery", "Mains", "UPS", "USB", "Wireless")


def read(root: Path) -> Outcome[list[RawReading]]:
    """Every power or energy sensor that no other source owns."""
    readings: list[RawReading] = []
    broken = ""
    for chip in chips(root):
        if not _ours(chip):
            continue
        try:
            sensors = _sensors(chip)
        except OSError as error:
            broken = f"{chip.driver}: {error}"
            continue
        if chip.driver == _RAILS:
            readings += _rails(chip)
        for sensor, file in sensors.items():
            try:
                reading = _reading(chip, sensor, int(read_text(chip.directory / file)))
            except (OSError, ValueError) as error:
                broken = f"{chip.driver} {file}: {error}"
                continue
            if reading is not None:
                readings.append(reading)
    if readings:
        return Data(readings, f"a sensor cannot be read: {broken}" if broken else "")
    if broken:
        return Failed(f"a sensor cannot be read: {broken}", "check the kernel's log, or switch the source off")
    return Absent("no hardware monitor of this machine measures power or energy")


def _ours(chip: Chip) -> bool:
    """Whether no other source reads the chip. The power_supply class shows each of its devices here a second time."""
    return not _NOT_OURS.fullmatch(chip.driver) and text_or_empty(chip.directory / "device/type") not in _SUPPLIES


def _sensors(chip: Chip) -> dict[str, str]:
    """Each power or energy sensor and the file to read; an average is better than an instant."""
    found: dict[str, str] = {}
    for file in names_in(chip.directory):
        if match := _SENSOR.fullmatch(file):
            sensor = match[1] or match[3]
            if sensor not in found or match[2] == "average":
                found[sensor] = file
    return found


def _rails(chip: Chip) -> list[RawReading]:
    """Millivolts times milliamperes of each rail that has both."""
    found = []
    for rail in (1, 2, 3):
        millivolts = number_or_none(chip.directory / f"in{rail}_input")
        milliamperes = number_or_none(chip.directory / f"curr{rail}_input")
        if millivolts and milliamperes and millivolts > 0 and milliamperes > 0:
            covers: Covers = "machine_dc" if _INPUT_RAIL.fullmatch(chip.label(f"in{rail}")) else "component"
            name = f"{NAME}/{chip.driver}/{chip.address}/rail{rail}"
            found.append(RawReading(name, "power", covers, millivolts * milliamperes / 1e6))
    return found


def _reading(chip: Chip, sensor: str, value: int) -> RawReading | None:
    label = chip.label(sensor)
    name = f"{NAME}/{chip.driver}/{chip.address}/{sensor}"
    if sensor.startswith("energy"):
        socket = chip.driver == "amd_energy" and _SOCKET.fullmatch(label) is not None
        if chip.driver == "amd_energy" and not socket:
            return None
        covers: Covers = "package" if socket else "component"
        if chip.driver in _GRAPHICS and label in ("", "card"):
            covers = "gpu"
        return RawReading(name, "counter", covers, value) if value >= 0 else None
    whole = WHOLE.get(chip.driver)
    covers = whole[1] if whole is not None and label == whole[0] else "component"
    return RawReading(name, "power", covers, value / 1e6) if value > 0 else None


def needs(root: Path) -> Needs:
    """The sensors' files, some of which their drivers give to root alone."""
    paths = []
    for chip in chips(root):
        if _ours(chip):
            try:
                paths += [chip.directory / file for file in _sensors(chip).values()]
            except OSError:
                continue
    return to_read(paths)
