"""The kernel's hwmon tree: chips with their sensors, which several sources read.

A chip is a directory `class/hwmon/hwmonN`, its sensors are files such as `power1_average` (microwatts) and
`energy1_input` (microjoules); on older kernels they stand one level deeper, under `device/`.
Source: Documentation/hwmon/sysfs-interface in the kernel tree.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.files import names_in, text_or_empty

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Chip:
    """One hwmon chip: its driver's name, an address that outlives a reboot, and the directory of its files."""

    driver: str
    address: str
    directory: Path

    def label(self, sensor: str) -> str:
        """The label of `power1` or `temp2`, or ""."""
        return text_or_empty(self.directory / f"{sensor}_label")


def chips(root: Path) -> Iterator[Chip]:
    """Every chip in the order of its number. Silent where there is no tree: the caller says so."""
    tree = root / "sys/class/hwmon"
    for name in sorted(names_in(tree), key=lambda name: int(_NUMBER.search(name + "0")[0])):  # type: ignore[index]  # it ends in a digit
        entry = tree / name
        for directory in (entry, entry / "device"):
            if driver := text_or_empty(directory / "name"):
                yield Chip(driver, _address(entry), directory)
                break


def _address(entry: Path) -> str:
    """The bus address of the chip's device, else the number the kernel gave it in this boot."""
    device = entry / "device"
    return device.resolve().name if device.is_symlink() else entry.name
