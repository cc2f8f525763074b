"""Vendor, model, serial number and kind of chassis from DMI (`/sys/class/dmi/id`), without the fillers that boards
carry where nobody wrote anything.

The serial number is readable by root only. Chassis types: SMBIOS specification (DMTF DSP0134), table 17.
"""

from dataclasses import dataclass
from pathlib import Path

from agent.files import text_or_empty

_FILLERS = frozenset(
    {
        "to be filled by o.e.m.",
        "to be filled by oem",
        "default string",
        "system manufacturer",
        "system product name",
        "system serial number",
        "system version",
        "not specified",
        "not applicable",
        "not available",
        "none",
        "n/a",
        "na",
        "o.e.m.",
        "oem",
        "unknown",
        "empty",
        "invalid",
        "undefined",
        "all series",
        "chassis serial number",
        "chassis asset tag",
        "asset tag",
        "no asset information",
        "no asset tag",
        "0123456789",
        "123456789",
        "1234567890",
        "xxxxxxxx",
    }
)
_CHASSIS = {
    "server": {17, 23, 25, 27, 28, 29},
    "desktop": {3, 4, 5, 6, 7, 13, 15, 16, 24, 34, 35, 36},
    "laptop": {8, 9, 10, 11, 14, 30, 31, 32},
}


@dataclass(frozen=True, slots=True)
class Dmi:
    """What the firmware says of the machine; `board` is the main board's vendor. Empty: not known."""

    vendor: str = ""
    model: str = ""
    serial: str = ""
    chassis: str = ""
    board: str = ""
    bios: str = ""
    asset_tag: str = ""


def read_dmi(root: Path) -> Dmi:
    """DMI of the machine below `root`; all empty where there is none (containers, many small boards)."""
    tree = root / "sys/class/dmi/id"
    model = meaningful(text_or_empty(tree / "product_name"))
    version = meaningful(text_or_empty(tree / "product_version"))
    vendor = meaningful(text_or_empty(tree / "sys_vendor"))
    if vendor.lower() == "lenovo" and version and not version[0].isdecimal():
        # Lenovo writes the name people know ("ThinkPad T14") as version and its own code as name.
        model = f"{version} ({model})" if model else version
    if not model:
        model = text_or_empty(root / "proc/device-tree/model")
    return Dmi(
        vendor=vendor,
        model=model,
        serial=meaningful(text_or_empty(tree / "product_serial")),
        chassis=_chassis(text_or_empty(tree / "chassis_type")),
        board=meaningful(text_or_empty(tree / "board_vendor")),
        bios=meaningful(text_or_empty(tree / "bios_vendor")),
        asset_tag=meaningful(text_or_empty(tree / "chassis_asset_tag")),
    )


def meaningful(text: str) -> str:
    """A DMI text, or "" for a filler such as `To Be Filled By O.E.M.` or a row of one character.

    >>> meaningful("Default string"), meaningful("........"), meaningful("PowerEdge R640")
    ('', '', 'PowerEdge R640')
    """
    stripped = " ".join(text.split())
    if stripped.lower().rstrip(".") in {filler.rstrip(".") for filler in _FILLERS} or len(set(stripped)) <= 1:
        return ""
    return stripped[:128]


def _chassis(text: str) -> str:
    number = int(text) & 0x7F if text.isdecimal() else 0
    for name, numbers in _CHASSIS.items():
        if number in numbers:
            return name
    return "other" if number > 2 else ""
