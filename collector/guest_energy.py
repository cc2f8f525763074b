"""Writes what each guest had of its host's half-hour, right after the host's ledger rows and in the same transaction.

A half-hour's parts are a pure function of the host's accounting rows, its inventory, and the facts of its processors
and guests in that half-hour and the two beside it. They are computed again whenever one of these changes, and only
what differs is written; in a sealed period as a higher revision. However many guests a host has, it takes the same
number of statements.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from carbon.calendar import HALF_HOUR_SECONDS
from carbon.facts import Facts, UtilisationFacts, from_text, merge, to_text
from carbon.footprint import Energy
from carbon.guests import GuestHalfHour, HostHalfHour, Part, extremes, idle_energy, share_out, time_used
from carbon.power_model import PowerCurve
from collector.database.schema import (
    energy_fact,
    guest_energy,
    guest_fact,
    guest_host,
    inventory,
    ledger_due,
    meter,
    sealed_period,
)
from collector.database.upsert import upsert
from collector.device_context import curve_of
from collector.device_energy import half_hours, ledger_rows
from collector.guest_stays import write_stays
from collector.ledger import ROLLED_AT_ONCE, closed_before
from collector.segments import ESTIMATE_METER, load_segments

ATTRIBUTED_AT_ONCE = 500
"""Half-hours times guests that one transaction writes, but at least one half-hour."""


@dataclass(slots=True)
class _Host:
    """What is read of a host for some half-hours."""

    device_id: str
    processors: int | None
    guest_ids: list[int]
    energy: dict[int, Energy] = field(default_factory=dict)
    bins: dict[int, list[int]] = field(default_factory=dict)
    epochs: dict[int, dict[str, dict[int, UtilisationFacts]]] = field(default_factory=dict)
    """Facts of its meters of processor time, by meter, epoch and half-hour."""
    described: dict[int, dict[int, str]] = field(default_factory=dict)
    """What its guests were, by half-hour and meter."""
    inventories: list[tuple[int, int, int, PowerCurve]] = field(default_factory=list)
    """(valid from, threads, memory in bytes, curve), oldest first."""


def attribute(connection: Connection, device_id: str, touched: Iterable[int], now: int) -> None:
    """Share out a host's closed half-hours that are due: those of its guests' facts, and `touched` ones of its own."""
    query = select(meter.c.id, meter.c.name, meter.c.covers).where(meter.c.device_id == device_id)
    meters = connection.execute(query).all()
    guest_ids = [row.id for row in meters if row.covers == "guest"]
    if not guest_ids:
        return
    processors = next((row.id for row in meters if row.name == ESTIMATE_METER), None)
    host = _Host(device_id, processors, guest_ids)
    newest = closed_before(now)
    wanted = _take_due(connection, device_id, len(guest_ids), newest) | set(touched)
    beside = {at + step for at in wanted for step in (-HALF_HOUR_SECONDS, 0, HALF_HOUR_SECONDS)}
    times = sorted(at for at in beside if at <= newest)
    if not times:
        return
    _read_guests(connection, host, times)
    _read_host(connection, host, times)
    parts = _read_facts(connection, host, times)
    computed = {at: _shared(host, at) for at in times}
    _write(connection, host, computed, now)
    _compact(connection, guest_ids, parts, set(times))


def attribute_again(connection: Connection, device_id: str, start: int, end: int) -> None:
    """Make a host's half-hours from `start` to before `end` due again, as far back as facts are kept."""
    chosen = (
        select(guest_fact.c.meter_id, guest_fact.c.half_hour)
        .join(meter, meter.c.id == guest_fact.c.meter_id)
        .where(meter.c.device_id == device_id, guest_fact.c.half_hour >= start, guest_fact.c.half_hour < end)
        .distinct()
        .order_by(guest_fact.c.meter_id, guest_fact.c.half_hour)
    )
    rows = connection.execute(chosen).mappings()
    upsert(connection, ledger_due, [dict(row) for row in rows])


def _guests_of(device_id: str) -> Any:
    return select(meter.c.id).where(meter.c.device_id == device_id, meter.c.covers == "guest")


def _take_due(connection: Connection, device_id: str, guests: int, newest: int) -> set[int]:
    """The oldest due half-hours of a host's guests, taken off before their facts are read."""
    mine = (ledger_due.c.meter_id.in_(_guests_of(device_id))) & (ledger_due.c.half_hour <= newest)
    most = max(1, min(ROLLED_AT_ONCE, ATTRIBUTED_AT_ONCE // guests))
    oldest = select(ledger_due.c.half_hour).where(mine).distinct().order_by(ledger_due.c.half_hour).limit(most)
    due = list(connection.execute(oldest).scalars())
    if not due:
        return set()
    taken = delete(ledger_due).where(ledger_due.c.meter_id.in_(_guests_of(device_id)), ledger_due.c.half_hour.in_(due))
    connection.execute(taken)
    return set(due)


def _read_guests(connection: Connection, host: _Host, times: Sequence[int]) -> None:
    query = select(guest_fact).where(
        guest_fact.c.meter_id.in_(_guests_of(host.device_id)), guest_fact.c.half_hour.in_(times)
    )
    for row in connection.execute(query):
        there = host.described.setdefault(row.half_hour, {})
        there[row.meter_id] = max(there.get(row.meter_id, row.body), row.body, key=_size)


def _size(body: str) -> tuple[float, int, str]:
    """Of two descriptions in one half-hour the larger holds, in whatever order they came."""
    found = json.loads(body)
    return found["vcpus"], found["memory_bytes"], body


def _read_host(connection: Connection, host: _Host, times: Sequence[int]) -> None:
    start, end = times[0], times[-1] + HALF_HOUR_SECONDS
    segments = load_segments(connection, start, end, [host.device_id])
    ids = {one for segment in segments for one in segment.meter_ids}
    if host.processors is not None:
        ids.add(host.processors)
    rows = ledger_rows(connection, ids, start, end)
    host.energy = {one.half_hour: one.energy for one in half_hours(segments, rows)}
    for at, row in rows.get(host.processors or 0, {}).items():
        evidence = json.loads(row["evidence"])
        pairs = zip(evidence.get("covered_ms", ()), evidence.get("spread_ms", ()), strict=True)
        host.bins[at] = [covered + spread for covered, spread in pairs]
    query = select(inventory.c.valid_from, inventory.c.body).where(inventory.c.device_id == host.device_id)
    for row in connection.execute(query.order_by(inventory.c.valid_from, inventory.c.version)):
        body = json.loads(row.body)
        threads = body.get("cpu_threads") or body.get("cpu_cores") or 0
        host.inventories.append((row.valid_from, threads, body.get("memory_bytes") or 0, curve_of(row.body)))


PartsByKey = dict[tuple[int, int, str], list[tuple[str, Facts]]]
"""(part, facts) by meter, half-hour and epoch."""


def _read_facts(connection: Connection, host: _Host, times: Sequence[int]) -> PartsByKey:
    """Facts of the guests' and the host's processor time in these half-hours and beside them."""
    around = sorted({at + step for at in times for step in (-HALF_HOUR_SECONDS, 0, HALF_HOUR_SECONDS)})
    parts: PartsByKey = {}
    of_guests = energy_fact.c.meter_id.in_(_guests_of(host.device_id))
    mine = of_guests if host.processors is None else of_guests | (energy_fact.c.meter_id == host.processors)
    for row in connection.execute(select(energy_fact).where(mine, energy_fact.c.half_hour.in_(around))):
        key = (row.meter_id, row.half_hour, row.epoch)
        parts.setdefault(key, []).append((row.part, from_text(row.body)))
    for (meter_id, at, epoch), found in parts.items():
        facts = merge(one for _, one in found)
        if isinstance(facts, UtilisationFacts):
            host.epochs.setdefault(meter_id, {}).setdefault(epoch, {})[at] = facts
    return parts


@dataclass(frozen=True, slots=True)
class _Shared:
    """What is written of a half-hour: the host's row, and its guests' by meter."""

    host: dict[str, Any]
    guests: dict[int, dict[str, Any]]


def _shared(host: _Host, half_hour: int) -> _Shared | None:
    """A half-hour's parts; None where the host had no guests, or nothing is known of its energy or size."""
    energy, described = host.energy.get(half_hour), host.described.get(half_hour)
    known = _inventory_at(host, half_hour)
    if energy is None or energy.total_uj <= 0 or not described or known is None:
        return None
    _, threads, memory_bytes, curve = known
    epochs = host.epochs.get(host.processors or 0, {})
    whole = HostHalfHour(
        energy_uj=energy.total_uj,
        low_uj=energy.low_uj,
        high_uj=energy.high_uj,
        idle_uj=idle_energy(energy.total_uj, host.bins.get(half_hour, ()), [one.value for one in curve.watts]),
        threads=threads,
        memory_bytes=memory_bytes,
        used=time_used(epochs.values(), half_hour),
    )
    guests = {}
    for meter_id, body in sorted(described.items()):
        size = json.loads(body)
        used = time_used(host.epochs.get(meter_id, {}).values(), half_hour)
        if used.ran_ms:
            guests[meter_id] = GuestHalfHour(size["vcpus"], size["memory_bytes"], used)
    if not guests:
        return None
    shared = share_out(whole, list(guests.values()))
    row = {
        **{"energy_uj": whole.energy_uj, "low_uj": whole.low_uj, "high_uj": whole.high_uj},
        **_named("itself_", shared.host_itself),
        **_named("headroom_", shared.headroom),
        "model_version": curve.model_version,
    }
    parts = {
        meter_id: {
            "idle_uj": part.idle_uj,
            "active_uj": part.active_uj,
            "low_uj": part.low_uj,
            "high_uj": part.high_uj,
            "ran_seconds": (guest.used.ran_ms + 500) // 1000,
            "body": described[meter_id],
        }
        for (meter_id, guest), part in zip(guests.items(), shared.guests, strict=True)
    }
    return _Shared(row, parts)


def _inventory_at(host: _Host, half_hour: int) -> tuple[int, int, int, PowerCurve] | None:
    """What was valid at the half-hour's end; before the first inventory, the first."""
    end = half_hour + HALF_HOUR_SECONDS
    rows = host.inventories
    return next((one for one in reversed(rows) if one[0] < end), rows[0] if rows else None)


def _named(prefix: str, part: Part) -> dict[str, int]:
    return {f"{prefix}energy_uj": part.energy_uj, f"{prefix}low_uj": part.low_uj, f"{prefix}high_uj": part.high_uj}


def _write(connection: Connection, host: _Host, computed: Mapping[int, _Shared | None], now: int) -> None:
    """Write the half-hours that differ from what stands, and the stays that follow."""
    first, last = min(computed), max(computed)
    standing_hosts = _standing_hosts(connection, host.device_id, first, last)
    standing_guests = _standing_guests(connection, host.device_id, first, last)
    seals = connection.execute(
        select(sealed_period.c.period_from, sealed_period.c.period_to).where(
            sealed_period.c.period_from <= last, sealed_period.c.period_to > first
        )
    ).all()
    old: list[tuple[int, int]] = []
    host_rows: list[dict[str, Any]] = []
    guest_rows: list[dict[str, Any]] = []
    present: dict[int, dict[int, str]] = {}
    for at, shared in computed.items():
        revision, row = standing_hosts.get(at, (0, None))
        guests = standing_guests.get((at, revision), {})
        sealed = any(begins <= at < ends for begins, ends in seals)
        if shared is None and revision and sealed:
            present[at] = {meter_id: one["body"] for meter_id, one in guests.items()}
            continue
        present[at] = {meter_id: one["body"] for meter_id, one in shared.guests.items()} if shared else {}
        if (row, guests) == (None, {}) if shared is None else (shared.host, shared.guests) == (row, guests):
            continue
        if revision and not sealed:
            old.append((at, revision))
        if shared is None:
            continue
        key = {"half_hour": at, "revision": revision + 1 if sealed or not revision else revision}
        host_rows.append({"device_id": host.device_id, **key, **shared.host, "written_at": now})
        guest_rows.extend({"meter_id": meter_id, **key, **one} for meter_id, one in shared.guests.items())
    _delete(connection, host, old)
    if host_rows:
        connection.execute(insert(guest_host), host_rows)
    if guest_rows:
        connection.execute(insert(guest_energy), guest_rows)
    write_stays(connection, host.device_id, present)


def _standing_hosts(
    connection: Connection, device_id: str, first: int, last: int
) -> dict[int, tuple[int, dict[str, Any]]]:
    """The newest revision of each half-hour, and its row without keys."""
    query = (
        select(guest_host)
        .where(guest_host.c.device_id == device_id, guest_host.c.half_hour >= first, guest_host.c.half_hour <= last)
        .order_by(guest_host.c.half_hour, guest_host.c.revision)
    )
    keys = ("device_id", "half_hour", "revision", "written_at")
    return {
        row["half_hour"]: (row["revision"], {name: value for name, value in row.items() if name not in keys})
        for row in connection.execute(query).mappings()
    }


def _standing_guests(
    connection: Connection, device_id: str, first: int, last: int
) -> dict[tuple[int, int], dict[int, dict[str, Any]]]:
    query = select(guest_energy).where(
        guest_energy.c.meter_id.in_(_guests_of(device_id)),
        guest_energy.c.half_hour >= first,
        guest_energy.c.half_hour <= last,
    )
    found: dict[tuple[int, int], dict[int, dict[str, Any]]] = {}
    keys = ("meter_id", "half_hour", "revision")
    for row in connection.execute(query).mappings():
        values = {name: value for name, value in row.items() if name not in keys}
        found.setdefault((row["half_hour"], row["revision"]), {})[row["meter_id"]] = values
    return found


def _delete(connection: Connection, host: _Host, keys: Sequence[tuple[int, int]]) -> None:
    """Take away revisions of half-hours that are written anew."""
    if not keys:
        return
    wanted = [{"at": at, "number": revision} for at, revision in keys]
    for table, mine in (
        (guest_host, guest_host.c.device_id == host.device_id),
        (guest_energy, guest_energy.c.meter_id.in_(_guests_of(host.device_id))),
    ):
        statement = delete(table).where(
            mine, table.c.half_hour == bindparam("at"), table.c.revision == bindparam("number")
        )
        connection.execute(statement, wanted)


def _compact(connection: Connection, guest_ids: Sequence[int], parts: PartsByKey, closed: set[int]) -> None:
    """One row for each guest, half-hour and epoch, with its first and last point: parts that were read here, merged."""
    gone: list[dict[str, Any]] = []
    merged: list[dict[str, Any]] = []
    mine = set(guest_ids)
    for (meter_id, at, epoch), found in parts.items():
        if meter_id not in mine or at not in closed or len(found) < 2:
            continue
        facts = merge(one for _, one in found)
        assert isinstance(facts, UtilisationFacts)  # noqa: S101  # guests' meters tell nothing else (collector.checks)
        key = {"meter_id": meter_id, "half_hour": at, "epoch": epoch}
        gone += [{"m": meter_id, "h": at, "e": epoch, "p": part} for part, _ in found]
        merged.append({**key, "part": "", "body": to_text(extremes(facts))})
    if not gone:
        return
    statement = delete(energy_fact).where(
        energy_fact.c.meter_id == bindparam("m"),
        energy_fact.c.half_hour == bindparam("h"),
        energy_fact.c.epoch == bindparam("e"),
        energy_fact.c.part == bindparam("p"),
    )
    connection.execute(statement, gone)
    connection.execute(insert(energy_fact), merged)
