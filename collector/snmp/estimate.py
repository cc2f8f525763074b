"""What a polled device draws where it does not tell: by its model, its kind, and what it gives to others over Ethernet."""

from carbon.network_power import typical_power
from collector.snmp.device import DeviceReading
from collector.snmp.places import FEEDING_KINDS
from collector.snmp.polled import OwnPower


def own_estimate(reading: DeviceReading) -> OwnPower:
    """Typical power of the device itself; of a UPS, a PDU or a meter what it uses and not what passes through it."""
    identity = reading.identity
    poe = None if identity.kind in FEEDING_KINDS else reading.power.poe_watts
    found = typical_power(identity.kind, identity.hardware, poe)
    return OwnPower(found.watts, "snmp_catalogue", found.basis)
