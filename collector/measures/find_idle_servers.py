"""Servers and virtual machines that were idle, from the utilisation that the ledger keeps as evidence of estimates."""

import json
from collections.abc import Iterable
from operator import add

from sqlalchemy import select

from carbon.measures.idle_servers import DAYS, LEAST_COVERED, ServerUse, idle_servers, utilisation_of
from carbon.measures.measure import Measure
from carbon.utilisation import BINS
from collector.database.schema import ledger
from collector.guest_queries import on_hosts
from collector.ledger import current
from collector.measures.look import Look, energy_of
from collector.segments import ESTIMATE_METER

CLASSES = ("server", "virtual_machine")


def find_idle_servers(look: Look) -> list[Measure]:
    """Of servers whose agent told their utilisation for 30 days."""
    devices = look.devices()
    told = [
        (one.device_id, one.id)
        for one in look.meters(ESTIMATE_METER, LEAST_COVERED)
        if one.device_id in devices and devices[one.device_id].device_class in CLASSES
    ]
    names = look.names(device_id for device_id, _ in told)
    return idle_servers(
        _use(look, device_id, meter_id, names[device_id], devices[device_id].device_class == "virtual_machine")
        for device_id, meter_id in told
    )


def _use(look: Look, device_id: str, meter_id: int, name: str, virtual: bool) -> ServerUse:
    bins, peak = _bins(look, meter_id)
    read_ms = sum(bins)
    busy = 1 - bins[0] / read_ms if read_ms else 1.0
    energy, _, measured = energy_of(look.half_hours(look.segments([device_id]).get(device_id, ())))
    active = 0
    if virtual:
        active = sum(one.active_uj for one in on_hosts(look.connection, device_id, look.start, look.end))
    covered = read_ms / 1000 / look.seconds
    return ServerUse(device_id, name, DAYS, busy, peak, energy, covered, measured, virtual, active)


def _bins(look: Look, meter_id: int) -> tuple[list[int], float]:
    """Milliseconds read in each bin, and the utilisation of the busiest half-hour."""
    query = select(ledger.c.evidence).where(
        ledger.c.meter_id == meter_id, ledger.c.half_hour >= look.start, ledger.c.half_hour < look.end, current()
    )
    rows: Iterable[str] = look.connection.execute(query).scalars()
    bins, peak = [0] * BINS, 0.0
    for evidence in rows:
        covered = json.loads(evidence).get("covered_ms")
        if covered:
            bins = list(map(add, bins, covered))
            peak = max(peak, utilisation_of(covered))
    return bins, peak
