"""What reports rest on: the Government's factor sets with where each came from, and coverage with what was accepted of it."""

from decimal import Decimal
from typing import Any

from starlette.responses import Response

from carbon.device_classes import CLASSES
from carbon.report import ClassCoverage
from carbon.report_words import period_words
from carbon.wording import percent
from collector.commands.carbon_factors import listed_sets
from collector.coverage_acceptance import LEAST_COVERAGE, coverage_acceptances, low_coverage, unaccepted_coverage
from collector.web.carbon_asked import Officer
from collector.web.rendering import page

FACTORS_PATH = "/carbon/factors"
COVERAGE_PATH = "/carbon/coverage"


def factors_page(officer: Officer) -> Response:
    """GET /carbon/factors: every set and version, the newest year first."""
    with officer.database.read() as connection:
        sets = listed_sets(connection)
    values = {"sets": sets[::-1], "unaccepted": [words for one in sets for words in one["unaccepted"]]}
    return page(officer.request, "carbon_factors.html", officer.frame(FACTORS_PATH, **values))


def coverage_page(officer: Officer) -> Response:
    """GET /carbon/coverage?from=&to=&organisation=: both coverages by class, and what stands against publishing."""
    asked = officer.asked
    months = asked.months(officer.parameters)
    report = officer.report(months)
    with officer.database.read() as connection:
        accepted = coverage_acceptances(connection, asked.organisation_id, withdrawn=True)
        missing = {one.asset_class for one in unaccepted_coverage(connection, asked.organisation_id, report)}
    low = {one.asset_class for one in low_coverage(report)}
    rows = [
        {
            "words": CLASSES[one.asset_class].words if one.asset_class in CLASSES else one.asset_class,
            "registered": one.registered,
            "estate": _percent(one.estate_coverage),
            "time": _percent(one.time_coverage),
            "state": _state(one, low, missing),
            "missing": one.asset_class in missing,
        }
        for one in report.coverage
    ]
    values: dict[str, Any] = {
        "period": period_words(*months),
        "months": months,
        "rows": rows,
        "missing": sorted(missing),
        "accepted": accepted,
        "least": percent(float(LEAST_COVERAGE)),
        "percent_of": lambda text: percent(float(text)),
    }
    return page(officer.request, "carbon_coverage.html", officer.frame(COVERAGE_PATH, **values))


def _state(one: ClassCoverage, low: set[str], missing: set[str]) -> str:
    if one.time_coverage is None:
        return "nothing of it can be read"
    if one.asset_class not in low:
        return "enough"
    return "to be accepted" if one.asset_class in missing else "accepted"


def _percent(ratio: Decimal | None) -> str:
    return "-" if ratio is None else percent(float(ratio))
