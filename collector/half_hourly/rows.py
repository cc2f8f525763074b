"""What a supplier's file says: energy by meter and half-hour, what was wrong, what was set aside, and what was assumed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from collector.half_hourly.mapping import SupplierMapping


@dataclass(frozen=True, slots=True)
class Reading:
    """Energy of one half-hour (Unix seconds, UTC) in microjoules, and the cell that says it."""

    mpan: str
    half_hour: int
    energy_uj: int
    estimated: bool
    cell: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cell, and what to do. `rejected`: the half-hour or row is not taken; `left out`: it says nothing new."""

    cell: str
    value: str
    problem: str
    remedy: str
    severity: Literal["rejected", "warning", "left out"] = "rejected"


@dataclass(frozen=True, slots=True)
class HalfHourlyFile:
    """A file as it was read.

    `set_aside` counts rows and columns of other channels by their name; `assumed` says in words what neither the file
    nor the mapping told.
    """

    name: str
    sha256: str
    readings: Sequence[Reading]
    faults: Sequence[Fault]
    mapping: SupplierMapping
    set_aside: Mapping[str, int] = field(default_factory=dict)
    assumed: Sequence[str] = ()
    missing: int = 0
    """Half-hours for which the file has a cell without a value."""
