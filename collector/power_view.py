"""What a device feeds and what it is fed by, as pages, the API and commands show it, with what passes now."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from collector.database.schema import device_status, inventory, snmp_device
from collector.power_path import Link, known_places, links
from collector.power_proposals import Proposal, proposals
from collector.snmp.devices import last_reading
from collector.snmp.places import Place, places_of

FRESH_SECONDS = 900
"""A reading is kept for pages every five minutes; an older one than three of these says nothing of now."""


@dataclass(frozen=True, slots=True)
class ShownLink:
    """A link in words. `watts` is what passes to the device now, None where it is not known; times are Unix seconds."""

    id: int
    parent_id: str
    parent_name: str
    place: str
    label: str
    child_id: str
    child_name: str
    share: float | None
    valid_from: int
    valid_to: int | None
    watts: float | None
    child_place: str = ""
    """The meter of the child that it goes into, where a person said so."""


@dataclass(frozen=True, slots=True)
class ShownProposal:
    """A proposed link in words, with its evidence."""

    id: int
    parent_id: str
    parent_name: str
    place: str
    label: str
    child_id: str
    child_name: str
    state: str
    score: float
    evidence: tuple[str, ...]
    first_seen_at: int
    decided_at: int | None
    decided_by: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a device's outlets tell beside what it tells itself. Watts; percent of its own reading."""

    outlets_watts: float
    own_watts: float
    own_method: str
    difference_watts: float
    difference_percent: float


@dataclass(frozen=True, slots=True)
class PowerPath:
    """Both sides of one device. `why_not_compared` says why there is no comparison, "" where there is, or nothing to do."""

    feeds: list[ShownLink]
    fed_by: list[ShownLink]
    proposals: list[ShownProposal]
    comparison: Comparison | None
    why_not_compared: str


def power_path(connection: Connection, device_id: str, now: int | None = None) -> PowerPath:
    """What a device feeds and what it is fed by, links that ended too; and the open proposals at either end of it."""
    at = int(time.time()) if now is None else now
    found = shown_links(connection, links(connection, [device_id]), at)
    fed_by = [one for one in found if one.child_id == device_id]
    comparison, why = _compared(connection, device_id, fed_by, at)
    return PowerPath(
        [one for one in found if one.parent_id == device_id],
        fed_by,
        shown_proposals(connection, proposals(connection, "proposed", [device_id])),
        comparison,
        why,
    )


def shown_links(connection: Connection, found: Iterable[Link], now: int) -> list[ShownLink]:
    """Links in words; what passes now is told of those that hold."""
    wanted = list(found)
    names = device_names(connection, {one for link in wanted for one in (link.parent_device_id, link.child_device_id)})
    places = {one: _places_now(connection, one, now) for one in {link.parent_device_id for link in wanted}}
    shown = []
    for one in wanted:
        place, fresh = places[one.parent_device_id].get(one.place, (Place(one.place, "", ""), False))
        holds = one.valid_from <= now and (one.valid_to is None or now < one.valid_to)
        known = fresh and holds and place.watts is not None and one.share is not None
        shown.append(
            ShownLink(
                one.id,
                one.parent_device_id,
                names[one.parent_device_id],
                one.place,
                place.label,
                one.child_device_id,
                names[one.child_device_id],
                one.share,
                one.valid_from,
                one.valid_to,
                round((place.watts or 0) * (one.share or 0), 3) if known else None,
                one.child_place,
            )
        )
    return shown


def shown_proposals(connection: Connection, found: Iterable[Proposal]) -> list[ShownProposal]:
    """Proposals in words."""
    wanted = list(found)
    names = device_names(connection, {one for each in wanted for one in (each.parent_device_id, each.child_device_id)})
    return [
        ShownProposal(
            one.id,
            one.parent_device_id,
            names[one.parent_device_id],
            one.place,
            one.label,
            one.child_device_id,
            names[one.child_device_id],
            one.state,
            one.score,
            tuple(f"{_HOW.get(part.how, part.how)}: {part.detail}" for part in one.evidence),
            one.first_seen_at,
            one.decided_at,
            one.decided_by,
        )
        for one in wanted
    ]


_HOW = {
    "outlet_name": "outlet's name",
    "port_alias": "port's description",
    "lldp": "LLDP",
    "cdp": "CDP",
    "configuration": "file",
    "person": "by hand",
}


def device_names(connection: Connection, ids: Iterable[str]) -> Mapping[str, str]:
    """What devices are called: as the newest inventory has it, else as they were added, else by their id."""
    wanted = sorted(set(ids))
    found = dict(zip(wanted, wanted, strict=True))
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        for query in (
            select(snmp_device.c.device_id, snmp_device.c.name).where(snmp_device.c.device_id.in_(some)),
            select(inventory.c.device_id, inventory.c.host_name).where(
                inventory.c.device_id.in_(some), inventory.c.valid_to.is_(None)
            ),
        ):
            found |= {row[0]: row[1] for row in connection.execute(query) if row[1]}
    return found


def _places_now(connection: Connection, device_id: str, now: int) -> dict[str, tuple[Place, bool]]:
    """A device's places by their meters' names, each with whether what was read of it is of now."""
    shown = last_reading(connection, device_id)
    fresh = shown is not None and now - shown["at"] <= FRESH_SECONDS
    measured = {one.meter: (one, fresh) for one in (places_of(shown) if shown else [])}
    others = {name: (place, False) for name, place in known_places(connection, device_id).items()}
    return others | measured


def _compared(
    connection: Connection, device_id: str, fed_by: Iterable[ShownLink], now: int
) -> tuple[Comparison | None, str]:
    standing = [
        one for one in fed_by if one.share is not None and one.valid_from <= now and (one.valid_to or now + 1) > now
    ]
    if not standing:
        return None, ""
    if missing := [one for one in standing if one.watts is None]:
        return None, f"{missing[0].parent_name} tells no watts of {missing[0].label or missing[0].place} now"
    query = select(device_status).where(device_status.c.device_id == device_id)
    own = connection.execute(query).first()
    if own is None or not own.power_watts or now - own.last_report_at > FRESH_SECONDS:
        return None, "the device itself tells no power now"
    outlets = sum(one.watts or 0 for one in standing)
    difference = outlets - own.power_watts
    return Comparison(outlets, own.power_watts, own.method, difference, 100 * difference / own.power_watts), ""
