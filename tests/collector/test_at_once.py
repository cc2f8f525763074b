"""Everything at once: reports pour in, an import runs, people edit the estate, a report is read. Nobody waits long."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from sqlalchemy import func, select

from agent.report import encode
from collector.database.engine import Database
from collector.database.schema import device_placement, ledger, outbox
from collector.errors import CollectorError
from collector.running_totals import running_totals
from tests.collector.hosts import NS, SERVER, Host, new_host, recent_half_hour
from tests.collector.ingesting import Sender, headers_of
from tests.collector.others_at_work import CHUNK

ROOT = Path(__file__).parents[2]
SECONDS = 5.0
LONGEST_STALL_SECONDS = 1.0
"""On a machine with nothing else to do; where others run as well, as many times longer as they leave us less."""
FEWEST_EDITS = 12
"""One comes at most each 0.05 s; where a writer does not let others in between, six were seen in this time."""
REPORTS_A_SECOND = 10.0
"""Of each host: six hundred times as often as a real one."""


def other(what: str, database: Database, host: Host) -> "subprocess.Popen[str]":
    where = str(database.path or database.engine.url.render_as_string(hide_password=False).replace("+psycopg", ""))
    command = [
        sys.executable,
        "-m",
        "tests.collector.others_at_work",
        what,
        where,
        str(SECONDS),
        host.enrolled.device_id,
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def times_of(process: "subprocess.Popen[str]") -> list[float]:
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    took: list[float] = json.loads(output)
    return took


class Reader(threading.Thread):
    """Reads totals in one long transaction after another, and checks that each sees one moment."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self.stop = threading.Event()
        self.reads = 0
        self.failures: list[Exception] = []

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                self._read()
            except Exception as error:  # noqa: BLE001  # shown by the test
                self.failures.append(error)

    def _read(self) -> None:
        with self._database.read() as connection:
            counts = set()
            ends = time.monotonic() + 1.5
            while time.monotonic() < ends:
                running_totals(connection, int(time.time()))
                counts.add(connection.execute(select(func.count()).select_from(ledger)).scalar_one())
                counts.add(connection.execute(select(func.count()).select_from(ledger)).scalar_one())
                self.stop.wait(0.1)
            assert len(counts) == 1
        self.reads += 1


async def load(sender: Sender, hosts: list[Host]) -> tuple[list[float], int]:
    """Every host sends report after report, as if a minute had passed; how long each waited for its answer."""
    took: list[float] = []

    def headers(host: Host) -> dict[str, str]:
        return headers_of(host, boot_ns=time.time_ns() - (host.start - 1) * NS)

    for host in hosts:
        await sender.ingest.report(encode(host.report(0, 50)), headers(host), time.time_ns())
    deadline = time.monotonic() + SECONDS

    async def one(host: Host) -> int:
        sent = 1
        while time.monotonic() < deadline:
            body = encode(host.report(sent * 60, sent * 60 + 50))
            started = time.monotonic()
            await sender.ingest.report(body, headers(host), time.time_ns())
            took.append(time.monotonic() - started)
            sent += 1
            await asyncio.sleep(max(0.0, 1 / REPORTS_A_SECOND - took[-1]))
        return sent

    counts = await asyncio.gather(*(one(host) for host in hosts))
    return took, sum(counts)


def test_load_import_edits_and_a_long_reader_go_on_together(database: Database) -> None:
    hosts = [
        new_host(database, recent_half_hour(3), inventory=replace(SERVER, machine_id=f"m{number}"))
        for number in range(16)
    ]
    sender = Sender(database)
    reader = Reader(database)
    reader.start()
    others = {what: other(what, database, hosts[0]) for what in ("import", "edit")}
    try:
        took = {}
        took["report"], sent = sender._runner.run(load(sender, hosts))
        took |= {what: times_of(process) for what, process in others.items()}
    except CollectorError as error:
        raise AssertionError(f"{error.message}; {error.remedy}") from error
    finally:
        reader.stop.set()
        reader.join()
        longest = sender.writer.counters.longest_transaction_seconds
        sender.close()
    assert reader.failures == []
    assert reader.reads >= 2
    figures = {what: f"{len(times)} times, {max(times):.3f} s at most" for what, times in took.items()}
    print(figures, f"transactions of {longest:.3f} s at most")
    longest_stall = LONGEST_STALL_SECONDS * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert len(took["edit"]) >= FEWEST_EDITS, figures
    assert {what: max(times) < longest_stall for what, times in took.items()} == dict.fromkeys(took, True), figures
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(outbox)).scalar_one() >= sent
        imported = connection.execute(select(func.count()).select_from(ledger)).scalar_one()
        assert imported == len(took["import"]) * CHUNK
        edits = connection.execute(select(func.count()).select_from(device_placement)).scalar_one()
        assert edits >= len(took["edit"])
