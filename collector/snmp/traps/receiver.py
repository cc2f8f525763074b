"""Which packets count: those of known devices, with the right credential, at a bearable rate, and each once.

No clock, socket or process here: what comes in and when are arguments.
"""

import hashlib
import hmac
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from collector.snmp.ber import OCTETS, SEQUENCE, Broken, Reader, integer_part, part
from collector.snmp.client import Credential
from collector.snmp.traps.notification import INFORM, NOTIFICATIONS, RESPONSE, TRAP_V1, Notification, read_pdu
from collector.snmp.traps.user_security import (
    AUTH,
    NOT_IN_TIME,
    REPORTABLE,
    UNKNOWN_ENGINES,
    WINDOW_SECONDS,
    Clocks,
    OwnEngine,
    Refused,
    ScopedPdu,
    SecureMessage,
    UserKeys,
    opened,
    report,
    response,
    unpack,
)

REASONS = {
    "unknown_sender": "no polled device has the address it came from",
    "too_large": "over 16 KiB",
    "too_fast": "more from one address than 200 at once, then 50 a second",
    "not_snmp": "broken, or no SNMP",
    "not_a_notification": "SNMP of another kind, such as a question",
    "wrong_version": "v1 or v2c from a device whose credential is v3, or the other way round",
    "wrong_community": "another community than that of the device's credential",
    "wrong_user": "another user (v3)",
    "wrong_level": "less security than the device's credential has (v3)",
    "wrong_digest": "the authentication fails: another password or protocol (v3)",
    "not_decrypted": "the privacy password or protocol is another (v3)",
    "not_in_time": "older than what its sender had sent before, or than the answer it got (v3): sent a second time",
    "foreign_engine": "the SNMP engine of another polled device (v3): sent a second time from elsewhere",
    "queue_full": "the collector does not keep up",
    "too_many": "more from one device than 30 at once, then one a second, or than 1,000 in 24 hours",
    "not_recorded": "the database could not take it",
}
"""Why a packet does not count."""
CREDENTIAL_REASONS = frozenset(
    {"wrong_version", "wrong_community", "wrong_user", "wrong_level", "wrong_digest", "not_decrypted"}
)
"""Which speak of a device that is set up otherwise than the collector."""
LARGEST_PACKET = 16 * 1024
PACKETS_AT_ONCE, PACKETS_A_SECOND = 200, 50.0
REMEMBERED_SECONDS = 60.0
"""How long a notification that comes again is known: an inform is sent until it is answered."""
_MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Sender:
    """A known device at one of its addresses. `engine_id` is what its last inventory named, hexadecimal."""

    device_id: str
    address: str
    port: int
    credential: Credential
    engine_id: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A notification that counts. `key` names it: the answer to an inform is sent with `Receiver.recorded`."""

    device_id: str
    notification: Notification
    key: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a packet: something to keep, something to send back, or why it does not count."""

    taken: Taken | None = None
    reply: bytes | None = None
    reason: str = ""
    device_id: str = ""


@dataclass(slots=True)
class Bucket:
    """So many at once, then so many a second."""

    size: float
    rate: float
    level: float = field(default=-1.0)
    at: float = 0.0

    def take(self, now: float) -> bool:
        self.level = self.size if self.level < 0 else min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


@dataclass(slots=True)
class _Known:
    """A sender with its keys."""

    sender: Sender
    user: UserKeys
    community: bytes
    engine_id: bytes


@dataclass(slots=True)
class _Remembered:
    """A notification that came, and how it is answered once it is kept."""

    at: float
    reply: bytes | None
    recorded: bool = False


class Receiver:
    """Judges packets one by one."""

    def __init__(self, own: OwnEngine) -> None:
        self.own = own
        self.refused: Counter[str] = Counter()
        self._senders: dict[str, list[_Known]] = {}
        self._engines: dict[bytes, set[str]] = {}
        self._buckets: dict[str, Bucket] = {}
        self._clocks = Clocks()
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()
        self._reports = 0

    def know(self, senders: Iterable[Sender]) -> None:
        """The known devices, all of them. Keys that were made already are kept."""
        keys = {known.sender.credential: known.user for several in self._senders.values() for known in several}
        found: dict[str, list[_Known]] = {}
        self._engines = {}
        for one in sorted(senders, key=lambda sender: (sender.port != 161, sender.port, sender.device_id)):
            user = keys.setdefault(one.credential, UserKeys(one.credential))
            engine_id = bytes.fromhex(one.engine_id)
            known = _Known(one, user, one.credential.community.encode(), engine_id)
            found.setdefault(one.address, []).append(known)
            if engine_id:
                self._engines.setdefault(engine_id, set()).add(one.device_id)
        self._senders = found
        self._buckets = {address: bucket for address, bucket in self._buckets.items() if address in found}

    def take(self, packet: bytes, address: str, now: float) -> Result:
        """Judge a packet from an address, `now` seconds of a steady clock."""
        senders = self._senders.get(address)
        if senders is None:
            return self._refuse("unknown_sender")
        device_id = senders[0].sender.device_id
        bucket = self._buckets.setdefault(address, Bucket(PACKETS_AT_ONCE, PACKETS_A_SECOND))
        if not bucket.take(now):
            return self._refuse("too_fast", device_id)
        if len(packet) > LARGEST_PACKET:
            return self._refuse("too_large", device_id)
        try:
            return self._judge(packet, senders, now)
        except Broken:
            return self._refuse("not_snmp", device_id)
        except Refused as refusal:
            return self._refuse(refusal.reason, device_id)

    def _refuse(self, reason: str, device_id: str = "") -> Result:
        self.refused[reason] += 1
        return Result(reason=reason, device_id=device_id)

    def recorded(self, key: bytes) -> bytes | None:
        """A notification is kept: the answer to its sender, where it waits for one."""
        known = self._remembered.get(key)
        if known is None:
            return None
        known.recorded = True
        return known.reply

    def forget(self, key: bytes) -> None:
        """A notification could not be kept: when it comes again, it is new."""
        self._remembered.pop(key, None)

    def _judge(self, packet: bytes, senders: list[_Known], now: float) -> Result:
        message = Reader(packet).enter(SEQUENCE)
        version = message.integer()
        if version not in (0, 1, 3):
            raise Broken("no version of SNMP")
        those = [one for one in senders if (one.sender.credential.version == "v3") == (version == 3)]
        if not those:
            raise Refused("wrong_version")
        if version == 3:
            return self._secure(unpack(packet, message), those, now)
        community = message.string()
        right = [one for one in those if hmac.compare_digest(one.community, community)]
        if not right:
            raise Refused("wrong_community")
        tag = message.tag
        content = message.enter()
        if tag not in NOTIFICATIONS or (tag == TRAP_V1) != (version == 0):
            raise Refused("not_a_notification")
        answer = part(SEQUENCE, integer_part(version), part(OCTETS, community), part(RESPONSE, content.content))
        digest = hashlib.sha256(content.content).digest()
        return self._keep(right[0], read_pdu(content, tag), digest, answer, now)

    def _secure(self, message: SecureMessage, senders: list[_Known], now: float) -> Result:
        mine = message.engine_id == self.own.engine_id
        if message.flags & REPORTABLE and not mine:
            # Whoever wants an answer must first know who this is: an inform begins so.
            return Result(reply=self._report(message, UNKNOWN_ENGINES, None, now))
        known, pdu = self._opened(message, senders)
        if mine and message.flags & AUTH:
            late = abs(self.own.time(now) - message.time) > WINDOW_SECONDS
            if message.boots != self.own.boots or late:
                if not message.flags & REPORTABLE:
                    raise Refused("not_in_time")
                return Result(reply=self._report(message, NOT_IN_TIME, known.user, now))
        elif not mine:
            if known.sender.device_id not in self._engines.get(message.engine_id, {known.sender.device_id}):
                raise Refused("foreign_engine")
            if message.flags & AUTH:
                self._clocks.take(message, known.sender.device_id, now)
        # An inform that names another authority could not be answered so that its sender believes it.
        if pdu.tag not in NOTIFICATIONS - {TRAP_V1} or (pdu.tag == INFORM) != mine:
            raise Refused("not_a_notification")
        content = Reader(pdu.content)
        notification = read_pdu(content, pdu.tag)
        answer = response(message, pdu, known.user, self.own, now) if notification.confirmed else None
        return self._keep(known, notification, hashlib.sha256(pdu.content).digest(), answer, now)

    def _opened(self, message: SecureMessage, senders: list[_Known]) -> tuple[_Known, ScopedPdu]:
        """Which of the devices at the address it is. Raises the refusal of the first where it is none of them."""
        first: Refused | None = None
        # Of several with one user the engine id tells which.
        for one in sorted(senders, key=lambda known: known.engine_id != message.engine_id):
            try:
                return one, opened(message, one.user)
            except Refused as refusal:
                first = first or refusal
        raise first or Refused("wrong_user")

    def _report(self, message: SecureMessage, statistic: str, user: UserKeys | None, now: float) -> bytes:
        self._reports += 1
        return report(message, statistic, self._reports, user, self.own, now)

    def _keep(
        self, known: _Known, notification: Notification, digest: bytes, answer: bytes | None, now: float
    ) -> Result:
        """New, or one that came before: then it is answered again, and not counted."""
        device_id = known.sender.device_id
        key = hashlib.sha256(device_id.encode() + digest).digest()
        answer = answer if notification.confirmed else None
        while self._remembered:
            oldest = next(iter(self._remembered.values()))
            if len(self._remembered) < _MOST_REMEMBERED and now - oldest.at <= REMEMBERED_SECONDS:
                break
            self._remembered.popitem(last=False)
        before = self._remembered.get(key)
        if before is not None:
            before.reply = answer
            return Result(reply=answer if before.recorded else None, device_id=device_id)
        self._remembered[key] = _Remembered(now, answer)
        return Result(Taken(device_id, notification, key), device_id=device_id)
