"""Why the footprint changed from one period to another: a verdict in words, and the part of each cause."""

from typing import Any

from starlette.responses import Response

from carbon.explain_words import table, verdict
from carbon.report_words import Table, Unit, period_words, unit_of
from collector.errors import CollectorError
from collector.explanation import Explained, explained
from collector.web.carbon_asked import Officer, period_of
from collector.web.carbon_charts import change_chart
from collector.web.charts import image
from collector.web.rendering import page

PATH = "/carbon/why"


def why_page(officer: Officer) -> Response:
    """GET /carbon/why?from=&to=&organisation=: of the last financial year and this one without.

    Periods that cannot be compared are said to be on the page, so that others can be chosen there.
    """
    asked = officer.asked
    before = period_of(officer.parameters.get("from", ""), "from") or asked.year(asked.this_year - 1)
    after = period_of(officer.parameters.get("to", ""), "to") or asked.year(asked.this_year)
    try:
        with officer.database.read() as connection:
            found = explained(connection, asked.organisation_id, before, after, officer.now)
    except CollectorError as error:
        values: dict[str, Any] = {"problem": f"{error.message}: {error.remedy}", "found": None}
    else:
        values = {"problem": "", **_values(found)}
    return page(officer.request, "carbon_why.html", officer.frame(PATH, **values))


def _values(found: Explained) -> dict[str, Any]:
    whole = found.explanation
    unit = unit_of(max(whole.before_g, whole.after_g))
    firsts, lasts = list(found.months), list(found.months.values())
    parts = [(words, unit.amount(grams)) for _, words, grams in table(whole) if grams]
    said = "; ".join(f"{words} {_signed(unit, grams)} {unit.name}" for _, words, grams in table(whole) if grams)
    return {
        "found": found,
        "before": period_words(firsts[0], firsts[-1]),
        "after": period_words(lasts[0], lasts[-1]),
        "verdict": verdict(whole),
        "table": _table(found, unit),
        "chart": image(change_chart(parts, f"{unit.name} CO2e")) if parts else "",
        "alternative": f"Bars of each cause's part of the change: {said}.",
    }


def _table(found: Explained, unit: Unit) -> Table:
    whole = found.explanation
    rows = [("Before", unit.words(whole.before_g))]
    rows += [(words[:1].upper() + words[1:], _signed(unit, grams)) for _, words, grams in table(whole)]
    rows += [("After", unit.words(whole.after_g)), ("Change", _signed(unit, whole.change_g))]
    return Table("The parts of all causes add up to the change", ("Cause", f"{unit.name} CO2e"), tuple(rows))


def _signed(unit: Unit, grams: int) -> str:
    return f"{'+' if grams > 0 else ''}{unit.words(grams)}"
