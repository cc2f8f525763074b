"""What the agent costs a host: memory and processor time beside Debian's node_exporter, and how soon it samples.

    python tests/benchmarks/agent_cost.py [--seconds 180]

Both run at the same time on this machine: `ictagent run` with its defaults (a sample every ten seconds, a report a
minute into the spool and to a collector, here a server in another process that takes everything), and
prometheus-node-exporter with its defaults, scraped every ten seconds. Processor seconds are those of the minutes after
the warm-up; memory is read at their end. The first sample is timed from the start of the process until the report that
holds it is on disk in the spool, in a new state directory.
"""

import argparse
import http.client
import subprocess
import sys
import tempfile
import time
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
    print_machine("Agent: ictagent run beside prometheus-node-exporter")
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
    """Run both for the warm-up and the measured time, and print memory and processor time."""
    exporter_port, null_port = free_port(), free_port()
    token = directory / "token"
    token.write_text("a.token", encoding="ascii")
    exporter = ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{exporter_port}"]
    null = [sys.executable, str(Path(__file__).with_name("null_server.py")), str(null_port)]
    state = directory / "agent"
    agent = [*ICTAGENT, "run", "--collector", f"http://127.0.0.1:{null_port}", "--token-file", str(token)]
    agent += ["--state-directory", str(state)]
    with (
        running(null, directory / "null.log", lambda: listening(null_port)),
        running(exporter, directory / "exporter.log", lambda: listening(exporter_port)) as exporter_pid,
        running(agent, directory / "agent.log", (state / "key").exists) as agent_pid,
    ):
        scrape_until(exporter_port, time.monotonic() + WARM_UP_SECONDS)
        before = cpu_seconds(agent_pid), cpu_seconds(exporter_pid)
        scrapes = scrape_until(exporter_port, time.monotonic() + seconds)
        ours, peer = cpu_seconds(agent_pid) - before[0], cpu_seconds(exporter_pid) - before[1]
        our_memory, peer_memory = memory_kb(agent_pid), memory_kb(exporter_pid)
    figure(f"{scrapes} samples in {seconds} s after {WARM_UP_SECONDS} s", "agent", "node_exporter")
    figure("processor time (ms a sample)", f"{ours / scrapes * 1000:.2f}", f"{peer / scrapes * 1000:.2f}")
    for what, index in (("resident memory, RSS (MB)", 0), ("proportional memory, PSS (MB)", 1)):
        figure(what, f"{our_memory[index] / 1024:.1f}", f"{peer_memory[index] / 1024:.1f}")
    verdict("memory (RSS), agent / node_exporter", our_memory[0] / peer_memory[0], TARGET_MEMORY_RATIO, at_most=True)
    verdict("processor time, agent / node_exporter", ours / peer, TARGET_CPU_RATIO, at_most=True)


if __name__ == "__main__":
    main()
