"""Devices that run when nobody works: out of hours as much as in hours, night after night.

Out of hours is outside of 07:00 to 19:00 on working days, local time, and all of other days
(`carbon.measures.working_hours`). A device was on in a night if it drew more than when it is switched off, and at least
half of what it draws in working hours: what sleeps is not left on. What is saved is the energy
of those hours less what the device draws switched off (`OFF_WATTS`, Commission Regulation (EU) 2023/826: 0.5 W off or
standby without network, 2 W networked; the larger is taken).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from carbon.measures.measure import Measure

DAYS = 28
OFF_WATTS = 2
LEAST_OF_WORKING_WATTS = 0.5
LEAST_NIGHTS = 0.7
"""Of nights that it must have been on."""
LEAST_COVERED = 0.75
NEVER = frozenset(
    {
        *("server", "storage", "virtual_machine", "switch", "router", "firewall", "wireless_controller"),
        *("network_other", "ups", "pdu", "meter"),
    }
)
"""Classes that serve others, so that nobody's hours are theirs."""


@dataclass(frozen=True, slots=True)
class NightUse:
    """A device over the days looked at: nights it was on of those that were read, and energy out of hours."""

    device: str
    name: str
    asset_class: str
    days: int
    nights_on: int
    nights_read: int
    energy_uj: int
    seconds: int
    covered: float
    measured: bool


def is_on(night_watts: float, working_watts: float) -> bool:
    """Whether a device was on in a night, by its mean power then and in working hours.

    >>> is_on(40, 60), is_on(1.5, 1.5), is_on(4, 60)
    (True, False, False)
    """
    return night_watts > OFF_WATTS and night_watts >= LEAST_OF_WORKING_WATTS * working_watts


def out_of_hours(devices: Iterable[NightUse]) -> list[Measure]:
    """A measure for each device that is left on, largest saving first."""
    found = [_measure(one) for one in devices if _left_on(one)]
    return sorted((one for one in found if one.total_uj), key=lambda one: (-one.total_uj, one.title))


def _left_on(one: NightUse) -> bool:
    return (
        one.asset_class not in NEVER
        and one.days >= DAYS
        and one.covered >= LEAST_COVERED
        and one.nights_read > 0
        and one.nights_on >= LEAST_NIGHTS * one.nights_read
    )


def _measure(one: NightUse) -> Measure:
    saved = max(0, one.energy_uj - one.seconds * OFF_WATTS * 1_000_000)
    return Measure(
        rule="out_of_hours",
        title=f"switch {one.name} off out of hours",
        saved_uj={one.device: saved * 365 // one.days},
        confidence="high" if one.measured else "medium",
        why=f"it was on in {one.nights_on} of {one.nights_read} nights that were read",
    )
