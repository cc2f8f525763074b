"""Servers that do nothing: over 30 days hardly any processor time, and so nothing that anybody would miss.

Utilisation is kept in bins of ten percent (`carbon.utilisation`), of which the lowest is under 5%: a mean of 2% cannot be
told from one of 4%. So the rule asks how much of the time the processors were 5% busy or more, and how busy the busiest
half-hour was by the middles of its bins.

A physical server that is switched off saves all its energy. A virtual machine saves its active energy alone: what idles
is its host's, and is saved only where the plan powers a host off. Source: the rule is ours; idle ("comatose") servers as
those without work for six months or more by Koomey and Taylor (2015); 30 days here, to be looked at by a person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from carbon.measures.measure import Confidence, Measure
from carbon.utilisation import BINS

DAYS = 30
BUSY_FROM = 0.05
"""Where the lowest bin ends."""
BUSY_PART = 0.02
PEAK_UTILISATION = 0.10
LEAST_COVERED = 0.9


@dataclass(frozen=True, slots=True)
class ServerUse:
    """A server over the days looked at, and its energy in microjoules.

    `busy_part` is the part of the time read in which its processors were 5% busy or more, `peak_utilisation` (0..1) that
    of its busiest half-hour. `active_uj` is of a virtual machine: its part of its host's energy beyond idling. `covered`
    is the part of the time with readings.
    """

    device: str
    name: str
    days: int
    busy_part: float
    peak_utilisation: float
    energy_uj: int
    covered: float
    measured: bool
    virtual: bool = False
    active_uj: int = 0


def utilisation_of(bins: Sequence[int]) -> float:
    """Utilisation (0..1) of a time, by the middles of its bins; 0 of nothing. The lowest bin, under 5%, counts as 0.

    >>> utilisation_of([900, 0, 100] + [0] * 8)
    0.02
    """
    whole = sum(bins)
    return sum(place * part for place, part in enumerate(bins)) / (BINS - 1) / whole if whole else 0.0


def idle_servers(servers: Iterable[ServerUse]) -> list[Measure]:
    """A measure for each server that was idle all the time, largest saving first."""
    found = [_measure(one) for one in servers if _idle(one)]
    return sorted((one for one in found if one.total_uj), key=lambda one: (-one.total_uj, one.title))


def _idle(one: ServerUse) -> bool:
    return (
        one.days >= DAYS
        and one.covered >= LEAST_COVERED
        and one.busy_part <= BUSY_PART
        and one.peak_utilisation <= PEAK_UTILISATION
    )


def _measure(one: ServerUse) -> Measure:
    saved = one.active_uj if one.virtual else one.energy_uj
    confidence: Confidence = "high" if one.measured and not one.virtual else "medium"
    kind = "virtual machine" if one.virtual else "server"
    seen = (
        f"its processors were under {BUSY_FROM:.0%} busy in {1 - one.busy_part:.1%} of {one.days} days, "
        f"and about {one.peak_utilisation:.0%} in the busiest half-hour"
    )
    note = "; only its active energy is saved, its host idles on" if one.virtual else ""
    return Measure(
        rule="idle_server",
        title=f"switch off {kind} {one.name}",
        saved_uj={one.device: saved * 365 // one.days},
        confidence=confidence,
        why=f"{seen}{note}",
    )
