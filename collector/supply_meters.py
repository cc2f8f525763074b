"""Supply meters: the electricity supplier's own meters, each a device of kind `meter` that is known by its MPAN.

No agent reads them: their half-hours come in suppliers' files. What one measures passes through to everything behind it,
so its energy is in no device's figures; the metering tree says what becomes of it.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, or_, select

from agent.report import Inventory
from collector.database.dated import begin, history, valid_at
from collector.database.schema import (
    device,
    device_evidence,
    device_placement,
    inventory,
    ledger,
    ledger_day,
    meter,
    meter_bill,
    meter_edge,
    meter_file,
    meter_file_reading,
    meter_place,
    register_state,
    site,
)
from collector.errors import BadRequest
from collector.estate_version import touch
from collector.ledger import FEEDS
from collector.prepare import canonical

METER_KIND = "meter"
SUPPLIER = "supplier"
"""The source of a supply meter's energy (`carbon.uncertainty`)."""
ALWAYS = 0
"""Since when what is said of a new meter holds: it was there before its first file."""
READING_POINTS = {"whole_building": "building", "ict": "room_incomer"}
"""What a supply feeds, and what of PUE its reading holds then: cooling is behind the same meter."""


@dataclass(frozen=True, slots=True)
class NewMeter:
    """What is said of meters that are new: the site's name ("" where nobody says), and what they feed."""

    site: str = ""
    purpose: str = "whole_building"


@dataclass(slots=True)
class Made:
    """What an import made, so that it can be unmade: ids of sites and meters. A meter goes when no file that holds speaks of it."""

    sites: list[int] = field(default_factory=list)
    meters: list[int] = field(default_factory=list)


def meter_name(mpan: str) -> str:
    return f"mpan/{mpan}"


def supply_meters(connection: Connection, organisation_id: int | None = None) -> dict[str, Row[Any]]:
    """Supply meters by MPAN (`id`, `device_id`, `organisation_id`), of one organisation or of all. What is retired too."""
    query: Any = (
        select(meter.c.id, meter.c.name, meter.c.device_id, device.c.organisation_id)
        .join(device, device.c.id == meter.c.device_id)
        .where(meter.c.source == SUPPLIER)
    )
    if organisation_id is not None:
        query = query.where(device.c.organisation_id == organisation_id)
    return {row.name.partition("/")[2]: row for row in connection.execute(query).all()}


def is_supply_meter() -> ColumnElement[bool]:
    """The condition that a row of `device` is a supply meter: the supplier's, and so nothing that a register of ICT has."""
    return select(meter.c.id).where(meter.c.device_id == device.c.id, meter.c.source == SUPPLIER).exists()


def require_own(connection: Connection, organisation_id: int, mpans: Sequence[str]) -> None:
    """Raise BadRequest where a meter is another organisation's."""
    known = supply_meters(connection)
    for mpan in mpans:
        if mpan in known and known[mpan].organisation_id != organisation_id:
            raise BadRequest(
                f"the meter {mpan} is another organisation's", "say whose the file is: --organisation NAME"
            )


def require_same(connection: Connection, mpans: Sequence[str], site_name: str | None, purpose: str | None) -> None:
    """Raise BadRequest where a meter that is there stands elsewhere, or feeds something else, than is said of new ones."""
    known = supply_meters(connection)
    names = dict(connection.execute(select(site.c.id, site.c.name)).all())
    for row in (known[mpan] for mpan in mpans if mpan in known):
        placed = valid_at(history(connection, device_placement, {"device_id": row.device_id}), 2**62)
        standing = names.get(placed.site_id, "") if placed is not None else ""
        if site_name is not None and standing != site_name:
            raise BadRequest(
                f"{row.name} stands at {standing or 'no site'}",
                f"leave --site away, or move the meter: ictagent estate set {row.name.partition('/')[2]} --site NAME",
            )
        said = valid_at(history(connection, meter_place, {"meter_id": row.id}), 2**62)
        if purpose is not None and said is not None and said.purpose != purpose:
            raise BadRequest(
                f"{row.name} is a meter of {said.purpose}",
                "leave --purpose away, or say otherwise from a day on: ictagent estate meter set",
            )


def make_meters(
    connection: Connection, organisation_id: int, mpans: Sequence[str], new: NewMeter, actor: str, now: int, made: Made
) -> dict[str, Row[Any]]:
    """The meters of some MPANs by MPAN, made where there are none; what was made is added to `made`."""
    known = supply_meters(connection, organisation_id)
    if missing := [mpan for mpan in dict.fromkeys(mpans) if mpan not in known]:
        for mpan in missing:
            _make(connection, organisation_id, mpan, new, actor, now, made)
        touch(connection)
        known = supply_meters(connection, organisation_id)
    return {mpan: known[mpan] for mpan in dict.fromkeys(mpans)}


def _make(
    connection: Connection, organisation_id: int, mpan: str, new: NewMeter, actor: str, now: int, made: Made
) -> None:
    device_id = secrets.token_hex(6)
    row = {"id": device_id, "organisation_id": organisation_id, "kind": METER_KIND, "created_at": now}
    connection.execute(insert(device).values(**row, retired_at=None, merged_into=None))
    names = {"name": meter_name(mpan), "source": SUPPLIER, "kind": "energy", "covers": FEEDS, "parent": ""}
    added = insert(meter).values(device_id=device_id, created_at=now, **names).returning(meter.c.id)
    meter_id = int(connection.execute(added).scalar_one())
    made.meters.append(meter_id)
    body, sha256 = canonical(Inventory(host_name=mpan, model="electricity supply"))
    known = {"version": 1, "body": body, "sha256": sha256, "host_name": mpan, "platform": "", "link_uuid": None}
    begin(connection, inventory, {"device_id": device_id}, known, ALWAYS)
    seen = {"first_seen_at": now, "last_seen_at": now}
    connection.execute(insert(device_evidence).values(device_id=device_id, name="host_name", value=mpan, **seen))
    site_id = _site(connection, organisation_id, new.site, made) if new.site else None
    place = {"site_id": site_id, "space_id": None, "directorate": "", "owner": "", "actor": actor}
    begin(connection, device_placement, {"device_id": device_id}, place, ALWAYS)
    said = {"purpose": new.purpose, "reading_point": READING_POINTS[new.purpose], "site_id": None, "space_id": None}
    begin(
        connection,
        meter_place,
        {"meter_id": meter_id},
        {**said, "accounting": "auto", "reason": "", "actor": actor},
        ALWAYS,
    )


def _site(connection: Connection, organisation_id: int, name: str, made: Made) -> int:
    query = select(site.c.id).where(site.c.organisation_id == organisation_id, site.c.name == name)
    if (found := connection.execute(query).scalar()) is not None:
        return int(found)
    added = insert(site).values(organisation_id=organisation_id, name=name).returning(site.c.id)
    made.sites.append(int(connection.execute(added).scalar_one()))
    return made.sites[-1]


def meters_of(connection: Connection, file_id: int) -> list[Row[Any]]:
    """The supply meters (as `supply_meters`) of which a file has a reading or a bill, or that its import made."""
    this = meter_file.c.id == file_id
    made = json.loads(connection.execute(select(meter_file.c.created).where(this)).scalar_one()).get("meters", [])
    return [row for row in supply_meters(connection).values() if row.id in made or _speaks(connection, row.id, this)]


def unmake_meter(connection: Connection, one: Row[Any], file_id: int) -> None:
    """Remove a meter of a file that is being taken back, if nothing else speaks of it by now.

    One that is in a published period, in another file that holds, or linked in the metering tree stays.
    """
    if _needed(connection, one.id, one.device_id, file_id):
        return
    for table in (meter_file_reading, meter_bill, meter_place, ledger_day):
        connection.execute(delete(table).where(table.c.meter_id == one.id))
    for owned in (device_placement, device_evidence, inventory, meter):
        connection.execute(delete(owned).where(owned.c.device_id == one.device_id))
    connection.execute(delete(device).where(device.c.id == one.device_id))
    touch(connection)


def _speaks(connection: Connection, meter_id: int, which: ColumnElement[bool]) -> bool:
    """Whether some files have a reading or a bill of a meter."""
    return any(
        connection.execute(
            select(table.c.file_id).join(meter_file).where(table.c.meter_id == meter_id, which).limit(1)
        ).first()
        is not None
        for table in (meter_file_reading, meter_bill)
    )


def _needed(connection: Connection, meter_id: int, device_id: str, but: int) -> bool:
    """Whether anything speaks of a meter but one file."""
    if _speaks(connection, meter_id, (meter_file.c.state != "undone") & (meter_file.c.id != but)):
        return True
    linked = or_(
        meter_edge.c.parent_meter_id == meter_id,
        meter_edge.c.child_meter_id == meter_id,
        meter_edge.c.child_device_id == device_id,
    )
    others = (
        select(ledger.c.meter_id).where(ledger.c.meter_id == meter_id),
        select(meter_edge.c.id).where(linked),
        select(meter.c.id).where(meter.c.device_id == device_id, meter.c.id != meter_id),
        select(register_state.c.id).where(register_state.c.device_id == device_id),
    )
    return any(connection.execute(query.limit(1)).first() is not None for query in others)
