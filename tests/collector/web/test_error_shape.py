"""One shape for every error of the API, known codes, nothing internal; a browser gets the same error as a page."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from collector.errors import CollectorError, LeaseLost
from collector.settings import CollectorSettings
from collector.snmp.client import SnmpError
from collector.web.answers import ERROR_CODES, MethodNotAllowed
from tests.collector.web.conftest import Estate
from tests.collector.web.estate_of_tests import TROUBLES
from tests.collector.web.served import Served, serving
from tests.conftest import missing
from tests.servers.postgres import binaries, postgres
from tests.servers.process import wait_until

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def error_of(answer: httpx.Response) -> dict[str, str]:
    """The error of an answer, after its shape was checked."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["code", "message", "remedy"]
    assert all(isinstance(text, str) for text in body["error"].values())
    assert body["error"]["code"] in ERROR_CODES
    assert body["error"]["message"]
    error: dict[str, str] = body["error"]
    return error


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/nothing", {}, 404, "not_found"),
        ("GET", "/v1/nothing", {}, 404, "not_found"),
        ("GET", "/static/nothing.css", {}, 404, "not_found"),
        ("GET", "/static/../app.py", {}, 404, "not_found"),
        ("GET", "/static/%2e%2e/app.py", {}, 404, "not_found"),
        ("GET", "/v1/devices/nobody", {}, 404, "not_found"),
        ("GET", "/devices/nobody", {}, 404, "not_found"),
        ("GET", "/v1/energy?from=x", {}, 400, "bad_request"),
        ("POST", "/v1/devices", {}, 405, "method_not_allowed"),
        ("DELETE", "/", {}, 405, "method_not_allowed"),
        ("GET", "/v1/reports", {}, 405, "method_not_allowed"),
        ("PUT", "/static/style.css", {}, 405, "method_not_allowed"),
        ("POST", "/v1/reports", {}, 401, "not_authorised"),
        ("POST", "/v1/enrol", {}, 400, "bad_request"),
        ("GET", "/", {"Host": "evil.test"}, 403, "forbidden"),
    ],
)
def test_every_refusal_has_the_one_shape(
    local: Served, method: str, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = local.client.request(method, path, headers=headers)
    assert answer.status_code == status
    assert error_of(answer)["code"] == code


def test_the_listed_codes_are_those_of_the_exceptions() -> None:
    def codes(kind: type[CollectorError]) -> Iterator[str]:
        yield kind.code
        for one in kind.__subclasses__():
            # What devices answer, and who polls them, is told on their pages and by commands, never by a status of HTTP.
            if one not in (SnmpError, LeaseLost):
                yield from codes(one)

    assert sorted({*codes(CollectorError)}) == list(ERROR_CODES)
    assert MethodNotAllowed.code in ERROR_CODES


def test_a_wrong_method_is_told_the_right_ones(local: Served) -> None:
    answer = local.client.get("/v1/reports")
    assert answer.headers["allow"] == "POST"
    assert "POST" in error_of(answer)["remedy"]


def test_a_defect_shows_nothing_internal(empty: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("secret of /var/lib/ictagent-collector")

    monkeypatch.setattr(empty.collector.totals, "get", broken)
    for path, headers in (("/v1/devices", {}), ("/", {}), ("/", BROWSER)):
        answer = empty.client.get(path, headers=headers)
        assert answer.status_code == 500
        assert not re.search("secret|RuntimeError|Traceback|/var|\\.py", answer.text)
        assert "frame-ancestors" in answer.headers["content-security-policy"]
        if not headers:
            assert error_of(answer)["code"] == "internal"
    assert empty.client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [("/devices/nobody", 404, "no device nobody"), ("/nothing", 404, "nothing at this address")],
)
def test_a_browser_gets_the_error_as_a_page(local: Served, path: str, status: int, words: str) -> None:
    answer = local.client.get(path, headers=BROWSER)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert words in answer.text
    assert '<a href="/">All devices</a>' in answer.text


def test_the_api_answers_a_browser_in_json_too(local: Served) -> None:
    assert error_of(local.client.get("/v1/devices/nobody", headers=BROWSER))["code"] == "not_found"


def test_an_error_page_escapes_what_was_asked_for(local: Served) -> None:
    answer = local.client.get("/devices/<script>alert(1)</script>", headers=BROWSER)
    assert answer.status_code == 404
    assert "<script>" not in answer.text


def test_ready_tells_what_hinders_when_the_database_is_gone(tmp_path: Path) -> None:
    if binaries() is None:
        missing("PostgreSQL (Debian package postgresql)")
    with postgres(tmp_path / "postgres") as url:
        settings = CollectorSettings(state_directory=tmp_path / "state", database=url)
        with serving(tmp_path / "state", settings=settings) as served:
            assert served.client.get("/readyz").json() == {"ready": True, "problems": []}
            _stop_postgres(tmp_path / "postgres")
            wait_until(lambda: served.client.get("/readyz").status_code == 503, "the collector to notice")
            answer = served.client.get("/readyz").json()
            assert answer["ready"] is False
            blocking = [one for one in answer["problems"] if one["blocking"]]
            assert [one["subject"] for one in blocking] == ["database"]
            assert blocking[0]["message"]
            assert served.client.get("/healthz").status_code == 200
            refused = served.client.get("/v1/devices")
            assert (refused.status_code, error_of(refused)["code"]) == (503, "database_error")
            assert refused.headers["retry-after"] == "5"
            assert served.client.get("/", headers=BROWSER).headers["content-type"].startswith("text/html")


def _stop_postgres(directory: Path) -> None:
    pid = int((directory / "data" / "postmaster.pid").read_text().splitlines()[0])
    subprocess.run(["kill", "-QUIT", str(pid)], check=True)
    wait_until(lambda: not (directory / "data" / "postmaster.pid").exists() or not _alive(pid), "PostgreSQL to end")


def _alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_pages_of_an_estate_with_everything_in_it_are_answered(estate: Estate) -> None:
    troubles = [machine.name for machine in TROUBLES]
    paths = ["/", "/carbon", "/quality", estate.path("crm-vm01"), *(estate.path(name) for name in troubles)]
    for path in paths:
        assert estate.client.get(path).status_code == 200, path
