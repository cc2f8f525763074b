"""Who asks, and whether they may: decided before any route runs, for every route alike (`permissions.py` has the table).

`ictagent up` serves without login, and only to this machine's own browser: a Host that is not loopback (a DNS name
rebound to it), a forwarding header (a proxy in front), or another site's page asking are all refused. `ictagent
collector run` asks for a login or a token, whoever asks and from wherever.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.errors import BadRequest, CollectorError, Forbidden, NotAuthorised
from collector.people.configuration import Network
from collector.people.roles import LOCAL, Identity, Permission, program
from collector.people.secrets import same
from collector.people.service import People
from collector.people.sessions import Origin
from collector.web.answers import error_response, wants_page
from collector.web.cookies import session_secret
from collector.web.peer import address_of
from collector.web.permissions import needed

_LOOPBACK_HOST = re.compile(r"(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]{1,5})?", re.IGNORECASE)
_FORWARDED = ("forwarded", "x-forwarded-", "x-real-ip")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_HEADERS = {
    b"content-security-policy": b"default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    b"base-uri 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    # Not `no-referrer`: with it browsers send `Origin: null` with this site's own forms.
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cache-control": b"no-store",
}


@dataclass(frozen=True, slots=True)
class LocalOnly:
    """The rule of `ictagent up`."""

    async def identify(self, request: Request, needs: Permission, people: People) -> Identity | None:  # noqa: ARG002  # as SignIn's
        """This machine's own pages and programs, who read everything. Raises Forbidden for all others."""
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
        return LOCAL

    def check_writing(self, request: Request, identity: Identity | None) -> None:
        """Nothing more than was looked at already."""

    def peer(self, request: Request) -> str:
        """The address that asks."""
        return address_of(request, ())


def _follows_a_link(request: Request) -> bool:
    """Whether a person opens a page by a link of another site: the answer is shown, and that site cannot read it."""
    headers = request.headers
    navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return navigates and request.method == "GET"


@dataclass(frozen=True, slots=True)
class SignIn:
    """The rule of `ictagent collector run`: a person's session, or a program's token (Bearer, or Basic's password).

    `read_token` gives the content of `read_token_file`, empty where there is none.
    """

    read_token: Callable[[], str]
    proxies: tuple[Network, ...] = ()
    public_url: str = ""

    async def identify(self, request: Request, needs: Permission, people: People) -> Identity | None:
        """Who asks; None where nobody is known, or the route needs nobody. Raises NotAuthorised for a bad token."""
        if needs is Permission.OPEN:
            return None
        authorization = request.headers.get("authorization")
        if authorization is not None:
            return await run_in_threadpool(self._program, _given(authorization), people)
        secret = session_secret(request, self.public_url)
        return await run_in_threadpool(people.with_session, secret) if secret else None

    def peer(self, request: Request) -> str:
        """The address that asks, by trusted proxies' word where they pass it on."""
        return address_of(request, self.proxies)

    def _program(self, token: str, people: People) -> Identity:
        expected = self.read_token()
        if expected and same(token, expected):
            return program("read_token_file", "viewer", None)
        return people.with_token(token)

    def check_writing(self, request: Request, identity: Identity | None) -> None:
        """Raise Forbidden for a form that does not come from this site's own page: every browser says where from."""
        person = identity is not None and identity.is_person
        if request.method in _SAFE_METHODS or not (person or not request.url.path.startswith("/v1/")):
            return
        origin = request.headers.get("origin", "")
        own = {request.headers.get("host", ""), urlsplit(self.public_url).netloc} - {""}
        foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
        if urlsplit(origin).netloc not in own or foreign:
            raise Forbidden("a form of another site, or of no page, may not be sent", "use the page itself")


AccessRule = LocalOnly | SignIn


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
    """Outermost layer of the application: applies rule and table, and the security headers to every answer."""

    def __init__(self, app: Starlette, rule: AccessRule, people: People) -> None:
        self._app: ASGIApp = app
        self._routes = app.routes
        self._rule = rule
        self._people = people

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS.items()]
            await send(message)

        request = Request(scope)
        request.state.identity = None
        request.state.origin = Origin(self._rule.peer(request), request.headers.get("user-agent", ""))
        try:
            await self._decide(request)
        except CollectorError as error:
            await refusal(request, error)(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)

    async def _decide(self, request: Request) -> None:
        """Raise unless the request may go on; note who asks."""
        needs = needed(self._routes, request.scope)
        identity = await self._rule.identify(request, needs or Permission.READ, self._people)
        request.state.identity = identity
        if identity is None and needs is not Permission.OPEN:
            raise NotAuthorised("a login or a token is needed", "sign in at /login, or send an API token as Bearer")
        if identity is not None and (needs is None or not identity.may(needs)):
            raise Forbidden(f"the role {identity.role} may not do this", "ask an operator for another role")
        self._rule.check_writing(request, identity)
        if b"%00" in request.scope["query_string"]:
            raise BadRequest("the address holds a NUL character, which no text here has", "leave it out")


def refusal(request: Request, error: CollectorError) -> Response:
    """The answer to who may not; a person's browser that is not signed in goes to the login page, and back from it."""
    if isinstance(error, NotAuthorised) and wants_page(request) and "authorization" not in request.headers:
        query = f"?{request.url.query}" if request.url.query else ""
        back = request.url.path + query if request.method == "GET" else "/"
        return RedirectResponse("/login" + (f"?next={quote(back)}" if back != "/" else ""), 303)
    response = error_response(request, error)
    if isinstance(error, NotAuthorised):
        response.headers["WWW-Authenticate"] = 'Bearer realm="ictagent"'
    return response
