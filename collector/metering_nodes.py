"""What a metering tree consists of: meters, dated edges, what holds of a meter, and the tree of one time without amounts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from carbon.tree_nodes import Feed, Inner

UPS_INPUT = "ups_input"
"""A meter of what goes into a UPS, and the reading point of what is read there."""
HELD_AT = ("room_incomer", "building")
"""Reading points that hold a room's cooling already."""


@dataclass(frozen=True, slots=True)
class TreeMeter:
    """A meter of the power path and its device."""

    id: int
    device_id: str
    name: str
    device_kind: str
    organisation_id: int
    by_input: bool = False
    """Whether it is the whole of a UPS that tells its input alone."""

    @property
    def role(self) -> str:
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class TreeEdge:
    """What a meter feeds, from half-hour `start` to before `end`: a device, or where `child_meter` is set, that meter of
    its own device.
    """

    parent: int
    child_device: str
    child_meter: int | None
    share: float | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds of a meter: as a person said it, else by what it is."""

    purpose: str
    reading_point: str
    accounting: str
    site_id: int | None
    space_id: int | None


@dataclass(slots=True)
class Branch:
    """What hangs together at any time of the stretch."""

    edges: list[TreeEdge] = field(default_factory=list)
    devices: set[str] = field(default_factory=set)
    meters: dict[int, TreeMeter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """A meter in the tree of a time. `device` is the tree's node that it stands at: its device, or what is before it."""

    meter: TreeMeter
    device: str
    setting: Setting
    fed: frozenset[str]
    """All devices below it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The tree of a time, without amounts."""

    nodes: Sequence[Node]
    feeds: Sequence[Feed]
    inner: Sequence[Inner]
    fed_devices: frozenset[str]
