"""What an organisation settles for its figures: its name, local days, year rule, and whether lone guests count."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from carbon.calendar import zone
from carbon.errors import CalendarError
from carbon.factors import YEAR_RULES
from collector.database.audit import audit
from collector.database.schema import ledger, organisation
from collector.errors import BadRequest
from collector.estate_version import touch


@dataclass(frozen=True, slots=True)
class OrganisationEdit:
    """What is to be set; None leaves it as it is."""

    name: str | None = None
    time_zone: str | None = None
    year_rule: str | None = None
    count_host_missing: bool | None = None


def read_organisation(connection: Connection) -> Row[Any]:
    """The organisation: the first, where there are several."""
    return connection.execute(select(organisation).order_by(organisation.c.id).limit(1)).one()


def set_organisation(connection: Connection, wanted: OrganisationEdit, actor: str, now: int) -> None:
    """Set it. Time zone and year rule can be set until the first half-hour is written: all figures rest on them."""
    given = {name: value for name in wanted.__slots__ if (value := getattr(wanted, name)) is not None}
    if wanted.time_zone is not None:
        try:
            zone(wanted.time_zone)
        except CalendarError as error:
            raise BadRequest(str(error)) from error
    if wanted.year_rule is not None and wanted.year_rule not in YEAR_RULES:
        raise BadRequest(f"{wanted.year_rule} is no year rule", f"choose one of {', '.join(YEAR_RULES)}")
    standing = read_organisation(connection)
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
