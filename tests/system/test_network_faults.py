"""A network that breaks in the middle of a report, in either direction and at every kind of place, on real processes."""

import contextlib
import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.report import BOOT_CLOCK_HEADER, WALL_CLOCK_HEADER
from tests.collector.reports import plain_report
from tests.servers.faulty_network import Fault, faulty_network
from tests.servers.ictagent import AgentProgram, CollectorProgram, request
from tests.servers.powercap import counted_uj, energy_counter
from tests.servers.process import wait_until
from tests.system.comparing import embedded_points, numbers

Keep = Callable[[Any], Any]

CUTS = [
    Fault("request", "head", 40, "reset"),
    Fault("request", "head", 200, "close"),
    Fault("request", "body", 0, "close"),
    Fault("request", "body", 30, "reset"),
    Fault("request", "body", 100, "close"),
    # The report is recorded, and its sender does not hear of it.
    Fault("answer", "head", 0, "reset"),
    Fault("answer", "head", 0, "close"),
    Fault("answer", "head", 20, "close"),
    Fault("answer", "body", 0, "reset"),
    Fault("answer", "body", 10, "close"),
]


def test_a_network_cut_anywhere_in_a_report_or_its_answer_loses_nothing_and_counts_nothing_twice(
    keep: Keep, tmp_path: Path
) -> None:
    counter = energy_counter(tmp_path)
    collector: CollectorProgram = keep(CollectorProgram(tmp_path))
    collector.start()
    with faulty_network(collector.port) as network:
        agent: AgentProgram = keep(AgentProgram(tmp_path, network.url, collector.token(), prefix=counter.prefix))
        agent.begin()
        wait_until(lambda: len(network.acknowledged) >= 2, f"two reports; the agent said {agent.said}")
        start = counter.value
        for cut in CUTS:
            counter.advance(1_000_003)
            before = len(network.acknowledged)
            # Twice: a kept connection that dies is tried once more at once, and without a word.
            network.faults += [cut, cut]
            wait_until(lambda: not network.faults, f"{cut} to happen")
            wait_until(lambda: len(network.acknowledged) > before, f"a report after {cut}; {agent.said[-500:]}")  # noqa: B023  # waited for here
        counter.advance(5)
        wait_until(lambda: counted_uj(collector) == counter.value - start, "all of the energy")
        assert agent.stop() == 0
        acknowledged = [one.sequence for one in network.acknowledged]
    [recorded] = numbers(collector).values()
    assert sorted(recorded) == list(range(1, max(recorded) + 1)), "every report arrived"
    assert acknowledged == sorted(set(acknowledged))
    assert set(acknowledged) <= set(recorded)
    assert collector.metric("ictagent_reports_duplicate_total") >= 5, "those whose answer was lost came again"
    wait_until(lambda: len(embedded_points(collector, "ictagent_agent")) >= len(recorded), "all points")
    assert counted_uj(collector) == counter.value - start
    assert "cannot be reached" in agent.said
    assert "Traceback" not in agent.said + collector.said


@pytest.mark.parametrize(
    "fault", [Fault("request", "body", 20, "stall"), Fault("answer", "head", 0, "drip")], ids=["silent", "slow"]
)
def test_a_peer_that_goes_silent_or_drips_its_answer_is_given_up_while_sampling_goes_on(
    fault: Fault, keep: Keep, tmp_path: Path
) -> None:
    """A firewall that drops a connection's packets in the middle, and a collector that answers a byte a second."""
    collector: CollectorProgram = keep(CollectorProgram(tmp_path))
    collector.start()
    with faulty_network(collector.port) as network, watchdog(tmp_path) as heard:
        agent: AgentProgram = keep(AgentProgram(tmp_path, network.url, collector.token(), heard.environment))
        agent.begin()
        wait_until(lambda: len(network.acknowledged) >= 1, f"a report; the agent said {agent.said}")
        network.faults.append(fault)
        assert network.stalled.wait(30)
        began, fed = time.monotonic(), heard.count()
        wait_until(lambda: len(agent.spooled) >= 4, "reports kept meanwhile")
        wait_until(lambda: heard.count() >= fed + 3, "the watchdog fed meanwhile")
        assert "did not answer" not in agent.said, "all of that while the sender waits"
        agent.wait_said("did not answer within 20 s", 40)
        assert 10 < time.monotonic() - began < 25
        wait_until(lambda: not agent.spooled, f"an empty spool; the agent said {agent.said}")
        assert agent.stop() == 0
    [recorded] = numbers(collector).values()
    assert sorted(recorded) == list(range(1, max(recorded) + 1)), "every report arrived once"


class Watchdog:
    """A service manager's socket, as systemd's, that counts how often it hears of an agent's work."""

    def __init__(self, path: Path) -> None:
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "30000000"}
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self._heard = 0

    def count(self) -> int:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._heard += self.socket.recv(4096) == b"WATCHDOG=1"
        return self._heard


@contextlib.contextmanager
def watchdog(directory: Path) -> Iterator[Watchdog]:
    """The socket, listening."""
    heard = Watchdog(directory / "notify")
    with heard.socket:
        yield heard


def test_clients_that_send_a_byte_a_second_end_at_a_limit_and_hinder_nobody(keep: Keep, tmp_path: Path) -> None:
    collector: CollectorProgram = keep(CollectorProgram(tmp_path))
    collector.start()
    token = collector.token(uses=1)
    status, text = request(
        collector.port,
        "POST",
        "/v1/enrol",
        body=json.dumps({"token": token, "host_name": "slow", "kind": "host"}).encode(),
    )
    assert status == 200, text
    key = json.loads(text)["key"]
    lines = [
        "POST /v1/reports HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
        "Content-Encoding: gzip",
        "Content-Length: 100000",
    ]
    before = collector.resident_bytes
    with contextlib.ExitStack() as held:
        clients = [
            held.enter_context(socket.create_connection(("127.0.0.1", collector.port), timeout=60)) for _ in range(200)
        ]
        for client in clients:
            client.sendall("\r\n".join([*lines, "", ""]).encode())
        began = time.monotonic()
        ended: set[int] = set()
        slowest = 0.0
        while len(ended) < len(clients):
            assert time.monotonic() - began < 45, f"{len(ended)} of {len(clients)} ended"
            for at, client in enumerate(clients):
                try:
                    client.sendall(b"x")
                except OSError:
                    ended.add(at)
            # Others are served meanwhile, at once.
            asked = time.monotonic()
            headers = {"Authorization": f"Bearer {key}", WALL_CLOCK_HEADER: str(time.time_ns())}
            headers |= {BOOT_CLOCK_HEADER: str(10**15), "Content-Encoding": "gzip"}
            body = gzip.compress(json.dumps(plain_report(sequence=1 + int((asked - began) * 1000))).encode())
            assert request(collector.port, "POST", "/v1/reports", headers, body)[0] == 200
            slowest = max(slowest, time.monotonic() - asked)
            time.sleep(1)
        assert time.monotonic() - began > 25
    assert slowest < 2, slowest
    assert collector.resident_bytes - before < 50 * 1024 * 1024
    assert collector.metric("ictagent_reports_refused_total") == len(clients)
    assert collector.said.count("the connection ended in the middle of the body") == len(clients)
    assert "Traceback" not in collector.said
