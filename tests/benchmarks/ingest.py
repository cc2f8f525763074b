"""Ingest: points acknowledged a processor second beside InfluxDB 1.6.7, points a second, and the delay of answers.

    python tests/benchmarks/ingest.py [--rounds 3]

200 enrolled hosts send reports of 500 points of 3 fields with one energy counter over 64 kept connections, gzip, to
`ictagent collector run` as users run it: SQLite with synchronous=FULL, the embedded store, and an InfluxDB target,
here a null server in another process. influxd gets the same points as gzip line protocol, in the same batches, over as
many connections. Of both, all processor time counts, from the first request until the process rests again: the
collector's drain into both its stores as well as influxd's compaction. The load is half an hour of each host's reports,
of a half-hour that has closed, so that the ledger's rows and series are written in that time too, which no one asks of
influxd. The counter's readings, and the points that the collector derives, are not counted as points.
"""

import argparse
import gzip
import http.client
import json
import pickle
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from agent.report import Choice, Inventory, Meter, Reading, Report, Row, SampleTime, Series  # noqa: E402  # the script runs from a checkout
from carbon.calendar import HALF_HOUR_SECONDS, half_hour_of  # noqa: E402
from collector.lines import SeriesTemplate  # noqa: E402
from tests.benchmarks.load import Load, Result  # noqa: E402
from tests.benchmarks.measure import (  # noqa: E402
    ICTAGENT,
    cpu_seconds,
    figure,
    median,
    need,
    percentile,
    print_machine,
    running,
    verdict,
    wait_until_idle,
)
from tests.servers.process import free_port, listening, wait_until  # noqa: E402

HOSTS = 200
CONNECTIONS = 64
SAMPLES = 10
SAMPLE_SECONDS = 10
POINTS = 500
WARM_UP = 1
"""Reports of each host before the measured ones: what a process does once (new series, devices, caches) is left out."""
MEASURED = 17
"""With the warm-up's, the reports of half an hour."""
STEADY = 3
"""Reports of each host that come at the target's rate, for the delay of answers: twenty seconds."""
TARGET_RATIO = 1.2
TARGET_POINTS_PER_SECOND = 15_000
TARGET_P99_MS = 250
NS = 10**9
SHAPES = (
    (
        20,
        "system_network",
        "interface",
        "eth",
        ("receive_bytes_per_second", "transmit_bytes_per_second", "drops_per_second"),
    ),
    (20, "system_disk", "disk", "sd", ("read_bytes_per_second", "write_bytes_per_second", "busy_ratio")),
    (10, "system_filesystem", "mount_point", "/srv/", ("total_bytes", "used_bytes", "used_ratio")),
)
"""Series of a host: how many, measurement, tag, beginning of its values, and three fields."""


def series_of_a_host() -> list[Series]:
    return [
        Series(measurement, {tag: f"{beginning}{index}"}, list(fields))
        for count, measurement, tag, beginning, fields in SHAPES
        for index in range(count)
    ]


def report_of(host: int, number: int, start_ns: int, boot_offset_ns: int) -> Report:
    """A host's report: every ten seconds a row of each series, and a reading of its energy counter."""
    report = Report(f"stream-{host:04d}", number, "0.1.0", "benchmark-boot")
    report.choice = Choice("psys", ["rapl/psys"])
    report.series = series_of_a_host()
    report.meters = [Meter("rapl/psys", "rapl", "counter", "psys", "epoch-1")]
    if number == 1:
        report.inventory = Inventory(machine_id=f"m{host}", host_name=f"host-{host:03d}", platform="physical")
    for sample in range(SAMPLES):
        count = (number - 1) * SAMPLES + sample
        wall_ns = start_ns + count * SAMPLE_SECONDS * NS + host * 1000
        report.samples.append(SampleTime(wall_ns, wall_ns - boot_offset_ns))
        for position in range(len(report.series)):
            noise = (host * 7919 + count * 104_729 + position * 1299) % 1_000_003
            values: list[float | int | bool | str | None] = [noise * 1.237, noise * 0.731, (noise % 1000) / 1000]
            report.rows.append(Row(position, wall_ns, [round(float(value or 0), 3) for value in values]))
        energy_uj, difference_uj = count * SAMPLE_SECONDS * 120_000_000, SAMPLE_SECONDS * 120_000_000
        interval_ns = SAMPLE_SECONDS * NS if count else 0
        report.readings.append(Reading(0, wall_ns, interval_ns, [energy_uj], [difference_uj] if count else []))
    return report


def lines_of(report: Report, host: int) -> bytes:
    """The same points as line protocol, with the tags that the collector gives them."""
    tags = {"device_id": f"{host:012x}", "host_name": f"host-{host:03d}", "site": "", "kind": "host"}
    lines: list[str] = []
    for position, one in enumerate(report.series):
        template = SeriesTemplate(one.measurement, {**one.tags, **tags}, one.fields)
        lines += template.lines([(row.unix_ns, row.values) for row in report.rows if row.series == position])
    return "\n".join(lines).encode() + b"\n"


def compressed(text: bytes) -> bytes:
    """Gzip as the agent has it."""
    return gzip.compress(text, compresslevel=6, mtime=0)


@dataclass(frozen=True, slots=True)
class Bodies:
    """Files with ready bodies of one kind: for the warm-up, the measured load, and the steady load after it."""

    warm_up: Path
    measured: Path
    steady: Path


def build(directory: Path) -> tuple[Bodies, Bodies]:
    """Reports and line protocol of all hosts, in the order of time. Both hold the same points."""
    closed = half_hour_of(int(time.time()) - 900) - HALF_HOUR_SECONDS
    start_ns = closed * NS
    boot_offset_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    kinds = []
    bodies: dict[str, list[tuple[int, bytes]]] = {"reports": [], "lines": []}
    for number in range(1, WARM_UP + MEASURED + STEADY + 1):
        for host in range(HOSTS):
            report = report_of(host, number, start_ns, boot_offset_ns)
            assert len(report.rows) == POINTS
            bodies["reports"].append((host, compressed(msgspec.json.encode(report))))
            bodies["lines"].append((host, compressed(lines_of(report, host))))
    first, second = HOSTS * WARM_UP, HOSTS * (WARM_UP + MEASURED)
    for kind, all_bodies in bodies.items():
        files = Bodies(*(directory / f"{kind}-{phase}" for phase in ("warm-up", "measured", "steady")))
        parts = (all_bodies[:first], all_bodies[first:second], all_bodies[second:])
        for path, part in zip((files.warm_up, files.measured, files.steady), parts, strict=True):
            path.write_bytes(pickle.dumps(part))
        kinds.append(files)
    return kinds[0], kinds[1]


def run_load(load: Load) -> Result:
    """Run the generator in its own process. Ends the benchmark when the server refused anything."""
    command = [sys.executable, str(Path(__file__).with_name("load.py"))]
    done = subprocess.run(command, input=json.dumps(asdict(load)), stdout=subprocess.PIPE, text=True, check=True)
    result = Result(**json.loads(done.stdout))
    if result.wrong:
        sys.exit(f"ingest.py: {len(result.wrong)} of {result.requests} requests were refused: {result.wrong[0]}")
    return result


@dataclass(frozen=True, slots=True)
class Round:
    """One run of one server: points a processor second and a second, delays of answers, the generator's share."""

    points_per_cpu_second: float
    points_per_second: float
    p99_ms: float
    generator_share: float
    steady_p99_ms: float = 0.0


def measured_round(load: Load, pid: int, server: "Server", bodies: Bodies) -> tuple[float, float, Result]:
    """Warm up, load, and wait for rest: processor seconds, wall seconds until all is delivered, and the answers."""
    run_load(replaced(load, bodies.warm_up))
    server.wait_until_delivered()
    wait_until_idle(pid)
    used = cpu_seconds(pid)
    result = run_load(replaced(load, bodies.measured))
    ended = time.perf_counter()
    server.wait_until_delivered()
    wall = result.wall_seconds + time.perf_counter() - ended
    server.wait_until_done()
    wait_until_idle(pid)
    return cpu_seconds(pid) - used, wall, result


def replaced(load: Load, bodies: Path, requests_per_second: float = 0.0) -> Load:
    values = asdict(load) | {"bodies": str(bodies), "requests_per_second": requests_per_second}
    return Load(**values)


class Server:
    """When a server has done what the load brought. influxd has no store beside itself: it has, once it rests."""

    def wait_until_delivered(self) -> None:
        """Wait until all points have reached the stores."""

    def wait_until_done(self) -> None:
        """Wait until everything else is done too."""


class CollectorServer(Server):
    """The collector has delivered when the cursors of both its targets stand at the end of the outbox, and is done when
    the ledger of the closed half-hour is written and its series are delivered."""

    def __init__(self, database: Path) -> None:
        self._database = database

    def wait_until_delivered(self) -> None:
        wait_until(self._drained, "the outbox to be drained", 300)

    def wait_until_done(self) -> None:
        wait_until(lambda: not self._number("SELECT count(*) FROM ledger_due"), "the ledger to be written", 300)
        self.wait_until_delivered()

    def _drained(self) -> bool:
        last = self._number("SELECT coalesce(max(id), 0) FROM outbox")
        reached = self._number("SELECT CASE count(*) WHEN 2 THEN min(last_id) ELSE -1 END FROM outbox_cursor")
        return reached >= last

    def _number(self, query: str) -> int:
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as connection:
            found: int = connection.execute(query).fetchone()[0]
        return found


@contextmanager
def collector(directory: Path) -> Iterator[tuple[int, int, list[dict[str, str]]]]:
    """A running collector with 200 enrolled hosts: process id, port, and each host's headers."""
    port, null_port = free_port(), free_port()
    null = [sys.executable, str(Path(__file__).with_name("null_server.py")), str(null_port)]
    state = ["--state-directory", str(directory)]
    command = [*ICTAGENT, "collector", "run", "--listen", f"127.0.0.1:{port}", *state]
    command += ["--influx-url", f"http://127.0.0.1:{null_port}", "--influx-bucket", "benchmark"]
    with (
        running(null, directory / "null.log", lambda: listening(null_port)),
        running(command, directory / "collector.log", lambda: listening(port)) as pid,
    ):
        created = [*ICTAGENT, "collector", "token", "create", "--label", "benchmark", "--uses", str(HOSTS), *state]
        token = subprocess.run(created, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        keys = []
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for host in range(HOSTS):
            wanted = {"token": token, "host_name": f"host-{host:03d}", "kind": "host"}
            connection.request("POST", "/v1/enrol", json.dumps(wanted), {"Content-Type": "application/json"})
            keys.append(json.loads(connection.getresponse().read())["key"])
        connection.close()
        headers = [
            {
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/json",
                "X-Ictagent-Boot-Id": "benchmark-boot",
            }
            for key in keys
        ]
        yield pid, port, headers


def collector_round(directory: Path, bodies: Bodies) -> Round:
    directory.mkdir()
    with collector(directory) as (pid, port, headers):
        load = Load(port, "/v1/reports", "", headers, CONNECTIONS, 200, clocks=True)
        used, wall, result = measured_round(load, pid, CollectorServer(directory / "ictagent.db"), bodies)
        steady = run_load(replaced(load, bodies.steady, TARGET_POINTS_PER_SECOND / POINTS))
        return finished(used, wall, result, percentile(steady.delays, 0.99) * 1000)


def influx_round(directory: Path, bodies: Bodies) -> Round:
    directory.mkdir()
    port = free_port()
    configuration = directory / "influxd.conf"
    configuration.write_text(INFLUXD.format(d=directory, port=port, rpc=free_port()), encoding="utf-8")
    command = ["influxd", "-config", str(configuration)]
    with running(command, directory / "influxd.log", lambda: listening(port)) as pid:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/query?q=CREATE%20DATABASE%20benchmark")
        connection.getresponse().read()
        connection.close()
        load = Load(port, "/write?db=benchmark", "", [{}] * HOSTS, CONNECTIONS, 204, clocks=False)
        used, wall, result = measured_round(load, pid, Server(), bodies)
        return finished(used, wall, result)


def finished(used: float, wall: float, result: Result, steady_p99_ms: float = 0.0) -> Round:
    points = result.requests * POINTS
    share = result.cpu_seconds / result.wall_seconds
    return Round(points / used, points / wall, percentile(result.delays, 0.99) * 1000, share, steady_p99_ms)


INFLUXD = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{d}/meta"
[data]
  dir = "{d}/data"
  wal-dir = "{d}/wal"
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[monitor]
  store-enabled = false
"""
"""Debian's defaults, but for places, and without its reports about itself and its log of requests."""


def middle(rounds: Sequence[Round], name: str) -> float:
    return median([getattr(one, name) for one in rounds])


def main() -> None:
    parser = argparse.ArgumentParser(description="Ingest beside influxd.")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each server; medians are printed")
    parser.add_argument("--no-peer", action="store_true", help="the collector alone, while working on it")
    arguments = parser.parse_args()
    if not arguments.no_peer:
        need("influxd", "influxdb")
    print_machine("Ingest: collector beside influxd 1.6.7")
    ours: list[Round] = []
    peers: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="ictagent-ingest-") as name:
        directory = Path(name)
        reports, lines = build(directory)
        for number in range(arguments.rounds):
            ours.append(collector_round(directory / f"collector-{number}", reports))
            if not arguments.no_peer:
                peers.append(influx_round(directory / f"influxd-{number}", lines))
    print(f"  {HOSTS} hosts, {MEASURED} reports each of {POINTS} points, {CONNECTIONS} connections")
    figure(f"medians of {arguments.rounds} runs", "collector", "influxd")
    for name, unit in (
        ("points_per_cpu_second", "points/CPU s"),
        ("points_per_second", "points/s"),
        ("p99_ms", "ms"),
        ("generator_share", "of one processor"),
    ):
        texts = [
            f"{middle(rounds, name):,.2f}" if name == "generator_share" else f"{middle(rounds, name):,.0f}"
            for rounds in (ours, peers)
            if rounds
        ]
        figure(f"{DESCRIPTIONS[name]} ({unit})", *texts)
    if peers:
        ratio = middle(ours, "points_per_cpu_second") / middle(peers, "points_per_cpu_second")
        verdict("points a CPU second, collector / influxd", ratio, TARGET_RATIO, at_most=False)
    verdict(
        "points a second until they are in the embedded store",
        middle(ours, "points_per_second"),
        TARGET_POINTS_PER_SECOND,
        at_most=False,
    )
    verdict(
        f"p99 of acknowledgements at {TARGET_POINTS_PER_SECOND:,} points/s",
        middle(ours, "steady_p99_ms"),
        TARGET_P99_MS,
        at_most=True,
        unit=" ms",
    )


DESCRIPTIONS = {
    "points_per_cpu_second": "acknowledged, until the server rests",
    "points_per_second": "acknowledged and delivered, as fast as it goes",
    "p99_ms": "p99 of answers meanwhile, 64 always waiting",
    "generator_share": "load generator",
}


if __name__ == "__main__":
    main()
