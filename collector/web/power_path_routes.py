"""What a device feeds and what it is fed by: for the API, the device's page, and the forms by which an operator decides."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from collector.database.engine import Database
from collector.errors import BadRequest, NotFound
from collector.power_path import end_link, take_up_link, withdraw_link
from collector.power_proposals import confirm, find_proposal, reject
from collector.power_view import power_path
from collector.queries import device_detail
from collector.web.answers import json_response
from collector.web.forms import form_of
from collector.web.reading import reading_of

Act = Callable[[Connection, int, str], object]

ACTS: Mapping[str, Act] = {
    "confirm": confirm,
    "reject": reject,
    "end": lambda connection, link_id, actor: end_link(connection, link_id, int(time.time()), actor),
    "take_up": take_up_link,
    "withdraw": withdraw_link,
}
"""What the forms of a device's page may ask for, by the name that their button sends."""


async def power_path_json(request: Request) -> Response:
    """GET /v1/devices/{device_id}/power-path: links at either end of the device, and open proposals."""
    reading = reading_of(request)
    device_id = request.path_params["device_id"]

    def read() -> dict[str, Any]:
        with reading.database() as connection:
            device_detail(connection, device_id, reading.organisations)
            return {"device_id": device_id, **asdict(power_path(connection, device_id))}

    return json_response(await run_in_threadpool(read))


async def decide(request: Request) -> Response:
    """POST /devices/{device_id}/power-path: confirm, reject, end, take up or withdraw one link of the device."""
    identity = request.state.identity
    fields = await form_of(request, identity.csrf)
    device_id = request.path_params["device_id"]
    act, number = ACTS.get(fields.get("act", "")), fields.get("link", "")
    if act is None or not number.isascii() or not number.isdecimal() or len(number) > 15:
        raise BadRequest("the form names no link, or nothing to do with it", "send it from the page")
    reading = reading_of(request)
    await run_in_threadpool(
        _decide, reading.collector.database, device_id, int(number), act, identity.actor, reading.organisations
    )
    return RedirectResponse(f"/devices/{device_id}#power-path", 303)


def _decide(
    database: Database, device_id: str, link_id: int, act: Act, actor: str, organisations: frozenset[int] | None
) -> None:
    with database.write() as connection:
        # Others' devices are not there for the asker, and neither are their links.
        device_detail(connection, device_id, organisations)
        one = find_proposal(connection, link_id)
        if device_id not in (one.parent_device_id, one.child_device_id):
            raise NotFound(f"the device {device_id} has no link {link_id}", "open its page again")
        act(connection, link_id, actor)


POWER_PATH_ROUTES = [Route("/v1/devices/{device_id}/power-path", power_path_json)]
POWER_PATH_PAGES = [Route("/devices/{device_id}/power-path", decide, methods=["POST"])]
