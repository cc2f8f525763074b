"""Cloned machines: with one machine id both count and both are told; with one key and spool nothing is lost either."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.servers.ictagent import AgentProgram, CollectorProgram
from tests.servers.process import wait_until
from tests.system.comparing import embedded_points, numbers

Keep = Callable[[Any], Any]


def test_two_hosts_with_one_machine_id_are_two_devices_and_both_are_told(keep: Keep, tmp_path: Path) -> None:
    """Two agents of this machine have one machine id between them, as a virtual machine and its clone do."""
    collector: CollectorProgram = keep(CollectorProgram(tmp_path))
    collector.start()
    token = collector.token(uses=2)
    for name in ("original", "clone"):
        keep(AgentProgram(tmp_path / name, collector.url, token)).begin()
    wait_until(lambda: len(embedded_points(collector, "hw_host")) >= 4, "power of both")

    def codes() -> list[set[str]]:
        listed = collector.get("/v1/devices")[1]["devices"]
        details = [collector.get(f"/v1/devices/{one['device_id']}")[1] for one in listed]
        return [{one["code"] for one in detail["diagnoses"]} for detail in details]

    wait_until(lambda: codes() == [{"same_machine_id"}, {"same_machine_id"}], "both diagnoses")
    devices = collector.get("/v1/devices")[1]["devices"]
    assert len({one["device_id"] for one in devices}) == 2
    assert all(one["power_watts"] > 0 for one in devices)
    powers = embedded_points(collector, "hw_host")
    assert {dict(tags)["device_id"] for tags, _ in powers} == {one["device_id"] for one in devices}
    status, page = collector.get("/quality")
    assert status == 200
    assert "same machine id" in page


def test_a_copied_key_and_spool_get_a_stream_of_their_own_and_lose_nothing(keep: Keep, tmp_path: Path) -> None:
    """A virtual machine restored after its original went on: the same key sends the same numbers with other content.

    One at a time. Two that send side by side are told apart: tests/system/test_keys.py.
    """
    collector: CollectorProgram = keep(CollectorProgram(tmp_path))
    collector.start()
    original: AgentProgram = keep(AgentProgram(tmp_path / "original", collector.url, collector.token()))
    original.begin()
    wait_until(lambda: numbers(collector), "the first report")
    assert original.stop() == 0
    [(stream, sent)] = numbers(collector).items()
    clone: AgentProgram = keep(AgentProgram(tmp_path / "clone", collector.url))
    shutil.copytree(original.state_directory, clone.state_directory)
    collector.kill()
    for agent in (original, clone):
        agent.begin()
        wait_until(lambda: len(agent.spooled) >= 3, "three reports in the spool")  # noqa: B023  # waited for here
    assert original.spooled[:3] == clone.spooled[:3], "the same numbers"
    clone.kill()
    collector.start()
    for agent in (original, clone):
        if agent is clone:
            clone.begin()
        wait_until(lambda: not agent.spooled, f"an empty spool; it said {agent.said}", 60)  # noqa: B023  # waited for here
        assert agent.stop() == 0
    told = [agent for agent in (original, clone) if "a new stream is begun" in agent.said]
    assert len(told) == 1, "whoever came second with a number begins a new stream, and says so"
    streams = numbers(collector)
    assert len(streams) == 2
    assert set(sent) < set(streams[stream])
    for found in streams.values():
        assert len(found) == len(set(found))
    # Every report holds points of the agent itself, one a sample; both agents have other times.
    reports = sum(len(found) for found in streams.values())
    wait_until(lambda: len(embedded_points(collector, "ictagent_agent")) >= reports, f"points of {reports} reports")
    points = embedded_points(collector, "ictagent_agent")
    assert len({dict(tags)["device_id"] for tags, _ in points}) == 1
    wait_until(lambda: embedded_points(collector, "ictagent_event"), "the event")
    events = embedded_points(collector, "ictagent_event")
    assert {dict(tags)["code"] for tags, _ in events} == {"new_stream"}
