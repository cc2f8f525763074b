"""The ledger: writes the row of each half-hour five minutes after its end, and again when anything in it changes.

A row is a pure function of the meter's facts in its half-hour and the neighbouring ones, so recomputing is always
safe: the same facts give the same row, and only a row that differs is written. In a sealed period the old row stays
and a higher revision is added.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update

from carbon import energy
from carbon.calendar import HALF_HOUR_SECONDS, day_bounds, half_hour_of, local_day
from carbon.energy import Load, Measured, Neighbour
from carbon.facts import CounterFacts, Facts, PowerFacts, UtilisationFacts, from_text, merge, to_text
from carbon.power_model import PowerCurve, Watts
from carbon.power_supply import SUPPLY_MODEL_VERSION, loss_ratio
from carbon.uncertainty import ESTIMATING_METERS, measured_band
from collector.database.schema import (
    device,
    energy_fact,
    guest_fact,
    inventory,
    ledger,
    ledger_day,
    ledger_due,
    meter,
    organisation,
    sealed_period,
)
from collector.database.upsert import upsert
from collector.device_context import curve_of
from collector.model_meter import loss_meter, rest_meter
from collector.segments import ESTIMATE_METER

SETTLING_SECONDS = 300
ROLLED_AT_ONCE = 48
"""Half-hours of a meter that one transaction writes: a host that was away for weeks must not hold up the others."""
METERS_AT_ONCE = 16
"""Meters of a device that one transaction writes: each takes some four milliseconds."""
FEEDS = "feeds"
"""What a meter of the power path covers (`agent.report.Covers`)."""
AMOUNTS = ("measured_uj", "estimated_uj", "low_uj", "high_uj", "covered_seconds", "spread_seconds")
_COMPARED = (*AMOUNTS, "method", "model_version", "inventory_version", "evidence")


@dataclass(frozen=True, slots=True)
class Written:
    """What rolling a device's ledger changed: the half-hours whose rows were written, and those that were looked at."""

    device_id: str
    half_hours: frozenset[int]
    touched: frozenset[int]


def devices_due(connection: Connection, now: int, most: int) -> list[str]:
    """Devices that have closed half-hours to write, at most so many."""
    query = (
        select(meter.c.device_id)
        .join(ledger_due, ledger_due.c.meter_id == meter.c.id)
        .where(ledger_due.c.half_hour <= closed_before(now))
        .distinct()
        .limit(most)
    )
    return list(connection.execute(query).scalars())


def closed_before(now: int) -> int:
    """The newest half-hour that ended at least five minutes ago."""
    return half_hour_of(now - SETTLING_SECONDS - HALF_HOUR_SECONDS)


def roll(connection: Connection, device_id: str, now: int) -> Written:
    """Write the oldest of what is due of one device's ledger, with its days, in this transaction.

    Guests have no ledger: their parts of it follow (`collector.guest_energy`). What passes through to others is in no
    series of the device, and so is not among what is told to have changed.
    """
    changed: set[int] = set()
    touched: set[int] = set()
    waits = ledger_due.c.half_hour <= closed_before(now)
    waiting = select(ledger_due.c.meter_id).where(ledger_due.c.meter_id == meter.c.id, waits).exists()
    # What a UPS or PDU feeds comes after its own, as it has up to fifty places; the rest stays due.
    own_first = _own_meters(device_id).where(waiting).order_by(meter.c.covers == FEEDS, meter.c.id)
    for row in connection.execute(own_first.limit(METERS_AT_ONCE)).all():
        mine = ledger_due.c.meter_id == row.id
        oldest = select(ledger_due.c.half_hour).where(mine, ledger_due.c.half_hour <= closed_before(now))
        oldest = oldest.order_by(ledger_due.c.half_hour).limit(ROLLED_AT_ONCE)
        # Taken off before the facts are read: what another collector adds from here on is due again.
        taken = delete(ledger_due).where(mine, ledger_due.c.half_hour.in_(oldest)).returning(ledger_due.c.half_hour)
        if due := sorted(connection.execute(taken).scalars()):
            written = _roll_meter(connection, row, due, now)
            if row.covers != FEEDS:
                changed |= written
                touched |= written.union(due)
    return Written(device_id, frozenset(changed), frozenset(touched))


def _own_meters(device_id: str) -> Any:
    return select(meter).where(meter.c.device_id == device_id, meter.c.covers != "guest")


def provisional(connection: Connection, device_id: str) -> dict[int, dict[int, dict[str, Any]]]:
    """Rows that are due and not written yet, by meter and half-hour: what `roll` would write were they closed.

    For totals that run up to now. The open half-hour's row holds what is known so far.
    """
    rows: dict[int, dict[int, dict[str, Any]]] = {}
    # What a UPS or PDU feeds is others' energy, and in no total.
    for one in connection.execute(_own_meters(device_id).where(meter.c.covers != FEEDS)).all():
        due = sorted(
            connection.execute(select(ledger_due.c.half_hour).where(ledger_due.c.meter_id == one.id)).scalars()
        )
        if due:
            facts, half_hours = _facts_around(connection, one.id, due)
            rows |= _rows(connection, one, facts, half_hours)
    return rows


def _roll_meter(connection: Connection, row: Any, due: Sequence[int], now: int) -> set[int]:
    facts, half_hours = _facts_around(connection, row.id, due)
    closed = [half_hour for half_hour in half_hours if half_hour <= closed_before(now)]
    changed: set[int] = set()
    for meter_id, computed in _rows(connection, row, facts, closed).items():
        written = write_rows(connection, meter_id, computed, now)
        write_days(connection, meter_id, row.device_id, written)
        changed |= written
    _compact(connection, row.id, [key for key in facts if key[0] in closed])
    return changed


FactsByKey = dict[tuple[int, str], Facts]


def _facts_around(connection: Connection, meter_id: int, due: Sequence[int]) -> tuple[FactsByKey, list[int]]:
    """Merged facts by (half-hour, epoch) around the due ones, and the half-hours whose rows they may change.

    A half-hour shares its boundaries with the nearest ones that have facts, so those and the gap between change
    with it; and to compute those, their own neighbours are read too.
    """
    longest = energy.LONGEST_SPREAD_MS // 1000
    lower = _nearest(connection, meter_id, due[0], -1, longest)
    upper = _nearest(connection, meter_id, due[-1], +1, longest)
    first, last = lower[0] if lower else due[0], upper[0] if upper else due[-1]
    low, high = (lower or [due[0]])[-1], (upper or [due[-1]])[-1]
    query = select(energy_fact).where(
        energy_fact.c.meter_id == meter_id, energy_fact.c.half_hour >= low, energy_fact.c.half_hour <= high
    )
    parts: dict[tuple[int, str], list[Facts]] = {}
    for row in connection.execute(query):
        parts.setdefault((row.half_hour, row.epoch), []).append(from_text(row.body))
    facts = {key: merge(rows) for key, rows in parts.items()}
    known = sorted({half_hour for half_hour, _ in facts})
    half_hours: set[int] = set()
    for one in due:
        begins = max((other for other in known if other < one), default=one)
        ends = min((other for other in known if other > one), default=one)
        half_hours.update(range(max(first, begins), min(last, ends) + 1, HALF_HOUR_SECONDS))
    return facts, sorted(half_hours)


def _nearest(connection: Connection, meter_id: int, half_hour: int, direction: int, longest: int) -> list[int]:
    """The two nearest half-hours with facts on one side, nearest first."""
    column = energy_fact.c.half_hour
    beyond = column < half_hour if direction < 0 else column > half_hour
    within = column >= half_hour - longest if direction < 0 else column <= half_hour + longest
    query = (
        select(column)
        .where(energy_fact.c.meter_id == meter_id, beyond, within)
        .distinct()
        .order_by(column.desc() if direction < 0 else column.asc())
        .limit(2)
    )
    return list(connection.execute(query).scalars())


def _rows(
    connection: Connection, row: Any, facts: FactsByKey, half_hours: Sequence[int]
) -> dict[int, dict[int, dict[str, Any]]]:
    """Ledger values by meter and half-hour: the meter's own, and for processor time those of the power model."""
    if row.kind != "utilisation":
        measured = {one: _measured_row(one, facts, row.source) for one in half_hours}
        lost = loss_meter(connection, row.device_id, row.name) if row.covers == "machine_dc" else None
        if lost is None:
            return {row.id: measured}
        return {row.id: measured, lost: {one: _loss_row(measured[one]) for one in half_hours}}
    curves = _curves(connection, row.device_id)
    loads = {one: energy.add_loads(_each_epoch(one, facts, _load)) for one in half_hours}
    rows = {row.id: {one: _estimated_row(loads[one], _curve_at(curves, one), "watts") for one in half_hours}}
    if row.name == ESTIMATE_METER and (rest := rest_meter(connection, row.device_id)) is not None:
        rows[rest] = {one: _estimated_row(loads[one], _curve_at(curves, one), "rest") for one in half_hours}
    return rows


def _each_epoch(half_hour: int, facts: FactsByKey, compute: Callable[..., Any]) -> list[Any]:
    """What each epoch that has facts here, or on both sides of here, says of the half-hour."""
    by_epoch: dict[str, dict[int, Facts]] = {}
    for (at, epoch), one in facts.items():
        by_epoch.setdefault(epoch, {})[at] = one
    results = []
    for found in by_epoch.values():
        earlier = max((at for at in found if at < half_hour), default=None)
        later = min((at for at in found if at > half_hour), default=None)
        own = found.get(half_hour)
        if own is None and (earlier is None or later is None):
            continue
        results.append(
            compute(
                half_hour,
                own,
                None if earlier is None else _neighbour(earlier, found[earlier]),
                None if later is None else _neighbour(later, found[later]),
            )
        )
    return results


def _neighbour(half_hour: int, facts: Facts) -> Neighbour | None:
    return None if isinstance(facts, PowerFacts) else Neighbour(half_hour, facts)


def _measure(half_hour: int, own: Facts | None, before: Neighbour | None, after: Neighbour | None) -> Measured:
    if isinstance(own, PowerFacts):
        return energy.power_energy(own)
    return energy.counter_energy(half_hour, own if isinstance(own, CounterFacts) else None, before, after)


def _load(half_hour: int, own: Facts | None, before: Neighbour | None, after: Neighbour | None) -> Load:
    return energy.processor_load(half_hour, own if isinstance(own, UtilisationFacts) else None, before, after)


def _measured_row(half_hour: int, facts: FactsByKey, source: str) -> dict[str, Any]:
    whole = energy.add_measured(_each_epoch(half_hour, facts, _measure))
    low, high = measured_band(whole.energy_uj, source)
    evidence: dict[str, Any] = {}
    own = [one for (at, _), one in facts.items() if at == half_hour]
    counters = [one for one in own if isinstance(one, CounterFacts) and one.first and one.last]
    if counters:
        evidence["counters"] = [[one.first, one.last] for one in counters]
    if powers := [one for one in own if isinstance(one, PowerFacts)]:
        evidence["readings"] = sum(len(one.intervals) for one in powers)
    estimated = source in ESTIMATING_METERS
    amounts = (0, whole.energy_uj) if estimated else (whole.energy_uj, 0)
    method = "estimated" if estimated else "measured"
    return _values(*amounts, low, high, whole.covered_ms, whole.spread_ms, method, evidence)


def _loss_row(output: Mapping[str, Any]) -> dict[str, Any]:
    """What the power supply lost to give out this: estimated, of a supply of which nothing is known."""
    ratio = loss_ratio()
    given = output["measured_uj"] + output["estimated_uj"]
    return {
        **output,
        "measured_uj": 0,
        "estimated_uj": round(given * ratio.value),
        "low_uj": round(output["low_uj"] * ratio.low),
        "high_uj": round(output["high_uj"] * ratio.high),
        "method": "estimated",
        "model_version": SUPPLY_MODEL_VERSION,
        "evidence": json.dumps({"output_uj": given}, separators=(",", ":")),
    }


def _estimated_row(load: Load, curve: tuple[int, PowerCurve] | None, part: str) -> dict[str, Any]:
    evidence = {"covered_ms": list(load.covered_ms), "spread_ms": list(load.spread_ms)}
    covered_ms, spread_ms = sum(load.covered_ms), sum(load.spread_ms)
    if curve is None:
        return _values(0, 0, 0, 0, covered_ms, spread_ms, "estimated", evidence)
    version, model = curve
    watts: tuple[Watts, ...] = getattr(model, part)
    value, low, high = (
        energy.estimated_uj(load, [getattr(one, bound) for one in watts]) for bound in ("value", "low", "high")
    )
    row = _values(0, value, low, high, covered_ms, spread_ms, "estimated", evidence)
    return row | {"model_version": model.model_version, "inventory_version": version}


def _values(
    measured_uj: int,
    estimated_uj: int,
    low_uj: int,
    high_uj: int,
    covered_ms: int,
    spread_ms: int,
    method: str,
    evidence: Mapping[str, Any],
) -> dict[str, Any]:
    covered = min(HALF_HOUR_SECONDS, (covered_ms + 500) // 1000)
    return {
        "measured_uj": measured_uj,
        "estimated_uj": estimated_uj,
        "low_uj": low_uj,
        "high_uj": high_uj,
        "covered_seconds": covered,
        "spread_seconds": min(HALF_HOUR_SECONDS - covered, (spread_ms + 500) // 1000),
        "method": method,
        "model_version": "",
        "inventory_version": None,
        "evidence": json.dumps(evidence, separators=(",", ":")),
    }


def _curves(connection: Connection, device_id: str) -> list[tuple[int, int, PowerCurve]]:
    """(valid from, version, curve) of each inventory of a device, oldest first."""
    query = (
        select(inventory)
        .where(inventory.c.device_id == device_id)
        .order_by(inventory.c.valid_from, inventory.c.version)
    )
    return [(row.valid_from, row.version, curve_of(row.body)) for row in connection.execute(query)]


def _curve_at(curves: Sequence[tuple[int, int, PowerCurve]], half_hour: int) -> tuple[int, PowerCurve] | None:
    """The curve by the inventory valid at the half-hour's end; before the first inventory, the first."""
    if not curves:
        return None
    end = half_hour + HALF_HOUR_SECONDS
    _, version, curve = next((one for one in reversed(curves) if one[0] < end), curves[0])
    return version, curve


def write_rows(connection: Connection, meter_id: int, computed: Mapping[int, Mapping[str, Any]], now: int) -> set[int]:
    """Write the rows that differ from what stands; the half-hours written."""
    if not computed:
        return set()
    first, last = min(computed), max(computed)
    query = (
        select(ledger)
        .where(ledger.c.meter_id == meter_id, ledger.c.half_hour >= first, ledger.c.half_hour <= last)
        .order_by(ledger.c.half_hour, ledger.c.revision)
    )
    standing = {row.half_hour: row for row in connection.execute(query)}
    seals = connection.execute(
        select(sealed_period.c.period_from, sealed_period.c.period_to).where(
            sealed_period.c.period_from <= last, sealed_period.c.period_to > first
        )
    ).all()
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    written: set[int] = set()
    for half_hour, values in computed.items():
        row = standing.get(half_hour)
        if row is not None and all(getattr(row, name) == values[name] for name in _COMPARED):
            continue
        written.add(half_hour)
        sealed = any(begins <= half_hour < ends for begins, ends in seals)
        if row is None or sealed:
            revision = 1 if row is None else row.revision + 1
            new.append(
                {"meter_id": meter_id, "half_hour": half_hour, "revision": revision, "written_at": now, **values}
            )
        else:
            changed.append({"of_half_hour": half_hour, "of_revision": row.revision, **values})
    if changed:
        mine = (ledger.c.half_hour == bindparam("of_half_hour")) & (ledger.c.revision == bindparam("of_revision"))
        values = {name: bindparam(name) for name in changed[0] if name in ledger.c}
        connection.execute(
            update(ledger).where(ledger.c.meter_id == meter_id, mine).values(**values, written_at=now), changed
        )
    if new:
        connection.execute(insert(ledger), new)
    return written


@cache
def current() -> Any:
    """The condition that a ledger row is the one that holds: no higher revision stands beside it."""
    other = ledger.alias()
    higher = and_(
        other.c.meter_id == ledger.c.meter_id,
        other.c.half_hour == ledger.c.half_hour,
        other.c.revision > ledger.c.revision,
    )
    return ~select(other.c.revision).where(higher).exists()


def write_days(connection: Connection, meter_id: int, device_id: str, half_hours: set[int]) -> None:
    """Bring the days of these half-hours up to date, in the same transaction."""
    if not half_hours:
        return
    zone_name = connection.execute(
        select(organisation.c.time_zone).join(device).where(device.c.id == device_id)
    ).scalar_one()
    rows = []
    for day in sorted({local_day(half_hour, zone_name) for half_hour in half_hours}):
        begins, ends = day_bounds(day, zone_name)
        sums = [func.coalesce(func.sum(ledger.c[name]), 0).label(name) for name in AMOUNTS]
        query = select(*sums, func.count().label("half_hours")).where(
            ledger.c.meter_id == meter_id, ledger.c.half_hour >= begins, ledger.c.half_hour < ends, current()
        )
        found = connection.execute(query).mappings().one()
        amounts = {name: int(found[name]) for name in (*AMOUNTS, "half_hours")}
        rows.append({"meter_id": meter_id, "local_day": day.isoformat(), "dirty": False, **amounts})
    upsert(connection, ledger_day, rows, (*AMOUNTS, "half_hours", "dirty"))


def _compact(connection: Connection, meter_id: int, keys: Iterable[tuple[int, str]]) -> None:
    """Replace the parts of closed half-hours by one merged part.

    Only parts that were read here are deleted: one that another collector adds meanwhile stays beside the merged one.
    """
    for half_hour, epoch in keys:
        key = and_(
            energy_fact.c.meter_id == meter_id, energy_fact.c.half_hour == half_hour, energy_fact.c.epoch == epoch
        )
        parts = connection.execute(select(energy_fact.c.part, energy_fact.c.body).where(key)).all()
        if len(parts) <= 1:
            continue
        body = to_text(merge(from_text(row.body) for row in parts))
        connection.execute(delete(energy_fact).where(key, energy_fact.c.part.in_([row.part for row in parts])))
        connection.execute(
            insert(energy_fact).values(meter_id=meter_id, half_hour=half_hour, epoch=epoch, part="", body=body)
        )


def forget_old_facts(connection: Connection, now: int) -> int:
    """Delete facts of half-hours over 36 days old: readings are taken for 35, so their rows are final."""
    limit = now - 36 * 24 * 3600
    written = ~(
        select(ledger_due.c.meter_id)
        .where(ledger_due.c.meter_id == energy_fact.c.meter_id, ledger_due.c.half_hour == energy_fact.c.half_hour)
        .exists()
    )
    connection.execute(delete(guest_fact).where(guest_fact.c.half_hour < limit))
    return connection.execute(delete(energy_fact).where(energy_fact.c.half_hour < limit, written)).rowcount
