"""Rows for the councils' greenhouse gas tool (LGA and Local Partnerships): kWh per site and financial year.

The tool is filled in from electricity bills, which hold ICT already: so ICT is an "of which" memo, and only what is in
no bill of the council's buildings (colocation, landlords' supplies) is to be added.
"""

from collections.abc import Sequence
from decimal import Decimal

from carbon.calendar import financial_year, financial_year_label
from carbon.export_rows import Cell, kwh_cell
from carbon.months import middle_of
from carbon.report import Report

HEADER = (
    "financial_year",
    "organisation",
    "site",
    "uprn",
    "ict_electricity_kwh",
    "of_which_in_building_inventory_kwh",
    "partly_in_building_inventory_kwh",
    "not_in_building_inventory_kwh",
    "what_to_do",
)
HOMES = "(homes of staff)"
NO_SITE = "(site not known)"
_ADVICE = {
    "yes": "memo only: in the site's bill already",
    "part": "memo: check with the bill which part it holds",
    "no": "add: in no bill of the council's buildings",
}


def councils_tool(report: Report) -> list[list[Cell]]:
    """The rows of `HEADER`: exact kWh with PUE. Homes are on a row of their own: they are Scope 3, category 7."""
    found: dict[tuple[str, str, str, str], dict[str, int]] = {}
    for row in report.rows:
        subject = row.activity.subject
        year = financial_year_label(financial_year(middle_of(subject.month)))
        home = subject.supply == "home"
        site, uprn = (HOMES, "") if home else (subject.site or NO_SITE, subject.uprn)
        into = found.setdefault((year, subject.organisation, site, uprn), {})
        into[row.activity.inside] = into.get(row.activity.inside, 0) + row.activity.activity_uj
    return [
        [*key, *_amounts(amounts), "homeworking, Scope 3 category 7" if key[2] == HOMES else _advice(amounts)]
        for key, amounts in sorted(found.items())
    ]


def _amounts(amounts: dict[str, int]) -> Sequence[Decimal]:
    return [kwh_cell(one) for one in (sum(amounts.values()), *(amounts.get(name, 0) for name in ("yes", "part", "no")))]


def _advice(amounts: dict[str, int]) -> str:
    return "; ".join(_ADVICE[name] for name in ("yes", "part", "no") if name in amounts)
