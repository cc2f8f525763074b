"""One sample of a host: what all its sources gave at one moment. The sampler makes it, the report carries it."""

from dataclasses import dataclass, field

from agent.report import Choice, Guest, Inventory, Meter, SampleTime, SourceState, Value


@dataclass(frozen=True, slots=True)
class Point:
    """Values of one series at the sample's time: `fields` by name, in the units of `agent.names`."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, Value]


@dataclass(frozen=True, slots=True)
class MeterReading:
    """A meter with its reading; the fields are those of `agent.report.Reading`."""

    meter: Meter
    interval_ns: int
    values: list[int | float]
    differences: list[int]


@dataclass(slots=True)
class Sample:
    """Everything one round of the sources gave. `inventory` is None when it was not asked for."""

    time: SampleTime
    boot_id: str
    points: list[Point] = field(default_factory=list)
    readings: list[MeterReading] = field(default_factory=list)
    sources: list[SourceState] = field(default_factory=list)
    choice: Choice = field(default_factory=lambda: Choice("estimate"))
    inventory: Inventory | None = None
    guests: list[Guest] = field(default_factory=list)
