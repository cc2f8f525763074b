"""Who may ask what: `ictagent up` answers this machine only, `ictagent collector run` asks for a login or a token."""

import base64
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from collector.database.schema import device
from collector.people.roles import Permission
from collector.web.api import ROUTES
from collector.web.pages import PAGES
from collector.web.permissions import NEEDED
from tests.collector.hosts import Host, recent_half_hour
from tests.collector.web.conftest import READ_TOKEN
from tests.collector.web.served import Served
from tests.servers.authority import certificates
from tests.servers.ictagent import READ_TOKEN as PROGRAM_TOKEN
from tests.servers.ictagent import CollectorProgram, ictagent

READING = sorted(
    path.replace("{device_id}", "abc")
    .replace("{item_id}", "abc")
    .replace("{file}", "report.csv")
    .replace("{number}", "abc")
    for (_, path), needs in NEEDED.items()
    if needs is Permission.READ
)
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


class TestUp:
    """The rule of `ictagent up`."""

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "127.0.0.1:1", "[::1]:65535"])
    def test_this_machines_names_are_accepted_with_any_port(self, local: Served, host: str) -> None:
        assert local.client.get("/", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize(
        "host",
        [
            "evil.test",
            "evil.test:8420",
            "127.0.0.1.evil.test",
            "localhost.evil.test",
            "[::1].evil.test",
            "192.168.0.7:8420",
            "0.0.0.0",  # noqa: S104  # a Host header, nothing is bound to it
            "127.0.0.1:8420:1",
            "127.0.0.1@evil.test",
            "",
        ],
    )
    def test_a_rebound_dns_name_is_refused(self, local: Served, host: str) -> None:
        for path in ("/", "/v1/devices", "/healthz"):
            answer = local.client.get(path, headers={"Host": host})
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
        assert local.address in answer.json()["error"]["remedy"], "the address that works is named"

    @pytest.mark.parametrize(
        "header",
        ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Real-IP"],
    )
    def test_a_forwarded_request_is_refused(self, local: Served, header: str) -> None:
        answer = local.client.get("/", headers={header: "127.0.0.1"})
        assert answer.status_code == 403
        assert "collector run" in answer.json()["error"]["remedy"]

    @pytest.mark.parametrize("origin", ["https://evil.test", "http://127.0.0.1:1", "http://localhost", "null", ""])
    def test_a_page_of_another_origin_is_refused(self, local: Served, origin: str) -> None:
        for method, path in (("GET", "/v1/devices"), ("POST", "/v1/reports"), ("OPTIONS", "/v1/reports")):
            assert local.client.request(method, path, headers={"Origin": origin}).status_code == 403

    def test_a_page_of_its_own_origin_is_answered(self, local: Served) -> None:
        assert local.client.get("/v1/devices", headers={"Origin": local.address}).status_code == 200
        assert local.client.get("/", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
        assert local.client.get("/", headers={"Sec-Fetch-Site": "none"} | NAVIGATION).status_code == 200

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_of_other_sites_only_a_followed_link_is_answered(self, local: Served, site: str) -> None:
        headers = {"Sec-Fetch-Site": site}
        assert local.client.get("/", headers=headers | NAVIGATION).status_code == 200
        for mode, dest in (("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("no-cors", "script")):
            asked = headers | {"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
            assert local.client.get("/", headers=asked).status_code == 403, (mode, dest)
        assert local.client.post("/v1/enrol", headers=headers | NAVIGATION, json={}).status_code == 403

    def test_a_form_of_another_site_can_neither_report_nor_enrol(self, local: Served) -> None:
        before = devices(local)
        form = {"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site", **NAVIGATION}
        body = json.dumps({"token": local.token(), "host_name": "h", "kind": "host"})
        for origin in ({"Origin": "https://evil.test"}, {"Origin": "null"}, {}):
            for path in ("/v1/enrol", "/v1/reports"):
                assert local.client.post(path, content=body, headers=form | origin).status_code == 403
        assert devices(local) == before

    def test_writing_needs_a_key_or_a_token_even_from_this_machine(self, local: Served) -> None:
        before = devices(local)
        assert local.client.post("/v1/reports", content=b"{}").status_code == 401
        wanted = {"token": "000000000000.guessed", "host_name": "h", "kind": "host"}
        assert local.client.post("/v1/enrol", json=wanted).status_code == 401
        assert devices(local) == before

    def test_no_other_route_writes(self) -> None:
        writing = {route.path for route in (*ROUTES, *PAGES) if set(route.methods or ()) - {"GET", "HEAD"}}
        own = {"/login", "/logout", "/account/password", "/account/sessions", "/devices/{device_id}/power-path"}
        assert writing == {"/v1/reports", "/v1/enrol", "/v1/key", "/v1/key/rotate", *own}

    def test_there_is_no_login_and_no_account(self, local: Served) -> None:
        for path in ("/login", "/login/oidc", "/login/oidc/callback"):
            assert local.client.get(path).status_code == 404, path
        assert local.client.post("/login", data={"name": "a", "password": "b"}).status_code == 404
        for path in ("/account", "/audit"):
            assert local.client.get(path).status_code == 403, path


class TestCollectorRun:
    """The rule of `ictagent collector run`."""

    @pytest.mark.parametrize("path", READING)
    def test_without_the_token_nothing_can_be_read(self, guarded: Served, path: str) -> None:
        basic = base64.b64encode(f"{READ_TOKEN}:wrong".encode()).decode()
        for header in (
            "",
            "Bearer wrong",
            f"Bearer {READ_TOKEN}x",
            f"Basic {basic}",
            "Basic %%%",
            f"Token {READ_TOKEN}",
        ):
            answer = guarded.client.get(path, headers={"Authorization": header} if header else {})
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authorised"), header
            assert answer.headers["www-authenticate"].startswith("Bearer "), "a browser asks for no password by itself"

    @pytest.mark.parametrize("path", [path for path in READING if "abc" not in path])
    def test_the_token_opens_as_bearer_and_as_password(self, guarded: Served, path: str) -> None:
        assert guarded.client.get(path, headers={"Authorization": f"Bearer {READ_TOKEN}"}).status_code == 200
        assert guarded.client.get(path, auth=("anyone", READ_TOKEN)).status_code == 200

    def test_the_peers_address_opens_nothing(self, guarded: Served) -> None:
        for headers in ({"X-Forwarded-For": "127.0.0.1"}, {"Host": "localhost"}, {"Forwarded": "for=127.0.0.1"}):
            assert guarded.client.get("/", headers=headers).status_code == 401

    def test_agents_need_no_reading_token(self, guarded: Served) -> None:
        host = guarded.enrol("web01")
        [report] = Host(None, recent_half_hour(4)).reports(60)  # type: ignore[arg-type]  # it sends nothing itself
        assert host.send(report).status_code == 200
        assert guarded.client.get("/v1/whoami", headers={"Authorization": f"Bearer {host.key}"}).status_code == 200
        assert guarded.client.get("/healthz").json() == {"status": "ok"}
        assert guarded.client.get("/readyz").json()["ready"] is True

    def test_an_agents_key_reads_nothing(self, guarded: Served) -> None:
        host = guarded.enrol("web02")
        assert guarded.client.get("/v1/devices", headers={"Authorization": f"Bearer {host.key}"}).status_code == 401

    def test_the_reading_token_does_not_report(self, guarded: Served) -> None:
        host = guarded.enrol("web03")
        headers = host.headers() | {"Authorization": f"Bearer {READ_TOKEN}"}
        assert guarded.client.post("/v1/reports", content=b"{}", headers=headers).status_code == 401

    @pytest.mark.parametrize("file", ["", "missing", "empty"])
    def test_without_a_token_in_its_file_no_token_opens(self, tmp_path: Path, file: str) -> None:
        (tmp_path / "empty").touch()
        path = str(tmp_path / file) if file else ""
        with running(CollectorProgram(tmp_path, ["--read-token-file", path])) as program:
            for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Basic Og=="}):
                answer = httpx.get(program.url, headers=headers)
                assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authorised")
            assert "collector user add" in program.said
            assert httpx.get(f"{program.url}/healthz").status_code == 200


class TestListening:
    """Where a collector may listen."""

    @pytest.mark.parametrize("listen", ["0.0.0.0:0", "192.0.2.1:8420", "[::]:8420", "collector.example:443"])
    def test_every_address_but_loopback_needs_a_certificate(self, tmp_path: Path, listen: str) -> None:
        ended = ictagent("collector", "run", "--listen", listen, "--state-directory", str(tmp_path))
        assert ended.returncode == 78
        assert ended.stderr.startswith("ictagent: configuration: ")
        assert "certificate_file" in ended.stderr
        assert ended.stderr.count("\n") == 1

    def test_up_listens_on_loopback_only_even_with_a_certificate(self, tmp_path: Path) -> None:
        _, chain, key = certificates(tmp_path / "tls")
        extra = {
            "ICTAGENT_COLLECTOR_CERTIFICATE_FILE": str(chain),
            "ICTAGENT_COLLECTOR_CERTIFICATE_KEY_FILE": str(key),
        }
        ended = ictagent("up", "--listen", "0.0.0.0:0", "--state-directory", str(tmp_path), extra=extra)
        assert ended.returncode == 78
        assert "loopback" in ended.stderr

    def test_with_a_certificate_it_speaks_tls_and_nothing_else(self, tmp_path: Path) -> None:
        authority = certificates(tmp_path / "tls")
        with running(CollectorProgram(tmp_path, certificate=authority)) as program:
            trusting = ssl.create_default_context(cafile=str(authority[0]))
            with httpx.Client(base_url=program.url, verify=trusting) as client:
                assert client.get("/", auth=("officer", PROGRAM_TOKEN)).status_code == 200
                assert client.get("/").status_code == 401
            with pytest.raises(httpx.HTTPError):
                httpx.get(program.url.replace("https", "http"))


@contextmanager
def running(program: CollectorProgram) -> Iterator[CollectorProgram]:
    program.start()
    try:
        yield program
    finally:
        program.end()


def devices(served: Served) -> int:
    with served.collector.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(device)).scalar_one())
