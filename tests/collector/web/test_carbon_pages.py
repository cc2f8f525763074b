"""The officer's pages: the report's own figures, files that are the command line's, and one organisation's data only."""

import time
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from carbon.evidence.verify import unzipped, verify
from carbon.explain import CAUSES
from carbon.explain_words import verdict
from carbon.export_rows import DEFAULT_BY
from carbon.report_words import figure_words, unit_of
from carbon.units import UJ_PER_KWH, kwh
from collector.explanation import explained
from collector.footprints import report_of
from collector.plans import planned
from collector.publishing import approve, prepare
from collector.reports.formats import file_of
from collector.taking import Who
from collector.web.carbon_asked import ENTRIES, FRESH_SECONDS, ReportCache
from collector.web.carbon_downloads import WHAT
from tests.collector.commands.carbon_cli import CarbonCommands
from tests.collector.ledgers import half_hours, new_space, read_device
from tests.collector.registers import midnight
from tests.collector.web.conftest import Estate
from tests.collector.web.served import Served, serving
from tests.collector.web.test_pages import Document, read
from tests.collector.web.test_pages_in_a_browser import opened

NOW = midnight("2026-10-01")
PAGES = [path for path, _ in ENTRIES]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_an_officer_answers_within_a_second_and_leads_to_the_others(estate: Estate, path: str) -> None:
    began = time.monotonic()
    document = read(estate, path)
    assert time.monotonic() - began < 1
    links = [attributes.get("href") for tag, attributes in document.elements if tag == "a"]
    assert [one for one in PAGES if one not in links] == []


def test_the_footprint_is_the_reports(estate: Estate) -> None:
    document = read(estate, "/carbon/footprint")
    with estate.served.collector.database.read() as connection:
        asked = connection.exec_driver_sql("select id from organisation").scalar_one()
    now = int(time.time())
    report = report_of(estate.served.collector.database, asked, _year_begins(now), time.strftime("%Y-%m"), now)
    energy = sum(row.activity.activity_uj for row in report.rows)
    assert energy > 0
    years = document.table("location-based")
    assert figure_words(kwh(energy)) in next(row for row in years if row[0] == "Electricity, kWh")
    assert "Provisional" in document.text


def test_a_file_that_there_is_not_is_not_found(estate: Estate) -> None:
    assert estate.client.get("/carbon/downloads/report.exe").status_code == 404


def _year_begins(now: int) -> str:
    today = time.gmtime(now)
    return f"{today.tm_year - (today.tm_mon < 4)}-04"


@pytest.fixture(scope="module")
def officer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two complete financial years of a device, a base year, a target, measures, and the later year published."""
    folder = tmp_path_factory.mktemp("officer")
    with serving(folder / "state") as served:
        database = served.collector.database
        first, middle, last = (midnight(f"{year}-04-01") for year in (2024, 2025, 2026))
        with database.write() as connection:
            place = new_space(connection, "Town Hall", "Office", "office")
            rows = half_hours(first, middle, UJ_PER_KWH) | half_hours(middle, last, UJ_PER_KWH * 9 // 10)
            read_device(connection, "d1", rows, first, place, "Digital")
        told = folder / "baseline.pdf"
        told.write_bytes(b"a decision of the council")
        carbon = CarbonCommands(database, folder / "state")
        carbon.done("base-year", "set", "FY2020", "10", "--method", "bills", "--document", str(told))
        carbon.done("target", "set", "FY2030", "1", "--reason", "the council's decision")
        carbon.done("measure", "add", "switch off at <night>", "--kwh", "1000", "--device", "d1")
        carbon.done("measure", "accept", "1")
        number = prepare(database, 1, ("2026-03", "2026-03"), Who("cli:anna", last + 86_400 * 9))
        with database.write() as connection:
            approve(connection, 1, number, Who("user:ben", last + 86_400 * 10))
        yield served


def shown(served: Served, path: str) -> Document:
    answer = served.client.get(path)
    assert answer.status_code == 200, answer.text
    document = Document()
    document.feed(answer.text)
    return document


def test_the_page_of_causes_shows_every_cause_and_their_sum(officer: Served) -> None:
    document = shown(officer, "/carbon/why?from=FY2024&to=FY2025")
    rows = document.table("add up")[1:]
    assert len(rows) == len(CAUSES) + 3
    with officer.collector.database.read() as connection:
        years = (("2024-04", "2025-03"), ("2025-04", "2026-03"))
        found = explained(connection, 1, *years, int(time.time())).explanation
    assert verdict(found) in document.text
    unit = unit_of(found.before_g)
    assert rows[-1] == ["Change", unit.words(found.change_g)]
    [picture] = [attributes for tag, attributes in document.elements if tag == "img"]
    assert "the same devices used more or less electricity" in picture["alt"]


def test_a_report_serves_other_pages_of_its_months_for_a_minute(officer: Served) -> None:
    clock = [NOW]
    reports = ReportCache(officer.collector.database, lambda: clock[0])
    months = ("2025-04", "2025-05")
    first = reports.get(1, months)
    clock[0] += FRESH_SECONDS
    assert reports.get(1, months) is first
    assert reports.get(1, ("2025-04", "2025-04")).first_month == "2025-04"
    clock[0] += 1
    assert reports.get(1, months).made_at == clock[0]


def test_periods_that_cannot_be_compared_are_told_beside_the_form(officer: Served) -> None:
    document = shown(officer, "/carbon/why?from=FY2025&to=FY2024")
    assert "does not lie before" in document.text
    assert "Earlier period" in document.text


def test_the_pathway_is_the_plans_year_by_year(officer: Served) -> None:
    plan = planned(officer.collector.database, 1, int(time.time())).plan
    rows = shown(officer, "/carbon/pathway").table("by financial year")[1:]
    unit = unit_of(plan.target.base_g)
    expected = [unit.words(one.with_measures_g) for one in plan.years if one.with_measures_g is not None]
    assert [row[4] for row in rows if row[4] != "-"] == expected
    assert expected
    assert shown(officer, "/carbon/pathway?measures=none").table("by financial year")[-1][4] != rows[-1][4]
    assert officer.client.get("/carbon/pathway?shape=spiral").status_code == 400


def test_measures_are_listed_with_their_state(officer: Served) -> None:
    [row] = shown(officer, "/carbon/measures").table("Measures of")[1:]
    assert row[:4] == ["1: switch off at <night>", "1000", "1", "accepted"]


def test_what_was_published_is_listed_and_its_pack_holds(officer: Served) -> None:
    document = shown(officer, "/carbon/published")
    [row] = document.table("Reports of")[1:]
    assert row[0] == "1: March 2026"
    assert row[1] == "published"
    told = officer.client.get("/v1/carbon/reports").json()["reports"]
    assert [(one["id"], one["state"]) for one in told] == [(1, "published")]
    assert told[0]["pack_sha256"] in row[5]
    [link] = [one["href"] for tag, one in document.elements if tag == "a" and one["href"].endswith("/pack")]
    pack = officer.client.get(link)
    assert pack.headers["content-type"] == "application/zip"
    assert verify(unzipped(pack.content)).problems == ()
    for strange in ("2", "one", "9" * 30):
        assert officer.client.get(f"/carbon/published/{strange}/pack").status_code == 404


def test_a_file_is_what_the_command_line_writes(officer: Served) -> None:
    months = ("2025-04", "2026-03")
    report = report_of(officer.collector.database, 1, *months, int(time.time()))
    answer = officer.client.get("/carbon/downloads/report.csv?from=FY2025")
    assert answer.content == file_of(report, "csv", DEFAULT_BY)
    assert 'filename="ict-carbon-report-2025-04-2026-03.csv"' in answer.headers["content-disposition"]
    told = officer.client.get("/v1/carbon/footprint?from=FY2025").json()
    assert told["totals"]["total_g"] == report.total_g


@pytest.mark.parametrize("name", [name for name in WHAT if not name.endswith(".pdf")])
def test_every_file_of_a_period_can_be_taken(officer: Served, name: str) -> None:
    answer = officer.client.get(f"/carbon/downloads/{name}?from=FY2025")
    assert answer.status_code == 200
    assert answer.content


@pytest.mark.parametrize("asked", ["from=2024", "from=FY2026&to=FY2024", "from=FY2090", "from=FY2020&to=FY2025"])
def test_periods_that_no_report_can_have_are_refused(officer: Served, asked: str) -> None:
    for path in ("/carbon/footprint", "/carbon/coverage", "/v1/carbon/footprint"):
        assert officer.client.get(f"{path}?{asked}").status_code == 400


def test_axe_finds_no_violation_on_a_telephone_in_the_dark_and_on_a_desk(chromium: Browser, officer: Served) -> None:
    filled = ["/carbon/why?from=FY2024&to=FY2025", "/carbon/pathway", "/carbon/published"]
    all_pages = ["/carbon/footprint?from=FY2025", *PAGES[3:-1], *filled]
    for width, scheme, paths in ((320, "dark", all_pages), (1280, "light", filled[:1])):
        with opened(chromium, officer.address, width=width, color_scheme=scheme) as page:
            for path in dict.fromkeys(paths):
                page.goto(officer.address + path)
                found = Axe().run(page)
                assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
                assert page.evaluate("document.documentElement.scrollWidth") <= width
