"""The energy sources, best first: this list is the table of contents.

Each module has a `NAME` and either `read(root) -> Outcome[list[RawReading]]`, where it reads the kernel's files, or
`make(settings, root) -> Source`, where it asks something that may be slow. `needs(root)` says what a service must be
allowed to read it.
"""

from collections.abc import Callable, Collection
from pathlib import Path

from agent import guests
from agent.guests import needs as guests_needs
from agent.sources import acpi_meter, amdgpu, battery, hwmon, ipmi_dcmi, nut, nvidia, rapl, redfish
from agent.sources.needs import Needs, together
from agent.sources.source import Make, kernel_files

SOURCES: dict[str, Make] = {
    acpi_meter.NAME: kernel_files(acpi_meter.read),
    redfish.NAME: redfish.make,
    ipmi_dcmi.NAME: ipmi_dcmi.make,
    nut.NAME: nut.make,
    battery.NAME: kernel_files(battery.read),
    hwmon.NAME: kernel_files(hwmon.read),
    rapl.NAME: rapl.make,
    amdgpu.NAME: kernel_files(amdgpu.read),
    nvidia.NAME: nvidia.make,
}

NEEDS: dict[str, Callable[[Path], Needs]] = {
    acpi_meter.NAME: acpi_meter.needs,
    redfish.NAME: redfish.needs,
    ipmi_dcmi.NAME: ipmi_dcmi.needs,
    nut.NAME: nut.needs,
    battery.NAME: battery.needs,
    hwmon.NAME: hwmon.needs,
    rapl.NAME: rapl.needs,
    amdgpu.NAME: amdgpu.needs,
    nvidia.NAME: nvidia.needs,
}

SWITCHES = (*SOURCES, guests.NAME)
"""What `disabled_sources` may name: the energy sources, and the guests, whose meters count time and no energy."""


def needs_of(root: Path, disabled: Collection[str] = ()) -> Needs:
    """What a service must be allowed for the sources that the machine below `root` has and that are not switched off."""
    all_needs = {**NEEDS, guests.NAME: guests_needs.needs}
    return together(one(root) for name, one in all_needs.items() if name not in disabled)
