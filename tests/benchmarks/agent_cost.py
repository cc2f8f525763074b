"""What the agent costs a host beside node_exporter, collectd and Zabbix's agent, and how soon it samples.

    python tests/benchmarks/agent_cost.py [--seconds 180]

All run at the same time on this machine, each from Debian and with a sample every ten seconds: `ictagent run` with its
defaults (a report a minute into the spool and to a collector, here a server in another process that takes everything),
prometheus-node-exporter with its defaults, scraped; collectd and zabbix-agent2 as `peers.py` says. Processor seconds are
those of the minutes after the warm-up; memory is read at their end. The first sample is timed from the start of the
process until the report that holds it is on disk in the spool, in a new state directory.
"""

import argparse
import http.client
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.measure import (  # noqa: E402  # the script runs from a checkout
    ICTAGENT,
    cpu_seconds,
    figure,
    median,
    memory_kb,
    need,
    print_machine,
    running,
    verdict,
)
from tests.benchmarks.peers import collectd, zabbix_agent2  # noqa: E402
from tests.servers.process import free_port, listening  # noqa: E402

INTERVAL_SECONDS = 10
WARM_UP_SECONDS = 30
STARTS = 10
TARGET_MEMORY_RATIO = 1.4
TARGET_CPU_RATIO = 0.35
TARGET_FIRST_SAMPLE_MS = 300


def first_sample_ms(directory: Path) -> tuple[float, float]:
    """Milliseconds from the start of `ictagent run` until its first report is in the spool, and of processor time until
    then, which says on a busy machine what a quiet one would need. Nobody listens.
    """
    command = [*ICTAGENT, "run", "--collector", "http://127.0.0.1:9", "--log-level", "error"]
    spooled = directory / "spool" / f"{1:012d}.json.gz"
    begun = time.perf_counter()
    with subprocess.Popen([*command, "--state-directory", str(directory)], cwd=ROOT) as process:
        while not spooled.exists():
            if process.poll() is not None:
                sys.exit(f"agent_cost.py: the agent ended with {process.returncode} before its first report")
            time.sleep(0.001)
        passed, used = time.perf_counter() - begun, cpu_seconds(process.pid)
        process.terminate()
    return passed * 1000, used * 1000


def scrape(port: int) -> int:
    """Ask node_exporter for its metrics, as Prometheus does; the answer's size in bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    if response.status != 200:
        sys.exit(f"agent_cost.py: node_exporter answered {response.status}")
    return len(body)


def scrape_until(port: int, end: float) -> int:
    """Scrape every ten seconds until a time of the monotonic clock; how often it was."""
    count = 0
    due = time.monotonic()
    while due < end:
        time.sleep(max(0.0, due - time.monotonic()))
        scrape(port)
        count += 1
        due += INTERVAL_SECONDS
    time.sleep(max(0.0, end - time.monotonic()))
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description="The agent beside node_exporter.")
    parser.add_argument("--seconds", type=int, default=180, help="how long processor time is counted")
    arguments = parser.parse_args()
    need("prometheus-node-exporter", "prometheus-node-exporter")
    need("collectd", "collectd-core")
    need("zabbix_agent2", "zabbix-agent2")
    print_machine("Agent: ictagent run beside node_exporter, collectd and zabbix-agent2")
    with tempfile.TemporaryDirectory(prefix="ictagent-agent-") as name:
        directory = Path(name)
        starts = [first_sample_ms(directory / f"start-{number}") for number in range(STARTS + 1)]
        # The first start of all also compiles what was never imported here.
        first_ms, first_cpu_ms = (median([start[index] for start in starts[1:]]) for index in (0, 1))
        side_by_side(directory, arguments.seconds)
    figure(f"first sample on disk after the start, median of {STARTS} (ms)", f"{first_ms:,.0f}")
    figure("  processor time until then (ms)", f"{first_cpu_ms:,.0f}")
    verdict("first sample after the start of the process", first_ms, TARGET_FIRST_SAMPLE_MS, at_most=True, unit=" ms")


def side_by_side(directory: Path, seconds: int) -> None:
    """Run all for the warm-up and the measured time, and print memory and processor time of each."""
    exporter_port, null_port, zabbix_port = free_port(), free_port(), free_port()
    token = directory / "token"
    token.write_text("a.token", encoding="ascii")
    null = [sys.executable, str(Path(__file__).with_name("null_server.py")), str(null_port)]
    values = directory / "zabbix-values"
    zabbix_server = [sys.executable, str(Path(__file__).with_name("zabbix_server.py")), str(zabbix_port), str(values)]
    state = directory / "agent"
    agent = [*ICTAGENT, "run", "--collector", f"http://127.0.0.1:{null_port}", "--token-file", str(token)]
    agent += ["--state-directory", str(state)]
    exporter = ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{exporter_port}"]
    zabbix = zabbix_agent2(directory, zabbix_port)
    with ExitStack() as stack:

        def started(name: str, command: list[str], ready: Callable[[], object]) -> int:
            return stack.enter_context(running(command, directory / f"{name}.log", ready))

        started("null", null, lambda: listening(null_port))
        started("zabbix-server", zabbix_server, lambda: listening(zabbix_port))
        collectd_log = directory / "collectd.log"
        pids = {
            "agent": started("agent", agent, (state / "key").exists),
            "node_exporter": started("exporter", exporter, lambda: listening(exporter_port)),
            "collectd": started(
                "collectd",
                collectd(directory, free_port()),
                lambda: "read-loop" in collectd_log.read_text(encoding="utf-8", errors="replace"),
            ),
            "zabbix-agent2": started("zabbix", zabbix, values.exists),
        }
        scrape_until(exporter_port, time.monotonic() + WARM_UP_SECONDS)
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        scrapes = scrape_until(exporter_port, time.monotonic() + seconds)
        used = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
        resident, proportional = ({name: memory_kb(pid)[index] for name, pid in pids.items()} for index in (0, 1))
    print(f"  {scrapes} samples in {seconds} s after {WARM_UP_SECONDS} s")
    print(f"  {'':<16} {'ms a sample':>14} {'CPU s an hour':>16} {'RSS (MB)':>12} {'PSS (MB)':>12}")
    for name in pids:
        print(
            f"  {name:<16} {used[name] / scrapes * 1000:>14.2f} {used[name] / seconds * 3600:>16.2f} "
            f"{resident[name] / 1024:>12.1f} {proportional[name] / 1024:>12.1f}"
        )
    memory_ratio = resident["agent"] / resident["node_exporter"]
    verdict("memory (RSS), agent / node_exporter", memory_ratio, TARGET_MEMORY_RATIO, at_most=True)
    cpu_ratio = used["agent"] / used["node_exporter"]
    verdict("processor time, agent / node_exporter", cpu_ratio, TARGET_CPU_RATIO, at_most=True)


if __name__ == "__main__":
    main()
