"""The way to the target year by year, and what could save energy: read only, decisions are made on the command line."""

from decimal import Decimal
from typing import Any

from starlette.responses import Response

from carbon.calendar import financial_year_label
from carbon.measures.measure import CONFIDENCES
from carbon.pathway import SHAPES, Shape
from carbon.report_words import Table, Unit, unit_of
from carbon.scenario import Chosen, PlannedYear, Scenario
from carbon.units import kwh
from collector.commands.carbon_pathway import sentences
from collector.errors import BadRequest, CollectorError
from collector.measures.kept import measures_of
from collector.plans import Planned, planned
from collector.web.carbon_asked import Officer
from collector.web.carbon_charts import years_chart
from collector.web.charts import image
from collector.web.rendering import page

PATH = "/carbon/pathway"
MEASURES_PATH = "/carbon/measures"
_CHOSEN: dict[Chosen, str] = {"accepted": "accepted ones", "all": "accepted and open ones", "none": "none"}
_LINES = (
    ("Allowed", "allowed_g"),
    ("Actual", "actual_g"),
    ("Forecast", "forecast_g"),
    ("With measures", "with_measures_g"),
)
_COLUMNS = (*_LINES, ("Left", "residual_g"), ("Offsets, apart", "offset_g"))


def pathway_page(officer: Officer) -> Response:
    """GET /carbon/pathway?shape=&measures=&organisation=: the plan, or with another shape or other measures.

    Without base year and target the page says how they are set.
    """
    scenario = _scenario(officer)
    try:
        found = planned(officer.database, officer.asked.organisation_id, officer.now, scenario, officer.report)
    except CollectorError as error:
        values: dict[str, Any] = {"problem": f"{error.message}: {error.remedy}"}
    else:
        values = {"problem": "", **_values(found)}
    chosen = {"shape": scenario.shape or "", "measures": scenario.measures}
    forms = {"shapes": SHAPES, "counted": _CHOSEN, "chosen": chosen}
    return page(officer.request, "carbon_pathway.html", officer.frame(PATH, **forms, **values))


def measures_page(officer: Officer) -> Response:
    """GET /carbon/measures?organisation=: every measure with its state."""
    with officer.database.read() as connection:
        kept = measures_of(connection, officer.asked.organisation_id, officer.asked.today)
    rows = [
        {
            "kept": one,
            "kwh": kwh(one.measure.total_uj),
            "devices": len(one.measure.saved_uj),
            "pounds": None if one.measure.cost_pence is None else f"£{Decimal(one.measure.cost_pence) / 100:,.2f}",
        }
        for one in kept
    ]
    values = {"rows": rows, "confidences": CONFIDENCES}
    return page(officer.request, "carbon_measures.html", officer.frame(MEASURES_PATH, **values))


def _scenario(officer: Officer) -> Scenario:
    """What is asked for. Raises BadRequest for a shape or a choice that there is not."""
    shape, measures = (officer.parameters.get(name, "") for name in ("shape", "measures"))
    if shape and shape not in SHAPES:
        raise BadRequest(f"there is no shape {shape[:40]}", f"use one of {', '.join(SHAPES)}")
    if measures and measures not in _CHOSEN:
        raise BadRequest(f"measures={measures[:40]} says nothing", f"use one of {', '.join(_CHOSEN)}")
    chosen: Chosen = next((one for one in _CHOSEN if one == measures), "accepted")
    wanted: Shape | None = next((one for one in SHAPES if one == shape), None)
    return Scenario(shape=wanted, measures=chosen)


def _values(found: Planned) -> dict[str, Any]:
    years = found.plan.years
    unit = unit_of(found.plan.target.base_g)
    labels = [financial_year_label(one.year) for one in years]
    lines = [(name, [_amount(unit, getattr(year, field)) for year in years]) for name, field in _LINES]
    drawn = [line for line in lines if any(amount is not None for amount in line[1])]
    words = sentences(found)
    return {
        "shape_words": SHAPES[found.plan.shape],
        "state": found.state,
        "sentences": words,
        "table": Table(
            f"{unit.name} of CO2e by financial year",
            ("Year", *(name for name, _ in _COLUMNS)),
            tuple((label, *_words(unit, year)) for label, year in zip(labels, years, strict=True)),
        ),
        "chart": image(years_chart(labels, drawn, f"{unit.name} CO2e")),
        "alternative": f"Lines over the years {labels[0]} to {labels[-1]}: "
        f"{', '.join(name.lower() for name, _ in drawn)}. {' '.join(words)}",
    }


def _amount(unit: Unit, grams: int | None) -> float | None:
    return None if grams is None else unit.amount(grams)


def _words(unit: Unit, year: PlannedYear) -> tuple[str, ...]:
    amounts = (getattr(year, field) for _, field in _COLUMNS)
    return tuple("-" if grams is None else unit.words(grams) for grams in amounts)
