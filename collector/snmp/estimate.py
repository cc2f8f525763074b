"""What a polled device draws where it does not tell: by its model, its members, its kind, and what it gives to others."""

import re
from collections.abc import Iterable
from dataclasses import replace

from carbon.network_models import Level
from carbon.network_power import Typical, typical_power, ups_loss
from carbon.poe import Fed
from collector.snmp.device import DeviceReading
from collector.snmp.device_power import FEEDING, UPS_POWER_FACTOR, DevicePower, rated_watts
from collector.snmp.fed import FED_KINDS, FedDevice
from collector.snmp.places import FEEDING_KINDS
from collector.snmp.polled import OwnPower

ASKED_SHARE = 0.5
"""What a device of no known kind takes of what it asks for: our assumption, as for the classes from 4 on (`carbon.poe`)."""
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
    # One or the other holds what is fed, by the rule that the fed devices' side goes by too.
    fed = fed_at_ports(reading.fed) if reading.poe_ports is None and reading.power.poe_watts is None else None
    return typical_power(
        identity.kind,
        identity.hardware,
        identity.vendor,
        identity.members,
        reading.power.poe_watts,
        reading.powered_classes,
        fed if fed != Fed() else None,
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


def fed_at_ports(fed: Iterable[FedDevice]) -> Fed:
    """What the devices at a switch's ports take there. One that asks for watts takes no more than it asks for."""
    return sum((_taken(one) for one in fed), Fed())


def _taken(one: FedDevice) -> Fed:
    asked = None if one.neighbour is None else one.neighbour.asked_watts
    if asked is not None and one.kind not in FED_KINDS:
        return Fed(ASKED_SHARE * asked, 0.0, asked)
    model, vendor = ("", "") if one.neighbour is None else (one.neighbour.model, one.neighbour.vendor)
    typical = typical_power(one.kind, model, vendor)
    if asked is None:
        return Fed(typical.watts, typical.low, typical.high)
    return Fed(min(typical.watts, asked), min(typical.low, asked), asked)


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
