"""Watts and energy of one chassis in the forms of answer that Redfish has had: the newest that gives a reading is used.

EnvironmentMetrics (the chassis' own watts and kilowatt-hours), then PowerSubsystem (the input of all its power supplies
together), then the deprecated Power resource (its power control, else its supplies), then a sensor of the chassis that
is named as its total. A reading that is null or 0 W leaves the next form, and a sum lacks no supply that is in use. In
`Power` a supply's `PowerInputWatts` is no more than a last resort: some firmware gives its rating there. The supplies of
a blade or sled are its enclosure's, which it shares: they are never added up for it.
Source: DMTF schemas EnvironmentMetrics 1.3, PowerSupplyMetrics 1.1, Power 1.7, Sensor 1.9; DSP2046.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from agent.report import Covers
from agent.sources.redfish_client import RedfishError, Resource, link, links

Get = Callable[[str], Resource]

HIGHEST_WATTS = 1e6
SHARED_SUPPLIES = ("Blade", "Sled")
"""Chassis types that draw from the supplies of an enclosure, together with others."""
_UJ_PER_KWH = 3_600_000_000_000
COARSEST_STEP_UJ = _UJ_PER_KWH // 1000
"""A counter in coarser steps (many count whole kilowatt-hours) tells nothing of a half-hour."""
_NOT_IN_USE = ("Absent", "Disabled", "UnavailableOffline", "Deferring", "StandbyOffline")
_STUMBLED = (200, 400, 404, 405, 500, 501)
"""Statuses that leave the older forms; 200 is an answer that is no JSON."""
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
_PART_NAMES = re.compile(
    r"\b(cpus?|processors?|memory|dimms?|gpus?|fans?|storage|drives?|hdds?|disks?|pcie|accelerators?)\b", re.I
)
"""Of power controls without a physical context."""
_TOTAL_SENSORS = re.compile(
    r"(power_?)?((system_?|sys_?|chassis_?|server_?)?total_?(system_?)?(power|pwr)|(system_?board_?)?pwr_?consumption"
    r"|(system|sys|server|chassis)_?(input_?)?(power|pwr)(_?consumption)?|power_?consumption)(_?watts)?",
    re.I,
)
_MOST_SENSORS = 4


@dataclass(frozen=True, slots=True)
class ChassisPower:
    """Watts of a chassis, on which side of its supplies, its energy since some beginning, and what gave them."""

    watts: float
    covers: Covers
    form: str
    energy_uj: int | None = None
    energy_step_uj: int = 0
    """The finest step that the counter's last figure shows: 1234.56 kWh may be one of hundredths, or of thousandths."""


def chassis_power(chassis: Resource, get: Get, form: str = "") -> ChassisPower | None:
    """The power of a chassis, or None where it gives none. Raises RedfishError.

    A resource that is linked and not there, or that the firmware stumbles over, leaves the older forms. `form` is the
    one that gave the reading before: only that is asked, so that a reading that fails once does not become another's.
    """
    stumbled: RedfishError | None = None
    zero: ChassisPower | None = None
    for name, candidates in _FORMS.items():
        if form and form.partition(" ")[0] != name:
            continue
        try:
            for found in candidates(chassis, get):
                if form in ("", found.form) and (found.watts > 0 or form):
                    return found
                zero = zero or (None if form else found)
        except RedfishError as error:
            if error.status not in _STUMBLED:
                raise
            stumbled = error
    if zero is not None:
        return zero
    if stumbled is not None:
        raise stumbled
    return None


def _environment(chassis: Resource, get: Get) -> Iterator[ChassisPower]:
    path = link(chassis, "EnvironmentMetrics")
    metrics = get(path) if path else {}
    watts = _reading(metrics.get("PowerWatts"), get)
    if watts is not None:
        yield ChassisPower(watts, "machine_ac", "EnvironmentMetrics", *_energy_uj(metrics))


def _subsystem(chassis: Resource, get: Get) -> Iterator[ChassisPower]:
    path = "" if chassis.get("ChassisType") in SHARED_SUPPLIES else link(chassis, "PowerSubsystem")
    collection = link(get(path), "PowerSupplies") if path else ""
    supplies = [get(one) for one in members(collection, get)] if collection else []
    metrics = [get(link(one, "Metrics")) if link(one, "Metrics") else {} for one in supplies if _in_use(one)]
    inputs = _sum([_reading(one.get("InputPowerWatts"), get) for one in metrics])
    if inputs is not None:
        yield ChassisPower(inputs, "machine_ac", "PowerSubsystem input")
    outputs = _sum([_reading(one.get("OutputPowerWatts"), get) for one in metrics])
    if outputs is not None:
        yield ChassisPower(outputs, "machine_dc", "PowerSubsystem output")


def _legacy(chassis: Resource, get: Get) -> Iterator[ChassisPower]:
    path = link(chassis, "Power")
    power = get(path) if path else {}
    control = _whole_control(power)
    for watts in (_number(control.get("PowerConsumedWatts")), _number(power.get("PowerConsumedWatts"))):
        # HP's interface from before Redfish has it at the top.
        if watts is not None:
            yield ChassisPower(watts, "machine_ac", "Power control")
    metrics = control.get("PowerMetrics")
    if isinstance(metrics, dict) and (watts := _number(metrics.get("AverageConsumedWatts"))):
        yield ChassisPower(watts, "machine_ac", "Power average")
    if chassis.get("ChassisType") in SHARED_SUPPLIES:
        return
    supplies = [one for one in _inline(power.get("PowerSupplies"), get) if _in_use(one) and _has_input(one)]
    inputs = _sum([_input_watts(one) for one in supplies])
    if inputs is not None:
        yield ChassisPower(inputs, "machine_ac", "Power input")
    outputs = _sum([_first(one, "PowerOutputWatts", "LastPowerOutputWatts") for one in supplies])
    if outputs is not None:
        yield ChassisPower(outputs, "machine_dc", "Power output")


def _sensors(chassis: Resource, get: Get) -> Iterator[ChassisPower]:
    """Of firmware (OpenBMC's) that has no more than sensors: the one whose name says that it is the whole."""
    collection = link(chassis, "Sensors")
    every = members(collection, get, most=512) if collection else []
    total = [one for one in every if _TOTAL_SENSORS.fullmatch(one.rstrip("/").rpartition("/")[2])]
    for path in total[:_MOST_SENSORS]:
        sensor = get(path)
        if sensor.get("ReadingUnits") in ("W", "Watts") or sensor.get("ReadingType") == "Power":
            watts = _reading(sensor, get)
            if watts is not None:
                yield ChassisPower(watts, "machine_ac", f"Sensors {path}")


_FORMS: dict[str, Callable[[Resource, Get], Iterator[ChassisPower]]] = {
    "EnvironmentMetrics": _environment,
    "PowerSubsystem": _subsystem,
    "Power": _legacy,
    "Sensors": _sensors,
}


def _whole_control(power: Resource) -> Resource:
    """The power control that sees the whole chassis: the first that is none of a part of it."""
    listed = power.get("PowerControl")
    controls = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    for control in controls:
        context, name = control.get("PhysicalContext"), str(control.get("Name") or "")
        # Cisco's one control stands at the supplies, and is the whole.
        alone = context == "PowerSupply" and len(controls) == 1
        if alone or not (context in _PARTS or _PART_NAMES.search(name)):
            return control
    return {}


def _inline(listed: Any, get: Get) -> list[Resource]:
    """Supplies as they stand in the list, or, where it only links to them, from there."""
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    linked = links({"all": found}, "all")
    if found and len(linked) == len(found) and all(len(one) == 1 for one in found):
        return [get(path) for path in linked if "#" not in path]
    return found


def _has_input(supply: Resource) -> bool:
    """Whether a legacy supply is plugged in: one without voltage draws nothing, and often says nothing."""
    volts = supply.get("LineInputVoltage")
    return isinstance(volts, bool) or volts != 0


def _input_watts(supply: Resource) -> float | None:
    """What a legacy supply draws, unless it is its rating: as much as it can give or more."""
    watts, most = _number(supply.get("PowerInputWatts")), _number(supply.get("PowerCapacityWatts"))
    return None if watts is not None and most and watts >= most else watts


def _first(resource: Resource, *names: str) -> float | None:
    return next((found for name in names if (found := _number(resource.get(name))) is not None), None)


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


def _reading(sensor: Any, get: Get) -> float | None:
    """The reading of a sensor or its excerpt, unless it is said to be off; where an excerpt only links to its sensor, of that."""
    if not isinstance(sensor, dict) or not _in_use(sensor):
        return None
    if "Reading" not in sensor and (source := link({"at": {"@odata.id": sensor.get("DataSourceUri")}}, "at")):
        sensor = get(source)
    return _number(sensor.get("Reading")) if _in_use(sensor) else None


def _number(value: Any) -> float | None:
    """Watts within reason. Some firmware writes numbers as text."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,7}(\.\d{1,9})?", value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value) if 0 <= value <= HIGHEST_WATTS else None


def _energy_uj(metrics: Resource) -> tuple[int | None, int]:
    """Microjoules of the chassis' counter and its finest step; a lifetime's count comes before one that can be reset."""
    for name, unit_uj in (("EnergyJoules", 1_000_000), ("EnergykWh", _UJ_PER_KWH)):
        sensor = metrics.get(name)
        for value in (sensor.get("LifetimeReading"), sensor.get("Reading")) if isinstance(sensor, dict) else ():
            if (found := _counted_uj(value, unit_uj)) is not None:
                return found
    return None, 0


def _counted_uj(value: Any, unit_uj: int) -> tuple[int, int] | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0 or not math.isfinite(value):
        return None
    try:
        exact = Decimal(json.dumps(value))
    except InvalidOperation:
        return None
    exponent = exact.as_tuple().exponent
    microjoules = int(exact * unit_uj)
    if not isinstance(exponent, int) or microjoules >= 2**63:
        return None
    return microjoules, int(Decimal(1).scaleb(min(exponent, 0)) * unit_uj)
