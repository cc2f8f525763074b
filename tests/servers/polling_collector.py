"""A collector as a process of its own, without pages, whose leases are short enough for a test to wait for.

python -m tests.servers.polling_collector DATABASE_URL STATE_DIRECTORY LEASE_SECONDS
"""

import logging
import signal
import subprocess
import sys
import threading
from pathlib import Path

from collector.service import Collector
from collector.settings import CollectorSettings
from collector.snmp import leases, poller
from tests.servers.process import tail

LOOK_SECONDS = 0.2


class PollingCollector:
    """One of several. `said` is its log."""

    def __init__(self, database_url: str, state_directory: Path, lease_seconds: float) -> None:
        state_directory.mkdir(parents=True)
        self._log = state_directory / "log"
        self.state_directory = state_directory
        command = [sys.executable, "-m", "tests.servers.polling_collector", database_url, str(state_directory)]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, str(lease_seconds)], stdout=log, stderr=log, cwd=Path(__file__).parents[2]
            )

    @property
    def collector_id(self) -> str:
        """Empty until it has one."""
        path = self.state_directory / "collector-id"
        return path.read_text() if path.exists() else ""

    @property
    def said(self) -> str:
        return tail(self._log, 20000)

    def send(self, what: signal.Signals) -> None:
        self.process.send_signal(what)

    def end(self) -> None:
        """End it in whatever state it is."""
        self.process.kill()
        self.process.wait()


def main(database_url: str, state_directory: str, lease_seconds: str) -> None:
    logging.basicConfig(level=logging.INFO)
    poller.LOOK_SECONDS = LOOK_SECONDS
    leases.LEASE_SECONDS = float(lease_seconds)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    one = Collector(CollectorSettings(state_directory=Path(state_directory), database=database_url))
    one.start()
    ended.wait()
    one.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
