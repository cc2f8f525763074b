"""Agent and collector killed (-9) at random points, many times: what was acknowledged is there, and counts once."""

import contextlib
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.servers.faulty_network import faulty_network
from tests.servers.ictagent import AgentProgram, CollectorProgram
from tests.servers.powercap import counted_uj, energy_counter
from tests.servers.process import wait_until
from tests.system.comparing import embedded_points, numbers

# A life takes about half a second of a processor; 200 of them are in tests/benchmarks/kills.py.
KILLS = int(os.environ.get("ICTAGENT_TEST_KILLS", "60"))
COLLECTOR_SHARE = 0.2
"""So many of the kills meet the collector: it takes several times as long to start."""


def test_kills_at_random_points_lose_nothing_acknowledged_and_count_nothing_twice(
    keep: Callable[[Any], Any], tmp_path: Path
) -> None:
    """The energy counted in the end is what the counter counted, over every kill and start."""
    seed = int(os.environ.get("ICTAGENT_TEST_SEED", "") or random.randrange(10**6))
    chance = random.Random(seed)
    counter = energy_counter(tmp_path)
    collector: CollectorProgram = keep(CollectorProgram(tmp_path))
    collector.start()
    with faulty_network(collector.port) as network:
        agent: AgentProgram = keep(AgentProgram(tmp_path, network.url, collector.token(), prefix=counter.prefix))
        agent.begin()
        wait_until(lambda: len(network.acknowledged) >= 2, f"two reports; the agent said {agent.said}")
        start, killed = counter.value, {"agent": 0, "collector": 0}
        while sum(killed.values()) < KILLS:
            whose = "collector" if chance.random() < COLLECTOR_SHARE else "agent"
            program = collector if whose == "collector" else agent
            if chance.random() < 0.6:
                # Around a report: on its way, being recorded, its answer on the way back, or taken out of the spool.
                asked = network.asked
                with contextlib.suppress(TimeoutError):
                    wait_until(lambda: network.asked > asked, "a report", 3)  # noqa: B023  # waited for here
                time.sleep(chance.uniform(0.0, 0.03))
            else:
                # Anywhere, from the first import on.
                time.sleep(chance.uniform(0.0, 0.4))
            counter.advance(chance.randrange(1, 3_000_000))
            program.kill()
            killed[whose] += 1
            counter.advance(chance.randrange(1, 1_000_000))
            program.begin()
        during = len(network.acknowledged)
        collector.wait_for_answers()
        told = f"seed {seed}, killed {killed}, {during} reports acknowledged meanwhile; the agent said {agent.said[-1000:]}"
        counter.advance(1)
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: counted_uj(collector) == counter.value - start, "all of the energy", 60)
        assert counted_uj(collector) == counter.value - start, told
        wait_until(lambda: not agent.spooled, f"an empty spool; {told}", 60)
        assert agent.stop() == 0
    assert during >= KILLS // 20, f"the kills met no work; {told}"
    print(f"seed {seed}; killed {killed}; {during} reports acknowledged meanwhile")
    [(stream_id, recorded)] = numbers(collector).items()
    acknowledged = [(one.stream_id, one.sequence) for one in network.acknowledged]
    assert set(acknowledged) <= {(stream_id, one) for one in recorded}, told
    assert len(recorded) == len(set(recorded)), told
    assert counted_uj(collector) == counter.value - start, told
    # Each report holds one point of the agent's own for each of its samples, at a time that no other sample has.
    wait_until(lambda: len(embedded_points(collector, "ictagent_agent")) >= len(recorded), f"all points; {told}", 30)
    assert "Traceback" not in agent.said + collector.said, told
