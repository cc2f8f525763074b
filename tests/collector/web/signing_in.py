"""People and programs at a served collector: accounts made as the command does, and a browser that keeps cookies."""

import re
import time
from http.cookies import SimpleCookie

import httpx
from sqlalchemy import insert

from collector.database.schema import organisation
from collector.people.accounts import add_account
from collector.people.passwords import hash_password
from collector.people.tokens import create_api_token
from tests.collector.web.served import Served

PASSWORD = "correct horse battery staple"
_HASH = hash_password(PASSWORD, "")
BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "User-Agent": "Test browser"}


def account(served: Served, name: str, role: str = "viewer", organisations: tuple[str, ...] = ()) -> None:
    """A local account with PASSWORD."""
    with served.collector.database.write() as connection:
        add_account(connection, name, _HASH, role, organisations, int(time.time()), "test")


def api_token(served: Served, role: str = "viewer", organisations: tuple[str, ...] = (), seconds: int = 3600) -> str:
    """An API token."""
    now = served.collector.clock_ns() // 10**9
    with served.collector.database.write() as connection:
        return create_api_token(connection, "test", role, organisations, now + seconds, now, "test")


def another_organisation(served: Served, name: str) -> None:
    """A second organisation beside the one that every installation has."""
    values = {"time_zone": "Europe/London", "year_rule": "majority", "count_host_missing": False}
    with served.collector.database.write() as connection:
        connection.execute(insert(organisation).values(name=name, **values))


class Browser:
    """A browser without a window: it keeps cookies, Secure ones on loopback too, and says where its forms come from."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page, without following where it leads."""
        return self._ask("GET", path, headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Send a form from a page of this site, unless headers say otherwise."""
        return self._ask(
            "POST", path, {"Origin": self.served.address, "Sec-Fetch-Site": "same-origin"} | headers, fields
        )

    def send(self, page: str, action: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Open a page and send its form with this action, as it was shown but for these fields."""
        hidden = form_fields(self.get(page).text, action)
        return self.post(action, hidden | fields, **headers)

    def sign_in(self, name: str, password: str = PASSWORD, page: str = "/login") -> httpx.Response:
        """Sign in on the login page."""
        return self.send(page, "/login", {"name": name, "password": password})

    def _ask(
        self, method: str, path: str, headers: dict[str, str], fields: dict[str, str] | None = None
    ) -> httpx.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = BROWSER | ({"Cookie": cookie} if cookie else {}) | headers
        answer = self.served.client.request(method, path, headers=sent, data=fields)
        for text in answer.headers.get_list("set-cookie"):
            self.set_cookies.append(text)
            for name, morsel in SimpleCookie(text).items():
                self.cookies[name] = morsel.value
                if not morsel.value or morsel["max-age"] == "0":
                    del self.cookies[name]
        return answer


def form_fields(html: str, action: str) -> dict[str, str]:
    """The hidden fields of the first form with this action."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', html, re.DOTALL)
    assert form, f"there is no form to {action}"
    return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form[1]))


def signed_in(served: Served, name: str) -> Browser:
    """A browser in which somebody has signed in."""
    browser = Browser(served)
    answer = browser.sign_in(name)
    assert answer.status_code == 303, answer.text
    return browser
