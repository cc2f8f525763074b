"""Hosts that report: enrolled as real ones are, with reports as agents write them."""

import time
from dataclasses import dataclass, field

from sqlalchemy import select

from agent.report import Choice, Inventory, Meter, Reading, Report, Row, SampleTime, Series, SourceState, encode
from collector.claim import Identity
from collector.clocks import Sent
from collector.database.engine import Database
from collector.database.schema import device, ledger, meter
from collector.device_context import load_context
from collector.enrolment import EnrolRequest, TokenRequest, create_tokens, enrol
from collector.keys import Issued
from collector.ledger import current
from collector.prepare import prepare
from collector.record import Incoming, Recorded, record
from collector.wire import receive

NS = 10**9
COUNTER = Meter("rapl/package-0", "rapl", "counter", "package", "epoch-1")
PROCESSORS = Meter("cpu", "cpu_time", "utilisation", "processors", "boot-1")
SERVER = Inventory(
    machine_id="m1",
    host_name="web01",
    cpu_model="Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
    cpu_sockets=2,
    cpu_cores=40,
    cpu_threads=80,
    memory_bytes=384 * 10**9,
    platform="physical",
    chassis="server",
)


def recent_half_hour(ago: int = 4) -> int:
    """The start of a half-hour that ended some half-hours ago (Unix seconds)."""
    now = int(time.time())
    return now - now % 1800 - ago * 1800


@dataclass
class Host:
    """A host with a processor counter at a constant power and utilisation, sampled every ten seconds."""

    enrolled: Issued
    start: int
    watts: int = 100
    busy: float = 0.5
    inventory: Inventory | None = None
    choice: Choice = field(default_factory=lambda: Choice("package", ["rapl/package-0"], {"machine": "none"}))
    stream_id: str = "stream-0001"
    sequence: int = 0

    def report(self, first: int, last: int, step: int = 10) -> Report:
        """Samples from `first` to `last` seconds after the start, both included."""
        self.sequence += 1
        report = Report(self.stream_id, self.sequence, "0.1.0", "boot-1", choice=self.choice)
        report.series = [Series("system_cpu", {}, ["busy_ratio"])]
        report.meters = [COUNTER, PROCESSORS]
        report.sources = [SourceState("rapl", "data"), SourceState("battery", "absent", "there is no battery")]
        if self.sequence == 1:
            report.inventory = self.inventory or SERVER
        for second in range(first, last + 1, step):
            wall_ns = (self.start + second) * NS
            report.samples.append(SampleTime(wall_ns, second * NS + NS))
            report.rows.append(Row(0, wall_ns, [self.busy]))
            interval = step * NS if second else 0
            energy, passed = second * self.watts * 10**6, second * 80 * 10**6
            grown, passed_now = step * self.watts * 10**6, step * 80 * 10**6
            differences = [grown] if second else []
            report.readings.append(Reading(0, wall_ns, interval, [energy], differences))
            report.readings.append(
                Reading(
                    1,
                    wall_ns,
                    interval,
                    [int(passed * self.busy), passed],
                    [int(passed_now * self.busy), passed_now] if second else [],
                )
            )
        return report

    def reports(self, last: int, every: int = 60, step: int = 10) -> list[Report]:
        """All reports from the start to `last`, one a minute."""
        return [self.report(0 if at == 0 else at + step, at + every, step) for at in range(0, last, every)]


def new_host(database: Database, start: int, watts: int = 100, inventory: Inventory | None = None) -> Host:
    """Enrol a host with a token of its own."""
    with database.write() as connection:
        token = create_tokens(connection, [TokenRequest("test", 1, int(time.time()) + 600, "", "test")])[0]
        [enrolled] = enrol(connection, [EnrolRequest(token, "web01", "host")])
    assert isinstance(enrolled, Issued)
    return Host(enrolled, start, watts, inventory=inventory)


def deliver(database: Database, host: Host, *reports: Report) -> list[Recorded | Exception]:
    """Record reports as the collector does, each in a transaction of its own, all sent just now."""
    results = []
    for report in reports:
        received = receive(encode(report), "gzip")
        received_ns = time.time_ns()
        newest = max(report.samples, key=lambda one: one.boot_ns)
        age_ns = received_ns - newest.wall_ns
        sent = Sent(received_ns, newest.boot_ns + age_ns, "boot-1", received_ns)
        with database.write() as connection:
            context = load_context(connection, host.enrolled.device_id)
            recording = prepare(received, context, sent)
            identity = Identity(host.enrolled.key_id, report.stream_id, report.sequence, received.sha256)
            results += record(connection, [Incoming(identity, recording, "collector-1")])
    return results


def ledger_sums(database: Database) -> dict[str, int]:
    """Measured microjoules of each device in the ledger."""

    with database.read() as connection:
        query = select(meter.c.device_id, ledger.c.measured_uj).join(meter, meter.c.id == ledger.c.meter_id)
        sums = dict.fromkeys(connection.execute(select(device.c.id)).scalars(), 0)
        for device_id, amount in connection.execute(query.where(current())):
            sums[device_id] += amount
    return sums
