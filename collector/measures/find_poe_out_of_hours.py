"""PoE ports that deliver when nobody works: of ports that a person linked, because of these alone half-hours are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from carbon.measures.measure import Measure
from carbon.measures.poe_out_of_hours import DAYS, LEAST_COVERED, PoeUse, poe_out_of_hours
from carbon.measures.working_hours import is_working_time, local_time
from collector.device_energy import ledger_rows
from collector.measures.look import Look, MeterDays

PORTS = "poe_port/"


@dataclass(slots=True)
class _Sums:
    ports: int = 0
    delivered_uj: int = 0
    out_of_hours_uj: int = 0


def find_poe_out_of_hours(look: Look) -> list[Measure]:
    """Of switches with ports whose half-hours are kept."""
    devices = look.devices()
    ports: dict[str, list[MeterDays]] = {}
    for one in look.meters(PORTS, LEAST_COVERED, begins=True):
        if one.device_id in devices and one.energy_uj:
            ports.setdefault(one.device_id, []).append(one)
    names = look.names(ports)
    found = []
    for switch, mine in ports.items():
        sums = _sums(look, mine)
        found.append(PoeUse(switch, names[switch], DAYS, sums.ports, sums.delivered_uj, sums.out_of_hours_uj))
    return poe_out_of_hours(found)


def _sums(look: Look, ports: Sequence[MeterDays]) -> _Sums:
    sums = _Sums(ports=len(ports))
    for rows in ledger_rows(look.connection, [one.id for one in ports], look.start, look.end).values():
        for at, row in rows.items():
            energy = row["measured_uj"] + row["estimated_uj"]
            sums.delivered_uj += energy
            if not is_working_time(local_time(at, look.time_zone)):
                sums.out_of_hours_uj += energy
    return sums
