"""Sending to the collector with the standard library: keep-alive, TLS, proxy, deadlines; the answers told apart.

The key goes to the configured address and nowhere else: redirects are not followed.
"""

import contextlib
import http.client
import json
import random
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.clock import Clock
from agent.errors import TransportError
from agent.machine import machine_header
from agent.report import BOOT_CLOCK_HEADER, BOOT_ID_HEADER, CONTENT_TYPE, MACHINE_HEADER, WALL_CLOCK_HEADER
from agent.settings import AgentSettings
from agent.tls_words import words_of

ANSWER_SECONDS = 20.0
LARGEST_ANSWER_BYTES = 256 * 1024
REFUSED_PAUSE_SECONDS = 300.0
LONGEST_PAUSE_SECONDS = 300.0
UNVERIFIED = "unverified"
"""Instead of whom to trust: nobody is known yet. Only for fetching an authority that is compared afterwards."""


def pinned_authority(settings: AgentSettings) -> Path:
    """Where the authority that a token pinned is kept."""
    return settings.state_directory / "authority.pem"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the collector said: status, the JSON of its body (or {}), Retry-After in seconds, its Date, and the body."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    retry_after: float | None = None
    date: str = ""
    content: bytes = b""

    @property
    def code(self) -> str:
        """The stable code of a refusal, or nothing."""
        error = self.body.get("error")
        return str(error.get("code", "")) if isinstance(error, dict) else ""

    @property
    def error(self) -> str:
        """The collector's words for a refusal, with its remedy."""
        error = self.body.get("error")
        if not isinstance(error, dict):
            return f"the collector answered {self.status}"
        parts = [str(error.get("message", "")), str(error.get("remedy", ""))]
        return "; ".join(part for part in parts if part) or f"the collector answered {self.status}"


class Transport:
    """A connection to the collector, kept alive between requests. `ca` takes the place of the setting."""

    def __init__(self, settings: AgentSettings, clock: Clock, ca: str = "") -> None:
        self._url = urlsplit(settings.collector)
        self._ca = ca or settings.ca
        self._pinned = pinned_authority(settings)
        self._machine = machine_header()
        self._proxy = urlsplit(settings.proxy) if settings.proxy else None
        self._clock = clock
        self._boot_id = clock.boot_id()
        self._connection: http.client.HTTPConnection | None = None

    def post_report(self, body: bytes, key: str) -> Answer:
        """Send one encoded report. Raises TransportError when there was no answer that makes sense."""
        now = self._clock.now()
        headers = {
            **self.identified(key),
            "Content-Type": CONTENT_TYPE,
            "Content-Encoding": "gzip",
            WALL_CLOCK_HEADER: str(now.wall_ns),
            BOOT_CLOCK_HEADER: str(now.boot_ns),
        }
        return self.request("POST", "/v1/reports", body, headers)

    def identified(self, key: str) -> dict[str, str]:
        """Headers of a request with the host's key: who asks, on which machine and in which boot."""
        return {"Authorization": f"Bearer {key}", BOOT_ID_HEADER: self._boot_id, MACHINE_HEADER: self._machine}

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """One request and its answer, within ANSWER_SECONDS in all. Tried again once where a kept connection had died."""
        deadline = time.monotonic() + ANSWER_SECONDS
        for fresh in (self._connection is None, True):
            try:
                return self._once(method, self._url.path.rstrip("/") + path, body, headers or {}, deadline)
            except (http.client.HTTPException, OSError) as error:
                self.close()
                late = isinstance(error, TimeoutError) or time.monotonic() >= deadline
                if fresh or late:
                    raise TransportError(self._words(TimeoutError() if late else error)) from error
        raise AssertionError("unreachable: the second try returns or raises")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(self, method: str, path: str, body: bytes, headers: dict[str, str], deadline: float) -> Answer:
        connection = self._connect()
        # Each wait on the socket has its own limit. A peer that drips its answer byte by byte, in its headers, the size
        # of a chunk or what follows the last one, must not hold the sender for ever.
        limit = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, (connection,))
        limit.daemon = True
        limit.start()
        try:
            if connection.sock is None:
                connection.connect()
                # A handshake cannot be cut, and has a limit of its own; what follows would have none.
                if time.monotonic() >= deadline:
                    raise TimeoutError("the connection takes too long")
            connection.request(
                method, path, body or None, {"User-Agent": "ictagent", "Accept": CONTENT_TYPE, **headers}
            )
            response = connection.getresponse()
            content = bytearray()
            while chunk := response.read1(65536):
                content += chunk
                if len(content) > LARGEST_ANSWER_BYTES:
                    raise http.client.HTTPException("the answer is too long")
                if time.monotonic() >= deadline:
                    raise TimeoutError("the answer takes too long")
        finally:
            limit.cancel()
        # Where nothing says how long the answer is, one that was cut here looks like a whole one.
        if time.monotonic() >= deadline:
            raise TimeoutError("the answer takes too long")
        if response.length:
            raise http.client.HTTPException("the answer was cut off")
        # `read1` leaves the response open at its end, and then the connection could not be used again.
        response.close()
        if response.will_close:
            self.close()
        parsed: Any = {}
        with contextlib.suppress(ValueError, RecursionError):
            parsed = json.loads(bytes(content) or b"{}")
        after = response.headers.get("Retry-After", "")
        return Answer(
            response.status,
            parsed if isinstance(parsed, dict) else {},
            float(after) if after.isdecimal() else None,
            response.headers.get("Date", ""),
            bytes(content),
        )

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is not None:
            return self._connection
        host = self._url.hostname or ""
        port = self._url.port or (443 if self._url.scheme == "https" else 80)
        through = (self._proxy.hostname or "", self._proxy.port or 3128) if self._proxy else (host, port)
        if self._url.scheme == "https":
            connection: http.client.HTTPConnection = self._tls(*through)
        else:
            connection = http.client.HTTPConnection(*through, timeout=ANSWER_SECONDS)
        if self._proxy:
            connection.set_tunnel(host, port)
        self._connection = connection
        return connection

    def _tls(self, host: str, port: int) -> http.client.HTTPSConnection:
        # At each connection: enrolment may pin an authority meanwhile.
        trusted = self._ca or (str(self._pinned) if self._pinned.exists() else "system")
        if trusted == UNVERIFIED:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            try:
                context = ssl.create_default_context(cafile=None if trusted == "system" else trusted)
            except OSError as error:
                raise TransportError(
                    f"the authority's certificate {trusted} cannot be read: {error}; correct `ca`"
                ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return http.client.HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=context)

    def _words(self, error: Exception) -> str:
        address, proxy = self._url.netloc, self._proxy
        if isinstance(error, socket.gaierror):
            name = f"proxy's name {proxy.hostname}" if proxy else f"collector's name {self._url.hostname}"
            return f"the {name} is not known: {error.strerror}"
        if isinstance(error, ConnectionRefusedError):
            found = f"{proxy.netloc}: is the proxy running?" if proxy else f"{address}: is the collector running?"
            return f"nothing listens at {found}"
        if isinstance(error, ssl.SSLError) and (words := words_of(error, address)):
            return words
        if isinstance(error, TimeoutError):
            return f"the collector at {address} did not answer within {ANSWER_SECONDS:.0f} s"
        return f"the collector at {address} cannot be reached: {error}"


def _cut(connection: http.client.HTTPConnection) -> None:
    """End a connection that took too long: whoever reads from it sees its end."""
    held = connection.sock
    if held is not None:
        # It may have ended by itself at this moment.
        with contextlib.suppress(OSError):
            held.shutdown(socket.SHUT_RDWR)


def growing_pause(failures: int) -> float:
    """Seconds to wait after so many failures in a row: 1 doubling to 300, jittered by half so that agents spread out."""
    pause = min(LONGEST_PAUSE_SECONDS, 2.0 ** min(failures - 1, 10))
    return pause * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret
