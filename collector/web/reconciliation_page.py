"""The reconciliation page: where register and sight differ, a summary and one list at a time."""

import time
from typing import Any

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from carbon.device_classes import CLASSES
from collector.people.organisations import names_of
from collector.people.roles import Organisations
from collector.register_gaps import Gaps, gaps, model_unknown, no_site, seen_not_registered, unseen
from collector.web.paging import ROWS, Paging, address
from collector.web.reading import reading_of
from collector.web.rendering import page

PATH = "/register/reconciliation"
LISTS = {
    "seen": ("Seen, not registered", "devices that report or are polled and are not in the register"),
    "unseen": ("Registered, not seen for 90 days", "items in use whose device was seen once, and not for 90 days"),
    "model": ("Model unknown", "items in use without a model: nothing can be estimated of them"),
    "site": ("No site", "items in use without a site: they enter no site's figures"),
}
"""Lists by the value of the parameter `list`: title and meaning."""


async def reconciliation_page(request: Request) -> Response:
    """GET /register/reconciliation?list=&page=: unknown values are as the first list and page."""
    return await run_in_threadpool(_reconciliation, request)


def _reconciliation(request: Request) -> Response:
    reading = reading_of(request)
    mine = reading.organisations
    chosen = request.query_params.get("list", "")
    now = int(time.time())
    with reading.database() as connection:
        found = gaps(connection, mine, now)
        counts = _counts(found)
        if chosen not in LISTS:
            chosen = next((name for name, count in counts.items() if count), "seen")
        paging = Paging.of(PATH, {"list": chosen}, request.query_params.get("page", ""), counts[chosen])
        rows = _rows(connection, mine, chosen, now, paging.offset)
        several = len(names_of(connection, mine)) > 1
    return page(
        request,
        "reconciliation.html",
        {
            "current": "register",
            "lists": [
                {
                    "name": name,
                    "title": title,
                    "meaning": meaning,
                    "count": counts[name],
                    "address": address(PATH, {"list": name}),
                }
                for name, (title, meaning) in LISTS.items()
            ],
            "chosen": chosen,
            "title": LISTS[chosen][0],
            "paging": paging,
            "rows": rows,
            "never": [(CLASSES[name], number) for name, number in found.never_seen.items()],
            "never_devices": sum(found.never_seen.values()),
            "class_names": {name: one.words for name, one in CLASSES.items()},
            "several": several,
            "now": now,
        },
    )


def _counts(found: Gaps) -> dict[str, int]:
    return {
        "seen": found.seen_not_registered,
        "unseen": found.unseen,
        "model": found.model_unknown,
        "site": found.no_site,
    }


def _rows(connection: Connection, mine: Organisations, chosen: str, now: int, offset: int) -> list[Any]:
    if chosen == "seen":
        return list(seen_not_registered(connection, mine, offset, ROWS))
    if chosen == "unseen":
        return list(unseen(connection, mine, now, offset, ROWS))
    return list((model_unknown if chosen == "model" else no_site)(connection, mine, offset, ROWS))
