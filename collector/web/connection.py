"""A connection with limits: whoever sends or reads too slowly, or sends endless headers, loses it, and nobody else waits.

uvicorn limits only the time between requests. Everything before a request is whole, its answer taken, and the size of
its head are limited here; the size of a body is where it is read (`requests.bounded_body`).
"""

import asyncio
from asyncio.events import TimerHandle

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ARRIVAL_SECONDS = 30.0
"""For a request to arrive whole, from the connection's beginning or the request's first byte. An agent gives up after 20."""
STALLED_SECONDS = 60.0
LEAST_TAKEN_BYTES = 64 * 1024
"""A client must take at least so much of a long answer in STALLED_SECONDS."""
LARGEST_HEAD_BYTES = 64 * 1024
"""All of a request but its body: request line, headers, and the frames of a body in chunks."""

MOST_WAITING = 16
"""Requests that a client sent before it had the answer to the one before; browsers and agents send none."""


class LimitedConnection(HttpToolsProtocol):
    """uvicorn's HTTP connection, ended when a limit is passed: such a peer is not waited for to be told of it."""

    _arrival: TimerHandle | None = None
    _stalled: TimerHandle | None = None
    _head_bytes = 0
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._begin_arrival()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_arrival()
        self._end_stalled()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._begin_arrival()
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > LARGEST_HEAD_BYTES and not self.transport.is_closing():
            if self._in_head:
                self.send_400_response("The head of the request is too large.")
            else:
                self.transport.abort()

    def on_message_begin(self) -> None:
        # Also for one that begins in the same piece in which the one before it ended.
        self._begin_arrival()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()
        if len(self.pipeline) > MOST_WAITING:
            # The parser hands it on as a request that makes no sense: 400, and the connection's end.
            raise ValueError("too many requests wait for their answers")

    def on_body(self, body: bytes) -> None:
        self._head_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._end_arrival()
        super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Nothing: who asks for a WebSocket gets a plain answer, and the log is not for telling us to install things."""

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalled is None:
            self._look_again()

    def resume_writing(self) -> None:
        self._end_stalled()
        super().resume_writing()

    def _look_again(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._stalled = self.loop.call_later(STALLED_SECONDS, self._look, waiting)

    def _look(self, before: int) -> None:
        if before - self.transport.get_write_buffer_size() < LEAST_TAKEN_BYTES:
            self.transport.abort()
        else:
            self._look_again()

    def _begin_arrival(self) -> None:
        if self._arrival is None:
            self._arrival = self.loop.call_later(ARRIVAL_SECONDS, self.transport.abort)

    def _end_arrival(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _end_stalled(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
