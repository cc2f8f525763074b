"""What a report may say of guests: each is checked by itself, and a bad one costs only itself, never its host's energy.

A guest and its meter belong together: a meter that no guest in the report describes has no size to count by, and a
guest without a meter no time. Their texts become keys, which databases bound.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from agent.inventory.uuids import normalised
from agent.report import Guest, Meter
from collector.checks import GUEST_METERS, LONGEST_TAG, MeterReadings
from collector.guest_links import link_uuid
from collector.wire import Refused

MOST_VCPUS = 65_536
MOST_MEMORY_BYTES = 2**50
"""Beyond the largest machines that are sold: such a size is a defect, and would take every other guest's share."""


def good_guests(guests: Sequence[Guest], meters: Sequence[Meter], refused: Refused) -> dict[str, Guest]:
    """The guests that may be kept, by the name of their meter."""
    metered = {meter.name for meter in meters if meter.covers == "guest"}
    good: dict[str, Guest] = {}
    uuids: set[str] = set()
    for guest in guests:
        uuid = link_uuid(guest.system_uuid)
        reason = _wrong(guest)
        if not reason and guest.meter not in metered:
            reason = "guest without its meter in the report"
        elif not reason and guest.meter in good:
            reason = "guest named twice in the report"
        elif not reason and uuid and uuid in uuids:
            reason = "guest with the UUID of another in the report"
        if reason:
            refused.add(reason, guest)
            continue
        good[guest.meter] = guest
        uuids.add(uuid)
    return good


def of_known_guests(
    readings: Iterable[MeterReadings], guests: Mapping[str, Guest], refused: Refused
) -> list[MeterReadings]:
    """The readings without those of guests' meters whose guest is not known."""
    kept: list[MeterReadings] = []
    for one in readings:
        if one.meter.covers != "guest" or one.meter.name in guests:
            kept.append(one)
            continue
        for reading in one.readings:
            refused.add("reading of a guest that the report does not describe", (one.meter.name, reading))
    return kept


def guest_body(guest: Guest) -> str:
    """A guest as canonical JSON."""
    known = asdict(guest) | {"system_uuid": normalised(guest.system_uuid), "vcpus": round(guest.vcpus, 3)}
    return json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _wrong(guest: Guest) -> str:
    """Why a guest cannot be kept, or nothing."""
    if not guest.meter.startswith(GUEST_METERS):
        return "guest whose meter is not called guest/..."
    if any(len(one) > LONGEST_TAG or not one.isprintable() for one in (guest.meter, guest.name, guest.system_uuid)):
        return "guest with a text too long or not printable"
    if not (math.isfinite(guest.vcpus) and 0 <= guest.vcpus <= MOST_VCPUS):
        return "guest with an impossible number of processors"
    if not 0 <= guest.memory_bytes <= MOST_MEMORY_BYTES:
        return "guest with an impossible size of memory"
    return ""
