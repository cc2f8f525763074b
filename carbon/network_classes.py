"""What devices draw of which neither model nor family is in the catalogue, by what their name tells of their sort.

A chassis for line cards is no desktop switch, a firewall under a desk none for a data room. The figures are our own
assumptions, as those of `carbon.network_power.KIND_WATTS` are, with a band to match: a model in the catalogue or a
measurement replaces them. They stand in `carbon/data/network_classes.toml`.
"""

import importlib.resources
import re
import tomllib
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class DeviceClassWatts:
    """A sort of device: of which kinds, by which names, and watts with low and high."""

    words: str
    kinds: frozenset[str]
    names: re.Pattern[str]
    watts: float
    low: float
    high: float


@cache
def classes() -> tuple[DeviceClassWatts, ...]:
    """The sorts, the particular ones first."""
    text = (importlib.resources.files("carbon") / "data" / "network_classes.toml").read_text(encoding="utf-8")
    return tuple(
        DeviceClassWatts(
            one["words"],
            frozenset(one["kinds"]),
            re.compile("|".join(f"(?:{name})" for name in one["names"]), re.IGNORECASE),
            float(one["watts"]),
            float(one["low"]),
            float(one["high"]),
        )
        for one in tomllib.loads(text)["class"]
    )


def class_of(kind: str, hardware: str) -> DeviceClassWatts | None:
    """The sort of device that a name tells, if it does.

    >>> class_of("switch", "J8697A 5406zl").words
    'a chassis for line cards'
    """
    return next((one for one in classes() if kind in one.kinds and one.names.search(hardware)), None)
