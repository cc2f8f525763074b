"""The ACPI power meter of many servers: the whole machine's watts at the plug, from the board's controller.

Driver `acpi_power_meter`, hwmon name `power_meter`; `power1_average` holds microwatts averaged over the meter's own
interval. Some firmware offers the meter and always reads 0. A meter of a battery (`power1_is_battery`) is left out.
"""

from pathlib import Path

from agent.files import number_or_none, read_text, there
from agent.outcome import Absent, Data, Failed, Outcome
from agent.sources.doubt import HIGHEST_MACHINE_WATTS
from agent.sources.hwmon_tree import chips
from agent.sources.needs import Needs, to_read
from agent.sources.reading import RawReading

NAME = "acpi_meter"
DRIVER = "power_meter"
FILES = ("power1_average", "power1_input")


def read(root: Path) -> Outcome[list[RawReading]]:
    """The meter's mean power."""
    readings: list[RawReading] = []
    failed: Failed | None = None
    for chip in chips(root):
        if chip.driver != DRIVER or number_or_none(chip.directory / "power1_is_battery"):
            continue
        for file in FILES:
            path = chip.directory / file
            if not there(path):
                continue
            try:
                watts = int(read_text(path)) / 1e6
            except PermissionError:
                failed = Failed(f"not allowed to read {path.name}", "run as root, or grant CAP_DAC_READ_SEARCH")
                break
            except (OSError, ValueError) as error:
                failed = Failed(f"{path.name} cannot be read: {error}", "check the firmware's power meter settings")
                continue
            if 0 < watts < HIGHEST_MACHINE_WATTS:
                readings.append(RawReading(f"{NAME}/{chip.address}", "power", "machine_ac", watts))
                break
            failed = Failed(f"the meter reads {watts:g} W", "update the firmware, or switch the source off")
    if readings:
        return Data(readings)
    return failed or Absent("the firmware offers no ACPI power meter")


def needs(root: Path) -> Needs:
    """The meter's files, which many kernels give to root alone."""
    return to_read(chip.directory / file for chip in chips(root) if chip.driver == DRIVER for file in FILES)
