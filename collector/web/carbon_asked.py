"""Whose footprint an officer's page shows, and of which months; and the report of them, made one at a time."""

import datetime
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
import click
from anyio.to_thread import run_sync
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from carbon.calendar import financial_year, financial_year_dates, financial_year_label, half_hour_of, local_day
from carbon.errors import CarbonError
from carbon.report import Report
from collector.commands.carbon_period import Months, financial_year_of, months_of, period
from collector.database.engine import Database
from collector.database.schema import organisation
from collector.errors import BadRequest, NotFound
from collector.footprints import report_of
from collector.people.roles import Organisations
from collector.web.paging import address

FRESH_SECONDS = 60
"""How long a report serves other pages of the same months."""
MOST_YEARS = 5
_MOST_ROWS = 100_000
"""Of all reports that are kept, about 100 MB: a year of 5,000 devices has 60,000."""
_AT_ONCE = 2
"""Officers' pages that are reckoned at once: a large report must leave threads and processors to agents' reports."""


class ReportCache:
    """Reports as they were made less than a minute ago. Safe from several threads; one report is made at a time."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, str, str], Report] = OrderedDict()

    def get(self, organisation_id: int, months: Months) -> Report:
        """The report of these months. Raises BadRequest where no factor set is old enough."""
        key = (organisation_id, *months)
        with self._lock:
            now = int(self._clock())
            kept = self._kept.get(key)
            if kept is not None and 0 <= now - kept.made_at <= FRESH_SECONDS:
                return kept
            try:
                made = report_of(self._database, organisation_id, *months, now)
            except CarbonError as error:
                raise BadRequest(str(error), "ask for a later period") from error
            self._kept[key] = made
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(len(one.rows) for one in self._kept.values()) > _MOST_ROWS:
                self._kept.popitem(last=False)
            return made


@dataclass(frozen=True, slots=True)
class Asked:
    """One organisation of the asker's (`several` says whether there are others), and the day it is there."""

    organisation_id: int
    name: str
    several: tuple[str, ...]
    today: datetime.date

    @property
    def parameters(self) -> dict[str, str]:
        """What an address needs to lead to the same organisation."""
        return {"organisation": self.name} if self.several else {}

    @property
    def this_year(self) -> int:
        return financial_year(self.today)

    def year(self, year: int) -> Months:
        """The months of a financial year that have begun."""
        first, last = financial_year_dates(year)
        return f"{first:%Y-%m}", min(f"{last:%Y-%m}", f"{self.today:%Y-%m}")

    def months(self, parameters: Mapping[str, str]) -> Months:
        """The months of the parameters `from` and `to`; this financial year without. Raises BadRequest."""
        first, last = (period_of(parameters.get(name, ""), name) for name in ("from", "to"))
        try:
            begins, ends = months_of(first, last, self.today)
        except click.UsageError as error:
            raise BadRequest(error.message.replace("--", ""), "choose other months") from error
        if financial_year_of(ends) - financial_year_of(begins) >= MOST_YEARS:
            raise BadRequest(
                f"{begins} to {ends} is too long for a page", f"ask for {MOST_YEARS} financial years at most"
            )
        return begins, ends

    def address(self, path: str, **more: str) -> str:
        """A path for the same organisation."""
        return address(path, {**self.parameters, **more})


def period_of(text: str, name: str) -> Months | None:
    """A financial year or month as people write it, None of nothing. Raises BadRequest that says what is possible."""
    if not text.strip():
        return None
    try:
        return period(text[:40])
    except click.BadParameter as error:
        raise BadRequest(f"{name}: {error.message}", "choose a period") from error


def asked_of(connection: Connection, mine: Organisations, name: str, now: int) -> Asked:
    """The organisation of this name among the asker's, the first without a name. Raises NotFound."""
    columns = (organisation.c.id, organisation.c.name, organisation.c.time_zone)
    rows = [
        row
        for row in connection.execute(select(*columns).order_by(organisation.c.id))
        if mine is None or row.id in mine
    ]
    found = next((row for row in rows if name in ("", row.name)), None)
    if found is None:
        raise NotFound(
            f"there is no organisation {name[:80]}" if name else "there is no organisation to see", "see /carbon"
        )
    several = tuple(row.name for row in rows) if len(rows) > 1 else ()
    return Asked(found.id, found.name, several, local_day(half_hour_of(now), found.time_zone))


@dataclass(frozen=True, slots=True)
class Officer:
    """What an officer's page reads: whom it is for, reports, and the database as it is."""

    request: Request
    asked: Asked
    reports: ReportCache
    database: Database
    now: int

    @property
    def parameters(self) -> Mapping[str, str]:
        return self.request.query_params

    def report(self, months: Months) -> Report:
        return self.reports.get(self.asked.organisation_id, months)

    def frame(self, current: str, **values: Any) -> dict[str, Any]:
        """What every page of this part needs beside `values`; `current` is its own path."""
        return {
            "current": "carbon",
            "entries": [(path, self.asked.address(path), title) for path, title in ENTRIES],
            "entry": current,
            "asked": self.asked,
            "choices": dict(self.parameters),
            "year_choices": _years(self.asked),
            **values,
        }


ENTRIES = (
    ("/carbon/footprint", "Footprint"),
    ("/carbon/why", "Why it changed"),
    ("/carbon/pathway", "Pathway"),
    ("/carbon/measures", "Measures"),
    ("/carbon/coverage", "Coverage of reports"),
    ("/carbon/factors", "Factors"),
    ("/carbon/downloads", "Downloads"),
    ("/carbon/published", "Published"),
    ("/carbon", "Live figures"),
)
"""The pages of this part, in the order of their navigation."""


def officers(read: Callable[[Officer], Response]) -> Callable[[Request], Any]:
    """A route of `read`, which runs in a thread: few at once, and never on the event loop."""

    async def route(request: Request) -> Response:
        limiter: anyio.CapacityLimiter = request.app.state.officers
        return await run_sync(read_of, request, limiter=limiter)

    def read_of(request: Request) -> Response:
        collector = request.app.state.collector
        now = int(time.time())
        with collector.database.read() as connection:
            mine = request.state.identity.organisations
            asked = asked_of(connection, mine, request.query_params.get("organisation", ""), now)
        return read(Officer(request, asked, request.app.state.reports, collector.database, now))

    route.__doc__ = read.__doc__
    return route


def limiter() -> anyio.CapacityLimiter:
    """How many of these pages are reckoned at once."""
    return anyio.CapacityLimiter(_AT_ONCE)


def _years(asked: Asked) -> list[tuple[str, str]]:
    """The last financial years as they are chosen, the newest first."""
    years = range(asked.this_year, asked.this_year - 6, -1)
    return [(f"FY{year}", financial_year_label(year)) for year in years]
