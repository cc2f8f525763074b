"""Asking devices with `gufo-snmp` (Rust; Linux and macOS): a small part of pysnmp's processor time.

gufo 0.13 is fast and forgetful: it takes an error status for "no such object" and for the end of a table, asks GETNEXT
and GETBULK for one column only, reads at most 4096 octets, walks on where OIDs do not increase, knows nothing of lost
packets, and panics on some broken ones. So it does what a poll is made of (values whose OIDs are known, long columns),
and whatever it cannot tell for certain is asked again with pysnmp.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from gufo.snmp import SnmpVersion
from gufo.snmp._fast import GetIter
from gufo.snmp._fast import SnmpAuthError as GufoAuthError
from gufo.snmp._fast import SnmpError as GufoError
from gufo.snmp.aio import SnmpSession
from gufo.snmp.user import (
    Aes128Key,
    Aes192Key,
    Aes256Key,
    DesKey,
    KeyExpansion,
    Md5Key,
    Sha1Key,
    Sha224Key,
    Sha256Key,
    Sha384Key,
    Sha512Key,
    User,
)

from collector.snmp.client import Credential, Endpoint, SnmpTimeout
from collector.snmp.exchange import Call, Cursor, batches, topmost
from collector.snmp.oids import arcs
from collector.snmp.pysnmp_client import PysnmpClient, silent
from collector.snmp.udp import address
from collector.snmp.values import Oid, SnmpValue, opaque

T = TypeVar("T")
REPETITIONS = 10
"""Values of a column a request: with v3, more are cut off without a word."""
MOST_ASKED, MOST_ASKED_SECURELY = 50, 25
"""OIDs a request; with v3 gufo takes no answer above 2 kB or so, and a device may then say nothing at all."""
FAR_SECONDS = 0.25
"""A device whose answers take longer is asked for many columns at once, which only pysnmp can, at several times the
processor time. Where many devices are asked at once, answers wait for us: a short time would take all of them for far."""
IDLE_SECONDS = 120.0
"""After so long, v3's clock of the device is asked again: it may differ by 150 s at most."""
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_VERSIONS = {"v1": SnmpVersion.v1, "v2c": SnmpVersion.v2c, "v3": SnmpVersion.v3}

_AUTHENTICATION = {
    "MD5": Md5Key,
    "SHA-1": Sha1Key,
    "SHA-224": Sha224Key,
    "SHA-256": Sha256Key,
    "SHA-384": Sha384Key,
    "SHA-512": Sha512Key,
}
_PRIVACY = {"DES": DesKey, "AES-128": Aes128Key, "AES-192": Aes192Key, "AES-256": Aes256Key}


class _NotForGufo(Exception):
    """What came is for pysnmp to look at."""


class GufoClient:
    """The port by gufo, with pysnmp beside it for what gufo cannot tell. One call at a time; others wait."""

    def __init__(self, endpoint: Endpoint, credential: Credential) -> None:
        self.endpoint = endpoint
        self._credential = credential
        self._careful = PysnmpClient(endpoint, credential)
        self._session: SnmpSession | None = None
        self._used = 0.0
        self._most = MOST_ASKED_SECURELY if credential.version == "v3" else MOST_ASKED
        self._tries = endpoint.retries + 1
        self._has_bulk = credential.version != "v1"

    async def get(self, oids: Iterable[str]) -> dict[str, SnmpValue]:
        async with self._careful.calling() as call:
            for batch in batches(oids, self._most):
                await self._get(call, batch)
        return call.end()

    async def heads(self, oids: Iterable[str]) -> dict[str, SnmpValue]:
        return await self._careful.heads(oids)

    async def walk(self, columns: Iterable[str]) -> dict[str, SnmpValue]:
        async with self._careful.calling() as call:
            cursors = [Cursor(column, column) for column in topmost(columns)]
            # Which columns there are at all, many a request.
            began = time.monotonic()
            await self._careful.first(call, cursors)
            requests = 1 + len(cursors) // self._careful.most
            far = time.monotonic() - began > FAR_SECONDS * requests
            for one in cursors:
                if not one.done and call.bulk and not far:
                    await self._column(call, one)
            # Of a device far away many columns a request are sooner there, whatever they cost.
            await self._careful.walk_on(call, cursors)
        if self._credential.version == "v3":
            # pysnmp keeps more than 1 MB for each device; what follows are polls, which seldom need it.
            await self._careful.close()
        return call.end()

    async def close(self) -> None:
        self._session = None
        await self._careful.close()

    async def _get(self, call: Call, oids: Sequence[str]) -> None:
        call.in_time()
        found: dict[str, Any] = {}
        try:
            found = await self._asked(lambda session: session.get_many(oids))
        except _NotForGufo:
            pass
        except SnmpTimeout:
            # A device that has answered, if only v3's discovery, may drop in silence what is too long for it.
            if not self._careful.has_answered:
                raise
        values = {oid: _plain(value) for oid, value in found.items() if value is not None}
        # With nothing in it, the answer may have been an error; with what nobody asked for, it is none.
        if not values or not set(found) <= set(oids):
            for batch in batches(oids, self._careful.most):
                await self._careful.get_batch(call, batch)
            return
        call.found.update(values)

    async def _column(self, call: Call, cursor: Cursor) -> None:
        """One column to its end. gufo begins at the column itself, whatever was read of it."""
        start = cursor.at
        cursor.at, cursor.count = cursor.column, 0
        place = GetIter(cursor.column, REPETITIONS)
        try:
            while not cursor.done:
                call.in_time()
                rows = await self._asked(lambda session: _next_rows(session, place, self._has_bulk))
                if not rows:
                    break  # the end of the device's tree, or an error status
                for row in rows:
                    if row is None:
                        cursor.done = True
                    else:
                        self._careful.advance(call, cursor, row[0], None if row[1] is None else _plain(row[1]))
        except _NotForGufo:
            pass
        except SnmpTimeout:
            # What it has answered before, it may only not answer at such length.
            call.bulk = False
        if not cursor.done:
            if arcs(cursor.at) < arcs(start):
                cursor.at, cursor.count = start, 1
            await self._careful.walk_on(call, [cursor])

    async def _asked(self, request: Callable[[SnmpSession], Awaitable[T]]) -> T:
        """A request with its retries. Raises SnmpTimeout, or _NotForGufo for what needs another look.

        v3 begins anew where a session that was good is refused or gets no answer: the device may have started again,
        with another clock or engine id, which gufo takes for silence.
        """
        kept = self._session is not None and self._credential.version == "v3"
        try:
            session = await self._open()
            return await self._tried(lambda: request(session), 1 if kept else self._tries)
        except GufoAuthError:
            self._session = None
        except SnmpTimeout:
            if not kept:
                raise
            self._session = None
        try:
            session = await self._open()
            return await self._tried(lambda: request(session), self._tries)
        except GufoAuthError as error:
            raise _NotForGufo from error

    async def _open(self) -> SnmpSession:
        """The session, with v3's engine and clock known and fresh."""
        session = self._session
        if session is None:
            credential = self._credential
            host, _ = await address(self.endpoint)
            session = SnmpSession(
                host,
                port=self.endpoint.port,
                community=credential.community,
                user=_user(credential) if credential.version == "v3" else None,
                version=_VERSIONS[credential.version],
                timeout=self.endpoint.timeout_seconds,
            )
        fresh = session is self._session and time.monotonic() - self._used <= IDLE_SECONDS
        if self._credential.version == "v3" and not fresh:
            await self._tried(session.refresh, self._tries)
        self._session = session
        self._used = time.monotonic()
        return session

    async def _tried(self, request: Callable[[], Awaitable[T]], tries: int) -> T:
        """A request, so many times. Raises SnmpTimeout, GufoAuthError, _NotForGufo."""
        for _ in range(tries):
            try:
                # gufo's own timeout begins anew with every stray packet.
                async with asyncio.timeout(self.endpoint.timeout_seconds):
                    found = await request()
            except TimeoutError:
                continue
            except GufoAuthError:
                raise
            except (GufoError, RuntimeError, OSError, ValueError) as error:
                raise _NotForGufo from error
            except BaseException as error:
                # A panic of Rust is no Exception. Its session is not used again.
                if type(error).__name__ != "PanicException":
                    raise
                self._session = None
                raise _NotForGufo from error
            else:
                self._careful.has_answered = True
                return found
        raise silent(self.endpoint, self._credential)


async def _next_rows(session: SnmpSession, place: GetIter, bulk: bool) -> Sequence[tuple[str, Any] | None]:
    """The next values of a column; None behind the last; nothing where gufo sees neither."""
    # The iterator that gufo makes of this hides how a column ended.
    socket = session._sock
    try:
        if bulk:
            await session._send(lambda: socket.send_get_bulk(place))
            return await session._recv(lambda: socket.recv_get_bulk(place))
        await session._send(lambda: socket.send_get_next(place))
        return [await session._recv(lambda: socket.recv_get_next(place))]
    except StopAsyncIteration:
        return []


def _user(credential: Credential) -> User:
    """gufo's form of a v3 user."""
    cisco = credential.priv_protocol.endswith("-C")
    authentication = _AUTHENTICATION.get(credential.auth_protocol)
    privacy = _PRIVACY.get(credential.priv_protocol.removesuffix("-C"))
    return User(
        credential.user,
        auth_key=authentication(credential.auth_key.encode()) if authentication else None,
        priv_key=privacy(credential.priv_key.encode()) if privacy else None,
        key_expansion=KeyExpansion.Cisco if cisco else KeyExpansion.Blumenthal,
    )


def _plain(value: Any) -> SnmpValue:
    """A value of gufo's as ours. gufo gives addresses and OIDs as text alike, and Opaque as octets."""
    if isinstance(value, bytes):
        return opaque(value)
    if isinstance(value, str):
        return value if _ADDRESS.fullmatch(value) else Oid(value)
    number: int | float = value
    return number
