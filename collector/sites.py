"""Sites: address, postcode, UPRN and supply, each with the time for which it held."""

import re
from dataclasses import asdict, dataclass, fields, replace

from sqlalchemy import Connection, select

from collector.database.audit import audit
from collector.database.dated import begin, history, valid_at
from collector.database.schema import organisation, site, site_detail, space
from collector.database.sites import TENURES
from collector.errors import BadRequest, NotFound
from collector.estate_version import touch

_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}")


@dataclass(frozen=True, slots=True)
class SiteDetail:
    """What is known of a site at a time; "" where nothing is. `tenure` is own, leased or landlord (the landlord's supply)."""

    address: str = ""
    postcode: str = ""
    uprn: str = ""
    grid_region: str = ""
    tenure: str = "own"

    def __post_init__(self) -> None:
        if self.tenure not in TENURES:
            raise BadRequest(f"{self.tenure} is no tenure", f"use one of {', '.join(TENURES)}")
        if self.postcode and not _POSTCODE.fullmatch(self.postcode):
            raise BadRequest(f"{self.postcode} is no postcode", "write it as SW1A 1AA")
        if self.uprn and not re.fullmatch(r"[0-9]{1,12}", self.uprn):
            raise BadRequest(f"{self.uprn} is no UPRN", "it has up to 12 digits")


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site as lists show it, with what holds now and since when (Unix seconds; 0: nothing was said)."""

    id: int
    organisation: str
    name: str
    detail: SiteDetail
    since: int


NAMES = tuple(one.name for one in fields(SiteDetail))


def sites(connection: Connection, now: int, organisation_id: int | None = None) -> list[SiteRow]:
    """All sites by organisation and name."""
    query = (
        select(site.c.id, site.c.name, organisation.c.name.label("organisation"))
        .join(organisation, organisation.c.id == site.c.organisation_id)
        .order_by(organisation.c.id, site.c.name)
    )
    if organisation_id is not None:
        query = query.where(site.c.organisation_id == organisation_id)
    found = []
    for row in connection.execute(query).all():
        detail, since = detail_at(connection, row.id, now)
        found.append(SiteRow(row.id, row.organisation, row.name, detail, since))
    return found


def detail_at(connection: Connection, site_id: int, at: int) -> tuple[SiteDetail, int]:
    """What held of a site at a time, and since when."""
    row = valid_at(history(connection, site_detail, {"site_id": site_id}), at)
    return (SiteDetail(), 0) if row is None else (SiteDetail(*(getattr(row, name) for name in NAMES)), row.valid_from)


def find_site(connection: Connection, organisation_id: int, name: str) -> int:
    """The site of this name. Raises NotFound."""
    query = select(site.c.id).where(site.c.organisation_id == organisation_id, site.c.name == name)
    found = connection.execute(query).scalar()
    if found is None:
        raise NotFound(f"there is no site {name}", "see `ictagent estate site list`")
    return int(found)


def space_at(connection: Connection, site_id: int, site_name: str, name: str) -> int:
    """The space of this name at a site. Raises NotFound."""
    found = connection.execute(select(space.c.id).where(space.c.site_id == site_id, space.c.name == name)).scalar()
    if found is None:
        raise NotFound(f"there is no space {name} at {site_name}", "see `ictagent estate space list`")
    return int(found)


def set_site(connection: Connection, site_id: int, changes: dict[str, str], since: int, actor: str, now: int) -> None:
    """Say what holds of a site from `since` (Unix seconds) on; what is not among the changes stays."""
    before, _ = detail_at(connection, site_id, since)
    wanted = replace(before, **changes)
    if wanted == before:
        return
    begin(connection, site_detail, {"site_id": site_id}, {**asdict(wanted), "actor": actor}, since)
    audit(connection, now, actor, "site.set", str(site_id), {**changes, "since": since})
    touch(connection)
