"""The columns of the detailed export, in their order, with unit and meaning: what officers paste and auditors read.

Source: carbon reference, section 3. Names and order are public: a new column goes to the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "count", "kwh", "kg", "percent", "ratio"]

KWH_DECIMALS = 13
"""A microjoule is 2.8e-13 kWh: so many decimals tell each whole microjoule from the next."""
KG_DECIMALS = 3
"""Kilograms to the gram."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds. Empty means that it does not apply or is not known, never 0."""

    unit: str
    meaning: str
    kind: Kind = "text"


def _kwh(meaning: str) -> Column:
    return Column("kWh", meaning, "kwh")


def _kg(meaning: str) -> Column:
    return Column("kgCO2e", meaning, "kg")


COLUMNS: Mapping[str, Column] = {
    "financial_year": Column("", "April to March, such as 2024/25"),
    "period_start_utc": Column(
        "instant, UTC", "start of the row's period: of the financial year, or of its month with --by month"
    ),
    "period_end_utc": Column("instant, UTC", "end of the row's period, not in it"),
    "organisation": Column("", "whose ICT it is"),
    "directorate": Column("", "by the register"),
    "site": Column(
        "",
        "where it stood; of homes (scope3_category 7) the site that it is registered at; empty where that is not known",
    ),
    "uprn": Column("", "unique property reference number of the site"),
    "service_category": Column("", "category of the Government's ICT return"),
    "asset_class": Column("", "class of devices"),
    "count": Column("devices", "mean number in use over the row's period", "count"),
    "measured_kwh": _kwh("energy of ICT that was measured"),
    "estimated_kwh": _kwh("energy of ICT that was estimated, by the power model or a class profile"),
    "filled_kwh": _kwh("energy that stands for half-hours without a reading"),
    "activity_kwh": _kwh("measured, estimated and filled, and what the space's PUE adds: emissions are reckoned of it"),
    "data_quality_tier": Column("", "of the larger part of the energy: measured, estimated, filled or profile"),
    "time_coverage_pct": Column(
        "%", "half-hours with a reading, of all in which the devices were in use; empty of class profiles", "percent"
    ),
    "estate_coverage_pct": Column(
        "%", "registered devices in use of the row's classes that have a figure, in the whole organisation", "percent"
    ),
    "within_corporate_inventory": Column(
        "", "whether the energy is in the council's building inventory already: yes, no, part"
    ),
    "pue_applied": Column("ratio", "PUE of the space", "ratio"),
    "pue_source": Column("", "where the PUE is from"),
    "ghg_scope": Column("", "scope of the generation: 2, or 3 of homes and landlords' supplies"),
    "scope3_category": Column(
        "", "7 of homes, 8 of landlords' supplies, else empty; the other three lines of Scope 2 rows are category 3"
    ),
    "lb_s2_gen_kgco2e": _kg("generation, location-based; Scope 2, or Scope 3 of the row's category"),
    "s3_td_kgco2e": _kg("transmission and distribution losses, Scope 3"),
    "s3_wtt_gen_kgco2e": _kg("well-to-tank of generation, Scope 3"),
    "s3_wtt_td_kgco2e": _kg("well-to-tank of the losses, Scope 3"),
    "mb_s2_kgco2e": _kg("generation, market-based: beside the location-based column, never added to it"),
    "factor_set": Column("", "the Government's set by its year"),
    "factor_version": Column("", "version on the set's front page, and whether it is provisional"),
    "factor_row_id": Column("", "rows of the Government's file, in the order of the four lines"),
    "factor_sha256": Column("", "SHA-256 of the Government's file; empty where none was read"),
    "year_rule": Column("", "which set applies to a financial year"),
    "uncertainty_pct": Column("%", "half-width of the range of the activity at 95%, the wider side", "percent"),
    "restated_from": Column("", "the report that this one replaces"),
    "method_version": Column("", "of the way from activity to emissions"),
}
