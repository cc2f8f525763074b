"""The coverage page: how much of the estate is known in a month, by device (estate) and by time, and what it used."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from carbon.calendar import local_day
from carbon.device_classes import CLASSES
from carbon.poe_ports import FED_CLASSES
from carbon.units import kwh
from collector.coverage_acceptance import LEAST_COVERAGE
from collector.device_energy import rules_of
from collector.estate_coverage import CoverageRow, estate_coverage
from collector.estate_totals import EstateTotal, estate_totals
from collector.people.organisations import names_of
from collector.poe_fed import WHY, fed_words
from collector.web.charts import image
from collector.web.months import MonthView
from collector.web.paging import address
from collector.web.reading import reading_of
from collector.web.rendering import page
from collector.web.shares_chart import shares_chart

PATH = "/coverage"
LEAST_TIME_COVERAGE = float(LEAST_COVERAGE)
HOW = {
    "measured": "measured",
    "estimated": "estimated",
    "profile": "class profile",
    "absent": "absent",
}
"""How devices are known, and in words."""


async def coverage_page(request: Request) -> Response:
    """GET /coverage?month=2026-10: the present month without, or for anything else."""
    return await run_in_threadpool(_coverage, request)


def _coverage(request: Request) -> Response:
    reading = reading_of(request)
    mine = reading.organisations
    now = int(time.time())
    with reading.database() as connection:
        this = f"{local_day(now - now % 1800, rules_of(connection).time_zone):%Y-%m}"
        view = MonthView.of(PATH, {}, request.query_params.get("month", ""), this)
        devices = estate_coverage(connection, view.month, now, mine)
        totals = estate_totals(connection, view.month, view.month, now, mine)
        several = len(names_of(connection, mine)) > 1
    by_class = {key: EnergyRow(total) for key, total in totals.by("organisation", "device_class").items()}
    whole = EnergyRow(_sum(totals.rows.values()))
    return page(
        request,
        "coverage.html",
        {
            "current": "coverage",
            "view": view,
            "how": HOW,
            "rows": devices,
            "fed": fed_words(
                {name: sum(one.fed for one in devices if one.device_class == name) for name in FED_CLASSES}
            ),
            "why_fed": WHY,
            "whole": _whole(devices),
            "class_names": {name: one.words for name, one in CLASSES.items()},
            "by_class": by_class,
            "by_site": [
                (site, address("/tree", {"site": site or "-", "month": "" if view.month == this else view.month}), row)
                for (site,), row in ((key, EnergyRow(total)) for key, total in totals.by("site").items())
            ],
            "energy": whole,
            "left_out": EnergyRow(_sum(totals.left_out.values())) if totals.left_out else None,
            "least": LEAST_TIME_COVERAGE,
            "picture": _picture(devices),
            "several": several,
        },
    )


@dataclass(frozen=True, slots=True)
class EnergyRow:
    """Energy as the page shows it."""

    total: EstateTotal

    @property
    def kwh(self) -> Mapping[str, float]:
        """Kilowatt-hours by how they are known, with `it`, the sum of them."""
        total = self.total
        return {
            "measured": kwh(total.measured_uj),
            "estimated": kwh(total.estimated_uj),
            "profile": kwh(total.profile_uj),
            "unexplained": kwh(total.unexplained_uj),
            "it": kwh(total.it_uj),
            "overhead": kwh(total.overhead_uj),
            "home": kwh(total.home_uj),
        }

    @property
    def low_kwh(self) -> float:
        """The lower bound of all ICT energy at 95%."""
        return kwh(self.total.range_uj("ict")[0])

    @property
    def high_kwh(self) -> float:
        return kwh(self.total.range_uj("ict")[1])

    @property
    def time_coverage(self) -> float | None:
        """Of the time of devices that can be read; None where there is none."""
        return self.total.time_coverage if self.total.possible_seconds else None

    @property
    def low(self) -> bool:
        return self.time_coverage is not None and self.time_coverage < LEAST_TIME_COVERAGE


def _sum(totals: Iterable[EstateTotal]) -> EstateTotal:
    whole = EstateTotal()
    for total in totals:
        whole += total
    return whole


def _whole(rows: Sequence[CoverageRow]) -> CoverageRow:
    whole = CoverageRow("", "")
    for row in rows:
        for name in (*HOW, "seen_not_registered"):
            setattr(whole, name, getattr(whole, name) + getattr(row, name))
    return whole


def _picture(rows: Sequence[CoverageRow]) -> dict[str, Any] | None:
    """Classes of all organisations as bars, and the picture's summary in words."""
    by_class: dict[str, CoverageRow] = {}
    for row in rows:
        by_class[row.device_class] = _whole([row, *filter(None, [by_class.get(row.device_class)])])
    bars = tuple(
        (CLASSES[name].words, how, getattr(row, key))
        for name, row in by_class.items()
        if row.registered
        for key, how in HOW.items()
    )
    if not bars:
        return None
    whole = _whole(rows)
    parts = [f"{getattr(whole, key):,} {how}" for key, how in HOW.items()]
    return {"image": image(shares_chart(bars)), "summary": ", ".join(parts)}
