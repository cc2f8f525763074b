"""Energy counters of Intel and AMD processors, from the kernel's powercap tree (RAPL).

Counts package, memory and platform (psys) zones in microjoules. A package holds its cores' and graphics' energy, so
those zones carry it as parent and are never added to it; memory (dram) stands beside the package, though the tree
nests it. The same package may appear a second time through the memory-mapped interface: it is left out there.
Readable by root only since Linux 5.10 (CVE-2020-8694): grant CAP_DAC_READ_SEARCH. Container managers hide the tree:
its links then lead nowhere.

All zones or none: a sum without one of its packages would pass for the whole. A platform counter (psys) that firmware
has not set up stands still or counts less than the processors in it: that is found out, and it is left aside.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.files import is_directory, names_in, number_or_none, read_text, text_or_empty, there
from agent.outcome import Absent, Data, Failed, Outcome
from agent.report import Covers
from agent.sources.needs import Needs, to_read
from agent.sources.reading import RawReading
from agent.sources.source import KernelFiles, Source

if TYPE_CHECKING:
    from agent.settings import AgentSettings

NAME = "rapl"
HIGHEST_PACKAGE_WATTS = 1000.0
"""No processor package draws more; a zone's own maximum, which firmware often leaves at 0, is not relied on. The
platform (psys) may draw more."""

_JUDGED_AFTER_UJ = 100 * 10**6
_LEAST_SHARE = 0.8
"""A platform counts its processors and more; the two are not read at the same instant."""

_KINDS: dict[str, Covers] = {"package": "package", "psys": "psys", "dram": "dram"}
_INSIDE_PACKAGE: dict[str, Covers] = {"core": "core", "uncore": "component"}


def read(root: Path) -> Outcome[list[RawReading]]:
    """Every zone's counter."""
    tree = root / "sys/class/powercap"
    if not is_directory(tree):
        return Absent("this kernel or machine has no powercap tree (a virtual machine never has)")
    zones = [name for name in names_in(tree) if ":" in name]
    if not zones:
        return Absent("the powercap tree has no zones: the processor or its driver offers no energy counters")
    if not any(there(tree / zone) for zone in zones):
        return Failed(
            "the energy counters are hidden from this container: the links of the powercap tree lead nowhere",
            "run the agent on the host itself, not in a container",
        )
    readings = []
    for name, zone in _counters(tree, zones).items():
        try:
            readings.append(_reading(tree, zone, name))
        except PermissionError:
            return Failed(
                f"not allowed to read the energy counter of {zone}",
                "run as root, or grant the service CAP_DAC_READ_SEARCH",
            )
        except (OSError, ValueError) as error:
            return Failed(f"zone {zone} cannot be read: {error}", "check the kernel's log for powercap errors")
    if readings:
        return Data(readings)
    return Absent("no powercap zone has an energy counter")


class Zones:
    """The zones, followed from reading to reading: whether the platform's counter counts."""

    def __init__(self) -> None:
        self._before: dict[str, int] = {}
        self._packages_uj = self._platform_uj = 0
        self._disbelieved = False

    def read(self, root: Path) -> Outcome[list[RawReading]]:
        outcome = read(root)
        if not isinstance(outcome, Data) or not any(one.covers == "psys" for one in outcome.value):
            return outcome
        if not self._disbelieved:
            self._follow(outcome.value)
        if not self._disbelieved:
            return outcome
        others = [replace(one, covers="component") if one.covers == "psys" else one for one in outcome.value]
        return Data(others, "the platform counter (psys) counts less than the processors, and is left aside")

    def _follow(self, readings: list[RawReading]) -> None:
        now = {one.name: int(one.value) for one in readings}
        steps = {name: value - self._before[name] for name, value in now.items() if name in self._before}
        self._before = now
        if len(steps) < len(now) or any(step < 0 for step in steps.values()):
            # Where one has wrapped, the interval tells nothing.
            return
        self._packages_uj += sum(steps[one.name] for one in readings if one.covers == "package")
        self._platform_uj += sum(steps[one.name] for one in readings if one.covers == "psys")
        if self._packages_uj >= _JUDGED_AFTER_UJ:
            self._disbelieved = self._platform_uj < _LEAST_SHARE * self._packages_uj
            self._packages_uj = self._platform_uj = 0


def make(_settings: "AgentSettings", root: Path) -> Source:
    """The source."""
    return KernelFiles(Zones().read, root)


def needs(root: Path) -> Needs:
    """The counters, which since Linux 5.10 belong to root alone."""
    return to_read(sorted((root / "sys/class/powercap").glob("*:*/energy_uj")))


def _counters(tree: Path, zones: list[str]) -> dict[str, str]:
    """The zones that count energy, by the name of their meter. Sorted, `intel-rapl-mmio:0` comes before
    `intel-rapl:0`, which then takes its place."""
    found = {}
    for zone in zones:
        label, owner = text_or_empty(tree / zone / "name"), _owner(zone)
        if label and there(tree / zone / "energy_uj"):
            package = f"{NAME}/{text_or_empty(tree / owner / 'name')}"
            found[f"{package}/{label}" if zone != owner else f"{NAME}/{label}"] = zone
    return found


def _owner(zone: str) -> str:
    """The zone of the package: `intel-rapl:0` of `intel-rapl:0:1`."""
    return ":".join(zone.split(":")[:2])


def _reading(tree: Path, zone: str, name: str) -> RawReading:
    label = text_or_empty(tree / zone / "name")
    kind = label.split("-")[0]
    value = int(read_text(tree / zone / "energy_uj"))
    if value < 0:
        raise ValueError(f"a counter of {value}")
    nested = zone != _owner(zone)
    return RawReading(
        name=name,
        kind="counter",
        covers=_KINDS.get(kind) or _INSIDE_PACKAGE.get(kind, "component"),
        value=value,
        parent=name.rpartition("/")[0] if nested and kind != "dram" else "",
        range_uj=number_or_none(tree / zone / "max_energy_range_uj"),
        highest_watts=None if kind == "psys" else HIGHEST_PACKAGE_WATTS,
    )
