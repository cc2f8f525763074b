"""Statements in the database: each figure holds until a later statement of the service tells of the same days."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from carbon.calendar import days_between
from collector.database.audit import audit
from collector.database.schema import provider_service, provider_statement, statement_row
from collector.documents import Document, insert_proved, withdraw_proved
from collector.errors import BadRequest
from collector.statements.layouts import Statement
from collector.taking import Who


@dataclass(frozen=True, slots=True)
class Factor:
    """Kilograms of CO2e a unit, and where it is from: what spend needs."""

    kg_per_unit: Decimal
    source: str


def statements(connection: Connection, organisation_id: int) -> Sequence[Row[Any]]:
    """All statements of an organisation's services with the `service`, oldest first; withdrawn ones too."""
    query = (
        select(provider_statement, provider_service.c.name.label("service"))
        .join(provider_service, provider_service.c.id == provider_statement.c.service_id)
        .where(provider_service.c.organisation_id == organisation_id)
        .order_by(provider_statement.c.id)
    )
    return connection.execute(query).all()


def same_statement(
    connection: Connection, service_id: int, statement: Statement, document: Document, factor: Factor | None = None
) -> int | None:
    """The standing statement of the same file, service, accounts and factor that nothing later replaces; None where
    none is.
    """
    of_service = provider_statement.c.service_id == service_id
    query = select(provider_statement).where(of_service, provider_statement.c.withdrawn_at.is_(None))
    newest = connection.execute(query.order_by(provider_statement.c.id.desc())).all()
    wanted = (document.sha256, json.dumps(sorted(statement.accounts)), statement.layout)
    for row in newest:
        if (row.document_sha256, row.accounts, row.layout) == wanted and _factor_of(connection, row.id) == factor:
            return int(row.id)
        if _overlaps(connection, row.id, statement):
            return None
    return None


def add_statement(
    connection: Connection,
    service: Row[Any],
    statement: Statement,
    document: Document,
    who: Who,
    factor: Factor | None = None,
) -> int:
    """Keep a statement; its number. Raises BadRequest for days before the service began or after its end."""
    months = {one.month for one in statement.figures}
    if outside := sorted(
        one for one in months if one < service.first_month or (service.last_month and one > service.last_month)
    ):
        ends = service.last_month or "today and on"
        raise BadRequest(
            f"{document.name} tells of {', '.join(outside[:5])}, and {service.name} goes from {service.first_month} "
            f"to {ends}",
            "add the service with its first month, or give the file without these rows",
        )
    if (statement.layout == "spend") != (factor is not None):
        raise BadRequest(
            "spend needs a factor in kgCO2e per pound and its source, and no other layout has one", "see docs/cloud.md"
        )
    accounts = json.dumps(sorted(statement.accounts))
    values = {"service_id": service.id, "layout": statement.layout, "method": statement.method, "accounts": accounts}
    statement_id = insert_proved(connection, provider_statement, values, document, who)
    rows = [
        {
            "statement_id": statement_id,
            "month": one.month,
            "first_day": one.first_day.isoformat(),
            "last_day": one.last_day.isoformat(),
            "name": one.name,
            "scope": one.scope,
            "basis": one.basis,
            "amount": f"{one.amount:f}",
            "unit": one.unit,
            "kg_per_unit": "" if factor is None else f"{factor.kg_per_unit:f}",
            "factor_source": "" if factor is None else factor.source,
            "counts": one.counts,
        }
        for one in statement.figures
    ]
    connection.execute(insert(statement_row), rows)
    detail = {"service": service.name, "file": document.name, "sha256": document.sha256, "rows": len(rows)}
    audit(connection, who.now, who.actor, "carbon.statement.add", str(statement_id), detail)
    return statement_id


def undo_statement(connection: Connection, organisation_id: int, statement_id: int, reason: str, who: Who) -> None:
    """Let a statement hold no longer: what it replaced holds again. Raises NotFound."""
    mine = select(provider_service.c.id).where(provider_service.c.organisation_id == organisation_id)
    wanted = (provider_statement.c.id == statement_id) & provider_statement.c.service_id.in_(mine)
    withdraw_proved(connection, provider_statement, wanted, "statement", statement_id, reason, who)


def holding_rows(connection: Connection, service_id: int) -> list[Row[Any]]:
    """The figures of a service that hold, by their days, with the document and the method of their statement."""
    taken = ("layout", "method", "document", "document_sha256", "actor")
    query = (
        select(statement_row, *(provider_statement.c[name] for name in taken))
        .join(provider_statement, provider_statement.c.id == statement_row.c.statement_id)
        .where(provider_statement.c.service_id == service_id, provider_statement.c.withdrawn_at.is_(None))
        .order_by(statement_row.c.statement_id.desc(), statement_row.c.id)
    )
    found: list[Row[Any]] = []
    told_later: set[datetime.date] = set()
    for _, group in groupby(connection.execute(query), key=lambda row: row.statement_id):
        rows = list(group)
        spans = {(row.first_day, row.last_day): days_of_figure(row.first_day, row.last_day) for row in rows}
        free = {span for span, days in spans.items() if told_later.isdisjoint(days)}
        found += [row for row in rows if (row.first_day, row.last_day) in free]
        told_later.update(day for days in spans.values() for day in days)
    return sorted(found, key=lambda row: (row.first_day, row.last_day, row.id))


def days_of_figure(first_day: str, last_day: str) -> list[datetime.date]:
    """Every day that a figure is of."""
    return list(days_between(datetime.date.fromisoformat(first_day), datetime.date.fromisoformat(last_day)))


def _factor_of(connection: Connection, statement_id: int) -> Factor | None:
    """What all rows of a statement of spend were multiplied by; None of other statements."""
    query = select(statement_row.c.kg_per_unit, statement_row.c.factor_source)
    row = connection.execute(query.where(statement_row.c.statement_id == statement_id).limit(1)).one()
    return Factor(Decimal(row.kg_per_unit), row.factor_source) if row.kg_per_unit else None


def _overlaps(connection: Connection, statement_id: int, statement: Statement) -> bool:
    query = select(statement_row.c.first_day, statement_row.c.last_day).where(
        statement_row.c.statement_id == statement_id
    )
    theirs = {
        day for row in connection.execute(query.distinct()) for day in days_of_figure(row.first_day, row.last_day)
    }
    return any(one.first_day <= day <= one.last_day for one in statement.figures for day in theirs)
