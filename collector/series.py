"""The half-hourly and daily series of devices: what the ledger tells the stores, rewritten when it changes."""

import datetime
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from agent.report import Value
from carbon.calendar import HALF_HOUR_SECONDS, day_bounds
from carbon.footprint import Energy, Footprint
from carbon.footprint import add as add_footprints
from carbon.units import kwh
from collector.device_context import load_context
from collector.device_energy import HalfHour, Rules, footprint_of, half_hours, ledger_rows, method_of, rules_of
from collector.lines import SeriesTemplate
from collector.segments import load_segments

NS = 1_000_000_000


def series_lines(connection: Connection, device_id: str, changed: Iterable[int]) -> list[str]:
    """Lines of a device's changed half-hours and of the local days they belong to.

    A day in which the device moved has one point for each of its sites, each with the half-hours spent there.
    """
    rules = rules_of(connection, device_id)
    wanted = set(changed)
    days = sorted({rules.day(half_hour) for half_hour in wanted})
    context = load_context(connection, device_id)
    lines: list[str] = []
    for day in days:
        start, end = day_bounds(day, rules.time_zone)
        segments = load_segments(connection, start, end, [device_id])
        meter_ids = {meter_id for segment in segments for meter_id in segment.meter_ids}
        rows = half_hours(segments, ledger_rows(connection, meter_ids, start, end))
        by_site: dict[str, list[HalfHour]] = {}
        for one in rows:
            by_site.setdefault(one.segment.site, []).append(one)
        for site, at_site in by_site.items():
            tags = {**context.tags, "site": site}
            for one in at_site:
                if one.half_hour in wanted:
                    lines += _lines("half_hour", tags, one.half_hour, [one], HALF_HOUR_SECONDS, day, rules)
            lines += _lines("day", tags, start, at_site, end - start, day, rules)
    return lines


def _lines(
    span: str,
    tags: dict[str, str],
    at: int,
    rows: Sequence[HalfHour],
    seconds: int,
    day: datetime.date,
    rules: Rules,
) -> list[str]:
    energy = Energy()
    for one in rows:
        energy += one.energy
    covered = sum(one.covered_seconds for one in rows)
    total = add_footprints(footprint_of(one, rules) for one in rows)
    energies = energy_fields(energy, covered / seconds)
    carbons = carbon_fields(total, rules.factors(day).label)
    written = []
    for name, fields in ((f"energy_{span}", energies), (f"carbon_{span}", carbons)):
        written += SeriesTemplate(name, tags, list(fields)).lines([(at * NS, list(fields.values()))])
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
