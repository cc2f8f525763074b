"""Half-hour means: what leaves an end-user device, so that nobody can read from it when a person was at work.

Samples of one half-hour become one: gauges their mean, counts since a start their last value, energy its sum. The
readings are dated from the beginning of the half-hour, one after the other, as long as they lasted together: so the
energy of each half-hour is right, the half-hour's time with a reading too, and the minutes within it are not told. A
device that samples all the time has readings that follow each other without a gap.

What is sent at once is that the agent started: the inventory, and the energy of its first second, without points.
"""

from dataclasses import dataclass, field

from agent.report import Choice, Guest, Inventory, Meter, SampleTime, SourceState, Value
from agent.sample import MeterReading, Point, Sample

HALF_HOUR_NS = 1800 * 10**9
_LONGEST_PART_NS = 120 * 10**9
"""A reading over more than this may reach across half-hours (a counter that went on while the device slept): it is
handed on as it is."""

CUMULATIVE_FIELDS = frozenset({"busy_seconds", "total_seconds", "cpu_seconds", "dropped_reports", "rejected_reports"})
"""Counts since a start: their mean says nothing, their last value everything."""

END_USER_CHASSIS = ("laptop", "desktop")


def is_end_user_device(choice: str, inventory: Inventory) -> bool:
    """Whether half-hour means are all that is sent: `choice` is `yes`, `no`, or `auto` for by the chassis."""
    if choice != "auto":
        return choice == "yes"
    return inventory.chassis in END_USER_CHASSIS


@dataclass(slots=True)
class _Mean:
    """A field's values so far: their number, their sum where they are numbers, and the last one."""

    count: int = 0
    total: float = 0.0
    last: Value = None

    def add(self, value: Value) -> None:
        self.last = value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            self.count += 1
            self.total += value

    def value(self, name: str) -> Value:
        cumulative = name in CUMULATIVE_FIELDS
        return self.last if cumulative or not self.count else round(self.total / self.count, 4)


@dataclass(slots=True)
class _Sum:
    """A meter's readings so far: their time together, the last values, and what adds up (watt-nanoseconds of power)."""

    interval_ns: int
    values: list[int | float]
    differences: list[int]
    power: float = 0.0

    def add(self, one: MeterReading) -> None:
        self.interval_ns += one.interval_ns
        self.values = one.values
        if one.differences:
            self.differences = [a + b for a, b in zip(self.differences, one.differences, strict=True)]
        else:
            self.power += one.values[0] * one.interval_ns

    def reading(self, meter: Meter) -> MeterReading:
        if meter.kind == "power":
            return MeterReading(meter, self.interval_ns, [round(self.power / self.interval_ns, 6)], [])
        return MeterReading(meter, self.interval_ns, self.values, self.differences)


@dataclass(slots=True)
class _Gathered:
    """What one half-hour came to so far."""

    points: dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, _Mean]] = field(default_factory=dict)
    sums: dict[Meter, _Sum] = field(default_factory=dict)
    whole: list[tuple[int, MeterReading]] = field(default_factory=list)
    """Readings that are handed on as they are, with the boot clock at their end."""
    inventory: Inventory | None = None
    guests: dict[str, Guest] = field(default_factory=dict)
    sources: list[SourceState] = field(default_factory=list)
    choice: Choice = field(default_factory=lambda: Choice("estimate"))

    def add(self, sample: Sample) -> None:
        for point in sample.points:
            fields = self.points.setdefault((point.measurement, tuple(point.tags.items())), {})
            for name, value in point.fields.items():
                fields.setdefault(name, _Mean()).add(value)
        for one in sample.readings:
            if one.interval_ns > _LONGEST_PART_NS:
                self.whole.append((sample.time.boot_ns, one))
            elif one.interval_ns:
                # Another epoch is another meter here: what is added up is continuous.
                self.sums.setdefault(one.meter, _Sum(0, [], [0] * len(one.differences))).add(one)
        self.inventory = sample.inventory or self.inventory
        self.guests |= {guest.meter: guest for guest in sample.guests}
        self.sources, self.choice = sample.sources, sample.choice

    def means(self) -> list[Point]:
        return [
            Point(measurement, dict(tags), {name: mean.value(name) for name, mean in fields.items()})
            for (measurement, tags), fields in self.points.items()
        ]


class HalfHours:
    """Gathers samples, and gives a half-hour's mean when the next one begins."""

    def __init__(self) -> None:
        self._gathered = _Gathered()
        self._newest: Sample | None = None
        self._told_boot_ns: dict[str, int] = {}
        """Until when each meter's readings were handed on, by the boot clock."""
        self._floor_boot_ns = 0
        """Nothing is dated before this: what an earlier process handed on is not known here."""

    def hand_on(self, sample: Sample) -> Sample:
        """A sample of the start, to be sent as it is but without points; no mean is dated before its end."""
        self._floor_boot_ns = sample.time.boot_ns
        sample.points = []
        return sample

    def add(self, sample: Sample) -> list[Sample]:
        """Take a sample. Gives the means of the half-hour before when this one belongs to another, else nothing.

        A clock that was set back begins another half-hour too.
        """
        another = self._newest is not None and _half_hour(self._newest) != _half_hour(sample)
        done = self.finish() if another else []
        self._newest = sample
        self._gathered.add(sample)
        return done

    def finish(self) -> list[Sample]:
        """The means of what was gathered until now, oldest first; nothing is left behind."""
        newest, gathered = self._newest, self._gathered
        if newest is None:
            return []
        self._newest, self._gathered = None, _Gathered()
        begins_boot_ns = newest.time.boot_ns - newest.time.wall_ns % HALF_HOUR_NS
        by_end: dict[int, list[MeterReading]] = {}
        for at, one in gathered.whole:
            by_end.setdefault(at, []).append(one)
            self._told_boot_ns[one.meter.name] = max(at, self._told_boot_ns.get(one.meter.name, 0))
        for meter, total in gathered.sums.items():
            begin = max(begins_boot_ns, self._floor_boot_ns, self._told_boot_ns.get(meter.name, 0))
            end = self._told_boot_ns[meter.name] = begin + total.interval_ns
            by_end.setdefault(end, []).append(total.reading(meter))
        told = {one.meter.name for readings in by_end.values() for one in readings}
        guests = [guest for meter, guest in gathered.guests.items() if meter in told]
        by_end = by_end or {newest.time.boot_ns: []}
        offset_ns = newest.time.wall_ns - newest.time.boot_ns
        samples = [
            Sample(
                SampleTime(offset_ns + boot_ns, boot_ns),
                newest.boot_id,
                [],
                readings,
                gathered.sources,
                gathered.choice,
                guests=guests,
            )
            for boot_ns, readings in sorted(by_end.items())
        ]
        samples[-1].points, samples[-1].inventory = gathered.means(), gathered.inventory
        return samples


def _half_hour(sample: Sample) -> int:
    return sample.time.wall_ns // HALF_HOUR_NS
