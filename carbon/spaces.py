"""PUE of spaces: a property of a room, never of a device, with its band and source.

Assumptions by kind: carbon reference section 5 (Uptime Institute 2025, LBNL; the cooled cupboard is our placeholder).
"""

from dataclasses import dataclass

from carbon.errors import CarbonError


@dataclass(frozen=True, slots=True)
class Pue:
    """Power usage effectiveness: all energy of the space over that of its ICT. At least 1."""

    value: float
    low: float
    high: float
    source: str

    def __post_init__(self) -> None:
        if not 1.0 <= self.low <= self.value <= self.high:
            raise CarbonError(f"a PUE needs 1 <= low <= value <= high, not {self.low}, {self.value}, {self.high}")


NOT_SET = Pue(1.0, 1.0, 1.0, "no PUE: space not set")

ASSUMED: dict[str, Pue] = {
    "data_room": Pue(1.8, 1.5, 2.1, "assumed for a data room (Uptime Institute 2025, LBNL small rooms 1.5 to 2.1)"),
    "cooled_cupboard": Pue(1.3, 1.1, 1.6, "assumed for a cooled cupboard (placeholder, no survey known)"),
    "passive_cupboard": Pue(1.0, 1.0, 1.0, "no cooling: passive cupboard"),
    "office": Pue(1.0, 1.0, 1.0, "no ICT cooling: office"),
    "home": Pue(1.0, 1.0, 1.0, "no ICT cooling: home"),
    "colocation": Pue(1.0, 1.0, 1.0, "no PUE: the colocation provider states it"),
}


def pue_of(kind: str | None, own: Pue | None) -> Pue:
    """The PUE to apply: the space's own value, else the assumption for its kind, else none."""
    if own is not None:
        return own
    return NOT_SET if kind is None else ASSUMED[kind]
