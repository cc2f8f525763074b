"""The audit log: every administrative act and every login, who did it, to what."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, or_, select

from collector.database.schema import audit_log


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act. `at` in Unix seconds; `detail` is JSON and holds no secret."""

    id: int
    at: int
    actor: str
    action: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which acts: those with every word somewhere, from `since` to before `until` (Unix seconds), older than an id."""

    words: str = ""
    since: int | None = None
    until: int | None = None
    before_id: int | None = None


def audit(connection: Connection, at: int, actor: str, action: str, subject: str, detail: Mapping[str, object]) -> None:
    """Write down an act in the transaction that does it. `at` in Unix seconds; `detail` must hold no secret."""
    connection.execute(
        insert(audit_log).values(
            at=at, actor=actor, action=action, object=subject, detail=json.dumps(detail, sort_keys=True)
        )
    )


def read_audit(connection: Connection, wanted: AuditFilter, limit: int) -> list[AuditRow]:
    """Acts, the newest first, at most so many."""
    query = select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)
    for word in wanted.words.split()[:10]:
        places = (audit_log.c.actor, audit_log.c.action, audit_log.c.object, audit_log.c.detail)
        query = query.where(or_(*(place.icontains(word, autoescape=True) for place in places)))
    if wanted.since is not None:
        query = query.where(audit_log.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(audit_log.c.at < wanted.until)
    if wanted.before_id is not None:
        query = query.where(audit_log.c.id < wanted.before_id)
    return [
        AuditRow(row.id, row.at, row.actor, row.action, row.object, row.detail) for row in connection.execute(query)
    ]
