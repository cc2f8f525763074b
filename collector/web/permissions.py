"""The one table of routes and what each needs. The access rule asks it before any route runs; a route without an entry
is refused to everybody, and a test that walks all routes fails."""

from collections.abc import Iterable

from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import Scope

from collector.people.roles import Permission

OPEN, READ, OWN, AUDIT = Permission.OPEN, Permission.READ, Permission.OWN, Permission.AUDIT
OPERATE = Permission.OPERATE

NEEDED: dict[tuple[str, str], Permission] = {
    # Health checks learn the state only; agents bring a key or token of their own, which these routes check.
    ("GET", "/healthz"): OPEN,
    ("GET", "/readyz"): OPEN,
    ("POST", "/v1/enrol"): OPEN,
    ("POST", "/v1/reports"): OPEN,
    ("GET", "/v1/whoami"): OPEN,
    ("POST", "/v1/key/rotate"): OPEN,
    ("DELETE", "/v1/key"): OPEN,
    # Public by nature: hosts compare it with what their token says.
    ("GET", "/ca.pem"): OPEN,
    # Before anybody is known. The style sheet is the same in every installation.
    ("GET", "/login"): OPEN,
    ("POST", "/login"): OPEN,
    ("GET", "/login/oidc"): OPEN,
    ("GET", "/login/oidc/callback"): OPEN,
    ("GET", "/static"): OPEN,
    ("GET", "/"): READ,
    ("GET", "/carbon"): READ,
    ("GET", "/carbon/coverage"): READ,
    ("GET", "/carbon/downloads"): READ,
    ("GET", "/carbon/downloads/{file}"): READ,
    ("GET", "/carbon/factors"): READ,
    ("GET", "/carbon/footprint"): READ,
    ("GET", "/carbon/measures"): READ,
    ("GET", "/carbon/pathway"): READ,
    ("GET", "/carbon/published"): READ,
    ("GET", "/carbon/published/{number}/pack"): READ,
    ("GET", "/carbon/why"): READ,
    ("GET", "/coverage"): READ,
    ("GET", "/devices/{device_id}"): READ,
    ("POST", "/devices/{device_id}/power-path"): OPERATE,
    ("GET", "/metrics"): READ,
    ("GET", "/quality"): READ,
    ("GET", "/register"): READ,
    ("GET", "/register/items/{item_id}"): READ,
    ("GET", "/register/reconciliation"): READ,
    ("GET", "/tree"): READ,
    ("GET", "/v1/carbon/footprint"): READ,
    ("GET", "/v1/carbon/reports"): READ,
    ("GET", "/v1/devices"): READ,
    ("GET", "/v1/devices/{device_id}"): READ,
    ("GET", "/v1/devices/{device_id}/guests"): READ,
    ("GET", "/v1/devices/{device_id}/network"): READ,
    ("GET", "/v1/devices/{device_id}/power-path"): READ,
    ("GET", "/v1/devices/{device_id}/events"): READ,
    ("GET", "/v1/energy"): READ,
    ("GET", "/v1/estate/coverage"): READ,
    ("GET", "/v1/estate/totals"): READ,
    ("GET", "/v1/openapi.json"): READ,
    ("GET", "/account"): OWN,
    ("POST", "/account/password"): OWN,
    ("POST", "/account/sessions"): OWN,
    ("POST", "/logout"): OWN,
    ("GET", "/audit"): AUDIT,
}


def needed(routes: Iterable[BaseRoute], scope: Scope) -> Permission | None:
    """What a request needs; None where its route has no entry.

    An address or method that does not exist needs what pages do: what there is not is told to readers only.
    """
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    for route in routes:
        if route.matches(scope)[0] is Match.FULL:
            return NEEDED.get((method if isinstance(route, Route) else "GET", path_of(route)))
    return READ


def path_of(route: BaseRoute) -> str:
    """A route's path as the table has it."""
    return route.path if isinstance(route, (Route, Mount)) else ""
