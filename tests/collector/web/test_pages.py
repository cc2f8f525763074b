"""What the pages say: the store's, the ledger's and the API's figures, silent devices first, sorted and filtered."""

import html.parser
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest

from carbon.wording import energy_words, figure, mass_words
from collector.web.charts import thinned
from collector.web.estate_page import COLUMNS
from tests.collector.hosts import NS
from tests.collector.registers import seen
from tests.collector.web.conftest import Estate
from tests.collector.web.estate_of_tests import ESTATE, TROUBLES, Machine, desktop, history, settle_in
from tests.collector.web.served import Served

IN_USE = len(ESTATE) + len(TROUBLES) - 1
LONG, SCRIPT, RETIRED = (machine.name for machine in TROUBLES)


@dataclass
class Document(html.parser.HTMLParser):
    """A page's tables (rows of cell texts, by caption), its text, and its elements in order."""

    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    _rows: list[list[str]] = field(default_factory=list)
    _caption: str | None = None
    _within: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
        self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop() != tag:
            pass
        if tag == "table":
            self.tables[self._caption or ""] = [[cell.strip() for cell in row] for row in self._rows]

    def handle_data(self, data: str) -> None:
        self.text += data
        if "caption" in self._within:
            self._caption = (self._caption or "") + data
        elif "td" in self._within or "th" in self._within:
            self._rows[-1][-1] += data

    def table(self, caption: str) -> list[list[str]]:
        """The rows of the table whose caption holds these words."""
        return next(rows for found, rows in self.tables.items() if caption in found)


def read(estate: Estate, path: str) -> Document:
    answer = estate.client.get(path)
    assert answer.status_code == 200
    document = Document()
    document.feed(answer.text)
    return document


def names(estate: Estate, path: str) -> list[str]:
    """Devices in the order of the first page's table."""
    return [row[0] for row in read(estate, path).table("devices")[1:-1]]


def test_silent_devices_come_first_then_names(estate: Estate) -> None:
    listed = names(estate, "/")
    assert listed[0] == "library-pc08"
    assert listed[1:] == sorted(listed[1:])
    assert len(listed) == IN_USE
    row = read(estate, "/").table("devices")[1]
    assert "silent, 3 hours ago" in row[4]
    assert "when last heard" in row[2]


def test_the_first_pages_figures_are_the_apis(estate: Estate) -> None:
    text = read(estate, "/").text
    whole = estate.client.get("/v1/energy").json()
    listed = estate.client.get("/v1/devices").json()["devices"]
    power = sum(one["power_watts"] for one in listed if one["counted"] and not one["silent"])
    assert f"{figure(power, 3)} W" in text
    assert energy_words(kwh_of(whole["today"])) in text
    assert f"{mass_words(float(whole['financial_year']['total_kg']))} CO2e" in text


def test_the_devices_rows_add_up_to_the_totals(estate: Estate) -> None:
    whole = estate.client.get("/v1/energy").json()
    used, retired = read(estate, "/").table("devices"), read(estate, "/?retired=yes").table("devices")
    assert [row[0] for row in retired[1:-1]] == [RETIRED]
    for table in (used, retired):
        summed = sum(float(row[-1]) for row in table[1:-1] if row[-1] != "not counted")
        assert summed == pytest.approx(float(table[-1][-1]), rel=0.01), "the table's own sum"
    carbon = sum(float(table[-1][-1]) for table in (used, retired))
    assert carbon == pytest.approx(float(whole["financial_year"]["total_kg"]), rel=0.01)


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_sorts_both_ways_and_says_so(estate: Estate, column: str) -> None:
    first = read(estate, f"/?sort={column}")
    [(order, link)] = sorted_headers(first)
    other = read(estate, link)
    [(turned, back)] = sorted_headers(other)
    assert {order, turned} == {"ascending", "descending"}
    assert f"order={order}" in back
    one, two = first.table("devices")[1:-1], other.table("devices")[1:-1]
    assert sorted(row[0] for row in one) == sorted(row[0] for row in two), "the same devices"
    if column in ("name", "power", "energy", "carbon"):
        at = list(COLUMNS).index(column)
        values = [sort_value(row[at]) for row in one if "not counted" not in row[at]]
        assert len(values) > 5
        assert values == sorted(values, reverse=order == "descending")


def sorted_headers(document: Document) -> list[tuple[str, str]]:
    """aria-sort and the link of the headers that have one."""
    pairs = zip(document.elements, document.elements[1:], strict=False)
    return [(th["aria-sort"], a["href"]) for (tag, th), (_, a) in pairs if tag == "th" and "aria-sort" in th]


def sort_value(cell: str) -> float | str:
    found = re.match(r"([\d.]+)( W\b|$)", cell)
    return float(found[1]) if found else cell.lower()


def test_rows_without_a_figure_are_last_whichever_way(estate: Estate) -> None:
    for order in ("ascending", "descending"):
        assert names(estate, f"/?sort=carbon&order={order}")[-1] == "crm-vm01"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("hall", {"hall-db01", "hall-web01", "hall-hv01", "hall-hv02"}),
        ("COUNTY measured", {"hall-hv01", "hall-hv02"}),
        ("silent", {"library-pc08"}),
        ("libraries", {"library-pc07", "library-pc08"}),
        ("virtual", {"crm-vm01"}),
        ("host missing", {"crm-vm01"}),
        ("o'neill &", {SCRIPT}),
        ("cooled", set()),
    ],
)
def test_the_filter_finds_by_every_word(estate: Estate, words: str, found: set[str]) -> None:
    answer = estate.client.get("/", params={"filter": words})
    document = Document()
    document.feed(answer.text)
    if not found:
        assert "No device matches" in document.text
        return
    table = document.table("devices")
    assert {row[0] for row in table[1:-1]} == found
    assert f"{len(found)} of {IN_USE} devices" in document.text
    [field] = [attributes for tag, attributes in document.elements if tag == "input" and attributes["name"] == "filter"]
    assert field["value"] == words, "the form keeps what was asked"


def test_devices_of_a_site_or_a_kind_are_listed_alone_and_the_totals_stay(estate: Estate) -> None:
    listed = estate.client.get("/v1/devices").json()["devices"]
    sites = {one["site"] for one in listed if one["site"]}
    whole = read(estate, "/")
    for site in sites:
        document = read(estate, f"/?{urlencode({'site': site, 'kind': 'host'})}")
        mine = {one["host_name"] for one in listed if one["site"] == site}
        assert {row[0] for row in document.table("devices")[1:-1]} == mine
        assert document.text.partition("Devices that are read")[0].endswith(
            whole.text.partition("Devices that are read")[0][-200:]
        )
    assert {row[0] for row in read(estate, "/?site=-").table("devices")[1:-1]} == {
        one["host_name"] for one in listed if not one["site"]
    }
    assert "No device matches" in read(estate, "/?kind=switch").text


def test_sorting_keeps_the_filter_and_filtering_the_order(estate: Estate) -> None:
    document = read(estate, "/?filter=hall&sort=power&order=ascending")
    hidden = {one["name"]: one["value"] for tag, one in document.elements if tag == "input" and one["type"] == "hidden"}
    assert hidden == {"sort": "power", "order": "ascending"}
    links = [one["href"] for tag, one in document.elements if tag == "a" and "sort=" in one["href"]]
    assert all("filter=hall" in link for link in links if "sort=power&order=ascending" not in link)


def test_unknown_parameters_of_a_view_do_no_harm(estate: Estate) -> None:
    expected = names(estate, "/")
    for query in ("sort=nothing", "order=sideways", "retired=perhaps", "sort=&filter="):
        assert estate.client.get(f"/?{query}").status_code == 200
    assert estate.client.get("/?filter=%00").status_code == 400
    assert names(estate, "/?sort=nothing&order=descending") == expected


def test_names_are_escaped_wherever_they_stand(estate: Estate) -> None:
    for path in ("/", "/?filter=<script>alert(1)</script>", "/quality", "/carbon", estate.path(SCRIPT)):
        answer = estate.client.get(path)
        assert "<script" not in answer.text.lower(), path
        assert "<b>site" not in answer.text.lower(), path
    assert SCRIPT in read(estate, "/").text


def test_a_devices_chart_has_the_stores_values_in_its_table(estate: Estate) -> None:
    host = estate.hosts["hall-hv01"]
    document = read(estate, estate.path("hall-hv01"))
    images = [one for tag, one in document.elements if tag == "img"]
    assert [image["alt"].split(":")[0] for image in images] == [
        "Line chart of power over the last 24 hours",
        "Line chart of power over the last 7 days",
    ]
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in images)
    [series] = estate.served.collector.points.read("hw_host", 0, 2**62, {"device_id": host.device_id})
    rows = [
        (at // NS, *(one[name] for name in ("power_watts", "power_low_watts", "power_high_watts")))
        for at, one in series.points
    ]
    for minutes, caption in ((10, "Means over 10 minutes"), (60, "Means over 60 minutes")):
        table = document.table(caption)[1:]
        means = thinned(rows, minutes * 60)  # type: ignore[arg-type]  # the store's values are floats here
        expected = [[figure(value or 0.0, 3) for value in one[1:]] for one in reversed(means)]
        assert [row[1:] for row in table[1:-1]] == expected[1 : len(table) - 1], "the ends of the span are cut"
        assert len(table) > 40


def test_a_devices_page_says_where_its_figure_comes_from(estate: Estate) -> None:
    document = read(estate, estate.path("hall-hv01"))
    assert "acpi/power1" in document.text
    failed = next(row for row in document.table("Energy sources") if row[0] == "rapl")
    assert failed[1] == "failed"
    assert "Permission denied" in failed[2]
    assert "CAP_DAC_READ_SEARCH" in failed[3]
    for words in ("PowerEdge R640", "County Hall, Data room", "384.0 GiB", "MZ7LH960 960 GB"):
        assert words in document.text


def test_a_guests_page_says_that_it_is_attribution(estate: Estate) -> None:
    text = read(estate, estate.path("crm-vm01")).text
    assert "guest whose host is not known" in text
    assert "not counted" in text
    assert "estate set" in text, "its site is not set, and the page says how"


def test_a_retired_device_has_its_page_and_its_way_back(estate: Estate) -> None:
    assert RETIRED not in names(estate, "/")
    assert "1 retired device" in read(estate, "/").text
    text = read(estate, estate.path(RETIRED)).text
    assert "Retired on" in text
    assert f"ictagent estate retire --undo {estate.hosts[RETIRED].device_id}" in text


def test_every_absent_or_failed_source_is_on_the_quality_page_with_its_remedy(estate: Estate) -> None:
    rows = read(estate, "/quality").table("Failed sources first")[1:]
    outcomes = [row[1] for row in rows]
    assert outcomes == sorted(outcomes, reverse=True), "failed before absent"
    assert all(row[2] and row[3] for row in rows), "each with its reason and what to do"
    wanted = {
        (state.source, state.outcome, state.reason)
        for machine in ESTATE + TROUBLES
        if not machine.retired
        for state in machine.sources
        if state.outcome in ("absent", "failed")
    }
    assert {(row[0], row[1], row[2]) for row in rows} == wanted
    battery = next(row for row in rows if row[0] == "battery")
    for machine in ESTATE + TROUBLES:
        if any(state.source == "battery" for state in machine.sources):
            assert (machine.name in battery[4]) == (not machine.retired)


def test_silence_and_rejected_rows_are_on_the_quality_page(estate: Estate) -> None:
    document = read(estate, "/quality")
    assert [row[0] for row in document.table("Not heard of")[1:]] == ["library-pc08"]
    rejected = document.table("Rows of reports")[1:]
    assert {row[0] for row in rejected} == {LONG}
    assert sum(int(row[2]) for row in rejected) == 3
    assert any("busy_ratio" in row[3] for row in rejected)


def test_the_months_lines_add_up_to_the_year(estate: Estate) -> None:
    document = read(estate, "/carbon")
    *months, year = document.table("Kilograms")[1:]
    assert year[0].endswith("so far")
    for at in range(1, 7):
        assert sum(float(row[at]) for row in months) == pytest.approx(float(year[at]), rel=0.002)
    assert sum(float(cell) for cell in year[2:6]) == pytest.approx(float(year[6]), rel=0.002)
    whole = estate.client.get("/v1/energy").json()["financial_year"]
    assert year[6] == figure(float(whole["total_kg"]), 4)
    assert "provisional" in document.text
    assert "1 guest has no known host (attribution only), and is not in these figures" in document.text


def test_every_page_has_its_own_title_and_one_heading(estate: Estate) -> None:
    titles = []
    for path in (
        "/",
        "/?retired=yes",
        "/carbon",
        "/quality",
        *(estate.path(name) for name in ("hall-db01", "crm-vm01")),
    ):
        answer = estate.client.get(path)
        titles += re.findall("<title>(.*) - ictagent</title>", answer.text)
        assert answer.text.count("<h1>") == 1
        assert '<html lang="en-GB">' in answer.text
    assert len(set(titles)) == 6


def test_pages_need_no_script(estate: Estate) -> None:
    for path in ("/", "/carbon", "/quality", estate.path("hall-db01")):
        document = read(estate, path)
        assert not [
            one for tag, one in document.elements if tag == "script" or any(key.startswith("on") for key in one)
        ]


def test_empty_pages_say_what_to_do(empty: Served) -> None:
    assert "ictagent run --collector" in empty.client.get("/").text
    assert "Nothing is recorded yet" in empty.client.get("/carbon").text
    assert "No device is retired" in empty.client.get("/?retired=yes").text
    assert empty.client.get("/quality").text.count("<p>None.</p>") == 4


def test_a_host_that_has_enrolled_and_not_reported_is_silent_and_its_page_works(empty: Served) -> None:
    host = empty.enrol("web01")
    assert "silent" in empty.client.get("/").text
    text = empty.client.get(f"/devices/{host.device_id}").text
    assert "never" in text
    assert "no power is known of this time" in text.lower()


def test_the_first_page_has_a_hundred_devices_and_leads_to_the_others(empty: Served) -> None:
    with empty.collector.database.write() as connection:
        for number in range(130):
            seen(connection, f"sw-{number:03}", "switch" if number else "ups")
    first, second = (empty.client.get(path).text for path in ("/?kind=switch", "/?kind=switch&page=2"))
    assert (first.count("/devices/sw-"), second.count("/devices/sw-")) == (100, 29)
    assert "1 to 100 of 129 devices that match" in first
    assert 'href="/?kind=switch&amp;page=2"' in first
    assert "Sum of all 129" in second
    assert empty.client.get("/v1/devices").text.count('"sw-') == 130, "the API is not cut"


def test_diagnoses_stand_on_both_pages_with_their_remedy(empty: Served) -> None:
    twins = settle_in(empty, (Machine(desktop("one")),), days=0.1) | {"two": empty.enrol("two")}
    report = history(Machine(desktop("one")), int(empty.collector.clock_ns() / NS), 0.1)
    twins["two"].send(report)
    for path in ("/quality", f"/devices/{twins['two'].device_id}"):
        text = empty.client.get(path).text
        assert "same machine id" in text.lower()
        assert "systemd-machine-id-setup" in text


def kwh_of(total: dict[str, int]) -> float:
    return (total["measured_uj"] + total["estimated_uj"]) / 3.6e12
