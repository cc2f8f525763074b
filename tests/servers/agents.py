"""Many agents at once: enrolled hosts whose reports the agent's own classes build, sent as an agent sends them.

Each host keeps to its order and sends the same body again until it is acknowledged, whatever becomes of the
collector meanwhile. What was acknowledged can then be compared with what is in the ledger and the stores.
"""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from agent.choice import choose
from agent.counters import CounterState, advance
from agent.names import MEASUREMENTS, FieldType
from agent.report import (
    BOOT_CLOCK_HEADER,
    BOOT_ID_HEADER,
    WALL_CLOCK_HEADER,
    Inventory,
    Meter,
    SampleTime,
    SourceState,
    Value,
    encode,
)
from agent.report_builder import build_report
from agent.sample import MeterReading, Point, Sample

NS = 10**9
BOOT_ID = "boot-of-the-load"
RANGE_UJ = 262_143_328_850
"""The range of a RAPL counter, after which it begins at zero again."""
LONG_AGO = 30 * 24 * 3600
"""The hosts booted a month ago, in seconds."""


@dataclass
class LoadedHost:
    """A host with one package counter at a steady power; a sample every `step` seconds from `start` (Unix seconds)."""

    name: str
    number: int
    start: int
    step: int = 60
    samples_each: int = 6
    points_each: int = 1
    more_meters: bool = False
    """Also a core within the package, a meter of the whole machine, which is then what is counted, and a point of every
    measurement that agents send."""
    key: str = ""
    device_id: str = ""
    acknowledged: list[int] = field(default_factory=list)
    """Sequences of the reports that were answered with success."""
    _state: CounterState | None = None
    _taken: int = 0
    _raw: int = 0
    _first_total: int | None = None
    _last_total: int = 0

    @property
    def watts(self) -> int:
        return 90 + self.number % 60

    @property
    def energy_uj(self) -> int:
        """What its counter counted from the first reading to the last one built."""
        return self._last_total - (self._first_total or 0)

    @property
    def sample_times(self) -> list[int]:
        """Unix nanoseconds of every sample taken so far."""
        return [(self.start + at * self.step) * NS for at in range(self._taken)]

    def report(self, sequence: int) -> bytes:
        """The next report, encoded."""
        samples = [self._sample() for _ in range(self.samples_each)]
        # The same point in every report, each time with another value: the last one must hold in every store.
        first = self.start * NS
        marker = Sample(SampleTime(first, _boot_ns(first)), BOOT_ID)
        marker.points = [
            Point("hw_temperature", {"hw_id": "marker", "hw_type": "order"}, {"temperature_celsius": sequence})
        ]
        if sequence == 1:
            samples[0].points += marker.points
        else:
            samples.insert(0, marker)
        if sequence == 1:
            samples[-1].inventory = Inventory(
                machine_id=f"machine-{self.name}",
                host_name=self.name,
                cpu_model="Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
                cpu_sockets=1,
                cpu_cores=20,
                cpu_threads=40,
                memory_bytes=192 * 10**9,
                platform="physical",
                chassis="server",
            )
        return encode(build_report(samples, f"stream-of-{self.name}", sequence, "0.1.0", []))

    def _sample(self) -> Sample:
        wall_ns = (self.start + self._taken * self.step) * NS
        boot_ns = _boot_ns(wall_ns)
        sample = Sample(SampleTime(wall_ns, boot_ns), BOOT_ID)
        sample.points = [Point("system_memory", {}, {"total_bytes": 192 * 10**9, "used_bytes": self.used(self._taken)})]
        sample.points += [
            Point(
                "system_disk", {"disk": f"sd{at}"}, {"read_bytes_per_second": self._taken + at / 8, "busy_ratio": 0.25}
            )
            for at in range(self.points_each - 1)
        ]
        # An odd number of microjoules a second, so that no half-hour gets a round sum.
        self._raw = (self._raw + self.step * (self.watts * 10**6 + 7 * self.number + 1)) % (RANGE_UJ + 1)
        self._state, counted = advance(self._state, self._raw, boot_ns, BOOT_ID, RANGE_UJ, 1000.0)
        meter = Meter("rapl/package-0", "rapl", "counter", "package", counted.epoch)
        differences = [counted.difference_uj] if counted.interval_ns else []
        sample.readings.append(MeterReading(meter, counted.interval_ns, [counted.total_uj], differences))
        if self.more_meters:
            sample.points += one_of_each()
            core = Meter("rapl/package-0/core", "rapl", "counter", "core", counted.epoch, "rapl/package-0")
            half = [difference // 2 for difference in differences]
            sample.readings.append(MeterReading(core, counted.interval_ns, [counted.total_uj // 2], half))
            whole = Meter("acpi/power1", "acpi_meter", "power", "machine_ac", "")
            if self._taken:
                sample.readings.append(MeterReading(whole, self.step * NS, [self.watts * 2.5], []))
        busy, total, step = self._taken * self.step * 8 * 10**6, self._taken * self.step * 40 * 10**6, self.step * 10**6
        processors = Meter("cpu", "cpu_time", "utilisation", "processors", BOOT_ID)
        grown = [step * 8, step * 40] if self._taken else []
        sample.readings.append(MeterReading(processors, self.step * NS if self._taken else 0, [busy, total], grown))
        if self._first_total is None:
            self._first_total = counted.total_uj
        self._last_total = counted.total_uj
        sample.sources = [SourceState("rapl", "data"), SourceState("battery", "absent", "there is no battery")]
        sample.choice = choose([one.meter for one in sample.readings], sample.sources)
        self._taken += 1
        return sample

    def used(self, sample: int) -> int:
        """Bytes of memory in use at a sample: a number that no other sample of any host has."""
        return 10**9 + self.number * 10**6 + sample


def _boot_ns(wall_ns: int) -> int:
    """The boot clock of all hosts: they booted a month before this process began."""
    return wall_ns - (_BEGAN - LONG_AGO) * NS


_BEGAN = int(time.time())


class Load(threading.Thread):
    """Sends `reports` of each host, all hosts side by side; hosts without a key enrol first, by the token.

    `hold()` lets them pause before their next report, `go_on()` ends the pause. A refusal that an agent would not
    simply repeat ends the host and stands in `refusals`.
    """

    def __init__(self, urls: Sequence[str], token: str, hosts: Sequence[LoadedHost], reports: int) -> None:
        super().__init__(name="load", daemon=True)
        self.hosts = hosts
        self.refusals: list[str] = []
        self.answers: Counter[int] = Counter()
        self._ports = [urlsplit(url).port or 0 for url in urls]
        self._token = token
        self._reports = reports
        self._running = threading.Event()
        self._running.set()

    @property
    def acknowledged(self) -> int:
        """Reports answered with success so far."""
        return sum(len(host.acknowledged) for host in self.hosts)

    def hold(self) -> None:
        self._running.clear()

    def go_on(self) -> None:
        self._running.set()

    def finish(self, seconds: float = 180.0) -> None:
        """Wait until every report is acknowledged."""
        self.join(seconds)
        assert not self.refusals, self.refusals[:3]
        assert not self.is_alive(), f"{self.acknowledged} acknowledged; answers: {dict(self.answers)}"

    def run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        await asyncio.gather(*(self._host(host, at) for at, host in enumerate(self.hosts)))

    async def _host(self, host: LoadedHost, at: int) -> None:
        connection = _Connection(self._ports, at)
        try:
            if not host.key:
                wanted = json.dumps({"token": self._token, "host_name": host.name, "kind": "host"}).encode()
                answer = await self._until_answered(connection, "/v1/enrol", wanted, {})
                if answer is None:
                    return
                host.key = answer["key"]
                host.device_id = answer["device_id"]
            done = len(host.acknowledged)
            for sequence in range(done + 1, done + self._reports + 1):
                while not self._running.is_set():
                    await asyncio.sleep(0.02)
                headers = {"Authorization": f"Bearer {host.key}", "Content-Encoding": "gzip"}
                body = host.report(sequence)
                if await self._until_answered(connection, "/v1/reports", body, headers) is None:
                    return
                host.acknowledged.append(sequence)
        finally:
            connection.close()

    async def _until_answered(
        self, connection: "_Connection", path: str, body: bytes, headers: dict[str, str]
    ) -> dict[str, str] | None:
        pause = 0.02
        while True:
            now = time.time_ns()
            clocks = {WALL_CLOCK_HEADER: str(now), BOOT_CLOCK_HEADER: str(_boot_ns(now)), BOOT_ID_HEADER: BOOT_ID}
            try:
                status, answer = await connection.post(path, body, headers | clocks)
            except (OSError, EOFError, ValueError):
                connection.close()
                status, answer = 0, {}
            self.answers[status] += 1
            if status == 200:
                return answer
            if status not in (0, 429, 500, 503, 507):
                self.refusals.append(f"{path} answered {status}: {answer}")
                return None
            await asyncio.sleep(pause)
            pause = min(0.5, pause * 2)


class _Connection:
    """One keep-alive connection, to the next collector of the list whenever it is opened anew."""

    def __init__(self, ports: Sequence[int], at: int) -> None:
        self._ports, self._at = ports, at
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        """Status and JSON of the answer. Raises OSError, EOFError or ValueError when there is none."""
        if self._streams is None:
            self._at += 1
            self._streams = await asyncio.open_connection("127.0.0.1", self._ports[self._at % len(self._ports)])
        reader, writer = self._streams
        lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        async with asyncio.timeout(20):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            found = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n"))
            }
            text = await reader.readexactly(int(found["content-length"]))
        if found.get("connection", "") == "close":
            self.close()
        answer = json.loads(text)
        return int(head.split(" ", 2)[1]), answer


def hosts_since(start: int, count: int, samples_each: int = 6, points_each: int = 1) -> list[LoadedHost]:
    """So many hosts, alike but for name and power."""
    return [
        LoadedHost(f"host-{number:03d}", number, start, samples_each=samples_each, points_each=points_each)
        for number in range(count)
    ]


def one_of_each() -> list[Point]:
    """A point with every field of each measurement that agents send: what no test's machine has all of."""
    values: dict[FieldType, Value] = {"float": 0.5, "integer": 5, "boolean": True, "string": "five"}
    return [
        Point(one.name, {tag: f"a-{tag}" for tag in one.tags}, {field.name: values[field.type] for field in one.fields})
        for one in MEASUREMENTS.values()
        if one.sent_by_agents
    ]
