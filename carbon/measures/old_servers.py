"""Old servers against their replacement: the same work on a new machine, with the new machine's embodied carbon.

New servers do more work a watt: medians of SPECpower results by year of hardware (`carbon.server_efficiency`).
The replacement's energy is the old one's by the ratio of both years' efficiency, bounded, because a machine that idles
gains less than one that works. It pays only where embodied carbon is won back within the replacement's life.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from carbon.measures.measure import Measure

DAYS = 30
LEAST_COVERED = 0.75
"""Of these days, for a year's energy."""
LEAST_AGE_YEARS = 6
LEAST_RATIO = 0.4
"""Of the old energy: no replacement is taken to need less. Idle power has fallen far less than energy per operation."""


@dataclass(frozen=True, slots=True)
class OldServer:
    """A server with its year of acquisition and a year's energy in microjoules."""

    device: str
    name: str
    year: int
    energy_uj: int
    measured: bool


def old_servers(
    servers: Iterable[OldServer], this_year: int, energy_ratio: Callable[[int, int], float], embodied_g: int | None
) -> list[Measure]:
    """A measure for each server of six years or more, largest saving first.

    `energy_ratio` gives the energy for the same work of one year's servers over another's (under 1). `embodied_g` is
    what a new server holds, None where no figure is known: then confidence is low.
    """
    found = []
    for one in servers:
        if this_year - one.year < LEAST_AGE_YEARS:
            continue
        ratio = max(LEAST_RATIO, energy_ratio(one.year, this_year))
        saved = round(one.energy_uj * (1 - ratio)) if ratio < 1 else 0
        if saved:
            found.append(
                Measure(
                    rule="old_server",
                    title=f"replace server {one.name} of {one.year}",
                    saved_uj={one.device: saved},
                    confidence="medium" if one.measured and embodied_g is not None else "low",
                    why=f"it is {this_year - one.year} years old; a new one does the same work with {ratio:.0%} of its energy",
                    embodied_g=embodied_g or 0,
                )
            )
    return sorted(found, key=lambda one: (-one.total_uj, one.title))
