"""A PDU, a UPS and a PoE switch as polls read them, and their polls recorded as the collector does, on a simulated clock."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from agent.report import Report, SampleTime
from collector.database.engine import Database
from collector.database.schema import agent_key
from collector.keys import Issued
from collector.ledger import devices_due, roll
from collector.snmp.device import DeviceReading
from collector.snmp.device_power import device_power
from collector.snmp.device_state import page_body
from collector.snmp.devices import NewDevice, PollOutcome, add_device, note_polls
from collector.snmp.identity import DeviceIdentity
from collector.snmp.interfaces import Interface
from collector.snmp.polled import Before, OwnPower, Poll, report_of
from collector.snmp.profile import Quantity, Role
from collector.snmp.readings import Reading
from tests.collector.hosts import NS, Host, deliver

POLL_SECONDS = 60
ESTIMATE = OwnPower(10.0, "snmp_catalogue", "a PDU's median")
_UNITS = {"power": "W", "energy": "kWh", "current": "A", "load": "percent"}


def reading(
    role: Role,
    index: str,
    name: str,
    value: float,
    quantity: Quantity = "power",
    *,
    step: float = 1.0,
    profile: str = "test",
    counted: bool = True,
) -> Reading:
    """One reading, of a row of a table."""
    oid = f"1.3.6.1.4.1.99999.{len(quantity)}.{index or 0}"
    return Reading(oid, quantity, _UNITS[quantity], value, role, name, profile, counted, False, index, step)


def device_reading(kind: str, readings: Sequence[Reading], name: str = "") -> DeviceReading:
    """What a poll of a device comes to."""
    identity = DeviceIdentity(kind, "Test", "T1", "1.0", f"serial-{name}", name)
    return DeviceReading(identity, device_power(readings, kind), list(readings), [], [], ("test",))


def interface(index: int, name: str, alias: str = "") -> Interface:
    return Interface(index, name, alias, name, 6, 10**9, True, True, 64)


@dataclass
class Polled:
    """A polled device whose clock is simulated; `read` gives what it tells at a second since `start` (Unix seconds)."""

    database: Database
    start: int
    read: Callable[[int], DeviceReading]
    name: str = "pdu-1"
    interfaces: Sequence[Interface] = ()
    estimate: Callable[[DeviceReading], OwnPower] = lambda _: ESTIMATE
    before: Before = field(default_factory=Before)
    device_id: str = field(default="", init=False)
    _host: Host = field(init=False, repr=False)
    _sequence: int = 0

    def __post_init__(self) -> None:
        with self.database.write() as connection:
            self.device_id = add_device(connection, NewDevice(self.name, name=self.name), "test")
            query = select(agent_key.c.id).where(agent_key.c.device_id == self.device_id)
            key_id = connection.execute(query).scalar_one()
        self._host = Host(Issued("", key_id, self.device_id, 2**40), self.start)

    def report(self, second: int) -> Report:
        """What the poll at a second since the start comes to."""
        self._sequence += 1
        poll = self.poll(second)
        return report_of(poll, self.before, self.estimate(poll.reading), self.name, "stream-of-polls", self._sequence)

    def poll(self, second: int) -> Poll:
        at = SampleTime((self.start + second) * NS, (second + 1) * NS)
        parts = frozenset({"power", "inventory"}) if not second else frozenset({"power"})
        return Poll(at, "boot-1", self.read(second), list(self.interfaces), parts, None, 0.1)

    def run(self, seconds: Iterable[int]) -> None:
        """Poll at these seconds, and record each."""
        deliver(self.database, self._host, *(self.report(second) for second in seconds))

    def show(self, second: int = 0) -> None:
        """Keep the reading for the device's page, as the poller does every five minutes."""
        poll = self.poll(second)
        outcome = PollOutcome(
            self.device_id,
            int(time.time()),
            "ok",
            profiles=("test",),
            kind=poll.reading.identity.kind,
            reading=page_body(poll, ([], []), list(self.interfaces)),
        )
        with self.database.write() as connection:
            note_polls(connection, [outcome])

    def roll(self) -> None:
        """Write all that is due of its ledger."""
        now = int(time.time())
        while True:
            with self.database.write() as connection:
                if self.device_id not in devices_due(connection, now, 1000):
                    return
                roll(connection, self.device_id, now)
