"""What befalls an agent's spool: no room from the start, files damaged while it was down. The agent goes on and tells."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.status import read_status
from tests.collector.small_disk import small_disk
from tests.servers.ictagent import AgentProgram, CollectorProgram
from tests.servers.process import wait_until
from tests.system.comparing import embedded_points, numbers

Keep = Callable[[Any], Any]


@pytest.fixture
def collector(keep: Keep, tmp_path: Path) -> CollectorProgram:
    one: CollectorProgram = keep(CollectorProgram(tmp_path))
    one.start()
    return one


def recorded(collector: CollectorProgram) -> list[int]:
    return [number for found in numbers(collector).values() for number in found]


def test_an_agent_that_starts_on_a_full_disk_reports_from_memory_and_keeps_reports_when_there_is_room(
    keep: Keep, tmp_path: Path, collector: CollectorProgram
) -> None:
    with small_disk(tmp_path / "disk", 4) as disk:
        agent: AgentProgram = keep(
            AgentProgram(tmp_path, collector.url, collector.token(), state_directory=disk.path / "agent")
        )
        agent.begin()
        wait_until(lambda: recorded(collector), f"a first report; it said {agent.said}")
        assert agent.stop() == 0
        # The key is there; the rest is as after a first start.
        shutil.rmtree(agent.state_directory / "spool")
        disk.fill()
        before = len(recorded(collector))
        agent.begin()
        agent.wait_said("stay in memory; free space on its disk")
        wait_until(lambda: len(recorded(collector)) >= before + 3, f"reports from memory; it said {agent.said}")
        collector.kill()
        agent.wait_said("nothing listens at")
        disk.make_room()
        wait_until(lambda: len(agent.spooled) >= 2, f"reports on disk; it said {agent.said}")

        def well() -> bool:
            status = read_status(agent.state_directory)
            return status is not None and "nothing listens" in status.last_problem

        wait_until(well, "a status that no longer tells of the disk")
        agent.kill()
        collector.start()
        agent.begin()
        wait_until(lambda: not agent.spooled, f"an empty spool; it said {agent.said}")
        assert agent.stop() == 0
        streams = numbers(collector)
        assert len(streams) == 2, "that of the first start, and the one begun in memory and kept"
        for found in streams.values():
            kept = [number for number in found if number <= 1000]
            assert kept == list(range(1, len(kept) + 1)), "nothing was lost on the way to the disk"
        assert "Traceback" not in agent.said
        agent.end()


def test_a_damaged_spool_costs_what_was_damaged_and_the_rest_is_sent_and_told(
    keep: Keep, tmp_path: Path, collector: CollectorProgram
) -> None:
    agent: AgentProgram = keep(AgentProgram(tmp_path, collector.url, collector.token()))
    agent.begin()
    wait_until(lambda: recorded(collector), f"a first report; it said {agent.said}")
    collector.kill()
    wait_until(lambda: len(agent.spooled) >= 6, "six reports in the spool")
    agent.kill()
    waiting, spool = agent.spooled, agent.state_directory / "spool"
    cut, noise, zeros, directory, *_ = (spool / f"{number:012d}.json.gz" for number in waiting)
    cut.write_bytes(cut.read_bytes()[:-9])
    noise.write_bytes(os.urandom(2000))
    with zeros.open("ab") as file:
        file.write(bytes(4096))
    directory.unlink()
    directory.mkdir()
    (spool / "stream").write_bytes(bytes(64))
    (spool / "rejected").rmdir()
    (spool / "rejected").write_text("in the way")
    (agent.state_directory / "counters.json").write_bytes(os.urandom(300))
    (agent.state_directory / "status.json").write_bytes(b"{")
    collector.start()
    agent.begin()
    wait_until(lambda: not agent.spooled, f"an empty spool; it said {agent.said}")
    wait_until(lambda: len(numbers(collector)) == 2, "reports of the stream that was begun")
    assert set(waiting) - set(recorded(collector)) == {waiting[0], waiting[1], waiting[3]}
    wait_until(lambda: agent.said.count("was damaged: it was moved to rejected") == 2, "both damaged reports told")
    for told in (f"{directory} is no file: it was moved", "a new stream is begun", "rejected is no directory"):
        assert told in agent.said

    def events() -> set[str]:
        return {dict(tags)["code"] for tags, _ in embedded_points(collector, "ictagent_event")}

    wait_until(lambda: "spool_damaged" in events(), "the event")
    assert agent.stop() == 0
    status = read_status(agent.state_directory)
    assert status is not None
    assert status.rejected_reports == 2
    assert "Traceback" not in agent.said
