"""Asking devices with `gufo-snmp` (Rust; Linux and macOS): a small part of pysnmp's processor time.

gufo 0.13 is fast and forgetful: it takes an error status for "no such object" and for the end of a table, asks GETNEXT
and GETBULK for one column only, reads at most 4096 octets, walks on where OIDs do not increase, knows nothing of lost
packets, and panics on some broken ones. So it does what a poll is made of (values whose OIDs are known, long columns),
and whatever it cannot tell for certain is asked again with pysnmp.
"""

import math
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from gufo.snmp import SnmpVersion
from gufo.snmp._fast import GetIter
from gufo.snmp._fast import SnmpAuthError as GufoAuthError
from gufo.snmp._fast import SnmpError as GufoError
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

from collector.snmp.client import Credential, Endpoint, SnmpError, SnmpTimeout
from collector.snmp.exchange import Call, Calls, Cursor, ExchangeClient, advance, batches, heads_of, silent, topmost
from collector.snmp.gufo_session import GufoSession
from collector.snmp.oids import arcs, is_instance
from collector.snmp.udp import address
from collector.snmp.values import Oid, SnmpValue, opaque

T = TypeVar("T")
Arcs = tuple[int, ...]
REPETITIONS, REPETITIONS_SECURELY = 25, 10
"""Values of a column a request: with v3, more are cut off without a word."""
CERTAIN = "1.3.6.1.2.1.1.3.0"
"""sysUpTime, which every device has: where it comes and nothing beside it, the rest is not there."""
MOST_ASKED, MOST_ASKED_SECURELY = 50, 25
"""OIDs a request; with v3 gufo takes no answer above 2 kB or so, and a device may then say nothing at all."""
FAR_SECONDS = 0.25
"""A device whose answers take longer is asked for many columns at once, which only pysnmp can, at several times the
processor time. Where many devices are asked at once, answers wait for us: a short time would take all of them for far."""
_TRIED_FOR_FAR = 3
"""The quickest of so many columns tells how far a device is: a single answer may only have waited for us."""
FIRST_SECONDS = 10.0
"""How long it is asked a column a request which columns there are."""
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
        self._secure = credential.version == "v3"
        self._calls = Calls(endpoint)
        self._pysnmp: ExchangeClient | None = None
        self._session: GufoSession | None = None
        self._used = 0.0
        self._most = MOST_ASKED_SECURELY if self._secure else MOST_ASKED
        self._repetitions = REPETITIONS_SECURELY if self._secure else REPETITIONS
        self._tries = endpoint.retries + 1
        self._has_bulk = credential.version != "v1"
        self._last: Arcs | None = None
        """The last OID that the device has, where a walk came upon it."""

    async def get(self, oids: Iterable[str]) -> dict[str, SnmpValue]:
        async with self._calls.calling() as call:
            for batch in batches(oids, self._most):
                await self._get(call, batch)
        return call.end()

    async def heads(self, oids: Iterable[str]) -> dict[str, SnmpValue]:
        cursors = [Cursor(oid, oid) for oid in sorted(set(oids), key=arcs)]
        try:
            async with self._calls.calling() as call:
                await self._first(call, cursors, 1, alone=is_instance)
            return heads_of(cursors, call.end())
        except SnmpError as error:
            error.found = heads_of(cursors, error.found)
            raise
        finally:
            await self._spare()

    async def walk(self, columns: Iterable[str]) -> dict[str, SnmpValue]:
        try:
            async with self._calls.calling() as call:
                cursors = [Cursor(column, column) for column in topmost(columns)]
                far = await self._first(call, cursors, self._repetitions, alone=lambda _: True)
                for one in cursors:
                    if not one.done and call.bulk and not far:
                        await self._column(call, one)
                if any(not one.done for one in cursors):
                    # Of a device far away many columns a request are sooner there, whatever they cost.
                    await self._careful.walk_on(call, cursors)
            return call.end()
        finally:
            await self._spare()

    async def close(self) -> None:
        self._forget()
        if self._pysnmp is not None:
            await self._pysnmp.close()

    @property
    def _careful(self) -> ExchangeClient:
        """pysnmp for this device, made when it is first needed."""
        if self._pysnmp is None:
            # Its modules take 11 MB, which a process that only polls seldom needs.
            from collector.snmp.pysnmp_client import PysnmpClient  # noqa: PLC0415

            self._pysnmp = PysnmpClient(self.endpoint, self._credential, self._calls)
        return self._pysnmp

    async def _spare(self) -> None:
        """pysnmp keeps more than 1 MB for each device that speaks v3; what follows are polls, which seldom need it."""
        if self._secure and self._pysnmp is not None:
            await self._pysnmp.close()

    async def _get(self, call: Call, oids: list[str]) -> None:
        call.in_time()
        found: dict[str, Any] = {}
        try:
            found = await self._asked(lambda session, seconds: session.get(oids, seconds))
            if not found and self._has_bulk and CERTAIN not in oids:
                # It has none of them, or the answer was an error, which gufo does not tell apart.
                found = await self._asked(lambda session, seconds: session.get([*oids, CERTAIN], seconds))
                if found.pop(CERTAIN, None) is not None and not found:
                    return
        except _NotForGufo:
            found = {}
        except SnmpTimeout:
            # A device that has answered, if only v3's discovery, may drop in silence what is too long for it.
            if not self._calls.has_answered:
                raise
        values = {
            oid: value if type(value) is int else _plain(value) for oid, value in found.items() if value is not None
        }
        # With nothing in it, the answer may have been an error; with what nobody asked for, it is none.
        if not values or not found.keys() <= set(oids):
            for batch in batches(oids, self._careful.most):
                await self._careful.get_batch(call, batch)
            return
        call.found.update(values)

    async def _first(
        self, call: Call, cursors: Sequence[Cursor], repetitions: int, alone: Callable[[str], bool]
    ) -> bool:
        """Which columns there are at all, with their first values; whether the device is far away.

        gufo asks a column a request, at a tenth of the processor time that pysnmp takes for many in one. A device that
        never answered is asked by pysnmp, which also tells what refuses; so is one far away, for its fewer requests.
        """
        far = False
        if self._calls.has_answered and self._has_bulk:
            began = before = time.monotonic()
            quickest = math.inf
            for number, one in enumerate(cursors):
                if far or not call.bulk:
                    break
                await self._column(call, one, repetitions)
                now = time.monotonic()
                quickest, before = min(quickest, now - before), now
                far = (number + 1 >= _TRIED_FOR_FAR and quickest > FAR_SECONDS) or now - began > FIRST_SECONDS
        rest = [one for one in cursors if not one.asked]
        if rest:
            began = time.monotonic()
            await self._careful.first(call, rest, alone)
            requests = 1 + len(rest) // self._careful.most
            far = far or time.monotonic() - began > FAR_SECONDS * requests
        # What a profile calls a column may be one value, which nothing lies below.
        empty = [one.column for one in cursors if one.asked and not one.count and alone(one.column)]
        for batch in batches(empty, self._most - 1):
            await self._get(call, batch)
        return far

    async def _column(self, call: Call, cursor: Cursor, repetitions: int = 0) -> None:
        """One column to its end; with `repetitions` of 1 its first value. gufo begins at the column itself."""
        start = cursor.at
        cursor.at, cursor.count, cursor.asked = cursor.column, 0, True
        place = GetIter(cursor.column, repetitions or self._repetitions)
        try:
            while not cursor.done:
                call.in_time()
                rows = await self._asked(lambda session, seconds: session.bulk(place, seconds))
                if not rows:
                    # The end of the device's tree, or an error status.
                    cursor.done = self._last is not None and arcs(cursor.at) >= self._last
                    break
                for row in rows:
                    if row is None:
                        cursor.done = True
                    else:
                        advance(call, cursor, row[0], None if row[1] is None else _plain(row[1]))
                if repetitions == 1:
                    return
        except _NotForGufo:
            pass
        except SnmpTimeout:
            # What it has answered before, it may only not answer at such length.
            call.bulk = False
        if not cursor.done:
            if arcs(cursor.at) < arcs(start):
                cursor.at, cursor.count = start, 1
            await self._on(call, cursor, only_first=repetitions == 1)

    async def _on(self, call: Call, cursor: Cursor, *, only_first: bool) -> None:
        """A column from where it stands by pysnmp, which tells an error from the end."""
        failures, at = call.failures, cursor.at
        if only_first:
            await self._careful.first(call, [cursor], lambda _: False)
        else:
            await self._careful.walk_on(call, [cursor])
        if cursor.done and cursor.at == at and call.failures == failures and call.bulk:
            self._last = arcs(at)

    async def _asked(self, request: Callable[[GufoSession, float], Awaitable[T]]) -> T:
        """A request with its retries. Raises SnmpTimeout, or _NotForGufo for what needs another look.

        v3 begins anew where a session that was good is refused or gets no answer: the device may have started again,
        with another clock or engine id, which gufo takes for silence.
        """
        kept = self._session is not None and self._secure
        seconds = self.endpoint.timeout_seconds
        try:
            session = await self._open()
            return await self._tried(lambda: request(session, seconds), 1 if kept else self._tries)
        except GufoAuthError:
            self._forget()
        except SnmpTimeout:
            if not kept:
                raise
            self._forget()
        try:
            session = await self._open()
            return await self._tried(lambda: request(session, seconds), self._tries)
        except GufoAuthError as error:
            raise _NotForGufo from error

    async def _open(self) -> GufoSession:
        """The session, with v3's engine and clock known and fresh."""
        session = self._session
        if session is None:
            credential = self._credential
            host, _ = await address(self.endpoint)
            user = _user(credential) if self._secure else None
            version = _VERSIONS[credential.version]
            session = GufoSession(host, self.endpoint.port, version, credential.community, user)
        now = time.monotonic()
        if self._secure and not (session is self._session and now - self._used <= IDLE_SECONDS):
            await self._tried(lambda: session.refresh(self.endpoint.timeout_seconds), self._tries)
        self._session = session
        self._used = now
        return session

    async def _tried(self, request: Callable[[], Awaitable[T]], tries: int) -> T:
        """A request, so many times. Raises SnmpTimeout, GufoAuthError, _NotForGufo."""
        for _ in range(tries):
            try:
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
                self._forget()
                raise _NotForGufo from error
            else:
                self._calls.has_answered = True
                return found
        raise silent(self.endpoint, self._credential)

    def _forget(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


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
