"""Stretches of half-hours in which guests had a part of a host's energy, kept beside those parts."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from carbon.calendar import HALF_HOUR_SECONDS
from collector.database.schema import guest_stay, meter
from collector.guest_links import link_uuid


def write_stays(connection: Connection, device_id: str, present: Mapping[int, Mapping[int, str]]) -> None:
    """Bring a host's stays up to date in half-hours of which it is known which guests had a part, with what they were.

    `present` has for each half-hour (Unix seconds) the guests' descriptions by meter. The stays of a guest are the
    longest stretches without a gap under one UUID, whatever the order in which half-hours become known.
    """
    if not present:
        return
    first, last = min(present), max(present) + HALF_HOUR_SECONDS
    query = (
        select(guest_stay)
        .join(meter, meter.c.id == guest_stay.c.meter_id)
        .where(meter.c.device_id == device_id, guest_stay.c.valid_from <= last, guest_stay.c.valid_to >= first)
    )
    standing: dict[int, set[tuple[int, int, str]]] = {}
    for row in connection.execute(query):
        standing.setdefault(row.meter_id, set()).add((row.valid_from, row.valid_to, row.link_uuid))
    uuids: dict[int, dict[int, str]] = {}
    for at, guests in present.items():
        for meter_id, body in guests.items():
            uuids.setdefault(meter_id, {})[at] = link_uuid(json.loads(body)["system_uuid"])
    gone: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    for meter_id in sorted(standing.keys() | uuids.keys()):
        before = standing.get(meter_id, set())
        after = _joined(before, uuids.get(meter_id, {}), present)
        gone += [{"m": meter_id, "start": begins} for begins, _, _ in before - after]
        new += [
            {"meter_id": meter_id, "valid_from": begins, "valid_to": ends, "link_uuid": uuid}
            for begins, ends, uuid in sorted(after - before)
        ]
    if gone:
        mine = (guest_stay.c.meter_id == bindparam("m")) & (guest_stay.c.valid_from == bindparam("start"))
        connection.execute(delete(guest_stay).where(mine), gone)
    if new:
        connection.execute(insert(guest_stay), new)


def _joined(
    before: set[tuple[int, int, str]], there: Mapping[int, str], known: Mapping[int, Any]
) -> set[tuple[int, int, str]]:
    """A guest's stays with the half-hours that are known now put in the place of what stood for them."""
    pieces = [(at, at + HALF_HOUR_SECONDS, uuid) for at, uuid in there.items()]
    for begins, ends, uuid in before:
        start = begins
        for at in sorted(one for one in known if begins <= one < ends):
            if at > start:
                pieces.append((start, at, uuid))
            start = at + HALF_HOUR_SECONDS
        if ends > start:
            pieces.append((start, ends, uuid))
    joined: list[tuple[int, int, str]] = []
    for piece in sorted(pieces):
        if joined and joined[-1][1] == piece[0] and joined[-1][2] == piece[2]:
            joined[-1] = (joined[-1][0], piece[1], piece[2])
        else:
            joined.append(piece)
    return set(joined)
