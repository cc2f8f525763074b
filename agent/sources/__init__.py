"""The energy sources, best first: this list is the table of contents.

Each module has a `NAME` and `read(root) -> Outcome[list[RawReading]]`.
"""

from collections.abc import Callable
from pathlib import Path

from agent.outcome import Outcome
from agent.sources import acpi_meter, amdgpu, battery, hwmon, rapl
from agent.sources.reading import RawReading

Source = Callable[[Path], Outcome[list[RawReading]]]

SOURCES: dict[str, Source] = {
    acpi_meter.NAME: acpi_meter.read,
    battery.NAME: battery.read,
    hwmon.NAME: hwmon.read,
    rapl.NAME: rapl.read,
    amdgpu.NAME: amdgpu.read,
}
