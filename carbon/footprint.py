"""From microjoules to kilograms of CO2 equivalent: energy x PUE x factor set, line by line.

Amounts are Decimal (28 digits), and a footprint is linear in its energy, so half-hours add up to days, devices to
sites and lines to totals. The band takes the energy's low and high with the PUE's: a PUE assumption is shared by all
that stand in the space, so its ends are taken together. The factor's own uncertainty is not in it yet.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from carbon.factors import FactorSet
from carbon.spaces import NOT_SET, Pue
from carbon.uncertainty import Errors, add_errors, errors_of, range_of
from carbon.units import UJ_PER_KWH


@dataclass(frozen=True, slots=True)
class Energy:
    """An amount of energy in microjoules: measured, estimated, and the bounds of their sum.

    `low_uj` and `high_uj` are added up as they are, as if all errors were one. `errors` tell them apart by what makes
    them, at 95%: `range_uj` is the range of a sum.
    """

    measured_uj: int = 0
    estimated_uj: int = 0
    low_uj: int = 0
    high_uj: int = 0
    errors: Errors = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, group: str, measured_uj: int, estimated_uj: int, low_uj: int, high_uj: int) -> "Energy":
        """An amount of which all errors are of one group."""
        errors = errors_of(measured_uj + estimated_uj, low_uj, high_uj, group)
        return cls(measured_uj, estimated_uj, low_uj, high_uj, errors)

    @property
    def total_uj(self) -> int:
        return self.measured_uj + self.estimated_uj

    @property
    def range_uj(self) -> tuple[int, int]:
        """Low and high of the total at 95%; where nothing tells errors apart, the bounds as they are."""
        return range_of(self.total_uj, self.errors) if self.errors else (self.low_uj, self.high_uj)

    def __neg__(self) -> "Energy":
        errors = {group: (-low, -high) for group, (low, high) in self.errors.items()}
        return Energy(-self.measured_uj, -self.estimated_uj, -self.low_uj, -self.high_uj, errors)

    def __add__(self, other: "Energy") -> "Energy":
        return Energy(
            self.measured_uj + other.measured_uj,
            self.estimated_uj + other.estimated_uj,
            self.low_uj + other.low_uj,
            self.high_uj + other.high_uj,
            add_errors(self.errors, other.errors),
        )


def sum_energies(amounts: Iterable[Energy]) -> Energy:
    """All of them as one: what adding each to the next gives, without an object for each."""
    measured = estimated = low = high = 0
    errors: dict[str, tuple[int, int]] = {}
    for one in amounts:
        measured += one.measured_uj
        estimated += one.estimated_uj
        low += one.low_uj
        high += one.high_uj
        for group, (below, above) in one.errors.items():
            before = errors.get(group)
            errors[group] = (below, above) if before is None else (before[0] + below, before[1] + above)
    return Energy(measured, estimated, low, high, errors)


def rest_of(whole: Energy, parts: Energy) -> Energy:
    """What is left of an amount without parts of it. What the whole and its parts share of their errors is in none of it;
    for the rest of them it may be off by all of both, so its bounds lie on its two sides.
    """
    measured, estimated = whole.measured_uj - parts.measured_uj, whole.estimated_uj - parts.estimated_uj
    errors = add_errors(whole.errors, {group: (-low, -high) for group, (low, high) in parts.errors.items()})
    low, high = whole.low_uj - parts.high_uj, whole.high_uj - parts.low_uj
    if errors:
        low, high = range_of(measured + estimated, errors)
    return Energy(measured, estimated, low, high, errors)


@dataclass(frozen=True, slots=True)
class Footprint:
    """Kilograms of CO2 equivalent by line, and the bounds of their total. `facility_kwh` is what PUE added."""

    s2_location_kg: Decimal = Decimal(0)
    s3_td_kg: Decimal = Decimal(0)
    s3_wtt_gen_kg: Decimal = Decimal(0)
    s3_wtt_td_kg: Decimal = Decimal(0)
    low_kg: Decimal = Decimal(0)
    high_kg: Decimal = Decimal(0)
    it_kwh: Decimal = Decimal(0)
    facility_kwh: Decimal = Decimal(0)

    @property
    def scope_3_kg(self) -> Decimal:
        return self.s3_td_kg + self.s3_wtt_gen_kg + self.s3_wtt_td_kg

    @property
    def total_kg(self) -> Decimal:
        return self.s2_location_kg + self.scope_3_kg

    def __neg__(self) -> "Footprint":
        return Footprint(
            -self.s2_location_kg,
            -self.s3_td_kg,
            -self.s3_wtt_gen_kg,
            -self.s3_wtt_td_kg,
            -self.low_kg,
            -self.high_kg,
            -self.it_kwh,
            -self.facility_kwh,
        )

    def __add__(self, other: "Footprint") -> "Footprint":
        return Footprint(
            self.s2_location_kg + other.s2_location_kg,
            self.s3_td_kg + other.s3_td_kg,
            self.s3_wtt_gen_kg + other.s3_wtt_gen_kg,
            self.s3_wtt_td_kg + other.s3_wtt_td_kg,
            self.low_kg + other.low_kg,
            self.high_kg + other.high_kg,
            self.it_kwh + other.it_kwh,
            self.facility_kwh + other.facility_kwh,
        )


def footprint(energy: Energy, factors: FactorSet, pue: Pue = NOT_SET) -> Footprint:
    """The footprint of an amount of ICT energy in a space with this PUE."""
    it_kwh = Decimal(energy.total_uj) / UJ_PER_KWH
    activity_kwh = it_kwh * Decimal(str(pue.value))
    return Footprint(
        s2_location_kg=activity_kwh * factors.s2_generation,
        s3_td_kg=activity_kwh * factors.s3_td,
        s3_wtt_gen_kg=activity_kwh * factors.s3_wtt_generation,
        s3_wtt_td_kg=activity_kwh * factors.s3_wtt_td,
        low_kg=Decimal(energy.low_uj) / UJ_PER_KWH * Decimal(str(pue.low)) * factors.total,
        high_kg=Decimal(energy.high_uj) / UJ_PER_KWH * Decimal(str(pue.high)) * factors.total,
        it_kwh=it_kwh,
        facility_kwh=activity_kwh - it_kwh,
    )


def add(footprints: Iterable[Footprint]) -> Footprint:
    """The sum of footprints, line by line."""
    whole = Footprint()
    for one in footprints:
        whole += one
    return whole
