"""SNMPv3's user-based security (RFC 3414, 7860, 3826) for what comes in by itself, and for the answers to it.

Of a trap the sender's engine is the authority, of an inform this receiver's. Keys are made from the user's passwords and
the engine id that the packet names; the passwords are those of the device whose address it comes from, so that one name
may have other passwords elsewhere. Encryption itself is pysnmp's.
"""

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from collector.snmp.ber import OCTETS, SEQUENCE, Broken, Reader, integer_part, oid_part, part
from collector.snmp.client import AuthProtocol, Credential
from collector.snmp.traps.notification import REPORT, RESPONSE

AUTH, PRIV, REPORTABLE = 1, 2, 4
"""msgFlags."""
USER_BASED = 3
WINDOW_SECONDS = 150
LARGEST_MESSAGE = 65_507
UNKNOWN_ENGINES, NOT_IN_TIME = "1.3.6.1.6.3.15.1.1.4.0", "1.3.6.1.6.3.15.1.1.2.0"
_LARGEST_BOOTS = 2**31 - 1
_MOST_CLOCKS = 10_000
_PASSWORD_OCTETS = 1 << 20
"""A key is the digest of a password repeated to this length (RFC 3414, A.2)."""
_DIGESTS: dict[AuthProtocol, tuple[str, int]] = {
    "MD5": ("md5", 12),
    "SHA-1": ("sha1", 12),
    "SHA-224": ("sha224", 16),
    "SHA-256": ("sha256", 24),
    "SHA-384": ("sha384", 32),
    "SHA-512": ("sha512", 48),
}
"""Hash, and octets of its digest that a message carries."""


class Refused(Exception):
    """A packet is not taken; `reason` is one of `receiver.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SecureMessage:
    """A v3 message, unpacked and not yet believed."""

    packet: bytes
    message_id: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    digest: bytes
    digest_at: int
    salt: bytes
    data: Reader
    """The scoped PDU, encrypted where the flags say so."""


@dataclass(frozen=True, slots=True)
class ScopedPdu:
    """Whom a PDU speaks of, its tag and content."""

    context_engine_id: bytes
    context_name: bytes
    tag: int
    content: bytes


@dataclass(frozen=True, slots=True)
class OwnEngine:
    """This receiver as an authority: its id, how often it started, and when it did (seconds of a steady clock)."""

    engine_id: bytes
    boots: int
    started: float

    def time(self, now: float) -> int:
        return int(now - self.started)


class UserKeys:
    """A user's keys, made from the passwords when they are first needed: that takes milliseconds."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self.name = credential.user.encode()
        self.level = (AUTH if credential.auth_protocol else 0) | (PRIV if credential.priv_protocol else 0)
        self.hash, self.digest_length = _DIGESTS.get(credential.auth_protocol, ("", 0))

    @cached_property
    def _auth_master(self) -> bytes:
        return _master(self._credential.auth_key, self.hash)

    @cached_property
    def _priv_master(self) -> bytes:
        return _master(self._credential.priv_key, self.hash)

    @cached_property
    def _privacy(self) -> tuple[Any, Any]:
        """pysnmp's names of both protocols: of the privacy what does it, of the authentication its OID."""
        # In a process that hears no encrypted v3, pysnmp and what it needs are not loaded.
        from pysnmp.proto.secmod.rfc3414 import service  # noqa: PLC0415  # see above

        kinds = {
            "DES": service.des.Des,
            "AES-128": service.aes.Aes,
            "AES-192": service.aes192.AesBlumenthal192,
            "AES-256": service.aes256.AesBlumenthal256,
            "AES-192-C": service.aes192.Aes192,
            "AES-256-C": service.aes256.Aes256,
        }
        hashes = {
            "md5": service.hmacmd5.HmacMd5.SERVICE_ID,
            "sha1": service.hmacsha.HmacSha.SERVICE_ID,
            "sha224": service.hmacsha2.HmacSha2.SHA224_SERVICE_ID,
            "sha256": service.hmacsha2.HmacSha2.SHA256_SERVICE_ID,
            "sha384": service.hmacsha2.HmacSha2.SAH384_SERVICE_ID,
            "sha512": service.hmacsha2.HmacSha2.SHA512_SERVICE_ID,
        }
        return kinds[self._credential.priv_protocol](), hashes[self.hash]

    def digest(self, engine_id: bytes, message: bytes) -> bytes:
        """The digest that a message of this user with that authority must carry."""
        key = hashlib.new(self.hash, self._auth_master + engine_id + self._auth_master).digest()
        return hmac.digest(key, message, self.hash)[: self.digest_length]

    def decrypt(self, engine_id: bytes, boots: int, time: int, salt: bytes, data: bytes) -> bytes:
        service, key, octets = self._privacy_of(engine_id)
        try:
            return bytes(service.decrypt_data(key, (boots, time, octets(salt)), octets(data)))
        except Exception as error:  # pysnmp's and the cipher's own errors have nothing in common
            raise Refused("not_decrypted") from error

    def encrypt(self, engine_id: bytes, boots: int, time: int, data: bytes) -> tuple[bytes, bytes]:
        """Encrypted data and its salt."""
        service, key, _ = self._privacy_of(engine_id)
        encrypted, salt = service.encrypt_data(key, (boots, time, None), data)
        return bytes(encrypted), bytes(salt)

    def _privacy_of(self, engine_id: bytes) -> tuple[Any, Any, Any]:
        from pyasn1.type.univ import OctetString  # noqa: PLC0415  # with pysnmp alone

        service, authentication = self._privacy
        key = service.localize_key(authentication, OctetString(self._priv_master), OctetString(engine_id))
        return service, key, OctetString


def _master(password: str, name: str) -> bytes:
    octets = password.encode()
    repeated = octets * (_PASSWORD_OCTETS // len(octets) + 1)
    return hashlib.new(name, repeated[:_PASSWORD_OCTETS]).digest()


def unpack(packet: bytes, message: Reader) -> SecureMessage:
    """A v3 message from what follows its version. Raises Broken."""
    header = message.enter(SEQUENCE)
    message_id, _, flags, model = header.integer(), header.integer(), header.string(), header.integer()
    if model != USER_BASED or len(flags) != 1 or flags[0] & (AUTH | PRIV) == PRIV:
        raise Broken("another security model")
    security = message.enter(OCTETS).enter(SEQUENCE)
    engine_id, boots, time, user = security.string(), security.integer(), security.integer(), security.string()
    digest = security.enter(OCTETS)
    salt = security.string()
    if len(engine_id) > 32 or len(user) > 32 or not 0 <= boots <= _LARGEST_BOOTS or not 0 <= time <= _LARGEST_BOOTS:
        raise Broken("no security parameters")
    data = message.enter(OCTETS if flags[0] & PRIV else SEQUENCE)
    message.close()
    return SecureMessage(
        packet, message_id, flags[0], engine_id, boots, time, user, digest.content, digest.at, salt, data
    )


class Clocks:
    """What is known of senders' own times, so that an old message is not taken twice (RFC 3414, section 3.2, 7b)."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, bytes], tuple[int, int, float]] = OrderedDict()

    def take(self, message: SecureMessage, device_id: str, now: float) -> None:
        """Note an authenticated message's time. Raises Refused for one that is older than what is known.

        An engine id is one device's by right, and copied along with configurations in fact.
        """
        key = (device_id, message.engine_id)
        known = self._known.get(key)
        if message.boots == _LARGEST_BOOTS:
            raise Refused("not_in_time")
        if known is not None:
            boots, time, at = known
            newer = (message.boots, message.time) > (boots, time)
            late = message.boots < boots or (
                message.boots == boots and message.time < time + (now - at) - WINDOW_SECONDS
            )
            if late:
                raise Refused("not_in_time")
            if not newer:
                return
        self._known[key] = (message.boots, message.time, now)
        self._known.move_to_end(key)
        if len(self._known) > _MOST_CLOCKS:
            self._known.popitem(last=False)


def opened(message: SecureMessage, user: UserKeys) -> ScopedPdu:
    """The PDU of a message that this user has sent. Raises Refused for any other, Broken for what is no PDU.

    Its time is not looked at yet.
    """
    if not hmac.compare_digest(message.user, user.name):
        raise Refused("wrong_user")
    if message.flags & (AUTH | PRIV) & user.level != user.level:
        raise Refused("wrong_level")
    data = message.data
    if user.level & AUTH:
        length = user.digest_length
        begin, end = message.digest_at, message.digest_at + len(message.digest)
        blank = message.packet[:begin] + bytes(len(message.digest)) + message.packet[end:]
        right = user.digest(message.engine_id, blank)
        if len(message.digest) != length or not hmac.compare_digest(message.digest, right):
            raise Refused("wrong_digest")
    if message.flags & PRIV:
        if not user.level & PRIV:
            raise Refused("wrong_level")
        plain = user.decrypt(message.engine_id, message.boots, message.time, message.salt, data.content)
        try:
            data = Reader(plain).enter(SEQUENCE)  # block ciphers leave something behind it
            return scoped(data)
        except Broken as error:
            raise Refused("not_decrypted") from error
    return scoped(data)


def scoped(data: Reader) -> ScopedPdu:
    """The parts of a scoped PDU. Raises Broken."""
    context_engine_id, context_name, tag = data.string(), data.string(), data.tag
    content = data.enter().content
    return ScopedPdu(context_engine_id, context_name, tag or 0, content)


def response(message: SecureMessage, pdu: ScopedPdu, user: UserKeys, own: OwnEngine, now: float) -> bytes:
    """The answer to an inform: its own PDU back, as a response."""
    answer = part(RESPONSE, pdu.content)
    data = part(SEQUENCE, part(OCTETS, pdu.context_engine_id), part(OCTETS, pdu.context_name), answer)
    return _message(message.message_id, user.level, user, own, now, data)


def report(
    message: SecureMessage, statistic: str, count: int, user: UserKeys | None, own: OwnEngine, now: float
) -> bytes:
    """A report that tells who and when this receiver is; authenticated where a user is given."""
    variable = part(SEQUENCE, oid_part(statistic), integer_part(count & 0x7FFFFFFF, 0x41))
    pdu = part(REPORT, integer_part(0), integer_part(0), integer_part(0), part(SEQUENCE, variable))
    data = part(SEQUENCE, part(OCTETS, own.engine_id), part(OCTETS), pdu)
    level = AUTH if user is not None and user.level & AUTH else 0
    return _message(message.message_id, level, user, own, now, data)


def _message(message_id: int, level: int, user: UserKeys | None, own: OwnEngine, now: float, data: bytes) -> bytes:
    time, salt = own.time(now), b""
    if user is not None and level & PRIV:
        data, salt = user.encrypt(own.engine_id, own.boots, time, data)
        data = part(OCTETS, data)
    header = part(
        SEQUENCE,
        integer_part(message_id),
        integer_part(LARGEST_MESSAGE),
        part(OCTETS, bytes((level,))),
        integer_part(USER_BASED),
    )

    def whole(digest: bytes) -> bytes:
        name = user.name if user is not None else b""
        security = part(
            SEQUENCE,
            part(OCTETS, own.engine_id),
            integer_part(own.boots),
            integer_part(time),
            part(OCTETS, name),
            part(OCTETS, digest),
            part(OCTETS, salt),
        )
        return part(SEQUENCE, integer_part(3), header, part(OCTETS, security), data)

    if user is None or not level & AUTH:
        return whole(b"")
    return whole(user.digest(own.engine_id, whole(bytes(user.digest_length))))
