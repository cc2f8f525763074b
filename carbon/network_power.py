"""Typical power of network devices that tell none: by model, by what models of its family have, by kind.

The base is a datasheet's typical watts, without what a device gives to others over Ethernet; where a sheet has the
maximum alone, typical is 0.66 of the maximum without the PoE budget (the median of 424 models that state both; carbon
reference, section 5). Measured PoE is added over the efficiency of the supply behind it. Traffic hardly matters.
"""

import csv
import importlib.resources
import re
import statistics
from dataclasses import dataclass
from functools import cache, lru_cache

TYPICAL_OF_MAXIMUM = 0.66
PSE_EFFICIENCY = 0.9
"""What a PoE supply gives of what it takes: assumed, between 0.85 and 0.94 for switch supplies at 230 V."""
MODEL_BAND, MAXIMUM_BAND, FAMILY_BAND = 0.30, 0.50, 0.60
"""Half-widths at 95% of a figure from a datasheet's typical, from its maximum, and from models of the same family."""
SHORTEST_FAMILY = 5
"""Letters and digits that must agree for a family: fewer say nothing."""

KIND_WATTS: dict[str, tuple[float, float, float]] = {
    "switch": (60.0, 15.0, 250.0),
    "router": (60.0, 10.0, 300.0),
    "firewall": (50.0, 10.0, 300.0),
    "wireless_controller": (100.0, 30.0, 300.0),
    "access_point": (9.0, 4.0, 25.0),
    "ups": (30.0, 5.0, 200.0),
    "pdu": (5.0, 2.0, 15.0),
    "meter": (4.0, 1.0, 10.0),
    "server_bmc": (200.0, 50.0, 800.0),
    "server": (200.0, 50.0, 800.0),
    "storage": (150.0, 20.0, 800.0),
    "printer": (25.0, 5.0, 100.0),
    "phone": (4.0, 2.0, 10.0),
    "camera": (6.0, 3.0, 20.0),
    "environment": (5.0, 1.0, 15.0),
    "radio_link": (30.0, 5.0, 80.0),
    "appliance": (60.0, 10.0, 300.0),
}
"""What a device of a kind draws where nothing more is known, with a band that holds most of them: our own assumption, to
be replaced by a measurement or a model. Of a UPS, a PDU and a meter it is what they use themselves."""
UNKNOWN_WATTS = (40.0, 5.0, 250.0)


@dataclass(frozen=True, slots=True)
class Typical:
    """Watts at the plug with low and high, and in words what they come from."""

    watts: float
    low: float
    high: float
    basis: str


@cache
def models() -> dict[str, tuple[str, float, float]]:
    """Each model's name, base watts and relative band, by its letters and digits."""
    text = (importlib.resources.files("carbon") / "data" / "network_power.tsv").read_text(encoding="utf-8")
    found: dict[str, tuple[str, float, float]] = {}
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        typical, maximum, budget = (float(row[name] or 0) for name in ("typical_w", "max_w", "max_poe_w"))
        without_poe = maximum - budget / PSE_EFFICIENCY
        # A sheet that gives the maximum without its PoE budget would come out below zero.
        base = typical or TYPICAL_OF_MAXIMUM * (without_poe if without_poe > 0 else maximum)
        found[_letters(row["model"])] = (row["model"], base, MODEL_BAND if typical else MAXIMUM_BAND)
    return found


def typical_power(kind: str, hardware: str, poe_watts: float | None = None, members: int = 1) -> Typical:
    """What a device draws by what is known of it. `poe_watts` is what it gives to others, `members` the size of a stack.

    >>> typical_power("switch", "CBS350-48P-4X").watts
    61.53
    """
    watts, low, high, basis = _base(kind, hardware)
    given = (poe_watts or 0.0) / PSE_EFFICIENCY
    return Typical(
        round(watts * members + given, 2), round(low * members + given, 2), round(high * members + given, 2), basis
    )


@lru_cache(maxsize=4096)  # every poll asks
def _base(kind: str, hardware: str) -> tuple[float, float, float, str]:
    wanted = _letters(hardware)
    if (found := models().get(wanted)) is not None:
        name, watts, band = found
        return watts, watts * (1 - band), watts * (1 + band), f"datasheet of {name}"
    family = _family(wanted)
    if family:
        of_family = [models()[one][1] for one in family]
        watts = statistics.median(of_family)
        low = min(*of_family, watts * (1 - FAMILY_BAND))
        high = max(*of_family, watts * (1 + FAMILY_BAND))
        return watts, low, high, f"median of {len(family)} models like {models()[family[0]][0]}"
    known = KIND_WATTS.get(kind)
    return *(known or UNKNOWN_WATTS), f"a {kind.replace('_', ' ')} of no known model" if known else "an unknown device"


def _family(wanted: str) -> list[str]:
    """The models that share the longest beginning with a name, if that is long enough."""
    longest, found = SHORTEST_FAMILY - 1, []
    for one in models():
        shared = next((place for place, pair in enumerate(zip(one, wanted, strict=False)) if pair[0] != pair[1]), None)
        length = min(len(one), len(wanted)) if shared is None else shared
        if length > longest:
            longest, found = length, [one]
        elif length == longest and found:
            found.append(one)
    return found


def _letters(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())
