"""Power over Ethernet that is delivered when nobody works: telephones and access points of offices, by a port schedule.

What ports deliver is inside the switch's own meter; a saving at the port is more at the plug, by the loss of the
switch's supply. Ports of cameras, door controllers and alarms must be excluded by a person: nothing on the wire tells
them apart, so confidence is medium at best.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from carbon.measures.measure import Measure

DAYS = 28
LEAST_COVERED = 0.75
"""Of the time, of each port."""
SUPPLY_EFFICIENCY = 0.88
"""Of a switch's supply, PoE side: 80 PLUS Gold at 20 to 100% load (carbon reference, section 5)."""
LEAST_SHARE = 0.3
"""Of delivered energy that falls out of hours; less is a schedule that exists already."""


@dataclass(frozen=True, slots=True)
class PoeUse:
    """A switch over the days looked at: energy delivered at ports that may be switched off, all of it and out of hours."""

    device: str
    name: str
    days: int
    ports: int
    delivered_uj: int
    out_of_hours_uj: int


def poe_out_of_hours(switches: Iterable[PoeUse]) -> list[Measure]:
    """A measure for each switch with ports on all night, largest saving first."""
    found = [
        Measure(
            rule="poe_out_of_hours",
            title=f"switch PoE ports of {one.name} off out of hours",
            saved_uj={one.device: round(one.out_of_hours_uj / SUPPLY_EFFICIENCY) * 365 // one.days},
            confidence="medium",
            why=f"{one.ports} ports delivered {one.out_of_hours_uj / one.delivered_uj:.0%} of their energy out of hours",
        )
        for one in switches
        if one.days >= DAYS
        and one.ports
        and one.delivered_uj > 0
        and one.out_of_hours_uj >= LEAST_SHARE * one.delivered_uj
    ]
    return sorted(found, key=lambda one: (-one.total_uj, one.title))
