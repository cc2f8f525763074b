"""Polling: every device at its times, none held up by another, each poll recorded as a report of its device.

One thread runs an event loop with a task for each device. A device that does not answer is left alone for longer and
longer and its state says so; the others do not notice. The list of devices is read again when the estate was edited;
of several collectors each polls those that it has a lease for (`collector.snmp.leases`).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from agent.errors import ConfigurationError
from agent.report import SampleTime
from collector.clocks import Sent
from collector.database.engine import Database
from collector.database.writer import Writer
from collector.errors import CollectorError, LeaseLost
from collector.estate_version import estate_version
from collector.ingest import Ingest
from collector.power_path import linked_meters, linked_ports
from collector.snmp.asked import AskedPoll, asked_polls, forget_asked, note_asked
from collector.snmp.client import Credential, Endpoint, SnmpAuthError, SnmpClient, SnmpError
from collector.snmp.device import DeviceReading
from collector.snmp.device_state import DeviceState, page_body
from collector.snmp.devices import PolledDevice, PollOutcome, note_polls, polled_devices
from collector.snmp.fed import LinkedPort, seen_as_fed
from collector.snmp.held_diagnoses import diagnoses_of
from collector.snmp.leases import Lease, Leases
from collector.snmp.loop_thread import LoopThread
from collector.snmp.managed_report import ManagedState, managed_report, taken
from collector.snmp.managed_store import ManagedFound, note_managed
from collector.snmp.polled import OwnPower, Poll, points_of, received_of, report_of
from collector.snmp.profile_files import profiles
from collector.wire import Received

logger = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
"""How often it is looked whether devices were added or removed."""
MOST_AT_ONCE = 64
"""Polls that are under way together: more would only wait for the processor."""
ASKED_SECONDS = 2.0
"""How often it is looked which polls are asked for in the database."""
READING_SECONDS = 300
"""How often what pages show of a device is written, beside every inventory."""

_INTERVALS = ("power_seconds", "utilisation_seconds", "inventory_seconds")

NOTED_SECONDS = 50
"""How often it is written that a device answers."""

Open = Callable[[Endpoint, Credential], SnmpClient]
FindCredential = Callable[[str], Credential]
Estimate = Callable[[DeviceReading], OwnPower]


class Poller:
    """Polls the devices of the database until it is stopped."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        ingest: Ingest,
        open_client: Open,
        credential: FindCredential,
        estimate: Estimate,
        leases: Leases,
    ) -> None:
        self.polls = self.failures = 0
        self._database, self._writer, self._ingest = database, writer, ingest
        self._open, self._credential, self._estimate = open_client, credential, estimate
        self._leases = leases
        self._estate_version = ""
        self._linked: Mapping[str, frozenset[str]] = {}
        self._linked_ports: Mapping[str, tuple[LinkedPort, ...]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._known: dict[str, PolledDevice] = {}
        self._states: dict[str, DeviceState] = {}
        self._thread = LoopThread("snmp-poller", self._supervise)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End all polls; what was read and not recorded is lost, as if it had not been read."""
        self._thread.stop()

    def ask_again(self, device_id: str) -> None:
        """Have a device polled at once, wholly: a trap told of something. One that another collector polls, or that is not
        polled yet, is asked for through the database. From any thread.
        """
        state = self._states.get(device_id)
        if state is not None and self._thread.call(state.ask_again):
            return
        try:
            self._writer.submit(note_asked, AskedPoll(device_id, time.time_ns()))
        except CollectorError as error:
            logger.warning("a poll that a trap asked for is left out: %s", error.message)

    async def _supervise(self, stopping: asyncio.Event) -> None:
        gate = asyncio.Semaphore(MOST_AT_ONCE)
        watching = [
            asyncio.create_task(self._stop_in_time(), name="snmp leases"),
            asyncio.create_task(self._look_for_asked(), name="snmp asked"),
        ]
        while not stopping.is_set():
            try:
                devices = await asyncio.to_thread(self._devices)
                if devices is not None and devices.leases:
                    # Read and checked before the first poll, and not where nothing is polled.
                    await asyncio.to_thread(profiles)
            except (CollectorError, ConfigurationError) as error:
                remedy = getattr(error, "remedy", "")
                logger.error("polled devices cannot be read: %s; %s", error, remedy)  # noqa: TRY400  # said, not traced
            else:
                if devices is not None:
                    await self._follow(devices, gate)
            try:
                await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue
        for one in watching:
            one.cancel()
        await self._end(list(self._tasks))
        if self._leases.needed:
            await self._settle(self._leases.leave)

    async def _stop_in_time(self) -> None:
        """End all polls when the leases could not be renewed: another collector may begin with them."""
        while self._leases.needed:
            await asyncio.sleep(self._leases.seconds_left() or LOOK_SECONDS)
            if self._tasks and not self._leases.seconds_left():
                logger.warning("polling stops: the leases of %d devices could not be renewed", len(self._tasks))
                await self._end(list(self._tasks))

    async def _look_for_asked(self) -> None:
        """Poll at once what a trap asked for that another collector heard, or this one before it knew the device."""
        while True:
            await asyncio.sleep(ASKED_SECONDS)
            if not self._states:
                continue
            try:
                asked = await asyncio.to_thread(self._asked_for)
                mine = [one for one in asked if one.device_id in self._states]
                for one in mine:
                    self._states[one.device_id].ask_again()
                    await asyncio.wrap_future(self._writer.submit(forget_asked, one))
            except CollectorError as error:
                logger.warning("which polls traps ask for cannot be read: %s", error.message)

    def _asked_for(self) -> list[AskedPoll]:
        with self._database.read() as connection:
            return asked_polls(connection)

    async def _settle(self, change: Callable[[], None]) -> None:
        """Change leases in the database; where it is away they run out by themselves."""
        try:
            await asyncio.to_thread(change)
        except CollectorError as error:
            logger.warning("leases of polled devices run out by themselves: %s", error.message)

    def _devices(self) -> "Share | None":
        """The devices to poll; None while nothing of the estate was edited since they were read, nor of the leases."""
        with self._database.read() as connection:
            version = estate_version(connection)
        edited = version != self._estate_version
        renewal = self._leases.renew(anew=edited) if self._leases.needed else None
        if not edited and renewal is None:
            return None
        with self._database.read() as connection:
            devices = {one.device_id: one for one in polled_devices(connection)}
            self._linked = linked_meters(connection)
            self._linked_ports = linked_ports(connection)
        self._estate_version = version
        if renewal is None:
            return Share(dict.fromkeys(devices), devices)
        return Share(renewal.share, devices, renewal.to_give_up)

    async def _follow(self, share: "Share", gate: asyncio.Semaphore) -> None:
        """Begin what is new, end what is gone, asked differently or another collector's."""
        devices, leases = share.devices, share.leases
        gone = [
            name
            for name, task in self._tasks.items()
            if task.done()
            or name not in devices
            or name not in leases
            or leases[name] != self._states[name].lease
            or _asked(devices[name]) != _asked(self._known[name])
        ]
        await self._end(gone)
        if share.to_give_up:
            await self._settle(partial(self._leases.give_up, share.to_give_up))
        for name, lease in leases.items():
            if name in devices and name not in self._tasks:
                device = self._known[name] = devices[name]
                state = self._states[name] = DeviceState(device, time.monotonic(), lease)
                self._tasks[name] = asyncio.create_task(self._poll_for_ever(state, gate), name=f"snmp {device.host}")

    async def _end(self, names: Sequence[str]) -> None:
        ended = [self._tasks.pop(name) for name in names]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
        for name in names:
            self._states.pop(name, None)

    async def _poll_for_ever(self, state: DeviceState, gate: asyncio.Semaphore) -> None:
        try:
            while self._leases.seconds_left():
                await state.wait_until_due()
                async with gate:
                    await self._poll(state)
        except LeaseLost as error:
            logger.warning("snmp %s: %s", state.device.host, error.message)
            self._leases.lost()
        finally:
            await state.close()

    async def _poll(self, state: DeviceState) -> None:
        begun = time.monotonic()
        parts = state.schedule.parts(begun)
        if not parts:
            return
        try:
            if state.client is None:
                device = state.device
                endpoint = Endpoint(device.host, device.port, device.timeout_seconds, device.retries)
                state.client = self._open(endpoint, self._credential(device.credential))
            state.linked = self._linked_ports.get(state.device.device_id, ())
            poll = await state.read(state.client, parts)
            state.before.feeds.linked = self._linked.get(state.device.device_id, frozenset())
            report = report_of(
                poll,
                state.before,
                self._estimate(poll.reading),
                state.device.name,
                state.stream_id,
                state.next_sequence(),
            )
            await self._record(state, received_of(report, points_of(poll, state.before)), poll.time)
        except LeaseLost:
            raise
        except (CollectorError, ConfigurationError) as error:
            self.failures += 1
            await self._failed(state, error, begun)
            return
        except Exception as error:  # whatever one device answers, it is polled again and says why not
            self.failures += 1
            logger.exception("snmp %s: a poll ended in an error that nobody foresaw", state.device.host)
            told = CollectorError(f"{type(error).__name__}: {error}"[:500], "report this as a defect of ictagent")
            await self._failed(state, told, begun)
            return
        self.polls += 1
        state.schedule.done(parts, time.monotonic(), begun)
        await self._succeeded(state, poll)
        if state.device.managed and state.managed and "utilisation" in poll.parts and not state.problems:
            await self._managed(state, poll)

    async def _record(self, state: DeviceState, received: Received, at: SampleTime) -> None:
        sent = Sent(at.wall_ns, at.boot_ns, received.report.boot_id, at.wall_ns)
        device = state.device
        await self._ingest.take(device.key_id, device.device_id, received, sent, lease=state.lease)

    async def _succeeded(self, state: DeviceState, poll: Poll) -> None:
        now = int(time.time())
        shown = None
        if "inventory" in poll.parts or now - state.shown_at >= READING_SECONDS:
            state.shown_at = now
            shown = page_body(poll, state.last_load, state.last_interfaces)
        names = tuple(one.name for one in state.holding)
        kind = state.identity.kind if "inventory" in poll.parts else ""
        power = poll.reading.power.diagnoses
        state.diagnoses.note(*diagnoses_of(poll.parts, power, state.problems, has_profile=bool(state.holding)))
        diagnoses = state.diagnoses.held() if shown is not None else state.diagnoses.changed()
        if shown is not None or diagnoses is not None or state.told != "ok" or now - state.noted_at >= NOTED_SECONDS:
            state.told, state.noted_at = "ok", now
            problem = state.problems[0] if state.problems else None
            outcome = PollOutcome(
                state.device.device_id,
                now,
                "ok",
                problem.message if problem else "",
                problem.remedy if problem else "",
                profiles=names,
                kind=kind,
                reading=shown,
                fed=tuple(seen_as_fed(poll.reading.fed)) if shown is not None else None,
                poe=state.before.feeds.poe.told(state.neighbours) if shown is not None else None,
                diagnoses=diagnoses,
                neighbours=state.neighbours if "inventory" in poll.parts else None,
                mac_address=state.identity.mac_address if "inventory" in poll.parts else "",
                lease=state.lease,
            )
            if await self._noted(outcome):
                state.diagnoses.written()
                if outcome.poe is not None:
                    state.before.feeds.poe.written()

    async def _noted(self, outcome: PollOutcome) -> bool:
        """Write how a poll went. A database that does not take it now ends no polling: a later poll says it."""
        try:
            await asyncio.wrap_future(self._writer.submit(note_polls, outcome))
        except CollectorError as error:
            logger.warning("how polls go cannot be written: %s", error.message)
            return False
        return True

    async def _managed(self, state: DeviceState, poll: Poll) -> None:
        """Record what a controller told of the devices that it manages. What of it fails is told, and tried again."""
        found = ManagedFound(state.device.device_id, poll.time.wall_ns // 10**9, state.managed)
        try:
            for one in await asyncio.wrap_future(self._writer.submit(note_managed, found)):
                known = state.managed_states.setdefault(one.device_id, ManagedState())
                report = managed_report(one.told, one.feed, known, poll.time)
                sent = Sent(poll.time.wall_ns, poll.time.boot_ns, report.boot_id, poll.time.wall_ns)
                await self._ingest.take(one.key_id, one.device_id, taken(report), sent)
        except CollectorError as error:
            logger.warning("what %s manages cannot be recorded: %s", state.device.host, error.message)

    async def _failed(self, state: DeviceState, error: CollectorError | ConfigurationError, begun: float) -> None:
        """Leave the device alone for a while, and say why."""
        message = error.message if isinstance(error, CollectorError) else str(error)
        remedy = error.remedy if isinstance(error, CollectorError) else ""
        pause = state.schedule.failed(time.monotonic(), begun)
        await state.close()
        state.told = (
            "refused" if isinstance(error, SnmpAuthError) else "silent" if isinstance(error, SnmpError) else "failed"
        )
        now = int(time.time())
        outcome = PollOutcome(
            state.device.device_id,
            now,
            state.told,
            message,
            remedy,
            state.schedule.failures,
            now + int(pause),
            lease=state.lease,
        )
        logger.info("snmp %s: %s; tried again in %d s", state.device.host, message, pause)
        await self._noted(outcome)


def _asked(device: PolledDevice) -> tuple[object, ...]:
    """What of a device's row says how it is asked."""
    polled = asdict(device)
    return tuple(
        polled[name] for name in ("host", "port", "credential", "name", "timeout_seconds", "retries", *_INTERVALS)
    )


@dataclass(frozen=True, slots=True)
class Share:
    """The devices that fall to this collector with their leases (none where there is one collector), by device id."""

    leases: Mapping[str, Lease | None]
    devices: dict[str, PolledDevice]
    """All there are, others' too."""
    to_give_up: frozenset[str] = frozenset()
    """Leases that are held and another's share by now."""
