"""The pages in a real Chromium: accessible by axe, usable at 320 px, by keyboard, and without JavaScript."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.collector.web.conftest import Estate
from tests.collector.web.estate_of_tests import TROUBLES
from tests.collector.web.served import Served

LONG = TROUBLES[0].name
PAGES = (
    "/",
    "/?sort=power&filter=hall",
    "/?filter=nothing",
    "/?retired=yes",
    "/carbon",
    "/quality",
    "device",
    "/nothing",
)


@contextmanager
def opened(chromium: Browser, address: str, *, width: int = 1280, **options: Any) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": width, "height": 800}, **options)
    try:
        page = context.new_page()
        page.goto(address)
        yield page
    finally:
        context.close()


def address_of(estate: Estate, path: str) -> str:
    return estate.served.address + (estate.path(LONG) if path == "device" else path)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (320, "light")])
def test_axe_finds_no_violation(chromium: Browser, estate: Estate, path: str, width: int, scheme: str) -> None:
    with opened(chromium, address_of(estate, path), width=width, color_scheme=scheme) as page:
        # What `details` hide is part of the page too.
        page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
        found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_axe_finds_no_violation_before_anything_was_reported(chromium: Browser, empty: Served) -> None:
    for path in ("/", "/carbon", "/quality", f"/devices/{empty.enrol('web01').device_id}"):
        with opened(chromium, empty.address + path) as page:
            found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("path", PAGES)
def test_at_320_pixels_tables_scroll_within_themselves_and_the_page_does_not(
    chromium: Browser, estate: Estate, path: str
) -> None:
    with opened(chromium, address_of(estate, path), width=320) as page:
        page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        outside = page.eval_on_selector_all(
            "main *, header *, footer *",
            "all => all.filter(one => !one.closest('.scroll *') && one.getBoundingClientRect().right > 320)"
            ".map(one => one.outerHTML.slice(0, 80))",
        )
        assert outside == []
        for region in page.query_selector_all(".scroll"):
            assert region.get_attribute("tabindex") == "0", "a keyboard can scroll it"


def test_a_wide_table_can_be_scrolled_at_320_pixels(chromium: Browser, estate: Estate) -> None:
    with opened(chromium, address_of(estate, "/"), width=320, java_script_enabled=False) as page:
        region = page.locator(".scroll")
        region.focus()
        page.keyboard.press("End")
        page.keyboard.press("ArrowRight")
        cell = page.locator("tbody tr:first-child td:last-child")
        cell.scroll_into_view_if_needed()
        box = cell.bounding_box()
        assert box is not None
        assert 0 <= box["x"] < 320


def stops(page: Page, most: int = 80) -> list[str]:
    """What Tab comes to, in order: a link's address, else a name; each must show its focus."""
    found: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
              const one = document.activeElement;
              if (!one || one === document.body) return null;
              const style = getComputedStyle(one), box = one.getBoundingClientRect();
              return {name: one.getAttribute('href') || one.getAttribute('aria-label') || one.id || one.innerText,
                      shown: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
                      seen: box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight};
            }"""
        )
        if focused is None:
            break
        assert focused["shown"], f"{focused['name']} shows no focus"
        assert focused["seen"], f"{focused['name']} is out of sight when it has the focus"
        found.append(focused["name"])
    return found


def test_the_keyboard_reaches_everything_in_the_order_of_reading(chromium: Browser, estate: Estate) -> None:
    with opened(chromium, address_of(estate, "/")) as page:
        found = stops(page)
    assert found[:7] == ["#main", "/", "/register", "/coverage", "/tree", "/carbon", "/quality"]
    assert found[7:11] == ["/carbon/footprint", "/coverage", "/register/reconciliation", "filter"]
    form = found.index("Filter")
    assert found[11:form] == ["site", "kind"]
    assert found[form + 1] == "Table of devices"
    assert found[form + 2].startswith("/?sort=name")
    assert found[form + 9].startswith("/?sort=carbon")
    assert found[form + 10] == estate.path("library-pc08")
    assert found[-1] == "/?retired=yes"
    # What is left out of the totals is explained on a page that the menu leads to as well.
    assert sorted(one for one in found if found.count(one) > 1) == ["/coverage", "/coverage"]


def test_the_keyboard_reaches_charts_and_their_tables(chromium: Browser, estate: Estate) -> None:
    with opened(chromium, address_of(estate, "device")) as page:
        found = stops(page)
        for name in ("Chart of the last 24 hours", "Table of the last 24 hours", "Energy sources"):
            assert name in found
        assert "Power, last 24 hours" not in found, "a closed table is passed by"
        page.get_by_text("Table of the last 24 hours", exact=True).focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Power, last 24 hours"


def test_the_skip_link_shows_itself_and_leads_to_the_content(chromium: Browser, estate: Estate) -> None:
    with opened(chromium, address_of(estate, "/"), java_script_enabled=False) as page:
        page.keyboard.press("Tab")
        link = page.locator("a.skip")
        box = link.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.locator("main a, main input").first.evaluate("one => one === document.activeElement")


def test_filter_and_sort_work_without_javascript_by_keyboard(chromium: Browser, estate: Estate) -> None:
    with opened(chromium, address_of(estate, "/"), java_script_enabled=False) as page:
        page.focus("#filter")
        page.keyboard.type("county hall")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        rows = page.locator("tbody tr")
        assert rows.count() == 4
        for key, order in (("power", "descending"), ("power", "ascending"), ("name", "ascending")):
            link = page.locator(f"thead a[href*='sort={key}']")
            link.focus()
            with page.expect_navigation():
                page.keyboard.press("Enter")
            assert page.locator("th[aria-sort]").get_attribute("aria-sort") == order
            assert rows.count() == 4, "the filter stays"
        with page.expect_navigation():
            page.get_by_text("Show all").click()
        assert rows.count() > 4
        with page.expect_navigation():
            page.get_by_role("link", name="library-pc07").click()
        assert page.inner_text("h1") == "library-pc07"


def test_charts_are_drawn_and_their_tables_open_without_javascript(chromium: Browser, estate: Estate) -> None:
    with opened(chromium, estate.served.address + estate.path("hall-db01"), java_script_enabled=False) as page:
        for image in page.locator("img").all():
            assert image.evaluate("one => one.complete && one.naturalWidth") > 400
            assert "The table below has the values" in (image.get_attribute("alt") or "")
        table = page.get_by_role("table").filter(has_text="Means over 10 minutes")
        assert not table.is_visible()
        page.get_by_text("Table of the last 24 hours", exact=True).click()
        assert table.is_visible()


def test_nothing_is_fetched_from_elsewhere(chromium: Browser, estate: Estate) -> None:
    asked: list[str] = []
    said: list[str] = []
    with opened(chromium, "about:blank") as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        for path in PAGES[:-1]:
            page.goto(address_of(estate, path))
    assert all(url.startswith((estate.served.address, "data:")) for url in asked)
    assert said == [], "the content security policy blocked nothing"
