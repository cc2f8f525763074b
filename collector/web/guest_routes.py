"""Where a host's energy went, and what a virtual machine had of its hosts', for the API and the device's page."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from carbon.calendar import HALF_HOUR_SECONDS, half_hour_of
from carbon.units import kwh
from collector.errors import BadRequest
from collector.guest_queries import Amount, OnHost, SharedHost, on_hosts, shared_host
from collector.queries import device_detail
from collector.web.answers import json_response
from collector.web.charts import parts_chart
from collector.web.ranges import half_hour_range
from collector.web.reading import reading_of

DAY_SECONDS = 86_400
MOST_BARS = 20
"""Guests in the picture; the table has them all."""


async def guests(request: Request) -> Response:
    """GET /v1/devices/{device_id}/guests[?from=&to=]: both sides of attribution; the last 24 hours without times."""
    reading = reading_of(request)
    parameters = request.query_params
    if unknown := set(parameters) - {"from", "to"}:
        raise BadRequest(f"there is no parameter {min(unknown)}", "use from and to")
    start, end = last_day()
    if "from" in parameters or "to" in parameters:
        start, end = half_hour_range(parameters.get("from"), parameters.get("to"))
    device_id = request.path_params["device_id"]

    def read() -> dict[str, Any]:
        with reading.database() as connection:
            device_detail(connection, device_id, reading.organisations)
            shared = shared_host(connection, device_id, start, end)
            return {
                "device_id": device_id,
                "from": start,
                "to": end,
                "as_host": None if shared is None else asdict(shared),
                "as_guest": [asdict(one) for one in on_hosts(connection, device_id, start, end)],
            }

    return json_response(await run_in_threadpool(read))


def last_day() -> tuple[int, int]:
    """The half-hours of the last 24 hours, with the present one."""
    end = half_hour_of(int(time.time())) + HALF_HOUR_SECONDS
    return end - DAY_SECONDS, end


@dataclass(frozen=True, slots=True)
class ShownPart:
    """One line of the table: a guest, the host itself or the headroom. `percent` is its part of the host's energy."""

    name: str
    device_id: str
    about: str
    kwh: float
    low_kwh: float
    high_kwh: float
    idle_kwh: float
    active_kwh: float
    percent: float


def shown_guests(connection: Connection, device_id: str) -> dict[str, Any]:
    """What the page of a device shows of the last 24 hours; each side None or empty where it has none."""
    start, end = last_day()
    shared = shared_host(connection, device_id, start, end)
    return {
        "shared": None if shared is None else _shown(shared),
        "on_hosts": [_on_host(one) for one in on_hosts(connection, device_id, start, end)],
    }


def _shown(shared: SharedHost) -> dict[str, Any]:
    whole = shared.whole.energy_uj
    parts = [
        _part(one, whole, one.name or one.system_uuid, _about(one), one.idle_uj, one.active_uj, one.device_id)
        for one in shared.guests
    ]
    itself, headroom = shared.host_itself, shared.headroom
    rest = [
        _part(itself, whole, "the host itself", "work that is no guest's", 0, itself.energy_uj),
        _part(headroom, whole, "headroom", "idle power that no guest is configured for", headroom.energy_uj, 0),
    ]
    return {
        "parts": [*parts, *rest],
        "whole": _part(shared.whole, whole, "the host", "", 0, 0),
        "half_hours": shared.half_hours,
        "image": parts_chart(tuple(_bars(parts, rest))),
        "summary": ", ".join(f"{one.name} {one.percent:.0f}%" for one in [*parts[:5], *rest]),
    }


def _about(one: Any) -> str:
    size = [f"{one.vcpus:g} vCPU" if one.vcpus else "no limit of processors"]
    size.append(f"{one.memory_bytes / 2**30:.3g} GiB" if one.memory_bytes else "no limit of memory")
    return f"{one.kind.replace('_', ' ')} ({one.manager}), {', '.join(size)}"


def _part(
    one: Amount, whole_uj: int, name: str, about: str, idle_uj: int, active_uj: int, device_id: str = ""
) -> ShownPart:
    percent = 100 * one.energy_uj / whole_uj if whole_uj else 0.0
    return ShownPart(
        name,
        device_id,
        about,
        kwh(one.energy_uj),
        kwh(one.low_uj),
        kwh(one.high_uj),
        kwh(idle_uj),
        kwh(active_uj),
        percent,
    )


def _bars(parts: Sequence[ShownPart], rest: Sequence[ShownPart]) -> list[tuple[str, float, float]]:
    """The largest guests, all further ones as one, and the rest: (name, idle kWh, active kWh)."""
    few, more = parts[:MOST_BARS], parts[MOST_BARS:]
    bars = [(one.name, one.idle_kwh, one.active_kwh) for one in few]
    if more:
        sums = (sum(one.idle_kwh for one in more), sum(one.active_kwh for one in more))
        bars.append((f"{len(more)} further guests", *sums))
    return [*bars, *((one.name, one.idle_kwh, one.active_kwh) for one in rest)]


def _on_host(one: OnHost) -> dict[str, Any]:
    part = _part(one, one.host_uj, one.host_name or one.host_id, "", one.idle_uj, one.active_uj, one.host_id)
    return {"part": part, "half_hours": one.half_hours, "ran_hours": one.ran_seconds / 3600}


GUEST_ROUTES = [Route("/v1/devices/{device_id}/guests", guests)]
