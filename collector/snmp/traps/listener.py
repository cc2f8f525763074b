"""The collector's side of notifications: a child hears them; here they get their meaning, are kept, and cause polls."""

import asyncio
import contextlib
import logging
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import msgspec

from agent.errors import ConfigurationError
from collector.database.engine import Database
from collector.database.writer import Writer
from collector.errors import CollectorError
from collector.estate_version import estate_version
from collector.snmp.client import Credential
from collector.snmp.devices import PolledDevice, polled_devices
from collector.snmp.loop_thread import LoopThread
from collector.snmp.traps.address import plain_address
from collector.snmp.traps.asking import Asking
from collector.snmp.traps.codes import LINK_EVENTS
from collector.snmp.traps.engine import next_start
from collector.snmp.traps.meaning import Meaning, meaning_of, rules
from collector.snmp.traps.pipe import Begin, Heard, Kept, Listening, Refusals, SenderLine, Senders, ToCollector
from collector.snmp.traps.receiver import CREDENTIAL_REASONS, REASONS, Bucket
from collector.snmp.traps.record import NewEvent, RefusedSender, engine_ids, keep_events, note_refused

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often it is looked whether devices were added or changed."""
RENEW_SECONDS = 300.0
"""How often names are looked up and credentials read again without a change of the estate."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 60.0
"""Before the child is started again; one that lived for a while is started soon."""
LIVED_SECONDS = 60.0
STOP_SECONDS = 5.0
SAY_SECONDS = 600.0
"""How often at most it is said why packets do not count, for each reason and each device."""
EVENTS_AT_ONCE, EVENTS_A_SECOND = 30, 1.0
LONGEST_LINE_BYTES = 1 << 20
_decoder = msgspec.json.Decoder(ToCollector)

FindCredential = Callable[[str], Credential]


@dataclass(slots=True)
class TrapState:
    """How hearing notifications goes, for /metrics and /readyz. `refused` is by reason, over all children."""

    accepted: int = 0
    events: int = 0
    starts: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    listening: tuple[str, ...] = ()
    child: int = 0
    problem: str = ""


class TrapListener:
    """Hears notifications until it is stopped. Does nothing where no address is configured."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        collector_id: str,
        credential: FindCredential,
        ask_again: Callable[[str], None],
        listen: tuple[str, ...],
        directory: Path,
        *,
        link_events: bool = False,
        recorded: Callable[[], None] = lambda: None,
    ) -> None:
        self.state = TrapState()
        self.known: frozenset[str] = frozenset()
        """The devices that the child has been told of."""
        self._database, self._writer, self._collector_id = database, writer, collector_id
        self._credential, self._listen, self._directory = credential, listen, directory
        self._link_events, self._recorded = link_events, recorded
        self._asking = Asking(ask_again)
        self._senders = _KnownSenders(database, credential)
        self._buckets: dict[str, Bucket] = {}
        self._said: dict[str, float] = {}
        self._earlier: Counter[str] = Counter()
        """Refused by children that are gone."""
        self._thread = LoopThread("snmp-traps", self._supervise)

    def start(self) -> None:
        if self._listen:
            self._thread.start()

    def stop(self) -> None:
        self._thread.stop()

    async def _supervise(self, stopping: asyncio.Event) -> None:
        """Start the child, and start it again whenever it ends."""
        pause = FIRST_PAUSE_SECONDS
        while not stopping.is_set():
            begun = time.monotonic()
            try:
                rules()
                await self._one_child(stopping)
            except (CollectorError, ConfigurationError, OSError) as error:
                self._problem(str(error))
            except Exception as error:
                # Whatever nobody foresaw must not end hearing for good while /readyz says that all is well.
                logger.exception("the thread that hears traps failed")
                self._problem(f"{type(error).__name__}: {error}")
            if stopping.is_set():
                break
            self.state.listening, self.state.child = (), 0
            self._earlier = Counter(self.state.refused)
            if time.monotonic() - begun >= LIVED_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)
            pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
        self._asking.close()

    async def _one_child(self, stopping: asyncio.Event) -> None:
        engine_id, boots = await asyncio.to_thread(next_start, self._directory)
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "collector.snmp.traps.child",
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches the collector, which then ends it in order
            limit=LONGEST_LINE_BYTES,
        )
        self.state.starts += 1
        self.state.child = child.pid
        lines, out = cast("asyncio.StreamReader", child.stdout), cast("asyncio.StreamWriter", child.stdin)
        _say(out, Begin(list(self._listen), engine_id, boots))
        tasks = {
            asyncio.create_task(self._hear(lines, out), name="hear"),
            asyncio.create_task(self._tell_senders(out), name="tell"),
            asyncio.create_task(stopping.wait(), name="stop"),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            out.close()
            await _ended(child)
        for task in done:
            if error := task.exception():
                raise error
        if not stopping.is_set() and not self.state.problem:
            self._problem(f"the process that hears traps ended (status {child.returncode})")

    def _problem(self, message: str) -> None:
        if message != self.state.problem:
            logger.error("traps are not heard: %s; tried again soon", message)
        self.state.problem = message

    async def _tell_senders(self, out: asyncio.StreamWriter) -> None:
        """Tell the child which devices are known, now and whenever that changes."""
        told: list[SenderLine] | None = None
        self._senders.tell_again()
        while True:
            found = await asyncio.to_thread(self._senders.look)
            if found is not None and found != told:
                told = found
                _say(out, Senders(found))
                await out.drain()
                self.known = frozenset(one.device_id for one in found)
            await asyncio.sleep(LOOK_SECONDS)

    async def _hear(self, lines: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        while line := await lines.readline():
            try:
                self._take(_decoder.decode(line), out)
            except msgspec.DecodeError as error:
                raise OSError(f"the process that hears traps says what cannot be understood ({error})") from error
            await out.drain()

    def _take(self, line: ToCollector, out: asyncio.StreamWriter) -> None:
        if isinstance(line, Heard):
            self.state.accepted += 1
            self._heard(line, out)
        elif isinstance(line, Refusals):
            self._count(line)
        elif isinstance(line, Listening):
            self.state.listening, self.state.problem = tuple(line.addresses), ""
            logger.info("traps are heard at %s", ", ".join(line.addresses))
        else:
            self._problem(f"cannot listen at {', '.join(self._listen)}: {line.message}")

    def _heard(self, heard: Heard, out: asyncio.StreamWriter) -> None:
        """Keep a notification and poll its device. The child hears when it is on disk, and then answers an inform."""
        now_ns = time.time_ns()
        meaning = meaning_of(heard.oid, heard.variables)
        if not meaning.kept and not (self._link_events and meaning.code in LINK_EVENTS):
            if meaning.polls:
                self._asking.ask(heard.device_id)
            _say(out, Kept(heard.key, True))
            return
        bucket = self._buckets.setdefault(heard.device_id, Bucket(EVENTS_AT_ONCE, EVENTS_A_SECOND))
        if not bucket.take(time.monotonic()):
            self._refuse("too_many", heard.device_id)
            _say(out, Kept(heard.key, False))
            return
        event = NewEvent(
            heard.device_id, now_ns, meaning.code, meaning.severity, meaning.detail, heard.oid, self._collector_id
        )
        try:
            future = self._writer.submit(keep_events, event)
        except CollectorError:
            self._refuse("not_recorded", heard.device_id)
            _say(out, Kept(heard.key, False))
            return
        loop = asyncio.get_running_loop()

        def written(done: "Future[str]") -> None:
            # The loop may be gone when the collector stops while this is written.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._kept, heard, meaning, done, out)

        future.add_done_callback(written)

    def _kept(self, heard: Heard, meaning: Meaning, done: "Future[str]", out: asyncio.StreamWriter) -> None:
        """The writer has done with an event."""
        error = done.exception()
        outcome = "" if error else done.result()
        if error is not None:
            self._refuse("not_recorded", heard.device_id)
        elif outcome == "too_many":
            self._refuse("too_many", heard.device_id)
        else:
            self.state.events += outcome == "new"
            logger.info("snmp %s: %s", heard.device_id, meaning.detail)
            self._recorded()
        if meaning.polls:
            self._asking.ask(heard.device_id)
        if not out.is_closing():
            _say(out, Kept(heard.key, outcome in ("new", "repeated")))

    def _refuse(self, reason: str, whose: str) -> None:
        self._earlier[reason] += 1
        self.state.refused[reason] += 1
        self._say_refused(reason, whose)

    def _count(self, line: Refusals) -> None:
        self.state.refused = self._earlier + Counter(line.totals)
        for reason, sender in line.last.items():
            self._say_refused(reason, sender)
        for device_id, reason in line.devices.items():
            if reason in CREDENTIAL_REASONS and self._due(f"{device_id} {reason}"):
                detail = f"its traps do not count: {REASONS[reason]}"
                remedy = "set in the device, for traps too, the user or community that the collector asks it with"
                note = RefusedSender(device_id, int(time.time()), detail, remedy)
                with contextlib.suppress(CollectorError):  # the counter and the log tell it as well
                    self._writer.submit(note_refused, note)

    def _say_refused(self, reason: str, sender: str) -> None:
        if self._due(reason):
            words = REASONS.get(reason, reason)
            logger.warning("traps do not count: %s (%d so far, last %s)", words, self.state.refused[reason], sender)

    def _due(self, what: str) -> bool:
        """Whether something was not said for a while."""
        now = time.monotonic()
        if now - self._said.get(what, -SAY_SECONDS) < SAY_SECONDS:
            return False
        self._said[what] = now
        return True


class _KnownSenders:
    """The polled devices as senders: their addresses, credentials and engines."""

    def __init__(self, database: Database, credential: FindCredential) -> None:
        self._database, self._credential = database, credential
        self._version = ""
        self._at = -RENEW_SECONDS
        self._addresses: dict[str, tuple[str, ...]] = {}
        self._missing: set[str] = set()

    def tell_again(self) -> None:
        """Whoever asks next knows nothing yet."""
        self._version = ""

    def look(self) -> list[SenderLine] | None:
        """All senders where they may have changed, else None. Names are looked up here, which may take a while."""
        now = time.monotonic()
        try:
            with self._database.read() as connection:
                version = estate_version(connection)
                if version == self._version and now - self._at < RENEW_SECONDS:
                    return None
                devices = polled_devices(connection)
                credentials = self._credentials({one.credential for one in devices})
                secure = [one.device_id for one in devices if _is_v3(credentials.get(one.credential))]
                engines = engine_ids(connection, secure)
        except CollectorError as error:
            logger.error("polled devices cannot be read: %s; %s", error.message, error.remedy)  # noqa: TRY400  # said, not traced
            return None
        self._version, self._at = version, now
        self._addresses = {
            host: resolved(host) or self._addresses.get(host, ()) for host in {one.host for one in devices}
        }
        return [
            line
            for one in devices
            if (credential := credentials.get(one.credential)) is not None
            for line in _lines(one, credential, self._addresses[one.host], engines.get(one.device_id, ""))
        ]

    def _credentials(self, names: set[str]) -> dict[str, Credential]:
        found = {}
        for name in names:
            try:
                found[name] = self._credential(name)
            except ConfigurationError as error:
                # The device's page tells it: it cannot be polled either.
                if name not in self._missing:
                    logger.warning("no traps of devices with the credential %s: %s", name, error)
                self._missing.add(name)
            else:
                self._missing.discard(name)
        return found


def _is_v3(credential: Credential | None) -> bool:
    return credential is not None and credential.version == "v3"


def resolved(host: str) -> tuple[str, ...]:
    """The addresses of a host name, or of an address itself."""
    try:
        found = socket.getaddrinfo(host.partition("%")[0], None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(plain_address(str(place[0])) for *_, place in found))


def _lines(device: PolledDevice, credential: Credential, addresses: tuple[str, ...], engine: str) -> list[SenderLine]:
    return [
        SenderLine(
            device.device_id,
            address,
            device.port,
            credential.version,
            credential.community,
            credential.user,
            credential.auth_protocol,
            credential.auth_key,
            credential.priv_protocol,
            credential.priv_key,
            engine,
        )
        for address in addresses
    ]


def _say(out: asyncio.StreamWriter, line: Begin | Senders | Kept) -> None:
    out.write(msgspec.json.encode(line) + b"\n")


async def _ended(child: asyncio.subprocess.Process) -> None:
    """The child ends when its input does; one that does not is made to."""
    try:
        await asyncio.wait_for(child.wait(), STOP_SECONDS)
    except TimeoutError:
        child.kill()
        await child.wait()
