"""Time-specific carbon: energy by half-hour times the grid's intensity in that half-hour.

Another kind of figure than the Government's conversion factors, and never mixed with them: CO2 alone, of combustion
alone, with imports and losses of transmission and distribution already in it, so that T&D is never added. It has a column
of its own, with its coverage: half-hours without an intensity are left out, never filled. Source: NESO, Carbon Intensity
methodology; carbon reference, section 2.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from carbon.units import UJ_PER_KWH, kwh_exact

_DIGITS = 40


@dataclass(frozen=True, slots=True)
class TimeSpecific:
    """Energy of some half-hours in microjoules, and what of it met an intensity. Adding two of them loses nothing.

    `weighted` is the sum of microjoules times gCO2 per kWh; `half_hours` are those with energy.
    """

    energy_uj: int = 0
    matched_uj: int = 0
    half_hours: int = 0
    matched_half_hours: int = 0
    weighted: Decimal = Decimal(0)

    def __add__(self, other: "TimeSpecific") -> "TimeSpecific":
        with localcontext() as context:
            context.prec = _DIGITS
            return TimeSpecific(
                self.energy_uj + other.energy_uj,
                self.matched_uj + other.matched_uj,
                self.half_hours + other.half_hours,
                self.matched_half_hours + other.matched_half_hours,
                self.weighted + other.weighted,
            )

    @property
    def grams(self) -> int:
        """Grams of CO2 of what met an intensity, rounded half to even once."""
        with localcontext() as context:
            context.prec = _DIGITS
            return int((self.weighted / UJ_PER_KWH).to_integral_value())

    @property
    def kg(self) -> Decimal:
        """The same in kilograms, not rounded but to 28 digits."""
        return self.weighted / UJ_PER_KWH / 1000

    @property
    def kwh(self) -> Decimal:
        """All energy, with an intensity or without."""
        return kwh_exact(self.energy_uj)

    @property
    def matched_kwh(self) -> Decimal:
        return kwh_exact(self.matched_uj)

    @property
    def coverage(self) -> Decimal | None:
        """The part (0..1) of the half-hours with energy that have an intensity; None where there is no energy."""
        return Decimal(self.matched_half_hours) / self.half_hours if self.half_hours else None

    @property
    def grams_per_kwh(self) -> Decimal | None:
        """The mean intensity by energy, of what met one."""
        return self.weighted / self.matched_uj if self.matched_uj else None


def time_specific(energies: Mapping[int, int], intensities: Mapping[int, Decimal]) -> dict[int, TimeSpecific]:
    """Each half-hour's energy (microjoules) with its intensity (gCO2 per kWh), by half-hour (Unix seconds)."""
    found = {}
    for at, energy in energies.items():
        intensity = intensities.get(at)
        if intensity is None:
            found[at] = TimeSpecific(energy_uj=energy, half_hours=1)
        else:
            found[at] = TimeSpecific(energy, energy, 1, 1, energy * intensity)
    return found


def summed(energies: Iterable[tuple[int, int]], intensities: Mapping[int, Decimal]) -> TimeSpecific:
    """Half-hours with their energy (microjoules) as one sum: what `add_up` makes of `time_specific`, without the parts."""
    energy = matched = half_hours = matched_half_hours = 0
    weighted = Decimal(0)
    with localcontext() as context:
        context.prec = _DIGITS
        for at, amount in energies:
            energy += amount
            half_hours += 1
            intensity = intensities.get(at)
            if intensity is not None:
                matched += amount
                matched_half_hours += 1
                weighted += amount * intensity
    return TimeSpecific(energy, matched, half_hours, matched_half_hours, weighted)


def add_up(parts: Iterable[TimeSpecific]) -> TimeSpecific:
    """The sum of half-hours, months or sites."""
    whole = TimeSpecific()
    for one in parts:
        whole += one
    return whole
