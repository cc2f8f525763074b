"""Which host a virtual machine was on when: its agent knows its UUID, and so does the host that runs it.

A link holds for the half-hours in which the machine had a part of a host's energy, and is looked up when figures are
read: it comes with the host's reports, however late, and is gone where the host was silent. Hosts of other
organisations do not count, nor does a machine in a public cloud, whose energy is Scope 3 whatever its UUID.
Containers see the UUID of the machine they run in, not one of their own, and are not linked.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from agent.inventory.uuids import byte_swapped, normalised
from carbon.calendar import HALF_HOUR_SECONDS
from collector.database.schema import device, guest_stay, meter

LINK_LASTS_SECONDS = 3 * HALF_HOUR_SECONDS
"""A half-hour's parts are known five minutes after its end: so long after its start is a machine's host its host still."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A virtual machine's stretch of half-hours on a host, from `start` to before `end` (Unix seconds)."""

    host_id: str
    organisation_id: int
    start: int
    end: int


def link_uuid(system_uuid: str) -> str:
    """One spelling of a UUID for both byte orders of its first groups, or "" for one that identifies nothing.

    >>> link_uuid("00112233-4455-6677-8899-aabbccddeeff") == link_uuid("33221100-5544-7766-8899-aabbccddeeff")
    True
    """
    known = normalised(system_uuid)
    return min(known, byte_swapped(known)) if known else ""


def stays(
    connection: Connection, start: int, end: int, uuids: Collection[str], open_from: int | None = None
) -> dict[str, list[Stay]]:
    """Stays of virtual machines between two half-hours, by their link UUID.

    With `open_from`, stays that last until then are taken to last on: what follows is not written yet.
    """
    if not uuids:
        return {}
    query = (
        select(guest_stay, meter.c.device_id, device.c.organisation_id)
        .join(meter, meter.c.id == guest_stay.c.meter_id)
        .join(device, device.c.id == meter.c.device_id)
        .where(guest_stay.c.link_uuid != "", guest_stay.c.valid_from < end)
        .where(guest_stay.c.valid_to > (start if open_from is None else min(start, open_from - 1)))
        .order_by(guest_stay.c.valid_from, guest_stay.c.meter_id)
    )
    if len(uuids) <= 100:
        query = query.where(guest_stay.c.link_uuid.in_(sorted(uuids)))
    found: dict[str, list[Stay]] = {}
    for row in connection.execute(query):
        if row.link_uuid in uuids:
            until = end if open_from is not None and row.valid_to >= open_from else row.valid_to
            stay = Stay(row.device_id, row.organisation_id, row.valid_from, until)
            found.setdefault(row.link_uuid, []).append(stay)
    return found
