"""Coverage and the metering tree on pages: the figures of the commands, links by site, class and month; Chromium, axe."""

import datetime
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium

from carbon.calendar import day_bounds, local_day
from carbon.units import kwh
from carbon.wording import figure
from collector.estate_coverage import estate_coverage
from collector.metering_view import estate_tree
from collector.web.access import SignIn
from tests.collector.estate_of_tests import KWH, EstateOfTests
from tests.collector.test_register_import import HEADERS, take_register
from tests.collector.web.served import Served, serving
from tests.collector.web.signing_in import account, another_organisation, signed_in
from tests.collector.web.test_pages import Document
from tests.collector.web.test_register_pages import line

DAYS = 2
ZONE = "Europe/London"


@dataclass
class Hall:
    """A served collector with a UPS that feeds two servers and measures more than they do, and registered screens."""

    served: Served
    month: str
    now: int
    half_hours: int

    def page(self, path: str) -> Document:
        answer = self.served.client.get(path)
        assert answer.status_code == 200, answer.text
        document = Document()
        document.feed(answer.text)
        return document

    def lines(self, path: str) -> dict[str, list[str]]:
        """Rows of the tree by their level and name."""
        return {row[0]: row[1:] for row in self.page(path).table("a site and a space hold")[1:]}


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with serving(tmp_path_factory.mktemp("hall")) as served:
        database = served.collector.database
        now = int(time.time())
        first = (local_day(now - now % 1800, ZONE).replace(day=1) - datetime.timedelta(days=1)).replace(day=1)
        start = day_bounds(first, ZONE)[0]
        end = day_bounds(first + datetime.timedelta(days=DAYS - 1), ZONE)[1]
        with database.write() as connection:
            estate = EstateOfTests(connection, since=start - 40 * 86_400)
            room = estate.room("County Hall", "Data room")
            estate.device("ups", "ups", None, room)
            feeding = estate.meter("ups", "output")
            for name in ("server-1", "server-2"):
                estate.device(name, room=room)
                estate.edge(feeding, name)
                estate.measure(estate.own_meter(name), start, end, KWH // 2)
            estate.measure(feeding, start, end, KWH * 5 // 4)
        lines = [HEADERS, *(line(f"M{n}", kind="Monitor", site="Depot & <b>Yard</b>") for n in range(5))]
        lines.append(line("P1", kind="Switch", site="Depot"))
        before = first - datetime.timedelta(days=40)
        take_register(database, tmp_path_factory.mktemp("register"), lines, before)
        yield Hall(served, f"{first:%Y-%m}", now, (end - start) // 1800)


def test_the_trees_lines_are_those_of_the_command_and_sites_add_up(hall: Hall) -> None:
    with hall.served.collector.database.read() as connection:
        told = estate_tree(connection, hall.month, hall.now)
    lines = hall.lines(f"/tree?month={hall.month}")
    for site in told.sites:
        assert lines[f"Level 1: {site.name}"][1].startswith(figure(kwh(site.shares.total_uj), 3))
    assert lines["All"][1].startswith(figure(kwh(told.shares.total_uj), 3))
    assert "County Hall" in " ".join(lines)
    assert not any("server-1" in name for name in lines), "all that stands at a site is on the site's own page"


def test_a_sites_page_draws_what_feeds_what_with_the_rest_that_nothing_explains(hall: Hall) -> None:
    lines = hall.lines(f"/tree?site=County+Hall&month={hall.month}")
    names = list(lines)
    assert names[:3] == ["Level 1: County Hall", "Level 2: Data room", "Level 3: ups"]
    assert names[3].startswith("Level 4: output"), "the meter below its device"
    assert lines[names[3]][6] == figure(hall.half_hours * 1.25, 3), "what the meter read"
    assert {"Level 5: server-1", "Level 5: server-2", "Level 5: not explained"} <= set(names)
    assert lines["Level 5: server-1"][1].startswith(figure(hall.half_hours * 0.5, 3))
    assert lines["Level 5: server-1"][8], "why this source"
    assert lines["Level 5: not explained"][5] == figure(hall.half_hours * 0.25, 3)


def test_every_device_of_the_tree_leads_to_its_page_and_a_class_to_the_register(hall: Hall) -> None:
    hrefs = [
        one.get("href", "")
        for tag, one in hall.page(f"/tree?site=County+Hall&month={hall.month}").elements
        if tag == "a"
    ]
    assert {"/devices/ups", "/devices/server-1", "/devices/server-2"} <= set(hrefs)
    assert hall.served.client.get("/devices/ups").status_code == 200
    depot = [
        one
        for one in hall.page(f"/tree?month={hall.month}").elements
        if one[0] == "a" and "Yard" in one[1].get("href", "")
    ]
    page = hall.page(depot[0][1]["href"])
    [link] = [one["href"] for tag, one in page.elements if tag == "a" and one.get("href", "").startswith("/register?")]
    assert "5 items" in hall.page(link).text
    assert "b" not in [tag for tag, _ in page.elements], "a site's name is text"


def test_a_month_is_in_the_address_and_nothing_is_asked_of_months_to_come(hall: Hall) -> None:
    before = hall.page("/tree?site=County+Hall&month=2020-01")
    assert "January 2020" in before.text
    assert "Nothing at County Hall used energy" in before.text
    for path in ("/tree", "/coverage"):
        assert "so far" in hall.page(f"{path}?month=2999-01").text
        assert "so far" in hall.page(f"{path}?month=nonsense").text
        assert "Month after" not in hall.page(path).text
        later = [one["href"] for tag, one in hall.page(f"{path}?month=2020-01").elements if one.get("rel") == "next"]
        assert later == [f"{path}?month=2020-02"]


def test_coverage_by_class_is_the_commands_and_adds_up(hall: Hall) -> None:
    with hall.served.collector.database.read() as connection:
        told = {one.device_class: one for one in estate_coverage(connection, hall.month, hall.now)}
    page = hall.page(f"/coverage?month={hall.month}")
    rows = {row[0]: [int(cell) for cell in row[1:6]] for row in page.table("how their energy is known")[1:]}
    assert rows["monitor"] == [5, 0, 0, 5, 0]
    assert rows["switch"] == [1, 0, 0, 0, 1]
    assert told["server"].seen_not_registered == 2
    others = [values for name, values in rows.items() if name != "All classes"]
    assert rows["All classes"] == [sum(column) for column in zip(*others, strict=True)]
    assert "/register?class=monitor&status=used" in [one.get("href") for tag, one in page.elements if tag == "a"]


def test_energy_by_class_and_by_site_have_the_same_sum_with_its_range(hall: Hall) -> None:
    page = hall.page(f"/coverage?month={hall.month}")
    by_class, by_site = page.table("Energy by class"), page.table("Energy by site")
    assert by_class[-1][1:] == by_site[-1][1:]
    assert " to " in by_class[-1][5], "the range of all ICT"
    with hall.served.collector.database.read() as connection:
        whole = estate_tree(connection, hall.month, hall.now).shares
    assert by_class[-1][5].split()[0] == figure(kwh(whole.total_uj), 3), "the tree's total"
    assert f"{figure(kwh(whole.low_uj), 3)} to {figure(kwh(whole.high_uj), 3)}" in by_class[-1][5]


def test_the_api_tells_the_pages_range_and_its_confidence(hall: Hall) -> None:
    """Whatever the servers below it may be off, the whole is as exact as the UPS's output: 10%."""
    answer = hall.served.client.get(f"/v1/estate/totals?by=site&from={hall.month}&to={hall.month}").json()
    assert answer["confidence"] == "95%"
    [row] = [one for one in answer["rows"] if one["site"] == "County Hall"]
    ict = hall.half_hours * 1.25
    told = [float(row[name]) for name in ("ict_low_kwh", "ict_kwh", "ict_high_kwh")]
    assert told == pytest.approx([0.9 * ict, ict, 1.1 * ict])


def test_another_organisations_estate_is_not_shown(tmp_path: Path) -> None:
    with serving(tmp_path / "state", SignIn(lambda: "")) as served:
        another_organisation(served, "The other council")
        take_register(served.collector.database, tmp_path, [HEADERS, line("T1", kind="Monitor", site="Secret place")])
        account(served, "otto", "viewer", ("The other council",))
        account(served, "vera", "viewer")
        otto, vera = signed_in(served, "otto"), signed_in(served, "vera")
        for path in ("/tree", "/coverage"):
            assert "Secret place" in vera.get(path).text
            assert "Secret place" not in otto.get(path).text
        asked = otto.get("/tree?organisation=This+organisation&site=Secret+place").text
        assert "Nothing at Secret place used energy" in asked
        assert "The other council" in vera.get("/tree").text, "who sees both can change over"


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
        paths = [f"/tree?month={hall.month}", f"/tree?site=County+Hall&month={hall.month}", "/tree?month=2020-01"]
        paths += [f"/coverage?month={hall.month}", "/coverage?month=2020-01"]
        for path in paths:
            page.goto(hall.served.address + path)
            result = Axe().run(page)
            assert result.violations_count == 0, result.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for image in page.locator("img").all():
                assert image.evaluate("one => one.complete && one.naturalWidth") > 300
    finally:
        context.close()
