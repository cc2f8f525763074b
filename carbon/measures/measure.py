"""A measure: what it saves of which devices a year, what it costs, and how sure that is; and sums without overlap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from carbon.errors import CarbonError
from carbon.units import UJ_PER_KWH

Confidence = Literal["high", "medium", "low"]
CONFIDENCES: Mapping[Confidence, str] = {
    "high": "read from the device's own counter or meter over the whole time looked at",
    "medium": "estimated, or read with gaps",
    "low": "by a rule of thumb that the rule names",
}


@dataclass(frozen=True, slots=True)
class Measure:
    """What would save energy.

    `saved_uj` is a year's saving by device, in microjoules, at the plug of the device; `embodied_g` is what new
    equipment for it holds; `cost_pence` is what it costs once, None where nobody has said. `why` says in a sentence what
    was seen. `rule` names the rule that found it, `by_hand` where a person entered it.
    """

    rule: str
    title: str
    saved_uj: Mapping[str, int]
    confidence: Confidence
    why: str
    embodied_g: int = 0
    cost_pence: int | None = None

    def __post_init__(self) -> None:
        if not self.saved_uj or min(self.saved_uj.values()) < 0:
            raise CarbonError(f"{self.title}: a measure saves 0 or more of one device at least")
        if self.embodied_g < 0 or (self.cost_pence is not None and self.cost_pence < 0):
            raise CarbonError(f"{self.title}: embodied carbon and cost are 0 or more")

    @property
    def total_uj(self) -> int:
        return sum(self.saved_uj.values())


@dataclass(frozen=True, slots=True)
class Net:
    """A measure with what it still saves of each device after those before it."""

    measure: Measure
    saved_uj: Mapping[str, int] = field(default_factory=dict)

    @property
    def total_uj(self) -> int:
        return sum(self.saved_uj.values())


def without_overlap(measures: Sequence[Measure], energy_uj: Mapping[str, int]) -> list[Net]:
    """Measures one after another: each takes its part of what those before it left of a device's energy.

    A device that one measure removes has nothing left for the next; two that save half each leave a quarter. So the sum
    of savings of a device is never more than its energy. `energy_uj` is a year's energy by device; a device that is not
    in it saves nothing.
    """
    left = {device: Fraction(max(0, energy)) for device, energy in energy_uj.items()}
    found = []
    for measure in measures:
        saved = {}
        for device, wanted in measure.saved_uj.items():
            whole = energy_uj.get(device, 0)
            if whole <= 0:
                saved[device] = 0
                continue
            part = min(Fraction(1), Fraction(wanted, whole))
            # Rounded down, so that many small parts are never more than the whole.
            saved[device] = int(left[device] * part)
            left[device] -= saved[device]
        found.append(Net(measure, saved))
    return found


def pounds_a_year(saved_uj: int, pence_per_kwh: Decimal) -> Decimal:
    """What a year's saving is worth, in pounds.

    >>> pounds_a_year(3_600_000_000_000_000, Decimal(25))
    Decimal('250.00')
    """
    return (Decimal(saved_uj) / UJ_PER_KWH * pence_per_kwh / 100).quantize(Decimal("0.01"))


def pounds_per_tonne(cost_pence: int, saved_pounds: Decimal | None, saved_g: int, years: int) -> Decimal | None:
    """Net cost of a tonne over so many years: what it costs less what it saves, over tonnes; None where none is saved.

    >>> pounds_per_tonne(100_000, Decimal(50), 500_000, 4)
    Decimal('400.00')
    """
    if saved_g <= 0:
        return None
    net = Decimal(cost_pence) / 100 - (saved_pounds or Decimal(0)) * years
    return (net / (Decimal(saved_g) * years / 1_000_000)).quantize(Decimal("0.01"))


def embodied_payback_years(embodied_g: int, saved_g_a_year: int) -> Decimal | None:
    """Years until the saving has made up for what the new equipment holds; None where it never does.

    >>> embodied_payback_years(1_200_000, 400_000)
    Decimal('3.0')
    """
    if embodied_g == 0:
        return Decimal(0)
    if saved_g_a_year <= 0:
        return None
    return (Decimal(embodied_g) / saved_g_a_year).quantize(Decimal("0.1"))
