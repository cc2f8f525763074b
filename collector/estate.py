"""Edits of the estate: each is dated, audited, and counts the estate's version up so that caches notice."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from collector.database.audit import audit
from collector.database.dated import begin
from collector.database.estate import SPACE_KINDS
from collector.database.schema import device, device_evidence, device_placement, site, space
from collector.errors import BadRequest, NotFound
from collector.estate_version import touch
from collector.history import history_edit
from collector.snmp.poe_feed import end_feeds
from collector.spaces import make_space, set_kind


@dataclass(frozen=True, slots=True)
class Placement:
    """What is to be set of a device's place; None leaves it as it is, "" clears it. `kind` is the space's kind."""

    site: str | None = None
    space: str | None = None
    kind: str | None = None
    owner: str | None = None
    directorate: str | None = None


def find_device(connection: Connection, name: str) -> str:
    """The device with this id, or the only one with this host name. Raises NotFound, or BadRequest for several."""
    if connection.execute(select(device.c.id).where(device.c.id == name)).scalar():
        return name
    query = (
        select(device_evidence.c.device_id)
        .join(device, device.c.id == device_evidence.c.device_id)
        .where(device_evidence.c.name == "host_name", device_evidence.c.value == name, device.c.merged_into.is_(None))
        .distinct()
    )
    found = list(connection.execute(query).scalars())
    if not found:
        raise NotFound(f"there is no device {name}", "see `ictagent estate list`")
    if len(found) > 1:
        raise BadRequest(f"{len(found)} devices are called {name}: {', '.join(sorted(found))}", "give the device id")
    return str(found[0])


def place(connection: Connection, device_id: str, wanted: Placement, actor: str, now: int) -> None:
    """Put a device somewhere from now on; what was true before stays true of the past."""
    current = connection.execute(
        select(device_placement).where(device_placement.c.device_id == device_id, device_placement.c.valid_to.is_(None))
    ).first()
    site_id = current.site_id if current else None
    space_id = current.space_id if current else None
    if wanted.site is not None:
        site_id, space_id = (_site(connection, device_id, wanted.site) if wanted.site else None), None
    if wanted.space is not None:
        if site_id is None and wanted.space:
            raise BadRequest("a space belongs to a site, and the device has none", "give --site as well")
        space_id = _space(connection, site_id, wanted.space, wanted.kind, now) if wanted.space and site_id else None
    elif wanted.kind is not None:
        if space_id is None:
            raise BadRequest("the kind is a space's, and the device has none", "give --space as well")
        set_kind(connection, space_id, wanted.kind, now)
    values = {
        "site_id": site_id,
        "space_id": space_id,
        "directorate": _or(wanted.directorate, current.directorate if current else ""),
        "owner": _or(wanted.owner, current.owner if current else ""),
        "actor": actor,
    }
    begin(connection, device_placement, {"device_id": device_id}, values, now)
    audit(connection, now, actor, "estate.set", device_id, _given(wanted))
    touch(connection)


def retire(
    connection: Connection, device_id: str, actor: str, now: int, collector_id: str, *, undo: bool = False
) -> None:
    """Take a device out of use from now on, or back into it as if it had never been out.

    Raises BadRequest where that is so already: retiring again would move the day until which it counts.
    """
    retired_at = connection.execute(select(device.c.retired_at).where(device.c.id == device_id)).scalar_one()
    if undo and retired_at is None:
        raise BadRequest(f"the device {device_id} is in use", "see `ictagent estate list --retired`")
    if not undo and retired_at is not None:
        day = f"{datetime.datetime.fromtimestamp(retired_at, datetime.UTC):%Y-%m-%d}"
        raise BadRequest(f"the device {device_id} is retired since {day}", "take it back with --undo")
    with history_edit(connection, device_id, now if retired_at is None else retired_at, now, collector_id):
        connection.execute(update(device).where(device.c.id == device_id).values(retired_at=None if undo else now))
        if not undo:
            end_feeds(connection, device_id, now)
    audit(connection, now, actor, "estate.unretire" if undo else "estate.retire", device_id, {})
    touch(connection)


def _or(new: str | None, old: str) -> str:
    return old if new is None else new


def _given(wanted: Placement) -> Mapping[str, object]:
    names = ("site", "space", "kind", "owner", "directorate")
    return {name: value for name in names if (value := getattr(wanted, name)) is not None}


def _site(connection: Connection, device_id: str, name: str) -> int:
    organisation_id = connection.execute(select(device.c.organisation_id).where(device.c.id == device_id)).scalar_one()
    query = select(site.c.id).where(site.c.organisation_id == organisation_id, site.c.name == name)
    if (found := connection.execute(query).scalar()) is not None:
        return int(found)
    made = insert(site).values(organisation_id=organisation_id, name=name).returning(site.c.id)
    return int(connection.execute(made).scalar_one())


def _space(connection: Connection, site_id: int, name: str, kind: str | None, now: int) -> int:
    found = connection.execute(select(space.c.id).where(space.c.site_id == site_id, space.c.name == name)).scalar()
    if found is not None:
        if kind is not None:
            set_kind(connection, int(found), kind, now)
        return int(found)
    if kind is None:
        raise BadRequest(f"the space {name} is new", f"say what it is with --kind: {', '.join(SPACE_KINDS)}")
    return make_space(connection, site_id, name, kind)
