"""Typical power of network devices that tell none: by model, by models of its family, by size, by kind.

The base is what the device itself draws at the plug: measured, or a datasheet's typical watts, or 0.66 of a maximum
without PoE budget; every member of a stack has its own. What it gives to others over Ethernet is added once, over the
efficiency of the supply behind it. Traffic hardly matters: between idle and full load 18 of 19 measured switches differ by
less than 15%, half of them by less than 2.4% (ENERGY STAR / US EPA, large network equipment).

The bands hold nine of ten measured devices where there are enough of them to tell (docs/methods-power.md, network
devices).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from carbon.network_classes import class_of
from carbon.network_models import Level, Match, find
from carbon.poe import Fed, of_classes

BANDS: dict[Level, tuple[float, float]] = {
    "measured": (0.70, 1.40),
    "datasheet": (0.50, 1.50),
    "maximum": (0.30, 1.55),
    "family": (0.35, 2.2),
    "size": (0.30, 3.0),
    "virtual": (1.0, 1.0),
}
"""Low and high of an estimate, as shares of it. Of a kind they are below, in watts."""

KIND_WATTS: dict[str, tuple[float, float, float]] = {
    "switch": (45.0, 8.0, 350.0),
    "router": (30.0, 4.0, 300.0),
    "firewall": (50.0, 8.0, 350.0),
    "wireless_controller": (100.0, 15.0, 300.0),
    "access_point": (9.0, 3.0, 25.0),
    "ups": (30.0, 3.0, 300.0),
    "pdu": (5.0, 1.0, 15.0),
    "meter": (4.0, 1.0, 10.0),
    "server_bmc": (200.0, 50.0, 800.0),
    "server": (200.0, 50.0, 800.0),
    "storage": (150.0, 10.0, 800.0),
    "printer": (25.0, 3.0, 100.0),
    "phone": (2.0, 1.0, 6.0),
    "camera": (6.0, 2.0, 20.0),
    "environment": (5.0, 1.0, 15.0),
    "dc_plant": (30.0, 3.0, 300.0),
    "radio_link": (20.0, 4.0, 80.0),
    "appliance": (60.0, 5.0, 300.0),
}
"""What a device of a kind draws where nothing more is known, with a band that holds most of them: our own assumption, to
be replaced by a measurement or a model; of telephones near the median of certified ones (1.5 W). Of a UPS, a PDU and a
meter it is what they use themselves."""
UNKNOWN_WATTS = (40.0, 5.0, 300.0)

UPS_LOSS_AT_NO_LOAD, UPS_LOSS_OF_LOAD = (0.012, 0.003, 0.05), (0.035, 0.01, 0.12)
"""What a UPS loses: shares of its rating, and of its load, each with low and high. Typical: medians of 393 certified UPSs
(ENERGY STAR / US EPA, May 2020). High: double conversion of 85% efficiency (carbon reference, section 5), which the
certified are better than."""


@dataclass(frozen=True, slots=True)
class Typical:
    """Watts at the plug with low and high, in words what they come from, and how near that is to the device."""

    watts: float
    low: float
    high: float
    basis: str
    level: Level


def typical_power(
    kind: str,
    hardware: str,
    vendor: str = "",
    members: Sequence[str] = (),
    poe_watts: float | None = None,
    poe_classes: Sequence[int] = (),
    fed: Fed | None = None,
) -> Typical:
    """What a device draws by what is known of it.

    `members` are the models of a stack's members, each counted; one without a model is like the device. Of what it gives
    to others one is taken: `poe_watts` measured, else `poe_classes` of its feeding ports, else `fed`, what known devices
    at its ports take.

    >>> typical_power("switch", "CBS350-48P-4X").watts
    61.53
    """
    own = _base(kind, hardware, vendor)
    found = [_nearer(_base(kind, one, vendor), own) if one else own for one in members] or [own]
    given, words = Fed(), ""
    if poe_watts is not None:
        given = Fed(poe_watts, poe_watts, poe_watts)
        words = "measured PoE" if poe_watts else ""
    elif poe_classes:
        given = of_classes(poe_classes)
        words = f"{len(poe_classes)} PoE ports by their class"
    elif fed is not None:
        given, words = fed, "PoE of the devices known at its ports"
    taken = given.at_the_plug()
    bases = list(dict.fromkeys(one.basis for one in found))
    basis = bases[0] if len(found) == 1 else f"{len(found)} members: {', '.join(bases)}"
    return Typical(
        round(sum(one.watts for one in found) + taken.watts, 2),
        round(sum(one.low for one in found) + taken.low, 2),
        round(sum(one.high for one in found) + taken.high, 2),
        f"{basis}, and {words}" if words else basis,
        max((one.level for one in found), key=tuple(_WIDENING).index),
    )


def _nearer(member: Typical, device: Typical) -> Typical:
    """A member's own model, unless nothing is known of it and something of the device."""
    return device if member.level == "kind" else member


_WIDENING: tuple[Level, ...] = ("virtual", "measured", "datasheet", "maximum", "family", "size", "kind")


@lru_cache(maxsize=4096)  # every poll asks
def _base(kind: str, hardware: str, vendor: str) -> Typical:
    match = find(kind, hardware, vendor)
    sort = class_of(kind, hardware)
    if match is not None and not (match.level == "size" and sort is not None):
        low, high = _band(match)
        return Typical(match.watts, low, high, match.basis, match.level)
    if sort is not None:
        return Typical(sort.watts, sort.low, sort.high, f"{sort.words}, model not known", "kind")
    watts, low, high = KIND_WATTS.get(kind, UNKNOWN_WATTS)
    words = kind.replace("_", " ")
    article = "an" if words[:1] in "aeiou" else "a"
    basis = f"{article} {words} of no known model" if kind in KIND_WATTS else "an unknown device"
    return Typical(watts, low, high, basis, "kind")


def _band(match: Match) -> tuple[float, float]:
    low, high = (share * match.watts for share in BANDS[match.level])
    if match.spread is not None:
        low, high = min(low, match.spread[0]), max(high, match.spread[1])
    return low, high


def ups_loss(rated_watts: float, load_watts: float | None) -> Typical:
    """What a UPS itself uses: a share of its rating and a share of its load (where that is not known, 30%)."""
    load = 0.3 * rated_watts if load_watts is None else load_watts
    watts, low, high = (
        rated_watts * idle + load * share for idle, share in zip(UPS_LOSS_AT_NO_LOAD, UPS_LOSS_OF_LOAD, strict=True)
    )
    return Typical(
        round(watts, 2), round(low, 2), round(high, 2), f"losses of a UPS of {rated_watts:.0f} W at its load", "kind"
    )
