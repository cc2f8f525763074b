"""What was published: every report with its state, who answers for it, its hash, and its evidence pack as a file."""

from starlette.responses import Response

from carbon.report_words import period_words
from carbon.units import kilograms
from collector.errors import NotFound
from collector.publishing import pack_of, publications, published, restated_by
from collector.web.carbon_asked import Officer
from collector.web.rendering import page

PATH = "/carbon/published"


def published_page(officer: Officer) -> Response:
    """GET /carbon/published?organisation=: all reports that were ever prepared, the newest first."""
    asked = officer.asked
    with officer.database.read() as connection:
        found = publications(connection, asked.organisation_id)
    gone = restated_by(found)
    rows = [
        {
            "report": one,
            "period": period_words(one.first_month, one.last_month),
            "kilograms": kilograms(one.total_g),
            "restated_by": gone.get(one.id),
            "pack": asked.address(f"{PATH}/{one.id}/pack"),
        }
        for one in reversed(found)
    ]
    return page(officer.request, "carbon_published.html", officer.frame(PATH, rows=rows))


def pack(officer: Officer) -> Response:
    """GET /carbon/published/{number}/pack?organisation=: the evidence pack, the same bytes each time. Raises NotFound."""
    number = officer.request.path_params["number"]
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise NotFound(f"there is no published report {number[:40]}", f"see {PATH}")
    with officer.database.read() as connection:
        row = published(connection, officer.asked.organisation_id, int(number))
        body = pack_of(connection, row.id)
    name = f"ict-carbon-evidence-{row.id}-{row.first_month}-{row.last_month}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(body, media_type="application/zip", headers=headers)
