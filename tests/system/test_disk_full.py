"""A full disk at the agent and at the collector: said clearly, over by itself, nothing acknowledged is lost."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.collector.hosts import recent_half_hour
from tests.conftest import missing
from tests.servers.agents import Load, hosts_since
from tests.servers.ictagent import AgentProgram, CollectorProgram
from tests.servers.process import wait_until
from tests.system.comparing import (
    embedded_points,
    ledger_by_device,
    markers,
    marks,
    memory,
    numbers,
    sent_memory,
    wait_for_ledger,
)

Keep = Callable[[Any], Any]


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own size, which a test can fill."""
    path.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        missing("the right to mount a small disk (root)")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(disk: Path) -> None:
    """Take all space that is left, to the last byte."""
    with (disk / "filler").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        for size in (65536, 4096, 512, 64, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass


def free(disk: Path) -> None:
    (disk / "filler").unlink()


def test_an_agent_on_a_full_disk_keeps_its_reports_and_says_so(keep: Keep, tmp_path: Path) -> None:
    collector: CollectorProgram = keep(CollectorProgram(tmp_path))
    collector.start()
    with small_disk(tmp_path / "disk", 4) as disk:
        agent: AgentProgram = keep(
            AgentProgram(tmp_path, collector.url, collector.token(), state_directory=disk / "agent")
        )
        agent.begin()
        wait_until(lambda: numbers(collector), "the first report")
        collector.kill()
        wait_until(lambda: agent.spooled, "a report in the spool")
        fill(disk)
        agent.wait_said("cannot be written (No space left on device)")
        assert "free space on its disk" in agent.said
        on_disk = agent.spooled
        wait_until(lambda: agent.said.count("stay in memory") >= 3, "three reports in memory")
        assert agent.spooled == on_disk
        free(disk)
        wait_until(lambda: len(agent.spooled) >= len(on_disk) + 3, "the reports of memory on disk again")
        collector.start()
        wait_until(lambda: not agent.spooled, f"an empty spool; it said {agent.said[-1000:]}", 60)
        assert agent.stop() == 0
        [stream] = numbers(collector).values()
        assert stream == list(range(1, len(stream) + 1)), "every number is there, in order"
        assert "dropped" not in agent.said
        assert "Traceback" not in agent.said
        agent.end()


def test_a_collector_on_a_full_disk_refuses_reports_and_goes_on_when_there_is_room(keep: Keep, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24) as disk:
        collector: CollectorProgram = keep(CollectorProgram(tmp_path, state_directory=disk / "collector"))
        collector.start()
        hosts = hosts_since(recent_half_hour(8) + 600, 20, points_each=8)
        load = Load([collector.url], collector.token(20), hosts, 30)
        load.start()
        wait_until(lambda: load.acknowledged >= 100, "a hundred reports")
        fill(disk)
        wait_until(lambda: load.answers[507] >= 20, f"refusals for want of room: {load.answers}")
        collector.wait_said("the database cannot grow")
        assert "free space on its disk; it goes on by itself" in collector.said
        status, state = collector.get("/readyz")
        assert status == 503
        assert state["problems"][0]["subject"] == "database"
        assert collector.get("/healthz")[0] == 200
        stopped_at = load.acknowledged
        assert stopped_at < 20 * 30
        free(disk)
        load.finish()
        wait_until(lambda: collector.get("/readyz")[0] == 200, "ready again")
        assert "the database takes writes again" in collector.said
        assert marks(collector) == {f"stream-of-{host.name}": (30, 30) for host in hosts}
        sent = sent_memory(hosts)
        wait_until(lambda: len(embedded_points(collector, "system_memory")) >= len(sent), "all points", 90)
        assert memory(embedded_points(collector, "system_memory")) == sent
        assert markers(embedded_points(collector, "hw_temperature")) == {host.device_id: 30 for host in hosts}
        assert collector.stop() == 0
        collector.start()
        wait_for_ledger(collector)
        assert ledger_by_device(collector) == {host.device_id: host.energy_uj for host in hosts}
        assert "Traceback" not in collector.said
        collector.end()
