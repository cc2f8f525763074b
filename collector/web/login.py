"""Signing in and out: by name and password, or at the OpenID provider."""

import base64
import binascii
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from collector.errors import CollectorError, NotAuthorised, NotFound, TooManyTries
from collector.people.configuration import CALLBACK_PATH
from collector.people.secrets import derived, fresh
from collector.people.service import LoggedIn, People
from collector.web.answers import error_response, wants_page
from collector.web.cookies import (
    LOGIN,
    LOGIN_SECONDS,
    SESSION,
    drop_cookie,
    login_secret,
    session_secret,
    set_cookie,
)
from collector.web.forms import form_of
from collector.web.rendering import page

NOTES = {
    "out": "You are signed out.",
    "password": "Your password is changed, and all your sessions are ended. Sign in with the new one.",
}
"""What the login page says to who comes from elsewhere, by the query parameter `note`."""


def people_of(request: Request) -> People:
    """The people of this collector. Raises NotFound under `ictagent up`, which knows none."""
    if not request.app.state.signs_in:
        raise NotFound("there is no login here: ictagent up shows its pages to this machine", "open /")
    found: People = request.app.state.people
    return found


def public_url(request: Request) -> str:
    found: str = request.app.state.collector.settings.public_url
    return found


async def login_page(request: Request) -> Response:
    """GET /login: the form. Who is signed in already goes on."""
    people = people_of(request)
    secret = session_secret(request, public_url(request))
    after = local_path(request.query_params.get("next", ""))
    if secret and await run_in_threadpool(people.with_session, secret) is not None:
        return RedirectResponse(after, 303)
    return _form(request, people, after, note=NOTES.get(request.query_params.get("note", ""), ""))


async def log_in(request: Request) -> Response:
    """POST /login: name and password for a session."""
    people, url = people_of(request), public_url(request)
    secret = login_secret(request, url)
    fields = await form_of(request, derived(secret, "form") if secret else "")
    after = local_path(fields.get("next", ""))
    name, password = fields.get("name", "")[:200], fields.get("password", "")[:1000]
    before = session_secret(request, url)
    try:
        logged_in = await run_in_threadpool(people.log_in, name, password, request.state.origin, before)
    except (NotAuthorised, TooManyTries) as error:
        if not wants_page(request):
            return error_response(request, error)
        return _form(request, people, after, name=name, error=error)
    return _signed_in(request, logged_in, after)


async def log_out(request: Request) -> Response:
    """POST /logout: end the session."""
    people, identity = people_of(request), request.state.identity
    await form_of(request, identity.csrf)
    await run_in_threadpool(people.log_out, identity)
    response = RedirectResponse("/login?note=out", 303)
    drop_cookie(response, SESSION, request, public_url(request))
    return response


async def oidc_begin(request: Request) -> Response:
    """GET /login/oidc: off to the provider, with a fresh cookie to come back with."""
    people = people_of(request)
    if people.provider is None:
        raise NotFound("no OpenID provider is set", "use a local account")
    secret = f"{fresh()}.{_packed(local_path(request.query_params.get('next', '')))}"
    response = RedirectResponse(await run_in_threadpool(people.provider.begin, secret), 303)
    set_cookie(response, LOGIN, secret, LOGIN_SECONDS, request, public_url(request))
    return response


async def oidc_callback(request: Request) -> Response:
    """GET /login/oidc/callback: back from the provider; the cookie is good once."""
    people, url = people_of(request), public_url(request)
    if people.provider is None:
        raise NotFound("no OpenID provider is set", "use a local account")
    secret = login_secret(request, url)
    origin = request.state.origin
    await run_in_threadpool(people.count_try, origin)
    try:
        if not secret:
            raise NotAuthorised("this login was not begun in this browser, or is over", "begin again at the login page")
        claimed = await run_in_threadpool(people.provider.finish, secret, request.query_params)
    except CollectorError as error:
        await run_in_threadpool(people.refused_elsewhere, error, origin)
        return _refused(request, error)
    try:
        before = session_secret(request, url)
        logged_in = await run_in_threadpool(people.log_in_claimed, claimed, origin, before)
    except CollectorError as error:
        return _refused(request, error)
    return _signed_in(request, logged_in, _unpacked(secret.partition(".")[2]))


def _refused(request: Request, error: CollectorError) -> Response:
    response = error_response(request, error)
    drop_cookie(response, LOGIN, request, public_url(request))
    return response


def _signed_in(request: Request, logged_in: LoggedIn, after: str) -> Response:
    url = public_url(request)
    response = RedirectResponse(after, 303)
    set_cookie(response, SESSION, logged_in.secret, logged_in.longest_seconds, request, url)
    drop_cookie(response, LOGIN, request, url)
    return response


def _form(
    request: Request, people: People, after: str, name: str = "", note: str = "", error: CollectorError | None = None
) -> Response:
    """The login page, with the cookie that its form belongs to."""
    secret = login_secret(request, public_url(request)) or fresh()
    values = {
        "current": "login",
        "csrf": derived(secret, "form"),
        "next": after,
        "oidc": f"/login/oidc?next={quote(after)}" if people.provider is not None else "",
        "name": name,
        "note": note,
        "error": error,
    }
    response = page(request, "login.html", values, error.status if error else 200)
    if isinstance(error, TooManyTries):
        response.headers["Retry-After"] = str(error.retry_after)
    set_cookie(response, LOGIN, secret, LOGIN_SECONDS, request, public_url(request))
    return response


def local_path(text: str) -> str:
    """Where to go after a login: a path of this site, or the first page. `//evil.test` and `/\\evil.test` are none.

    >>> local_path("/carbon?x=1"), local_path("//evil.test"), local_path("https://evil.test")
    ('/carbon?x=1', '/', '/')
    """
    good = text.startswith("/") and text[1:2] not in ("/", "\\") and text.isprintable() and text.isascii()
    return text if good and len(text) <= 500 and not text.startswith(("/login", "/logout")) else "/"


def _packed(path: str) -> str:
    return base64.urlsafe_b64encode(path.encode()).rstrip(b"=").decode()


def _unpacked(text: str) -> str:
    try:
        return local_path(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "/"


LOGIN_ROUTES = [
    Route("/login", login_page),
    Route("/login", log_in, methods=["POST"]),
    Route("/login/oidc", oidc_begin),
    Route(CALLBACK_PATH, oidc_callback),
    Route("/logout", log_out, methods=["POST"]),
]
