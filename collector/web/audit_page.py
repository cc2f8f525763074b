"""The audit log for auditors: who did what when, filtered by a form with GET parameters."""

from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from collector.database.audit import AuditFilter, read_audit
from collector.errors import Forbidden
from collector.people.organisations import sees_all
from collector.web.reading import reading_of
from collector.web.rendering import page

ROWS = 100


async def audit_page(request: Request) -> Response:
    """GET /audit. Raises Forbidden for who does not see all organisations: the log is of the whole collector."""
    return await run_in_threadpool(_audit, request)


def _audit(request: Request) -> Response:
    given = request.query_params
    words = given.get("filter", "").strip()[:200]
    before = given.get("before", "")
    reading = reading_of(request)
    with reading.database() as connection:
        if not sees_all(connection, reading.organisations):
            raise Forbidden("the audit log is of all organisations, and you see some", "ask an operator for the others")
        older = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
        rows = read_audit(connection, AuditFilter(words, before_id=older), ROWS + 1)
    shown, more = rows[:ROWS], len(rows) > ROWS
    query = {"filter": words} if words else {}
    values = {
        "current": "audit",
        "rows": shown,
        "filter": words,
        "older": f"/audit?{urlencode({**query, 'before': shown[-1].id})}" if more else "",
        "newest": f"/audit{'?' + urlencode(query) if query else ''}" if older is not None else "",
    }
    return page(request, "audit.html", values)
