"""The footprint and the published reports of one organisation for programs."""

from starlette.responses import Response

from carbon.export_rows import BY, DEFAULT_BY
from collector.errors import BadRequest
from collector.publishing import publications, restated_by
from collector.reports.json_file import json_text
from collector.web.answers import json_response, known_parameters
from collector.web.carbon_asked import Officer


def footprint(officer: Officer) -> Response:
    """GET /v1/carbon/footprint?from=&to=&by=&organisation=: what `ictagent carbon export --format json` writes."""
    parameters = officer.request.query_params
    known_parameters(parameters, ("from", "to", "by", "organisation"))
    by = parameters.getlist("by") or list(DEFAULT_BY)
    if strange := [name for name in by if name not in BY]:
        raise BadRequest(f"by={strange[0][:40]} is no key", f"use {', '.join(BY)}")
    report = officer.report(officer.asked.months(parameters))
    return Response(json_text(report, by), media_type="application/json")


def reports(officer: Officer) -> Response:
    """GET /v1/carbon/reports?organisation=: every report that was prepared, oldest first."""
    known_parameters(officer.request.query_params, ("organisation",))
    with officer.database.read() as connection:
        rows = publications(connection, officer.asked.organisation_id)
    gone = restated_by(rows)
    values = [{**dict(row._mapping), "restated_by": gone.get(row.id)} for row in rows]
    return json_response({"organisation": officer.asked.name, "reports": values})
