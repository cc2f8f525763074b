"""Each kilowatt-hour counted once: which node of the metering tree accounts for a branch, over a stretch of time.

The rule, for a stretch in which the tree does not change:

- A device accounts by its best source (`best_source`): metered outlets or a meter of the whole machine, then power
  supplies, then a part with an estimate of the rest, then an estimate.
- A meter of ICT alone that is covered accounts for all that it feeds. The devices below keep their energies as parts of
  it, and the rest, unmetered load and losses, is a line of its own: parts and rest are exactly the meter's energy.
- Where the parts are more than the meter by more than the tolerance, an edge must be wrong: that is an alarm, and the
  parts account for themselves.
- A meter of a whole building never accounts: its rest is not ICT.
- The total is all devices, each once, and the rests of all accounting meters: a meter's own rest is what it measured
  beyond the devices and the meters right below it.

Source of the rules: carbon reference, section 6.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from carbon.footprint import Energy, rest_of, sum_energies
from carbon.units import split_by_largest_remainder

LEAST_COVERED = 0.9
"""A meter must have readings for so much of a stretch to account for its branch."""
TOLERANCE = 0.05
"""So much more than their meter may parts be, for errors of meters: less is a rest below nothing, more is an alarm."""

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
    """A meter over a stretch: what it measured, and for how much of the time (0..1)."""

    id: int
    device_id: str
    energy: Energy
    coverage: float
    purpose: Purpose = "ict"
    accounting: Accounting = "auto"
    outlet: bool = False
    """One outlet: what it feeds is one device, whose energy it therefore tells."""


@dataclass(frozen=True, slots=True)
class DeviceNode:
    """A device over a stretch by a source of its own: `half_width` is the source's relative error at 95%."""

    id: str
    energy: Energy
    coverage: float = 1.0
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
    """One stretch: devices, meters, and what feeds what. Meters that feed nothing known may be left out."""

    devices: Sequence[DeviceNode]
    meters: Sequence[MeterNode] = ()
    feeds: Sequence[Feed] = ()
    inner: Sequence[Inner] = ()


@dataclass(frozen=True, slots=True)
class Rest:
    """What a meter measured beyond the parts that are known. Below nothing within the tolerance."""

    meter_id: int
    energy: Energy


@dataclass(frozen=True, slots=True)
class Alarm:
    """The parts below a meter are more than it measured: an edge of the tree is wrong, or a meter is."""

    meter_id: int
    measured_uj: int
    parts_uj: int


@dataclass(slots=True)
class Accounted:
    """How a stretch is accounted. `total` is the sum of all devices and all rests."""

    devices: dict[str, DeviceNode] = field(default_factory=dict)
    rests: list[Rest] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    not_ict: dict[int, Energy] = field(default_factory=dict)
    """The rest of each meter of a whole building."""
    accounting_meters: list[int] = field(default_factory=list)
    under: dict[str, list[int]] = field(default_factory=dict)
    """The accounting meters that each device is a part of; none where it accounts for itself."""
    above: dict[str, frozenset[int]] = field(default_factory=dict)
    """All accounting meters between each device and the top, `under` among them; none are left out."""
    above_meters: dict[int, frozenset[int]] = field(default_factory=dict)
    """The same of each meter, itself among them where it accounts."""
    parts: dict[int, Energy] = field(default_factory=dict)
    """What is known below each meter that has parts, whether it accounts or not."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why each device's source was chosen, in words."""

    @property
    def total(self) -> Energy:
        return sum_energies([*(one.energy for one in self.devices.values()), *(one.energy for one in self.rests)])


def best_source(own: DeviceNode, outlets: Sequence[MeterNode]) -> tuple[DeviceNode, str]:
    """A device's energy by the best of its sources, and why, in words.

    `outlets` are the meters of all its feeds, each of which feeds it alone. Between outlets and a meter of the machine
    itself the better covered one is taken, and of equally covered ones the more exact. Where the machine itself measured
    more than both may be off, it has a feed that nobody has drawn, and its own meter holds.
    """
    covered = min((one.coverage for one in outlets), default=0.0)
    if not outlets or covered < LEAST_COVERED:
        why = "no metered outlet" if not outlets else f"its outlets were read for {covered:.0%} of the time only"
        return own, f"{_WORDS[own.rank]}: {why}"
    energy = outlets[0].energy if len(outlets) == 1 else sum_energies(one.energy for one in outlets)
    metered = DeviceNode(own.id, energy, covered, "outlet", OUTLET_HALF_WIDTH)
    measured = RANKS[own.rank] <= RANKS["supplies"] and own.coverage >= LEAST_COVERED
    if measured and own.energy.low_uj > energy.total_uj * (1 + OUTLET_HALF_WIDTH):
        return own, f"{_WORDS[own.rank]}: it measured more than its outlets, so a feed of it is not known"
    if RANKS[own.rank] > RANKS["outlet"]:
        return metered, f"metered outlets, before {_WORDS[own.rank]}"
    key_own, key_metered = (-own.coverage, own.half_width), (-covered, metered.half_width)
    if key_own < key_metered:
        return own, f"{_WORDS[own.rank]}: covers more of the time than the metered outlets"
    return metered, "metered outlets: they cover as much of the time as the machine's own meter, and are more exact"


OUTLET_HALF_WIDTH = 0.05
"""Of outlets of a PDU: carbon reference, section 7."""
_WORDS: dict[Rank, str] = {
    "outlet": "metered outlets",
    "machine": "a meter of the whole machine",
    "supplies": "its power supplies",
    "partial": "a part of it measured, the rest estimated",
    "estimate": "an estimate",
    "profile": "its class profile",
    "none": "nothing",
}


def account(tree: Tree) -> Accounted:
    """Account for a stretch. The tree must have no circle (`carbon.metering_tree.check_edge`)."""
    return _Accounting(tree).run()


class _Accounting:
    """Values of nodes from the leaves up, each once; then what is under what, from the top down."""

    def __init__(self, tree: Tree) -> None:
        self._meters = {one.id: one for one in tree.meters}
        self._feeds_of_device: dict[str, list[Feed]] = {}
        self._feeds_of_meter: dict[int, list[Feed]] = {}
        for feed in tree.feeds:
            self._feeds_of_device.setdefault(feed.device_id, []).append(feed)
            self._feeds_of_meter.setdefault(feed.meter_id, []).append(feed)
        self._inner_of: dict[int, list[int]] = {}
        self._outer_of: dict[int, int] = {}
        for inner in tree.inner:
            self._inner_of.setdefault(inner.parent_id, []).append(inner.child_id)
            self._outer_of[inner.child_id] = inner.parent_id
        self._onward: dict[str, list[int]] = {}
        for meter in tree.meters:
            passes = meter.id in self._feeds_of_meter or meter.id in self._inner_of
            if passes and meter.id not in self._outer_of:
                self._onward.setdefault(meter.device_id, []).append(meter.id)
        self._any_outlet = any(one.outlet for one in tree.meters)
        self._result = Accounted()
        self._own = {one.id: one for one in tree.devices}
        for one in tree.devices:
            chosen, why = best_source(one, self._outlets(one.id))
            self._result.devices[one.id], self._result.reasons[one.id] = chosen, why
        self._all_above: dict[int, frozenset[int]] = {}
        self._topmost: dict[int, list[int]] = {}
        self._values: dict[int, Energy] = {}
        self._parts: dict[int, Energy] = {}
        self._accounts: set[int] = set()

    def run(self) -> Accounted:
        result = self._result
        for meter_id in self._meters:
            self._value(meter_id)
        result.accounting_meters = sorted(self._accounts)
        for meter_id, meter in self._meters.items():
            if not self._has_parts(meter_id):
                continue
            if meter.purpose == "whole_building":
                result.not_ict[meter_id] = rest_of(meter.energy, self._parts[meter_id])
            elif meter.purpose == "ict" and meter_id in self._accounts:
                result.rests.append(Rest(meter_id, rest_of(meter.energy, self._parts[meter_id])))
        for device_id in result.devices:
            feeds = self._feeds_of_device.get(device_id)
            if feeds is None:
                result.above[device_id] = frozenset()
                continue
            result.above[device_id] = self._above_device(device_id)
            if above := {meter_id for feed in feeds for meter_id in self._above(feed.meter_id)}:
                result.under[device_id] = sorted(above)
        result.above_meters = {meter_id: self._above_meter(meter_id) for meter_id in self._meters}
        result.parts = {one: parts for one, parts in self._parts.items() if self._has_parts(one)}
        return result

    def _outlets(self, device_id: str) -> list[MeterNode]:
        """The meters of all feeds of a device, where each feeds it alone and the device passes nothing on."""
        feeds = self._feeds_of_device.get(device_id)
        if feeds is None or device_id in self._onward or not self._any_outlet:
            return []
        alone = all(len(self._feeds_of_meter[one.meter_id]) == 1 and one.share in (1.0, None) for one in feeds)
        found = [self._meters[one.meter_id] for one in feeds if one.meter_id in self._meters]
        return found if alone and len(found) == len(feeds) and all(one.outlet for one in found) else []

    def _has_parts(self, meter_id: int) -> bool:
        return meter_id in self._feeds_of_meter or meter_id in self._inner_of

    def _value(self, meter_id: int) -> Energy:
        """What passes a meter: as it measured where it accounts, else the sum of its parts."""
        if meter_id in self._values:
            return self._values[meter_id]
        meter = self._meters[meter_id]
        found = [self._value(one) for one in self._inner_of.get(meter_id, ()) if one in self._meters]
        found += [self._share_of(feed) for feed in self._feeds_of_meter.get(meter_id, ())]
        self._parts[meter_id] = parts = found[0] if len(found) == 1 else sum_energies(found)
        if not self._has_parts(meter_id):
            value = meter.energy
        elif self._may_account(meter, parts):
            self._accounts.add(meter_id)
            value = meter.energy
        else:
            value = parts
        self._values[meter_id] = value
        return value

    def _may_account(self, meter: MeterNode, parts: Energy) -> bool:
        covered = meter.coverage >= LEAST_COVERED
        measured, known = meter.energy.total_uj, parts.total_uj
        band = (meter.energy.high_uj - meter.energy.low_uj) // 2 + (parts.high_uj - parts.low_uj) // 2
        too_much = known - measured > max(round(measured * TOLERANCE), band)
        if too_much and (covered or meter.accounting == "always"):
            # Whether it accounts or not: what is drawn cannot be so.
            self._result.alarms.append(Alarm(meter.id, measured, known))
        if meter.purpose != "ict" or meter.accounting == "never":
            return False
        return meter.accounting == "always" or (covered and not too_much)

    def _share_of(self, feed: Feed) -> Energy:
        """The part of a device's branch that comes through one of its feeds."""
        feeds = self._feeds_of_device[feed.device_id]
        branch = self._branch(feed.device_id)
        if len(feeds) == 1:
            return branch
        return _split(branch, self._weights(feeds))[feeds.index(feed)]

    def _weights(self, feeds: Sequence[Feed]) -> list[int]:
        """How a device's energy is divided among its feeds: by what each measured where all did, else equally."""
        found = [self._meters[one.meter_id] for one in feeds if one.meter_id in self._meters]
        measured = [one.energy.total_uj for one in found if one.coverage >= LEAST_COVERED]
        alone = all(len(self._feeds_of_meter[one.meter_id]) == 1 for one in feeds)
        return measured if alone and len(measured) == len(feeds) and sum(measured) > 0 else [1] * len(feeds)

    def _branch(self, device_id: str) -> Energy:
        """What a device uses itself, and all that it passes on."""
        own = self._result.devices.get(device_id)
        whole = own.energy if own else Energy()
        for meter_id in self._onward.get(device_id, ()):
            whole += self._value(meter_id)
        return whole

    def _above(self, meter_id: int) -> Iterable[int]:
        """The topmost accounting meters at or above a meter."""
        if meter_id not in self._topmost:
            self._topmost[meter_id] = list(self._find_topmost(meter_id))
        return self._topmost[meter_id]

    def _find_topmost(self, meter_id: int) -> Iterable[int]:
        if meter_id not in self._meters:
            return ()
        outer = self._outer_of.get(meter_id)
        parents = [outer] if outer is not None else [
            feed.meter_id for feed in self._feeds_of_device.get(self._meters[meter_id].device_id, ())
        ]  # fmt: skip
        found = [one for parent in parents for one in self._above(parent)]
        return found or ([meter_id] if meter_id in self._accounts else [])

    def _above_device(self, device_id: str) -> frozenset[int]:
        feeds = self._feeds_of_device.get(device_id, ())
        if len(feeds) == 1:
            return self._above_meter(feeds[0].meter_id)
        return frozenset().union(*(self._above_meter(one.meter_id) for one in feeds))

    def _above_meter(self, meter_id: int) -> frozenset[int]:
        """Every accounting meter at or above a meter."""
        if meter_id not in self._meters:
            return frozenset()
        if meter_id not in self._all_above:
            outer = self._outer_of.get(meter_id)
            above = self._above_device(self._meters[meter_id].device_id) if outer is None else self._above_meter(outer)
            self._all_above[meter_id] = above | ({meter_id} if meter_id in self._accounts else set())
        return self._all_above[meter_id]


def _split(energy: Energy, weights: Sequence[int]) -> list[Energy]:
    """An amount in parts that add up to it, each of its figures for itself."""
    names = ("measured_uj", "estimated_uj", "low_uj", "high_uj")
    columns: Mapping[str, list[int]] = {
        name: split_by_largest_remainder(getattr(energy, name), weights) for name in names
    }
    errors = {
        group: [split_by_largest_remainder(end, weights) for end in ends] for group, ends in energy.errors.items()
    }
    return [
        Energy(
            columns["measured_uj"][place],
            columns["estimated_uj"][place],
            columns["low_uj"][place],
            columns["high_uj"][place],
            {group: (low[place], high[place]) for group, (low, high) in errors.items()},
        )
        for place in range(len(weights))
    ]
