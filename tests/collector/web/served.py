"""A real collector behind its real server on a free loopback port, and hosts that enrol and report to it over HTTP."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlalchemy import func, select

from agent.report import BOOT_CLOCK_HEADER, BOOT_ID_HEADER, WALL_CLOCK_HEADER, Report, encode
from collector.commands.serve import bind, server_of
from collector.database.schema import outbox, outbox_cursor
from collector.enrolment import TokenRequest, create_tokens
from collector.running_totals import TotalsCache
from collector.service import Collector
from collector.settings import CollectorSettings
from collector.web.access import AccessRule, LocalOnly
from tests.servers.process import wait_until

NS = 10**9


class SettableCollector(Collector):
    """A collector whose clock for incoming reports can be set back: so a device is silent without waiting for it."""

    seconds_behind = 0

    def clock_ns(self) -> int:
        return time.time_ns() - self.seconds_behind * NS


@dataclass
class Served:
    """A running server: `address` such as http://127.0.0.1:40123, and a client without any credential."""

    collector: SettableCollector
    address: str
    client: httpx.Client = field(repr=False)

    @property
    def host(self) -> str:
        """Host and port, as in a Host header."""
        return self.address.partition("//")[2]

    def token(self, uses: int = 1, seconds: int = 600, site: str = "", organisation: str | None = None) -> str:
        """A new enrolment token."""
        wanted = TokenRequest("test", uses, int(time.time()) + seconds, site, "test", organisation=organisation)
        made: str = self.collector.writer.run(create_tokens, wanted)
        return made

    def enrol(self, host_name: str, organisation: str | None = None) -> "Enrolled":
        """A host that enrols as agents do."""
        wanted = {"token": self.token(organisation=organisation), "host_name": host_name, "kind": "host"}
        answer = self.client.post("/v1/enrol", json=wanted)
        assert answer.status_code == 200, answer.text
        return Enrolled(self, answer.json()["key"], answer.json()["device_id"])

    def settle(self) -> None:
        """Write the ledger that is due, fill the embedded store, and let the next page count anew."""
        self.collector.roll_due()
        wait_until(self._delivered, "the outbox to drain")
        self.collector.totals = TotalsCache(self.collector.database)

    def _delivered(self) -> bool:
        with self.collector.database.read() as connection:
            last = connection.execute(select(func.max(outbox.c.id))).scalar()
            passed = connection.execute(select(func.min(outbox_cursor.c.last_id))).scalar()
        return last is None or (passed or 0) >= last


@dataclass
class Enrolled:
    """An enrolled host."""

    served: Served = field(repr=False)
    key: str
    device_id: str

    def headers(self, boot_ns: int = 10**15) -> dict[str, str]:
        """What an agent sends beside a report: its key and both its clocks at this moment."""
        return {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            WALL_CLOCK_HEADER: str(self.served.collector.clock_ns()),
            BOOT_CLOCK_HEADER: str(boot_ns),
            BOOT_ID_HEADER: "boot-1",
        }

    def send(self, report: Report) -> httpx.Response:
        """Send a report whose newest sample is as old as its wall clock says."""
        newest = max(report.samples, key=lambda one: one.boot_ns)
        boot_ns = newest.boot_ns + self.served.collector.clock_ns() - newest.wall_ns
        return self.served.client.post("/v1/reports", content=encode(report), headers=self.headers(boot_ns))


@contextmanager
def serving(
    directory: Path, rule: AccessRule | None = None, settings: CollectorSettings | None = None, port: int = 0
) -> Iterator[Served]:
    """A collector of its own data in `directory`, served by the rule of `ictagent up` unless another is given."""
    settings = settings or CollectorSettings(state_directory=directory)
    collector = SettableCollector(settings)
    collector.start()
    listener = bind("127.0.0.1", port)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = server_of(collector, rule or LocalOnly(), settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: server.started, "the server to start")
        with httpx.Client(base_url=address, timeout=30) as client:
            yield Served(collector, address, client)
    finally:
        server.should_exit = True
        thread.join()
        collector.stop()
