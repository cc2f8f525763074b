"""What a device draws, decided once from its readings: one level of the power path, never two added together.

Device total, else inlets, else phases, else inputs of power supplies, else their outputs over an efficiency
(estimated). Of each level the readings of one profile count, the one of highest priority, so that supplies that two MIBs
name are not counted twice. A UPS tells what it feeds by its output, and its own loss by the difference to its input.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from carbon.power_supply import loss_ratio
from collector.snmp.profile import Role
from collector.snmp.readings import Reading

LEVELS: tuple[tuple[Role, str], ...] = (
    ("device", "device"),
    ("inlet", "inlets"),
    ("phase", "phases"),
    ("psu_input", "psu_inputs"),
    ("psu_output", "psu_outputs"),
)
UPS_LEVELS: tuple[tuple[Role, str], ...] = (("ups_output", "ups_output"), ("ups_input", "ups_input"))
LOAD_ROLES: dict[str, tuple[Role, ...]] = {
    "ups": ("ups_output",),
    "dc_plant": ("ups_output",),
    "pdu": ("device", "inlet"),
    "meter": ("device", "inlet"),
}
"""Where the load of a kind stands that, with its rating, tells what passes through it."""
UPS_POWER_FACTOR = 0.8
"""Rated watts by rated volt-amperes where no watts are told: between 0.6 of old UPSs and 1.0 of new ones. Assumed."""
FEEDING = ("ups", "dc_plant")
"""Kinds that feed others: their output is what they pass on, their own loss the difference to their input."""
RUNNING = frozenset({"switch", "router", "firewall", "wireless_controller", "access_point"})
"""Kinds whose agent runs on what is measured: while it answers, its power is not 0."""
DIFFERENCE_TOLD = 0.05
"""Outlets and inlets that differ by more than this are told of."""
SMALLEST_COMPARED_WATTS = 20.0
DIFFERENCE_REMEDY = "look for outlets that are not metered or read wrong; the outlets' part is not counted"
ZERO_REMEDY = "see what the device itself shows; a newer firmware may measure"


@dataclass(frozen=True, slots=True)
class DiagnosisFound:
    """Something about a device's readings that a person should know."""

    code: str
    message: str
    remedy: str = ""

    @property
    def words(self) -> str:
        """What is the matter, and what to do."""
        return "; ".join(part for part in (self.message, self.remedy) if part)


@dataclass(frozen=True, slots=True)
class DevicePower:
    """Watts of a device with the level they come from (`basis`), and what its PoE ports give to others.

    `basis` is a level of `LEVELS` or `UPS_LEVELS`, `load` (share of a UPS's or PDU's rating), `estimate: ` and what it is
    reckoned from (`collector.snmp.estimate`), or `none`. `estimated` is set
    where the figure is computed. `loss_watts` is what a UPS itself uses.
    """

    watts: float | None = None
    basis: str = "none"
    estimated: bool = False
    poe_watts: float | None = None
    loss_watts: float | None = None
    profile: str = ""
    oids: tuple[str, ...] = ()
    diagnoses: list[DiagnosisFound] = field(default_factory=list)
    low_watts: float | None = None
    high_watts: float | None = None
    """Of an estimate by what the device is (`collector.snmp.estimate`)."""


def device_power(readings: Sequence[Reading], kind: str = "") -> DevicePower:
    """Decide a device's power. `readings` are those of `collector.snmp.readings`, profiles in order of priority."""
    power = [one for one in readings if one.quantity == "power"]
    diagnoses: list[DiagnosisFound] = []
    levels = (*UPS_LEVELS, *LEVELS) if kind in FEEDING else LEVELS
    found = {basis: _of_level(power, role) for role, basis in levels}
    sums = {basis: sum(one.value for one in level) for basis, level in found.items() if level}
    basis = next((one for one in sums if sums[one] > 0), next(iter(sums), "none"))
    for higher in sums:
        if higher == basis:
            break
        diagnoses.append(
            DiagnosisFound(
                "power_zero",
                f"{higher} power is 0 while {basis} power is {sums[basis]:.4g} W: the zero is not believed",
                ZERO_REMEDY,
            )
        )
    if kind in RUNNING and basis != "none" and sums[basis] == 0:
        diagnoses.append(
            DiagnosisFound(
                "power_zero", f"{basis} power is 0 W of a device that answers: the zero is not believed", ZERO_REMEDY
            )
        )
        basis = "none"
    poe = _poe(power)
    loss = None
    if kind in FEEDING and sums.get("ups_input", 0) > sums.get("ups_output", 0) > 0:
        loss = round(sums["ups_input"] - sums["ups_output"], 3)
    if basis == "none" and (by_load := _by_load(readings, kind)) is not None:
        return DevicePower(by_load, "load", estimated=True, poe_watts=poe)
    if basis == "none":
        return DevicePower(poe_watts=poe, diagnoses=diagnoses)
    level = found[basis]
    watts, estimated = sums[basis], any(one.estimated for one in level)
    if basis == "psu_outputs":
        watts, estimated = watts * (1 + loss_ratio().value), True
    diagnoses += _outlets_differ(power, basis, watts)
    return DevicePower(
        round(watts, 3), basis, estimated, poe, loss, level[0].profile, tuple(one.oid for one in level), diagnoses
    )


def _of_level(power: Sequence[Reading], role: Role) -> list[Reading]:
    """The readings of a role that count: those of the first profile that has any."""
    mine = [one for one in power if one.role == role and one.counted]
    return [one for one in mine if one.profile == mine[0].profile]


def _poe(power: Sequence[Reading]) -> float | None:
    for role in ("poe_total", "poe_port"):
        mine = [one for one in power if one.role == role and one.counted]
        if mine:
            return round(sum(one.value for one in mine if one.profile == mine[0].profile), 3)
    return None


def _by_load(readings: Sequence[Reading], kind: str) -> float | None:
    """A UPS or PDU that tells its load alone: the share of its rated watts (estimated)."""
    roles = LOAD_ROLES.get(kind, ())
    load = [one for one in readings if one.quantity == "load" and one.role in roles and one.counted]
    rated = rated_watts(readings)
    if not load or rated is None or not 0 <= load[0].value <= 150:
        return None
    mine = [one.value for one in load if one.profile == load[0].profile]
    return round(sum(mine) / len(mine) / 100 * rated, 3)


def rated_watts(readings: Sequence[Reading]) -> float | None:
    """What a UPS or PDU can give: as it tells in watts, else by its volt-amperes; None where it tells neither."""
    rated = [one for one in readings if one.role == "rating"]
    watts = [one.value for one in rated if one.quantity == "power"]
    watts = watts or [UPS_POWER_FACTOR * one.value for one in rated if one.quantity == "apparent_power"]
    return max(watts, default=None)


def _outlets_differ(power: Sequence[Reading], basis: str, watts: float) -> list[DiagnosisFound]:
    outlets = _of_level(power, "outlet")
    total = sum(one.value for one in outlets)
    if basis not in ("device", "inlets", "phases") or not outlets or max(total, watts) < SMALLEST_COMPARED_WATTS:
        return []
    if abs(total - watts) <= DIFFERENCE_TOLD * max(total, watts):
        return []
    message = f"the outlets add up to {total:.4g} W, the {basis} to {watts:.4g} W"
    return [DiagnosisFound("outlets_differ", message, DIFFERENCE_REMEDY)]
