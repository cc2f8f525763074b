"""Power of AMD graphics cards, from the amdgpu driver's hwmon sensors (microwatts).

`power1_average` where the card averages, else `power1_input`. A part of the machine: shown, never added to a meter
that holds the whole.
"""

from pathlib import Path

from agent.files import read_text
from agent.outcome import Absent, Data, Failed, Outcome
from agent.sources.hwmon_tree import chips
from agent.sources.reading import RawReading

NAME = "amdgpu"
DRIVER = "amdgpu"


def read(root: Path) -> Outcome[list[RawReading]]:
    """The power of each card that measures it."""
    readings = []
    cards = 0
    for chip in chips(root):
        if chip.driver != DRIVER:
            continue
        cards += 1
        for file in ("power1_average", "power1_input"):
            try:
                watts = int(read_text(chip.directory / file)) / 1e6
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                return Failed(f"{chip.address} {file} cannot be read: {error}", "check the kernel's log for amdgpu")
            if watts >= 0:
                readings.append(RawReading(f"{NAME}/{chip.address}", "power", "gpu", watts))
            break
    if readings:
        return Data(readings)
    return Absent("the AMD graphics card measures no power" if cards else "there is no AMD graphics card")
