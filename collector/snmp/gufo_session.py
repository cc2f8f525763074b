"""One UDP socket of gufo's with its event loop's side: requests with a timeout, and nothing else between.

gufo's own session registers its socket with the event loop, and sets a timer that starts anew with every stray packet,
for each request: half of the time that a request takes. Here the socket stays registered while the session is used.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from gufo.snmp import SnmpVersion
from gufo.snmp._fast import GetIter
from gufo.snmp.aio import SnmpSession
from gufo.snmp.user import User

T = TypeVar("T")
_LARGEST = 65_536


class GufoSession:
    """One device, one request at a time. Raises TimeoutError and whatever gufo does."""

    def __init__(self, host: str, port: int, version: SnmpVersion, community: str, user: User | None) -> None:
        self._whole = SnmpSession(host, port=port, community=community, user=user, version=version)
        self._socket = self._whole._sock
        self._file = self._whole._fd
        self._loop: asyncio.AbstractEventLoop | None = None
        self._receive: Callable[[], Any] | None = None
        self._waiting: asyncio.Future[Any] | None = None

    async def refresh(self, seconds: float) -> None:
        """Ask v3's engine id and clock."""
        self._rest()  # gufo registers the socket itself for this
        async with asyncio.timeout(seconds):
            await self._whole.refresh()

    async def get(self, oids: list[str], seconds: float) -> dict[str, Any]:
        socket = self._socket
        return await self._ask(lambda: socket.send_get_many(oids), socket.recv_get_many, seconds)

    async def bulk(self, place: GetIter, seconds: float) -> list[tuple[str, Any] | None]:
        """The next values of a column; None behind the last; nothing where gufo sees neither."""
        socket = self._socket
        try:
            return await self._ask(lambda: socket.send_get_bulk(place), lambda: socket.recv_get_bulk(place), seconds)
        except _Ended:
            return []

    async def next(self, place: GetIter, seconds: float) -> list[tuple[str, Any] | None]:
        """The next value; nothing where there is none, or where gufo sees none."""
        socket = self._socket
        try:
            return [await self._ask(lambda: socket.send_get_next(place), lambda: socket.recv_get_next(place), seconds)]
        except _Ended:
            return []

    def close(self) -> None:
        """Give the socket back."""
        # Before gufo closes it: the next socket may have its number, and would be taken for it.
        self._rest()

    async def _ask(self, send: Callable[[], None], receive: Callable[[], T], seconds: float) -> T:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._rest()
            loop.add_reader(self._file, self._readable)
            self._loop = loop
        self._receive = receive
        self._waiting = waiting = loop.create_future()
        timer = loop.call_later(seconds, _expire, waiting)
        try:
            # What the kernel cannot take now is as good as lost, and asked again like it.
            with suppress(BlockingIOError):
                send()
            found: T = await waiting
        finally:
            timer.cancel()
            self._receive = self._waiting = None
        return found

    def _readable(self) -> None:
        waiting = self._waiting
        if waiting is None or waiting.done() or self._receive is None:
            # Too late for the request that it answers; or the machine there has refused it.
            with suppress(OSError):
                os.read(self._file, _LARGEST)
            return
        try:
            found = self._receive()
        except BlockingIOError:
            return  # another request's answer: wait on
        except StopAsyncIteration:
            waiting.set_exception(_Ended())
        except BaseException as error:  # noqa: BLE001  # also a panic of Rust; it is raised where it is waited for
            waiting.set_exception(error)
        else:
            waiting.set_result(found)

    def _rest(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._file)
        self._loop = None


class _Ended(Exception):
    """gufo's StopAsyncIteration, which no future can hold."""


def _expire(waiting: "asyncio.Future[Any]") -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError())
