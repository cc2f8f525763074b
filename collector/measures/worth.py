"""What a year's saving is worth: in carbon by two figures that are never one column, in pounds where a price is given."""

import datetime
from dataclasses import dataclass
from decimal import Decimal, localcontext

from sqlalchemy import Connection

from carbon.errors import CarbonError
from carbon.measures.measure import Measure, embodied_payback_years, pounds_a_year, pounds_per_tonne
from carbon.units import UJ_PER_KWH
from collector.device_energy import rules_by_organisation
from collector.green_book_tables import standing_table

_DIGITS = 28


@dataclass(frozen=True, slots=True)
class Rates:
    """Kilograms of CO2e per kWh of a saving, and what they are.

    `footprint` is the Government's set of today, all four electricity lines: by so much the council's footprint falls.
    `appraisal` is the same by the ratio of long-run marginal to grid average of this year in the Green Book's table,
    which values the saving; None outside of the table's years.
    """

    footprint: Decimal
    footprint_label: str
    appraisal: Decimal | None
    appraisal_label: str


@dataclass(frozen=True, slots=True)
class Worth:
    """Of a year: grams of CO2e; pounds; pounds per tonne of the footprint over `years`; years of embodied payback."""

    footprint_g: int
    appraisal_g: int | None
    pounds: Decimal | None
    pounds_per_tonne: Decimal | None
    payback_years: Decimal | None


def rates_of(connection: Connection, organisation_id: int, today: datetime.date) -> Rates:
    """The rates of an organisation today."""
    applied = rules_by_organisation(connection)[organisation_id].factors(today)
    table = standing_table(connection, "electricity_factors")
    footprint = applied.factors.total
    try:
        marginal, average = (table.at(column, today.year).value for column in ("long_run_marginal", "grid_average"))
    except CarbonError as error:
        return Rates(footprint, applied.label, None, str(error))
    with localcontext() as context:
        context.prec = _DIGITS
        appraisal = footprint * marginal / average
    label = f"{applied.label}, by long-run marginal over grid average of {today.year} ({table.label})"
    return Rates(footprint, applied.label, appraisal, label)


def worth_of(one: Measure, rates: Rates, pence_per_kwh: Decimal | None, years: int) -> Worth:
    """What a measure's yearly saving is worth; its cost per tonne over so many years."""
    footprint = _grams(one.total_uj, rates.footprint)
    pounds = None if pence_per_kwh is None else pounds_a_year(one.total_uj, pence_per_kwh)
    per_tonne = None
    if one.cost_pence is not None and pounds is not None:
        per_tonne = pounds_per_tonne(one.cost_pence, pounds, footprint, years)
    return Worth(
        footprint_g=footprint,
        appraisal_g=None if rates.appraisal is None else _grams(one.total_uj, rates.appraisal),
        pounds=pounds,
        pounds_per_tonne=per_tonne,
        payback_years=embodied_payback_years(one.embodied_g, footprint),
    )


def _grams(saved_uj: int, kg_per_kwh: Decimal) -> int:
    with localcontext() as context:
        context.prec = _DIGITS
        return int((Decimal(saved_uj) / UJ_PER_KWH * kg_per_kwh * 1000).to_integral_value())
