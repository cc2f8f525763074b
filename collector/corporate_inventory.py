"""The boundary register: whether energy is in the council's corporate (building) inventory, by site and service, dated.

Without a word on it, what buildings of its own supply use is in it, and homes and landlords' supplies are not.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Row, select

from carbon.activity import Inside, Supply
from carbon.device_classes import SERVICE_CATEGORIES
from collector.database.audit import audit
from collector.database.dated import begin, withdraw
from collector.database.footprint import INSIDE
from collector.database.schema import inventory_boundary, site
from collector.errors import BadRequest, NotFound
from collector.estate_version import touch
from collector.sites import find_site
from collector.taking import Who

BY_SUPPLY: dict[Supply, Inside] = {"own": "yes", "landlord": "no", "home": "no"}
"""What holds where nobody said anything."""


@dataclass(frozen=True, slots=True)
class BoundaryRow:
    """What a person said: of a site ("" for all) and a service category ("" for all), from `since` (Unix seconds) on."""

    site: str
    service_category: str
    inside: Inside
    reason: str
    since: int
    until: int | None
    actor: str


def boundary_rows(connection: Connection, organisation_id: int) -> list[BoundaryRow]:
    """All that was said, by site, category and time."""
    query = (
        select(inventory_boundary, site.c.name.label("site"))
        .outerjoin(site, site.c.id == inventory_boundary.c.site_id)
        .where(inventory_boundary.c.organisation_id == organisation_id)
    )
    found = [
        BoundaryRow(
            row.site or "", row.service_category, row.inside, row.reason, row.valid_from, row.valid_to, row.actor
        )
        for row in connection.execute(query)
        if row.valid_to is None or row.valid_to > row.valid_from
    ]
    return sorted(found, key=lambda one: (one.site, one.service_category, one.since))


class CorporateInventory:
    """Answers for places and times; the more exact word holds: of the site and the service, of the site, of the service,
    of everything.
    """

    def __init__(self, connection: Connection, organisation_id: int) -> None:
        mine = inventory_boundary.c.organisation_id == organisation_id
        self._rows: dict[tuple[int | None, str], list[Row[Any]]] = {}
        for row in connection.execute(select(inventory_boundary).where(mine).order_by(inventory_boundary.c.valid_from)):
            self._rows.setdefault((row.site_id, row.service_category), []).append(row)

    def of(self, site_id: int | None, service_category: str, supply: Supply, at: int) -> Inside:
        """Whether it is in the corporate inventory at a time (Unix seconds)."""
        if self._rows:
            for key in ((site_id, service_category), (site_id, ""), (None, service_category), (None, "")):
                if key[0] is None and supply != "own":
                    continue  # a word on all sites is one on the organisation's own supply
                if (held := _held(self._rows.get(key, ()), at)) is not None:
                    return cast(Inside, held.inside)
        return BY_SUPPLY[supply]


def set_inside(
    connection: Connection,
    organisation_id: int,
    said: BoundaryRow,
    who: Who,
) -> None:
    """Let a word hold from its `since` until the next that is known. Raises BadRequest or NotFound."""
    owner = _owner(connection, organisation_id, said.site, said.service_category)
    if said.inside not in INSIDE:
        raise BadRequest(f"{said.inside} is no answer", f"use one of {', '.join(INSIDE)}")
    if not said.reason.strip():
        raise BadRequest("the boundary needs its reason: an auditor will ask", "give it with --reason")
    values = {"inside": said.inside, "reason": said.reason, "actor": who.actor}
    begin(connection, inventory_boundary, owner, values, said.since)
    audit(connection, who.now, who.actor, "carbon.boundary.set", str(organisation_id), dataclasses.asdict(said))
    touch(connection)


def undo_inside(
    connection: Connection, organisation_id: int, site_name: str, service_category: str, since: int, who: Who
) -> None:
    """Take back what was said to hold from `since` on: what held before it holds on. Raises NotFound."""
    owner = _owner(connection, organisation_id, site_name, service_category)
    if withdraw(connection, inventory_boundary, owner, since) is None:
        raise NotFound("nothing was said of it from that day on", "see `ictagent carbon boundary list`")
    detail = {"site": site_name, "service_category": service_category, "since": since}
    audit(connection, who.now, who.actor, "carbon.boundary.undo", str(organisation_id), detail)
    touch(connection)


def _owner(connection: Connection, organisation_id: int, site_name: str, service_category: str) -> dict[str, Any]:
    if service_category and service_category not in SERVICE_CATEGORIES:
        known = ", ".join(SERVICE_CATEGORIES)
        raise BadRequest(f"{service_category} is no service category", f"use one of {known}")
    site_id = find_site(connection, organisation_id, site_name) if site_name else None
    return {"organisation_id": organisation_id, "site_id": site_id, "service_category": service_category}


def _held(rows: Sequence[Row[Any]], at: int) -> Row[Any] | None:
    return next((row for row in reversed(rows) if row.valid_from <= at and (row.valid_to or at + 1) > at), None)
