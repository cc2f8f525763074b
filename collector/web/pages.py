"""The pages: estate, device, carbon, data quality. Drawn on the server; they work without JavaScript."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from carbon.calendar import half_hour_of
from collector.queries import devices, problem_devices, problem_sources, rejected_summary
from collector.web.account_page import ACCOUNT_ROUTES
from collector.web.audit_page import audit_page
from collector.web.carbon_asked import ENTRIES
from collector.web.carbon_routes import CARBON_PAGES
from collector.web.coverage_page import coverage_page
from collector.web.device_page import device_page
from collector.web.estate_page import estate_page
from collector.web.login import LOGIN_ROUTES
from collector.web.power_path_routes import POWER_PATH_PAGES
from collector.web.reading import reading_of
from collector.web.reconciliation_page import reconciliation_page
from collector.web.register_page import register_item_page, register_page
from collector.web.rendering import frame, page, shown
from collector.web.tree_page import tree_page


async def carbon_page(request: Request) -> Response:
    """The footprint by month and line, with what it rests on."""
    return await run_in_threadpool(_carbon, request)


def _carbon(request: Request) -> Response:
    reading = reading_of(request)
    totals = reading.totals()
    months = totals.months
    with reading.database() as connection:
        guests = [row for row in devices(connection, reading.organisations) if row.host_missing]
    return page(
        request,
        "carbon.html",
        {
            **frame("carbon", totals),
            "months": [(_month_name(month), shown(totals.month(month))) for month in months],
            "year": shown(totals.year),
            "factors": totals.rules.factors(totals.rules.day(half_hour_of(totals.as_of))),
            "rule": totals.rules.year_rule,
            "guests": guests,
            "entries": [(path, path, title) for path, title in ENTRIES],
        },
    )


async def quality_page(request: Request) -> Response:
    """What is absent, failed, silent or refused, each with its remedy."""
    return await run_in_threadpool(_quality, request)


def _quality(request: Request) -> Response:
    reading = reading_of(request)
    collector, mine = reading.collector, reading.organisations
    with reading.database() as connection:
        silent = [row for row in devices(connection, mine) if row.silent]
        sources = problem_sources(connection, mine)
        diagnoses = problem_devices(connection, mine)
        rejected = rejected_summary(connection, mine)
    return page(
        request,
        "quality.html",
        {
            **frame("quality", reading.totals()),
            "silent": silent,
            "sources": grouped(sources),
            "diagnoses": diagnoses,
            "rejected": rejected,
            "problems": collector.problems(),
            "targets": [pump.state for pump in collector.pumps],
            "outbox": collector.outbox_depth(),
            "dropped": collector.outbox_dropped,
        },
    )


def grouped(sources: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Sources with the same outcome, reason and remedy as one, with the devices that have it: failed ones first.

    A council has hundreds of machines without a battery, and one sentence says so.
    """
    groups: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for one in sources:
        key = (one["outcome"], one["source"], one["reason"], one["remedy"])
        groups.setdefault(key, []).append((one["device_id"], one["host_name"]))
    ordered = sorted(groups.items(), key=lambda item: (item[0][0] != "failed", -len(item[1]), item[0]))
    return [
        {"outcome": outcome, "source": source, "reason": reason, "remedy": remedy, "devices": found}
        for (outcome, source, reason, remedy), found in ordered
    ]


PAGES = [
    Route("/", estate_page),
    Route("/devices/{device_id}", device_page),
    *POWER_PATH_PAGES,
    Route("/coverage", coverage_page),
    Route("/tree", tree_page),
    Route("/register", register_page),
    Route("/register/items/{item_id}", register_item_page),
    Route("/register/reconciliation", reconciliation_page),
    Route("/carbon", carbon_page),
    *CARBON_PAGES,
    Route("/quality", quality_page),
    Route("/audit", audit_page),
    *ACCOUNT_ROUTES,
    *LOGIN_ROUTES,
]


def _month_name(month: str) -> str:
    return f"{datetime.date.fromisoformat(month + '-01'):%B %Y}"
