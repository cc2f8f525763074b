"""Signing in and out over HTTP: sessions, cookies, forms that only their own page may send, waiting after failures."""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from starlette.requests import Request

from collector.database.audit import AuditFilter, AuditRow, read_audit
from collector.database.schema import login_try, session
from collector.people.accounts import accounts, find_account, remove_account, set_password
from collector.people.configuration import limits_of, proxies_of
from collector.people.passwords import hash_password
from collector.people.service import forget
from collector.people.throttle import ACCOUNT, ADDRESS
from collector.settings import CollectorSettings
from collector.web.access import SignIn
from collector.web.peer import address_of
from tests.collector.web.served import Served, serving
from tests.collector.web.signing_in import PASSWORD, Browser, account, api_token, form_fields, signed_in

WRONG = "a wrong password, long enough"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A collector that asks for a login; each test has accounts of its own."""
    with serving(tmp_path_factory.mktemp("desk"), SignIn(lambda: "")) as served:
        yield served


@pytest.fixture
def at(desk: Served) -> Iterator[Served]:
    """The same with its clock set right and no failures remembered."""
    desk.collector.seconds_behind = 0
    with desk.collector.database.write() as connection:
        connection.execute(login_try.delete())
    yield desk
    desk.collector.seconds_behind = 0


def acts(served: Served, words: str) -> list[AuditRow]:
    with served.collector.database.read() as connection:
        return read_audit(connection, AuditFilter(words), 1000)


def account_once(served: Served, name: str) -> None:
    """An account that several tests share."""
    with served.collector.database.read() as connection:
        known = {one.name for one in accounts(connection)}
    if name not in known:
        account(served, name)


def later(served: Served, seconds: int) -> None:
    """Let the collector's clock go on."""
    served.collector.seconds_behind -= seconds


class TestSession:
    def test_a_browser_is_led_to_the_login_and_back(self, at: Served) -> None:
        account(at, "led")
        browser = Browser(at)
        away = browser.get("/carbon?month=2026-11")
        assert (away.status_code, away.headers["location"]) == (303, "/login?next=/carbon%3Fmonth%3D2026-11")
        back = browser.sign_in("led", page=away.headers["location"])
        assert (back.status_code, back.headers["location"]) == (303, "/carbon?month=2026-11")
        assert browser.get("/carbon").status_code == 200
        assert browser.get("/login").headers["location"] == "/", "who is signed in needs no form"

    @pytest.mark.parametrize(
        "away", ["//evil.test/", "https://evil.test/", "/\\evil.test", "javascript:alert(1)", "/login"]
    )
    def test_after_a_login_nobody_is_sent_elsewhere(self, at: Served, away: str) -> None:
        account_once(at, "away")
        browser = Browser(at)
        answer = browser.send("/login", "/login", {"name": "away", "password": PASSWORD, "next": away})
        assert answer.headers["location"] == "/"

    def test_the_cookie_is_for_http_and_this_host_alone_and_holds_256_random_bits(self, at: Served) -> None:
        account(at, "cookie")
        browser = signed_in(at, "cookie")
        [text] = [one for one in browser.set_cookies if one.startswith("ictagent=")]
        attributes = {part.strip().lower() for part in text.split(";")[1:]}
        assert {"httponly", "secure", "samesite=lax", "path=/"} <= attributes
        assert not any(one.startswith("domain") for one in attributes)
        assert len(browser.cookies["ictagent"]) == 43

    def test_the_database_does_not_hold_what_the_cookie_holds(self, at: Served) -> None:
        account(at, "stored")
        browser = signed_in(at, "stored")
        with at.collector.database.read() as connection:
            rows = connection.execute(select(session)).all()
        assert rows
        assert browser.cookies["ictagent"] not in str(rows)

    def test_every_login_begins_a_session_of_its_own_and_ends_the_one_before(self, at: Served) -> None:
        account(at, "again")
        browser = signed_in(at, "again")
        first = browser.cookies["ictagent"]
        del browser.cookies["ictagent"]
        page = browser.get("/login").text
        browser.cookies["ictagent"] = first
        fields = form_fields(page, "/login") | {"name": "again", "password": PASSWORD}
        assert browser.post("/login", fields).status_code == 303
        assert browser.cookies["ictagent"] != first
        thief = Browser(at)
        thief.cookies["ictagent"] = first
        assert thief.get("/").status_code == 303

    def test_a_cookie_that_somebody_else_set_is_not_taken_over(self, at: Served) -> None:
        account(at, "fixed")
        browser = Browser(at)
        browser.cookies["ictagent"] = "chosen-by-an-attacker"
        browser.sign_in("fixed")
        assert browser.cookies["ictagent"] != "chosen-by-an-attacker"

    def test_signing_out_ends_the_session_on_the_server(self, at: Served) -> None:
        account(at, "leaver")
        browser = signed_in(at, "leaver")
        kept = browser.cookies["ictagent"]
        answer = browser.send("/", "/logout", {})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?note=out")
        assert "ictagent" not in browser.cookies
        assert "You are signed out" in browser.get("/login?note=out").text
        browser.cookies["ictagent"] = kept
        assert browser.get("/").status_code == 303

    def test_a_session_ends_without_use(self, at: Served) -> None:
        account(at, "idle")
        browser = signed_in(at, "idle")
        for _ in range(3):
            later(at, 59 * 60)
            assert browser.get("/").status_code == 200, "use keeps it"
        later(at, 61 * 60)
        assert browser.get("/").status_code == 303

    def test_a_session_ends_though_it_is_used(self, at: Served) -> None:
        account(at, "busy")
        browser = signed_in(at, "busy")
        for _ in range(12 * 2 - 1):
            later(at, 30 * 60)
            assert browser.get("/account").status_code == 200
        later(at, 31 * 60)
        assert browser.get("/account").status_code == 303

    def test_removing_an_account_ends_its_sessions(self, at: Served) -> None:
        account(at, "gone")
        browser = signed_in(at, "gone")
        with at.collector.database.write() as connection:
            remove_account(connection, find_account(connection, "gone"), 0, "test")
        assert browser.get("/").status_code == 303
        assert browser.sign_in("gone").status_code == 401

    def test_sessions_that_are_over_are_dropped(self, at: Served) -> None:
        account(at, "dropped")
        browser = signed_in(at, "dropped")
        limits = limits_of(at.collector.settings)
        for seconds, kept in ((3540, True), (3601, False)):
            at.collector.writer.run(forget, (int(time.time()) + seconds, limits))
            assert (browser.get("/").status_code == 200) is kept, seconds


class TestPassword:
    def test_a_change_ends_all_sessions_and_asks_for_the_new_one(self, at: Served) -> None:
        account(at, "changer")
        one, other = signed_in(at, "changer"), signed_in(at, "changer")
        fields = {"old": PASSWORD, "new": "another good password", "again": "another good password"}
        answer = one.send("/account", "/account/password", fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?note=password")
        assert [browser.get("/").status_code for browser in (one, other)] == [303, 303]
        assert Browser(at).sign_in("changer").status_code == 401
        assert Browser(at).sign_in("changer", "another good password").status_code == 303
        [act] = acts(at, "user.password changer")
        assert act.actor == "user:changer"

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            (
                {"old": WRONG, "new": "another good password", "again": "another good password"},
                "present password is wrong",
            ),
            ({"old": PASSWORD, "new": "another good password", "again": "another bad password"}, "differ"),
            ({"old": PASSWORD, "new": "short", "again": "short"}, "12 to 256 characters"),
            ({"old": PASSWORD, "new": "i-am-careful-myself", "again": "i-am-careful-myself"}, "account&#39;s name"),
        ],
    )
    def test_a_change_that_cannot_be_is_refused_with_the_reason(
        self, at: Served, fields: dict[str, str], words: str
    ) -> None:
        account_once(at, "careful")
        browser = signed_in(at, "careful")
        answer = browser.send("/account", "/account/password", fields)
        assert answer.status_code == 400
        assert words in answer.text
        assert browser.get("/").status_code == 200, "the session goes on"
        assert fields["new"] not in answer.text

    def test_trying_the_present_password_makes_wait_like_a_login(self, at: Served) -> None:
        account(at, "lent")
        browser = signed_in(at, "lent")
        fields = {"old": WRONG, "new": "another good password", "again": "another good password"}
        statuses = [browser.send("/account", "/account/password", fields).status_code for _ in range(6)]
        assert statuses == [400] * ACCOUNT.free + [429]


class TestOwnSessions:
    def test_one_sees_and_ends_ones_own_sessions_only(self, at: Served) -> None:
        account(at, "owner")
        account(at, "neighbour")
        mine, other, foreign = signed_in(at, "owner"), signed_in(at, "owner"), signed_in(at, "neighbour")
        page = mine.get("/account").text
        assert page.count(">End</button>") == 1
        assert "this one: sign out" in page
        assert "127.0.0.1" in page
        assert "Test browser" in page
        their_page = signed_in(at, "neighbour").get("/account").text
        their_session = form_fields(their_page, "/account/sessions")["session"]
        mine.send("/account", "/account/sessions", {"session": their_session})
        assert foreign.get("/").status_code == 200
        mine.send("/account", "/account/sessions", {})
        assert [browser.get("/").status_code for browser in (mine, other, foreign)] == [200, 303, 200]

    def test_all_others_can_be_ended_at_once(self, at: Served) -> None:
        account(at, "many")
        mine, *others = (signed_in(at, "many") for _ in range(4))
        assert mine.send("/account", "/account/sessions", {"session": "others"}).status_code == 303
        assert [browser.get("/").status_code for browser in (mine, *others)] == [200, 303, 303, 303]

    @pytest.mark.parametrize("wanted", ["", "%" * 16, "_" * 16, "' OR 1=1 --xxxx"])
    def test_what_is_no_session_ends_none(self, at: Served, wanted: str) -> None:
        name = f"odd{len(wanted)}{ord((wanted or 'x')[0])}"
        account(at, name)
        mine, other = signed_in(at, name), signed_in(at, name)
        mine.send("/account", "/account/sessions", {"session": wanted})
        assert [browser.get("/").status_code for browser in (mine, other)] == [200, 200]


class TestForms:
    """A form is taken from its own page alone."""

    FORMS = (
        ("/login", "/login"),
        ("/account", "/account/password"),
        ("/account", "/account/sessions"),
        ("/", "/logout"),
    )

    def browser(self, at: Served, page: str) -> Browser:
        account_once(at, "formal")
        if page == "/account":
            signed_in(at, "formal")  # the form that ends sessions is there for who has another one
        return Browser(at) if page == "/login" else signed_in(at, "formal")

    @pytest.mark.parametrize(("page", "action"), FORMS)
    def test_with_another_sessions_token_it_is_refused(self, at: Served, page: str, action: str) -> None:
        browser = self.browser(at, page)
        token = form_fields(browser.get(page).text, action)["csrf"]
        foreign = form_fields(self.browser(at, page).get(page).text, action)["csrf"]
        assert foreign != token
        for wrong in (foreign, "", token[:-1], token + "x"):
            answer = browser.post(action, {"csrf": wrong, "session": "others"})
            assert answer.status_code == 403, wrong
        assert browser.get(page).status_code == 200

    @pytest.mark.parametrize(("page", "action"), FORMS)
    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.test"},
            {"Origin": "null"},
            {"Origin": ""},
            {"Origin": "http://127.0.0.1:1"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ],
        ids=str,
    )
    def test_from_another_site_it_is_refused_even_with_its_token(
        self, at: Served, page: str, action: str, headers: dict[str, str]
    ) -> None:
        browser = self.browser(at, page)
        answer = browser.send(page, action, {"session": "others"}, **headers)
        assert answer.status_code == 403
        assert "another site" in answer.text
        assert browser.get(page).status_code == 200

    def test_a_token_of_one_form_is_no_session(self, at: Served) -> None:
        browser = self.browser(at, "/")
        thief = Browser(at)
        thief.cookies["ictagent"] = form_fields(browser.get("/").text, "/logout")["csrf"]
        assert thief.get("/").status_code == 303

    def test_other_bodies_than_forms_are_refused(self, at: Served) -> None:
        headers = {"Origin": at.address}
        for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x", ""):
            answer = at.client.post("/login", content=b"{}", headers=headers | {"Content-Type": kind})
            assert answer.status_code == 400, kind
        large = at.client.post("/login", data={"name": "x" * 20_000}, headers=headers)
        assert large.status_code == 413
        many = at.client.post("/login", data={f"n{number}": "x" for number in range(60)}, headers=headers)
        assert many.status_code == 400


class TestFailures:
    def test_a_wrong_password_and_an_unknown_name_are_answered_alike(self, at: Served) -> None:
        account(at, "known")
        answers = [Browser(at).sign_in(name, WRONG) for name in ("known", "nobody-at-all")]
        texts = [re.sub(r'value="[^"]*"', "", answer.text) for answer in answers]
        assert [answer.status_code for answer in answers] == [401, 401]
        assert texts[0] == texts[1]
        assert "the password is wrong" in texts[0]

    def test_an_unknown_name_takes_as_long_as_a_wrong_password(self, at: Served) -> None:
        account(at, "timed")

        def took(name: str) -> float:
            best = float("inf")
            for _ in range(3):
                started = time.perf_counter()
                Browser(at).sign_in(name, WRONG)
                best = min(best, time.perf_counter() - started)
            return best

        known, unknown = took("timed"), took("nobody-timed")
        assert 0.4 < unknown / known < 2.5, (known, unknown)

    def test_after_five_failures_an_account_has_to_wait_longer_and_longer(self, at: Served) -> None:
        account(at, "guessed")
        tries = [Browser(at).sign_in("guessed", WRONG) for _ in range(ACCOUNT.free)]
        assert {answer.status_code for answer in tries} == {401}
        waits = []
        for _ in range(4):
            answer = Browser(at).sign_in("guessed")
            assert answer.status_code == 429, "the right password, too, has to wait"
            waits.append(int(answer.headers["retry-after"]))
            assert "Too many failed logins" in answer.text
            later(at, waits[-1])
            assert Browser(at).sign_in("guessed", WRONG).status_code == 401
        assert waits == sorted(waits)
        assert waits[-1] >= 8 * waits[0] - 8
        later(at, 900)
        assert Browser(at).sign_in("guessed").status_code == 303
        assert Browser(at).sign_in("guessed", WRONG).status_code == 401, "what was counted is forgotten"

    def test_others_do_not_wait_for_a_guessed_account(self, at: Served) -> None:
        account(at, "victim")
        account(at, "bystander")
        for _ in range(ACCOUNT.free + 1):
            Browser(at).sign_in("victim", WRONG)
        assert Browser(at).sign_in("bystander").status_code == 303

    def test_many_tries_at_once_are_not_many_free_ones(self, at: Served) -> None:
        account(at, "flooded")
        browser = Browser(at)
        fields = form_fields(browser.get("/login").text, "/login") | {"name": "flooded", "password": WRONG}
        statuses: list[int] = []

        def ask() -> None:
            headers = {"Origin": at.address, "Cookie": f"ictagent-login={browser.cookies['ictagent-login']}"}
            statuses.append(httpx.post(f"{at.address}/login", data=fields, headers=headers, timeout=30).status_code)

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [401] * ACCOUNT.free + [429] * 15

    def test_an_address_that_tries_many_names_has_to_wait(self, at: Served) -> None:
        with at.collector.database.write() as connection:
            values = {"subject": "address 127.0.0.1", "tries": ADDRESS.free - 1}
            connection.execute(login_try.insert().values(**values, last_at=int(time.time())))
        account(at, "behind")
        assert Browser(at).sign_in("nobody-1", WRONG).status_code == 401
        assert Browser(at).sign_in("behind").status_code == 429

    def test_a_login_that_succeeds_does_not_count_against_its_address(self, at: Served) -> None:
        account(at, "regular")
        for _ in range(3):
            signed_in(at, "regular")
        with at.collector.database.read() as connection:
            assert connection.execute(select(login_try.c.tries)).scalars().all() == [0]

    def test_an_operators_new_password_ends_the_waiting(self, at: Served) -> None:
        account(at, "locked")
        for _ in range(ACCOUNT.free + 1):
            Browser(at).sign_in("locked", WRONG)
        hashed = hash_password("an operator's choice", "locked")
        with at.collector.database.write() as connection:
            set_password(connection, find_account(connection, "locked"), hashed, 0, "test")
        assert Browser(at).sign_in("locked", "an operator's choice").status_code == 303

    def test_what_happened_is_in_the_audit_log_and_no_secret_is(self, at: Served) -> None:
        account(at, "logged")
        Browser(at).sign_in("logged", WRONG)
        Browser(at).sign_in("my-password-in-the-wrong-field", WRONG)
        browser = signed_in(at, "logged")
        browser.send("/", "/logout", {})
        assert [row.action for row in acts(at, "user:logged")][::-1] == ["login.failed", "login", "logout"]
        whole = str(acts(at, ""))
        for secret in (WRONG, PASSWORD, "my-password-in-the-wrong-field"):
            assert secret not in whole
        assert "unknown name" in whole


class TestHeaders:
    def test_every_answer_has_the_security_headers(self, at: Served) -> None:
        account(at, "headed")
        browser = signed_in(at, "headed")
        answers = [browser.get(path) for path in ("/", "/login", "/account", "/audit", "/nothing", "/static/style.css")]
        answers += [Browser(at).get("/"), browser.post("/logout", {"csrf": "wrong"})]
        for answer in answers:
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "form-action 'self'" in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert answer.headers["cache-control"] == "no-store"

    def test_pages_run_no_script(self, at: Served) -> None:
        account(at, "scripted")
        browser = signed_in(at, "scripted")
        for page in (Browser(at).get("/login").text, browser.get("/account").text, browser.get("/").text):
            assert not re.search(r"<script|\son\w+=|javascript:", page)


class TestTokens:
    def test_a_token_is_good_until_it_ends(self, at: Served) -> None:
        token = api_token(at, seconds=100)
        headers = {"Authorization": f"Bearer {token}"}
        assert at.client.get("/v1/devices", headers=headers).status_code == 200
        assert at.client.get("/v1/devices", auth=("prometheus", token)).status_code == 200
        later(at, 101)
        assert at.client.get("/v1/devices", headers=headers).status_code == 401

    def test_a_bad_token_is_not_made_good_by_a_session(self, at: Served) -> None:
        account(at, "both")
        browser = signed_in(at, "both")
        assert browser.get("/v1/devices").status_code == 200
        for bad in (
            "Bearer wrong",
            f"Bearer {api_token(at)}x",
            "Basic !!!",
            "Bearer .",
            "Digest x",
            "Bearer \u00e9.\u00e9",
        ):
            answer = at.client.get(
                "/v1/devices",
                headers={
                    b"Authorization": bad.encode(),
                    b"Cookie": b"ictagent=" + browser.cookies["ictagent"].encode(),
                },
            )
            assert answer.status_code == 401, bad


def test_behind_a_proxy_it_is_the_asker_who_waits_and_the_cookie_has_its_host_name(tmp_path: Path) -> None:
    settings = CollectorSettings(
        state_directory=tmp_path, public_url="https://pages.example", trusted_proxies=("127.0.0.0/8",)
    )
    rule = SignIn(lambda: "", proxies_of(settings), settings.public_url)
    with serving(tmp_path, rule, settings) as served:
        account(served, "remote")
        origin = {"Origin": "https://pages.example"}
        for number in range(3):
            sent = f"10.9.9.9, 198.51.100.{number}, 127.0.0.2"
            answer = Browser(served).send(
                "/login", "/login", {"name": "nobody", "password": WRONG}, **origin, **{"X-Forwarded-For": sent}
            )
            assert answer.status_code == 401
        with served.collector.database.read() as connection:
            subjects = set(connection.execute(select(login_try.c.subject)).scalars())
        assert {one for one in subjects if one.startswith("address")} == {f"address 198.51.100.{n}" for n in range(3)}
        browser = Browser(served)
        browser.send("/login", "/login", {"name": "remote", "password": PASSWORD}, **origin)
        assert len(browser.cookies["__Host-ictagent"]) == 43
        assert browser.get("/").status_code == 200


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        # With the port that the asker asks from, as Azure's and IIS's proxies write it: each request has another.
        ("10.0.0.1", "198.51.100.7:50412", "198.51.100.7"),
        ("10.0.0.1", "[2001:db8::7]:50412", "2001:db8::7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.9:443", "198.51.100.7"),
        ("10.0.0.1", "2001:DB8::7", "2001:db8::7"),
        # A socket for both kinds of addresses tells IPv4 peers so.
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("::ffff:192.0.2.1", "198.51.100.7", "192.0.2.1"),
        # What is no address may be anything, another thing each time.
        ("10.0.0.1", "203.0.113.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
    ],
)
def test_whoever_asks_is_counted_by_address_however_a_proxy_writes_it(peer: str, forwarded: str, address: str) -> None:
    scope = {"type": "http", "client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    proxies = proxies_of(CollectorSettings(trusted_proxies=("10.0.0.0/8",)))
    assert address_of(Request(scope), proxies) == address


def test_a_name_or_address_with_a_nul_is_refused_and_reaches_no_database(at: Served) -> None:
    """PostgreSQL takes none: it was told as a failure of the database."""
    answer = Browser(at).send("/login", "/login", {"name": "a\0b", "password": WRONG})
    assert answer.status_code == 400
    account(at, "nul", "auditor")
    _, browser = signed_in(at, "nul"), signed_in(at, "nul")
    assert browser.get("/audit?filter=a%00b").status_code == 400
    assert browser.send("/account", "/account/sessions", {"session": "\0" * 16}).status_code == 400


def test_a_forwarding_header_of_an_untrusted_peer_is_not_looked_at(at: Served) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9"}
    Browser(at).send("/login", "/login", {"name": "nobody", "password": WRONG}, **headers)
    with at.collector.database.read() as connection:
        subjects = set(connection.execute(select(login_try.c.subject)).scalars())
    assert "address 127.0.0.1" in subjects
    assert not any("203.0.113.9" in one for one in subjects)
