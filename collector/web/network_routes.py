"""What a polled device last told, for the API and the device's page: power path, interfaces, load, and how polls go."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector.queries import device_detail
from collector.snmp.devices import last_reading, polled_device
from collector.snmp.managed_view import shown_managed
from collector.snmp.neighbour_store import as_json, seen_neighbours
from collector.snmp.suggestions import recognised
from collector.web.answers import json_response
from collector.web.reading import reading_of


async def network(request: Request) -> Response:
    """GET /v1/devices/{device_id}/network: the last reading of a polled device; null for one that is not polled."""
    reading = reading_of(request)
    device_id = request.path_params["device_id"]

    def read() -> dict[str, Any]:
        with reading.database() as connection:
            device_detail(connection, device_id, reading.organisations)
            found = shown_network(connection, device_id) or {"polling": None, "reading": None, "neighbours": []}
            managed = shown_managed(connection, device_id)
        return {"device_id": device_id, **found, **managed}

    return json_response(await run_in_threadpool(read))


def shown_network(connection: Connection, device_id: str) -> dict[str, Any] | None:
    """How a device is polled and what it last told; None for one that is not polled. Secrets are not there to be shown."""
    device = polled_device(connection, device_id)
    if device is None:
        return None
    polling = asdict(device)
    for name in ("key_id", "device_id"):
        polling.pop(name)
    return {
        "polling": polling,
        "reading": last_reading(connection, device_id),
        "neighbours": shown_neighbours(connection, device_id),
    }


def shown_neighbours(connection: Connection, device_id: str) -> list[dict[str, Any]]:
    """What the device saw at its ports at its last inventory, each with the device of the estate that it is, or None."""
    seen = seen_neighbours(connection, device_id)
    known = recognised(connection, seen)
    return [
        one | {"device_id": match.device_id if match else None, "recognised_by": match.by if match else None}
        for one, match in zip(as_json(seen), known, strict=True)
    ]


NETWORK_ROUTES = [Route("/v1/devices/{device_id}/network", network)]
