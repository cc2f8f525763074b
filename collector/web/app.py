"""The ASGI application: routes, errors, access."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from collector.errors import CollectorError
from collector.people.configuration import limits_of, provider_of
from collector.people.service import People
from collector.service import Collector
from collector.web.access import Access, AccessRule, SignIn
from collector.web.answers import on_collector_error, on_defect, on_http_exception
from collector.web.api import ROUTES
from collector.web.carbon_asked import ReportCache, limiter
from collector.web.pages import PAGES

STATIC = Path(__file__).parent / "static"


def make_app(collector: Collector, rule: AccessRule) -> ASGIApp:
    """The application of a collector, behind its access rule."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.collector = collector
        app.state.people = people
        app.state.reports = ReportCache(collector.database)
        app.state.officers = limiter()
        app.state.signs_in = isinstance(rule, SignIn)
        yield

    people = People(
        collector.database,
        collector.writer,
        lambda: collector.clock_ns() // 10**9,
        limits_of(collector.settings),
        provider_of(collector.settings),
    )
    application = Starlette(
        routes=every_route(),
        exception_handlers={
            CollectorError: on_collector_error,
            HTTPException: on_http_exception,
            Exception: on_defect,
        },
        lifespan=lifespan,
    )
    # Around the whole, so that the answer to a defect, too, carries the security headers.
    return Access(application, rule, people)


def every_route() -> list[BaseRoute]:
    """All that is served; `permissions.py` says what each needs."""
    return [*ROUTES, *PAGES, Mount("/static", StaticFiles(directory=STATIC))]
