"""The officer's pages: the report's own figures, files that are the command line's, and one organisation's data only."""

import time

import pytest

from carbon.report_words import figure_words
from carbon.units import kwh
from collector.footprints import report_of
from collector.web.carbon_asked import ENTRIES
from tests.collector.web.conftest import Estate
from tests.collector.web.test_pages import read

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
