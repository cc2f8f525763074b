"""What a polled device draws where it does not tell: by its model, its members, its kind, and what it gives to others."""

import re
from collections.abc import Iterable
from dataclasses import replace

from carbon.network_models import Level
from carbon.network_power import Typical, typical_power, ups_loss
from carbon.poe import Fed, feeds
from collector.snmp.device import DeviceReading
from collector.snmp.device_power import FEEDING, UPS_POWER_FACTOR, DevicePower, rated_watts
from collector.snmp.neighbours import Neighbour
from collector.snmp.places import FEEDING_KINDS
from collector.snmp.polled import OwnPower

FED_KINDS = frozenset({"access_point", "phone", "camera"})
"""What usually has no supply of its own, and is fed by the port that it stands at."""
SOURCES: dict[Level, str] = {
    "measured": "snmp_catalogue",
    "datasheet": "snmp_catalogue",
    "maximum": "snmp_catalogue",
    "virtual": "snmp_catalogue",
    "family": "snmp_family",
    "size": "snmp_kind",
    "kind": "snmp_kind",
}
"""The source of a meter by how near its estimate is to the device: each has a band of its own (`carbon.uncertainty`)."""
_KVA = re.compile(r"(\d+(?:\.\d+)?) ?k(?:VA|W)\b", re.IGNORECASE)
_VA = re.compile(r"(?<!\d)(\d{3,5})(?!\d)")
_SMALLEST_UPS_VA, _LARGEST_UPS_VA = 300.0, 30000.0


def own_estimate(reading: DeviceReading) -> OwnPower:
    """Typical power of the device itself; of a UPS, a PDU or a meter what it uses and not what passes through it."""
    found = estimated_power(reading)
    return OwnPower(found.watts, SOURCES[found.level], found.basis)


def estimated_power(reading: DeviceReading) -> Typical:
    """The same with its band and how near it is to the device."""
    identity = reading.identity
    if identity.kind in FEEDING_KINDS:
        rated = ups_rating(reading) if identity.kind in FEEDING else None
        if rated is not None:
            return ups_loss(rated, reading.power.watts)
        return typical_power(identity.kind, identity.hardware, identity.vendor)
    fed = fed_at_ports(identity.hardware, reading.neighbours)
    return typical_power(
        identity.kind,
        identity.hardware,
        identity.vendor,
        identity.members,
        reading.power.poe_watts,
        reading.powered_classes,
        fed,
    )


def with_estimate(reading: DeviceReading) -> DeviceReading:
    """A reading whose device tells no power, with the estimate in its place. Of what feeds others there is none: what it
    itself uses says nothing of what passes through it.
    """
    power = reading.power
    if power.watts is not None or reading.identity.kind in FEEDING_KINDS:
        return reading
    found = estimated_power(reading)
    told = DevicePower(
        found.watts,
        f"estimate: {found.basis}",
        estimated=True,
        low_watts=found.low,
        high_watts=found.high,
        poe_watts=power.poe_watts,
        loss_watts=power.loss_watts,
        diagnoses=power.diagnoses,
    )
    return replace(reading, power=told)


def fed_at_ports(hardware: str, neighbours: Iterable[Neighbour]) -> Fed | None:
    """What the devices known at a switch's ports take there, if any of them is of a kind that is fed: one a port.

    A device that asks for watts (LLDP-MED, CDP) is fed, and takes no more than it asks for; of others that is assumed where
    the switch's name says that it feeds.
    """
    found: dict[tuple[int | None, str], Fed] = {}
    for one in neighbours:
        asked = one.asked_watts
        if one.kind not in FED_KINDS or (asked is None and not feeds(hardware)):
            continue
        typical = typical_power(one.kind, one.model, one.vendor)
        fed = Fed(typical.watts, typical.low, typical.high)
        if asked is not None:
            fed = Fed(min(fed.watts, asked), min(fed.low, asked), asked)
        found[one.if_index, one.port] = fed
    return sum(found.values(), Fed()) if found else None


def ups_rating(reading: DeviceReading) -> float | None:
    """Watts that a UPS can give: as it tells, else as its model's name says."""
    told = rated_watts(reading.readings)
    if told is not None:
        return told
    volt_amperes = _named_va(reading.identity.hardware)
    return None if volt_amperes is None else UPS_POWER_FACTOR * volt_amperes


def _named_va(hardware: str) -> float | None:
    """The volt-amperes in a UPS's name.

    >>> _named_va("Smart-UPS 1000 UPS 16.0 (ID1047)"), _named_va("UPS2000 6kVA"), _named_va("CS121")
    (1000.0, 6000.0, None)
    """
    if kilo := _KVA.search(hardware):
        return float(kilo[1]) * 1000
    found = [float(one) for one in _VA.findall(hardware) if _SMALLEST_UPS_VA <= float(one) <= _LARGEST_UPS_VA]
    return found[0] if found else None
