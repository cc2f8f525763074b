"""A collector that is fuzzed in process: the whole application without a socket, and what must hold after every case."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from starlette.types import Message

from collector.enrolment import TokenRequest, create_tokens
from collector.ledger import provisional
from collector.service import Collector
from collector.settings import CollectorSettings
from collector.web.access import SignIn
from collector.web.answers import ERROR_CODES
from collector.web.app import make_app
from tests.collector import mutations

REPORT_STATUSES = {200, 400, 401, 409, 413}
ENROL_STATUSES = {200, 400, 401, 413}
SLOWEST_SECONDS = 10.0
"""A case that takes longer hangs. The largest bodies take part of a second."""


class Fuzzed:
    """The application of a fresh collector with a host that is fuzzed and one that only ever sends what is good."""

    def __init__(self, directory: Path) -> None:
        self.collector = Collector(CollectorSettings(state_directory=directory, enrolments_per_minute=10**9))
        self.answers: Counter[str] = Counter()
        self.slowest = 0.0
        self._app = make_app(self.collector, SignIn(lambda: "nobody-knows-it"))
        self._loop = asyncio.new_event_loop()
        self._lifespan = self._loop.create_task(self._live())
        self._up, self._down = asyncio.Event(), asyncio.Event()
        self._loop.run_until_complete(self._up.wait())
        self._sequence = 0
        self._control_sequence = 0
        self.key, self.device_id = self._enrolled("fuzzed")
        self.control_key, self.control_id = self._enrolled("control")

    def close(self) -> None:
        self._down.set()
        self._loop.run_until_complete(self._lifespan)
        self._loop.close()
        self.collector.writer.close()
        self.collector.database.close()

    def report(self, chance: Random) -> None:
        """Send a spoiled report; one that was taken is sent again, and must count as the same."""
        self._sequence += 1
        now_ns = time.time_ns()
        body, encoding = mutations.body(self._sequence, now_ns, chance)
        sent = mutations.headers(self.key, now_ns, chance) | {"content-encoding": encoding}
        pieces = chance.choice([1, 1, 3])
        status, answer = self.call("POST", "/v1/reports", sent, body, pieces)
        self._hold(status, answer, REPORT_STATUSES, (body[:2000], sent))
        if status == 200:
            counters = self.collector.ingest.counters
            before = (counters.accepted, counters.points)
            status, again = self.call("POST", "/v1/reports", sent, body, 1)
            assert (status, again.get("duplicate")) == (200, True), (again, body[:2000], sent)
            assert (counters.accepted, counters.points) == before, "it counted twice"

    def enrolment(self, chance: Random) -> None:
        """Ask for a key with a spoiled token or body."""
        token = self.token() if chance.random() < 0.1 else "0123456789abcdef.secret"
        wanted = {"token": token, "host_name": "new", "kind": "host", "site": "Town Hall"}
        text = json.dumps(mutations.spoil(wanted, chance)).encode()
        if chance.random() < 0.3:
            text = mutations.spoil_bytes(text, chance)
        status, answer = self.call("POST", "/v1/enrol", {}, text, 1)
        self._hold(status, answer, ENROL_STATUSES, text[:2000])

    def key_routes(self, chance: Random) -> None:
        """Ask after a key with spoiled headers."""
        sent = mutations.headers(self.key, time.time_ns(), chance)
        status, answer = self.call("GET", "/v1/whoami", sent, b"", 1)
        self._hold(status, answer, {200, 401}, sent)

    def control(self) -> None:
        """The other host sends a good report, and nothing that was sent before hinders it."""
        self._control_sequence += 1
        now_ns = time.time_ns()
        good = mutations.report(self._control_sequence, now_ns)
        good["readings"][0][3:] = [[self._control_sequence * 10**9], [10**9]]
        good["inventory"]["host_name"] = "control"
        sent = mutations.headers(self.control_key, now_ns, Random(1)) | {"content-encoding": ""}
        sent["authorization"] = f"Bearer {self.control_key}"
        status, answer = self.call("POST", "/v1/reports", sent, json.dumps(good).encode(), 1)
        assert (status, answer) == (200, {"accepted": True, "duplicate": False, "rejected_rows": 0}), answer

    def check(self) -> None:
        """The other host's energy is exact, and that of the fuzzed one can be read and is possible."""
        self.control()
        with self.collector.database.read() as connection:
            control = provisional(connection, self.control_id)
            fuzzed = provisional(connection, self.device_id)
        counted = sum(row["measured_uj"] for rows in control.values() for row in rows.values())
        assert counted == self._control_sequence * 10**9, counted
        for rows in fuzzed.values():
            for row in rows.values():
                assert 0 <= row["low_uj"] <= row["high_uj"] < 2**63, row

    def token(self) -> str:
        wanted = TokenRequest("fuzz", 1, int(time.time()) + 600, "", "test")
        made: str = self.collector.writer.run(create_tokens, wanted)
        return made

    def _enrolled(self, name: str) -> tuple[str, str]:
        body = json.dumps({"token": self.token(), "host_name": name, "kind": "host"}).encode()
        status, answer = self.call("POST", "/v1/enrol", {}, body, 1)
        assert status == 200, answer
        return answer["key"], answer["device_id"]

    def _hold(self, status: int, answer: Any, allowed: set[int], case: object) -> None:
        """A documented status, in the documented shape."""
        code = "ok" if status == 200 else answer.get("error", {}).get("code", "?")
        self.answers[f"{status} {code}"] += 1
        assert status in allowed, (status, answer, case)
        assert status == 200 or code in ERROR_CODES, (status, answer, case)

    def call(self, method: str, path: str, headers: dict[str, str], body: bytes, pieces: int) -> tuple[int, Any]:
        """One request to the application, its body in so many pieces; status and JSON of the answer."""
        size = -(-len(body) // pieces) or 1
        parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
        messages: list[Message] = [
            {"type": "http.request", "body": part, "more_body": at < len(parts) - 1} for at, part in enumerate(parts)
        ]
        heard: list[Message] = []

        async def receive() -> Message:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            heard.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"127.0.0.1")]
            + [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()],
            "client": ("192.0.2.1", 1234),
            "server": ("127.0.0.1", 80),
        }
        started = time.monotonic()
        self._loop.run_until_complete(self._app(scope, receive, send))
        took = time.monotonic() - started
        self.slowest = max(self.slowest, took)
        assert took < SLOWEST_SECONDS, (took, body[:2000])
        content = b"".join(one.get("body", b"") for one in heard if one["type"] == "http.response.body")
        return heard[0]["status"], json.loads(content or b"{}")

    async def _live(self) -> None:
        """The application's lifespan: it begins before the first request and ends after the last."""
        begun = False

        async def receive() -> Message:
            nonlocal begun
            if not begun:
                begun = True
                return {"type": "lifespan.startup"}
            await self._down.wait()
            return {"type": "lifespan.shutdown"}

        async def send(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._up.set()

        await self._app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
