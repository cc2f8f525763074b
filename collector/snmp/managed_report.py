"""What a controller tells of a managed device, as the report of that device: inventory, and energy by what feeds it."""

import hashlib
import secrets
from dataclasses import dataclass, field

import msgspec

from agent.report import Choice, Inventory, Meter, NetworkCard, Reading, Report, SampleTime, SourceState
from carbon.network_power import typical_power
from collector.snmp.managed import ManagedDevice
from collector.snmp.poe_feed import Feed
from collector.wire import Received, Refused, WireReport

LONGEST_INTERVAL_NS = 900 * 10**9
"""Three polls of a controller: across more nothing is known of the power between."""


@dataclass(slots=True)
class ManagedState:
    """What is remembered of a managed device between its controller's polls."""

    stream_id: str = field(default_factory=lambda: secrets.token_hex(8))
    boot_id: str = field(default_factory=lambda: secrets.token_hex(8))
    sequence: int = 0
    told_at: SampleTime | None = None
    inventory: Inventory | None = None


def managed_report(told: ManagedDevice, feed: Feed | None, state: ManagedState, at: SampleTime) -> Report:
    """A report of a managed device; `state` is brought up to date with it.

    Its power is what its switch gives it, measured, or what such devices draw. One that is offline has none.
    """
    state.sequence += 1
    report = Report(state.stream_id, state.sequence, "snmp", state.boot_id, samples=[at])
    inventory = _inventory(told)
    if inventory != state.inventory:
        report.inventory = state.inventory = inventory
    measured = feed is not None and feed.watts is not None
    typical = typical_power(told.kind, told.model)
    source = "snmp_poe" if measured else "snmp_catalogue"
    watts = feed.watts if feed is not None and feed.watts is not None else typical.watts
    meter = Meter(f"{source}/power", source, "power", "machine_ac", "")
    report.choice = Choice("machine", [meter.name], {})
    reason = "" if measured else typical.basis
    report.sources.append(SourceState(source, "data", reason))
    interval = 0 if state.told_at is None else at.boot_ns - state.told_at.boot_ns
    if 0 < interval <= LONGEST_INTERVAL_NS and (measured or told.online is not False):
        report.meters.append(meter)
        report.readings.append(Reading(0, at.wall_ns, interval, [round(watts, 3)], []))
    state.told_at = at
    return report


def taken(report: Report) -> Received:
    """The report as it is taken in."""
    fields = {name: getattr(report, name) for name in WireReport.__struct_fields__}
    return Received(WireReport(**fields), hashlib.sha256(msgspec.json.encode(report)).digest(), Refused())


def _inventory(told: ManagedDevice) -> Inventory:
    return Inventory(
        host_name=told.name,
        vendor=told.vendor,
        model=told.model,
        serial=told.serial,
        chassis="other",
        operating_system=told.version,
        platform="physical",
        network_cards=[NetworkCard("ethernet", told.mac)] if told.mac else [],
    )
