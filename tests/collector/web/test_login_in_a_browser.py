"""Login, account and audit log in a real Chromium: by keyboard, without JavaScript, at 320 px, by axe; and other sites."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from collector.settings import CollectorSettings
from collector.web.access import SignIn
from tests.collector.web.served import Served, serving
from tests.collector.web.signing_in import PASSWORD, account
from tests.collector.web.test_pages_in_a_browser import stops
from tests.servers.oidc import CLIENT_ID, CLIENT_SECRET, Provider, openid_provider
from tests.servers.process import free_port


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("council"), SignIn(lambda: "")) as served:
        account(served, "anna", "auditor")
        account(served, "a-name-as-long-as-one-may-be-which-nobody-would-ever-choose-here")
        yield served


@contextmanager
def opened(chromium: Browser, served: Served, *, width: int = 1280, scheme: str = "light") -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        java_script_enabled=False,
        color_scheme=scheme,  # type: ignore[arg-type]  # light or dark
    )
    try:
        page = context.new_page()
        page.goto(served.address)
        yield page
    finally:
        context.close()


def sign_in(page: Page, name: str = "anna", password: str = PASSWORD) -> None:
    """As one does with a keyboard: the name, Tab, the password, Enter."""
    page.focus("#name")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_signing_in_and_out_works_by_keyboard_without_javascript(chromium: Browser, council: Served) -> None:
    with opened(chromium, council) as page:
        assert page.inner_text("h1") == "Sign in"
        sign_in(page, password="a wrong password")
        assert page.locator("[role=alert]").inner_text().startswith("The name or the password is wrong.")
        assert page.input_value("#name") == "anna"
        assert page.input_value("#password") == ""
        page.fill("#name", "")
        sign_in(page)
        assert page.inner_text("h1") == "Estate"
        page.get_by_role("link", name="Your account, anna").focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.inner_text("h1") == "Your account"
        page.get_by_role("button", name="Sign out").focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.locator("[role=status]").inner_text() == "You are signed out."
        page.goto(council.address)
        assert page.inner_text("h1") == "Sign in"


def test_the_password_is_changed_on_ones_own_page(chromium: Browser, council: Served) -> None:
    account(council, "changing")
    with opened(chromium, council) as page:
        sign_in(page, "changing")
        page.goto(f"{council.address}/account")
        for field, text in (("old", PASSWORD), ("new", "another good password"), ("again", "another good passwort")):
            page.fill(f"#{field}", text)
        with page.expect_navigation():
            page.click("text=Change the password")
        assert "differ" in page.locator("[role=alert]").inner_text()
        for field, text in (("old", PASSWORD), ("new", "another good password"), ("again", "another good password")):
            page.fill(f"#{field}", text)
        with page.expect_navigation():
            page.click("text=Change the password")
        assert "all your sessions are ended" in page.locator("[role=status]").inner_text()
        sign_in(page, "changing", "another good password")
        assert page.inner_text("h1") == "Estate"


@pytest.mark.parametrize("name", ["anna", "a-name-as-long-as-one-may-be-which-nobody-would-ever-choose-here"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (320, "light")])
def test_axe_finds_no_violation_and_nothing_leaves_the_page(
    chromium: Browser, council: Served, name: str, width: int, scheme: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]  # light or dark
    try:
        page = context.new_page()
        page.goto(council.address)
        check(page)
        sign_in(page, name, "a wrong password")
        check(page)
        page.fill("#name", "")
        sign_in(page, name)
        for path in ("/", "/account", "/audit", "/audit?filter=no+such+thing", "/nothing"):
            page.goto(council.address + path)
            check(page)
    finally:
        context.close()


def check(page: Page) -> None:
    """The page as it stands breaks no rule of axe's and is no wider than its window."""
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    outside = page.eval_on_selector_all(
        "main *, header *",
        "all => all.filter(one => !one.closest('.scroll *') && one.getBoundingClientRect().right > innerWidth)"
        ".map(one => one.outerHTML.slice(0, 80))",
    )
    assert outside == [], page.url


def test_the_keyboard_reaches_everything_in_the_order_of_reading(chromium: Browser, council: Served) -> None:
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.goto(f"{council.address}/login")
        assert stops(page) == ["#main", "name", "password", "Sign in"]
        sign_in(page)
        page.goto(f"{council.address}/account")
        found = stops(page)
        assert found[:10] == [
            "#main",
            "/",
            "/register",
            "/coverage",
            "/tree",
            "/carbon",
            "/quality",
            "/audit",
            "/account",
            "Sign out",
        ]
        assert found[10:14] == ["old", "new", "again", "Change the password and end all sessions"]
        assert found[14] == "Your sessions"
    finally:
        context.close()


@pytest.mark.parametrize("name", ["localhost", "elsewhere.test"])
def test_another_sites_page_can_sign_nobody_in_or_out(
    chromium: Browser, council: Served, foreign: int, name: str
) -> None:
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.goto(council.address)
        sign_in(page)
        before = {one["value"] for one in context.cookies() if one["name"] == "ictagent"}
        for action, fields in (
            ("/logout", {}),
            ("/account/sessions", {"session": "others"}),
            ("/login", {"name": "anna", "password": PASSWORD}),
        ):
            page.goto(f"http://{name}:{foreign}/")
            inputs = "".join(f'<input name="{key}" value="{value}">' for key, value in fields.items())
            page.set_content(
                f'<form method="post" action="{council.address}{action}">{inputs}<button>Win</button></form>'
            )
            with page.expect_navigation() as navigation:
                page.click("button")
            # Without the cookie, which SameSite keeps back, it is nobody's and led away; with it, a foreign page's.
            assert navigation.value.status == (403 if action == "/login" else 200)
            assert page.inner_text("h1") in ("Forbidden", "Sign in", "Estate")
        page.goto(council.address)
        assert page.inner_text("h1") == "Estate", "the session goes on"
        assert {one["value"] for one in context.cookies() if one["name"] == "ictagent"} == before
    finally:
        context.close()


def test_a_person_comes_in_by_the_provider_in_a_real_browser(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("by-provider")
    (directory / "secret").write_text(CLIENT_SECRET)
    with openid_provider() as provider, by_provider(directory, provider) as served:
        context = chromium.new_context(java_script_enabled=False)
        try:
            page = context.new_page()
            page.goto(f"{served.address}/carbon")
            page.click("text=Sign in with your organisation's account")
            page.wait_for_url(f"{served.address}/carbon")
            assert page.inner_text("h1").startswith("Carbon")
            [cookie] = context.cookies()
            assert (cookie["name"], cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (
                "ictagent",
                True,
                True,
                "Lax",
            )
        finally:
            context.close()


@contextmanager
def by_provider(directory: Path, provider: Provider) -> Iterator[Served]:
    """A collector whose provider sends browsers back to where it really is."""
    port = free_port()
    settings = CollectorSettings(
        state_directory=directory,
        public_url=f"http://127.0.0.1:{port}",
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret_file=str(directory / "secret"),
        oidc_group_roles=("officers=officer",),
    )
    with serving(directory, SignIn(lambda: "", public_url=settings.public_url), settings, port) as served:
        yield served
