"""Devices that were left on when nobody works, from their half-hours by local time."""

import datetime
from collections.abc import Sequence

from carbon.measures.measure import Measure
from carbon.measures.out_of_hours import DAYS, LEAST_COVERED, NEVER, NightUse, is_on, out_of_hours
from carbon.measures.working_hours import BEGINS_HOUR, is_working_time, local_time
from collector.device_energy import HalfHour
from collector.measures.look import Look, energy_of
from collector.taking import chunks

LEAST_NIGHT_SECONDS = 4 * 3600
"""With readings, of the hours from midnight to when work begins: less is no night that was read."""
_AT_ONCE = 200


def find_out_of_hours(look: Look) -> list[Measure]:
    """Of devices with readings of their own, whose class is nobody's servant."""
    devices = look.devices()
    read = {one.device_id for one in look.meters("", LEAST_COVERED, begins=True)}
    wanted = sorted(one for one in read if one in devices and devices[one].device_class not in NEVER)
    names = look.names(wanted)
    found = []
    for some in chunks(wanted, _AT_ONCE):
        for device_id, segments in look.segments(some).items():
            if all(one.counted for one in segments):
                rows = look.half_hours(segments)
                found.append(_use(look, device_id, names[device_id], devices[device_id].device_class, rows))
    return out_of_hours(found)


def _use(look: Look, device_id: str, name: str, device_class: str, rows: Sequence[HalfHour]) -> NightUse:
    nights: dict[datetime.date, list[HalfHour]] = {}
    working: list[HalfHour] = []
    out: list[HalfHour] = []
    for one in rows:
        at = local_time(one.half_hour, look.time_zone)
        (working if is_working_time(at) else out).append(one)
        if at.hour < BEGINS_HOUR:
            nights.setdefault(at.date(), []).append(one)
    working_watts = _watts(working)
    read = [night for night in nights.values() if energy_of(night)[1] >= LEAST_NIGHT_SECONDS]
    energy, seconds, _ = energy_of(out)
    _, covered, measured = energy_of(rows)
    return NightUse(
        device=device_id,
        name=name,
        asset_class=device_class,
        days=DAYS,
        nights_on=sum(is_on(_watts(night), working_watts) for night in read),
        nights_read=len(read),
        energy_uj=energy,
        seconds=seconds,
        covered=covered / look.seconds,
        measured=measured,
    )


def _watts(rows: Sequence[HalfHour]) -> float:
    energy, covered, _ = energy_of(rows)
    return energy / 1e6 / covered if covered else 0.0
