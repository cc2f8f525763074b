"""Clocks that are set, machines that sleep, snapshots that are restored, collectors that are away for days: the energy
counted is that of the counter, once, in the half-hours in which it was used."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from agent.report import BOOT_CLOCK_HEADER, BOOT_ID_HEADER, WALL_CLOCK_HEADER
from agent.sources import SOURCES
from carbon.calendar import half_hour_of
from collector.database.schema import energy_fact, ledger, meter, report_sequence, report_stream
from collector.ledger import current, provisional
from tests.collector.small_disk import small_disk
from tests.servers.clocked import UP_SECONDS, ClockedAgent
from tests.servers.ictagent import CollectorProgram, request
from tests.servers.powercap import EnergyCounter, energy_counter
from tests.servers.process import wait_until
from tests.system.comparing import embedded_points, numbers, wait_for_ledger

Keep = Callable[[Any], Any]
HOUR = 3600
PACKAGE, ESTIMATE = "rapl/package-0", "cpu"


@pytest.fixture
def counter(tmp_path: Path) -> EnergyCounter:
    return energy_counter(tmp_path)


@pytest.fixture
def collector(keep: Keep, tmp_path: Path) -> CollectorProgram:
    one: CollectorProgram = keep(CollectorProgram(tmp_path))
    one.start()
    return one


def rows_of(collector: CollectorProgram, name: str) -> dict[str, dict[int, dict[str, int]]]:
    """What each device's meter of a name has in every half-hour, written or still open."""
    found: dict[str, dict[int, dict[str, int]]] = {}
    with collector.database() as database, database.read() as connection:
        for row in connection.execute(select(meter).where(meter.c.name == name)).all():
            written = connection.execute(select(ledger).where(ledger.c.meter_id == row.id, current())).mappings()
            rows = {one["half_hour"]: dict(one) for one in written}
            found[row.device_id] = rows | provisional(connection, row.device_id).get(row.id, {})
    return found


def total(collector: CollectorProgram, name: str = PACKAGE, column: str = "measured_uj") -> int:
    return sum(row[column] for rows in rows_of(collector, name).values() for row in rows.values())


def half_hours(collector: CollectorProgram) -> set[int]:
    with collector.database() as database, database.read() as connection:
        return set(connection.execute(select(energy_fact.c.half_hour)).scalars())


def events(collector: CollectorProgram) -> dict[str, str]:
    """What hosts told, newest of each code."""
    points = embedded_points(collector, "ictagent_event")
    return {
        dict(tags)["code"]: fields["detail"] for (tags, _), fields in sorted(points.items(), key=lambda one: one[0][1])
    }


def test_a_clock_set_by_hours_both_ways_counts_everything_once_and_when_it_was(
    keep: Keep, tmp_path: Path, collector: CollectorProgram, counter: EnergyCounter
) -> None:
    began = int(time.time())
    agent: ClockedAgent = keep(ClockedAgent(tmp_path, collector.url, counter, collector.token()))
    agent.begin()
    wait_until(lambda: len(numbers(collector)) == 1, f"the first report; it said {agent.said}")
    start = counter.value
    for wall_seconds, told in (
        (2 * HOUR, "forward by 2:00:00"),
        (-3 * HOUR, "back by 5:00:00"),
        (0, "forward by 3:00:00"),
    ):
        counter.advance(41_000_003)
        agent.set(wall_seconds)
        agent.wait_said(f"the clock was set {told}")
        counter.advance(29_000_001)
        wait_until(
            lambda: total(collector) == counter.value - start, f"{counter.value - start} uJ, not {total(collector)}"
        )
        wait_until(lambda: events(collector).get("clock_step") == f"the clock was set {told}", "the event")  # noqa: B023  # waited for here
    assert agent.stop() == 0
    ended = int(time.time())
    assert total(collector) == counter.value - start
    assert half_hours(collector) <= set(range(half_hour_of(began), ended + 1, 1800))
    assert 0 < total(collector, column="covered_seconds") <= ended - began + 2
    told_at = [unix_ns for _, unix_ns in embedded_points(collector, "ictagent_event")]
    assert all(began * 10**9 <= unix_ns <= ended * 10**9 + 10**9 for unix_ns in told_at), "dated when it was, too"


SLEEPS = (3 * HOUR, 300)
"""One over which no mean is taken, and one that is shorter than the longest interval that is taken for covered."""


def test_a_sleep_is_neither_covered_nor_filled_with_idle_watts(
    keep: Keep, tmp_path: Path, counter: EnergyCounter
) -> None:
    """Reports of before and after are sent when the machine is awake again, as those of a laptop are."""
    collector: CollectorProgram = keep(CollectorProgram(tmp_path))
    collector.start()
    token = collector.token()
    collector.kill()
    agent: ClockedAgent = keep(ClockedAgent(tmp_path, collector.url, counter, token))

    def samples(more: int) -> None:
        before = len(agent.spooled)
        wait_until(lambda: len(agent.spooled) >= before + more, f"{more} more samples; it said {agent.said}")

    left, slept = sum(SLEEPS), 0
    agent.set(-left, -left)
    began = time.monotonic()
    agent.begin()
    samples(2)
    for asleep in (*SLEEPS, 0):
        counter.advance(41_000_003)
        samples(2)
        left, slept = left - asleep, slept + asleep
        agent.set(-left, -left, slept)
        if asleep:
            # The package lost its power, and with it the count.
            counter.value = 5_000_000 + slept
            counter.write()
            samples(2)
    agent.stop()
    collector.start()
    agent.begin()
    wait_until(lambda: total(collector) == 3 * 41_000_003, f"the energy of three times, not {total(collector)}", 30)
    wait_until(lambda: not agent.spooled, "an empty spool")
    assert "clock was set" not in agent.said, "a sleep is no step"
    assert agent.stop() == 0
    longest = time.monotonic() - began + 3
    known = total(collector, ESTIMATE, "covered_seconds") + total(collector, ESTIMATE, "spread_seconds")
    assert 6 <= known <= longest
    assert total(collector, column="covered_seconds") <= longest
    assert 0 < total(collector, ESTIMATE, "estimated_uj") <= longest * 1_000_000_000


def test_a_restored_snapshot_counts_what_was_used_before_it_and_after_it_once_each(
    keep: Keep, tmp_path: Path, collector: CollectorProgram, counter: EnergyCounter
) -> None:
    """State directory, counters and the boot clock go back, and the boot is the same: numbers and epochs come twice."""
    agent: ClockedAgent = keep(ClockedAgent(tmp_path, collector.url, counter, collector.token()))
    expected = 0

    def use(energy_uj: int) -> None:
        nonlocal expected
        counter.advance(energy_uj)
        expected += energy_uj
        wait_until(lambda: total(collector) == expected, f"{expected} uJ, not {total(collector)}; {agent.said}", 30)

    agent.begin()
    wait_until(lambda: numbers(collector), f"the first report; it said {agent.said}")
    use(30_000_007)
    assert agent.stop() == 0
    snapshot, value = tmp_path / "snapshot", counter.value
    taken = time.monotonic()
    shutil.copytree(agent.state_directory, snapshot)
    agent.begin()
    use(50_000_001)
    assert agent.stop() == 0
    [stream] = numbers(collector)
    for restored in range(2):
        shutil.rmtree(agent.state_directory)
        shutil.copytree(snapshot, agent.state_directory)
        counter.value = value
        counter.write()
        agent.set(boot_seconds=-int(time.monotonic() - taken))
        agent.begin()
        use(20_000_003 + restored)
        wait_until(lambda: agent.said.count("a new stream is begun") == restored + 1, "the warning")  # noqa: B023  # waited for here
        wait_until(lambda: "new_stream" in events(collector), "the event")
        # The branch is kept over a kill.
        agent.kill()
        agent.begin()
        use(10_000_009)
        assert agent.stop() == 0
    streams = numbers(collector)
    assert len(streams) == 3
    assert stream in streams
    assert total(collector) == expected


AWAY_SECONDS = 72 * HOUR
MICROJOULES = 87_654_321
"""What the machine's package uses in a second of those days."""


@pytest.fixture
def three_days(keep: Keep, tmp_path: Path, counter: EnergyCounter) -> Iterator[ClockedAgent]:
    """An agent that ran for 72 hours without a collector: a sample a minute, a report every ten.

    Its disk is a tmpfs: syncing each of three days' files would take most of the test's time.
    """
    with small_disk(tmp_path / "disk", 64) as disk:
        agent: ClockedAgent = keep(
            ClockedAgent(
                tmp_path / "three-days",
                "http://127.0.0.1:9",
                counter,
                extra={
                    "SIMULATED_UNTIL_NOW": str(MICROJOULES),
                    "ICTAGENT_DISABLED_SOURCES": ",".join(name for name in SOURCES if name != "rapl"),
                },
                state_directory=disk.path / "state",
                options=("--interval-seconds", "60", "--report-seconds", "600"),
            )
        )
        agent.state_directory.mkdir()
        (agent.state_directory / "key").write_text("no-key-yet")
        agent.set(-AWAY_SECONDS, -AWAY_SECONDS)
        agent.begin()
        assert agent.process is not None
        assert agent.process.wait(200) == 0, agent.said[-2000:]
        counter.value = int((tmp_path / "three-days/counted").read_text())
        yield agent


def enrolled(collector: CollectorProgram, token: str, name: str) -> str:
    status, text = request(
        collector.port,
        "POST",
        "/v1/enrol",
        {"Content-Type": "application/json"},
        json.dumps({"token": token, "host_name": name, "kind": "host"}).encode(),
    )
    assert status == 200, text
    return str(json.loads(text)["key"])


def numbers_by_key(collector: CollectorProgram) -> list[list[int]]:
    """The numbers of each host's reports in the order in which they were recorded; both hosts have one stream's."""
    query = select(report_stream.c.key_id, report_sequence.c.sequence).join(
        report_sequence, report_sequence.c.report_stream_id == report_stream.c.id
    )
    found: dict[str, list[int]] = {}
    with collector.database() as database, database.read() as connection:
        for key_id, sequence in connection.execute(
            query.order_by(report_sequence.c.received_at, report_sequence.c.sequence)
        ):
            found.setdefault(key_id, []).append(sequence)
    return list(found.values())


def test_after_72_hours_without_a_collector_everything_comes_in_order_and_the_energy_is_exact(
    keep: Keep, tmp_path: Path, collector: CollectorProgram, counter: EnergyCounter, three_days: ClockedAgent
) -> None:
    waiting = three_days.spooled
    used = counter.value - EnergyCounter(Path()).value
    assert len(waiting) >= 430
    assert used >= (AWAY_SECONDS - 60) * MICROJOULES
    token = collector.token(uses=2)
    agents: dict[str, ClockedAgent] = {}
    for name, limit in (("whole", 1 << 20), ("bounded", 300_000)):
        limited = {"SPOOL_BYTES": str(limit)}
        agents[name] = keep(ClockedAgent(tmp_path / name, collector.url, counter, extra=limited))
        shutil.copytree(three_days.state_directory, agents[name].state_directory)
        (agents[name].state_directory / "key").write_text(enrolled(collector, token, name))
    # The bounded one had delivered its first report before the collector went away.
    spool = agents["bounded"].state_directory / "spool"
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    clocks = (time.time_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME) + UP_SECONDS * 10**9)
    headers = {
        "Authorization": f"Bearer {(agents['bounded'].state_directory / 'key').read_text()}",
        "Content-Encoding": "gzip",
        WALL_CLOCK_HEADER: str(clocks[0]),
        BOOT_CLOCK_HEADER: str(clocks[1]),
        BOOT_ID_HEADER: boot_id,
    }
    first = spool / f"{waiting[0]:012d}.json.gz"
    assert request(collector.port, "POST", "/v1/reports", headers, first.read_bytes())[0] == 200
    size = sum(path.stat().st_size for path in spool.glob("*.json.gz"))
    assert 600_000 < size < 1 << 20
    for agent in agents.values():
        agent.begin()
    for agent in agents.values():
        wait_until(lambda: not agent.spooled, f"an empty spool; it said {agent.said[-1000:]}", 60)  # noqa: B023  # waited for here
        wait_until((agent.state_directory / "status.json").exists, "a status")
        assert agent.stop() == 0
    wait_for_ledger(collector)
    received = sorted(numbers_by_key(collector), key=len)
    assert received == [sorted(set(one)) for one in received], "in order, each once"
    assert set(waiting) <= set(received[-1])
    covered = []
    for rows in rows_of(collector, PACKAGE).values():
        assert sum(row["measured_uj"] for row in rows.values()) == used
        # Each half-hour has its own part, not one the whole: the counter ran evenly.
        assert all(row["measured_uj"] <= 1801 * MICROJOULES for row in rows.values())
        covered.append(sum(row["covered_seconds"] for row in rows.values()))
    assert len(covered) == 2
    assert max(covered) >= AWAY_SECONDS - 120
    assert min(covered) < AWAY_SECONDS / 2, "what was dropped is no coverage"
    assert "reports were dropped: the spool was full" in events(collector)["spool_dropped"]
