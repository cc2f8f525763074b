"""The power path on pages: what feeds what, proposals that an operator decides, nothing for others; in Chromium by axe too."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium

from agent.report import Inventory
from collector.power_path import WantedLink, find_place, links, make_link
from collector.power_proposals import proposals
from collector.web.access import SignIn
from tests.collector.hosts import Host, deliver, new_host
from tests.collector.web.served import Served, serving
from tests.collector.web.signing_in import PASSWORD, account, api_token, signed_in
from tests.collector.web.test_pages import Document
from tests.snmp.power_path_of_tests import Polled, device_reading, reading

HOSTILE = "web01 <script>alert(1)</script>"


@dataclass
class Hall:
    """A served collector with a PDU of two outlets and the server that both feed, one of them linked."""

    served: Served
    pdu: Polled
    web: Host

    def address(self, device_id: str) -> str:
        return f"/devices/{device_id}"

    def page(self, device_id: str, name: str) -> Document:
        document = Document()
        document.feed(signed_in(self.served, name).get(self.address(device_id)).text)
        return document


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with serving(tmp_path_factory.mktemp("hall"), SignIn(lambda: "")) as served:
        database = served.collector.database
        start = int(time.time()) - 300
        web = new_host(database, start, inventory=Inventory(host_name="web01", platform="physical", cpu_threads=8))
        deliver(database, web, web.report(0, 240))
        readings = [reading("outlet", str(number), name, 60) for number, name in enumerate(("web01 A", HOSTILE), 1)]
        pdu = Polled(database, start, lambda _: device_reading("pdu", readings, "pdu-1"))
        pdu.run((0, 60, 120, 180, 240))
        pdu.show(240)
        with database.write() as connection:
            place = find_place(connection, pdu.device_id, "outlet/1")
            make_link(connection, WantedLink(pdu.device_id, place, web.enrolled.device_id, start), "test")
        served.collector.search_power_path()
        for name, role in (("olga", "operator"), ("vera", "viewer")):
            account(served, name, role)
        served.settle()
        yield Hall(served, pdu, web)


def open_proposals(hall: Hall) -> list[int]:
    with hall.served.collector.database.read() as connection:
        return [one.id for one in proposals(connection)]


def test_the_fed_device_s_page_shows_its_outlets_and_compares_them_with_its_own_figure(hall: Hall) -> None:
    page = hall.page(hall.web.enrolled.device_id, "vera")
    [_, row] = page.table("What feeds this device")
    assert row[:4] == ["pdu-1", "web01 A", "60.0 W", "100%"]
    assert "Its outlet gives 60.0 W; its own figure is" in page.text
    assert "a difference of" in page.text


def test_the_pdu_s_page_shows_what_it_feeds_and_what_is_proposed_with_its_evidence(hall: Hall) -> None:
    page = hall.page(hall.pdu.device_id, "vera")
    [_, row] = page.table("What this device feeds")
    assert row[:2] == ["web01 A", "web01"]
    [_, proposed] = page.table("Proposed links")
    assert proposed[:3] == ["pdu-1", HOSTILE, "web01"]
    assert "outlet's name" in proposed[4]
    assert "script" not in [tag for tag, _ in page.elements]


def test_only_an_operator_has_forms_and_only_with_the_token_of_the_login(hall: Hall) -> None:
    viewer, operator = signed_in(hall.served, "vera"), signed_in(hall.served, "olga")
    address = hall.address(hall.pdu.device_id)
    action = f"{address}/power-path"
    assert action not in viewer.get(address).text
    [link] = open_proposals(hall)
    fields = {"act": "confirm", "link": str(link)}
    assert viewer.post(action, fields).status_code == 403
    assert operator.post(action, fields).status_code == 403
    answer = operator.send(address, action, {"act": "confirm", "link": str(link)}, **{"Origin": "https://elsewhere"})
    assert answer.status_code == 403
    token = {"Authorization": f"Bearer {api_token(hall.served, 'operator')}"}
    assert hall.served.client.post(action, headers=token, data=fields).status_code == 403
    assert open_proposals(hall) == [link]


def test_an_operator_confirms_ends_and_withdraws_on_the_page(hall: Hall) -> None:
    operator = signed_in(hall.served, "olga")
    address = hall.address(hall.pdu.device_id)
    action = f"{address}/power-path"
    [link] = open_proposals(hall)

    def act(name: str) -> int:
        return operator.send(address, action, {"act": name, "link": str(link)}).status_code

    def standing() -> list[int]:
        with hall.served.collector.database.read() as connection:
            return [one.id for one in links(connection, [hall.pdu.device_id], int(time.time())) if one.id == link]

    assert act("confirm") == 303
    assert standing() == [link]
    assert act("confirm") == 400
    assert act("nonsense") == 400
    assert act("withdraw") == 303
    assert (standing(), open_proposals(hall)) == ([], [link])
    assert operator.send(address, action, {"act": "confirm", "link": "999999"}).status_code == 404
    other = hall.address(hall.web.enrolled.device_id)
    assert f"{other}/power-path" in operator.get(other).text


def test_the_api_tells_both_sides(hall: Hall) -> None:
    headers = {"Authorization": f"Bearer {api_token(hall.served)}"}
    path = f"/v1/devices/{hall.web.enrolled.device_id}/power-path"
    told = hall.served.client.get(path, headers=headers).json()
    assert [one["parent_name"] for one in told["fed_by"]] == ["pdu-1"]
    assert told["comparison"]["outlets_watts"] == 60
    assert told["proposals"][0]["place"] == "outlet/2"
    assert hall.served.client.get("/v1/devices/000000000000/power-path", headers=headers).status_code == 404


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (320, "light")])
def test_axe_finds_no_violation_and_the_page_does_not_scroll_sideways(
    chromium: Chromium, hall: Hall, width: int, scheme: str
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]  # light or dark
    )
    try:
        page = context.new_page()
        page.goto(hall.served.address)
        page.fill("#name", "olga")
        page.fill("#password", PASSWORD)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        for device_id in (hall.pdu.device_id, hall.web.enrolled.device_id):
            page.goto(hall.served.address + hall.address(device_id))
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    finally:
        context.close()
