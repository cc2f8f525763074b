"""Asking devices with `pysnmp` (pure Python; every platform).

v1 and v2c: pysnmp's messages over a socket of our own, because its dispatcher takes answers from any sender and with any
community, and drops a broken one with a stack trace. v3: its engine, which does the security.
"""

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Sequence
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.carrier.asyncio.dispatch import AsyncioDispatcher
from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch.asyncio import (
    ContextData,
    SnmpEngine,
    Udp6TransportTarget,
    UdpTransportTarget,
    UsmUserData,
    bulk_cmd,
    get_cmd,
    next_cmd,
)
from pysnmp.hlapi.v3arch.asyncio import auth as usm
from pysnmp.proto import api, errind, rfc1155, rfc1902
from pysnmp.smi.rfc1902 import ObjectIdentity, ObjectType

from collector.snmp.client import (
    Credential,
    Endpoint,
    SnmpAuthError,
    SnmpError,
    SnmpProtocolError,
    SnmpUserError,
)
from collector.snmp.exchange import Answer, Calls, ExchangeClient, Kind, silent, where
from collector.snmp.udp import Link, address, connect
from collector.snmp.values import Oid, SnmpValue, opaque

_GRACE_SECONDS = 0.3
"""How long a good answer may follow a broken one."""
_TICK_SECONDS = 0.1

_AUTHENTICATION = {
    "": usm.USM_AUTH_NONE,
    "MD5": usm.USM_AUTH_HMAC96_MD5,
    "SHA-1": usm.USM_AUTH_HMAC96_SHA,
    "SHA-224": usm.USM_AUTH_HMAC128_SHA224,
    "SHA-256": usm.USM_AUTH_HMAC192_SHA256,
    "SHA-384": usm.USM_AUTH_HMAC256_SHA384,
    "SHA-512": usm.USM_AUTH_HMAC384_SHA512,
}
_PRIVACY = {
    "": usm.USM_PRIV_NONE,
    "DES": usm.USM_PRIV_CBC56_DES,
    "AES-128": usm.USM_PRIV_CFB128_AES,
    "AES-192": usm.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "AES-256": usm.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "AES-192-C": usm.USM_PRIV_CFB192_AES,
    "AES-256-C": usm.USM_PRIV_CFB256_AES,
}


class PysnmpClient(ExchangeClient):
    """The port by pysnmp alone."""

    def __init__(self, endpoint: Endpoint, credential: Credential, calls: Calls | None = None) -> None:
        kind = _SecureExchange if credential.version == "v3" else _CommunityExchange
        super().__init__(endpoint, kind(endpoint, credential), calls)


class _CommunityExchange:
    """v1 and v2c."""

    def __init__(self, endpoint: Endpoint, credential: Credential) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._v1 = credential.version == "v1"
        self._protocol: Any = api.PROTOCOL_MODULES[api.SNMP_VERSION_1 if self._v1 else api.SNMP_VERSION_2C]
        self._ids = itertools.count(random.SystemRandom().randrange(1 << 24))
        self._late: deque[int] = deque(maxlen=16)
        self._socket: asyncio.DatagramTransport | None = None
        self._link = Link()
        self.has_bulk = not self._v1

    async def ask(self, kind: Kind, oids: Sequence[str], repetitions: int = 0) -> Answer:
        if self._socket is None:
            host, _ = await address(self._endpoint)
            self._socket, self._link = await connect(host, self._endpoint.port)
        request_id = next(self._ids) & 0x7FFFFFFF
        packet = self._packet(kind, oids, repetitions, request_id)
        self._late.append(request_id)
        strange = ""
        for _ in range(self._endpoint.retries + 1):
            self._link.refused.clear()
            self._socket.sendto(packet)
            found = await self._wait(request_id)
            if isinstance(found, Answer):
                return found
            strange = strange or found
        if strange:
            raise SnmpProtocolError(
                f"{where(self._endpoint)} answers with {strange}",
                "check that an SNMP agent listens there; a newer firmware may answer rightly",
            )
        raise silent(self._endpoint, self._credential, refused=self._link.refused.is_set())

    async def _wait(self, request_id: int) -> Answer | str:
        """The answer, or what was strange in what came instead ("" for nothing)."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._endpoint.timeout_seconds
        strange = ""
        while (left := until - loop.time()) > 0:
            packets = asyncio.ensure_future(self._link.packets.get())
            refused = asyncio.ensure_future(self._link.refused.wait())
            try:
                await asyncio.wait((packets, refused), timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if not packets.done():
                    return strange
                found = self._read(packets.result(), request_id)
            finally:
                packets.cancel()
                refused.cancel()
            if isinstance(found, Answer):
                return found
            if found:
                strange = strange or found
                until = min(until, loop.time() + _GRACE_SECONDS)
        return strange

    def _packet(self, kind: Kind, oids: Sequence[str], repetitions: int, request_id: int) -> bytes:
        protocol = self._protocol
        variables = [(rfc1902.ObjectName(oid), protocol.null) for oid in oids]
        if kind == "bulk":
            pdu = protocol.GetBulkRequestPDU()
            protocol.apiBulkPDU.set_defaults(pdu)
            protocol.apiBulkPDU.set_non_repeaters(pdu, 0)
            protocol.apiBulkPDU.set_max_repetitions(pdu, repetitions)
            protocol.apiBulkPDU.set_varbinds(pdu, variables)
        else:
            pdu = protocol.GetRequestPDU() if kind == "get" else protocol.GetNextRequestPDU()
            protocol.apiPDU.set_defaults(pdu)
            protocol.apiPDU.set_varbinds(pdu, variables)
        protocol.apiPDU.set_request_id(pdu, request_id)
        message = protocol.Message()
        protocol.apiMessage.set_defaults(message)
        protocol.apiMessage.set_community(message, self._credential.community)
        protocol.apiMessage.set_pdu(message, pdu)
        return bytes(encoder.encode(message))

    def _read(self, packet: bytes, request_id: int) -> Answer | str:
        """The answer in a packet; or what is strange about it, "" where it is but late."""
        protocol = self._protocol
        try:
            message, rest = decoder.decode(packet, asn1Spec=protocol.Message())
            pdu = protocol.apiMessage.get_pdu(message)
            if pdu.tagSet != protocol.GetResponsePDU.tagSet:
                return "another kind of SNMP message"
            answered = int(protocol.apiPDU.get_request_id(pdu))
            error = int(protocol.apiPDU.get_error_status(pdu))
            index = int(protocol.apiPDU.get_error_index(pdu, muteErrors=True))
            variables = [] if error else [(str(oid), plain(value)) for oid, value in protocol.apiPDU.get_varbinds(pdu)]
        except (PyAsn1Error, PySnmpError, ValueError, IndexError, TypeError, AttributeError, OverflowError):
            return "what is no SNMP"  # pyasn1 raises nearly everything for broken octets
        if rest or int(message["version"]) != (0 if self._v1 else 1):
            return "what is no SNMP of this version"
        if bytes(protocol.apiMessage.get_community(message)) != self._credential.community.encode():
            return "another community"
        if answered != request_id:
            return "" if answered in self._late else "another request's number"
        return Answer(error, index, variables)

    async def close(self) -> None:
        if self._socket is not None:
            self._socket.close()


class _SecureExchange:
    """v3, with pysnmp's engine: one a device, so that the engine ids that it keeps are this device's alone."""

    has_bulk = True

    def __init__(self, endpoint: Endpoint, credential: Credential) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._engine: SnmpEngine | None = None
        self._target: UdpTransportTarget | Udp6TransportTarget | None = None
        self._known = False
        authenticated = bool(credential.auth_protocol)
        self._user = UsmUserData(
            credential.user,
            credential.auth_key if authenticated else None,
            credential.priv_key if credential.priv_protocol else None,
            _AUTHENTICATION[credential.auth_protocol],
            _PRIVACY[credential.priv_protocol],
        )
        self._context = ContextData(contextName=credential.context.encode())

    async def ask(self, kind: Kind, oids: Sequence[str], repetitions: int = 0) -> Answer:
        endpoint = self._endpoint
        variables = [ObjectType(ObjectIdentity(oid)) for oid in oids]
        indication: Any = None
        for _ in range(endpoint.retries + 1):
            place = (await self._place(), self._user, self._target, self._context)
            try:
                # Discovery of the engine and of its clock are requests of their own.
                async with asyncio.timeout(4 * endpoint.timeout_seconds):
                    if kind == "bulk":
                        found = await bulk_cmd(*place, 0, repetitions, *variables, lookupMib=False)
                    else:
                        command = get_cmd if kind == "get" else next_cmd
                        found = await command(*place, *variables, lookupMib=False)
            except TimeoutError:
                continue
            except PySnmpError as error:
                raise SnmpProtocolError(f"{where(endpoint)}: {type(error).__name__}") from error
            indication, status, index, answered = found
            if not indication:
                self._known = True
                values = [] if int(status) else [(str(oid), plain(value)) for oid, value in answered]
                return Answer(int(status), int(index), values)
            if not isinstance(indication, errind.RequestTimedOut):
                break
            if self._known:
                # The device may have started again with another engine id, which pysnmp takes for silence.
                await self.close()
        raise self._error(indication)

    async def _place(self) -> SnmpEngine:
        """The engine, made at the first request."""
        if self._engine is None:
            host, six = await address(self._endpoint)
            kind = Udp6TransportTarget if six else UdpTransportTarget
            port, seconds = self._endpoint.port, self._endpoint.timeout_seconds
            dispatcher = AsyncioDispatcher()
            dispatcher.set_timer_resolution(_TICK_SECONDS)
            self._engine = SnmpEngine()
            self._engine.register_transport_dispatcher(dispatcher)
            self._target = await kind.create((host, port), timeout=seconds, retries=0)
        return self._engine

    def _error(self, indication: Any) -> SnmpError:
        endpoint, user = self._endpoint, self._credential.user
        if indication is None or isinstance(indication, errind.RequestTimedOut):
            return silent(endpoint, self._credential)
        for kinds, message, remedy in _REFUSALS:
            if isinstance(indication, kinds):
                unknown = isinstance(indication, _UNKNOWN_USER)
                kind = SnmpUserError if unknown else SnmpAuthError
                return kind(message.format(where=where(endpoint), user=user), remedy)
        return SnmpProtocolError(
            f"{where(endpoint)} gives no usable answer ({type(indication).__name__})",
            "check that an SNMPv3 agent listens there; a newer firmware may answer rightly",
        )

    async def close(self) -> None:
        if self._engine is not None:
            self._engine.close_dispatcher()
        self._engine, self._known = None, False


_UNKNOWN_USER = (errind.UnknownUserName, errind.UnknownSecurityName)
_REFUSALS: tuple[tuple[tuple[type, ...], str, str], ...] = (
    (
        _UNKNOWN_USER,
        "{where} does not know the user {user}",
        "create the user in the device, or give the name that it has there",
    ),
    (
        (errind.WrongDigest, errind.AuthenticationFailure, errind.AuthenticationError),
        "{where} refuses the authentication of the user {user}",
        "check the authentication password and protocol (SHA-1, SHA-256 ...)",
    ),
    (
        (errind.DecryptionError, errind.EncryptionError),
        "{where} cannot decrypt what the user {user} asks",
        "check the privacy password and protocol (AES-128, AES-256 ...; of AES-192 and AES-256 also the -C kinds)",
    ),
    (
        (errind.UnsupportedSecurityLevel, errind.NoAuthentication, errind.NoEncryption),
        "{where} does not serve the user {user} at this security level",
        "give both passwords for authPriv, or set the user's level in the device",
    ),
    (
        (errind.NotInTimeWindow,),
        "{where} says that requests of the user {user} are out of its time",
        "its clock or boot counter jumps; restart its SNMP agent",
    ),
    (
        (errind.UnknownEngineID, errind.EngineIDMismatch),
        "{where} does not keep to its SNMP engine id",
        "another device may answer at this address",
    ),
)


def plain(value: Any) -> SnmpValue | None:
    """A value of pysnmp's as Python's; None where there is none (no such object, end of the tree, NULL)."""
    if isinstance(value, univ.Null):  # also noSuchObject, noSuchInstance and endOfMibView
        return None
    if isinstance(value, univ.Integer):
        return int(value)
    if isinstance(value, univ.ObjectIdentifier):
        return Oid(str(value))
    octets = bytes(value)
    if isinstance(value, (rfc1155.IpAddress, rfc1902.IpAddress)):
        return ".".join(map(str, octets))
    if isinstance(value, (rfc1155.Opaque, rfc1902.Opaque)):
        return opaque(octets)
    return octets
