"""What a polled device told by traps and informs, for the API."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector.errors import BadRequest
from collector.queries import device_detail
from collector.snmp.traps.record import shown_events
from collector.web.answers import json_response
from collector.web.reading import reading_of

MOST_EVENTS, USUAL_EVENTS = 1000, 100


async def events(request: Request) -> Response:
    """GET /v1/devices/{device_id}/events: the last events of a device, the newest first."""
    reading = reading_of(request)
    device_id = request.path_params["device_id"]
    limit = _limit(request.query_params.get("limit"))

    def read() -> dict[str, Any]:
        with reading.database() as connection:
            device_detail(connection, device_id, reading.organisations)
            return {"device_id": device_id, "events": shown_events(connection, device_id, limit)}

    return json_response(await run_in_threadpool(read))


def _limit(text: str | None) -> int:
    """How many are wanted. Raises BadRequest."""
    if text is None:
        return USUAL_EVENTS
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MOST_EVENTS):
        raise BadRequest(f"limit={text[:40]} is no number from 1 to {MOST_EVENTS}")
    return int(text)


EVENT_ROUTES = [Route("/v1/devices/{device_id}/events", events)]
