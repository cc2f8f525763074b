"""Watts and energy of one chassis in Redfish's three forms of answer: the newest that gives a reading is used.

EnvironmentMetrics (the chassis' own watts and kilowatt-hours), then PowerSubsystem (the input of all its power supplies
together), then the deprecated Power resource (its power control, else its supplies). A reading that is null is none,
and a sum lacks no supply that is in use. In `Power` a supply's `PowerInputWatts` is no more than a last resort: some
firmware gives its rating there.
Source: DMTF schemas EnvironmentMetrics 1.3, PowerSupplyMetrics 1.1, Power 1.7; DSP2046.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from agent.report import Covers
from agent.sources.redfish_client import RedfishError, Resource, link, links

Get = Callable[[str], Resource]

HIGHEST_WATTS = 1e6
_UJ_PER_KWH = 3_600_000_000_000
_FINEST_KWH = Decimal("0.001")
"""A counter in coarser steps (many count whole kilowatt-hours) tells nothing of a half-hour."""
_NOT_IN_USE = ("Absent", "Disabled", "UnavailableOffline", "Deferring", "StandbyOffline")
_STUMBLED = (400, 404, 405, 500, 501)
_PARTS = (
    "CPU",
    "GPU",
    "Memory",
    "Fan",
    "StorageDevice",
    "StorageSubsystem",
    "NetworkingDevice",
    "Accelerator",
    "PowerSupply",
)
"""Physical contexts of power controls that see a part of the chassis."""


@dataclass(frozen=True, slots=True)
class ChassisPower:
    """Watts of a chassis, on which side of its supplies, its energy since some beginning, and what gave them."""

    watts: float
    covers: Covers
    form: str
    energy_uj: int | None = None


def chassis_power(chassis: Resource, get: Get) -> ChassisPower | None:
    """The power of a chassis, or None where it gives none. Raises RedfishError.

    A resource that is linked and not there, or that the firmware stumbles over, leaves the older forms.
    """
    stumbled: RedfishError | None = None
    for form in (_environment, _subsystem, _legacy):
        try:
            if (found := form(chassis, get)) is not None:
                return found
        except RedfishError as error:
            if error.status not in _STUMBLED:
                raise
            stumbled = error
    if stumbled is not None:
        raise stumbled
    return None


def _environment(chassis: Resource, get: Get) -> ChassisPower | None:
    path = link(chassis, "EnvironmentMetrics")
    metrics = get(path) if path else {}
    watts = _reading(metrics.get("PowerWatts"))
    if watts is None:
        return None
    return ChassisPower(watts, "machine_ac", "EnvironmentMetrics", _energy_uj(metrics.get("EnergykWh")))


def _subsystem(chassis: Resource, get: Get) -> ChassisPower | None:
    path = link(chassis, "PowerSubsystem")
    collection = link(get(path), "PowerSupplies") if path else ""
    supplies = [get(one) for one in members(collection, get)] if collection else []
    metrics = [get(link(one, "Metrics")) if link(one, "Metrics") else {} for one in supplies if _in_use(one)]
    for name, covers in (("InputPowerWatts", "machine_ac"), ("OutputPowerWatts", "machine_dc")):
        watts = _sum([_reading(one.get(name)) for one in metrics])
        if watts is not None:
            return ChassisPower(watts, covers, "PowerSubsystem")  # type: ignore[arg-type]  # the two are of Covers
    return None


def _legacy(chassis: Resource, get: Get) -> ChassisPower | None:
    path = link(chassis, "Power")
    power = get(path) if path else {}
    controls = power.get("PowerControl")
    for control in controls if isinstance(controls, list) else []:
        if isinstance(control, dict) and control.get("PhysicalContext") not in _PARTS:
            # The first is the chassis', others are parts of it.
            if (watts := _number(control.get("PowerConsumedWatts"))) is not None:
                return ChassisPower(watts, "machine_ac", "Power")
            break
    listed = power.get("PowerSupplies")
    supplies = [one for one in listed if isinstance(one, dict) and _in_use(one)] if isinstance(listed, list) else []
    for names, covers in (
        (("PowerInputWatts",), "machine_ac"),
        (("PowerOutputWatts", "LastPowerOutputWatts"), "machine_dc"),
    ):
        sums = [
            next((found for name in names if (found := _number(one.get(name))) is not None), None) for one in supplies
        ]
        if (watts := _sum(sums)) is not None:
            return ChassisPower(watts, covers, "Power")  # type: ignore[arg-type]  # as above
    return None


def members(collection: str, get: Get, most: int = 64) -> list[str]:
    """The paths of a collection's members, over all its pages."""
    found: list[str] = []
    pages = 0
    while collection and len(found) < most and pages < most:
        page = get(collection)
        pages += 1
        found += links(page, "Members")
        following = page.get("Members@odata.nextLink")
        collection = link({"next": {"@odata.id": following}}, "next") if following else ""
    return found[:most]


def _in_use(resource: Resource) -> bool:
    status = resource.get("Status")
    return not (isinstance(status, dict) and status.get("State") in _NOT_IN_USE)


def _sum(values: Sequence[float | None]) -> float | None:
    """The values together, or None where one is missing or there are none."""
    known = [one for one in values if one is not None]
    return sum(known) if known and len(known) == len(values) else None


def _reading(sensor: Any) -> float | None:
    """The reading of a sensor's excerpt, unless the sensor is said to be off."""
    return _number(sensor.get("Reading")) if isinstance(sensor, dict) and _in_use(sensor) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value) if 0 <= value <= HIGHEST_WATTS else None


def _energy_uj(sensor: Any) -> int | None:
    """Microjoules of a counter that counts finely enough, else None."""
    value = sensor.get("Reading") if isinstance(sensor, dict) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0 or not math.isfinite(value):
        return None
    try:
        exact = Decimal(json.dumps(value))
    except InvalidOperation:
        return None
    exponent = exact.as_tuple().exponent
    fine = isinstance(exponent, int) and Decimal(1).scaleb(exponent) <= _FINEST_KWH
    microjoules = int(exact * _UJ_PER_KWH)
    return microjoules if fine and microjoules < 2**63 else None
