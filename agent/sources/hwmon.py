"""Other power and energy sensors of the hwmon tree: power supplies, boards, regulators.

Most see a part of the machine, and which part the kernel does not say: they are shown, never added. Only drivers
known to see a whole machine, and processors' socket counters, count for more.
Sources: the drivers' pages under Documentation/hwmon in the kernel tree.
"""

import os
import re
from pathlib import Path

from agent.files import read_text
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

_SENSOR = re.compile(r"(power\d+)_(average|input)|(energy\d+)_input")
_SOCKET = re.compile(r"Esocket\d+")
_NOT_OURS = re.compile(rf"{acpi_meter.DRIVER}|{amdgpu.DRIVER}|BAT.*|ACAD.*|AC\d*|ucsi.*")
"""Chips other sources read, and the power_supply class's mirrors."""


def read(root: Path) -> Outcome[list[RawReading]]:
    """Every power or energy sensor that no other source owns."""
    readings: list[RawReading] = []
    broken = ""
    for chip in chips(root):
        if _NOT_OURS.fullmatch(chip.driver):
            continue
        try:
            sensors = _sensors(chip)
        except OSError as error:
            broken = f"{chip.driver}: {error}"
            continue
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


def _sensors(chip: Chip) -> dict[str, str]:
    """Each power or energy sensor and the file to read; an average is better than an instant."""
    found: dict[str, str] = {}
    for file in sorted(os.listdir(chip.directory)):
        if match := _SENSOR.fullmatch(file):
            sensor = match[1] or match[3]
            if sensor not in found or match[2] == "average":
                found[sensor] = file
    return found


def _reading(chip: Chip, sensor: str, value: int) -> RawReading | None:
    label = chip.label(sensor)
    name = f"{NAME}/{chip.driver}/{chip.address}/{sensor}"
    if sensor.startswith("energy"):
        socket = chip.driver == "amd_energy" and _SOCKET.fullmatch(label) is not None
        if chip.driver == "amd_energy" and not socket:
            return None
        return RawReading(name, "counter", "package" if socket else "component", value) if value >= 0 else None
    whole = WHOLE.get(chip.driver)
    covers: Covers = whole[1] if whole is not None and label == whole[0] else "component"
    return RawReading(name, "power", covers, value / 1e6) if value > 0 else None


def needs(root: Path) -> Needs:
    """The sensors' files, some of which their drivers give to root alone."""
    paths = []
    for chip in chips(root):
        if not _NOT_OURS.fullmatch(chip.driver):
            try:
                paths += [chip.directory / file for file in _sensors(chip).values()]
            except OSError:
                continue
    return to_read(paths)
