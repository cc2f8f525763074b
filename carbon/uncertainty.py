"""How far a measured figure may be off, by the kind of meter: relative half-widths at 95%.

Source: carbon reference section 7, default tiers (fiscal meter 2%, UPS or PDU 5%, BMC or smart power supply 10%,
RAPL or model 20%, product sheet x count 30%, else 50%).
"""

DEFAULT_TIER = 0.50

METER_TIERS: dict[str, float] = {
    "supplier": 0.02,
    "supplier_estimate": 0.50,
    "acpi_meter": 0.10,
    "redfish": 0.10,
    "ipmi_dcmi": 0.10,
    "nut": 0.05,
    "nut_load": 0.30,
    "hwmon": 0.10,
    "battery": 0.10,
    "rapl": 0.20,
    "amdgpu": 0.20,
    "nvidia": 0.20,
    "snmp": 0.10,
    "snmp_counter": 0.05,
    "snmp_watts": 0.05,
    "snmp_poe": 0.10,
    "snmp_load": 0.30,
    "snmp_catalogue": 0.50,
    "snmp_family": 0.65,
    "snmp_kind": 0.80,
}
"""By the name of the energy source that read the meter."""

UPWARD_TIERS: dict[str, float] = {"snmp_family": 1.2, "snmp_kind": 2.0}
"""How far above the figure it may be, where that is further than below: estimates of devices by models of their family,
and by their size or kind alone (`carbon.network_power.BANDS`, docs/methods-power.md)."""

ESTIMATING_METERS = frozenset({"nut_load", "snmp_load", "snmp_catalogue", "snmp_family", "snmp_kind"})
"""Meters that reckon rather than measure: a UPS's load in whole per cents of its rating, a device's power by the typical
power of its model. Their energy is estimated."""


def measured_band(energy: int, source: str) -> tuple[int, int]:
    """Low and high of a measured amount, in its own unit (microjoules or microwatts), as whole numbers.

    >>> measured_band(1000, "rapl")
    (800, 1200)
    """
    below = METER_TIERS.get(source, DEFAULT_TIER)
    return energy - round(energy * below), energy + round(energy * UPWARD_TIERS.get(source, below))
