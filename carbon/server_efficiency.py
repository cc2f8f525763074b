"""How much work servers of a year do for a watt: medians of ours from SPECpower results, at a fifth of full load.

Source: `carbon/data/SOURCES.md`, server_efficiency.tsv. Benchmarked machines are tuned: a ratio of two years says more
than either figure.
"""

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources


@cache
def efficiencies() -> Mapping[int, int]:
    """Operations per second and watt by year of hardware, never falling."""
    text = (resources.files("carbon") / "data" / "server_efficiency.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return {int(row["year"]): int(row["operations_per_second_and_watt"]) for row in rows}


def energy_ratio(year: int, new_year: int) -> float:
    """Energy for the same work of servers of `new_year` over those of `year`; years outside are the nearest known.

    >>> round(energy_ratio(2016, 2025), 2), energy_ratio(2030, 2031)
    (0.6, 1.0)
    """
    known = efficiencies()
    first, last = min(known), max(known)
    old, new = (known[max(first, min(last, one))] for one in (year, new_year))
    return old / new
