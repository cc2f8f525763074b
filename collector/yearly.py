"""What an organisation says of its financial years: full-time equivalents, and units of service. The newest word holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from carbon.device_classes import SERVICE_CATEGORIES
from collector.database.audit import audit
from collector.database.schema import full_time_equivalent, service_unit
from collector.errors import BadRequest
from collector.taking import Who


@dataclass(frozen=True, slots=True)
class ServiceUnit:
    """So many units of a service in the financial year that begins in `year`; "" of all service categories."""

    year: int
    service_category: str
    unit: str
    amount: Decimal
    source: str


def full_time_equivalents(connection: Connection, organisation_id: int) -> list[Row[Any]]:
    """The rows that hold, by year."""
    mine = full_time_equivalent.c.organisation_id == organisation_id
    query = select(full_time_equivalent).where(mine).order_by(full_time_equivalent.c.id)
    held = {row.year: row for row in connection.execute(query)}
    return [held[year] for year in sorted(held)]


def full_time_equivalents_of(connection: Connection, organisation_id: int, year: int) -> Decimal | None:
    """Those of the financial year that begins in `year`; None where nobody said how many."""
    return next(
        (Decimal(row.value) for row in full_time_equivalents(connection, organisation_id) if row.year == year), None
    )


def set_full_time_equivalents(
    connection: Connection, organisation_id: int, year: int, value: Decimal, source: str, who: Who
) -> None:
    """Say how many there are in a year. Raises BadRequest for none, or without a source."""
    _require(value, source)
    values = {"organisation_id": organisation_id, "year": year, "value": f"{value:f}", "source": source}
    connection.execute(insert(full_time_equivalent).values(**values, added_at=who.now, actor=who.actor))
    audit(connection, who.now, who.actor, "carbon.fte.set", str(organisation_id), values)


def service_units(connection: Connection, organisation_id: int, year: int | None = None) -> Sequence[ServiceUnit]:
    """The units that hold, by year, category and name."""
    query = select(service_unit).where(service_unit.c.organisation_id == organisation_id).order_by(service_unit.c.id)
    held = {(row.year, row.service_category, row.unit): row for row in connection.execute(query)}
    return [
        ServiceUnit(row.year, row.service_category, row.unit, Decimal(row.amount), row.source)
        for key, row in sorted(held.items())
        if year in (None, row.year)
    ]


def set_service_unit(connection: Connection, organisation_id: int, said: ServiceUnit, who: Who) -> None:
    """Say how many units of a service there were. Raises BadRequest for none, or without unit or source."""
    _require(said.amount, said.source)
    if not said.unit.strip():
        raise BadRequest("a unit of service needs its name", 'give it, such as "desktop session"')
    if said.service_category and said.service_category not in SERVICE_CATEGORIES:
        known = ", ".join(SERVICE_CATEGORIES)
        raise BadRequest(f"{said.service_category} is no service category", f"use one of {known}")
    values = {
        "organisation_id": organisation_id,
        "year": said.year,
        "service_category": said.service_category,
        "unit": said.unit,
        "amount": f"{said.amount:f}",
        "source": said.source,
    }
    connection.execute(insert(service_unit).values(**values, added_at=who.now, actor=who.actor))
    audit(connection, who.now, who.actor, "carbon.unit.set", str(organisation_id), values)


def _require(value: Decimal, source: str) -> None:
    if not value.is_finite() or value <= 0:
        raise BadRequest(f"{value} is no number above 0", "an intensity cannot be told by nothing")
    if not source.strip():
        raise BadRequest("the figure needs its source: an auditor will ask", "give it with --source")
