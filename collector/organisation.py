"""What an organisation settles for its figures: its name, local days, year rule, lone guests, and whether schools count."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from carbon.calendar import zone
from carbon.errors import CalendarError
from carbon.factors import YEAR_RULES
from collector.database.audit import audit
from collector.database.dated import begin, history, valid_at
from collector.database.schema import ledger, organisation, organisation_boundary
from collector.errors import BadRequest, NotFound
from collector.estate_version import touch


@dataclass(frozen=True, slots=True)
class OrganisationEdit:
    """What is to be set; None leaves it as it is."""

    name: str | None = None
    time_zone: str | None = None
    year_rule: str | None = None
    count_host_missing: bool | None = None


def read_organisation(connection: Connection, name: str | None = None) -> Row[Any]:
    """The organisation of this name; without one the first, where there are several. Raises NotFound."""
    query = select(organisation).order_by(organisation.c.id).limit(1)
    if name is not None:
        query = query.where(organisation.c.name == name)
    found = connection.execute(query).first()
    if found is None:
        raise NotFound(f"there is no organisation {name}", "add it: ictagent estate organisation --add NAME")
    return found


def add_organisation(connection: Connection, name: str, actor: str, now: int) -> None:
    """A further organisation, with the settings of the first. Raises BadRequest where there is one of this name."""
    if not name.strip():
        raise BadRequest("an organisation needs a name", "give it")
    if connection.execute(select(organisation.c.id).where(organisation.c.name == name)).first() is not None:
        raise BadRequest(f"there is an organisation {name} already", "see `ictagent estate organisation`")
    first = read_organisation(connection)
    values = {key: getattr(first, key) for key in ("time_zone", "year_rule", "count_host_missing")}
    connection.execute(insert(organisation).values(name=name, **values))
    audit(connection, now, actor, "organisation.add", name, {})
    touch(connection)


def set_boundary(
    connection: Connection, organisation_id: int, schools: str, reason: str, since: int, actor: str, now: int
) -> None:
    """Say whether devices of schools are in the organisation's figures from `since` (Unix seconds) on."""
    values = {"schools": schools, "reason": reason, "actor": actor}
    begin(connection, organisation_boundary, {"organisation_id": organisation_id}, values, since)
    audit(connection, now, actor, "organisation.boundary", str(organisation_id), {**values, "since": since})
    touch(connection)


def schools_at(connection: Connection, organisation_id: int, at: int) -> str:
    """Whether schools are `in` or `out` of an organisation's figures at a time (Unix seconds)."""
    row = valid_at(history(connection, organisation_boundary, {"organisation_id": organisation_id}), at)
    return "in" if row is None else str(row.schools)


def set_organisation(
    connection: Connection, wanted: OrganisationEdit, actor: str, now: int, name: str | None = None
) -> None:
    """Set it: of the one of this name, or the first.

    Time zone and year rule can be set until the first half-hour is written: all figures rest on them.
    """
    given = {name: value for name in wanted.__slots__ if (value := getattr(wanted, name)) is not None}
    if wanted.time_zone is not None:
        try:
            zone(wanted.time_zone)
        except CalendarError as error:
            raise BadRequest(str(error)) from error
    if wanted.year_rule is not None and wanted.year_rule not in YEAR_RULES:
        raise BadRequest(f"{wanted.year_rule} is no year rule", f"choose one of {', '.join(YEAR_RULES)}")
    standing = read_organisation(connection, name)
    settled = [
        name
        for name in ("time_zone", "year_rule")
        if given.get(name, getattr(standing, name)) != getattr(standing, name)
    ]
    if settled and connection.execute(select(ledger.c.meter_id).limit(1)).first() is not None:
        raise BadRequest(
            f"the {settled[0].replace('_', ' ')} cannot change any more: half-hours, days and series rest on it",
            "set it before the first half-hour is written, or begin a new database",
        )
    connection.execute(update(organisation).where(organisation.c.id == standing.id).values(**given))
    audit(connection, now, actor, "organisation.set", str(standing.id), given)
    touch(connection)
