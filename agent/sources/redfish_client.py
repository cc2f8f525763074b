"""Asking a management controller over HTTPS: sessions, pinned certificates, and answers bounded in size and time.

A session is opened with the first question and ended with the agent; one that the controller has ended is opened
again once. Where all sessions are taken the account goes with each question until one is free. Nothing is sent to a
controller whose certificate is neither the one in the file nor signed by it.
Source: Redfish specification (DMTF DSP0266), sections 6, 7 and 13.3.
"""

import base64
import contextlib
import http.client
import json
import re
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.files import read_text

ROOT_PATH = "/redfish/v1/"
DEADLINE_SECONDS = 20.0
"""For one answer: small controllers take 15 s when they are busy."""
ROUND_SECONDS = 80.0
"""For a round of questions: a reading is given up after 90 s."""
LOOK_SECONDS = 300.0
"""For a round that finds the chassis first, which takes ten questions more."""
_LARGEST_ANSWER = 4 << 20
_MOST_REDIRECTS = 3
_NO_SESSIONS = (404, 405, 501)
_LOCKED_SECONDS = 600.0
"""After a refused password it is not tried again for this long: controllers lock accounts."""
_NO_FREE_SESSION_SECONDS = 600.0
"""While all sessions are taken one is asked for this often."""
_SESSIONS_TAKEN = re.compile(
    r"session\w*\b.*\b(limit|maximum|max|exceed|too many|full)|(maximum|too many|max)\b.*session", re.I
)
"""What controllers call it, under the statuses 400, 403, 429, 500 and 503."""
_OLD_BOARDS_CIPHERS = "DEFAULT:!aNULL:!eNULL:@SECLEVEL=1"
"""Also RSA key exchange and 1024-bit keys, which is all that controllers of about 2012 to 2016 know. TLS 1.2 at least."""

Resource = dict[str, Any]


class RedfishError(Exception):
    """The controller gave no usable answer: why, and what to do."""

    def __init__(self, reason: str, remedy: str, status: int = 0) -> None:
        super().__init__(reason)
        self.remedy = remedy
        self.status = status


class RedfishClient:
    """A controller at an https address. `ca` is `system`, or a file with its authority's or its own certificate."""

    def __init__(self, url: str, user: str, password_file: str, ca: str) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._user, self._password_file, self._ca = user, password_file, ca
        self._connection: http.client.HTTPConnection | None = None
        self._token = self._session = self._basic = ""
        self._locked_until = 0.0
        self._locked: RedfishError | None = None
        self._taken: RedfishError | None = None
        self._basic_until = 0.0
        self._round_ends = self._deadline = 0.0

    def begin(self, seconds: float = ROUND_SECONDS) -> None:
        """Start a round of questions, which together may take this long."""
        self._round_ends = time.monotonic() + seconds
        if self._taken is not None and time.monotonic() >= self._basic_until:
            self._basic, self._taken = "", None

    def get(self, path: str) -> Resource:
        """A resource. Raises RedfishError."""
        for attempt in (1, 2):
            self._sign_in()
            status, body, _ = self._request("GET", path)
            if status != 401:
                break
            # The controller ended the session, or restarted.
            self._token = self._session = ""
            if self._taken is not None:
                # It may well take the account in a session alone.
                taken, self._taken, self._basic = self._taken, None, ""
                raise taken
            if attempt == 2 or self._basic:
                raise self._denied("it refuses the account")
        if status == 403:
            raise RedfishError(
                f"the account may not read {path}", "give the account the right to log in and read", status
            )
        if status != 200:
            raise RedfishError(
                f"it answers {status} for {path}{_message(body)}", "look at the controller's log", status
            )
        return body

    def close(self) -> None:
        """End the session and the connection; a controller keeps few sessions."""
        if self._session:
            self.begin()
            # One that cannot be ended ends by itself after the controller's timeout.
            with contextlib.suppress(RedfishError):
                self._request("DELETE", self._session)
        self._token = self._session = ""
        self._disconnect()

    def _sign_in(self) -> None:
        if self._token or self._basic:
            return
        if self._locked is not None and time.monotonic() < self._locked_until:
            raise self._locked
        try:
            password = read_text(Path(self._password_file))
        except OSError as error:
            raise RedfishError(
                f"the password file {self._password_file} cannot be read: {error.strerror}",
                "write the password into the file that redfish_password_file names, readable by the agent",
            ) from error
        status, body, _ = self._request("GET", ROOT_PATH)
        # Some controllers want the account even for the root, which is for everybody.
        if status not in (200, 401, 403):
            raise RedfishError(
                f"it answers {status} for {ROOT_PATH}", "correct redfish_url: this is no Redfish service"
            )
        path = link(body.get("Links"), "Sessions") or f"{ROOT_PATH}SessionService/Sessions"
        credentials = {"UserName": self._user, "Password": password}
        status, body, headers = self._request("POST", path, credentials)
        if status in (200, 201) and headers.get("X-Auth-Token"):
            self._token = headers["X-Auth-Token"]
            self._session = _path_of(headers.get("Location", "")) or _path_of(str(body.get("@odata.id", "")))
        elif status in _NO_SESSIONS:
            self._basic = base64.b64encode(f"{self._user}:{password}".encode()).decode()
        elif status in (429, 503) or _SESSIONS_TAKEN.search(_message(body)):
            self._basic = base64.b64encode(f"{self._user}:{password}".encode()).decode()
            self._basic_until = time.monotonic() + _NO_FREE_SESSION_SECONDS
            self._taken = RedfishError(
                f"it opens no session: {status}{_message(body)}", "end unused sessions in the controller's web pages"
            )
        elif status in (400, 401, 403):
            raise self._denied(f"it refuses the account{_message(body)}")
        else:
            raise RedfishError(
                f"it opens no session: {status}{_message(body)}", "end unused sessions in the controller's web pages"
            )

    def _denied(self, reason: str) -> RedfishError:
        self._basic = ""
        self._locked_until = time.monotonic() + _LOCKED_SECONDS
        self._locked = RedfishError(reason, "correct redfish_user and the file that redfish_password_file names", 401)
        return self._locked

    def _request(self, method: str, path: str, body: Mapping[str, str] | None = None) -> tuple[int, Resource, Any]:
        """One question and its answer, on a kept connection that is opened again once if it has gone stale.

        A redirect is followed with the same method and body, to a path of this controller alone: it is how some
        firmware adds or drops a slash.
        """
        for _ in range(_MOST_REDIRECTS):
            self._deadline = min(time.monotonic() + DEADLINE_SECONDS, self._round_ends)
            stale = self._connection is not None
            try:
                status, answer, headers = self._exchange(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                self._disconnect()
                if stale and not isinstance(error, (TimeoutError, ssl.SSLError)):
                    continue
                raise self._unreachable(error) from error
            target = _path_of(headers.get("Location", "")) if status in (301, 302, 307, 308) else ""
            if not target:
                return status, answer, headers
            path = target
        raise RedfishError("it redirects without end", "correct redfish_url")

    def _exchange(self, method: str, path: str, body: Mapping[str, str] | None) -> tuple[int, Resource, Any]:
        if self._connection is None:
            self._connection = self._connect()
        headers = {"Accept": "application/json", "OData-Version": "4.0"}
        if self._token:
            headers["X-Auth-Token"] = self._token
        elif self._basic:
            headers["Authorization"] = f"Basic {self._basic}"
        content = None if body is None else json.dumps(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        connection = self._connection
        assert connection.sock is not None  # noqa: S101  # _connect() opened it
        connection.sock.settimeout(self._left())
        connection.request(method, path, content, headers)
        response = connection.getresponse()
        text = b""
        while piece := response.read1(1 << 16):
            text += piece
            if len(text) > _LARGEST_ANSWER:
                raise RedfishError(f"its answer for {path} is too large", "update the controller's firmware")
            if connection.sock is not None:
                connection.sock.settimeout(self._left())
        # After read1() the response does not notice its own end, and the connection would take no other question.
        response.close()
        if response.will_close:
            self._disconnect()
        try:
            parsed = json.loads(_plain(text, response.headers), strict=False) if text.strip() else {}
        except (ValueError, RecursionError, OSError, EOFError, zlib.error):
            if method == "GET" and response.status == 200:
                raise RedfishError(
                    f"its answer for {path} is no JSON", "update the controller's firmware", response.status
                ) from None
            parsed = {}
        return response.status, parsed if isinstance(parsed, dict) else {}, response.headers

    def _connect(self) -> http.client.HTTPConnection:
        if not self._secure:
            plain = http.client.HTTPConnection(self._host, self._port, timeout=self._left())
            plain.connect()
            return plain
        if self._ca != "system":
            pinned = self._pinned()
            if pinned is not None:
                return pinned
        context = ssl.create_default_context(cafile=None if self._ca == "system" else self._ca)
        # New Python asks for extensions that few controllers' certificates have.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self._ca != "system":
            context.set_ciphers(_OLD_BOARDS_CIPHERS)
        secure = http.client.HTTPSConnection(self._host, self._port, timeout=self._left(), context=context)
        secure.connect()
        return secure

    def _pinned(self) -> http.client.HTTPConnection | None:
        """A connection to the very certificate in the file, whatever name and dates it carries; None if it is another.

        Controllers make certificates for themselves in names that nobody uses. The handshake proves the key.
        """
        try:
            text = read_text(Path(self._ca))
            known = {ssl.PEM_cert_to_DER_cert(f"{one}{_PEM_END}") for one in _certificates(text)}
        except (OSError, ValueError) as error:
            raise RedfishError(
                f"the certificate file {self._ca} cannot be read: {error}", "correct redfish_ca: a file in PEM form"
            ) from error
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers(_OLD_BOARDS_CIPHERS)
        secure = http.client.HTTPSConnection(self._host, self._port, timeout=self._left(), context=context)
        secure.connect()
        if isinstance(secure.sock, ssl.SSLSocket) and secure.sock.getpeercert(binary_form=True) in known:
            return secure
        secure.close()
        return None

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _unreachable(self, error: Exception) -> RedfishError:
        at = "correct redfish_url, or look at the controller's network"
        if isinstance(error, ssl.SSLCertVerificationError):
            return RedfishError(
                f"its certificate is not trusted: {error.verify_message}",
                "save the controller's certificate to a file, compare its fingerprint with the one on the controller's "
                "own page, and name the file in redfish_ca",
            )
        if isinstance(error, ssl.SSLError):
            return RedfishError(f"no TLS connection: {error.reason or error}", "update the controller's firmware")
        if isinstance(error, TimeoutError):
            return RedfishError(f"it did not answer in {DEADLINE_SECONDS:g} s", "restart the controller, or update it")
        if isinstance(error, socket.gaierror):
            return RedfishError(f"the name {self._host} is not known", at)
        return RedfishError(f"it cannot be reached: {getattr(error, 'strerror', None) or error}", at)


def _plain(content: bytes, headers: http.client.HTTPMessage) -> str:
    """An answer's text. Some controllers pack it though nobody asked, some write names in Latin-1."""
    if (headers.get("Content-Encoding") or "").lower() in ("gzip", "x-gzip", "deflate"):
        unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        content = unpacking.decompress(content, _LARGEST_ANSWER)
    return content.decode("utf-8-sig", errors="replace")


_PEM_END = "-----END CERTIFICATE-----"


def _certificates(text: str) -> list[str]:
    begin = "-----BEGIN CERTIFICATE-----"
    found = [f"{begin}{one}" for part in text.split(_PEM_END)[:-1] for one in part.split(begin)[1:]]
    if not found:
        raise ValueError("it holds no certificate")
    return found


def link(holder: object, name: str) -> str:
    """The path that a property links to, or "" where there is none to this same service."""
    value = holder.get(name) if isinstance(holder, dict) else None
    return _path_of(value.get("@odata.id")) if isinstance(value, dict) else ""


def links(holder: object, name: str) -> list[str]:
    """The paths of a property that links to several."""
    value = holder.get(name) if isinstance(holder, dict) else None
    found = (
        [_path_of(one.get("@odata.id")) for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    )
    return [one for one in found if one]


def _path_of(value: object) -> str:
    """The path of a link. One to another host is none: the token is for this controller only."""
    if not isinstance(value, str) or not value.isprintable() or " " in value:
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return path if path.startswith("/") and not path.startswith("//") else ""


def _message(body: Resource) -> str:
    """The controller's own words for an error, after a colon."""
    error = body.get("error")
    if not isinstance(error, dict):
        return ""
    info = error.get("@Message.ExtendedInfo")
    first = info[0] if isinstance(info, list) and info and isinstance(info[0], dict) else error
    words = first.get("Message") or first.get("message") or ""
    return f": {str(words)[:200]}" if words else ""
