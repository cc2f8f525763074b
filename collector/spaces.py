"""Spaces of sites: their kind, and their PUE with its dates. A PUE from the past changes what was written since then."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, or_, select, update

from carbon.spaces import ASSUMED, Pue, pue_of
from collector.database.audit import audit
from collector.database.dated import begin, history, valid_at
from collector.database.estate import SPACE_KINDS
from collector.database.schema import device_placement, site, space, space_pue
from collector.errors import BadRequest, NotFound
from collector.estate_version import touch
from collector.history import histories_edit


@dataclass(frozen=True, slots=True)
class SpaceRow:
    """A space as lists show it: the PUE that applies now, and since when (Unix seconds; 0: always)."""

    site: str
    space: str
    kind: str
    pue: float
    low: float
    high: float
    source: str
    since: int


def spaces(connection: Connection, now: int) -> list[SpaceRow]:
    """All spaces, by site and name."""
    query = (
        select(space.c.id, site.c.name.label("site"), space.c.name, space.c.kind)
        .join(site, site.c.id == space.c.site_id)
        .order_by(site.c.name, space.c.name)
    )
    found = []
    for row in connection.execute(query).all():
        own = valid_at(history(connection, space_pue, {"space_id": row.id}), now)
        pue = pue_of(row.kind, None if own is None else Pue(own.pue, own.low, own.high, own.source))
        since = 0 if own is None else own.valid_from
        found.append(SpaceRow(row.site, row.name, row.kind, pue.value, pue.low, pue.high, pue.source, since))
    return found


def find_space(connection: Connection, site_name: str, name: str) -> int:
    """The space of this name at this site. Raises NotFound."""
    query = select(space.c.id).join(site, site.c.id == space.c.site_id)
    found = connection.execute(query.where(site.c.name == site_name, space.c.name == name)).scalar()
    if found is None:
        raise NotFound(f"there is no space {name} at {site_name}", "see `ictagent estate space list`")
    return int(found)


def make_space(connection: Connection, site_id: int, name: str, kind: str) -> int:
    """A new space of a site, with the assumed PUE of its kind."""
    _require_kind(kind)
    made = insert(space).values(site_id=site_id, name=name, kind=kind).returning(space.c.id)
    return int(connection.execute(made).scalar_one())


def set_kind(connection: Connection, space_id: int, kind: str, now: int) -> None:
    """Say what kind of space it is from now on. The past keeps the PUE it had, and a PUE of the space's own stays."""
    _require_kind(kind)
    old = connection.execute(select(space.c.kind).where(space.c.id == space_id)).scalar_one()
    if kind == old:
        return
    owner = {"space_id": space_id}
    rows = history(connection, space_pue, owner)
    own = valid_at(rows, now)
    connection.execute(update(space).where(space.c.id == space_id).values(kind=kind))
    if valid_at(rows, 0) is None:
        # The time before its first own PUE keeps what its kind let assume then.
        begin(connection, space_pue, owner, _values(ASSUMED[old]), 0)
    if own is None or own.source == ASSUMED[old].source:
        begin(connection, space_pue, owner, _values(ASSUMED[kind]), now)


def set_pue(
    connection: Connection, space_id: int, pue: Pue, since: int, now: int, actor: str, collector_id: str
) -> None:
    """Give a space its own PUE from `since` (Unix seconds) on, until the next one that is known."""
    placed = select(device_placement.c.device_id).where(
        device_placement.c.space_id == space_id,
        or_(device_placement.c.valid_to.is_(None), device_placement.c.valid_to > since),
    )
    device_ids = sorted(set(connection.execute(placed).scalars()))
    with histories_edit(connection, device_ids, since, now, collector_id):
        begin(connection, space_pue, {"space_id": space_id}, _values(pue), since)
    detail = {"pue": pue.value, "low": pue.low, "high": pue.high, "source": pue.source, "since": since}
    audit(connection, now, actor, "space.pue", str(space_id), detail)
    touch(connection)


def _values(pue: Pue) -> dict[str, object]:
    return {"pue": pue.value, "low": pue.low, "high": pue.high, "source": pue.source}


def _require_kind(kind: str) -> None:
    if kind not in SPACE_KINDS:
        raise BadRequest(f"{kind} is no kind of space", f"choose one of {', '.join(SPACE_KINDS)}")
