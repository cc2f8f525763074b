"""The agent as a service runs it: a process, a spool on disk, a collector over HTTP, and signals."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.sources import SWITCHES
from tests.agent.disks import fill
from tests.agent.scripted import Reply, Scripted, refusal, scripted
from tests.servers.process import free_port, tail, wait_until

REPOSITORY = Path(__file__).parents[2]


class Running:
    """An agent's process."""

    def __init__(self, state: Path, url: str, *flags: str, log: Path | None = None, **settings: str) -> None:
        state.mkdir(parents=True, exist_ok=True)
        if not (state / "key").exists():
            (state / "key").write_text("the-key")
        self.state = state
        self.log = log or state / "log"
        fast = ("--interval-seconds", "1", "--report-seconds", "1")
        command = [sys.executable, "-m", "agent", "run", "--collector", url, "--state-directory", str(state), *fast]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ICTAGENT_")}
        self._file = self.log.open("ab")
        self.process = subprocess.Popen(
            [*command, *flags], cwd=REPOSITORY, stderr=self._file, env={**environment, **settings}
        )

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(by)
        status = self.process.wait(20)
        self._file.close()
        return status

    def spooled(self) -> list[Path]:
        return sorted((self.state / "spool").glob("*.json.gz"))

    def said(self, words: str) -> bool:
        return words in tail(self.log, 20_000)


@contextmanager
def running(state: Path, url: str, *flags: str, log: Path | None = None, **settings: str) -> Iterator[Running]:
    """An agent that is ended at the latest with the test."""
    one = Running(state, url, *flags, log=log, **settings)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


def reports(server: Scripted) -> list[dict[str, Any]]:
    return [json.loads(gzip.decompress(body)) for body in server.bodies()]


def test_the_first_report_comes_at_once_with_inventory_sources_and_choice(tmp_path: Path) -> None:
    with scripted() as server, running(tmp_path, server.url):
        wait_until(server.bodies, "a first report")
        first = reports(server)[0]
    assert first["sequence"] == 1
    assert first["inventory"]["host_name"]
    assert {state["source"] for state in first["sources"]} == set(SWITCHES)
    assert first["choice"]["basis"] in ("machine", "psys", "package", "estimate")
    assert len(first["samples"]) == 1


def test_sigterm_gives_a_last_report_and_a_clean_end(tmp_path: Path) -> None:
    with (
        scripted() as server,
        running(tmp_path, server.url, "--interval-seconds", "30", "--report-seconds", "60") as one,
    ):
        # The first report, then the second a second later; from then on nothing is due for half a minute.
        wait_until(lambda: len(server.bodies()) == 2, "two reports")
        asked = time.monotonic()
        assert one.end() == 0
        assert time.monotonic() - asked < 5
        assert not one.spooled()
    assert [report["sequence"] for report in reports(server)] == [1, 2, 3]


def test_reports_wait_on_disk_while_the_collector_is_away_and_come_in_order_when_it_is_back(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, f"http://127.0.0.1:{port}") as one:
        wait_until(lambda: len(one.spooled()) >= 3, "reports on disk")
        assert one.said(f"nothing listens at 127.0.0.1:{port}: is the collector running?; reports are kept")
        assert one.end() == 0
        waiting = len(one.spooled())
    with scripted() as server, running(tmp_path, server.url) as one:
        wait_until(lambda: len(server.bodies()) > waiting, "all that waited, and more")
    sequences = [report["sequence"] for report in reports(server)]
    assert sequences[:waiting] == list(range(1, waiting + 1))
    assert sequences == sorted(set(sequences))
    assert len({report["stream_id"] for report in reports(server)}) == 1


def test_an_agent_killed_with_reports_waiting_sends_them_when_it_is_started_again(tmp_path: Path) -> None:
    with scripted(refusal(503)) as away, running(tmp_path, away.url) as one:
        wait_until(lambda: len(one.spooled()) >= 2, "reports on disk")
        one.end(signal.SIGKILL)
        waiting = [int(path.name.split(".")[0]) for path in one.spooled()]
    with scripted() as server, running(tmp_path, server.url):
        wait_until(lambda: len(server.bodies()) > len(waiting), "all that waited, and more")
    sequences = [report["sequence"] for report in reports(server)]
    assert sequences[: len(waiting)] == waiting
    assert sequences == sorted(set(sequences))


def test_utilisation_is_the_mean_since_the_sample_before_and_the_first_has_none(tmp_path: Path) -> None:
    with scripted() as server, running(tmp_path, server.url):
        wait_until(lambda: len(server.bodies()) >= 3, "three reports")
    seen = []
    for report in reports(server)[:3]:
        for meter, _, interval_ns, values, differences in report["readings"]:
            if report["meters"][meter][0] == "cpu":
                seen.append((interval_ns, values, differences))
    (first_interval, first, none), *others = seen
    assert (first_interval, none) == (0, [])
    before = first
    for interval_ns, values, differences in others:
        assert 0.5e9 < interval_ns < 10e9
        assert differences == [values[0] - before[0], values[1] - before[1]]
        before = values


def test_each_sample_has_the_time_of_both_clocks_and_its_rows_have_exactly_that(tmp_path: Path) -> None:
    with scripted() as server, running(tmp_path, server.url):
        wait_until(lambda: len(server.bodies()) >= 2, "two reports")
    for report in reports(server)[:2]:
        times = {wall for wall, _ in report["samples"]}
        assert {row[1] for row in report["rows"]} == times
        assert {reading[1] for reading in report["readings"]} == times
        for wall_ns, boot_ns in report["samples"]:
            assert abs(wall_ns - time.time_ns()) < 60 * 10**9
            assert 0 < boot_ns < time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def test_the_agent_reports_itself(tmp_path: Path) -> None:
    with scripted() as server, running(tmp_path, server.url):
        wait_until(lambda: len(server.bodies()) >= 2, "two reports")
    report = reports(server)[1]
    names = {tuple(series[:1]): series[2] for series in report["series"]}[("ictagent_agent",)]
    [values] = [row[2] for row in report["rows"] if report["series"][row[0]][0] == "ictagent_agent"]
    own = dict(zip(names, values, strict=True))
    assert 5_000_000 < own["resident_bytes"] < 200_000_000
    assert own["dropped_reports"] == own["rejected_reports"] == 0


def test_a_refused_report_is_an_event_in_the_next_one(tmp_path: Path) -> None:
    with scripted(refusal(422, "rows[0] is odd", ""), Reply()) as server, running(tmp_path, server.url):
        wait_until(lambda: any(report["events"] for report in reports(server)), "an event")
    [event] = next(report["events"] for report in reports(server) if report["events"])
    assert (event["code"], event["detail"]) == ("report_rejected", "report 1: rows[0] is odd")


def test_a_source_switched_off_is_off_in_the_report(tmp_path: Path) -> None:
    with scripted() as server, running(tmp_path, server.url, ICTAGENT_DISABLED_SOURCES="rapl"):
        wait_until(server.bodies, "a first report")
    states = {state["source"]: state["outcome"] for state in reports(server)[0]["sources"]}
    assert states["rapl"] == "off"


def test_a_second_agent_on_the_same_spool_ends_with_the_reason(tmp_path: Path) -> None:
    with scripted() as server, running(tmp_path, server.url):
        wait_until(server.bodies, "the first agent")
        with running(tmp_path, server.url) as second:
            assert second.process.wait(20) == 1
            assert second.said("ictagent: another agent uses the spool")


def test_a_full_disk_is_said_and_nothing_sent_is_missing_when_there_is_space_again(
    small_disk: Path, tmp_path: Path
) -> None:
    later = refusal(503, Retry_After="1")
    with scripted(later) as server, running(small_disk / "state", server.url, log=tmp_path / "log") as one:
        wait_until(lambda: len(one.spooled()) >= 2, "reports on disk")
        ballast = fill(small_disk)
        wait_until(lambda: one.said("(No space left on device): the newest"), "the full disk to be said")
        assert one.said("reports stay in memory; free space on its disk")
        before = len(one.spooled())
        ballast.unlink()
        wait_until(lambda: len(one.spooled()) > before + 1, "reports on disk again")
        server.replies = [Reply()]
        wait_until(lambda: not one.spooled(), "an empty spool")
        sequences = [report["sequence"] for report in reports(server)]
        assert sorted(set(sequences)) == list(range(1, max(sequences) + 1))


HEAVY = {"sqlite3", "asyncio", "sqlalchemy", "msgspec", "starlette", "collector", "carbon", "dashboards"}


def test_a_running_agent_loads_nothing_heavy() -> None:
    program = "import sys; import agent.loop, agent.commands.run; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=REPOSITORY)
    loaded = set(done.stdout.split())
    assert not loaded & HEAVY
    assert "psutil" in loaded
