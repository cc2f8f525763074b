"""Energy counters of Intel and AMD processors, from the kernel's powercap tree (RAPL).

Counts package, memory and platform (psys) zones in microjoules. A package holds its cores' and graphics' energy, so
those zones carry it as parent and are never added to it; memory (dram) stands beside the package, though the tree
nests it. The same package may appear a second time through the memory-mapped interface: it is left out there.
Readable by root only since Linux 5.10 (CVE-2020-8694): grant CAP_DAC_READ_SEARCH.
"""

import os
from pathlib import Path

from agent.files import number_or_none, read_text, text_or_empty
from agent.outcome import Absent, Data, Failed, Outcome
from agent.report import Covers
from agent.sources.reading import RawReading

NAME = "rapl"
HIGHEST_PACKAGE_WATTS = 1000.0
"""No processor package draws more; a zone's own maximum, which firmware often leaves at 0, is not relied on."""

_KINDS: dict[str, Covers] = {"package": "package", "psys": "psys", "dram": "dram"}
_INSIDE_PACKAGE: dict[str, Covers] = {"core": "core", "uncore": "component"}


def read(root: Path) -> Outcome[list[RawReading]]:
    """Every zone's counter."""
    tree = root / "sys/class/powercap"
    if not tree.is_dir():
        return Absent("this kernel or machine has no powercap tree (a virtual machine never has)")
    zones = sorted(name for name in os.listdir(tree) if ":" in name)
    if not zones:
        return Absent("the powercap tree has no zones: the processor or its driver offers no energy counters")
    readings: dict[str, RawReading] = {}
    refused = ""
    for zone in zones:
        try:
            reading = _zone(tree, zone)
        except PermissionError:
            refused = refused or zone
        except (OSError, ValueError) as error:
            return Failed(f"zone {zone} cannot be read: {error}", "check the kernel's log for powercap errors")
        else:
            if reading is not None:
                # Sorted, `intel-rapl-mmio:0` comes before `intel-rapl:0`, which then takes its place.
                readings[reading.name] = reading
    if readings:
        return Data(list(readings.values()))
    if refused:
        return Failed(
            f"not allowed to read the energy counter of {refused}",
            "run as root, or grant the service CAP_DAC_READ_SEARCH",
        )
    return Absent("no powercap zone has an energy counter")


def _zone(tree: Path, zone: str) -> RawReading | None:
    """A zone's reading; None for a zone that is no energy counter."""
    label = text_or_empty(tree / zone / "name")
    if not label or not (tree / zone / "energy_uj").exists():
        return None
    interface, _, numbers = zone.partition(":")
    owner = f"{interface}:{numbers.split(':')[0]}"
    package = f"{NAME}/{text_or_empty(tree / owner / 'name')}"
    kind = label.split("-")[0]
    value = int(read_text(tree / zone / "energy_uj"))
    if value < 0:
        raise ValueError(f"a counter of {value}")
    nested = zone != owner
    return RawReading(
        name=f"{package}/{label}" if nested else f"{NAME}/{label}",
        kind="counter",
        covers=_KINDS.get(kind) or _INSIDE_PACKAGE.get(kind, "component"),
        value=value,
        parent=package if nested and kind != "dram" else "",
        range_uj=number_or_none(tree / zone / "max_energy_range_uj"),
        highest_watts=HIGHEST_PACKAGE_WATTS,
    )
