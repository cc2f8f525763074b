"""Taking a report in: who sends it, what is in it, recorded, acknowledged. The only path from the network to the ledger."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote

from sqlalchemy import Connection

from agent.report import BOOT_CLOCK_HEADER, BOOT_ID_HEADER, MACHINE_HEADER, WALL_CLOCK_HEADER
from collector.claim import Identity
from collector.clocks import Sent
from collector.clones import Sender
from collector.database.engine import Database
from collector.database.writer import Writer
from collector.device_context import DeviceContext, load_context
from collector.errors import CollectorError, NotAuthorised, ReportUnreadable
from collector.estate_version import estate_version
from collector.keys import KEY_SECONDS, KeyRow, Rotation, find_key, promote, proved, split_secret
from collector.prepare import Recording, prepare
from collector.record import Incoming, Recorded, record
from collector.snmp.leases import Lease
from collector.wire import Received, receive

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class IngestCounters:
    """What came in since start, for /metrics."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    rows_rejected: int = 0
    points: int = 0


class Ingest:
    """Receives reports for one collector. Contexts and keys are cached; the transaction checks both again."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        collector_id: str,
        recorded: Callable[[], None],
        clock: Callable[[], int] = time.time_ns,
        key_seconds: int = KEY_SECONDS,
    ) -> None:
        self.counters = IngestCounters()
        self._database = database
        self._writer = writer
        self._collector_id = collector_id
        self._recorded = recorded
        self._clock = clock
        self._key_seconds = key_seconds
        self._contexts: dict[str, DeviceContext] = {}
        self._keys: dict[str, KeyRow] = {}
        self._estate_version = ""

    async def admit(self, headers: Mapping[str, str]) -> None:
        """Raise NotAuthorised unless a request's headers name a key."""
        with self.counting_refusals():
            await self.authenticate(headers.get("authorization", ""))

    @contextmanager
    def counting_refusals(self) -> Iterator[None]:
        """Around what may refuse a report."""
        try:
            yield
        except CollectorError:
            self.counters.refused += 1
            raise

    async def report(self, body: bytes, headers: Mapping[str, str], received_ns: int) -> Recorded:
        """Take one report. Returns only after it is on disk. Raises CollectorError with the answer's status."""
        with self.counting_refusals():
            return await self._report(body, headers, received_ns)

    async def _report(self, body: bytes, headers: Mapping[str, str], received_ns: int) -> Recorded:
        key = await self.authenticate(headers.get("authorization", ""))
        received = receive(body, headers.get("content-encoding", ""))
        sent = Sent(
            _nanoseconds(headers, WALL_CLOCK_HEADER),
            _nanoseconds(headers, BOOT_CLOCK_HEADER),
            headers.get(BOOT_ID_HEADER.lower(), ""),
            received_ns,
        )
        report = received.report
        machine, host_name = machine_of(headers.get(MACHINE_HEADER.lower(), ""))
        boot_id = sent.boot_id[:64]
        sender = Sender(machine, host_name, boot_id, key.sha256, report.boot_id == boot_id, self._collector_id)
        try:
            return await self.take(key.key_id, key.device_id, received, sent, sender)
        except NotAuthorised:
            self._keys.pop(key.key_id, None)
            raise

    async def take(
        self,
        key_id: str,
        device_id: str,
        received: Received,
        sent: Sent,
        sender: Sender | None = None,
        *,
        lease: Lease | None = None,
    ) -> Recorded:
        """Record a decoded report of a device whose key is known: what all that report have in common.

        `sender` is who sends it, where copies of keys must be told apart; a poll of the collector's own has none, and
        with several collectors a `lease`: it raises LeaseLost where that is another's by now.
        """
        context = self._contexts.get(device_id)
        if context is None:
            version = self._estate_version
            context = await asyncio.to_thread(self._load, device_id)
            # Not kept if an edit was noticed meanwhile: it may have been read before it, and would then stay.
            if version == self._estate_version:
                self._contexts[device_id] = context
        recording = prepare(received, context, sent)
        report = received.report
        identity = Identity(key_id, report.stream_id, report.sequence, received.sha256)
        incoming = Incoming(identity, recording, self._collector_id, sender, lease)
        recorded: Recorded = await asyncio.wrap_future(self._writer.submit(self._record, incoming))
        self._note(device_id, recording, recorded)
        return recorded

    async def authenticate(self, authorization: str, *, anew: bool = False) -> KeyRow:
        """The key of a request's Authorization header. Raises NotAuthorised.

        A key is remembered, because a report's transaction looks at it again; where nothing else does, `anew` is asked.
        """
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise NotAuthorised("the request has no key", "send Authorization: Bearer id.secret")
        key_id, secret = split_secret(text)
        now = self._clock() // 10**9
        known = None if anew else self._keys.get(key_id)
        if known is not None:
            try:
                if proved(known, secret, now) == known.sha256:
                    return known
            except NotAuthorised:
                # It may have a new secret since, or a new end.
                self._keys.pop(key_id, None)
        key = await asyncio.to_thread(self._proved, key_id, secret, now)
        self._keys[key_id] = key
        return key

    def _note(self, device_id: str, recording: Recording, recorded: Recorded) -> None:
        if recorded.duplicate:
            self.counters.duplicates += 1
            return
        self.counters.accepted += 1
        self.counters.rows_rejected += recorded.rejected_rows
        if recording.batch is not None:
            self.counters.points += recording.batch.points
        if recording.changed_choice or recording.changed_sources or recording.inventory_body:
            self._contexts.pop(device_id, None)
        self._recorded()

    def _record(self, connection: Connection, items: Sequence[Incoming]) -> Sequence[Recorded | Exception]:
        version = estate_version(connection)
        if version != self._estate_version:
            # Someone edited the estate: what is cached of devices may be out of date from the next report on.
            self._contexts.clear()
            self._keys.clear()
            self._estate_version = version
        return record(connection, items)

    def _proved(self, key_id: str, secret: str, now: int) -> KeyRow:
        """The key as the database has it; a new secret that is used for the first time takes its place."""
        with self._database.read() as connection:
            key = find_key(connection, key_id)
        used = proved(key, secret, now)
        if key is not None and used == key.sha256:
            return key
        renewed: KeyRow = self._writer.run(promote, Rotation(key_id, used, self._key_seconds))
        return renewed

    def _load(self, device_id: str) -> DeviceContext:
        with self._database.read() as connection:
            return load_context(connection, device_id)


def machine_of(header: str) -> tuple[str, str]:
    """Evidence of the machine and host name, both empty where they are not sent."""
    evidence, _, name = header.partition(" ")
    known = len(evidence) == 16 and evidence.isascii() and evidence.isalnum()
    return (evidence if known else ""), unquote(name.strip())[:256].replace("\0", "")


def _nanoseconds(headers: Mapping[str, str], name: str) -> int:
    text = headers.get(name.lower(), "")
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < 2**63):
        raise ReportUnreadable(name, "the header must be whole nanoseconds", "send the clock at the moment of sending")
    return int(text)
