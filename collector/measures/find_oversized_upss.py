"""UPSs that are too large, from what passed through them, what they lost, and what they say that they can give."""

from carbon.measures.measure import Measure
from carbon.measures.oversized_ups import DAYS, LEAST_COVERED, UpsUse, oversized_upss
from collector.measures.look import Look, MeterDays, energy_of
from collector.snmp.device_power import rated_watts
from collector.snmp.devices import last_reading
from collector.snmp.places import WHOLE
from collector.snmp.readings import Reading

OUTPUTS = "ups_output/"


def find_oversized_upss(look: Look) -> list[Measure]:
    """Of UPSs whose output was read, and which tell their rating."""
    devices = look.devices()
    passed: dict[str, list[MeterDays]] = {}
    for name in (OUTPUTS, WHOLE):
        told = [one for one in look.meters(name, LEAST_COVERED, begins=name == OUTPUTS) if one.device_id in devices]
        for device_id in {one.device_id for one in told} - passed.keys():
            passed[device_id] = [one for one in told if one.device_id == device_id]
    upss = [one for one in passed if devices[one].device_class == "ups"]
    segments, names = look.segments(upss), look.names(upss)
    found = []
    for device_id in upss:
        shown = last_reading(look.connection, device_id)
        rated = rated_watts([Reading(**one) for one in shown["readings"]]) if shown else None
        if rated is None:
            continue
        load = sum(one.energy_uj / 1e6 / one.covered_seconds for one in passed[device_id])
        loss, covered, _ = energy_of(look.half_hours(segments.get(device_id, ())))
        lost = loss if loss and covered >= LEAST_COVERED * look.seconds else None
        found.append(UpsUse(device_id, names[device_id], DAYS, rated, load, lost))
    return oversized_upss(found)
