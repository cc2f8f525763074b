"""Servers that do nothing: over 30 days hardly any processor time, and so nothing that anybody would miss.

A physical server that is switched off saves all its energy. A virtual machine saves its active energy alone: what idles
is its host's, and is saved only where the plan powers a host off. Source: the rule is ours; idle ("comatose") servers as
those without work for six months or more by Koomey and Taylor (2015); 30 days here, to be looked at by a person.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from carbon.measures.measure import Confidence, Measure

DAYS = 30
MEAN_UTILISATION = 0.02
PEAK_UTILISATION = 0.10
LEAST_COVERED = 0.9


@dataclass(frozen=True, slots=True)
class ServerUse:
    """A server over the days looked at: utilisation 0..1 (mean, and highest half-hour), and energy in microjoules.

    `active_uj` is of a virtual machine: its part of its host's energy beyond idling. `covered` is the part of the time
    with readings.
    """

    device: str
    name: str
    days: int
    mean_utilisation: float
    peak_utilisation: float
    energy_uj: int
    covered: float
    measured: bool
    virtual: bool = False
    active_uj: int = 0


def idle_servers(servers: Iterable[ServerUse]) -> list[Measure]:
    """A measure for each server that was idle all the time, largest saving first."""
    found = [_measure(one) for one in servers if _idle(one)]
    return sorted(found, key=lambda one: (-one.total_uj, one.title))


def _idle(one: ServerUse) -> bool:
    return (
        one.days >= DAYS
        and one.covered >= LEAST_COVERED
        and one.mean_utilisation <= MEAN_UTILISATION
        and one.peak_utilisation <= PEAK_UTILISATION
    )


def _measure(one: ServerUse) -> Measure:
    saved = one.active_uj if one.virtual else one.energy_uj
    confidence: Confidence = "high" if one.measured and not one.virtual else "medium"
    kind = "virtual machine" if one.virtual else "server"
    seen = f"{one.mean_utilisation:.1%} of its processors on average over {one.days} days, {one.peak_utilisation:.1%} at most"
    note = "; only its active energy is saved, its host idles on" if one.virtual else ""
    return Measure(
        rule="idle_server",
        title=f"switch off {kind} {one.name}",
        saved_uj={one.device: saved * 365 // one.days},
        confidence=confidence,
        why=f"it used {seen}{note}",
    )
