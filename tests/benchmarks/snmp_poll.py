"""Polling of network devices beside Debian's prometheus-snmp-exporter: processor time, memory, errors, dead devices.

    python tests/benchmarks/snmp_poll.py [--rounds 12] [--no-peer]

Runs as root, in a network and a process namespace of its own, which end with it, however it ends. In them 20 real snmpd
answer for 24 interfaces. Both sides read the same 12 values and 10 columns, 252 values, in 200 sessions, as often and as
many at once: ours with the collector's own code to compressed line protocol with rates, the exporter to the text that it
gives to Prometheus. Rounds of ours and the exporter's take turns; ours walks the tables in the first, as hourly. Then the
real poller reads 200 devices of which a tenth is silent, and from devices in memory it is reckoned what 2,000 cost at the
product's intervals.
"""

import argparse
import asyncio
import dataclasses
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from agent.report import SampleTime  # noqa: E402
from collector.clocks import Sent  # noqa: E402
from collector.device_context import DeviceContext  # noqa: E402
from collector.prepare import Recording, prepare  # noqa: E402
from collector.snmp.client import Credential, Endpoint  # noqa: E402
from collector.snmp.device import evaluate  # noqa: E402
from collector.snmp.device_state import DeviceState  # noqa: E402
from collector.snmp.devices import PolledDevice  # noqa: E402
from collector.snmp.estimate import own_estimate  # noqa: E402
from collector.snmp.fetch import KnownRows, fetch, holding  # noqa: E402
from collector.snmp.identity import SYS_UP_TIME, SYSTEM, DeviceIdentity  # noqa: E402
from collector.snmp.interfaces import interfaces  # noqa: E402
from collector.snmp.leases import Leases  # noqa: E402
from collector.snmp.opening import open_client  # noqa: E402
from collector.snmp.poll_plan import PARTS, Part, Wanted  # noqa: E402
from collector.snmp.polled import Before, Poll, points_of, received_of, report_of  # noqa: E402
from collector.snmp.poller import Poller, Share  # noqa: E402
from collector.snmp.profile import Profile  # noqa: E402
from collector.snmp.profile_files import profiles  # noqa: E402
from collector.snmp.snapshot import Snapshot  # noqa: E402
from collector.snmp.values import Oid, SnmpValue  # noqa: E402
from collector.wire import Received  # noqa: E402
from tests.benchmarks.measure import (  # noqa: E402
    cpu_seconds,
    figure,
    give_up,
    median,
    memory_kb,
    need,
    percentile,
    print_machine,
    running,
    verdict,
)
from tests.servers.process import free_port, listening  # noqa: E402
from tests.servers.snmpd import Snmpd  # noqa: E402

Version = Literal["v2c", "v3"]
VERSIONS: tuple[Version, ...] = ("v2c", "v3")
RESPONDERS, SESSIONS, INTERFACES, AT_ONCE = 20, 200, 24, 64
FIRST_PORT = 10_161
_UCD, _IF, _IFX = "1.3.6.1.4.1.2021", "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
SCALARS = (
    *SYSTEM,
    *(f"{_UCD}.4.{number}.0" for number in (3, 5, 6, 14, 15)),
    *(f"{_UCD}.11.{number}.0" for number in (50, 52, 53)),
)
COLUMNS = {
    f"{_IF}.7": "ifAdminStatus",
    f"{_IF}.8": "ifOperStatus",
    f"{_IF}.13": "ifInDiscards",
    f"{_IF}.14": "ifInErrors",
    f"{_IF}.19": "ifOutDiscards",
    f"{_IF}.20": "ifOutErrors",
    f"{_IFX}.1": "ifName",
    f"{_IFX}.6": "ifHCInOctets",
    f"{_IFX}.10": "ifHCOutOctets",
    f"{_IFX}.15": "ifHighSpeed",
}
VALUES = len(SCALARS) + len(COLUMNS) * INTERFACES
WANTED = Wanted(frozenset(SCALARS), frozenset(COLUMNS))
POLLED: frozenset[Part] = frozenset({"power", "utilisation"})
USER = Credential("", "v3", "", "reader", "SHA-1", "an-auth-password", "AES-128", "a-priv-password")
CREDENTIALS: dict[Version, Credential] = {"v2c": Credential("", "v2c", "public"), "v3": USER}

TARGET_CPU_RATIO = 0.6
TARGET_MEMORY_RATIO = 1.0
TARGET_CORES = 1.0
DEAD = SESSIONS // 10
DEAD_INTERVAL_SECONDS, DEAD_RUN_SECONDS = 10.0, 60.0
TARGET_LATE_SECONDS = 1.0
ESTATE, SAMPLE = 2000, 200
"""Devices of the estate, and how many of them are polled in memory to learn what one costs."""


# What is measured: the collector's own way from the device's answers to line protocol.


class Session:
    """One device, polled by the collector's code; only the database is left out."""

    def __init__(self, number: int, port: int, version: Version) -> None:
        self.client = open_client(Endpoint("127.0.0.1", port), CREDENTIALS[version])
        self.held: list[Profile] = []
        self.rows = KnownRows()
        self._context = DeviceContext(f"{number:012x}", "network", f"device-{number}", "County Hall")
        self._before = Before()
        self._stream = f"{number:016x}"
        self._sequence = 0
        self._identity: DeviceIdentity | None = None

    async def poll(self) -> tuple[int, int]:
        """Read, evaluate, make rates and lines: how many values were read and points made. Raises the client's errors."""
        if not self.held:
            self.held = await holding(self.client, profiles().values())
        begun = time.monotonic()
        fetched = await fetch(self.client, WANTED, self.rows)
        if fetched.problems:
            raise fetched.problems[0]
        snapshot = fetched.snapshot
        ticks = snapshot.get(SYS_UP_TIME)
        reading = evaluate(snapshot, self.held, PARTS if self._identity is None else POLLED)
        self._identity = self._identity or reading.identity
        poll = Poll(
            SampleTime(time.time_ns(), time.monotonic_ns()),
            "boot",
            dataclasses.replace(reading, identity=self._identity),
            interfaces(snapshot),
            POLLED,
            ticks / 100 if isinstance(ticks, int) else None,
            time.monotonic() - begun,
        )
        self._sequence += 1
        estimate = own_estimate(poll.reading)
        report = report_of(poll, self._before, estimate, self._context.host_name, self._stream, self._sequence)
        batch = recorded(received_of(report, points_of(poll, self._before)), poll.time, self._context).batch
        columns = sum(len(snapshot.column(column)) for column in COLUMNS)
        return columns + sum(snapshot.get(oid) is not None for oid in SCALARS), batch.points if batch else 0


def recorded(received: Received, at: SampleTime, context: DeviceContext) -> Recording:
    """A report as the poller hands it over, prepared as for the database, with its lines."""
    recording = prepare(received, context, Sent(at.wall_ns, at.boot_ns, received.report.boot_id, at.wall_ns))
    context.choice = recording.choice
    context.sources.update({state.source: (state.outcome, state.reason) for state in recording.changed_sources})
    return recording


def worker(version: Version) -> None:
    """Poll all sessions once for each line of standard input; `walk` has the tables walked. Answers a line of JSON."""
    asyncio.run(_work(version))


async def _work(version: Version) -> None:
    profiles()
    sessions = [Session(number, FIRST_PORT + number % RESPONDERS, version) for number in range(SESSIONS)]
    gate = asyncio.Semaphore(AT_ONCE)
    errors: list[str] = []

    async def one(session: Session) -> None:
        async with gate:
            try:
                values, points = await session.poll()
            except Exception as error:  # noqa: BLE001  # counted and shown
                errors.append(f"{type(error).__name__}: {error}")
                return
        if values != VALUES or points < INTERFACES:
            errors.append(f"{values} values and {points} points in place of {VALUES} and {INTERFACES}")

    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        errors.clear()
        if line.strip() == "walk":
            for session in sessions:
                session.rows.forget()
        before = time.process_time()
        await asyncio.gather(*map(one, sessions))
        print(
            json.dumps({"errors": errors[:3], "failed": len(errors), "cpu": time.process_time() - before}), flush=True
        )


class Ours:
    """The worker in a process of its own."""

    def __init__(self, version: Version) -> None:
        command = [sys.executable, __file__, "--worker", version]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self._process.pid
        self._line()

    def round(self, what: str = "poll") -> int:
        """Poll every session once; how many failed."""
        assert self._process.stdin is not None
        print(what, file=self._process.stdin, flush=True)
        told = json.loads(self._line())
        if told["failed"]:
            print(f"  ours: {told['failed']} failed: {told['errors']}")
        return int(told["failed"])

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline() or give_up("the worker ended by itself", "see its message above")

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


# The peer.


def exporter_settings() -> str:
    """snmp.yml of Debian's version 0.21: one module a version with the same values and columns. JSON is YAML."""
    metrics: list[dict[str, Any]] = [
        {"name": f"scalar{number}", "oid": oid, "type": "gauge"} for number, oid in enumerate(SCALARS)
    ]
    for one in metrics:
        if one["oid"] in SYSTEM and one["oid"] != SYS_UP_TIME:
            one["type"] = "DisplayString"
    for oid, name in COLUMNS.items():
        kind = "DisplayString" if name == "ifName" else "counter" if "Octets" in name or "Err" in name else "gauge"
        indexes = [{"labelname": "ifIndex", "type": "gauge"}]
        metrics.append({"name": name, "oid": oid, "type": kind, "indexes": indexes})
    module = {"walk": list(COLUMNS), "get": list(SCALARS), "metrics": metrics, "max_repetitions": 25, "timeout": "2s"}
    secure = {
        "username": USER.user,
        "security_level": "authPriv",
        "password": USER.auth_key,
        "auth_protocol": "SHA",
        "priv_protocol": "AES",
        "priv_password": USER.priv_key,
    }
    return json.dumps(
        {
            "v2c": {**module, "version": 2, "auth": {"community": "public"}},
            "v3": {**module, "version": 3, "auth": secure},
        }
    )


def scrape_all(port: int, version: Version) -> int:
    """Have the exporter read every session once; how many failed."""

    def scrape(number: int) -> str:
        target = f"127.0.0.1:{FIRST_PORT + number % RESPONDERS}"
        url = f"http://127.0.0.1:{port}/snmp?module={version}&target={target}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                text = answer.read().decode()
        except OSError as error:
            return str(error)
        samples = sum(not line.startswith(("#", "snmp_")) for line in text.splitlines())
        return "" if samples == VALUES else f"{samples} samples in place of {VALUES}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        wrong = [problem for problem in pool.map(scrape, range(SESSIONS)) if problem]
    if wrong:
        print(f"  exporter: {len(wrong)} failed: {wrong[:3]}")
    return len(wrong)


# Where it runs.


def in_namespaces(arguments: list[str]) -> int:
    """Run this script again in a network and a process namespace, which end with it, also when it is killed."""
    inside = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = ["setpriv", "--pdeathsig", "KILL", "--", *inside, sys.executable, __file__, "--inside", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def add_interfaces() -> None:
    """The loopback and so many others that there are `INTERFACES`; ifb where this kernel has no dummy."""

    def ip(*words: str) -> bool:
        return subprocess.run(["ip", "link", *words], capture_output=True, check=False).returncode == 0

    ip("set", "lo", "up")
    kind = next((kind for kind in ("dummy", "ifb") if ip("add", "port1", "type", kind)), "")
    if not kind:
        give_up("this kernel has neither dummy nor ifb interfaces", "modprobe dummy")
    for number in range(1, INTERFACES):
        ip("add", f"port{number}", "type", kind)
        if not ip("set", f"port{number}", "up"):
            give_up(f"interface {number} cannot be made", "run as root")


@contextmanager
def responders(directory: Path) -> Iterator[list[Snmpd]]:
    """The agents, each a process of its own with all the interfaces."""
    found: list[Snmpd] = []
    try:
        for number in range(RESPONDERS):
            one = Snmpd(directory / f"snmpd-{number}", users=(USER,), port=FIRST_PORT + number)
            one.start(f"engine-{number}")
            found.append(one)
        yield found
    finally:
        for one in found:
            one.stop()


# The measurements.


def beside(version: Version, rounds: int, exporter: tuple[int, int] | None) -> float:
    """Both in turns: processor time a poll, memory, errors. Our milliseconds a poll."""
    ours = Ours(version)
    mine: list[float] = []
    theirs: list[float] = []
    failed = ours.round()
    if exporter:
        scrape_all(exporter[1], version)
    for number in range(rounds):
        before = cpu_seconds(ours.pid)
        failed += ours.round("walk" if number == 0 else "poll")
        mine.append((cpu_seconds(ours.pid) - before) / SESSIONS * 1000)
        if exporter:
            before = cpu_seconds(exporter[0])
            failed += scrape_all(exporter[1], version)
            theirs.append((cpu_seconds(exporter[0]) - before) / SESSIONS * 1000)
    our_kb = memory_kb(ours.pid)[0]
    ours.end()
    mean = sum(mine) / rounds
    figure(f"{version}: processor time a poll, mean of {rounds} rounds (ms)", f"{mean:.2f}", _mean(theirs))
    figure("  the round that walks the tables, and the median of the others", f"{mine[0]:.2f}, {median(mine[1:]):.2f}")
    if exporter:
        their_kb = memory_kb(exporter[0])[0]
        figure("  resident memory (MB)", f"{our_kb / 1024:.1f}", f"{their_kb / 1024:.1f}")
        ratio = mean / (sum(theirs) / rounds)
        verdict(f"{version}: processor time, ours / exporter", ratio, TARGET_CPU_RATIO, at_most=True)
        verdict(f"{version}: memory (RSS), ours / exporter", our_kb / their_kb, TARGET_MEMORY_RATIO, at_most=True)
    verdict(f"{version}: errors of both", failed, 0, at_most=True)
    return mean


def _mean(values: list[float]) -> str:
    return f"{sum(values) / len(values):.2f}" if values else ""


class StandIn(Poller):
    """The real poller without a database: what it would record is prepared and dropped."""

    def __init__(self, devices: dict[str, PolledDevice]) -> None:
        missing: Any = None
        sqlite: Any = SimpleNamespace(is_sqlite=True)
        leases = Leases(sqlite, "benchmark")
        super().__init__(missing, missing, missing, open_client, lambda _: CREDENTIALS["v2c"], own_estimate, leases)
        self.devices = devices
        self.done: dict[str, list[float]] = {}
        self.silent: set[str] = set()
        self.misses = 0

    def _devices(self) -> Share:
        return Share(dict.fromkeys(self.devices), dict(self.devices))

    async def _record(self, state: DeviceState, received: Received, at: SampleTime) -> None:
        device = state.device
        recorded(received, at, DeviceContext(device.device_id, "network", device.name))
        self.done.setdefault(device.device_id, []).append(time.monotonic())

    async def _succeeded(self, state: DeviceState, poll: Poll) -> None:  # noqa: ARG002  # the poller's
        state.problems = ()

    async def _failed(self, state: DeviceState, error: Exception, begun: float) -> None:  # noqa: ARG002  # the poller's
        if state.device.device_id.startswith("dead"):
            self.silent.add(state.device.device_id)
        else:
            self.misses += 1
        state.schedule.failed(time.monotonic(), begun)
        await state.close()


def with_dead_devices() -> None:
    """A tenth of the devices says nothing, from one moment on: how late the polls of the others are then."""
    dead = []
    for _ in range(DEAD):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("127.0.0.1", 0))
        dead.append(one)
    devices = {}
    for number in range(SESSIONS - DEAD):
        devices[f"alive-{number}"] = polled(f"alive-{number}", FIRST_PORT + number % RESPONDERS)
    poller = StandIn(devices)
    poller.start()
    while len(poller.done) < len(devices) or min(map(len, list(poller.done.values()))) < 3:
        time.sleep(1)
    poller.devices = devices | {
        f"dead-{number}": polled(f"dead-{number}", one.getsockname()[1]) for number, one in enumerate(dead)
    }
    begun = time.monotonic()
    time.sleep(DEAD_RUN_SECONDS)
    end = time.monotonic()
    poller.stop()
    late = []
    count = 0
    for times in poller.done.values():
        gaps = [now - before for before, now in itertools.pairwise(times) if begun < now < end]
        count += len(gaps)
        late += [gap - DEAD_INTERVAL_SECONDS for gap in gaps]
    print(f"  {len(poller.silent)} of {DEAD} dead devices found silent, {poller.misses} failed polls of the others")
    expected = DEAD_RUN_SECONDS / DEAD_INTERVAL_SECONDS * len(devices)
    figure(f"polls of the living in {DEAD_RUN_SECONDS:.0f} s, expected {expected:.0f}", str(count))
    figure(
        "  later than the interval of 10 s: p50, p99, most (s)",
        f"{median(late):.2f}, {percentile(late, 0.99):.2f}, {max(late):.2f}",
    )
    verdict("p99 of how late the living are", percentile(late, 0.99), TARGET_LATE_SECONDS, at_most=True, unit=" s")
    for one in dead:
        one.close()


def polled(name: str, port: int = 161) -> PolledDevice:
    """A device's row, polled wholly every `DEAD_INTERVAL_SECONDS`."""
    often = int(DEAD_INTERVAL_SECONDS)
    address, intervals = (name, "key", "127.0.0.1", port, "", name), (often, often, 86_400)
    return PolledDevice(*address, "network", *intervals, 1.0, 2, False, 0, "never", None, "", "", 0, None, (), "")


class InMemory:
    """A client that answers from memory and counts the requests that the values would need, 25 OIDs in each."""

    requests = 0

    def __init__(self, values: Mapping[str, SnmpValue]) -> None:
        self._values = values
        self._whole = Snapshot(values)

    async def get(self, oids: Iterable[str]) -> dict[str, SnmpValue]:
        asked = list(oids)
        InMemory.requests += -(-len(asked) // 25)
        return {oid: self._values[oid] for oid in asked if oid in self._values}

    async def heads(self, oids: Iterable[str]) -> dict[str, SnmpValue]:
        asked = list(oids)
        InMemory.requests += -(-len(asked) // 25)
        return {oid: 1 for oid in asked if self._whole.has(oid)}

    async def walk(self, columns: Iterable[str]) -> dict[str, SnmpValue]:
        found: dict[str, SnmpValue] = {}
        for column in columns:
            rows = self._whole.column(column)
            InMemory.requests += 1 + len(rows) // 10
            found |= {f"{column}.{index}" if index else column: value for index, value in rows.items()}
        return found

    async def close(self) -> None:
        return


def switch() -> dict[str, SnmpValue]:
    """A switch of 48 ports with PoE and two uplinks: interfaces, 30 sensors, a power supply, processor and memory."""
    values: dict[str, SnmpValue] = {
        SYSTEM[0]: b"A switch in memory",
        SYSTEM[1]: Oid("1.3.6.1.4.1.99999.1"),
        SYSTEM[2]: 123_456,
        SYSTEM[3]: b"switch",
        "1.3.6.1.2.1.2.1.0": 50,
        "1.3.6.1.2.1.31.1.5.0": 100,
    }
    sensor, poe = "1.3.6.1.2.1.99.1.1.1", "1.3.6.1.2.1.105.1.3.1.1"
    for port in range(1, 51):
        name = f"GigabitEthernet1/0/{port}".encode()
        octets = port * 10**9
        values |= {f"{_IF}.2.{port}": name, f"{_IF}.3.{port}": 6, f"{_IF}.5.{port}": 10**9, f"{_IF}.7.{port}": 1}
        values |= {f"{_IF}.8.{port}": 1, f"{_IFX}.1.{port}": name, f"{_IFX}.15.{port}": 1000, f"{_IFX}.18.{port}": b""}
        values |= {f"{_IF}.{column}.{port}": octets % 2**32 for column in (10, 11, 13, 14, 16, 17, 19, 20)}
        values |= {f"{_IFX}.{column}.{port}": octets for column in (6, 7, 10, 11)}
    for row in range(1, 31):
        # Celsius, volts, amperes, watts in turn; scale units, one decimal, in order.
        kind = (8, 4, 5, 6)[row % 4]
        values |= {f"{sensor}.1.{row}": kind, f"{sensor}.2.{row}": 9, f"{sensor}.3.{row}": 1, f"{sensor}.4.{row}": 400}
        values |= {f"{sensor}.5.{row}": 1, f"1.3.6.1.2.1.47.1.1.1.1.7.{row}": f"Sensor {row}".encode()}
    for number in (1, 2):
        values[f"1.3.6.1.2.1.25.3.3.1.2.{number}"] = 12
    values |= {f"{poe}.2.1": 740, f"{poe}.3.1": 1, f"{poe}.4.1": 211}
    return values


def estate(ms_a_request: float) -> None:
    """Devices in memory: processor time of each kind of poll, and what the product's intervals make of it for 2,000."""
    asyncio.run(_estate(ms_a_request))


async def _estate(ms_a_request: float) -> None:
    values = switch()
    states = [DeviceState(polled(f"device-{number}"), 0.0) for number in range(SAMPLE)]
    contexts = [DeviceContext(one.device.device_id, "network", one.device.name, "County Hall") for one in states]
    client = InMemory(values)
    seconds: dict[str, float] = {}
    requests: dict[str, float] = {}
    kinds: dict[str, tuple[float, frozenset[Part]]] = {
        "inventory": (86_400, frozenset(PARTS)),
        "walk": (3600, frozenset({"power", "utilisation"})),
        "utilisation": (300, frozenset({"power", "utilisation"})),
        "power": (60, frozenset({"power"})),
    }
    points = 0
    for kind, (_, parts) in kinds.items():
        begun, asked = time.process_time(), InMemory.requests
        for state, context in zip(states, contexts, strict=True):
            if kind == "walk":
                state.rows.forget()
            poll = await state.read(client, parts)
            estimate = own_estimate(poll.reading)
            name = state.device.name
            report = report_of(poll, state.before, estimate, name, state.stream_id, state.next_sequence())
            batch = recorded(received_of(report, points_of(poll, state.before)), poll.time, context).batch
            points += batch.points if batch else 0
        seconds[kind] = (time.process_time() - begun) / SAMPLE
        requests[kind] = (InMemory.requests - asked) / SAMPLE
    print(f"  profiles that hold: {', '.join(one.name for one in states[0].holding)}; {points} points")
    for kind, (interval, _) in kinds.items():
        figure(
            f"a poll for {kind}, every {interval:,.0f} s (ms; requests)",
            f"{seconds[kind] * 1000:.2f}; {requests[kind]:.0f}",
        )
    alone = sum(ESTATE * seconds[kind] / interval for kind, (interval, _) in kinds.items())
    asked_a_second = sum(ESTATE * requests[kind] / interval for kind, (interval, _) in kinds.items())
    figure(f"resident memory with {SAMPLE} devices (MB)", f"{memory_kb(os.getpid())[0] / 1024:.0f}")
    figure("share of one core without requests", f"{alone:.3f}")
    share = alone + asked_a_second * ms_a_request / 1000
    name = f"cores, with {asked_a_second:.0f} requests/s at {ms_a_request:.2f} ms"
    verdict(name, share, TARGET_CORES, at_most=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Polling of network devices beside prometheus-snmp-exporter.")
    parser.add_argument("--rounds", type=int, default=12, help="rounds of 200 polls of each side and version")
    parser.add_argument("--no-peer", action="store_true", help="without the exporter, while working on ours")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--worker", choices=VERSIONS, help=argparse.SUPPRESS)
    parser.add_argument("--estate", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        worker(arguments.worker)
        return
    if arguments.estate is not None:
        estate(arguments.estate)
        return
    need("snmpd", "snmpd")
    if not arguments.no_peer:
        need("prometheus-snmp-exporter", "prometheus-snmp-exporter")
    if os.geteuid() != 0:
        give_up("interfaces and namespaces need root", "run it as root")
    if not arguments.inside:
        sys.exit(in_namespaces(sys.argv[1:]))
    print_machine("SNMP: polling beside prometheus-snmp-exporter")
    add_interfaces()
    with tempfile.TemporaryDirectory(prefix="ictagent-snmp-") as name, ExitStack() as stack:
        directory = Path(name)
        stack.enter_context(responders(directory))
        peer = None
        if not arguments.no_peer:
            port = free_port()
            (directory / "snmp.yml").write_text(exporter_settings(), encoding="ascii")
            command = ["prometheus-snmp-exporter", f"--config.file={directory}/snmp.yml"]
            command.append(f"--web.listen-address=127.0.0.1:{port}")
            peer = stack.enter_context(running(command, directory / "exporter.log", lambda: listening(port))), port
        print(f"  {RESPONDERS} snmpd, {SESSIONS} sessions, {VALUES} values a poll, {AT_ONCE} at once")
        a_poll = [beside(version, arguments.rounds, peer) for version in VERSIONS]
        with_dead_devices()
    # A request costs no more than its share of a poll with v3, evaluation included.
    subprocess.run([sys.executable, __file__, "--estate", str(a_poll[1] * 25 / VALUES)], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
