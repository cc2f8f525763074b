"""Services that providers run for an organisation: cloud, software as a service, colocation; from month to month."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from carbon.errors import CarbonError
from carbon.months import middle_of
from collector.database.audit import audit
from collector.database.schema import device, device_placement, provider_service, site, space
from collector.errors import BadRequest, NotFound
from collector.sites import find_site
from collector.taking import Who

CATEGORIES = {"cloud": "1", "saas": "1", "colocation": "8"}
"""Category of Scope 3 by kind: purchased services; of leased space, upstream leased assets."""


@dataclass(frozen=True, slots=True)
class NewService:
    """A service as it is told, from `first_month` (YYYY-MM) on.

    `metered`: its devices are in the ledger already, so that its statements would count them twice.
    """

    name: str
    provider: str
    kind: str
    first_month: str
    scope_3_category: str = ""
    site: str = ""
    metered: bool = False


def services(connection: Connection, organisation_id: int) -> Sequence[Row[Any]]:
    """An organisation's services by name, with the name of their `site`."""
    query = (
        select(provider_service, site.c.name.label("site"))
        .outerjoin(site, site.c.id == provider_service.c.site_id)
        .where(provider_service.c.organisation_id == organisation_id)
        .order_by(provider_service.c.name)
    )
    return connection.execute(query).all()


def find_service(connection: Connection, organisation_id: int, name: str) -> Row[Any]:
    """The service of this name. Raises NotFound."""
    for row in services(connection, organisation_id):
        if row.name == name:
            return row
    raise NotFound(f"there is no service {name}", "see `ictagent carbon service list`")


def add_service(connection: Connection, organisation_id: int, new: NewService, who: Who) -> int:
    """Keep a service; its number. Raises BadRequest where there is one of this name."""
    if not new.name.strip() or not new.provider.strip():
        raise BadRequest("a service needs a name and a provider", "give both")
    if any(row.name == new.name for row in services(connection, organisation_id)):
        raise BadRequest(f"there is a service {new.name} already", "give another name, or end that one")
    values = {
        "organisation_id": organisation_id,
        "name": new.name,
        "provider": new.provider,
        "kind": new.kind,
        "scope_3_category": new.scope_3_category or CATEGORIES[new.kind],
        "site_id": find_site(connection, organisation_id, new.site) if new.site else None,
        "metered": new.metered,
        "first_month": _month(new.first_month),
        "last_month": None,
    }
    made = connection.execute(insert(provider_service).values(**values, added_at=who.now, actor=who.actor))
    service_id = int((made.inserted_primary_key or (0,))[0])
    audit(connection, who.now, who.actor, "carbon.service.add", str(service_id), values)
    return service_id


def end_service(
    connection: Connection, organisation_id: int, name: str, last_month: str, reason: str, who: Who
) -> None:
    """Let a service end with a month, that one included. Raises BadRequest where it begins later."""
    row = find_service(connection, organisation_id, name)
    if _month(last_month) < row.first_month:
        raise BadRequest(f"{name} begins with {row.first_month}", "give that month or a later one")
    connection.execute(update(provider_service).where(provider_service.c.id == row.id).values(last_month=last_month))
    detail = {"name": name, "last_month": last_month, "before": row.last_month, "reason": reason}
    audit(connection, who.now, who.actor, "carbon.service.end", str(row.id), detail)


def set_metered(connection: Connection, organisation_id: int, name: str, metered: bool, reason: str, who: Who) -> None:
    """Say whether a service's devices are in the ledger, so that its statements are memos."""
    row = find_service(connection, organisation_id, name)
    connection.execute(update(provider_service).where(provider_service.c.id == row.id).values(metered=metered))
    detail = {"name": name, "metered": metered, "before": bool(row.metered), "reason": reason}
    audit(connection, who.now, who.actor, "carbon.service.set", str(row.id), detail)


def devices_in_colocation(connection: Connection, service: Row[Any], first_month: str) -> int:
    """Devices that stood in a space of colocation since a month (YYYY-MM): at the service's site, or anywhere of the
    organisation where it has none. Their energy is in the ledger, as Scope 3, category 8.
    """
    since = int(datetime.datetime.fromisoformat(f"{first_month}-01T00:00:00+00:00").timestamp())
    query = (
        select(func.count(device_placement.c.device_id.distinct()))
        .join(space, space.c.id == device_placement.c.space_id)
        .join(device, device.c.id == device_placement.c.device_id)
        .where(
            device.c.organisation_id == service.organisation_id,
            space.c.kind == "colocation",
            or_(device_placement.c.valid_to.is_(None), device_placement.c.valid_to > since),
            or_(device.c.retired_at.is_(None), device.c.retired_at > since),
        )
    )
    if service.site_id is not None:
        query = query.where(space.c.site_id == service.site_id)
    return int(connection.execute(query).scalar_one())


def _month(text: str) -> str:
    try:
        middle_of(text)
    except CarbonError as error:
        raise BadRequest(str(error)) from error
    return text
