"""A device's page: inventory, power over 24 hours and 7 days with table twins, where the figure comes from, diagnoses."""

import datetime
import time
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from agent.choice import RUNGS
from carbon.calendar import zone
from carbon.wording import figure
from collector.people.roles import Permission
from collector.power_view import power_path
from collector.queries import device_detail
from collector.register_items import items_of_device
from collector.service import Collector
from collector.snmp.managed_view import shown_managed
from collector.snmp.places import FEEDING_KINDS
from collector.snmp.traps.record import shown_events
from collector.totals import nothing
from collector.web.charts import Row, image, power_chart, thinned
from collector.web.guest_routes import shown_guests
from collector.web.network_routes import shown_network
from collector.web.reading import reading_of
from collector.web.rendering import frame, page, shown

_DAY_NS = 86_400 * 10**9
_SPANS = {"24 hours": (1, 600), "7 days": (7, 3600)}
"""Charts on a device's page: days shown, and the seconds that one mean stands for."""
_EVENTS = 20
"""How many of a device's last events its page shows."""

_INVENTORY = {
    "platform": "Platform",
    "hypervisor": "Hypervisor",
    "cloud": "Cloud",
    "vendor": "Vendor",
    "model": "Model",
    "serial": "Serial number",
    "chassis": "Chassis",
    "cpu_model": "Processor",
    "cpu_sockets": "Sockets",
    "cpu_cores": "Cores",
    "cpu_threads": "Threads",
    "memory_bytes": "Memory",
    "disks": "Disks",
    "network_cards": "Network cards",
    "operating_system": "Operating system",
    "kernel": "Kernel",
    "architecture": "Architecture",
    "boot_unix_ns": "Started",
    "machine_id": "Machine id",
    "host_name": "Host name",
}
"""The inventory in the order people read it; what is not named here comes last under its own name."""

DEVICE_KINDS = {
    "network_device": "Network device",
    "switch": "Switch",
    "router": "Router",
    "firewall": "Firewall",
    "wireless_controller": "Wireless controller",
    "access_point": "Access point",
    "ups": "UPS",
    "pdu": "PDU",
    "meter": "Meter",
    "server_bmc": "Management board of a server",
    "server": "Server, polled",
    "storage": "Storage",
    "printer": "Printer",
    "phone": "Telephone",
    "camera": "Camera",
    "environment": "Environment monitor",
    "dc_plant": "DC power plant",
    "radio_link": "Radio link",
    "appliance": "Appliance",
}
"""What a polled device's page calls it; what an agent runs on says itself what it is."""


async def device_page(request: Request) -> Response:
    """One device. Raises NotFound."""
    return await run_in_threadpool(_device, request, request.path_params["device_id"])


def _device(request: Request, device_id: str) -> Response:
    reading = reading_of(request)
    collector = reading.collector
    identity = request.state.identity
    with reading.database() as connection:
        detail = device_detail(connection, device_id, reading.organisations)
        guests = shown_guests(connection, device_id)
        network = shown_network(connection, device_id)
        managed = shown_managed(connection, device_id)
        path = power_path(connection, device_id)
        events = shown_events(connection, device_id, _EVENTS)
        registered = items_of_device(connection, device_id)
    totals = reading.totals()
    now_ns = time.time_ns()
    power = _power_rows(collector, device_id, now_ns - max(days for days, _ in _SPANS.values()) * _DAY_NS, now_ns)
    charts = [
        _chart(
            title, [row for row in power if row[0] * 10**9 >= now_ns - days * _DAY_NS], bucket, totals.rules.time_zone
        )
        for title, (days, bucket) in _SPANS.items()
    ]
    return page(
        request,
        "device.html",
        {
            **frame("estate", totals),
            "device": detail.row,
            "inventory": inventory_rows(detail.inventory),
            "sources": detail.sources,
            "diagnoses": detail.diagnoses,
            "rejected": detail.rejected,
            "choice": detail.choice,
            "rungs": RUNGS,
            "charts": charts,
            "shared": guests["shared"] and {**guests["shared"], "image": image(guests["shared"]["image"])},
            "on_hosts": guests["on_hosts"],
            "network": network,
            "managed": managed,
            "path": path,
            "decides": identity.is_person and identity.may(Permission.OPERATE),
            "csrf": identity.csrf,
            "events": events,
            "registered": registered,
            "feeding_kinds": FEEDING_KINDS,
            "device_kinds": DEVICE_KINDS,
            "today": shown(totals.today.get(device_id, nothing())),
            "year": shown(totals.year_of(device_id)),
        },
    )


def _chart(title: str, rows: Sequence[Row], bucket: int, time_zone: str) -> dict[str, Any]:
    """A chart and its table, of the same means."""
    thin = thinned(rows, bucket)
    local = [_localised(row, time_zone) for row in thin]
    drawn = tuple(row for row, _ in local)
    return {
        "title": title,
        "minutes": bucket // 60,
        "image": image(power_chart(drawn, time_zone, bucket)) if len(thin) > 1 else "",
        "summary": _summary(thin),
        "rows": [(text, row) for row, text in reversed(local)],
    }


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


def _summary(rows: Sequence[Row]) -> str:
    if not rows:
        return "no power is known of this time"
    watts = [row[1] for row in rows]
    return f"between {figure(min(watts), 3)} and {figure(max(watts), 3)} W, mean {figure(sum(watts) / len(watts), 3)} W"


def inventory_rows(inventory: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The inventory in words, without what is not known."""
    names = [
        *(name for name in _INVENTORY if name in inventory),
        *(name for name in inventory if name not in _INVENTORY),
    ]
    rows = [(_INVENTORY.get(name, name.replace("_", " ")), _words(name, inventory[name])) for name in names]
    return [(label, text) for label, text in rows if text]


def _words(name: str, value: Any) -> str:
    if not value:
        return ""
    if name == "disks":
        return ", ".join(_disk(disk) for disk in value)
    if name == "network_cards":
        return ", ".join(card["name"] for card in value)
    if name == "memory_bytes":
        return f"{value / 2**30:.1f} GiB"
    if name == "boot_unix_ns":
        return f"{datetime.datetime.fromtimestamp(value / 1e9, datetime.UTC):%d %B %Y %H:%M} UTC".lstrip("0")
    return str(value).replace("_", " ") if name == "platform" else str(value)


def _disk(disk: Mapping[str, Any]) -> str:
    size = f" {disk['size_bytes'] / 1e9:.0f} GB" if disk.get("size_bytes") else ""
    return f"{disk['name']}{' ' + disk['model'] if disk.get('model') else ''}{size}"
