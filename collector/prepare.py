"""From a decoded report to what is recorded of it: pure calculation, done before the writer is asked for anything."""

import datetime
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby

from isal import igzip

from agent.report import Choice, Inventory, Meter, SourceState
from carbon.facts import Facts, counter_facts, power_facts, to_text, utilisation_facts
from carbon.guests import extremes
from carbon.power_model import PowerCurve, power_curve
from collector.checks import MeterReadings, good_readings, good_rows
from collector.clocks import Sent, plausible, true_times
from collector.device_context import DeviceContext
from collector.guest_checks import good_guests, guest_body, of_known_guests
from collector.guest_links import link_uuid
from collector.host_facts import host_facts
from collector.host_power import DevicePoint, HostPower, derive
from collector.lines import SeriesTemplate
from collector.wire import Received, Refused, WireReport

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")

LONGEST_EVENT_CODE = 64


@dataclass(frozen=True, slots=True)
class Fact:
    """Energy facts of one meter, half-hour and epoch, as text."""

    meter: str
    half_hour: int
    epoch: str
    body: str


@dataclass(frozen=True, slots=True)
class GuestFact:
    """That a host had a guest in a half-hour, and what it was (canonical JSON), by the name of its meter."""

    meter: str
    half_hour: int
    body: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Something about a device that a person should know, and what to do."""

    code: str
    detail: str
    remedy: str


@dataclass(slots=True)
class Batch:
    """Points ready for the stores: gzip-compressed line protocol."""

    lines: bytes
    points: int
    first_ns: int
    last_ns: int


@dataclass(slots=True)
class Recording:
    """All that one report adds to the database; `record()` writes it in one transaction."""

    device_id: str
    received_at: int
    first_sample_at: int
    last_sample_at: int
    agent_version: str
    choice: Choice
    clock_offset_seconds: float
    meters: list[Meter] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    guests: list[GuestFact] = field(default_factory=list)
    batch: Batch | None = None
    power: HostPower | None = None
    changed_sources: list[SourceState] = field(default_factory=list)
    changed_choice: bool = False
    inventory_body: str = ""
    inventory_sha256: str = ""
    evidence: dict[str, str] = field(default_factory=dict)
    mac_addresses: tuple[str, ...] = ()
    """Evidence too, of a physical machine: by these switches see it at their ports."""
    platform: str = ""
    link_uuid: str = ""
    diagnoses: list[Diagnosis] = field(default_factory=list)
    refused: Refused = field(default_factory=Refused)


def prepare(received: Received, context: DeviceContext, sent: Sent) -> Recording:
    """What to record of a report from this device. Bad rows are counted in `refused`, never an error."""
    report, refused = received.report, received.refused
    moved = true_times(report.samples, report.boot_id, sent)
    times = {sample.wall_ns: moved.get(sample.wall_ns, sample.wall_ns) for sample in report.samples}
    believed = sorted(time for time in times.values() if plausible(time, sent.received_ns)) or [sent.received_ns]
    recording = Recording(
        device_id=context.device_id,
        received_at=sent.received_ns // 10**9,
        first_sample_at=believed[0] // 10**9,
        last_sample_at=believed[-1] // 10**9,
        agent_version=report.agent_version,
        choice=report.choice,
        clock_offset_seconds=round(sent.offset_seconds, 3),
        meters=report.meters,
        refused=refused,
    )
    curve, host_name = context.curve, context.host_name
    if report.inventory is not None:
        host_name = report.inventory.host_name or host_name
        recording.inventory_body, recording.inventory_sha256 = canonical(report.inventory)
        recording.evidence = _evidence(report.inventory)
        recording.mac_addresses = _mac_addresses(report.inventory)
        recording.platform = report.inventory.platform[:64]
        if report.inventory.platform == "virtual_machine" and not report.inventory.cloud:
            recording.link_uuid = link_uuid(report.inventory.system_uuid)
        if recording.inventory_sha256 != context.inventory_sha256:
            curve = power_curve(host_facts(report.inventory))
    readings = good_readings(report.meters, report.readings, times, sent.received_ns, refused)
    guests = good_guests(report.guests, report.meters, refused)
    readings = of_known_guests(readings, guests, refused)
    recording.facts = [fact for one in readings for fact in _facts(one)]
    bodies = {name: guest_body(guest) for name, guest in guests.items()}
    seen = {(fact.meter, fact.half_hour) for fact in recording.facts if fact.meter in bodies}
    recording.guests = [GuestFact(name, half_hour, bodies[name]) for name, half_hour in sorted(seen)]
    # A report that is older than the choice that holds now may say that it began earlier.
    recording.changed_choice = report.choice != context.choice or recording.first_sample_at < context.choice_since
    sources = _sources(report.sources)
    recording.changed_sources = [
        state for state in sources if context.sources.get(state.source) != (state.outcome, state.reason)
    ]
    if moved:
        recording.diagnoses.append(_clock(sent.offset_seconds, len(moved)))
    tags = {**context.tags, "host_name": host_name}
    own = received.points.lines(tags) if received.points is not None else []
    recording.batch, recording.power = _points(
        report, sources, readings, times, believed, sent, curve, tags, recording, own
    )
    return recording


def canonical(inventory: Inventory) -> tuple[str, str]:
    """An inventory as canonical JSON, and its SHA-256: equal hosts give equal hashes."""
    body = json.dumps(asdict(inventory), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return body, hashlib.sha256(body.encode()).hexdigest()


def _sources(states: Sequence[SourceState]) -> list[SourceState]:
    """One state a source, no longer than the database keeps it: else it would seem changed with every report."""
    return list(
        {
            state.source[:64]: SourceState(state.source[:64], state.outcome, state.reason[:1024], state.remedy[:1024])
            for state in states
        }.values()
    )


def _facts(one: MeterReadings) -> list[Fact]:
    by_half_hour: dict[int, Facts]
    if one.meter.kind == "counter":
        by_half_hour = dict(
            counter_facts(
                (unix_ns, interval_ns, int(values[0]), differences[0] if differences else 0)
                for unix_ns, interval_ns, values, differences in one.readings
            )
        )
    elif one.meter.kind == "power":
        by_half_hour = dict(
            power_facts((unix_ns, interval_ns, float(values[0])) for unix_ns, interval_ns, values, _ in one.readings)
        )
    else:
        loads = utilisation_facts(
            (unix_ns, interval_ns, int(values[0]), int(values[1]), *_two(differences))
            for unix_ns, interval_ns, values, differences in one.readings
        )
        guest = one.meter.covers == "guest"
        by_half_hour = {at: extremes(facts) if guest else facts for at, facts in loads.items()}
    return [
        Fact(one.meter.name, half_hour, one.meter.epoch, to_text(facts)) for half_hour, facts in by_half_hour.items()
    ]


def _two(differences: list[int]) -> tuple[int, int]:
    return (differences[0], differences[1]) if differences else (0, 0)


def _points(
    report: WireReport,
    sources: Sequence[SourceState],
    readings: Sequence[MeterReadings],
    times: dict[int, int],
    believed: list[int],
    sent: Sent,
    curve: PowerCurve | None,
    tags: dict[str, str],
    recording: Recording,
    own: Sequence[str],
) -> tuple[Batch | None, HostPower | None]:
    """Every point of the report and what is derived from it, as one batch."""
    refused = recording.refused
    lines = list(own)
    for one in good_rows(report.series, report.rows, times, sent.received_ns, refused):
        template = SeriesTemplate(one.series.measurement, {**one.series.tags, **tags}, one.series.fields)
        lines.extend(template.lines(one.rows))
    derived = derive(readings, report.choice, lambda: curve)
    points = derived.points
    daily = report.inventory is not None
    now_ns = believed[-1]
    for state in sources if daily else recording.changed_sources:
        fields = {"outcome": state.outcome, "reason": state.reason or None}
        points.append(DevicePoint("ictagent_source", {"source": state.source}, dict(fields), now_ns))
    for event in report.events:
        # One that a sample told of is dated with it, above all that the clock was set.
        unix_ns = times.get(event.unix_ns, event.unix_ns)
        if not plausible(unix_ns, sent.received_ns) or not event.code.isidentifier():
            refused.add("event at an impossible time or with an unknown code", event)
            continue
        code = event.code[:LONGEST_EVENT_CODE]
        points.append(DevicePoint("ictagent_event", {"code": code}, {"detail": event.detail[:1024]}, unix_ns))
    for (measurement, own_tags, names), run in groupby(
        points, lambda one: (one.measurement, one.tags, list(one.fields))
    ):
        template = SeriesTemplate(measurement, {**own_tags, **tags}, names)
        lines.extend(template.lines([(point.unix_ns, list(point.fields.values())) for point in run]))
    return pack(lines, [*believed, *(point.unix_ns for point in points)]), derived.newest


def pack(lines: Sequence[str], times_ns: Iterable[int]) -> Batch | None:
    """Lines as one compressed batch; None if there are none."""
    if not lines:
        return None
    found = list(times_ns)
    body = "\n".join(lines).encode() + b"\n"
    return Batch(igzip.compress(body, compresslevel=1), len(lines), min(found), max(found))


def _evidence(inventory: Inventory) -> dict[str, str]:
    """What may tell that two devices are one; never identity."""
    found = {
        "host_name": inventory.host_name,
        "machine_id": inventory.machine_id,
        "serial": inventory.serial,
    }
    return {name: value[:256] for name, value in found.items() if value}


def _mac_addresses(inventory: Inventory) -> tuple[str, ...]:
    """Addresses of a physical machine's cards. Those that software gave itself (the second bit is set) are too common."""
    if inventory.platform != "physical":
        return ()
    found = (one.mac_address.lower().replace("-", ":") for one in inventory.network_cards)
    return tuple(dict.fromkeys(one for one in found if _MAC.fullmatch(one) and not int(one[:2], 16) & 2))


def _clock(offset_seconds: float, samples: int) -> Diagnosis:
    direction = "ahead of" if offset_seconds > 0 else "behind"
    offset = datetime.timedelta(seconds=round(abs(offset_seconds)))
    return Diagnosis(
        "clock_offset",
        f"the host's clock was {offset} {direction} the collector's; {samples} samples were dated by its boot clock",
        "make the host keep time by NTP",
    )
