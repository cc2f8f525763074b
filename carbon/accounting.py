"""Each kilowatt-hour counted once: which node of the metering tree accounts for a branch, day by day.

The rule, for each day of a time in which the tree does not change:

- A device accounts by its best source (`carbon.best_source`): metered outlets or a meter of the whole machine, then power
  supplies, then a part with an estimate of the rest, then an estimate.
- A meter of ICT alone that is covered accounts for all that it feeds. The devices below keep their energies as parts of
  it, and the rest, unmetered load and losses, is a line of its own: parts and rest are exactly the meter's energy.
- Where the parts are more than the meter by more than the tolerance, an edge must be wrong: that is an alarm, and the
  parts account for themselves.
- A meter of a whole building never accounts: its rest is not ICT.
- A person's word that a meter always accounts overrules what is drawn around it; it cannot stand for readings that are
  not there, unless nothing below it is known.
- The total is all devices, each once, and the rests of all accounting meters: a meter's own rest is what it measured
  beyond the devices and the meters right below it.

All days are decided one by one and added up together: every sum is the sum of its days to the microjoule. The bounds of
a rest are taken from the sum's errors, which are the same on every day and so add up before they are weighed.

Source of the rules: carbon reference, section 6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import le

from carbon.best_source import LEAST_COVERED, Chosen, best_sources
from carbon.daily import Column, Daily, Days, Flow, all_days, days_at_least, days_of, numbers_of, split
from carbon.footprint import Energy, rest_of, sum_energies
from carbon.tree_nodes import Feed, MeterNode, Tree

TOLERANCE = 0.05
"""So much more than their meter may parts be, for errors of meters: less is a rest below nothing, more is an alarm."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """The parts below a meter are more than it measured on a day: an edge of the tree is wrong, or a meter is."""

    meter_id: int
    day: int
    measured_uj: int
    parts_uj: int


@dataclass(slots=True)
class Accounted:
    """How some days are accounted. The total is the sum of all devices and all rests."""

    tree: Tree
    sources: dict[str, list[Chosen]] = field(default_factory=dict)
    """By which source each device is told on which days."""
    devices: dict[str, Flow] = field(default_factory=dict)
    meters: dict[int, MeterNode] = field(default_factory=dict)
    parts: dict[int, Flow] = field(default_factory=dict)
    """What is known below each meter that has parts, whether it accounts or not."""
    accounts: dict[int, Days] = field(default_factory=dict)
    """The days on which each meter accounts for all that is below it."""
    too_much: dict[int, Days] = field(default_factory=dict)
    """The days on which the parts of a meter are an alarm."""
    above: dict[str, Mapping[int, Days]] = field(default_factory=dict)
    """The accounting meters between each device and the top, with the days on which they account."""
    above_meters: dict[int, Mapping[int, Days]] = field(default_factory=dict)
    """The same of each meter, itself among them."""
    _rests: dict[tuple[int, Days], Energy] = field(default_factory=dict)

    def rest(self, meter_id: int, days: Days) -> Energy:
        """What a meter measured beyond the parts that are known. Below nothing within the tolerance."""
        found = self._rests.get((meter_id, days))
        if found is None:
            found = rest_of(self.meters[meter_id].energy.on(days), self.parts[meter_id].on(days))
            self._rests[meter_id, days] = found
        return found

    def alarms(self) -> list[Alarm]:
        """Where and when what is drawn cannot be so."""
        found = []
        for meter_id, days in self.too_much.items():
            measured, known = (
                self.meters[meter_id].energy.total_uj,
                self.parts[meter_id].column("total_uj", self.tree.days),
            )
            found += [Alarm(meter_id, day, measured[day], known[day]) for day in numbers_of(days)]
        return found

    def total(self) -> Energy:
        every = all_days(self.tree.days)
        rests = (self.rest(one, days) for one, days in self.accounts.items() if days and one in self.parts)
        return sum_energies([*(one.on(every) for one in self.devices.values()), *rests])


def account(tree: Tree) -> Accounted:
    """Account for some days. The tree must have no circle (`carbon.metering_tree.check_edge`)."""
    return _Accounting(tree).run()


class _Accounting:
    """Values of nodes from the leaves up, each once; then what is under what, from the top down."""

    def __init__(self, tree: Tree) -> None:
        self._count, self._every = tree.days, all_days(tree.days)
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
            if self._has_parts(meter.id) and meter.id not in self._outer_of:
                self._onward.setdefault(meter.device_id, []).append(meter.id)
        self._result = Accounted(tree, meters=self._meters)
        self._metered: dict[str, Days] = {}
        """The days on which outlets tell a device."""
        self._portions: dict[str, list[Daily]] = {}
        self._values: dict[int, Flow] = {}
        self._parts: dict[int, Flow] = {}

    def run(self) -> Accounted:
        result = self._result
        for one in result.tree.devices:
            outlets = self._outlets(one.id)
            sources = result.sources[one.id] = best_sources(one, outlets, self._count)
            told = sum(source.days for source in sources if source.rank == "outlet")
            metered = self._metered[one.id] = told if outlets else 0
            if metered:
                terms = [*((outlet.energy, metered) for outlet in outlets), *one.energy.within(self._every & ~metered)]
                result.devices[one.id] = Flow(terms)
            else:
                result.devices[one.id] = one.energy
        for meter_id in self._meters:
            self._value(meter_id)
        for device_id in result.devices:
            result.above[device_id] = self._above_device(device_id)
        for meter_id in self._meters:
            self._above_meter(meter_id)
        result.parts = {one: parts for one, parts in self._parts.items() if self._has_parts(one)}
        return result

    def _outlets(self, device_id: str) -> list[MeterNode]:
        """The meters of all feeds of a device, where each feeds it alone and the device passes nothing on."""
        feeds = self._feeds_of_device.get(device_id)
        if feeds is None or device_id in self._onward:
            return []
        alone = all(len(self._feeds_of_meter[one.meter_id]) == 1 and one.share in (1.0, None) for one in feeds)
        found = [self._meters[one.meter_id] for one in feeds if one.meter_id in self._meters]
        return found if alone and len(found) == len(feeds) and all(one.outlet for one in found) else []

    def _has_parts(self, meter_id: int) -> bool:
        return meter_id in self._feeds_of_meter or meter_id in self._inner_of

    def _value(self, meter_id: int) -> Flow:
        """What passes a meter: as it measured where it accounts, else the sum of its parts."""
        if meter_id in self._values:
            return self._values[meter_id]
        meter = self._meters[meter_id]
        found = [self._value(one) for one in self._inner_of.get(meter_id, ()) if one in self._meters]
        found += [self._share_of(feed) for feed in self._feeds_of_meter.get(meter_id, ())]
        self._parts[meter_id] = parts = _sum_of(found)
        if self._has_parts(meter_id):
            accounts = self._result.accounts[meter_id] = self._accounting_days(meter, parts)
        else:
            accounts = self._every
        value = Flow([(meter.energy, accounts), *parts.within(self._every & ~accounts)]) if accounts else parts
        self._values[meter_id] = value
        return value

    def _accounting_days(self, meter: MeterNode, parts: Flow) -> Days:
        covered = days_at_least(meter.coverage, LEAST_COVERED)
        always = self._every if meter.bare else covered
        if too_much := self._too_much(meter, parts, always if meter.accounting == "always" else covered):
            # Whether it accounts or not: what is drawn cannot be so.
            self._result.too_much[meter.id] = too_much
        if meter.purpose != "ict" or meter.accounting == "never":
            return 0
        return always if meter.accounting == "always" else covered & ~too_much

    def _too_much(self, meter: MeterNode, parts: Flow, days: Days) -> Days:
        """The days, of some, on which the parts are more than the meter by more than both may be off."""
        if parts.terms == ((meter.energy, self._every),):
            return 0
        measured, known = meter.energy.total_uj, parts.column("total_uj", self._count)
        if all(map(le, known, measured)):
            return 0
        width, widths = meter.energy.width_uj, parts.column("width_uj", self._count)
        found = []
        for day, (whole, sum_) in enumerate(zip(measured, known, strict=True)):
            band = width[day] // 2 + widths[day] // 2
            if sum_ - whole > max(round(whole * TOLERANCE), band) and days >> day & 1:
                found.append(day)
        return days_of(found)

    def _share_of(self, feed: Feed) -> Flow:
        """The part of a device's branch that comes through one of its feeds: what its outlet measured where outlets tell
        the device, else a portion.
        """
        device_id = feed.device_id
        feeds = self._feeds_of_device[device_id]
        if len(feeds) == 1:
            return self._branch(device_id)
        metered = self._metered.get(device_id, 0)
        other = self._every & ~metered
        terms = [(self._meters[feed.meter_id].energy, metered)] if metered else []
        if other:
            if device_id not in self._portions:
                branch = Flow(self._branch(device_id).within(other))
                self._portions[device_id] = split(branch, self._weights(feeds), len(feeds), self._count)
            terms.append((self._portions[device_id][feeds.index(feed)], other))
        return Flow(terms)

    def _weights(self, feeds: Sequence[Feed]) -> list[Column] | None:
        """How a device's energy is divided among its feeds: by what each measured where all did, else equally."""
        found = [self._meters[one.meter_id] for one in feeds if one.meter_id in self._meters]
        alone = all(len(self._feeds_of_meter[one.meter_id]) == 1 for one in feeds)
        if not alone or len(found) < len(feeds):
            return None
        covered = self._every
        for one in found:
            covered &= days_at_least(one.coverage, LEAST_COVERED)
        if not covered:
            return None
        # Where not all were read none weighs anything, which divides equally.
        return [Flow([(one.energy, covered)]).column("total_uj", self._count) for one in found]

    def _branch(self, device_id: str) -> Flow:
        """What a device uses itself, and all that it passes on."""
        own = self._result.devices.get(device_id)
        onward = [self._value(one) for one in self._onward.get(device_id, ())]
        return _sum_of(onward if own is None else [own, *onward])

    def _above_device(self, device_id: str) -> Mapping[int, Days]:
        feeds = self._feeds_of_device.get(device_id, ())
        if len(feeds) == 1:
            return self._above_meter(feeds[0].meter_id)
        return _union([self._above_meter(one.meter_id) for one in feeds])

    def _above_meter(self, meter_id: int) -> Mapping[int, Days]:
        """Every accounting meter at or above a meter."""
        if meter_id not in self._meters:
            return {}
        found = self._result.above_meters.get(meter_id)
        if found is None:
            outer = self._outer_of.get(meter_id)
            above = self._above_device(self._meters[meter_id].device_id) if outer is None else self._above_meter(outer)
            own = self._result.accounts.get(meter_id, 0)
            found = self._result.above_meters[meter_id] = _union([above, {meter_id: own}]) if own else above
        return found


def _sum_of(flows: Sequence[Flow]) -> Flow:
    return flows[0] if len(flows) == 1 else Flow(term for one in flows for term in one.terms)


def _union(found: Sequence[Mapping[int, Days]]) -> Mapping[int, Days]:
    whole: dict[int, Days] = {}
    for one in found:
        for meter_id, days in one.items():
            whole[meter_id] = whole.get(meter_id, 0) | days
    return whole
