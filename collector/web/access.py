"""Who may ask what, decided before any route runs.

`ictagent up` serves without login, and only to this machine's own browser: a Host that is not loopback (a DNS name
rebound to it), a forwarding header (a proxy in front), or another site's page asking are all refused. `ictagent
collector run` asks for the reading token on every page and reading route, whoever asks.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.errors import CollectorError, Forbidden, NotAuthorised
from collector.web.answers import error_response

OPEN_PATHS = ("/healthz", "/readyz", "/v1/enrol", "/v1/reports", "/v1/whoami")
"""Asked by agents, which bring their own key or token, and by health checks, which learn nothing but the state."""
_LOOPBACK_HOST = re.compile(r"(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]{1,5})?", re.IGNORECASE)
_FORWARDED = ("forwarded", "x-forwarded-", "x-real-ip")

_HEADERS = {
    b"content-security-policy": b"default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    b"base-uri 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cache-control": b"no-store",
}


@dataclass(frozen=True, slots=True)
class LocalOnly:
    """The rule of `ictagent up`."""

    def check(self, request: Request) -> None:
        """Raise Forbidden for a request that did not come from a page or program of this machine itself."""
        headers = request.headers
        address = f"http://127.0.0.1:{(request.scope.get('server') or ('', 8420))[1]}"
        host = headers.get("host", "")
        if not _LOOPBACK_HOST.fullmatch(host):
            raise Forbidden(f"the Host {host[:100]!r} is not this machine", f"open {address}")
        if found := [name for name in headers if name.startswith(_FORWARDED)]:
            raise Forbidden(
                f"the request was forwarded ({found[0]}): ictagent up serves this machine only",
                "run `ictagent collector run` behind a proxy",
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise Forbidden("a page of another origin may not ask", f"open {address} itself")
        if headers.get("sec-fetch-site", "none") in ("cross-site", "same-site") and not _follows_a_link(request):
            raise Forbidden("a page of another site may not ask", f"open {address} itself")


def _follows_a_link(request: Request) -> bool:
    """Whether a person opens a page by a link of another site: the answer is shown, and that site cannot read it."""
    headers = request.headers
    navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return navigates and request.method == "GET"


@dataclass(frozen=True, slots=True)
class ReadToken:
    """The rule of `ictagent collector run`: pages and reading routes need the token, by Bearer or as a password."""

    token: Callable[[], str]

    def check(self, request: Request) -> None:
        """Raise NotAuthorised unless the request carries the token, or asks for what is open."""
        if request.url.path in OPEN_PATHS:
            return
        expected = self.token()
        if not expected:
            raise Forbidden(
                "reading is closed: no read_token_file is set, or its file is empty or cannot be read",
                "set it under [collector]",
            )
        if not hmac.compare_digest(_given(request.headers.get("authorization", "")).encode(), expected.encode()):
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
    """Outermost layer of the application: applies the rule, and the security headers to every answer."""

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

        request = Request(scope)
        try:
            self._rule.check(request)
        except CollectorError as error:
            response = error_response(request, error)
            if isinstance(error, NotAuthorised):
                response.headers["WWW-Authenticate"] = 'Basic realm="ictagent", charset="UTF-8"'
            await response(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)
