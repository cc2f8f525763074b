"""The parts of a metering tree over some days in which its links do not change: devices, meters, and what feeds what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from carbon.daily import Daily, Flow

Purpose = Literal["ict", "whole_building", "generation"]
Accounting = Literal["auto", "never", "always"]
Rank = Literal["outlet", "machine", "supplies", "partial", "estimate", "profile", "none"]
RANKS: dict[Rank, int] = {
    "outlet": 0,
    "machine": 0,
    "supplies": 1,
    "partial": 2,
    "estimate": 3,
    "profile": 4,
    "none": 5,
}
"""Sources of a device's energy, the best first; outlets and a machine's own meter are equally good."""


@dataclass(frozen=True, slots=True)
class MeterNode:
    """A meter: what it measured, and for how much of each day's time (0..1)."""

    id: int
    device_id: str
    energy: Daily
    coverage: Sequence[float]
    purpose: Purpose = "ict"
    accounting: Accounting = "auto"
    outlet: bool = False
    """One outlet: what it feeds is one device, whose energy it therefore tells."""
    bare: bool = False
    """Nothing that is below it is known."""


@dataclass(frozen=True, slots=True)
class DeviceNode:
    """A device by a source of its own: `half_width` is the source's relative error at 95%."""

    id: str
    energy: Flow
    coverage: Sequence[float]
    rank: Rank = "machine"
    half_width: float = 0.1


@dataclass(frozen=True, slots=True)
class Feed:
    """A meter feeds a device: all of what passes, or a `share` of it where that is known to be divided."""

    meter_id: int
    device_id: str
    share: float | None = 1.0


@dataclass(frozen=True, slots=True)
class Inner:
    """A meter of a device measures a part of what another meter of the same device measures, such as inlet and outlet."""

    parent_id: int
    child_id: int


@dataclass(frozen=True, slots=True)
class Tree:
    """So many days of devices, meters, and what feeds what. Meters that feed nothing known may be left out."""

    devices: Sequence[DeviceNode]
    meters: Sequence[MeterNode] = ()
    feeds: Sequence[Feed] = ()
    inner: Sequence[Inner] = ()
    days: int = 1
