"""The two cookies: a session's, and one for the time before, from which a login's form and its states are derived.

Both are HttpOnly, Secure, SameSite=Lax, for this host alone; browsers count http on loopback as secure. Over https the
names begin with `__Host-`, so that no other host of the domain can set them.
"""

from starlette.requests import Request
from starlette.responses import Response

SESSION, LOGIN = "ictagent", "ictagent-login"
LOGIN_SECONDS = 1800
"""How long somebody may take over a login, at the provider too."""


def session_secret(request: Request, public_url: str) -> str:
    """What the session's cookie holds, or nothing."""
    return request.cookies.get(_name(SESSION, request, public_url), "")[:256]


def login_secret(request: Request, public_url: str) -> str:
    """What the login's cookie holds, or nothing."""
    return request.cookies.get(_name(LOGIN, request, public_url), "")[:2048]


def set_cookie(
    response: Response, kind: str, value: str, seconds: int | None, request: Request, public_url: str
) -> None:
    """Set a cookie for so long, or with None until the browser ends."""
    name = _name(kind, request, public_url)
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def drop_cookie(response: Response, kind: str, request: Request, public_url: str) -> None:
    name = _name(kind, request, public_url)
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")


def _name(kind: str, request: Request, public_url: str) -> str:
    encrypted = request.url.scheme == "https" or public_url.startswith("https://")
    return f"__Host-{kind}" if encrypted else kind
