"""A collector at its most talkative, used in every way, writes no secret to its log, its audit log or its database."""

import re
import urllib.parse
from http.client import HTTPConnection
from pathlib import Path

from tests.servers.ictagent import READ_TOKEN, AgentProgram, CollectorProgram, ictagent, request
from tests.servers.oidc import CLIENT_ID, CLIENT_SECRET, openid_provider
from tests.servers.process import wait_until

PASSWORD = "never-to-be-written-down"
WRONG = "this-one-neither-is-written"


class Visitor:
    """A browser of few lines; it keeps what cookies held."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self.held: list[str] = []

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Status, address to go to, and page."""
        headers = {"Accept": "text/html", "Origin": f"http://127.0.0.1:{self.port}"}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = HTTPConnection("127.0.0.1", self.port, timeout=15)
        connection.request(method, path, urllib.parse.urlencode(fields or {}), headers)
        answer = connection.getresponse()
        for text in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = text.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
            self.held.append(value.strip('"'))
        page = answer.read().decode()
        connection.close()
        return answer.status, answer.headers.get("Location", ""), page

    def send(self, page: str, action: str, fields: dict[str, str]) -> int:
        """Send a form of a page with the token that the page gave."""
        token = re.search(r'name="csrf" value="([^"]+)"', self.ask("GET", page)[2])
        assert token
        self.held.append(token[1])
        return self.ask("POST", action, {"csrf": token[1], **fields})[0]


def test_no_secret_is_in_the_log_of_a_full_run(tmp_path: Path) -> None:
    secret_file, password_file = tmp_path / "oidc-secret", tmp_path / "password"
    secret_file.write_text(CLIENT_SECRET)
    password_file.write_text(PASSWORD)
    with openid_provider() as provider:
        collector = CollectorProgram(tmp_path, ["--log-level", "debug"])
        collector.set(
            PUBLIC_URL=f"http://127.0.0.1:{collector.port}",
            OIDC_ISSUER=provider.issuer,
            OIDC_CLIENT_ID=CLIENT_ID,
            OIDC_CLIENT_SECRET_FILE=str(secret_file),
            OIDC_GROUP_ROLES="officers=officer",
        )
        collector.start()
        agent = AgentProgram(tmp_path, collector.url, token := collector.token())
        try:
            state = ("--state-directory", str(collector.state_directory))
            added = ictagent(
                "collector", "user", "add", "anna", "--role", "auditor", "--password-file", str(password_file), *state
            )
            assert added.returncode == 0, added.stderr
            api = ictagent("collector", "api-token", "create", "--label", "x", *state).stdout.strip()
            agent.begin()
            wait_until(lambda: collector.metric("ictagent_reports_accepted_total") >= 1, "a report")
            visitor = Visitor(collector.port)
            assert visitor.send("/login", "/login", {"name": "anna", "password": WRONG}) == 401
            assert visitor.send("/login", "/login", {"name": WRONG, "password": PASSWORD}) == 401
            assert visitor.send("/login", "/login", {"name": "anna", "password": PASSWORD}) == 303
            assert visitor.ask("GET", "/audit")[0] == 200
            change = {"old": WRONG, "new": PASSWORD, "again": PASSWORD}
            assert visitor.send("/account", "/account/password", change) == 400
            assert visitor.send("/", "/logout", {}) == 303
            status, there, _ = visitor.ask("GET", "/login/oidc")
            assert status == 303
            back = provider.authorize(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(there).query)))
            code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query))["code"]
            parts = urllib.parse.urlsplit(back)
            assert visitor.ask("GET", f"{parts.path}?{parts.query}")[0] == 303
            for header in (api, f"{api}x", token, READ_TOKEN):
                request(collector.port, "GET", "/v1/devices", {"Authorization": f"Bearer {header}"})
        finally:
            agent.end()
            collector.stop()
    key = (agent.state_directory / "key").read_text().strip()
    secrets = [PASSWORD, WRONG, CLIENT_SECRET, READ_TOKEN, code, *(one.partition(".")[2] for one in (api, token, key))]
    secrets += [one for one in visitor.held if len(one) > 20]
    assert len(secrets) > 12
    written = {path.name: path.read_bytes() for path in sorted(collector.state_directory.glob("ictagent.db*"))}
    written |= {"log": collector.said.encode() + collector.printed.encode(), "agent": agent.said.encode()}
    assert "listening at" in collector.said
    assert [(name, one) for name, text in written.items() for one in secrets if one.encode() in text] == []
