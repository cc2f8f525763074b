"""The estate's totals and coverage for programs: the same figures as `ictagent estate totals` and `coverage`."""

import re
import time
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from carbon.calendar import local_day
from carbon.uncertainty import CONFIDENCE
from collector.device_energy import rules_of
from collector.errors import BadRequest
from collector.estate_coverage import CoverageRow, estate_coverage
from collector.estate_totals import KEYS, EstateTotal, estate_totals, figures
from collector.web.answers import json_response, known_parameters
from collector.web.reading import reading_of

LONGEST_MONTHS = 60
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


async def totals(request: Request) -> Response:
    """GET /v1/estate/totals?from=&to=&by=: energy by keys with ranges, in kWh as text, to the microjoule."""
    reading = reading_of(request)
    parameters = request.query_params
    known_parameters(parameters, ("from", "to", "by"))
    names = parameters.getlist("by") or ["site"]
    if strange := [name for name in names if name not in KEYS]:
        raise BadRequest(f"by={strange[0][:40]} is no key", f"use {', '.join(KEYS)}")

    def read() -> dict[str, Any]:
        now = int(time.time())
        with reading.database() as connection:
            this = f"{local_day(now - now % 1800, rules_of(connection).time_zone):%Y-%m}"
            first, last = _months(parameters, this)
            found = estate_totals(connection, first, last, now, reading.organisations)
        rows = [{**dict(zip(names, key, strict=True)), **_figures(total)} for key, total in found.by(*names).items()]
        return {"from": first, "to": last, "by": names, "confidence": CONFIDENCE, "rows": rows}

    return json_response(await run_in_threadpool(read))


async def coverage(request: Request) -> Response:
    """GET /v1/estate/coverage?month=: registered devices in use by class and how their energy is got."""
    reading = reading_of(request)
    parameters = request.query_params
    known_parameters(parameters, ("month",))

    def read() -> dict[str, Any]:
        now = int(time.time())
        with reading.database() as connection:
            this = f"{local_day(now - now % 1800, rules_of(connection).time_zone):%Y-%m}"
            month = _month(parameters.get("month", this), "month")
            rows = estate_coverage(connection, month, now, reading.organisations)
            totals = estate_totals(connection, month, month, now, reading.organisations)
        times = totals.by("organisation", "device_class")
        return {"month": month, "rows": [{**_devices(row), **_time(times.get(_key(row)))} for row in rows]}

    return json_response(await run_in_threadpool(read))


def _key(row: CoverageRow) -> tuple[str, ...]:
    return row.organisation, row.device_class


def _devices(row: CoverageRow) -> dict[str, Any]:
    return {**asdict(row), "registered": row.registered}


def _time(total: EstateTotal | None) -> dict[str, int]:
    total = total or EstateTotal()
    return {"covered_seconds": total.covered_seconds, "possible_seconds": total.possible_seconds}


def _figures(total: EstateTotal) -> dict[str, Any]:
    return {**figures(total), "covered_seconds": total.covered_seconds, "possible_seconds": total.possible_seconds}


def _months(parameters: QueryParams, this: str) -> tuple[str, str]:
    first = _month(parameters.get("from", parameters.get("to", this)), "from")
    last = _month(parameters.get("to", this), "to")
    months = (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:]) + 1
    if not 1 <= months <= LONGEST_MONTHS:
        raise BadRequest(f"from must not lie after to, and the range may be {LONGEST_MONTHS} months")
    return first, last


def _month(text: str, name: str) -> str:
    if not _MONTH.fullmatch(text):
        raise BadRequest(f"{name}={text[:40]} is no month", "write it as 2026-04")
    return text


ESTATE_ROUTES = [Route("/v1/estate/totals", totals), Route("/v1/estate/coverage", coverage)]
