"""`ictagent up` against a real browser that shows a page of another origin: that page learns and changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import func, select

from collector.database.schema import device
from tests.collector.web.served import Served

_TRY = """async ([address, body]) => {
  const tried = {};
  for (const [name, path, options] of [
    ["read", "/v1/devices", {}],
    ["read blind", "/v1/devices", {mode: "no-cors"}],
    ["enrol", "/v1/enrol", {method: "POST", mode: "no-cors", body}],
    ["report", "/v1/reports", {method: "POST", body, headers: {"Authorization": "Bearer a.b"}}],
  ]) {
    try { const answer = await fetch(address + path, options); tried[name] = answer.type + " " + (await answer.text()); }
    catch (error) { tried[name] = "refused"; }
  }
  for (const [name, tag] of [["image", "img"], ["script", "script"]]) {
    tried[name] = await new Promise(resolve => {
      const element = document.createElement(tag);
      element.onload = () => resolve("loaded"); element.onerror = () => resolve("refused");
      element.src = address + "/"; document.body.append(element);
    });
  }
  return tried;
}"""


@contextmanager
def page_at(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.goto(address)
        yield page
    finally:
        context.close()


def device_count(served: Served) -> int:
    with served.collector.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(device)).scalar_one())


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "elsewhere.test"])
def test_a_page_of_another_port_or_name_learns_and_changes_nothing(
    chromium: Browser, local: Served, foreign: int, name: str
) -> None:
    before = device_count(local)
    body = f'{{"token": "{local.token()}", "host_name": "h", "kind": "host"}}'
    with page_at(chromium, f"http://{name}:{foreign}/") as page:
        tried = page.evaluate(_TRY, [local.address, body])
    assert tried == dict.fromkeys(("read", "enrol", "report", "image", "script"), "refused") | {
        "read blind": tried["read blind"]
    }
    assert tried["read blind"] in ("refused", "opaque "), "an opaque answer has no content"
    assert device_count(local) == before


def test_a_form_of_another_site_is_refused(chromium: Browser, local: Served, foreign: int) -> None:
    before = device_count(local)
    with page_at(chromium, f"http://elsewhere.test:{foreign}/") as page:
        page.set_content(
            f'<form method="post" enctype="text/plain" action="{local.address}/v1/enrol">'
            f'<input name=\'{{"token": "{local.token()}", "host_name": "h", "kind": "host", "x": "\' value=\'"}}\'>'
            "<button>win a prize</button></form>"
        )
        with page.expect_navigation() as navigation:
            page.click("button")
        assert navigation.value.status == 403
    assert device_count(local) == before


def test_a_rebound_name_is_refused(chromium: Browser, local: Served) -> None:
    """The browser believes `rebound.test` is its own site's name, and it resolves to this machine."""
    port = local.host.partition(":")[2]
    with page_at(chromium, "about:blank") as page:
        answer = page.goto(f"http://rebound.test:{port}/")
        assert answer is not None
        assert answer.status == 403
        assert "is not this machine" in page.inner_text("body")


def test_a_page_cannot_be_framed(chromium: Browser, local: Served, foreign: int) -> None:
    with page_at(chromium, f"http://127.0.0.1:{foreign}/") as page:
        with page.expect_response(f"{local.address}/") as answer:
            page.set_content(f'<iframe src="{local.address}/"></iframe>')
        assert answer.value.status == 403


def test_a_link_of_another_site_opens_the_page(chromium: Browser, local: Served, foreign: int) -> None:
    with page_at(chromium, f"http://elsewhere.test:{foreign}/") as page:
        page.set_content(f'<a href="{local.address}/">estate</a>')
        with page.expect_navigation() as navigation:
            page.click("a")
        assert navigation.value.status == 200
        assert page.inner_text("h1") == "Estate"
