"""Energy or power of AMD graphics cards, from the amdgpu driver.

A counter where the card has one: hwmon's `energy1_input` (microjoules), or the accumulator in `gpu_metrics` of
data-centre cards (in 2^-16 J; in other cards its unit is nowhere stated, so it is left alone). Else hwmon's
`power1_average` where the card averages, else `power1_input` (microwatts). A card that sleeps is not woken. A part of
the machine: shown, never added to a meter that holds the whole.
Source: the kernel's drivers/gpu/drm/amd/include/kgd_pp_interface.h, struct gpu_metrics_v1_1 to v1_5.
"""

import os
import struct
from pathlib import Path

from agent.files import read_text, text_or_empty
from agent.outcome import Absent, Data, Failed, Outcome
from agent.sources.hwmon_tree import Chip, chips
from agent.sources.needs import NOTHING, Needs
from agent.sources.reading import RawReading

NAME = "amdgpu"
DRIVER = "amdgpu"
HIGHEST_CARD_WATTS = 3000.0

_ACCUMULATOR_AT = {(1, 1): 24, (1, 2): 24, (1, 3): 24, (1, 4): 24, (1, 5): 88}
"""Where the energy accumulator stands, by format and content revision."""
_DATA_CENTRE = ("0x0380", "0x1200")
"""PCI classes of cards that drive no screen: display controller other than VGA, processing accelerator."""
_MICROJOULES_A_UNIT = (15625, 1024)
"""2^-16 J as a fraction of microjoules."""


def read(root: Path) -> Outcome[list[RawReading]]:
    """The counter or power of each card that measures."""
    readings = []
    cards = asleep = 0
    broken = ""
    for chip in chips(root):
        if chip.driver != DRIVER:
            continue
        cards += 1
        if text_or_empty(chip.directory / "device/power/runtime_status") == "suspended":
            asleep += 1
            continue
        if (counter := _counter(chip)) is not None:
            readings.append(counter)
            continue
        for file in ("power1_average", "power1_input"):
            try:
                watts = int(read_text(chip.directory / file)) / 1e6
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                broken = f"{chip.address} {file} cannot be read: {error}"
                break
            if 0 <= watts <= HIGHEST_CARD_WATTS:
                readings.append(RawReading(f"{NAME}/{chip.address}", "power", "gpu", watts))
            break
    if readings:
        return Data(readings, broken)
    if broken:
        return Failed(broken, "check the kernel's log for amdgpu")
    if asleep:
        return Absent("the AMD graphics card sleeps")
    return Absent("the AMD graphics card measures no power" if cards else "there is no AMD graphics card")


def _counter(chip: Chip) -> RawReading | None:
    """The card's energy counter, or None where it has none that can be trusted."""
    microjoules = _whole(text_or_empty(chip.directory / "energy1_input"))
    if microjoules is None and text_or_empty(chip.directory / "device/class").startswith(_DATA_CENTRE):
        units = _accumulator(chip.directory / "device/gpu_metrics")
        microjoules = None if units is None else units * _MICROJOULES_A_UNIT[0] // _MICROJOULES_A_UNIT[1]
    if microjoules is None or not 0 < microjoules < 2**63:
        return None
    name = f"{NAME}/{chip.address}/energy"
    return RawReading(name, "counter", "gpu", microjoules, highest_watts=HIGHEST_CARD_WATTS)


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 20 else None


def _accumulator(path: Path) -> int | None:
    """The accumulator of a `gpu_metrics` table: header of size and two revisions, then fields by revision."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        table = os.read(descriptor, 4096)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if len(table) < 4:
        return None
    size, major, minor = struct.unpack_from("<HBB", table)
    at = _ACCUMULATOR_AT.get((major, minor))
    if at is None or size > len(table) or size < at + 8:
        return None
    (units,) = struct.unpack_from("<Q", table, at)
    # All ones: the card does not have it.
    return None if units >= 2**63 else int(units)


def needs(_root: Path) -> Needs:
    """Everybody may read it."""
    return NOTHING
