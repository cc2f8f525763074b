"""Answers: JSON, and one shape for every error. A browser that asked for a page gets the same error as a page."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from collector.errors import BadRequest, CollectorError, Forbidden, NotAuthorised, NotFound
from collector.web.rendering import page

ERROR_CODES = (
    "bad_request",
    "busy",
    "clone_detected",
    "database_busy",
    "database_error",
    "database_full",
    "forbidden",
    "internal",
    "method_not_allowed",
    "not_authorised",
    "not_found",
    "report_too_large",
    "report_unreadable",
    "sequence_conflict",
    "target_unavailable",
    "too_many_tries",
)
"""Every `code` that an answer may carry; docs/api.md says what each means."""

MACHINE_PATHS = ("/v1/", "/healthz", "/readyz", "/metrics", "/static/")
"""What programs ask for: errors are JSON there, whatever the Accept header says."""


class MethodNotAllowed(CollectorError):
    """The address exists, and not for this method."""

    code = "method_not_allowed"
    status = 405


def wants_page(request: Request) -> bool:
    """Whether a browser asks for a page, and no program for something."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(MACHINE_PATHS)


def json_response(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def known_parameters(given: Iterable[str], names: Sequence[str]) -> None:
    """Raise BadRequest where a parameter is none of these: a misspelt one would be answered with other figures."""
    if unknown := set(given) - set(names):
        raise BadRequest(f"there is no parameter {min(unknown)[:40]}", f"use {', '.join(names)}")


def error_response(request: Request, error: CollectorError) -> Response:
    """The one shape of errors: {"error": {"code", "message", "remedy"}}; as a page where a browser asked for one."""
    if wants_page(request):
        title = HTTPStatus(error.status).phrase
        values = {"current": "", "title": title, "error": error}
        response: Response = page(request, "refusal.html", values, error.status)
    else:
        body = {"error": {"code": error.code, "message": error.message, "remedy": error.remedy}}
        response = json_response(body, error.status)
    if error.status in (429, 503, 507):
        response.headers["Retry-After"] = str(getattr(error, "retry_after", None) or 5)
    return response


async def on_collector_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CollectorError)  # noqa: S101  # registered for this class alone
    return error_response(request, error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's own refusals (no such route, wrong method) in our shape."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class alone
    allowed = (error.headers or {}).get("Allow", "")
    kinds: dict[int, CollectorError] = {
        401: NotAuthorised("a key is needed"),
        403: Forbidden("this is not allowed"),
        404: NotFound("there is nothing at this address", "see the pages at /, or the API at /v1/openapi.json"),
        405: MethodNotAllowed(f"{request.method[:20]} is not possible here", f"use {allowed or 'another method'}"),
    }
    refusal = kinds.get(error.status_code, BadRequest("this request makes no sense here", "see /v1/openapi.json"))
    response = error_response(request, refusal)
    response.headers.update(error.headers or {})
    return response


async def on_defect(request: Request, _error: Exception) -> Response:
    """A defect of ours: shown as little. Starlette raises it again, and the server logs it whole."""
    response = error_response(request, CollectorError("the collector failed on this request", "see its log"))
    # The server ends the connection when an exception leaves the application: the client should know.
    response.headers["Connection"] = "close"
    return response
