"""Answers of the API: JSON, and one shape for every error."""

import logging
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from collector.errors import BadRequest, CollectorError, Forbidden, NotAuthorised, NotFound

logger = logging.getLogger(__name__)

ERROR_CODES = (
    "bad_request",
    "busy",
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
)
"""Every `code` that an answer may carry; docs/api.md says what each means."""


def json_response(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def error_response(error: CollectorError) -> Response:
    """The one shape of errors: {"error": {"code", "message", "remedy"}}."""
    body = {"error": {"code": error.code, "message": error.message, "remedy": error.remedy}}
    response = json_response(body, error.status)
    if error.status in (429, 503, 507):
        response.headers["Retry-After"] = "5"
    return response


async def on_collector_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, CollectorError)  # noqa: S101  # registered for this class alone
    return error_response(error)


async def on_http_exception(_request: Request, error: Exception) -> Response:
    """Starlette's own refusals (no such route, wrong method) in our shape."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    kinds: dict[int, CollectorError] = {
        404: NotFound("there is nothing at this address", "see /v1/openapi.json"),
        401: NotAuthorised("a key is needed"),
        403: Forbidden("this is not allowed"),
    }
    translated = kinds.get(status, BadRequest("this request makes no sense here", "see /v1/openapi.json"))
    body = {"error": {"code": translated.code, "message": translated.message, "remedy": translated.remedy}}
    if status == 405:
        body["error"]["code"] = "method_not_allowed"
    return json_response(body, status)


async def on_defect(_request: Request, error: Exception) -> Response:
    """A defect of ours: logged whole, shown as little."""
    logger.error("a request failed", exc_info=error)
    return error_response(CollectorError("the collector failed on this request", "see its log"))
