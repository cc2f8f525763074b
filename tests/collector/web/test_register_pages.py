"""The register's pages: its items filtered, sorted, paged and as they were; its differences; and in Chromium by axe."""

import datetime
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from sqlalchemy import update

from agent.report import Inventory
from collector.database.schema import device_status
from collector.register_facts import states
from collector.register_gaps import gaps, model_unknown, no_site, seen_not_registered, unseen
from collector.register_queries import UNSEEN_SECONDS, reconciliation
from collector.web.access import SignIn
from collector.web.paging import ROWS
from collector.web.register_page import COLUMNS
from tests.collector.hosts import Host, deliver, new_host
from tests.collector.test_register_import import HEADERS, take_register
from tests.collector.web.served import Served, serving
from tests.collector.web.signing_in import account, another_organisation, signed_in
from tests.collector.web.test_pages import Document

LAPTOPS = 120
HOSTILE = "<script>alert(1)</script>"
_BEFORE = datetime.date(2026, 9, 1)


def line(tag: str, **said: str) -> list[str]:
    """A row of the register below `HEADERS`."""
    columns = ("serial", "name", "make", "model", "kind", "status", "site", "space", "bought", "gone")
    usual = {"make": "HP", "model": "EliteBook 840", "kind": "Laptop", "status": "In use", "site": "Town Hall"}
    return [tag, *((usual | said).get(column, "") for column in columns)]


@dataclass
class Council:
    """A served collector with a register, three hosts that are in it, one silent for long, and one that is not."""

    served: Served
    hosts: dict[str, Host]

    def page(self, path: str) -> Document:
        answer = self.served.client.get(path)
        assert answer.status_code == 200, answer.text
        document = Document()
        document.feed(answer.text)
        return document

    def items(self, path: str) -> list[list[str]]:
        """Rows of the table of items."""
        found = [rows for caption, rows in self.page(path).tables.items() if "which are" in caption]
        return found[0][1:] if found else []


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Council]:
    with serving(tmp_path_factory.mktemp("council")) as served:
        yield settled(served, tmp_path_factory.mktemp("register"))


def settled(served: Served, directory: Path) -> Council:
    database, start = served.collector.database, int(time.time()) - 300
    hosts = {}
    for name in ("web01", "db01", "stray01"):
        inventory = Inventory(host_name=name, platform="physical", chassis="server", cpu_threads=8, model="R640")
        hosts[name] = new_host(database, start, inventory=inventory)
        deliver(database, hosts[name], hosts[name].report(0, 240))
    lines = [
        HEADERS,
        *(line(f"L{number:03}") for number in range(LAPTOPS)),
        line("S1", name="web01", model="R640", kind="Server", site="Depot", space="Server room"),
        line("S2", name="db01", model="R640", kind="Server", site="Depot"),
        line("M1", model="", kind="Monitor", make=""),
        line("M2", model=HOSTILE, kind="Monitor", site="", status="On loan"),
        line("P1", model="LaserJet", kind="Printer", status="Spare"),
    ]
    take_register(database, directory, lines, _BEFORE)
    lines[1] = line("L000", site="Depot")
    take_register(database, directory, lines, datetime.date(2026, 11, 1))
    with database.write() as connection:
        silent = device_status.c.device_id == hosts["db01"].enrolled.device_id
        long_ago = start - UNSEEN_SECONDS - 86_400
        connection.execute(update(device_status).where(silent).values(last_report_at=long_ago))
    served.settle()
    return Council(served, hosts)


def test_pages_of_a_long_register_hold_every_item_once(council: Council) -> None:
    first, second = council.page("/register"), council.page("/register?page=2")
    tags = [row[0].split()[0] for document in (first, second) for row in document.table("which are")[1:]]
    assert len(tags) == len(set(tags)) == LAPTOPS + 5
    assert len(first.table("which are")) == ROWS + 1
    assert f"{LAPTOPS + 5} items" in first.text
    assert council.items("/register?page=99") == council.items("/register?page=2"), "the last page there is"


@pytest.mark.parametrize(
    ("query", "tags"),
    [
        ("filter=m2", ["M2"]),
        ("filter=laserjet+TOWN", ["P1"]),
        ("filter=%25", []),
        ("class=server", ["db01", "web01"]),
        ("status=on_loan", ["M2"]),
        ("class=printer&status=used", []),
        ("site=Depot&class=laptop", ["L000"]),
        ("site=-", ["M2"]),
        ("seen=yes", ["db01", "web01"]),
        ("site=Depot&class=laptop&at=2026-10-31", []),
        ("filter=L000&at=2026-08-01", []),
        ("class=nonsense&filter=M1", ["M1"]),
    ],
)
def test_a_filter_is_in_the_address_and_lists_what_it_says(council: Council, query: str, tags: list[str]) -> None:
    assert [row[0].split()[0] for row in council.items(f"/register?{query}")] == tags


def test_an_item_as_it_was_on_a_day_stood_where_it_stood_then(council: Council) -> None:
    assert "Town Hall" in council.items("/register?filter=L000&at=2026-10-31")[0][4]
    assert "Depot" in council.items("/register?filter=L000&at=2026-11-01")[0][4]
    assert "Depot" in council.items("/register?filter=L000")[0][4]


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_sorts_both_ways_and_the_filter_stays(council: Council, column: str) -> None:
    first = council.page(f"/register?sort={column}&order=ascending&status=used&class=monitor")
    [attributes] = [one for tag, one in first.elements if tag == "th" and "aria-sort" in one]
    assert attributes["aria-sort"] == "ascending"
    hrefs = [one["href"] for tag, one in first.elements if tag == "a" and f"sort={column}" in one.get("href", "")]
    assert any("order=descending" in href and "class=monitor" in href for href in hrefs)
    turned = council.items(f"/register?sort={column}&order=descending&status=used&class=monitor")
    assert {row[0] for row in turned} == {row[0] for row in first.table("which are")[1:]}


def test_devices_by_class_and_status_add_up_to_the_register(council: Council) -> None:
    rows = council.page("/register?filter=&class=server").table("by status")
    numbers = {row[0]: [int(cell) for cell in row[1:]] for row in rows[1:]}
    assert numbers["laptop"] == [LAPTOPS, 0, 0, 0, 0, LAPTOPS]
    assert numbers["monitor"] == [1, 1, 0, 0, 0, 2]
    assert numbers["printer"] == [0, 0, 1, 0, 0, 1]
    others = [values for name, values in numbers.items() if name != "All classes"]
    assert numbers["All classes"] == [sum(column) for column in zip(*others, strict=True)]


def test_an_items_page_says_what_the_register_said_and_leads_to_its_device(council: Council) -> None:
    text = council.served.client.get("/register?filter=L000").text
    found = re.search(r'href="(/register/items/[^"]+)"', text)
    assert found
    now, before = council.page(found[1]).table("newest first")[1:]
    assert (now[0], now[1], before[1]) == ("1 November 2026", "still", "1 November 2026")
    assert ("Depot" in now[4], "Town Hall" in before[4]) == (True, True)
    server = re.search(r'href="(/register/items/[^"]+)"', council.served.client.get("/register?filter=web01").text)
    assert server
    address = f"/devices/{council.hosts['web01'].enrolled.device_id}"
    assert address in council.served.client.get(server[1]).text
    assert server[1] in council.served.client.get(address).text, "and the device's page leads back"
    assert council.served.client.get("/register/items/none").status_code == 404


def test_the_lists_are_those_of_the_command(council: Council) -> None:
    now = int(time.time())
    with council.served.collector.database.read() as connection:
        told, counted = reconciliation(connection, 1, now), gaps(connection, None, now)
        assert [one.device_id for one in seen_not_registered(connection, None)] == [
            one.device_id for one in told.seen_not_registered
        ]
        assert [one.item.item_id for one in unseen(connection, None, now)] == [one.item_id for one, _ in told.unseen]
        assert [one.item_id for one in model_unknown(connection, None)] == [one.item_id for one in told.model_unknown]
        assert [one.item_id for one in no_site(connection, None)] == [one.item_id for one in told.no_site]
        standing = len(states(connection, 1))
    assert counted.never_seen == told.never_seen == {"laptop": LAPTOPS, "monitor": 2}
    assert (counted.seen_not_registered, counted.unseen, counted.model_unknown, counted.no_site) == (1, 1, 1, 1)
    assert standing == LAPTOPS + 5


@pytest.mark.parametrize(
    ("chosen", "told"),
    [("seen", "stray01"), ("unseen", "db01"), ("model", "M1"), ("site", "M2"), ("nonsense", "stray01")],
)
def test_the_reconciliation_shows_one_list_and_the_numbers_of_all(council: Council, chosen: str, told: str) -> None:
    page = council.page(f"/register/reconciliation?list={chosen}")
    assert [row[1] for row in page.table("Lists of differences")[1:]] == ["1", "1", "1", "1"]
    [row] = page.table("1 to 1 of 1")[1:]
    assert told in row[:2]
    assert page.table("never seen")[1] == ["laptop", str(LAPTOPS), "class profile"]


def test_nothing_of_a_register_becomes_part_of_a_page(council: Council) -> None:
    for path in ("/register", "/register?filter=" + quote(HOSTILE), "/register/reconciliation?list=site"):
        assert "script" not in [tag for tag, _ in council.page(path).elements]
    assert council.items("/register?filter=" + quote(HOSTILE))[0][0] == "M2"


def test_another_organisations_register_is_not_shown(tmp_path: Path) -> None:
    with serving(tmp_path / "state", SignIn(lambda: "")) as served:
        another_organisation(served, "The other council")
        take_register(
            served.collector.database, tmp_path, [HEADERS, line("T1", site="Secret place"), line("T2", model="")]
        )
        account(served, "otto", "viewer", ("The other council",))
        account(served, "vera", "viewer")
        otto, vera = signed_in(served, "otto"), signed_in(served, "vera")
        found = re.search(r'href="(/register/items/[^"]+)"', vera.get("/register").text)
        assert found
        assert vera.get(found[1]).status_code == 200
        assert otto.get(found[1]).status_code == 404
        for path in (
            "/register",
            "/register?filter=T1",
            "/register/reconciliation",
            "/register/reconciliation?list=model",
        ):
            text = otto.get(path).text
            assert "T1" not in text.replace('value="T1"', "").replace(": T1", "")
            assert "Secret place" not in text
            assert "laptop</a></th><td" not in text


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (320, "light")])
def test_axe_finds_no_violation_and_the_page_does_not_scroll_sideways(
    chromium: Chromium, council: Council, width: int, scheme: str
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]  # light or dark
    )
    found = re.search(r'href="(/register/items/[^"]+)"', council.served.client.get("/register").text)
    assert found
    try:
        page = context.new_page()
        for path in ("/register", "/register?filter=nothing", found[1], "/register/reconciliation?list=site"):
            page.goto(council.served.address + path)
            result = Axe().run(page)
            assert result.violations_count == 0, result.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    finally:
        context.close()
