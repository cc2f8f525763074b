"""A league of suppliers: devices, kWh, emissions, embodied carbon and age by whose they are.

Devices that are read are their supplier's by themselves. A class by profile has one figure for all its devices, and it is
divided by their numbers in the register, by largest remainder: the league adds up to the report to the microjoule and gram.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from carbon.footprint_rows import FootprintRow
from carbon.units import split_by_largest_remainder

UNKNOWN = ""
"""Whose it is that nothing says it of: rests of meters, devices without a maker."""


@dataclass(slots=True)
class Standing:
    """One supplier: devices in use, energy in microjoules and grams of the months, embodied grams, years of age.

    `age_years` is the mean over `dated` devices, whose date is known.
    """

    supplier: str
    devices: int = 0
    energy_uj: int = 0
    grams: int = 0
    embodied_g: int = 0
    dated: int = 0
    age_days: int = 0

    @property
    def age_years(self) -> Fraction | None:
        return Fraction(self.age_days, self.dated) / Fraction(36525, 100) if self.dated else None


def spread(
    rows: Iterable[FootprintRow],
    supplier_of: Callable[[str], str],
    in_class: Mapping[str, Mapping[str, int]],
    league: dict[str, Standing],
) -> None:
    """Add the energy and emissions of rows to a league.

    `supplier_of` a device's id; `in_class` has the number of devices by class and supplier, for classes by profile.
    """
    whole: dict[str, tuple[int, int]] = {}
    for row in rows:
        subject = row.activity.subject
        energy, grams = row.activity.activity_uj, row.grams.total
        if subject.kind == "profile" and in_class.get(subject.asset_class):
            before = whole.get(subject.asset_class, (0, 0))
            whole[subject.asset_class] = (before[0] + energy, before[1] + grams)
            continue
        standing = of(league, supplier_of(subject.device) if subject.kind == "device" else UNKNOWN)
        standing.energy_uj += energy
        standing.grams += grams
    for asset_class, (energy, grams) in whole.items():
        names = sorted(in_class[asset_class])
        weights = [in_class[asset_class][name] for name in names]
        parts = zip(
            split_by_largest_remainder(energy, weights), split_by_largest_remainder(grams, weights), strict=True
        )
        for name, (its_energy, its_grams) in zip(names, parts, strict=True):
            of(league, name).energy_uj += its_energy
            of(league, name).grams += its_grams


def of(league: dict[str, Standing], supplier: str) -> Standing:
    """A supplier's place in a league."""
    return league.setdefault(supplier, Standing(supplier))
