"""What an energy source gives: the raw reading of each of its meters, as the hardware has it."""

from dataclasses import dataclass
from typing import Literal

from agent.report import Covers


@dataclass(frozen=True, slots=True)
class RawReading:
    """One meter's raw value: microjoules of a `counter` (wrapping after `range_uj`, if it does), watts of a `power`.

    `parent` names the meter that contains this one. `highest_watts` is the most the part can draw, where it is known.
    `origin` stands for the source's name where a figure is of another quality than the source's others.

    A source that is read in the background says when: `taken_ns` is nanoseconds since boot (0: just now), and
    `period_seconds` how long until it is read again. The same reading handed over twice has the same `taken_ns`.
    """

    name: str
    kind: Literal["counter", "power"]
    covers: Covers
    value: float | int
    parent: str = ""
    range_uj: int | None = None
    highest_watts: float | None = None
    origin: str = ""
    taken_ns: int = 0
    period_seconds: float = 0.0
