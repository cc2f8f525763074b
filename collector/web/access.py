"""Who may ask what, decided before any route runs.

`ictagent up` serves without login, and only to this machine's own browser: a Host that is not loopback (a DNS name
rebound to it), a forwarding header (a proxy in front), or another site's page asking are all refused. `ictagent
collector run` asks for the reading token on every page and reading route, whoever asks.
"""

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.errors import CollectorError, Forbidden, NotAuthorised
from collector.web.answers import error_response

OPEN_PATHS = ("/healthz", "/readyz", "/v1/enrol", "/v1/reports", "/v1/whoami")
"""Asked by agents, which bring their own key or token, and by health checks, which learn nothing but the state."""
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")

_HEADERS = {
    b"content-security-policy": b"default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    b"base-uri 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}


@dataclass(frozen=True, slots=True)
class LocalOnly:
    """The rule of `ictagent up`."""

    def check(self, path: str, headers: Headers) -> None:
        """Raise Forbidden for a request that did not come from a page or program of this machine itself."""
        host = headers.get("host", "")
        name = host[: host.rfind("]") + 1] if host.startswith("[") else host.partition(":")[0]
        if name not in _LOOPBACK:
            raise Forbidden(f"the Host {host[:100]!r} is not this machine", "open http://127.0.0.1:8420")
        if found := [one for one in _FORWARDED if one in headers]:
            raise Forbidden(
                f"the request was forwarded ({found[0]}): ictagent up serves this machine only",
                "run `ictagent collector run` behind a proxy",
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise Forbidden("a page of another origin may not ask", "open http://127.0.0.1:8420 itself")
        navigation = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        if headers.get("sec-fetch-site", "none") in ("cross-site", "same-site") and not navigation:
            raise Forbidden("a page of another site may not ask", f"open http://{host}{path} itself")


@dataclass(frozen=True, slots=True)
class ReadToken:
    """The rule of `ictagent collector run`: pages and reading routes need the token, by Bearer or as a password."""

    token: Callable[[], str]

    def check(self, path: str, headers: Headers) -> None:
        """Raise NotAuthorised unless the request carries the token, or asks for what is open."""
        if path in OPEN_PATHS:
            return
        expected = self.token()
        if not expected:
            raise Forbidden("reading is closed: no read_token_file is set", "set it under [collector]")
        if not hmac.compare_digest(_given(headers.get("authorization", "")).encode(), expected.encode()):
            raise NotAuthorised("the reading token is needed", "send it as Bearer, or as the password of any name")


AccessRule = LocalOnly | ReadToken


def _given(authorization: str) -> str:
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return text.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(text, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


class Access:
    """Middleware: applies the rule, and the security headers to every answer."""

    def __init__(self, app: ASGIApp, rule: AccessRule) -> None:
        self._app = app
        self._rule = rule

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS.items()]
            await send(message)

        try:
            self._rule.check(scope["path"], Headers(scope=scope))
        except CollectorError as error:
            response = error_response(error)
            if isinstance(error, NotAuthorised):
                response.headers["WWW-Authenticate"] = 'Basic realm="ictagent", charset="UTF-8"'
            await response(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)
