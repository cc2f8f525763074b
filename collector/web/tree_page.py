"""The tree page: sites and spaces of a month with how their energy is known; of one site all that feeds what."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from carbon.calendar import local_day
from carbon.device_classes import CLASSES
from carbon.units import kwh
from collector.database.schema import organisation
from collector.device_energy import rules_of
from collector.metering_view import NO_SITE, EstateTree, Shares, TreeNode, estate_tree
from collector.people.roles import Organisations
from collector.power_view import device_names
from collector.web.charts import image
from collector.web.months import MonthView
from collector.web.paging import address
from collector.web.reading import reading_of
from collector.web.rendering import page
from collector.web.shares_chart import shares_chart

PATH = "/tree"
WITHOUT = "-"
"""As the parameter `site`: what stands at no site."""
HOW = {
    "measured": "measured",
    "estimated": "estimated",
    "profile": "class profile",
    "unexplained": "unexplained",
}
"""How energy is known, and in words."""
_BAR_WIDTH = 120
_LONGEST = 200


async def tree_page(request: Request) -> Response:
    """GET /tree?site=&organisation=&month=: the present month, the first organisation and all sites without."""
    return await run_in_threadpool(_tree, request)


def _tree(request: Request) -> Response:
    reading = reading_of(request)
    now = int(time.time())
    wanted = request.query_params.get("site", "")[:_LONGEST]
    with reading.database() as connection:
        this = f"{local_day(now - now % 1800, rules_of(connection).time_zone):%Y-%m}"
        organisations = _organisations(connection, reading.organisations)
        chosen = request.query_params.get("organisation", "")
        owner = next((one for one in organisations if one[1] == chosen), organisations[0])
        others = {"organisation": owner[1] if owner != organisations[0] else ""}
        view = MonthView.of(PATH, {"site": wanted, **others}, request.query_params.get("month", ""), this)
        found = estate_tree(connection, view.month, now, owner[0])
        names = device_names(connection, {one.device_id for one in found.alarms})
    links = _Links(view, others)
    name = NO_SITE if wanted == WITHOUT else wanted
    sites = [one for one in found.sites if not wanted or one.name == name]
    only = sites[0] if wanted and sites else None
    return page(
        request,
        "tree.html",
        {
            "current": "tree",
            "view": view,
            "how": HOW,
            "site": only,
            "wanted": wanted,
            "whole": ShareRow(only.shares if only else found.shares),
            "lines": list(_lines(sites, links, deep=bool(wanted))),
            "tree": found,
            "outside": _outside(found),
            "alarms": [
                {"device_id": one.device_id, "name": names[one.device_id], "start": one.start, "meter_id": one.meter_id}
                | {"measured": kwh(one.measured_uj), "parts": kwh(one.parts_uj)}
                for one in found.alarms
            ],
            "picture": _picture(only.children if only else sites),
            "all_sites": links.site(""),
            "organisations": [
                (one, address(PATH, {"organisation": one, "month": links.month})) for _, one in organisations
            ],
            "organisation": owner[1],
        },
    )


@dataclass(frozen=True, slots=True)
class ShareRow:
    """Energy of a line in kWh, with a bar of its parts: x and width of each, of `_BAR_WIDTH` in all."""

    shares: Shares

    @property
    def whole(self) -> float:
        return kwh(self.shares.total_uj)

    @property
    def low(self) -> float:
        return kwh(self.shares.low_uj)

    @property
    def high(self) -> float:
        return kwh(self.shares.high_uj)

    @property
    def parts(self) -> dict[str, float]:
        return {name: kwh(getattr(self.shares, f"{name}_uj")) for name in HOW}

    @property
    def bar(self) -> list[tuple[str, float, float]]:
        amounts = {name: max(0, getattr(self.shares, f"{name}_uj")) for name in HOW}
        whole, at, found = sum(amounts.values()), 0.0, []
        for name, amount in amounts.items():
            if amount:
                width = _BAR_WIDTH * amount / whole
                found.append((name, round(at, 2), round(width, 2)))
                at += width
        return found


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the drawn tree: `depth` from 0 on, `link` "" where there is no page of it."""

    node: TreeNode
    depth: int
    link: str

    @property
    def row(self) -> ShareRow:
        return ShareRow(self.node.shares)

    @property
    def name(self) -> str:
        if self.node.kind == "profile" and self.node.id in CLASSES:
            return CLASSES[self.node.id].words
        return self.node.name

    @property
    def meter_kwh(self) -> float | None:
        return None if self.node.meter_uj is None else kwh(self.node.meter_uj)

    @property
    def outside_kwh(self) -> float:
        return kwh(self.node.outside_uj)


@dataclass(frozen=True, slots=True)
class _Links:
    """Addresses that keep the month and the organisation."""

    view: MonthView
    others: dict[str, str]

    @property
    def month(self) -> str:
        return "" if self.view.month == self.view.this else self.view.month

    def site(self, name: str) -> str:
        return address(PATH, {"site": WITHOUT if name == NO_SITE else name, **self.others, "month": self.month})

    def node(self, node: TreeNode, site: str) -> str:
        """The page of what a line is."""
        if node.kind == "site":
            return self.site(node.name)
        if node.kind in ("device", "guest"):
            return f"/devices/{node.id}"
        if node.kind == "profile":
            place = WITHOUT if site == NO_SITE else site
            return address("/register", {"class": node.id, "status": "used", "site": place})
        return ""


def _lines(sites: Sequence[TreeNode], links: _Links, *, deep: bool) -> Iterator[Line]:
    """The lines of some sites: down to spaces, or `deep`, all of them."""

    def below(node: TreeNode, site: str, depth: int) -> Iterator[Line]:
        yield Line(node, depth, links.node(node, site))
        if deep or depth == 0:
            for child in node.children:
                yield from below(child, site, depth + 1)

    for one in sites:
        yield from below(one, one.name, 0)


def _outside(tree: EstateTree) -> list[tuple[str, float]]:
    """What was read of the whole organisation and is in no total."""
    told = (
        ("measured beyond known devices, and not counted, because devices or readings are missing", tree.withheld_uj),
        ("of whole buildings, and not ICT", tree.not_ict_uj),
        ("made on site", tree.generated_uj),
    )
    return [(what, kwh(amount)) for what, amount in told if amount]


def _picture(nodes: Sequence[TreeNode]) -> dict[str, Any] | None:
    """Sites or spaces as bars of equal length, the largest ones, with the summary in words."""
    largest = sorted((one for one in nodes if one.shares.total_uj > 0), key=lambda one: -one.shares.total_uj)[:_BARS]
    if not largest:
        return None
    bars = tuple(
        (one.name, how, max(0.0, kwh(getattr(one.shares, f"{key}_uj")))) for one in largest for key, how in HOW.items()
    )
    whole = Shares()
    for one in largest:
        whole.add(one.shares)
    percents = [f"{how} {max(0, getattr(whole, f'{key}_uj')) / whole.total_uj:.0%}" for key, how in HOW.items()]
    return {
        "image": image(shares_chart(bars, "part of the energy")),
        "summary": ", ".join(percents),
        "shown": len(largest),
    }


_BARS = 20
"""So many sites or spaces are in the picture; the table has all."""


def _organisations(connection: Connection, mine: Organisations) -> list[tuple[int, str]]:
    rows = connection.execute(select(organisation.c.id, organisation.c.name).order_by(organisation.c.id)).all()
    return [(row.id, row.name) for row in rows if mine is None or row.id in mine]
