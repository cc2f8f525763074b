"""The footprint for an officer: this financial year beside the last, by scope, month, kind and site, and what it rests on."""

from starlette.responses import Response

from carbon.calendar import financial_year_label
from carbon.footprint_groups import by_scope
from carbon.report import Report
from carbon.report_summary import scope_words, summary
from carbon.report_words import Table, Unit, figure_words, unit_of
from carbon.row_ranges import grams_range
from carbon.units import kwh
from collector.reports.charts import draw
from collector.reports.formats import FORMATS
from collector.web.carbon_asked import Officer
from collector.web.carbon_downloads import PATH as DOWNLOADS
from collector.web.charts import image
from collector.web.rendering import page

PATH = "/carbon/footprint"


def footprint_page(officer: Officer) -> Response:
    """GET /carbon/footprint?from=&to=&organisation=: without months this financial year."""
    asked = officer.asked
    months = asked.months(officer.parameters)
    report = officer.report(months)
    this, last = asked.this_year, asked.this_year - 1
    years = [(f"{financial_year_label(this)} so far", officer.report(asked.year(this)))]
    earlier = _report_or_none(officer, last)
    if earlier is not None:
        years.append((financial_year_label(last), earlier))
    made = summary(report)
    return page(
        officer.request,
        "carbon_footprint.html",
        officer.frame(
            PATH,
            title=made.title,
            state=made.state,
            report_state=report.state,
            sections=made.sections,
            years=_beside(years),
            downloads=[
                (form, asked.address(f"{DOWNLOADS}/report.{form}", **{"from": months[0], "to": months[1]}))
                for form in FORMATS
            ],
            draw=draw,
            image=image,
        ),
    )


def _report_or_none(officer: Officer, year: int) -> Report | None:
    """A financial year's report; None where nothing is known of it."""
    found = officer.report(officer.asked.year(year))
    return found if found.rows or found.other else None


def _beside(years: list[tuple[str, Report]]) -> Table:
    """Years in columns, scope by scope, with electricity and its range."""
    unit = unit_of(max(report.total_g for _, report in years))
    scopes = [by_scope(report) for _, report in years]
    keys = sorted({key for one in scopes for key in one})
    rows = [(scope_words(*key), *(unit.words(one.get(key, 0)) for one in scopes)) for key in keys]
    rows.append(("All", *(unit.words(report.total_g) for _, report in years)))
    rows.append(("Range of all, in 19 of 20 cases", *(_range(report, unit) for _, report in years)))
    rows.append(("Electricity, kWh", *(figure_words(kwh(_energy(report))) for _, report in years)))
    rows.append(("State", *(report.state for _, report in years)))
    return Table(f"{unit.name} of CO2e, location-based", ("", *(name for name, _ in years)), tuple(rows))


def _range(report: Report, unit: Unit) -> str:
    low, high = grams_range(report.rows)
    other = report.total_g - report.grams.total
    return f"{unit.words(low + other)} to {unit.words(high + other)}"


def _energy(report: Report) -> int:
    return sum(row.activity.activity_uj for row in report.rows)
