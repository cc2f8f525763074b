"""The base year: the value against which a target is told, by a person's word with evidence; the newest word holds."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, select

from carbon.base_year import BaseYear
from carbon.calendar import financial_year_label
from collector.database.audit import audit
from collector.database.schema import base_year
from collector.documents import Document, insert_proved
from collector.errors import BadRequest, NotFound
from collector.taking import Who


@dataclass(frozen=True, slots=True)
class KeptBaseYear:
    """A base year with its evidence, and who entered it when (Unix seconds)."""

    id: int
    base: BaseYear
    reason: str
    document: Document
    added_at: int
    actor: str


def base_years(connection: Connection, organisation_id: int) -> list[KeptBaseYear]:
    """All that were entered, the one that holds last."""
    query = select(base_year).where(base_year.c.organisation_id == organisation_id).order_by(base_year.c.id)
    return [
        KeptBaseYear(
            row.id,
            BaseYear(row.year, row.value_g, row.method, Decimal(row.threshold)),
            row.reason,
            Document(row.document, row.document_sha256),
            row.added_at,
            row.actor,
        )
        for row in connection.execute(query)
    ]


def base_year_of(connection: Connection, organisation_id: int) -> KeptBaseYear:
    """The one that holds. Raises NotFound where none was entered."""
    found = base_years(connection, organisation_id)
    if not found:
        raise NotFound("no base year was entered", "enter it: ictagent carbon base-year set")
    return found[-1]


def set_base_year(
    connection: Connection, organisation_id: int, base: BaseYear, reason: str, document: Document, who: Who
) -> int:
    """Enter a base year, which holds in place of the one before; its number. Raises BadRequest."""
    before = base_years(connection, organisation_id)
    if not base.method.strip():
        raise BadRequest("a base year needs its method: what was counted, and how", "give it with --method")
    if before and not reason.strip():
        raise BadRequest(
            f"a base year of {financial_year_label(before[-1].base.year)} holds: another one needs its reason",
            "give it with --reason",
        )
    values = {
        "organisation_id": organisation_id,
        "year": base.year,
        "value_g": base.value_g,
        "method": base.method,
        "threshold": f"{base.threshold:f}",
        "reason": reason,
    }
    made = insert_proved(connection, base_year, values, document, who)
    detail = {**values, "document": document.name, "sha256": document.sha256}
    audit(connection, who.now, who.actor, "carbon.base_year.set", str(made), detail)
    return made
