"""The half-hourly and daily series of devices: what the ledger tells the stores, rewritten when it changes."""

import datetime
from collections.abc import Container, Iterable, Sequence

from sqlalchemy import Connection, select

from agent.report import Value
from carbon.calendar import HALF_HOUR_SECONDS, day_bounds
from carbon.footprint import Energy, Footprint
from carbon.footprint import add as add_footprints
from carbon.units import kwh
from collector.database.schema import device
from collector.device_energy import HalfHour, Rules, footprint_of, half_hours, ledger_rows, method_of, rules_of
from collector.lines import SeriesTemplate
from collector.segments import Segment, load_segments

NS = 1_000_000_000


Tags = tuple[tuple[str, str], ...]
"""The tags of a device's series, sorted: what tells one series of a measurement from another."""


def tags_at(kind: str, segment: Segment) -> Tags:
    """The tags of a device's half-hourly and daily series: its name and site are those of the time, not today's."""
    tags = {"device_id": segment.device_id, "host_name": segment.host_name, "site": segment.site, "kind": kind}
    return tuple(sorted(tags.items()))


def series_lines(connection: Connection, device_id: str, changed: Iterable[int]) -> list[str]:
    """Lines of a device's changed half-hours and of the local days they belong to.

    A day in which the device moved or was renamed has one point for each of its series, with the half-hours spent there.
    """
    rules = rules_of(connection, device_id)
    wanted = set(changed)
    days = sorted({rules.day(half_hour) for half_hour in wanted})
    return [line for day in days for line in day_lines(connection, device_id, day, wanted)]


def day_lines(
    connection: Connection, device_id: str, day: datetime.date, wanted: Container[int] | None = None
) -> list[str]:
    """Lines of a device's local day and of its half-hours: of the wanted ones, or without them of all."""
    rules = rules_of(connection, device_id)
    kind = kind_of(connection, device_id)
    start, end = day_bounds(day, rules.time_zone)
    segments = load_segments(connection, start, end, [device_id])
    meter_ids = {meter_id for segment in segments for meter_id in segment.meter_ids}
    by_tags: dict[Tags, list[HalfHour]] = {}
    for one in half_hours(segments, ledger_rows(connection, meter_ids, start, end)):
        by_tags.setdefault(tags_at(kind, one.segment), []).append(one)
    lines: list[str] = []
    for tags, rows in by_tags.items():
        for one in rows:
            if wanted is None or one.half_hour in wanted:
                lines += span_lines("half_hour", tags, one.half_hour, [one], HALF_HOUR_SECONDS, day, rules)
        lines += span_lines("day", tags, start, rows, end - start, day, rules)
    return lines


def kind_of(connection: Connection, device_id: str) -> str:
    """The device's kind, as its tag has it."""
    kind: str = connection.execute(select(device.c.kind).where(device.c.id == device_id)).scalar_one()
    return kind


def span_lines(
    span: str,
    tags: Tags,
    at: int,
    rows: Sequence[HalfHour],
    seconds: int,
    day: datetime.date,
    rules: Rules,
) -> list[str]:
    """Energy and carbon of some half-hours as one point each; of none: zeros, with no coverage."""
    energy = Energy()
    for one in rows:
        energy += one.energy
    covered = sum(one.covered_seconds for one in rows)
    total = add_footprints(footprint_of(one, rules) for one in rows)
    energies = energy_fields(energy, covered / seconds)
    carbons = carbon_fields(total, rules.factors(day).label)
    written = []
    for name, fields in ((f"energy_{span}", energies), (f"carbon_{span}", carbons)):
        written += SeriesTemplate(name, dict(tags), list(fields)).lines([(at * NS, list(fields.values()))])
    return written


def energy_fields(energy: Energy, coverage: float) -> dict[str, Value]:
    """Fields of `energy_half_hour` and `energy_day`."""
    return {
        "energy_kwh": kwh(energy.total_uj),
        "low_kwh": kwh(energy.low_uj),
        "high_kwh": kwh(energy.high_uj),
        "measured_ratio": energy.measured_uj / energy.total_uj if energy.total_uj else 0.0,
        "coverage_ratio": min(1.0, coverage),
        "method": method_of(energy),
    }


def carbon_fields(one: Footprint, label: str) -> dict[str, Value]:
    """Fields of `carbon_half_hour` and `carbon_day`."""
    return {
        "s2_location_kg": float(one.s2_location_kg),
        "s3_td_kg": float(one.s3_td_kg),
        "s3_wtt_gen_kg": float(one.s3_wtt_gen_kg),
        "s3_wtt_td_kg": float(one.s3_wtt_td_kg),
        "low_kg": float(one.low_kg),
        "high_kg": float(one.high_kg),
        "factor_set": label,
    }
