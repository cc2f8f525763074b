"""What a poll of a device becomes: the same report that an agent makes of its host, so that all that follows is shared.

A device's own consumption is one meter: `snmp/power`, or `snmp_catalogue/power` where it is estimated. A UPS, a PDU and a
meter stand in the power path of others: what passes through them is told as points of `power_meter` and as meters of
what they feed (`collector.snmp.feeds`), and never counted as theirs. Of a UPS only its loss is its own.
"""

import hashlib
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from agent.report import Choice, Inventory, Meter, Reading, Report, Row, SampleTime, Series, SourceState, Value
from collector.snmp.device import DeviceReading
from collector.snmp.feeds import Feeds
from collector.snmp.interface_points import InterfacePoints, interface_points
from collector.snmp.interfaces import Interface
from collector.snmp.places import FEEDING_KINDS, places
from collector.snmp.profile import Quantity
from collector.snmp.rates import Count
from collector.wire import OwnPoints, Received, Refused, WireReport

LONGEST_INTERVAL_NS = 180 * 10**9
"""Three polls: across more nothing is known of the power between."""
_KWH_TO_JOULES = 3.6e6

_FIELDS: dict[Quantity, tuple[str, float]] = {
    "power": ("power_watts", 1.0),
    "energy": ("energy_joules", _KWH_TO_JOULES),
    "current": ("current_amperes", 1.0),
    "voltage": ("voltage_volts", 1.0),
    "frequency": ("frequency_hertz", 1.0),
    "load": ("load_ratio", 0.01),
    "power_factor": ("power_factor_ratio", 1.0),
    "charge": ("charge_ratio", 0.01),
    "runtime": ("runtime_seconds", 60.0),
}
"""The field of `power_meter` for each quantity, and what its unit is multiplied by."""
_NO_METER = frozenset({"rating", "statistic", "optical"})


@dataclass(frozen=True, slots=True)
class OwnPower:
    """What a device itself uses: watts, the source they come from (`carbon.uncertainty.METER_TIERS`), and in words how."""

    watts: float
    source: str
    basis: str


@dataclass(slots=True)
class Before:
    """What is remembered of a device between polls."""

    power: OwnPower | None = None
    power_at_ns: int | None = None
    counters: dict[tuple[int, str], Count] = field(default_factory=dict)
    inventory: Inventory | None = None
    feeds: Feeds = field(default_factory=Feeds)


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll: when it was, what was read, and which parts it covered."""

    time: SampleTime
    boot_id: str
    reading: DeviceReading
    interfaces: list[Interface]
    parts: frozenset[str]
    """Of `power`, `utilisation`, `inventory`."""
    up_time_seconds: float | None
    poll_seconds: float


def own_power(reading: DeviceReading, estimate: OwnPower) -> OwnPower:
    """What the device itself uses: measured where its readings tell it, else the estimate given."""
    power = reading.power
    if reading.identity.kind in FEEDING_KINDS:
        if power.loss_watts is not None:
            return OwnPower(power.loss_watts, "snmp", "loss: input less output")
        return estimate
    if power.watts is None:
        return estimate
    return OwnPower(power.watts, "snmp_load" if power.estimated else "snmp", power.basis)


def inventory_of(reading: DeviceReading, name: str, boot_unix_ns: int | None) -> Inventory:
    """The device's inventory in the terms of a host's."""
    identity = reading.identity
    return Inventory(
        host_name=name or identity.name,
        vendor=identity.vendor,
        model=identity.hardware,
        serial=identity.serial,
        chassis="other",
        operating_system=identity.version,
        platform="physical",
        boot_unix_ns=boot_unix_ns,
    )


def points_of(poll: Poll, before: Before) -> InterfacePoints:
    """The points of a poll beside its report: its interfaces. `before` is brought up to date with it."""
    return interface_points(poll.interfaces, before.counters, poll.time.wall_ns, poll.time.boot_ns / 1e9)


def report_of(poll: Poll, before: Before, estimate: OwnPower, name: str, stream_id: str, sequence: int) -> Report:
    """A poll as a report; `before` is brought up to date with it."""
    report = Report(stream_id, sequence, "snmp", poll.boot_id, samples=[poll.time])
    rows = _Rows(report, poll.time.wall_ns)
    if "inventory" in poll.parts:
        boot = None if poll.up_time_seconds is None else poll.time.wall_ns - int(poll.up_time_seconds * 1e9)
        inventory = inventory_of(poll.reading, name, None)
        if inventory != before.inventory:
            before.inventory = inventory
            report.inventory = inventory_of(poll.reading, name, boot)
    if "power" in poll.parts:
        _power(report, poll, before, own_power(poll.reading, estimate))
        _power_path(rows, poll.reading)
        reading = poll.reading
        before.feeds.add(report, poll.time, places(reading.readings, reading.power, reading.identity.kind))
    if "utilisation" in poll.parts:
        _device(rows, poll)
    return report


def received_of(report: Report, points: OwnPoints) -> Received:
    """A report of the collector's own as it is taken in."""
    fields = {name: getattr(report, name) for name in WireReport.__struct_fields__}
    return Received(WireReport(**fields), hashlib.sha256(msgspec.json.encode(report)).digest(), Refused(), points)


class _Rows:
    """Adds points to a report: a series the first time, then its rows."""

    def __init__(self, report: Report, wall_ns: int) -> None:
        self._report = report
        self._wall_ns = wall_ns

    def add(self, measurement: str, tags: Mapping[str, str], fields: Mapping[str, Value]) -> None:
        present = {name: value for name, value in fields.items() if value is not None}
        if present:
            self._report.series.append(Series(measurement, dict(tags), list(present)))
            self._report.rows.append(Row(len(self._report.series) - 1, self._wall_ns, list(present.values())))


def _power(report: Report, poll: Poll, before: Before, own: OwnPower) -> None:
    """The device's own power over the time since the last poll: the mean of both ends."""
    # A meter of its own for each source: what is estimated and what is measured stay apart in the ledger.
    meter = Meter(f"{own.source}/power", own.source, "power", "machine_ac", "")
    now = poll.time.boot_ns
    interval = None if before.power_at_ns is None else now - before.power_at_ns
    earlier = before.power
    before.power, before.power_at_ns = own, now
    report.choice = Choice("machine", [meter.name], {})
    reason = "" if own.source == "snmp" else own.basis
    report.sources.append(SourceState(own.source, "data", reason))
    if interval is None or not 0 < interval <= LONGEST_INTERVAL_NS or earlier is None:
        return
    # Two ends of another origin (an estimate and a measurement) have no mean.
    watts = statistics.fmean((earlier.watts, own.watts)) if earlier.source == own.source else own.watts
    report.meters.append(meter)
    report.readings.append(Reading(0, poll.time.wall_ns, interval, [round(watts, 3)], []))


def _power_path(rows: _Rows, reading: DeviceReading) -> None:
    """Every place of the power path that was read, one series each."""
    places: dict[tuple[str, str], dict[str, Value]] = {}
    for one in reading.readings:
        if one.quantity == "temperature":
            tags = {"hw_id": one.name[:256], "hw_type": "temperature"}
            rows.add("hw_temperature", tags, {"temperature_celsius": one.value if -80 <= one.value <= 250 else None})
        elif one.quantity in _FIELDS and one.role not in _NO_METER:
            name, scale = _FIELDS[one.quantity]
            fields = places.setdefault((one.role, one.name[:256]), {})
            fields.setdefault(name, one.value * scale)
    for (role, name), fields in places.items():
        rows.add("power_meter", {"meter_id": f"{role}/{name}"[:256], "role": role}, fields)


def _device(rows: _Rows, poll: Poll) -> None:
    reading = poll.reading
    loads = [one.percent for one in reading.processors]
    pools = [one.percent for one in reading.memory]
    fields: dict[str, Value] = {
        "cpu_busy_ratio": statistics.fmean(loads) / 100 if loads else None,
        "memory_used_ratio": max(pools) / 100 if pools else None,
        "poe_watts": reading.power.poe_watts,
        "uptime_seconds": poll.up_time_seconds,
        "poll_seconds": round(poll.poll_seconds, 3),
    }
    rows.add("network_device", {}, fields)
