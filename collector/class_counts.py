"""Plain numbers of devices by class, for an organisation whose register does not have the class; each dated."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from carbon.device_classes import CLASSES
from collector.database.audit import audit
from collector.database.dated import begin, withdraw
from collector.database.schema import class_count, site, space
from collector.errors import BadRequest, NotFound
from collector.estate_version import touch
from collector.sites import space_at


@dataclass(frozen=True, slots=True)
class CountKey:
    """What a number is of. `site_id` and `space_id` are None, and `directorate` is "", where it is of all of them."""

    organisation_id: int
    device_class: str
    site_id: int | None = None
    space_id: int | None = None
    directorate: str = ""

    @property
    def columns(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class CountRow:
    """So many devices from `since` to before `until` (Unix seconds; None: still); `site` and `space` are names."""

    key: CountKey
    site: str
    space: str
    devices: int
    source: str
    since: int
    until: int | None


def class_counts(connection: Connection, organisation_id: int) -> list[CountRow]:
    """All numbers ever, by class and place, the oldest first."""
    query = (
        select(
            class_count, class_count.c.count.label("devices"), site.c.name.label("site"), space.c.name.label("space")
        )
        .outerjoin(site, site.c.id == class_count.c.site_id)
        .outerjoin(space, space.c.id == class_count.c.space_id)
        .where(class_count.c.organisation_id == organisation_id)
        .order_by(class_count.c.valid_from, class_count.c.id)
    )
    order = list(CLASSES)
    found = [
        CountRow(
            CountKey(organisation_id, row.device_class, row.site_id, row.space_id, row.directorate),
            row.site or "",
            row.space or "",
            row.devices,
            row.source,
            row.valid_from,
            row.valid_to,
        )
        for row in connection.execute(query)
        if row.valid_to is None or row.valid_to > row.valid_from
    ]
    return sorted(found, key=lambda one: (order.index(one.key.device_class), one.site, one.space, one.key.directorate))


def set_count(connection: Connection, key: CountKey, count: int, source: str, since: int, actor: str, now: int) -> None:
    """Let a number hold from `since` (Unix seconds) until the next of the same key that is known; 0 ends it."""
    if key.device_class not in CLASSES:
        raise BadRequest(f"{key.device_class} is no class of devices", f"use one of {', '.join(CLASSES)}")
    if count < 0:
        raise BadRequest(f"{count} is no number of devices", "give 0 or more")
    values = {"count": count, "source": source, "actor": actor}
    begin(connection, class_count, key.columns, values, since)
    audit(connection, now, actor, "class_count.set", key.device_class, {**key.columns, **values, "since": since})
    touch(connection)


def undo_count(connection: Connection, key: CountKey, since: int, actor: str, now: int) -> None:
    """Take back a number that was set from `since` on: what held before it holds on. Raises NotFound."""
    undone = withdraw(connection, class_count, key.columns, since)
    if undone is None:
        raise NotFound("no such number was set from that day on", "see `ictagent estate profile counts`")
    detail = {**key.columns, "count": undone._asdict()["count"], "source": undone.source, "since": since}
    audit(connection, now, actor, "class_count.undo", key.device_class, detail)
    touch(connection)


def place_ids(
    connection: Connection, organisation_id: int, site_name: str, space_name: str, *, make_site: bool = False
) -> tuple[int | None, int | None]:
    """The ids of a site and of a space in it by their names, None for "". Raises NotFound.

    `make_site` makes a site that is new: an organisation that knows numbers alone may have none yet.
    """
    if not site_name:
        if space_name:
            raise BadRequest("a space belongs to a site", "give --site as well")
        return None, None
    mine = (site.c.organisation_id == organisation_id, site.c.name == site_name)
    site_id = connection.execute(select(site.c.id).where(*mine)).scalar()
    if site_id is None and make_site:
        made = insert(site).values(organisation_id=organisation_id, name=site_name).returning(site.c.id)
        site_id = connection.execute(made).scalar_one()
    if site_id is None:
        raise NotFound(f"there is no site {site_name}", "see `ictagent estate site list`")
    if not space_name:
        return int(site_id), None
    return int(site_id), space_at(connection, int(site_id), site_name, space_name)


def key_in(keys: Iterable[CountKey], site_id: int | None, space_id: int | None, directorate: str) -> CountKey | None:
    """The key that tells most of those which a device at a place may be among; None for none.

    A number of the device's room goes before one of its site, that before one of its directorate alone, and all of them
    before one of the whole organisation.
    """
    fitting = [
        one
        for one in keys
        if one.site_id in (None, site_id) and one.space_id in (None, space_id) and one.directorate in ("", directorate)
    ]
    told = [(one.space_id is not None, one.site_id is not None, one.directorate != "") for one in fitting]
    return fitting[max(range(len(fitting)), key=told.__getitem__)] if fitting else None
