"""NESO's Carbon Intensity API on loopback: answers as the reference documents them, with every fault that it lists.

Values are a function of the half-hour, so that a test can say what it should have got. The real service was not reached.
"""

import datetime
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

HALF_HOUR = 1800
FOURTEEN_DAYS = 14 * 86_400
REGIONS = {"OX1": (12, "South England"), "OX2": (12, "South England"), "RG10": (3, "Somewhere Else")}


@dataclass
class Api:
    """The running service; what stands here can be changed at any time."""

    url: str = ""
    now: int = 2**40
    """Slots that end after it are open: no actual."""
    broken: bool = False
    """Answers 500, as it has done for hours."""
    page: bool = False
    """Answers a page of HTML with 200, as proxies do."""
    missing: set[int] = field(default_factory=set)
    twice: set[int] = field(default_factory=set)
    """Slots that come a second time, later in the answer, with another value."""
    nonsense: list[Any] = field(default_factory=list)
    """Rows that make no sense, added to each answer."""
    raised: int = 0
    """Added to every forecast: forecasts are overwritten by later ones."""
    region_as_object: bool = False
    asked: list[str] = field(default_factory=list)

    def forecast(self, half_hour: int) -> int:
        return 100 + half_hour // HALF_HOUR % 97 + self.raised

    def actual(self, half_hour: int) -> int | None:
        return None if half_hour + HALF_HOUR > self.now else 90 + half_hour // HALF_HOUR % 89

    def answer(self, path: str) -> tuple[int, Any]:
        """Status and JSON of a request."""
        parts = path.strip("/").split("/")
        regional = parts[0] == "regional"
        if regional:
            parts = parts[1:]
        if parts[0] != "intensity" or len(parts) < 3:
            return 404, _error("404 Not Found", "no such thing")
        start, ahead = _seconds(parts[1]), parts[2] == "fw48h"
        end = start + 48 * 3600 if ahead else _seconds(parts[2])
        if end - start > FOURTEEN_DAYS:
            return 400, _error("400 Bad Request", "the maximum date range is 14 days")
        # A `from` on a boundary brings the slot before it along: 48 hours ahead are 97 rows then.
        times = [at for at in range(start - HALF_HOUR, end, HALF_HOUR) if at not in self.missing]
        rows = [self.row(at, regional=regional) for at in times]
        rows += [self.row(at, regional=regional, more=7) for at in times if at in self.twice]
        rows += self.nonsense
        if not regional:
            return 200, {"data": rows}
        outward = parts[parts.index("postcode") + 1]
        if outward not in REGIONS:
            return 400, _error("400 Bad Request", "please enter a valid outward postcode")
        number, name = REGIONS[outward]
        about = {"regionid": number, "dnoregion": "A network", "shortname": name, "postcode": outward, "data": rows}
        return 200, {"data": about if self.region_as_object else [about]}

    def row(self, at: int, *, regional: bool, more: int = 0) -> dict[str, Any]:
        intensity: dict[str, Any] = {"forecast": self.forecast(at) + more, "index": "moderate"}
        if not regional:
            actual = self.actual(at)
            intensity["actual"] = None if actual is None else actual + more
        mix = {"generationmix": [{"fuel": "gas", "perc": 41.6}]} if regional else {}
        return {"from": _written(at), "to": _written(at + HALF_HOUR), "intensity": intensity, **mix}


@contextmanager
def intensity_api() -> Iterator[Api]:
    """The service on a free loopback port."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            api.asked.append(path)
            status, value = (500, None) if api.broken else api.answer(path)
            body = b"<h1>out of order</h1>" if api.broken or api.page else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the parent's name for it
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield api
        server.shutdown()


def _seconds(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).timestamp())


def _written(at: int) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%MZ")


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
