"""Sending reports through a real Ingest and Writer, without HTTP before them."""

import asyncio
import time
from collections.abc import Mapping

from agent.report import BOOT_CLOCK_HEADER, BOOT_ID_HEADER, WALL_CLOCK_HEADER, Report, encode
from collector.database.engine import Database
from collector.database.writer import Writer
from collector.device_context import DeviceContext, load_context
from collector.ingest import Ingest
from collector.record import Recorded
from tests.collector.hosts import NS, Host


class Sender:
    """One collector's ingest; `send` is what an agent's request comes to."""

    def __init__(self, database: Database, collector_id: str = "collector-1") -> None:
        self.database = database
        self.writer = Writer(database)
        self.woken = 0
        self.ingest = Ingest(database, self.writer, collector_id, self._recorded)
        self._runner = asyncio.Runner()

    def _recorded(self) -> None:
        self.woken += 1

    def close(self) -> None:
        self.writer.close()
        self._runner.close()

    def context(self, host: Host) -> DeviceContext:
        with self.database.read() as connection:
            return load_context(connection, host.enrolled.device_id)

    def send(
        self,
        host: Host,
        report: Report,
        *,
        wall_ns: int | None = None,
        boot_ns: int | None = None,
        received_ns: int | None = None,
    ) -> Recorded:
        """Send a report; without clocks, by a host whose clock is right."""
        received_ns = received_ns or time.time_ns()
        if boot_ns is None:
            newest = max(report.samples, key=lambda one: one.boot_ns)
            boot_ns = newest.boot_ns + received_ns - newest.wall_ns
        headers = headers_of(host, wall_ns or received_ns, boot_ns)
        return self.send_body(encode(report), headers, received_ns)

    def send_body(self, body: bytes, headers: Mapping[str, str], received_ns: int | None = None) -> Recorded:
        return self._runner.run(self.ingest.report(body, headers, received_ns or time.time_ns()))


def headers_of(host: Host, wall_ns: int | None = None, boot_ns: int = 1010 * NS) -> dict[str, str]:
    """Headers as an agent sends them, by names as HTTP servers give them; the clocks are those of `plain_report`."""
    return {
        "authorization": f"Bearer {host.enrolled.key}",
        "content-encoding": "gzip",
        WALL_CLOCK_HEADER.lower(): str(wall_ns or time.time_ns()),
        BOOT_CLOCK_HEADER.lower(): str(boot_ns),
        BOOT_ID_HEADER.lower(): "boot-1",
    }
