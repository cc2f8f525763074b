"""Power of a host and its parts, as points, from the meter readings of one report.

`hw_host` is exactly one series a device: what its chosen meters show together, with the estimated rest where they see
only a part, with the power supply's loss where they see only its output, or the estimate where there is none. Parts
and other meters go to `hw_component` and `power_meter`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agent.report import Choice, Covers, Value
from carbon.power_model import PowerCurve
from carbon.power_supply import loss_ratio
from carbon.uncertainty import ESTIMATING_METERS, measured_band
from carbon.utilisation import utilisation_bin
from collector.checks import MeterReadings

COMPONENT_TYPES: dict[Covers, str] = {
    "package": "cpu",
    "core": "cpu",
    "dram": "memory",
    "gpu": "gpu",
    "component": "other",
}
"""OpenTelemetry's `hw.type` of the meters that see a part of a machine."""
WHOLE_MACHINE: dict[Covers, str] = {
    "machine_ac": "machine_input",
    "machine_dc": "machine_output",
    "ups_output": "ups_output",
    "battery": "battery",
    "psys": "platform",
}
"""The `role` of the meters that see a whole machine."""


@dataclass(slots=True)
class DevicePoint:
    """One point about a device, without the common tags. Fields that are None are left out."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, Value]
    unix_ns: int


@dataclass(frozen=True, slots=True)
class HostPower:
    """A host's power at one time: watts with low and high, the source's name, and the method."""

    unix_ns: int
    watts: float
    low_watts: float
    high_watts: float
    source: str
    method: str


@dataclass(slots=True)
class Derived:
    """What follows from the readings of one report: points, and the newest power of the host."""

    points: list[DevicePoint] = field(default_factory=list)
    newest: HostPower | None = None


def derive(meters: Sequence[MeterReadings], choice: Choice, curve: Callable[[], PowerCurve | None]) -> Derived:
    """Points of power for every reading that has an interval. `curve` gives the host's power curve, if it is known."""
    derived = Derived()
    # Guests' time is the host's already, and is shared out elsewhere (collector.guest_energy); what a UPS or PDU feeds
    # is others', and has its points already.
    meters = [one for one in meters if one.meter.covers not in ("guest", "feeds")]
    chosen = [one for one in meters if one.meter.name in choice.meters]
    for one in meters:
        if one.meter.kind != "utilisation":
            derived.points.extend(_meter_point(one, reading) for reading in one.readings if reading[1])
    powers: list[HostPower]
    powers = (
        _estimated(meters, curve)
        if choice.basis == "estimate" or not chosen
        else _measured(chosen, meters, choice, curve)
    )
    only_counter = chosen[0] if len(chosen) == 1 and chosen[0].meter.kind == "counter" else None
    counts = {row[0]: row[2][0] / 1e6 for row in only_counter.readings} if only_counter else {}
    for power in powers:
        fields: dict[str, Value] = {
            "power_watts": power.watts,
            "power_low_watts": power.low_watts,
            "power_high_watts": power.high_watts,
            "energy_joules": counts.get(power.unix_ns) if power.method == "measured" else None,
            "source": power.source,
            "method": power.method,
        }
        derived.points.append(DevicePoint("hw_host", {}, fields, power.unix_ns))
        if derived.newest is None or power.unix_ns > derived.newest.unix_ns:
            derived.newest = power
    return derived


def _watts(meter: MeterReadings, reading: tuple[int, int, list[int | float], list[int]]) -> float:
    _, interval_ns, values, differences = reading
    return float(values[0]) if meter.meter.kind == "power" else differences[0] * 1000 / interval_ns


def _meter_point(one: MeterReadings, reading: tuple[int, int, list[int | float], list[int]]) -> DevicePoint:
    meter = one.meter
    fields: dict[str, Value] = {"power_watts": _watts(one, reading)}
    if meter.kind == "counter":
        fields["energy_joules"] = reading[2][0] / 1e6
    if role := WHOLE_MACHINE.get(meter.covers):
        return DevicePoint("power_meter", {"meter_id": meter.name, "role": role}, fields, reading[0])
    tags = {"hw_id": meter.name, "hw_type": COMPONENT_TYPES.get(meter.covers, "other"), "hw_parent": meter.parent}
    return DevicePoint("hw_component", tags, fields, reading[0])


def _bins(meters: Sequence[MeterReadings]) -> dict[int, int]:
    """The utilisation bin at each time."""
    return {
        unix_ns: utilisation_bin(differences[0] / differences[1]) if differences[1] else 0
        for one in meters
        if one.meter.kind == "utilisation"
        for unix_ns, interval_ns, _, differences in one.readings
        if interval_ns
    }


def _estimated(meters: Sequence[MeterReadings], curve: Callable[[], PowerCurve | None]) -> list[HostPower]:
    bins = _bins(meters)
    model = curve() if bins else None
    if model is None:
        return []
    return [
        HostPower(unix_ns, watts.value, watts.low, watts.high, "power_model", "estimated")
        for unix_ns, watts in ((unix_ns, model.watts[bin_]) for unix_ns, bin_ in bins.items())
    ]


def _measured(
    chosen: Sequence[MeterReadings],
    meters: Sequence[MeterReadings],
    choice: Choice,
    curve: Callable[[], PowerCurve | None],
) -> list[HostPower]:
    """The chosen meters together, at the times at which every one of them has a reading."""
    sums: dict[int, dict[str, float]] = {}
    for one in chosen:
        for reading in one.readings:
            if reading[1]:
                sums.setdefault(reading[0], {})[one.meter.name] = _watts(one, reading)
    source = "+".join(sorted({one.meter.source for one in chosen}))
    partial = choice.basis == "package"
    behind = any(one.meter.covers == "machine_dc" for one in chosen)
    method = "estimated" if all(one.meter.source in ESTIMATING_METERS for one in chosen) else "measured"
    if method == "measured" and any(one.meter.source in ESTIMATING_METERS for one in chosen):
        method = "mixed"
    bins = _bins(meters) if partial else {}
    model = curve() if partial else None
    powers = []
    for unix_ns, parts in sums.items():
        if len(parts) < len(set(choice.meters)):
            continue
        watts = sum(parts.values())
        bands = [measured_band(round(parts[one.meter.name] * 1e6), one.meter.source) for one in chosen]
        low, high = (sum(bounds) / 1e6 for bounds in zip(*bands, strict=True))
        if behind:
            lost = loss_ratio()
            watts, low, high = watts * (1 + lost.value), low * (1 + lost.low), high * (1 + lost.high)
            powers.append(HostPower(unix_ns, watts, low, high, f"{source}+power_model", "mixed"))
        elif not partial:
            powers.append(HostPower(unix_ns, watts, low, high, source, method))
        elif model is not None and unix_ns in bins:
            rest = model.rest[bins[unix_ns]]
            powers.append(
                HostPower(
                    unix_ns, watts + rest.value, low + rest.low, high + rest.high, f"{source}+power_model", "mixed"
                )
            )
    return powers
