"""The register's pages: its items, filtered and paged, and all that it has said of one of them. Nothing is edited here."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from carbon.calendar import day_bounds, zone
from carbon.device_classes import CLASSES
from collector.device_energy import rules_of
from collector.errors import NotFound
from collector.people.organisations import names_of
from collector.register_items import NOT_SET, SORTS, STATUSES, ItemFilter, Seen, history, items, numbers, places
from collector.register_queries import IN_USE
from collector.web.paging import ROWS, Paging, address
from collector.web.reading import reading_of
from collector.web.rendering import page

PATH = "/register"
COLUMNS = {
    "name": "Item",
    "class": "Class",
    "model": "Model",
    "status": "Status",
    "site": "Site",
    "directorate": "Directorate",
    "quantity": "Number",
    "since": "So since",
}
"""Columns by what they are sorted by."""
_LONGEST = 200
_FILTERS = ("filter", "class", "status", "site", "directorate", "seen", "at")
_SEEN: tuple[Seen, ...] = ("", "yes", "no")


async def register_page(request: Request) -> Response:
    """GET /register: the parameters are those of `View`; unknown values are as none."""
    return await run_in_threadpool(_register, request)


def _register(request: Request) -> Response:
    reading = reading_of(request)
    mine = reading.organisations
    with reading.database() as connection:
        time_zone = rules_of(connection).time_zone
        view = View.of(request.query_params, time_zone)
        counts = numbers(connection, mine, view.wanted)
        shown = {kind: of for kind, of in counts.items() if view.counts(*kind)}
        paging = Paging.of(
            PATH, view.parameters, request.query_params.get("page", ""), sum(rows for rows, _ in shown.values())
        )
        listed = items(
            connection,
            mine,
            view.wanted,
            view.sort,
            descending=view.order == "descending",
            offset=paging.offset,
            limit=ROWS,
        )
        sites, directorates = places(connection, mine)
        several = len(names_of(connection, mine)) > 1
    return page(
        request,
        "register.html",
        {
            "current": "register",
            "view": view,
            "paging": paging,
            "items": listed,
            "devices": sum(devices for _, devices in shown.values()),
            "classes": _by_class(counts, view),
            "columns": COLUMNS,
            "class_names": {name: one.words for name, one in CLASSES.items()},
            "statuses": {"used": "in use, on loan or unknown", **{name: name.replace("_", " ") for name in STATUSES}},
            "sites": _choices(sites, view.wanted.site, "without a site"),
            "directorates": _choices(directorates, view.wanted.directorate, "without one"),
            "several": several,
            "day": partial(local_date, time_zone=time_zone),
        },
    )


async def register_item_page(request: Request) -> Response:
    """GET /register/items/{item_id}: what the register says of an item, and said before. Raises NotFound."""
    return await run_in_threadpool(_item, request)


def _item(request: Request) -> Response:
    reading = reading_of(request)
    with reading.database() as connection:
        time_zone = rules_of(connection).time_zone
        states = history(connection, reading.organisations, request.path_params["item_id"])
    if not states:
        raise NotFound("the register has no such item", f"see {PATH}")
    values = {"item": states[0], "states": states, "day": partial(local_date, time_zone=time_zone)}
    return page(request, "register_item.html", {"current": "register", **values})


@dataclass(frozen=True, slots=True)
class View:
    """What is asked for, and the addresses of its neighbours. `at` is the day as it was given, "" for now."""

    wanted: ItemFilter
    sort: str
    order: str
    at: str

    @classmethod
    def of(cls, given: Mapping[str, str], time_zone: str) -> "View":
        """The view of parameters; `at` is the end of a local day, `2026-10-31`."""
        text = {name: given.get(name, "").strip()[:_LONGEST] for name in _FILTERS}
        day = _day(text["at"])
        sort = given.get("sort", "")
        sort = sort if sort in SORTS else "name"
        order = given.get("order", "")
        seen = next((one for one in _SEEN if one == text["seen"]), _SEEN[0])
        wanted = ItemFilter(
            words=text["filter"],
            device_class=text["class"] if text["class"] in CLASSES else "",
            status=text["status"] if text["status"] in ("used", *STATUSES) else "",
            site=text["site"],
            directorate=text["directorate"],
            seen=seen,
            at=_end(day, time_zone) if day else None,
        )
        return cls(
            wanted, sort, order if order in ("ascending", "descending") else "ascending", text["at"] if day else ""
        )

    def counts(self, device_class: str, status: str) -> bool:
        """Whether items of a class and status are listed."""
        of_status = self.wanted.status in ("", status) or (self.wanted.status == "used" and status in IN_USE)
        return of_status and self.wanted.device_class in ("", device_class)

    @property
    def parameters(self) -> dict[str, str]:
        """All parameters but the page."""
        sorted_ = (self.sort, self.order) != ("name", "ascending")
        return {**self.filters, "sort": self.sort if sorted_ else "", "order": self.order if sorted_ else ""}

    @property
    def filters(self) -> dict[str, str]:
        wanted = self.wanted
        values = (
            wanted.words,
            wanted.device_class,
            wanted.status,
            wanted.site,
            wanted.directorate,
            wanted.seen,
            self.at,
        )
        return dict(zip(_FILTERS, values, strict=True))

    @property
    def filtered(self) -> bool:
        return any(self.filters.values())

    def with_(self, **changed: str) -> str:
        """The address of the first page with other parameters."""
        return address(PATH, self.parameters | changed)

    def sorted_by(self, column: str) -> str:
        """The address of the view sorted by a column; by the one it is sorted by, the other way round."""
        turned = column == self.sort and self.order == "ascending"
        return self.with_(sort=column, order="descending" if turned else "ascending")


def _by_class(counts: Mapping[tuple[str, str], tuple[int, int]], view: View) -> list[dict[str, Any]]:
    """Devices of each class by status, in the order of the classes."""
    rows = []
    for name, one in CLASSES.items():
        by_status = {status: counts.get((name, status), (0, 0))[1] for status in STATUSES}
        if any(by_status.values()):
            rows.append(
                {
                    "words": one.words,
                    "address": view.with_(**{"class": name}),
                    "by_status": by_status,
                    "total": sum(by_status.values()),
                }
            )
    return rows


def _choices(names: Sequence[str], chosen: str, without: str) -> list[tuple[str, str]]:
    """Values and texts of a select; what is chosen is among them although nothing has it now."""
    others = [chosen] if chosen and chosen not in (*names, NOT_SET) else []
    return [(NOT_SET, without), *((name, name) for name in sorted([*names, *others]))]


def local_date(unix_seconds: int, time_zone: str) -> str:
    """The local day of a time, from which on or until which a fact holds."""
    return f"{datetime.datetime.fromtimestamp(unix_seconds, zone(time_zone)):%d %B %Y}".lstrip("0")


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _end(day: datetime.date, time_zone: str) -> int:
    return day_bounds(day, time_zone)[1] - 1
