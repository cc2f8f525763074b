"""The OpenAPI description: valid, and about the routes that there are."""

from openapi_spec_validator import validate
from starlette.routing import Route

from collector.web.api import ROUTES
from collector.web.openapi import document
from tests.collector.web.served import Served


def test_the_description_is_valid_openapi(local: Served) -> None:
    served = local.client.get("/v1/openapi.json").json()
    validate(served)
    assert served == document()


def test_it_describes_exactly_the_routes() -> None:
    described = {(path, method.upper()) for path, methods in document()["paths"].items() for method in methods}
    routed = {(route.path, method) for route in ROUTES if isinstance(route, Route) for method in route.methods or ()}
    assert described == {(path, method) for path, method in routed if method != "HEAD"}


def test_what_the_api_answers_has_the_described_shape(local: Served) -> None:
    schemas = document()["components"]["schemas"]
    refused = local.client.get("/v1/whoami").json()
    assert set(schemas["Error"]["properties"]["error"]["required"]) == set(refused["error"])
    host = local.enrol("web01")
    headers = {"Authorization": f"Bearer {host.key}"}
    assert set(schemas["WhoAmI"]["required"]) == set(local.client.get("/v1/whoami", headers=headers).json())
