"""What a processor's name tells: its thermal design power, and whether it is a mobile or a desktop part.

Exact names stand in `carbon/data/cpu_tdp.tsv` (facts with their source in SOURCES.md); other names go by the family's
rule, unknown ones by the number of cores. TDP is a rating, not consumption: only the power model uses it.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

_WATTS_A_CORE = 6.0
"""Median TDP a core over the processors of the table."""

_NOISE = re.compile(
    r"\((?:r|tm|c)\)|@.*$|\bcpu\b|\b\d+-core\b|\bprocessor\b|\bwith radeon.*$|\b\d+(?:st|nd|rd|th) gen\b", re.I
)


@dataclass(frozen=True, slots=True)
class CpuFacts:
    """Thermal design power of one socket in watts, how it was found, and how much it widens a band (1: not at all)."""

    tdp_watts: float
    source: str
    doubt: float
    mobile: bool = False
    desktop: bool = False


# Typical TDP of a family, by what its names have in common; the first that matches holds.
_FAMILIES: tuple[tuple[str, float, str], ...] = (
    (r"core.*\d{4,5}(?:u|g\d)\b|core.*1\d{3}g\d", 15, "mobile"),
    (r"core (?:ultra \d )?.*\d{3,5}(?:h|hq|hk|hx|m|mq)\b", 45, "mobile"),
    (r"core.*\d{3,5}p\b", 28, "mobile"),
    (r"core.*\d{4,5}y\b|core m\d?", 7, "mobile"),
    (r"ryzen.*\d{4}u\b", 15, "mobile"),
    (r"ryzen.*\d{4}(?:h|hs|hx)\b", 45, "mobile"),
    (r"celeron n|pentium (?:silver )?n|atom|intel n\d", 10, "mobile"),
    (r"apple m\d", 30, "mobile"),
    (r"core.*\d{4,5}t\b", 35, "desktop"),
    (r"core i9|ryzen 9", 105, "desktop"),
    (r"core|ryzen|pentium|celeron|athlon", 65, "desktop"),
    (r"xeon platinum", 205, ""),
    (r"xeon gold", 140, ""),
    (r"xeon (?:silver|bronze)", 95, ""),
    (r"xeon e-?[23]\d*|xeon e3|xeon d", 75, ""),
    (r"xeon e7", 140, ""),
    (r"xeon", 105, ""),
    (r"epyc 9", 300, ""),
    (r"epyc", 180, ""),
    (r"opteron", 95, ""),
    (r"neoverse|ampere|graviton|cavium|thunderx", 200, ""),
)


def normalised(name: str) -> str:
    """A processor's name without what varies: `Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz` gives `intel xeon gold 6248`."""
    return " ".join(_NOISE.sub(" ", name).lower().split())


@cache
def _table() -> dict[str, float]:
    text = (resources.files("carbon") / "data" / "cpu_tdp.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    return {name: float(watts) for name, watts in rows}


def cpu_facts(name: str, cores: int | None, sockets: int | None) -> CpuFacts:
    """What is known of a processor by its name, else by the host's cores. Never fails."""
    known = normalised(name)
    watts, kind = _family(known)
    mobile, desktop = kind == "mobile", kind == "desktop"
    if (exact := _table().get(known)) is not None:
        return CpuFacts(exact, f"TDP of {known} known ({exact:g} W)", 1.0, mobile, desktop)
    if watts is not None:
        return CpuFacts(watts, f"TDP of {known} assumed {watts:g} W by its family", 1.2, mobile, desktop)
    if cores is not None and 0 < cores <= 4096:
        guess = min(400.0, max(15.0, cores / max(1, min(sockets or 1, 16)) * _WATTS_A_CORE))
        return CpuFacts(guess, f"processor not known: TDP assumed {guess:g} W from its cores", 1.5)
    return CpuFacts(95.0, "processor not known: TDP assumed 95 W", 1.7)


def _family(name: str) -> tuple[float | None, str]:
    for pattern, watts, kind in _FAMILIES:
        if re.search(pattern, name):
            return watts, kind
    return None, ""
