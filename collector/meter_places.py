"""What a person says of meters of the power path: what each measures and where, whether it accounts; dated, and taken back."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from carbon.calendar import half_hour_of
from collector.database.audit import audit
from collector.database.dated import begin, history, valid_at
from collector.database.metering import ACCOUNTING, PURPOSES, READING_POINTS
from collector.database.schema import device, meter, meter_edge, meter_place, site, space
from collector.errors import BadRequest, NotFound
from collector.estate import find_device
from collector.estate_version import touch
from collector.ledger import FEEDS
from collector.power_path import fed_device, find_place
from collector.power_view import device_names
from collector.sites import find_site, space_at
from collector.snmp.devices import find_polled
from collector.snmp.places import ONE_FOR_ONE, WHOLE

_NAMES = ("purpose", "reading_point", "accounting", "site_id", "space_id", "reason")


@dataclass(frozen=True, slots=True)
class MeterPlace:
    """What holds of a meter. `site_id` and `space_id` None: where its device stands. The reason is for the auditor."""

    purpose: str = "ict"
    reading_point: str = "it"
    accounting: str = "auto"
    site_id: int | None = None
    space_id: int | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        for name, values in (("purpose", PURPOSES), ("reading_point", READING_POINTS), ("accounting", ACCOUNTING)):
            if getattr(self, name) not in values:
                raise BadRequest(f"{getattr(self, name)} is no {name}", f"use one of {', '.join(values)}")
        if self.accounting != "auto" and not self.reason.strip():
            raise BadRequest("overruling what a meter accounts for needs a reason", "say why: an auditor will ask")


@dataclass(frozen=True, slots=True)
class MeterRow:
    """A meter as lists show it, with what holds now and since when (Unix seconds; 0: nobody said anything)."""

    id: int
    device_id: str
    device: str
    name: str
    source: str
    purpose: str
    reading_point: str
    accounting: str
    site: str
    space: str
    reason: str
    since: int
    feeds: tuple[str, ...]
    """Names of the devices that it feeds now."""


def meters(
    connection: Connection, now: int, organisation_id: int | None = None, *, everything: bool = False
) -> list[MeterRow]:
    """Meters of the power path of devices in use, by device and name. Without `everything`: of outlets and ports only
    those that feed something or of which a person said something.
    """
    query = (
        select(meter.c.id, meter.c.device_id, meter.c.name, meter.c.source, device.c.kind)
        .join(device, device.c.id == meter.c.device_id)
        .where(meter.c.covers == FEEDS, device.c.retired_at.is_(None))
        .order_by(meter.c.device_id, meter.c.id)
    )
    if organisation_id is not None:
        query = query.where(device.c.organisation_id == organisation_id)
    rows = connection.execute(query).all()
    feeds = _feeds(connection, now)
    said: dict[int, list[Row[Any]]] = {}
    for row in connection.execute(select(meter_place).order_by(meter_place.c.valid_from)):
        said.setdefault(row.meter_id, []).append(row)
    names = device_names(
        connection, {row.device_id for row in rows} | {one for found in feeds.values() for one in found}
    )
    sites = dict(connection.execute(select(site.c.id, site.c.name)).all())
    spaces = dict(connection.execute(select(space.c.id, space.c.name)).all())
    found = []
    for row in rows:
        holding = valid_at(said.get(row.id, []), now)
        if not everything and row.name.partition("/")[0] in ONE_FOR_ONE and holding is None and row.id not in feeds:
            continue
        place = _place(holding)
        if holding is None and row.name.startswith("ups_input/"):
            place = replace(place, reading_point="ups_input")
        found.append(
            MeterRow(
                row.id,
                row.device_id,
                names[row.device_id],
                row.name,
                row.source,
                place.purpose,
                place.reading_point,
                place.accounting,
                sites.get(place.site_id, ""),
                spaces.get(place.space_id, ""),
                place.reason,
                0 if holding is None else holding.valid_from,
                tuple(names[one] for one in feeds.get(row.id, ())),
            )
        )
    return sorted(found, key=lambda one: (one.device, one.id))


def find_meter(connection: Connection, name: str) -> int:
    """The meter that a person names: by its number, as DEVICE, DEVICE:PLACE, or by what only one meter is called
    (`mpan/...`). Raises NotFound, or BadRequest for several.
    """
    mine = meter.c.covers == FEEDS
    if name.isdecimal() and connection.execute(select(meter.c.id).where(meter.c.id == int(name), mine)).scalar():
        return int(name)
    called = (
        connection.execute(select(meter.c.id).where(meter.c.name.in_((name, f"mpan/{name}")), mine)).scalars().all()
    )
    if len(called) == 1:
        return int(called[0])
    wanted, _, place = name.rpartition(":") if ":" in name else (name, "", "")
    try:
        device_id = find_polled(connection, wanted).device_id
    except NotFound:
        device_id = find_device(connection, wanted)
    if not place:
        known = connection.execute(select(meter.c.id, meter.c.name).where(meter.c.device_id == device_id, mine)).all()
        if len(known) == 1:
            return int(known[0].id)
        place = WHOLE
    found = find_place(connection, device_id, place)
    query = select(meter.c.id).where(meter.c.device_id == device_id, meter.c.name == found.meter, mine)
    meter_id = connection.execute(query).scalar()
    if meter_id is None:
        raise NotFound(
            f"nothing was measured at {found.meter} of {wanted} yet", "see `ictagent estate meter list --all`"
        )
    return int(meter_id)


def say(connection: Connection, meter_id: int, changes: dict[str, Any], since: int, actor: str, now: int) -> bool:
    """Say what holds of a meter from `since` (Unix seconds) on; what is not among the changes stays. Whether it changed.

    Raises BadRequest for what cannot be.
    """
    since = half_hour_of(since)
    if since > now:
        raise BadRequest("this lies ahead", "give a date from which it holds already")
    owner = {"meter_id": meter_id}
    before = _place(valid_at(history(connection, meter_place, owner), since))
    if "accounting" in changes and changes["accounting"] == "auto" and "reason" not in changes:
        changes = {**changes, "reason": ""}
    wanted = replace(before, **changes)
    if wanted == before:
        return False
    values = {name: getattr(wanted, name) for name in _NAMES}
    # Said twice of the same half-hour, the later word holds.
    same = (meter_place.c.meter_id == meter_id) & (meter_place.c.valid_from == since)
    if connection.execute(update(meter_place).where(same).values(**values, actor=actor)).rowcount == 0:
        begin(connection, meter_place, owner, {**values, "actor": actor}, since)
    detail = {**changes, "since": since, "before": {name: getattr(before, name) for name in changes}}
    audit(connection, now, actor, "meter.set", _device_of(connection, meter_id), {"meter": meter_id, **detail})
    touch(connection)
    return True


def take_back(connection: Connection, meter_id: int, actor: str, now: int) -> None:
    """Take back the newest that was said of a meter; what held before holds on. Raises BadRequest where nothing was."""
    rows = history(connection, meter_place, {"meter_id": meter_id})
    if not rows:
        raise BadRequest("nothing was said of this meter", "see `ictagent estate meter list`")
    last = rows[-1]
    connection.execute(delete(meter_place).where(meter_place.c.id == last.id))
    if len(rows) > 1 and rows[-2].valid_to == last.valid_from:
        connection.execute(update(meter_place).where(meter_place.c.id == rows[-2].id).values(valid_to=last.valid_to))
    detail = {name: getattr(last, name) for name in (*_NAMES, "valid_from", "valid_to")}
    audit(connection, now, actor, "meter.unset", _device_of(connection, meter_id), {"meter": meter_id, **detail})
    touch(connection)


def place_of(connection: Connection, meter_id: int, site_name: str, space_name: str | None) -> tuple[int, int | None]:
    """A site of the meter's organisation by its name, and a space of it. Raises NotFound."""
    organisation_id = connection.execute(
        select(device.c.organisation_id).join(meter, meter.c.device_id == device.c.id).where(meter.c.id == meter_id)
    ).scalar_one()
    site_id = find_site(connection, organisation_id, site_name)
    return site_id, space_at(connection, site_id, site_name, space_name) if space_name else None


def _place(row: Row[Any] | None) -> MeterPlace:
    return MeterPlace() if row is None else MeterPlace(**{name: getattr(row, name) for name in _NAMES})


def _device_of(connection: Connection, meter_id: int) -> str:
    found: str = connection.execute(select(meter.c.device_id).where(meter.c.id == meter_id)).scalar_one()
    return found


def _feeds(connection: Connection, now: int) -> dict[int, list[str]]:
    """Devices that meters feed now."""
    fed = fed_device()
    query = (
        select(meter_edge.c.parent_meter_id, fed.label("fed"))
        .join(meter, meter.c.id == meter_edge.c.parent_meter_id)
        .where(
            fed != meter.c.device_id,
            meter_edge.c.valid_from <= now,
            meter_edge.c.valid_to.is_(None) | (meter_edge.c.valid_to > now),
        )
    )
    found: dict[int, list[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.parent_meter_id, []).append(row.fed)
    return found
