"""The first page: power now, energy today, carbon this financial year, and every device with method and coverage.

Silent devices come first, a hundred on a page. Sorting and filtering are links and a form with GET parameters, so a view
can be sent to a colleague.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from carbon.wording import counted
from collector.queries import DeviceRow, devices
from collector.totals import Total, sum_totals
from collector.web.paging import ROWS, Paging, address
from collector.web.reading import reading_of
from collector.web.rendering import Shown, frame, page, shown


@dataclass(frozen=True, slots=True)
class EstateRow:
    """A device with its totals; None where it is not counted or nothing is known of that time."""

    device: DeviceRow
    today: Total | None
    year: Total | None

    @property
    def today_shown(self) -> Shown | None:
        return shown(self.today) if self.today else None

    @property
    def year_shown(self) -> Shown | None:
        return shown(self.year) if self.year else None


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can be sorted by. `key` gives None for rows that come last either way."""

    title: str
    key: Callable[[EstateRow], Any]
    numeric: bool = False


COLUMNS: dict[str, Column] = {
    "name": Column("Device", lambda row: (row.device.host_name or row.device.device_id).lower()),
    "site": Column(
        "Site", lambda row: (row.device.site.lower(), row.device.space.lower()) if row.device.site else None
    ),
    "power": Column("Power now", lambda row: row.device.power_watts, numeric=True),
    "method": Column("Method", lambda row: row.device.method or None),
    "heard": Column("Last heard", lambda row: row.device.silent_seconds, numeric=True),
    "energy": Column("Energy today (kWh)", lambda row: row.today.energy.total_uj if row.today else None, numeric=True),
    "coverage": Column("Coverage today", lambda row: row.today.coverage if row.today else None, numeric=True),
    "carbon": Column("CO2e {year} (kg)", lambda row: row.year.footprint.total_kg if row.year else None, numeric=True),
}
ORDERS = ("ascending", "descending")
NO_SITE = "-"
"""The value of the parameter `site` for devices without one."""


async def estate_page(request: Request) -> Response:
    """The page for the query parameters `filter`, `site`, `kind`, `sort`, `order`, `retired` and `page`.

    Unknown values are as none.
    """
    return await run_in_threadpool(_estate, request, dict(request.query_params))


def _estate(request: Request, parameters: Mapping[str, str]) -> Response:
    reading = reading_of(request)
    view = _View.of(parameters)
    with reading.database() as connection:
        used = devices(connection, reading.organisations)
        retired = devices(connection, reading.organisations, retired=True)
    totals = reading.totals()
    years = totals.years()
    listed = retired if view.retired else used
    rows = [EstateRow(row, totals.today.get(row.device_id), years.get(row.device_id)) for row in listed]
    filtered = sorted_rows([row for row in rows if view.shows(row.device)], view.sort, view.order)
    paging = Paging.of("/", view.parameters, parameters.get("page", ""), len(filtered))
    listed_here = filtered[paging.offset : paging.offset + ROWS]
    return page(
        request,
        "estate.html",
        {
            **frame("estate", totals),
            "rows": listed_here,
            "paging": paging,
            "sites": _choices((row.site for row in listed), view.site),
            "kinds": _choices((row.kind for row in listed), view.kind),
            "whole": _sums(filtered),
            "view": view,
            "columns": COLUMNS,
            "listed_count": len(listed),
            "used_count": len(used),
            "retired_count": len(retired),
            "silent_count": sum(1 for row in used if row.silent),
            "power": _power_now(used),
            "today": shown(totals.whole_today),
            "unexplained": shown(totals.year_unexplained),
            "year": shown(totals.year),
            "method_counts": _counts(row.method or "no figure" for row in used),
        },
    )


@dataclass(frozen=True, slots=True)
class _View:
    """What is asked for, and the addresses of its neighbours."""

    filter: str
    site: str
    kind: str
    sort: str
    order: str
    retired: bool

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "_View":
        sort = parameters.get("sort", "")
        sort = sort if sort in COLUMNS else ""
        order = parameters.get("order", "")
        order = order if order in ORDERS else _first_order(sort)
        words, site, kind = (parameters.get(name, "").strip()[:200] for name in ("filter", "site", "kind"))
        return cls(words, site, kind, sort, order, parameters.get("retired") == "yes")

    @property
    def parameters(self) -> dict[str, str]:
        """All parameters but the page."""
        return self._with(self.sort, self.order)

    @property
    def filtered(self) -> bool:
        return any((self.filter, self.site, self.kind))

    def shows(self, row: DeviceRow) -> bool:
        """Whether a device is among those asked for."""
        site = self.site in ("", row.site or NO_SITE)
        return site and self.kind in ("", row.kind) and matches(row, self.filter)

    def sorted_by(self, column: str) -> str:
        """The address of the view sorted by a column; by the one it is sorted by, the other way round."""
        order = _first_order(column)
        if column == self.sort:
            order = ORDERS[1 - ORDERS.index(self.order)]
        return address("/", self._with(column, order))

    @property
    def unfiltered(self) -> str:
        return address("/", {**self.parameters, "filter": "", "site": "", "kind": ""})

    def _with(self, sort: str, order: str) -> dict[str, str]:
        return {
            "filter": self.filter,
            "site": self.site,
            "kind": self.kind,
            "sort": sort,
            "order": order if sort else "",
            "retired": "yes" if self.retired else "",
        }


def _first_order(sort: str) -> str:
    """Texts from A on, figures from the largest."""
    return ORDERS[1] if sort and COLUMNS[sort].numeric else ORDERS[0]


def sorted_rows(rows: Sequence[EstateRow], sort: str, order: str) -> list[EstateRow]:
    """Rows in the order asked for; those without a value last, whichever way."""
    if not sort:
        return list(rows)
    key = COLUMNS[sort].key
    known = [row for row in rows if key(row) is not None]
    unknown = [row for row in rows if key(row) is None]
    return [*sorted(known, key=key, reverse=order == ORDERS[1]), *unknown]


def matches(row: DeviceRow, wanted: str) -> bool:
    """Whether every word of the filter stands somewhere in the row."""
    texts = (
        row.host_name,
        row.device_id,
        row.site,
        row.space,
        row.directorate,
        row.owner,
        row.method or "no figure",
        row.platform.replace("_", " "),
        "silent" if row.silent else "heard",
        "host missing" if row.host_missing else "",
    )
    whole = " ".join(texts).lower()
    return all(word in whole for word in wanted.lower().split())


def _choices(names: Iterable[str], chosen: str) -> list[tuple[str, str]]:
    """Values and texts of a select, as people count; what is chosen is among them although nothing has it now."""
    values = sorted({name or NO_SITE for name in names} | {chosen} - {""}, key=counted)
    return [(name, "not set" if name == NO_SITE else name.replace("_", " ")) for name in values]


def _sums(rows: Sequence[EstateRow]) -> dict[str, Shown]:
    """Sums of what is listed."""
    return {
        "today": shown(sum_totals(row.today for row in rows if row.today)),
        "year": shown(sum_totals(row.year for row in rows if row.year)),
    }


def _power_now(rows: Sequence[DeviceRow]) -> dict[str, float] | None:
    """Power of the counted devices that were heard of; their estimates share the model's error, so bounds add up too."""
    known = [row for row in rows if row.power_watts is not None and row.counted and not row.silent]
    if not known:
        return None
    return {
        "watts": sum(row.power_watts or 0.0 for row in known),
        "low": sum(row.power_low_watts or 0.0 for row in known),
        "high": sum(row.power_high_watts or 0.0 for row in known),
        "devices": len(known),
    }


def _counts(names: Iterable[str]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return sorted(counts.items())
