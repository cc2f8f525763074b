"""One's own account: who one is here, another password, the sessions that are open, and ending them."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from collector.errors import BadRequest, CollectorError, TooManyTries
from collector.people.passwords import LONGEST, SHORTEST
from collector.web.cookies import SESSION, drop_cookie
from collector.web.forms import form_of
from collector.web.login import people_of, public_url
from collector.web.reading import organisation_names
from collector.web.rendering import page


async def account_page(request: Request) -> Response:
    """GET /account."""
    return await run_in_threadpool(_account, request, None)


def _account(request: Request, error: CollectorError | None) -> Response:
    people, identity = people_of(request), request.state.identity
    values = {
        "current": "account",
        "sessions": people.sessions(identity),
        "organisations": organisation_names(request),
        "has_password": people.has_password(identity),
        "shortest": SHORTEST,
        "longest": LONGEST,
        "error": error,
    }
    return page(request, "account.html", values, error.status if error else 200)


async def change_password(request: Request) -> Response:
    """POST /account/password: another password; all sessions end, this one too."""
    people, identity = people_of(request), request.state.identity
    fields = await form_of(request, identity.csrf)
    old, new, again = (fields.get(name, "")[:1000] for name in ("old", "new", "again"))
    try:
        _require_same(new, again)
        await run_in_threadpool(people.change_password, identity, old, new, request.state.origin)
    except (BadRequest, TooManyTries) as error:
        return await run_in_threadpool(_account, request, error)
    response = RedirectResponse("/login?note=password", 303)
    drop_cookie(response, SESSION, request, public_url(request))
    return response


def _require_same(new: str, again: str) -> None:
    if new != again:
        raise BadRequest("the new password and its repetition differ", "type it twice alike")


async def end_sessions(request: Request) -> Response:
    """POST /account/sessions: end one of one's own sessions, or all the others."""
    people, identity = people_of(request), request.state.identity
    fields = await form_of(request, identity.csrf)
    wanted = fields.get("session", "")
    if wanted != "others" and len(wanted) != 16:
        raise BadRequest("the form names no session", "send it from the page")
    await run_in_threadpool(people.end_own, identity, wanted)
    return RedirectResponse("/account", 303)


ACCOUNT_ROUTES = [
    Route("/account", account_page),
    Route("/account/password", change_password, methods=["POST"]),
    Route("/account/sessions", end_sessions, methods=["POST"]),
]
