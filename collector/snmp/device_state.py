"""What is known of one polled device between its polls, and how a poll reads it."""

import asyncio
import dataclasses
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict

from agent.report import SampleTime
from collector.snmp.client import SnmpClient, SnmpError
from collector.snmp.device import evaluate
from collector.snmp.device_power import DevicePower
from collector.snmp.devices import PolledDevice
from collector.snmp.fed import LinkedPort, PoePort, seen_as_fed
from collector.snmp.fetch import KnownRows, fetch, holding
from collector.snmp.held_diagnoses import HeldDiagnoses
from collector.snmp.identity import SYS_UP_TIME, DeviceIdentity
from collector.snmp.interfaces import Interface, interfaces
from collector.snmp.leases import Lease
from collector.snmp.managed import ManagedDevice, managed
from collector.snmp.managed_report import ManagedState
from collector.snmp.neighbours import Neighbour, neighbours
from collector.snmp.poll_plan import PARTS, Part, Schedule, Wanted, wanted
from collector.snmp.polled import Before, Poll
from collector.snmp.profile import Profile
from collector.snmp.profile_files import profiles
from collector.snmp.rates import TICKS_PER_SECOND, restarted
from collector.snmp.readings import Reading
from collector.snmp.snapshot import Snapshot
from collector.snmp.utilisation import MemoryUse, ProcessorLoad


class DeviceState:
    """What is known of one device while it is polled."""

    def __init__(self, device: PolledDevice, now: float, lease: Lease | None = None) -> None:
        self.device = device
        self.lease = lease
        self.client: SnmpClient | None = None
        self.before = Before()
        self.holding: list[Profile] = []
        self.identity = DeviceIdentity()
        self.last_interfaces: list[Interface] = []
        self.neighbours: tuple[Neighbour, ...] = ()
        self.managed: tuple[ManagedDevice, ...] = ()
        self.managed_states: dict[str, ManagedState] = {}
        self.shown_at = self.noted_at = 0
        self.last_load: tuple[list[ProcessorLoad], list[MemoryUse]] = ([], [])
        self.poe_ports: tuple[PoePort, ...] | None = None
        self.linked: tuple[LinkedPort, ...] = ()
        """Its PoE ports that a person linked to devices."""
        self.last_power: tuple[DevicePower, list[Reading]] = (DevicePower(), [])
        self.told = ""
        self.diagnoses = HeldDiagnoses()
        self.problems: tuple[SnmpError, ...] = ()
        """What of the last poll failed, while the rest was read."""
        intervals: dict[Part, float] = {
            "power": device.power_seconds,
            "utilisation": device.utilisation_seconds,
            "inventory": device.inventory_seconds,
        }
        self.schedule = Schedule.begin(device.device_id, intervals, now)
        self._wanted: dict[Part, Wanted] = {}
        self.rows = KnownRows()
        self._asked_again = asyncio.Event()
        self.stream_id = secrets.token_hex(8)
        self._sequence = 0
        self._up_time: tuple[int, float] | None = None
        self._boot_id = secrets.token_hex(8)

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def ask_again(self) -> None:
        self.schedule.ask_again(time.monotonic())
        self._asked_again.set()

    async def wait_until_due(self) -> None:
        self._asked_again.clear()
        delay = self.schedule.next_at - time.monotonic()
        if delay > 0:
            try:
                await asyncio.wait_for(self._asked_again.wait(), delay)
            except TimeoutError:
                return

    async def close(self) -> None:
        if self.client is not None:
            client, self.client = self.client, None
            await client.close()

    async def read(self, client: SnmpClient, parts: frozenset[Part]) -> Poll:
        """Read the parts of the device that are due. Raises the client's errors."""
        begun = time.monotonic()
        if "inventory" in parts or not self.holding:
            parts = frozenset(PARTS)
            self.holding, self.rows = await holding(client, profiles().values()), KnownRows()
            self._wanted = {part: wanted(part, self.holding) for part in PARTS}
        needed = Wanted(frozenset(), frozenset())
        for part in parts:
            needed |= self._wanted[part]
        fetched = await fetch(client, needed, self.rows)
        snapshot = fetched.snapshot
        if not len(snapshot):
            raise SnmpError(f"{self.device.host} answers, and has nothing of what was asked", "see ictagent snmp test")
        self.problems = fetched.problems
        at = SampleTime(time.time_ns(), time.monotonic_ns())
        reading = evaluate(snapshot, self.holding, parts)
        if "inventory" in parts:
            self.identity = reading.identity
        found = interfaces(snapshot) if "utilisation" in parts else []
        self.last_interfaces = found or self.last_interfaces
        if "inventory" in parts:
            self.neighbours = tuple(neighbours(snapshot, found))
        # A table that was read in part alone would make devices absent that are there.
        if "utilisation" in parts and not self.problems:
            self.managed = tuple(managed(snapshot, self.holding))
        if "utilisation" in parts:
            self.last_load = (reading.processors, reading.memory)
            self.poe_ports = reading.poe_ports
        if "power" in parts:
            self.last_power = (reading.power, reading.readings)
        up_time = self._note_up_time(snapshot)
        # What this poll did not ask is as it was.
        reading = dataclasses.replace(
            reading,
            identity=self.identity,
            neighbours=self.neighbours,
            poe_ports=self.poe_ports,
            linked=self.linked,
            power=self.last_power[0],
            readings=self.last_power[1],
        )
        return Poll(at, self._boot_id, reading, found, frozenset(parts), up_time, time.monotonic() - begun)

    def _note_up_time(self, snapshot: Snapshot) -> float | None:
        """Seconds since the device started. After a restart its counters begin anew, and it is asked wholly."""
        ticks = snapshot.get(SYS_UP_TIME)
        if not isinstance(ticks, int):
            return None
        now = time.monotonic()
        if self._up_time is not None and restarted(self._up_time[0], ticks, now - self._up_time[1]):
            self.before.counters.clear()
            self._boot_id = secrets.token_hex(8)
            self.schedule.due["inventory"] = now
        self._up_time = (ticks, now)
        return ticks / TICKS_PER_SECOND


def page_body(poll: Poll, load: tuple[Sequence[ProcessorLoad], Sequence[MemoryUse]], found: Sequence[Interface]) -> str:
    """What pages and the API show of a device, as JSON: each part as it was read last."""
    reading = poll.reading
    shown = {
        "at": poll.time.wall_ns // 10**9,
        "identity": asdict(reading.identity),
        "power": asdict(reading.power),
        "readings": [asdict(one) for one in reading.readings],
        "processors": [asdict(one) for one in load[0]],
        "memory": [asdict(one) for one in load[1]],
        "interfaces": [asdict(one) for one in found],
        "up_time_seconds": poll.up_time_seconds,
        "fed": [asdict(one) for one in seen_as_fed(reading.fed)],
    }
    return json.dumps(shown, separators=(",", ":"))
