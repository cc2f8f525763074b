"""The pages: estate, device, carbon, data quality. Drawn on the server; they work without JavaScript.

Sorting and filtering are links and a form with GET parameters, so a view can be sent to a colleague.
"""

import base64
import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from agent.choice import RUNGS
from carbon.calendar import financial_year_label, zone
from carbon.footprint import Footprint
from carbon.units import kwh
from carbon.wording import energy_words, figure, mass_words
from collector.queries import (
    DeviceRow,
    device_detail,
    devices,
    problem_devices,
    problem_sources,
    rejected_summary,
)
from collector.running_totals import RunningTotals
from collector.service import Collector
from collector.totals import Total, nothing, sum_totals
from collector.web.charts import Row, power_chart, thinned

_DAY_NS = 86_400 * 10**9
_SPANS = {"24 hours": (1, 600), "7 days": (7, 3600)}
"""Charts on a device's page: days shown, and the seconds that one mean stands for."""

SORTS: dict[str, tuple[str, Callable[[DeviceRow], Any]]] = {
    "name": ("Device", lambda row: (row.host_name or row.device_id).lower()),
    "site": ("Site", lambda row: (row.site == "", row.site.lower())),
    "power": ("Power", lambda row: -(row.power_watts or 0.0)),
    "method": ("Method", lambda row: row.method),
    "heard": ("Last heard", lambda row: -(row.silent_seconds or 0)),
}

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["figure"] = figure


def _age(seconds: int | None) -> str:
    """How long ago, in one unit people use."""
    if seconds is None:
        return "never"
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return f"{seconds} s ago"


_environment.filters["age"] = _age
_environment.filters["energy"] = energy_words
_environment.filters["mass"] = mass_words
_environment.filters["sentence"] = lambda text: text[:1].upper() + text[1:]


def _page(name: str, values: Mapping[str, Any]) -> HTMLResponse:
    return HTMLResponse(_environment.get_template(name).render(values))


def _collector(request: Request) -> Collector:
    found: Collector = request.app.state.collector
    return found


async def estate_page(request: Request) -> Response:
    """Power now, energy today, carbon this year, and every device with method and coverage; silent ones first."""
    return await run_in_threadpool(_estate, _collector(request), dict(request.query_params))


def _estate(collector: Collector, parameters: dict[str, str]) -> Response:
    with collector.database.read() as connection:
        rows = devices(connection)
    totals = collector.totals.get()
    wanted = parameters.get("filter", "").strip()
    sort = parameters.get("sort", "")
    shown = [row for row in rows if _matches(row, wanted)]
    if sort in SORTS:
        shown = sorted(shown, key=SORTS[sort][1])
    counted = [row for row in rows if row.power_watts is not None and not row.silent]
    return _page(
        "estate.html",
        {
            **_frame("estate", totals),
            "rows": shown,
            "device_count": len(rows),
            "silent_count": sum(1 for row in rows if row.silent),
            "filter": wanted,
            "sort": sort,
            "sorts": SORTS,
            "power": _sum_power(counted),
            "today": _shown(sum_totals(totals.today.values())),
            "today_by_device": {one: _shown(total) for one, total in totals.today.items()},
            "year": _shown(totals.year),
            "method_counts": _counts(row.method or "no figure" for row in rows),
        },
    )


async def device_page(request: Request) -> Response:
    """One device: inventory, charts with their tables, sources and diagnoses."""
    return await run_in_threadpool(_device, _collector(request), request.path_params["device_id"])


def _device(collector: Collector, device_id: str) -> Response:
    with collector.database.read() as connection:
        detail = device_detail(connection, device_id)
    totals = collector.totals.get()
    now_ns = time.time_ns()
    label = totals.rules.time_zone
    charts = []
    for title, (days, bucket) in _SPANS.items():
        rows = _power_rows(collector, device_id, now_ns - days * _DAY_NS, now_ns)
        thin = thinned(rows, bucket)
        local = [_localised(row, label) for row in thin]
        charts.append(
            {
                "title": title,
                "minutes": bucket // 60,
                "image": _image(power_chart(tuple(one for one, _ in local), label, 2 * bucket))
                if len(thin) > 1
                else "",
                "summary": _summary(thin),
                "rows": [(text, row) for row, text in reversed(local)],
            }
        )
    return _page(
        "device.html",
        {
            **_frame("estate", totals),
            "device": detail.row,
            "inventory": _inventory_rows(detail.inventory),
            "sources": detail.sources,
            "diagnoses": detail.diagnoses,
            "rejected": detail.rejected,
            "choice": detail.choice,
            "rungs": RUNGS,
            "charts": charts,
            "today": _shown(totals.today.get(device_id, nothing())),
            "year": _shown(totals.year_of(device_id)),
        },
    )


async def carbon_page(request: Request) -> Response:
    """The footprint by month and line, with what it rests on."""
    return await run_in_threadpool(_carbon, _collector(request))


def _carbon(collector: Collector) -> Response:
    totals = collector.totals.get()
    months = sorted({month for month, _ in totals.by_month})
    rows = [(_month_name(month), _shown(totals.month(month))) for month in months]
    with collector.database.read() as connection:
        uncounted = [row for row in devices(connection) if row.host_missing]
    return _page(
        "carbon.html",
        {
            **_frame("carbon", totals),
            "months": rows,
            "year": _shown(totals.year),
            "factors": totals.rules.factors(totals.rules.day(totals.as_of - totals.as_of % 1800)),
            "rule": totals.rules.year_rule,
            "guests": uncounted,
        },
    )


async def quality_page(request: Request) -> Response:
    """What is absent, failed, silent or refused, each with its remedy."""
    return await run_in_threadpool(_quality, _collector(request))


def _quality(collector: Collector) -> Response:
    with collector.database.read() as connection:
        rows = devices(connection)
        values = {
            "sources": problem_sources(connection),
            "diagnoses": problem_devices(connection),
            "rejected": rejected_summary(connection),
        }
    return _page(
        "quality.html",
        {
            **_frame("quality", collector.totals.get()),
            **values,
            "silent": [row for row in rows if row.silent],
            "problems": collector.problems(),
            "targets": [pump.state for pump in collector.pumps],
            "outbox": collector.outbox_depth(),
            "dropped": collector.outbox_dropped,
        },
    )


PAGES = [
    Route("/", estate_page),
    Route("/devices/{device_id}", device_page),
    Route("/carbon", carbon_page),
    Route("/quality", quality_page),
]


def _frame(current: str, totals: RunningTotals) -> dict[str, Any]:
    at = datetime.datetime.fromtimestamp(totals.as_of, zone(totals.rules.time_zone))
    return {
        "current": current,
        "as_of": f"{at:%d %B %Y %H:%M:%S %Z}",
        "financial_year": financial_year_label(totals.financial_year),
    }


def _shown(total: Total) -> dict[str, Any]:
    """A total as pages show it."""
    carbon: Footprint = total.footprint
    return {
        "kwh": kwh(total.energy.total_uj),
        "low_kwh": kwh(total.energy.low_uj),
        "high_kwh": kwh(total.energy.high_uj),
        "measured_percent": round(100 * total.energy.measured_uj / total.energy.total_uj)
        if total.energy.total_uj
        else 0,
        "coverage_percent": round(100 * total.coverage),
        "carbon": carbon,
    }


def _sum_power(rows: Sequence[DeviceRow]) -> dict[str, float] | None:
    """Power of devices together; their estimates share the model's error, so bounds add up too."""
    if not rows:
        return None
    return {
        "watts": sum(row.power_watts or 0.0 for row in rows),
        "low": sum(row.power_low_watts or 0.0 for row in rows),
        "high": sum(row.power_high_watts or 0.0 for row in rows),
    }


def _matches(row: DeviceRow, wanted: str) -> bool:
    """Whether every word of the filter stands somewhere in the row."""
    state = "silent" if row.silent else "heard"
    texts = (
        row.host_name,
        row.device_id,
        row.site,
        row.space,
        row.directorate,
        row.owner,
        row.method,
        row.platform,
        state,
    )
    whole = " ".join(texts).lower()
    return all(word in whole for word in wanted.lower().split())


def _counts(names: Any) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return sorted(counts.items())


def _power_rows(collector: Collector, device_id: str, start_ns: int, end_ns: int) -> list[Row]:
    rows: list[Row] = []
    for series in collector.points.read("hw_host", start_ns, end_ns, {"device_id": device_id}):
        for unix_ns, fields in series.points:
            watts, low, high = (fields.get(name) for name in ("power_watts", "power_low_watts", "power_high_watts"))
            if isinstance(watts, float):
                rows.append((unix_ns // 10**9, watts, _float(low), _float(high)))
    return sorted(rows)


def _float(value: object) -> float | None:
    return value if isinstance(value, float) else None


def _localised(row: Row, time_zone: str) -> tuple[Row, str]:
    """A row shifted to local time for the chart, which draws UTC, and the local time in words for the table."""
    at = datetime.datetime.fromtimestamp(row[0], zone(time_zone))
    offset = at.utcoffset() or datetime.timedelta()
    return (row[0] + int(offset.total_seconds()), *row[1:]), f"{at:%a %d %b %H:%M}"


def _image(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _summary(rows: Sequence[Row]) -> str:
    if not rows:
        return "no readings yet"
    watts = [row[1] for row in rows]
    return f"power between {figure(min(watts))} and {figure(max(watts))} W, mean {figure(sum(watts) / len(watts))} W"


def _inventory_rows(inventory: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The inventory in words, without what is not known."""
    rows: list[tuple[str, str]] = []
    for name, value in inventory.items():
        if name == "disks":
            text = ", ".join(_disk(disk) for disk in value)
        elif name == "network_cards":
            text = ", ".join(card["name"] for card in value)
        elif name == "memory_bytes":
            text = f"{value / 2**30:.1f} GiB" if value else ""
        elif name == "boot_unix_ns":
            text = f"{datetime.datetime.fromtimestamp(value / 1e9, datetime.UTC):%d %B %Y %H:%M} UTC" if value else ""
        else:
            text = str(value or "").replace("_", " ") if name == "platform" else str(value or "")
        if text:
            rows.append((name.replace("_unix_ns", " time").replace("_bytes", "").replace("_", " "), text))
    return rows


def _disk(disk: Mapping[str, Any]) -> str:
    size = f" {disk['size_bytes'] / 1e9:.0f} GB" if disk.get("size_bytes") else ""
    return f"{disk['name']}{' ' + disk['model'] if disk.get('model') else ''}{size}"


def _month_name(month: str) -> str:
    return f"{datetime.date.fromisoformat(month + '-01'):%B %Y}"
