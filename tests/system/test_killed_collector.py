"""A collector killed (-9) in the middle of a load of 200 agents, several times: what was acknowledged is there, once."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.collector.hosts import recent_half_hour
from tests.servers.agents import NS, Load, hosts_since
from tests.servers.ictagent import CollectorProgram
from tests.servers.process import wait_until
from tests.system.comparing import (
    embedded_points,
    ledger_by_device,
    markers,
    marks,
    memory,
    sent_memory,
    wait_for_ledger,
)

HOSTS = 200
REPORTS = 5
KILLS = 3
SAMPLES_EACH = 10
START = recent_half_hour(4) + 600
"""The samples lie in closed half-hours, so that their ledger rows are due as soon as they are recorded."""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_acknowledged_report_is_in_ledger_and_store_exactly_once(
    kind: str,
    request: pytest.FixtureRequest,
    keep: Callable[[CollectorProgram], CollectorProgram],
    tmp_path: Path,
) -> None:
    options = ["--database", request.getfixturevalue("postgres_url")] if kind == "postgresql" else []
    collector = keep(CollectorProgram(tmp_path, options))
    collector.start()
    hosts = hosts_since(START, HOSTS, SAMPLES_EACH)
    load = Load([collector.url], collector.token(HOSTS), hosts, REPORTS)
    load.start()
    seed = random.randrange(10**6)
    for moment in sorted(random.Random(seed).sample(range(50, HOSTS * REPORTS - 100), KILLS)):
        wait_until(lambda: load.acknowledged >= moment, f"report {moment} (seed {seed}, {load.answers})")  # noqa: B023  # it is waited for here
        collector.kill()
        collector.start()
    load.finish()
    # A last start writes what is due of the ledger at once, whenever the schedule last ran.
    assert collector.stop() == 0
    collector.start()
    wait_for_ledger(collector)
    assert ledger_by_device(collector) == {host.device_id: host.energy_uj for host in hosts}
    assert marks(collector) == {f"stream-of-{host.name}": (REPORTS, REPORTS) for host in hosts}
    sent = sent_memory(hosts)
    assert len(sent) == HOSTS * REPORTS * SAMPLES_EACH
    wait_until(lambda: len(embedded_points(collector, "system_memory")) >= len(sent), "all points in the store")
    assert memory(embedded_points(collector, "system_memory")) == sent
    # The collector derives a host's power from each of its samples but the first.
    wait_until(lambda: len(embedded_points(collector, "hw_host")) >= len(sent) - HOSTS, "all powers in the store")
    assert len(embedded_points(collector, "hw_host")) == len(sent) - HOSTS
    assert markers(embedded_points(collector, "hw_temperature")) == {host.device_id: REPORTS for host in hosts}
    assert "Traceback" not in collector.said


def test_the_load_spans_half_hours() -> None:
    [host] = hosts_since(START, 1, SAMPLES_EACH)
    for sequence in range(1, REPORTS + 1):
        host.report(sequence)
    assert len({unix_ns // NS // 1800 for unix_ns in host.sample_times}) >= 2
