"""The API's routes: agents' reports, and reading devices and energy. Those of hosts' keys are in `key_routes`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector.device_energy import footprint_of, half_hours, ledger_rows, method_of, rules_of
from collector.errors import BadRequest
from collector.queries import DeviceRow, device_detail, devices
from collector.running_totals import RunningTotals
from collector.segments import load_segments
from collector.totals import Total
from collector.web.answers import json_response
from collector.web.carbon_routes import CARBON_ROUTES
from collector.web.estate_routes import ESTATE_ROUTES
from collector.web.event_routes import EVENT_ROUTES
from collector.web.guest_routes import GUEST_ROUTES
from collector.web.key_routes import KEY_ROUTES
from collector.web.metrics import exposition
from collector.web.network_routes import NETWORK_ROUTES
from collector.web.openapi import document
from collector.web.power_path_routes import POWER_PATH_ROUTES
from collector.web.ranges import half_hour_range
from collector.web.reading import reading_of
from collector.web.requests import bounded_body, collector_of
from collector.wire import LARGEST_BODY_BYTES


async def reports(request: Request) -> Response:
    """POST /v1/reports: one report; answered with 200 only when it is on disk."""
    collector = collector_of(request)
    received_ns = collector.clock_ns()
    # Of a sender without a key not even the body is kept.
    await collector.ingest.admit(request.headers)
    with collector.ingest.counting_refusals():
        body = await bounded_body(request, LARGEST_BODY_BYTES)
    recorded = await collector.ingest.report(body, request.headers, received_ns)
    return json_response({"accepted": True, "duplicate": recorded.duplicate, "rejected_rows": recorded.rejected_rows})


async def device_list(request: Request) -> Response:
    """GET /v1/devices."""
    reading = reading_of(request)

    def read() -> list[dict[str, Any]]:
        with reading.database() as connection:
            rows = devices(connection, reading.organisations)
        totals = reading.totals()
        years = totals.years()
        return [{**_row_json(row), **_totals_json(totals, row.device_id, years)} for row in rows]

    return json_response({"devices": await run_in_threadpool(read)})


async def device_one(request: Request) -> Response:
    """GET /v1/devices/{device_id}."""
    reading = reading_of(request)

    def read() -> dict[str, Any]:
        with reading.database() as connection:
            detail = device_detail(connection, request.path_params["device_id"], reading.organisations)
        totals = reading.totals()
        parts = {name: value for name, value in asdict(detail).items() if name != "row"}
        return {**_row_json(detail.row), **parts, **_totals_json(totals, detail.row.device_id, totals.years())}

    return json_response(await run_in_threadpool(read))


async def energy(request: Request) -> Response:
    """GET /v1/energy?from=&to=[&device_id=]: written half-hours, or without times the running totals."""
    reading = reading_of(request)
    parameters = request.query_params
    if unknown := set(parameters) - {"from", "to", "device_id"}:
        raise BadRequest(f"there is no parameter {min(unknown)}", "use from, to and device_id")
    if "from" not in parameters and "to" not in parameters:
        totals = await run_in_threadpool(reading.totals)
        whole = totals.whole_today
        return json_response(
            {"as_of": totals.as_of, "today": total_json(whole), "financial_year": total_json(totals.year)}
        )
    start, end = half_hour_range(parameters.get("from"), parameters.get("to"))
    device_id = parameters.get("device_id")

    def read() -> list[dict[str, Any]]:
        mine = reading.device_ids()
        with reading.database() as connection:
            if device_id is not None:
                device_detail(connection, device_id, reading.organisations)
                mine = frozenset({device_id})
            segments = load_segments(connection, start, end, None if mine is None else sorted(mine))
            ids = {meter_id for segment in segments for meter_id in segment.meter_ids}
            rules = rules_of(connection, device_id)
            rows = half_hours(segments, ledger_rows(connection, ids, start, end))
            return [
                {
                    "half_hour": one.half_hour,
                    "device_id": one.segment.device_id,
                    "measured_uj": one.energy.measured_uj,
                    "estimated_uj": one.energy.estimated_uj,
                    "low_uj": one.energy.low_uj,
                    "high_uj": one.energy.high_uj,
                    "covered_seconds": one.covered_seconds,
                    "method": method_of(one.energy),
                    "counted": one.segment.counted,
                    "total_kg": str(footprint_of(one, rules).total_kg),
                }
                for one in rows
            ]

    return json_response({"from": start, "to": end, "half_hours": await run_in_threadpool(read)})


async def health(_request: Request) -> Response:
    """GET /healthz: the process answers."""
    return json_response({"status": "ok"})


async def ready(request: Request) -> Response:
    """GET /readyz: whether reports can be taken; 503 with what hinders."""
    problems = await run_in_threadpool(collector_of(request).problems)
    blocking = [one for one in problems if one["blocking"]]
    return json_response({"ready": not blocking, "problems": problems}, 503 if blocking else 200)


async def metrics(request: Request) -> Response:
    """GET /metrics: the collector itself, in Prometheus text format."""
    text = await run_in_threadpool(exposition, collector_of(request))
    return Response(text, media_type="text/plain; version=0.0.4")


async def openapi(_request: Request) -> Response:
    """GET /v1/openapi.json."""
    return json_response(document())


ROUTES = [
    Route("/v1/reports", reports, methods=["POST"]),
    *KEY_ROUTES,
    Route("/v1/devices", device_list),
    Route("/v1/devices/{device_id}", device_one),
    *GUEST_ROUTES,
    *NETWORK_ROUTES,
    *POWER_PATH_ROUTES,
    *EVENT_ROUTES,
    *ESTATE_ROUTES,
    *CARBON_ROUTES,
    Route("/v1/energy", energy),
    Route("/v1/openapi.json", openapi),
    Route("/healthz", health),
    Route("/readyz", ready),
    Route("/metrics", metrics),
]


def total_json(total: Total) -> dict[str, Any]:
    """A total for machines: exact microjoules, kilograms as decimal text."""
    return {
        "measured_uj": total.energy.measured_uj,
        "estimated_uj": total.energy.estimated_uj,
        "low_uj": total.energy.low_uj,
        "high_uj": total.energy.high_uj,
        "coverage": round(total.coverage, 6),
        "s2_location_kg": str(total.footprint.s2_location_kg),
        "s3_td_kg": str(total.footprint.s3_td_kg),
        "s3_wtt_gen_kg": str(total.footprint.s3_wtt_gen_kg),
        "s3_wtt_td_kg": str(total.footprint.s3_wtt_td_kg),
        "total_kg": str(total.footprint.total_kg),
    }


def _row_json(row: DeviceRow) -> dict[str, Any]:
    return {**asdict(row), "silent": row.silent, "host_missing": row.host_missing}


def _totals_json(totals: RunningTotals, device_id: str, years: Mapping[str, Total]) -> dict[str, Any]:
    """A device's totals; None where it is not counted or nothing is known of that time."""
    today, year = totals.today.get(device_id), years.get(device_id)
    return {
        "today": None if today is None else total_json(today),
        "financial_year": None if year is None else total_json(year),
    }
