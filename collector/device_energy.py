"""Energy and footprint of devices by half-hour, from the ledger: the accounting meters of each segment added up."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Connection, select

from carbon.calendar import local_day
from carbon.factors import Applied, FactorSet, YearRule, factors_for, packaged_sets
from carbon.footprint import Energy, Footprint, footprint
from collector.database.schema import device, ledger, organisation
from collector.factors import factor_sets, mark_query, sets_of
from collector.ledger import current
from collector.segments import Segment

MeterRows = Mapping[int, Mapping[int, Mapping[str, Any]]]
"""Ledger values by meter and half-hour."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What an organisation settles for its figures: its local days, and which factor set applies, of those that hold."""

    time_zone: str
    year_rule: YearRule
    sets: tuple[FactorSet, ...] = field(default_factory=packaged_sets)
    _applied: dict[datetime.date, Applied] = field(default_factory=dict, init=False, repr=False, compare=False)

    def day(self, half_hour: int) -> datetime.date:
        return local_day(half_hour, self.time_zone)

    def factors(self, date: datetime.date) -> Applied:
        """The set of a local day. Every half-hour asks: each day is worked out once."""
        found = self._applied.get(date)
        if found is None:
            found = self._applied[date] = factors_for(date, self.year_rule, self.sets)
        return found


@dataclass(frozen=True, slots=True)
class HalfHour:
    """One device in one half-hour. `coverage` is the least covered of its meters' share of the half-hour."""

    half_hour: int
    segment: Segment
    energy: Energy
    covered_seconds: int


def rules_of(connection: Connection, device_id: str | None = None) -> Rules:
    """The rules of a device's organisation, or of the first one."""
    query = select(organisation.c.time_zone, organisation.c.year_rule, mark_query().label("mark")).order_by(
        organisation.c.id
    )
    if device_id is not None:
        query = query.join(device).where(device.c.id == device_id)
    row = connection.execute(query).first()
    assert row is not None  # noqa: S101  # every database has an organisation from its first migration
    return Rules(row.time_zone, cast(YearRule, row.year_rule), sets_of(connection, row.mark))


def rules_by_organisation(connection: Connection) -> dict[int, Rules]:
    """The rules of every organisation, by its row number."""
    query = select(organisation.c.id, organisation.c.time_zone, organisation.c.year_rule).order_by(organisation.c.id)
    sets = factor_sets(connection)
    return {row.id: Rules(row.time_zone, cast(YearRule, row.year_rule), sets) for row in connection.execute(query)}


def ledger_rows(connection: Connection, meter_ids: Iterable[int], start: int, end: int) -> dict[int, dict[int, Any]]:
    """The rows that hold, by meter and half-hour, from `start` to before `end`."""
    rows: dict[int, dict[int, Any]] = {}
    query = select(ledger).where(
        ledger.c.meter_id.in_(list(meter_ids)), ledger.c.half_hour >= start, ledger.c.half_hour < end, current()
    )
    for row in connection.execute(query).mappings():
        rows.setdefault(row["meter_id"], {})[row["half_hour"]] = row
    return rows


def half_hours(segments: Sequence[Segment], rows: MeterRows, groups: Mapping[int, str] | None = None) -> list[HalfHour]:
    """Each device's half-hours that have a row of any of its meters, in order of time; with the meters' `groups`
    (`collector.error_groups`) also with errors for the range of their sum.
    """
    found: list[HalfHour] = []
    for segment in segments:
        times: set[int] = set()
        for meter_id in segment.meter_ids:
            times |= {at for at in rows.get(meter_id, ()) if segment.start <= at < segment.end}
        for at in times:
            known = {one: rows[one][at] for one in segment.meter_ids if at in rows.get(one, ())}
            energy = Energy()
            for meter_id, part in known.items():
                amounts = part["measured_uj"], part["estimated_uj"], part["low_uj"], part["high_uj"]
                energy += Energy(*amounts) if groups is None else Energy.of(groups[meter_id], *amounts)
            complete = len(known) == len(segment.meter_ids)
            covered = min((part["covered_seconds"] for part in known.values()), default=0) if complete else 0
            found.append(HalfHour(at, segment, energy, covered))
    return sorted(found, key=lambda one: one.half_hour)


def footprint_of(one: HalfHour, rules: Rules) -> Footprint:
    """The footprint of a device's half-hour by the factor set of its local day and the PUE of its space."""
    return footprint(one.energy, rules.factors(rules.day(one.half_hour)).factors, one.segment.pue)


def method_of(energy: Energy) -> str:
    """How an amount was got: measured, estimated, or mixed of both."""
    if energy.estimated_uj and energy.measured_uj:
        return "mixed"
    return "measured" if energy.measured_uj else "estimated"
