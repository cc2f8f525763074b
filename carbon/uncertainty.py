"""How far a measured figure may be off, by the kind of meter: relative half-widths at 95%; and how far a sum may be.

Errors are fully correlated within a group (a kind of meter, the power model, a class profile, a PUE assumption) and
independent between groups: they add up within, and in quadrature across.

Source: carbon reference section 7, default tiers (fiscal meter 2%, UPS or PDU 5%, BMC or smart power supply 10%,
RAPL or model 20%, product sheet x count 30%, else 50%) and the rule of groups.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

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


CONFIDENCE = "95%"
"""Of every range that a sum states."""
MODEL_GROUP = "power_model"
"""Estimates of the power model, whose bounds hold four of five hosts; all other bounds are at 95%."""
_TO_95 = (196, 128)
"""Half-widths of a normal error at 95% and at 80%, in standard deviations: 1.96 and 1.28."""

FACTOR_GROUP = "grid factor"
FACTOR_HALF_WIDTH = Fraction(5, 100)
"""Of emissions by the Government's electricity factors at 95%, all years' alike. The Government publishes none: this is our
own choice, of the order that inventories give for the carbon of traded fuels (IPCC Good Practice Guidance 2000: within 5%);
the well-to-tank lines are less certain, and are the smaller part. Which set applies is a rule and no error.
"""

REGISTER_GROUP = "register count"
REGISTER_HALF_WIDTH = Fraction(5, 100)
"""Of the number of devices that a class profile stands for, at 95%. Our own choice, until an audit of the register says
otherwise: a council that finds every tenth laptop missing should widen it."""

Errors = Mapping[str, tuple[int, int]]
"""How far an amount is off, by group of what makes it so, when the group's error is at its lowest and at its highest end.

Both are signed and in the amount's unit: of an amount that is read (-10, 10), of one that this is taken off (10, -10).
"""


def errors_of(value: int, low: int, high: int, group: str) -> Errors:
    """The errors of an amount with bounds, all of one group; the power model's are taken from 80% to 95%, and no further
    down than nothing.

    >>> errors_of(1000, 900, 1200, "rapl"), errors_of(1000, 872, 1128, "power_model")
    ({'rapl': (-100, 200)}, {'power_model': (-196, 196)})
    """
    below, above = low - value, high - value
    if group == MODEL_GROUP:
        below, above = max(-value, _scaled(below, *_TO_95)), _scaled(above, *_TO_95)
    return {group: (below, above)} if below or above else {}


def half_width_errors(amount: int, half_width: Fraction, group: str) -> Errors:
    """Errors of an amount that may be off by a part of it either way.

    >>> half_width_errors(1000, Fraction(5, 100), "grid factor")
    {'grid factor': (-50, 50)}
    """
    off = math.ceil(abs(amount) * half_width)
    return {group: (-off, off)} if off else {}


def add_errors(one: Errors, other: Errors) -> Errors:
    """Errors of a sum: one group's add up, because what is shared is off in the same way everywhere."""
    if not other:
        return one
    if not one:
        return other
    whole = dict(one)
    for group, (low, high) in other.items():
        before = whole.get(group, (0, 0))
        whole[group] = before[0] + low, before[1] + high
    return whole


def scale_errors(errors: Errors, factor: float) -> Errors:
    """Errors of so many times the amount."""
    over, under = Decimal(str(factor)).as_integer_ratio()
    return {group: (_scaled(low, over, under), _scaled(high, over, under)) for group, (low, high) in errors.items()}


def range_of(value: int, errors: Errors) -> tuple[int, int]:
    """Low and high of an amount at 95%: groups are independent of each other, and so are added in quadrature.

    Of a group the worse of its ends counts for each bound. A bound lies on the far side of what rounding leaves.

    >>> range_of(1000, {"rapl": (-30, 30), "redfish": (-40, 60)})
    (950, 1068)
    """
    below = sum(min(0, *ends) ** 2 for ends in errors.values())
    above = sum(max(0, *ends) ** 2 for ends in errors.values())
    return value - _root(below), value + _root(above)


def _root(square: int) -> int:
    """The whole square root, rounded up."""
    root = math.isqrt(square)
    return root + (root * root < square)


def _scaled(amount: int, over: int, under: int) -> int:
    """A product, rounded away from nothing: a range never becomes narrower than it is."""
    return -(-amount * over // under) if amount > 0 else amount * over // under
