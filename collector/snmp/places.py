"""The places of the power path at which a device measures what it passes on: outlets, branches, inlets, a UPS's output.

Each is a meter of what it feeds. Watts and energy that a device tells of one place belong together: by the name that
both carry, or where several places are called alike, by their row of the table. A place is known by its row, so that
it stays itself when somebody renames it. Of each role one profile counts, as for the device's own power.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.snmp.device_power import DevicePower
from collector.snmp.profile import Role
from collector.snmp.readings import Reading

FEEDING_KINDS = frozenset({"ups", "pdu", "meter", "dc_plant"})
"""What they measure passes through them."""
ALWAYS_FEED: tuple[Role, ...] = ("outlet", "branch", "poe_port")
"""Places that feed others whatever kind of device has them."""
FEED_WHERE_ALL_PASSES: tuple[Role, ...] = ("device", "inlet", "phase", "ups_input", "ups_output", "ups_bypass")
"""Places of a UPS, PDU or meter; of other devices they are their own consumption."""
ONE_FOR_ONE: tuple[str, ...] = ("outlet", "poe_port")
"""Roles of places that feed one device each, as a rule; the others feed many."""
WHOLE = "whole"
"""Role and meter of all that passes through a UPS, PDU or meter."""

EXACT_STEP_KWH = 0.01
"""An energy counter is taken rather than watts up to this step: across a half-hour it is 20 W. With a step of 0.1 kWh an
outlet of 50 W would show nothing for four half-hours and 0.1 kWh in the fifth."""
COARSEST_STEP_KWH = 0.1
"""Where no watts are told a counter is taken up to this step."""

METER_NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A place and what was read there. `meter` is the name of its meter, `label` what the device calls it."""

    meter: str
    role: str
    label: str
    watts: float | None = None
    energy_kwh: float | None = None
    energy_step_kwh: float = 0.0
    estimated: bool = False

    @property
    def exact(self) -> bool:
        """Whether its energy counter is taken."""
        if self.energy_kwh is None or self.energy_step_kwh <= 0:
            return False
        return self.energy_step_kwh <= (EXACT_STEP_KWH if self.watts is not None else COARSEST_STEP_KWH)

    @property
    def kind(self) -> str:
        """Of its meter: `counter` or `power`."""
        return "counter" if self.exact else "power"

    @property
    def source(self) -> str:
        """Of its meter, as `carbon.uncertainty.METER_TIERS` knows it."""
        if self.estimated and not self.exact:
            return "snmp_load"
        if self.role == "poe_port":
            return "snmp_poe"
        return "snmp_counter" if self.exact else "snmp_watts"

    @property
    def measures(self) -> bool:
        """Whether its energy can be told."""
        return self.exact or self.watts is not None


def places(readings: Sequence[Reading], power: DevicePower, kind: str) -> list[Place]:
    """Every place at which a device measures, or could switch, what it feeds; the whole first where all passes through.

    `readings` stand in order of their profiles' priority, as `collector.snmp.readings` gives them.
    """
    roles = (*ALWAYS_FEED, *(FEED_WHERE_ALL_PASSES if kind in FEEDING_KINDS else ()))
    found: dict[str, Place] = {}
    for role in roles:
        for one in _of_role([one for one in readings if one.role == role and one.counted], role):
            name = one.meter if one.meter not in found else f"{one.meter} {one.label}"[:METER_NAME_LENGTH]
            found.setdefault(name, _renamed(one, name))
    parts = sorted(found.values(), key=lambda one: (roles.index(one.role), _order(one.meter)))
    whole = _whole(power, parts) if kind in FEEDING_KINDS and power.watts is not None else None
    return [whole, *parts] if whole is not None else parts


def places_of(shown: Mapping[str, Any]) -> list[Place]:
    """The same of a device's last reading as it is kept for its page (`collector.snmp.devices.last_reading`)."""
    readings = [Reading(**one) for one in shown["readings"]]
    power = {name: value for name, value in shown["power"].items() if name not in ("diagnoses", "oids")}
    return places(readings, DevicePower(**power), shown["identity"].get("kind", ""))


def _of_role(mine: Sequence[Reading], role: str) -> list[Place]:
    """The places of one role, from the first profile that tells watts of them, else energy, else anything."""
    told = next((one for wanted in ("power", "energy") for one in mine if one.quantity == wanted), None) or next(
        iter(mine), None
    )
    if told is None:
        return []
    mine = [one for one in mine if one.profile == told.profile]
    alike: dict[tuple[str, str], int] = {}
    for one in mine:
        alike[one.quantity, one.name] = alike.get((one.quantity, one.name), 0) + 1
    shared = {name for (_, name), count in alike.items() if count > 1}
    groups: dict[tuple[str, str], dict[str, Reading]] = {}
    for one in mine:
        key = (one.name, one.index if one.name in shared else "")
        groups.setdefault(key, {}).setdefault(one.quantity, one)
    return [_place(role, group) for group in groups.values()]


def _place(role: str, group: Mapping[str, Reading]) -> Place:
    power, energy = group.get("power"), group.get("energy")
    first = power or energy or next(iter(group.values()))
    return Place(
        meter=f"{role}/{first.index or first.name}"[:METER_NAME_LENGTH],
        role=role,
        label=first.name[:METER_NAME_LENGTH],
        watts=power.value if power else None,
        energy_kwh=energy.value if energy else None,
        energy_step_kwh=energy.step if energy else 0.0,
        estimated=power.estimated if power else False,
    )


def _whole(power: DevicePower, parts: Iterable[Place]) -> Place:
    """All that passes through: where one place alone tells it, with that place's energy counter."""
    role = {"device": "device", "inlets": "inlet", "ups_output": "ups_output", "ups_input": "ups_input"}.get(
        power.basis
    )
    level = [one for one in parts if one.role == role]
    only = level[0] if len(level) == 1 else None
    return Place(
        meter=WHOLE,
        role=WHOLE,
        label="all that passes through",
        watts=power.watts,
        energy_kwh=only.energy_kwh if only else None,
        energy_step_kwh=only.energy_step_kwh if only else 0.0,
        estimated=power.estimated,
    )


def _renamed(one: Place, name: str) -> Place:
    return Place(name, one.role, one.label, one.watts, one.energy_kwh, one.energy_step_kwh, one.estimated)


def _order(meter: str) -> tuple[tuple[int, int | str], ...]:
    """Rows in order of their numbers: 2 before 10."""
    index = meter.partition("/")[2]
    return tuple((0, int(arc)) if arc.isdecimal() else (1, arc) for arc in index.split("."))
