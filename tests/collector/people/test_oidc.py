"""Login at a real OpenID provider on loopback: who comes in, and every lie that is not believed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import OctKey

from collector.database.audit import AuditFilter, read_audit
from collector.database.schema import login_try
from collector.people.accounts import accounts
from collector.settings import CollectorSettings
from collector.web.access import SignIn
from tests.collector.web.served import Served, serving
from tests.collector.web.signing_in import Browser, account, another_organisation, signed_in
from tests.servers.oidc import CLIENT_ID, CLIENT_SECRET, Provider, new_key, openid_provider
from tests.servers.process import wait_until

CALLBACK = "/login/oidc/callback"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Provider]]:
    """A collector and its provider. The address at which browsers come back is the served one's path on any host."""
    directory = tmp_path_factory.mktemp("oidc")
    (directory / "secret").write_text(CLIENT_SECRET + "\n")
    with openid_provider() as provider:
        settings = CollectorSettings(
            state_directory=directory,
            public_url="http://127.0.0.1:9",
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT_ID,
            oidc_client_secret_file=str(directory / "secret"),
            oidc_group_roles=("officers=officer", "audit=auditor", "borough=viewer@The borough", "odd=name=viewer"),
        )
        with serving(directory, SignIn(lambda: "", public_url=settings.public_url), settings) as served:
            another_organisation(served, "The borough")
            yield served, provider


@pytest.fixture
def served(running: tuple[Served, Provider]) -> Served:
    return running[0]


@pytest.fixture
def provider(running: tuple[Served, Provider]) -> Provider:
    """The provider as honest as at first, and no failures remembered."""
    collector, found = running
    with collector.collector.database.write() as connection:
        connection.execute(login_try.delete())
    found.claims, found.description, found.answer = {}, {}, {}
    found.algorithm, found.sign_with, found.broken = "RS256", None, False
    return found


def come_back(served: Served, browser: Browser, path: str = "/login/oidc") -> str:
    """Begin at the collector, be let in at the provider; the path with which the browser comes back."""
    away = browser.get(path)
    assert away.status_code == 303, away.text
    at_provider = httpx.get(away.headers["location"])
    assert at_provider.status_code == 302
    return str(httpx.URL(at_provider.headers["location"]).raw_path.decode())


def log_in(served: Served, browser: Browser | None = None, path: str = "/login/oidc") -> httpx.Response:
    browser = browser or Browser(served)
    return browser.get(come_back(served, browser, path))


def refused(served: Served, words: str, status: int = 401) -> None:
    """A login now comes to nothing, for this reason, and leaves no session."""
    browser = Browser(served)
    answer = log_in(served, browser)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert "ictagent" not in browser.cookies
    assert browser.get("/").status_code == 303


def test_who_has_a_group_with_a_role_comes_in(served: Served, provider: Provider) -> None:
    browser = Browser(served)
    assert "Sign in with your organisation" in browser.get("/login?next=/carbon").text
    answer = log_in(served, browser, "/login/oidc?next=/carbon")
    assert (answer.status_code, answer.headers["location"]) == (303, "/carbon")
    page = browser.get("/account").text
    assert "anna@council.example" in page
    assert "<dd>officer</dd>" in page
    assert "signs in at" not in page
    assert "password is changed there" in page
    assert browser.get("/audit").status_code == 403


def test_a_second_login_is_the_same_account_with_what_the_provider_says_now(served: Served, provider: Provider) -> None:
    provider.claims = {"sub": "subject-2", "preferred_username": "bert@council.example"}
    assert log_in(served).status_code == 303
    provider.claims |= {"preferred_username": "bert.married@council.example", "groups": ["audit", "borough"]}
    assert log_in(served).status_code == 303
    with served.collector.database.read() as connection:
        mine = [one for one in accounts(connection) if "bert" in one.name]
        acts = read_audit(connection, AuditFilter("bert user.role"), 10)
    assert [(one.name, one.role) for one in mine] == [("bert.married@council.example", "auditor")]
    assert len(mine[0].organisations) == 2, "a group for all organisations goes before one for some"
    assert len(acts) == 1


def test_a_group_may_see_one_organisation_only(served: Served, provider: Provider) -> None:
    provider.claims = {"sub": "subject-3", "preferred_username": "cleo@borough.example", "groups": ["borough"]}
    browser = Browser(served)
    assert log_in(served, browser).status_code == 303
    page = browser.get("/account").text
    assert "<dd>The borough</dd>" in page


def test_another_person_of_the_same_name_is_another_account(served: Served, provider: Provider) -> None:
    for subject in ("subject-4", "subject-5"):
        provider.claims = {"sub": subject, "preferred_username": "dora@council.example"}
        assert log_in(served).status_code == 303
    with served.collector.database.read() as connection:
        assert len([one for one in accounts(connection) if one.name == "dora@council.example"]) == 2


def test_a_name_at_the_provider_takes_over_no_local_account(served: Served, provider: Provider) -> None:
    account(served, "root", "operator")
    provider.claims = {"sub": "subject-6", "preferred_username": "root", "groups": ["borough"]}
    browser = Browser(served)
    assert log_in(served, browser).status_code == 303
    assert "root@127.0.0.1" in browser.get("/account").text
    assert "<dd>operator</dd>" in signed_in(served, "root").get("/account").text


def test_without_a_group_that_has_a_role_nobody_comes_in_and_sessions_end(served: Served, provider: Provider) -> None:
    provider.claims = {"sub": "subject-7", "preferred_username": "emil@council.example"}
    before = Browser(served)
    assert log_in(served, before).status_code == 303
    for groups in (["bowling"], [], None, "bowling", ["officers "], [["officers"]], {"officers": True}, [7]):
        provider.claims |= {"groups": groups}
        refused(served, "in no group that may use ictagent", 403)
    assert before.get("/").status_code == 303


def test_a_group_that_is_one_text_counts_too(served: Served, provider: Provider) -> None:
    provider.claims = {"sub": "subject-8", "groups": "odd=name"}
    assert log_in(served).status_code == 303


def test_groups_that_entra_keeps_elsewhere_are_told_as_such(served: Served, provider: Provider) -> None:
    provider.claims = {"sub": "subject-9", "groups": None, "_claim_names": {"groups": "src1"}}
    refused(served, "more groups than the provider puts into a token")


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"nonce": "of another login"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"aud": "another application"}, "aud"),
        ({"aud": ["another application"]}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": [CLIENT_ID, "another"]}, "azp"),
        ({"azp": "another application"}, "azp"),
        ({"iss": "https://evil.test"}, "iss"),
        ({"iss": None}, "iss"),
        ({"exp": 1_700_000_000}, "expired"),
        ({"exp": None}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"iat": None}, "iat"),
        ({"iat": 4_000_000_000}, "issued in the future"),
        ({"nbf": 4_000_000_000}, "not yet valid"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_refused(
    served: Served, provider: Provider, claims: dict[str, Any], words: str
) -> None:
    provider.claims = claims
    refused(served, words)


def test_a_token_for_several_applications_names_this_one_as_the_party(served: Served, provider: Provider) -> None:
    provider.claims = {"sub": "subject-10", "aud": [CLIENT_ID, "another"], "azp": CLIENT_ID}
    assert log_in(served).status_code == 303


def test_a_token_without_a_signature_is_refused(served: Served, provider: Provider) -> None:
    provider.algorithm = "none"
    refused(served, "identity token is refused")


def test_a_token_signed_with_the_published_key_as_a_shared_secret_is_refused(
    served: Served, provider: Provider
) -> None:
    provider.algorithm = "HS256"
    public = str(provider.keys[0].as_dict(private=False)["n"])
    provider.sign_with = OctKey.import_key(public, {"kid": provider.keys[0].kid or ""})
    refused(served, "identity token is refused")
    provider.sign_with = OctKey.import_key(CLIENT_SECRET, {"kid": "shared"})
    refused(served, "identity token is refused")


def test_a_token_signed_by_somebody_else_is_refused(served: Served, provider: Provider) -> None:
    for kid in (provider.keys[0].kid or "", "unknown"):
        provider.sign_with = new_key(kid)
        refused(served, "identity token is refused")


def test_new_keys_of_the_provider_are_fetched_when_needed_and_old_ones_are_good_no_more(
    served: Served, provider: Provider
) -> None:
    assert log_in(served).status_code == 303
    old = provider.keys[0]
    provider.rotate()
    assert log_in(served).status_code == 303
    provider.asked.clear()
    assert log_in(served).status_code == 303
    assert "/keys" not in provider.asked, "they are kept"
    provider.sign_with = old
    refused(served, "identity token is refused")


def test_a_provider_that_calls_itself_otherwise_is_refused(tmp_path: Path, provider: Provider) -> None:
    settings = CollectorSettings(
        state_directory=tmp_path,
        public_url="http://127.0.0.1:9",
        oidc_issuer=provider.issuer + "/",
        oidc_client_id=CLIENT_ID,
        oidc_group_roles=("officers=officer",),
    )
    with serving(tmp_path, SignIn(lambda: ""), settings) as other:
        answer = Browser(other).get("/login/oidc")
        assert answer.status_code == 503
        assert "exactly as the provider does" in answer.text


def test_an_answer_that_names_another_provider_is_refused(served: Served, provider: Provider) -> None:
    provider.answer = {"iss": "https://evil.test"}
    refused(served, "another provider")


def test_the_providers_own_refusal_is_shown_as_text(served: Served, provider: Provider) -> None:
    provider.answer = {"error": "access_denied", "error_description": "<b>not today</b>"}
    refused(served, "access_denied &lt;b&gt;not today&lt;/b&gt;")


@pytest.mark.usefixtures("provider")
class TestState:
    def test_an_answer_in_another_browser_is_refused(self, served: Served) -> None:
        path = come_back(served, Browser(served))
        victim = Browser(served)
        victim.get("/login")
        for browser in (victim, Browser(served)):
            answer = browser.get(path)
            assert answer.status_code == 401
            assert "not begun in this browser" in answer.text
            assert "ictagent" not in browser.cookies

    def test_an_answer_is_good_once(self, served: Served) -> None:
        browser = Browser(served)
        path = come_back(served, browser)
        kept = browser.cookies["ictagent-login"]
        assert browser.get(path).status_code == 303
        assert "ictagent-login" not in browser.cookies
        again = Browser(served)
        assert again.get(path).status_code == 401
        again.cookies["ictagent-login"] = kept
        assert again.get(path).status_code == 401, "the provider takes a code once"

    def test_an_altered_state_or_code_is_refused(self, served: Served) -> None:
        for altered in ("state=x", "state=", "x=1"):
            browser = Browser(served)
            come_back(served, browser)
            assert browser.get(f"{CALLBACK}?code=guessed&{altered}").status_code == 401
        browser = Browser(served)
        path = come_back(served, browser)
        state = httpx.URL(f"http://h{path}").params["state"]
        assert browser.get(f"{CALLBACK}?code=guessed&state={state}").status_code == 401

    def test_a_code_that_was_stolen_on_its_way_is_worth_nothing_without_the_verifier(self, served: Served) -> None:
        stolen = httpx.URL(f"http://h{come_back(served, Browser(served))}").params["code"]
        thief = Browser(served)
        state = httpx.URL(f"http://h{come_back(served, thief)}").params["state"]
        answer = thief.get(f"{CALLBACK}?code={stolen}&state={state}")
        assert answer.status_code == 401
        assert "verifier is wrong" in answer.text

    def test_after_the_login_nobody_is_sent_elsewhere(self, served: Served) -> None:
        assert log_in(served, path="/login/oidc?next=//evil.test/").headers["location"] == "/"


def test_while_the_provider_is_away_local_accounts_still_work(tmp_path: Path, provider: Provider) -> None:
    settings = CollectorSettings(
        state_directory=tmp_path,
        public_url="http://127.0.0.1:9",
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT_ID,
        oidc_group_roles=("officers=officer",),
    )
    with serving(tmp_path, SignIn(lambda: ""), settings) as other:
        provider.broken = True
        answer = Browser(other).get("/login/oidc")
        assert answer.status_code == 503
        assert "local accounts still work" in answer.text.lower()
        account(other, "glass", "operator")
        assert signed_in(other, "glass").get("/").status_code == 200
        provider.broken = False
        wait_until(lambda: Browser(other).get("/login/oidc").status_code == 303, "the provider to be asked again")


def test_failures_and_logins_are_in_the_audit_log_and_no_token_is(served: Served, provider: Provider) -> None:
    provider.claims = {"sub": "subject-11", "preferred_username": "fred@council.example"}
    browser = Browser(served)
    log_in(served, browser)
    provider.claims |= {"nonce": "wrong"}
    log_in(served)
    with served.collector.database.read() as connection:
        acts = read_audit(connection, AuditFilter(), 1000)
    assert [row.action for row in acts if row.actor == "user:fred@council.example"] == ["login", "user.add"]
    newest = acts[0]
    assert (newest.action, newest.subject) == ("login.failed", "OpenID")
    assert "nonce" in newest.detail
    whole = str(acts)
    for secret in (browser.cookies["ictagent"], CLIENT_SECRET, "eyJ"):
        assert secret not in whole


def test_the_clients_secret_is_read_at_each_login(served: Served, provider: Provider) -> None:
    path = Path(served.collector.settings.oidc_client_secret_file)
    path.write_text("a wrong secret")
    try:
        refused(served, "invalid_client")
        path.unlink()
        browser = Browser(served)
        answer = log_in(served, browser)
        assert answer.status_code == 503
        assert "secret cannot be read" in answer.text
    finally:
        path.write_text(CLIENT_SECRET)
    assert log_in(served).status_code == 303
