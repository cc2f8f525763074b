"""Reports as files: a page that leads to each by period and format, and the files themselves."""

from starlette.responses import Response

from carbon.calendar import financial_year_label
from carbon.export_rows import DEFAULT_BY
from carbon.report_words import period_words
from collector.commands.carbon_period import Months
from collector.errors import NotFound
from collector.reports.formats import FORMATS, RETURNS, ROWS, Format, file_of, return_of
from collector.web.carbon_asked import Officer
from collector.web.rendering import page

PATH = "/carbon/downloads"
TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
}
WHAT: dict[str, str] = {
    "report.pdf": "For members: plain English, charts with their tables",
    "report.html": "The same as one page that needs nothing beside itself",
    "report.xlsx": "Workbook: summary, data, lines, method and evidence; totals are formulas",
    "report.csv": "Exact rows of the electricity: kWh to the microjoule, CO2e to the gram",
    **{f"{name}.csv": f"Exact rows: {name.replace('-', ' ')}" for name in ROWS if name != "electricity"},
    "report.json": "All of it, exact, for programs",
    "councils-tool.xlsx": "Rows for the councils' carbon accounting tool: kWh by site and financial year",
    "councils-tool.csv": "The same as CSV",
    "greening-ict.xlsx": "Rows for the Greening Government ICT return",
    "greening-ict.csv": "The same as CSV",
}
"""Every file of a period, by its name in the address."""


def downloads_page(officer: Officer) -> Response:
    """GET /carbon/downloads?from=&to=&organisation=: files of a period, this financial year without."""
    asked = officer.asked
    months = asked.months(officer.parameters)
    this = asked.this_year
    return page(
        officer.request,
        "carbon_downloads.html",
        officer.frame(
            PATH,
            period=period_words(*months),
            files=[(_saved_as(name, months), words, _address(officer, name, months)) for name, words in WHAT.items()],
            years=[
                (financial_year_label(year), asked.address(PATH, **{"from": f"FY{year}", "to": ""}))
                for year in range(this, this - 6, -1)
            ],
        ),
    )


def download(officer: Officer) -> Response:
    """GET /carbon/downloads/{file}?from=&to=&organisation=: a file of `WHAT`. Raises NotFound."""
    name = officer.request.path_params["file"]
    if name not in WHAT:
        raise NotFound(f"there is no file {name[:80]}", f"see {PATH}")
    months = officer.asked.months(officer.parameters)
    kind, _, ending = name.partition(".")
    form = next(one for one in FORMATS if one == ending)
    report = officer.report(months)
    if kind in RETURNS:
        made = return_of(report, kind, form)
    else:
        made = file_of(report, form, DEFAULT_BY, "electricity" if kind == "report" else kind)
    headers = {"Content-Disposition": f'attachment; filename="{_saved_as(name, months)}"', "Cache-Control": "no-store"}
    return Response(made, media_type=TYPES[form], headers=headers)


def _address(officer: Officer, name: str, months: Months) -> str:
    return officer.asked.address(f"{PATH}/{name}", **{"from": months[0], "to": months[1]})


def _saved_as(name: str, months: Months) -> str:
    """What the file is called where it is saved: kind and months are in it, so that none takes another's place.

    >>> _saved_as("report.pdf", ("2025-04", "2026-03"))
    'ict-carbon-report-2025-04-2026-03.pdf'
    """
    kind, _, ending = name.partition(".")
    return f"ict-carbon-{kind}-{months[0]}-{months[1]}.{ending}"
