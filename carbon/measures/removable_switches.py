"""Switches that hardly anybody is plugged into, and whose neighbours in the same space have room for those that are.

A switch that carries others (an uplink of another switch) is never proposed. Its users must fit into ports of one other
switch that were down all the time, which must deliver PoE where a user takes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from carbon.measures.measure import Measure

DAYS = 30
MOST_USED = 8
"""Ports in use; more of them is no small move."""


@dataclass(frozen=True, slots=True)
class SwitchUse:
    """A switch over the days looked at.

    `used_ports` are ports that were up at some time, without uplinks; `poe_ports` of these took power; `free_ports`
    were down all the time, `free_poe` of these can deliver power. `carries` tells that another switch hangs on it.
    """

    device: str
    name: str
    space: str
    days: int
    used_ports: int
    poe_ports: int
    free_ports: int
    free_poe: int
    carries: bool
    energy_uj: int
    measured: bool


def removable_switches(switches: Sequence[SwitchUse]) -> list[Measure]:
    """A measure for each switch that can go, fewest users first; ports that it fills are not offered a second time."""
    room = {one.device: [one.free_ports, one.free_poe] for one in switches}
    going: set[str] = set()
    taking: set[str] = set()
    found = []
    for one in sorted(switches, key=lambda one: (one.used_ports, -one.energy_uj, one.device)):
        if one.carries or one.days < DAYS or one.used_ports > MOST_USED or not one.space or one.device in taking:
            continue
        to = next(
            (
                other
                for other in switches
                if other.space == one.space
                and other.device != one.device
                and other.device not in going
                and room[other.device][0] >= one.used_ports
                and room[other.device][1] >= one.poe_ports
            ),
            None,
        )
        if to is None:
            continue
        room[to.device][0] -= one.used_ports
        room[to.device][1] -= one.poe_ports
        going.add(one.device)
        taking.add(to.device)
        found.append(_measure(one, to))
    return found


def _measure(one: SwitchUse, to: SwitchUse) -> Measure:
    users = "nobody is plugged into it" if one.used_ports == 0 else f"{one.used_ports} of its ports were in use"
    return Measure(
        rule="removable_switch",
        title=f"remove switch {one.name}",
        saved_uj={one.device: one.energy_uj * 365 // one.days},
        confidence="medium" if one.measured else "low",
        why=f"over {one.days} days {users}, and {to.name} in the same space has {to.free_ports} free ports",
    )
