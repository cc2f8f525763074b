"""`ictagent carbon indicators`: PUE, CUE, WUE and REF of ICT rooms, and what a person, a device or a unit comes to."""

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import half_hour_of, local_day
from carbon.footprint_groups import whole
from carbon.indicators import Room
from carbon.report import Report
from carbon.units import kwh_exact
from carbon.wording import figure, mass_words
from collector.commands.carbon_footprint import about
from collector.commands.carbon_options import ORGANISATION, STATE
from collector.commands.carbon_period import Months, months_of, period_options
from collector.commands.common import database_of, plain_errors
from collector.footprints import report_of
from collector.indicators import Indicators
from collector.indicators import indicators as indicators_of
from collector.register_queries import find_organisation

_DIGITS = Decimal("0.000001")


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon indicators --from FY2024\n"
    "  ictagent carbon indicators --from 2025-04 --to 2025-09 --output json"
)
@period_options
@ORGANISATION
@STATE
@output_option()
def indicators(
    first: Months | None, last: Months | None, organisation: str | None, state_directory: Path | None, output: str
) -> None:
    """Key indicators after EN 50600-4, each with what it rests on; intensities per person and device; SCI per unit.

    A PUE that was assumed says so: it is no measurement. What is not known is left empty, never 0.
    """
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors():
        with database.read() as connection:
            organisation_id, _, time_zone = find_organisation(connection, organisation)
        months = months_of(first, last, local_day(half_hour_of(now), time_zone))
        report = report_of(database, organisation_id, *months, now)
        with database.read() as connection:
            found = indicators_of(connection, organisation_id, report)
    if output == "json":
        echo_json({**about(report), "intensities": _intensities(report), **_exact(found)})
    else:
        _show(report, found)


def _intensities(report: Report) -> dict[str, str | None]:
    """Kilograms and kWh for each person and device, over the months of the report."""
    all_rows = whole(report)
    kilograms, kwh = Decimal(report.total_g) / 1000, kwh_exact(all_rows.activity_uj)
    staff = report.full_time_equivalents
    devices = Decimal(all_rows.devices.numerator) / all_rows.devices.denominator if all_rows.devices else None
    return {
        "full_time_equivalents": None if staff is None else f"{staff:f}",
        "kgco2e_per_fte": _text(kilograms / staff if staff else None),
        "kwh_per_fte": _text(kwh / staff if staff else None),
        "devices": _text(devices),
        "kgco2e_per_device": _text(Decimal(all_rows.grams.total) / 1000 / devices if devices else None),
        "kwh_per_device": _text(kwh / devices if devices else None),
    }


def _exact(found: Indicators) -> dict[str, Any]:
    return {
        "rooms": [
            {
                "site": one.site,
                "space": one.space,
                "it_kwh": f"{kwh_exact(one.it_uj):f}",
                "facility_kwh": f"{kwh_exact(one.facility_uj):f}",
                "pue": _text(one.pue),
                "pue_measured": one.measured,
                "pue_category": one.category,
                "pue_basis": one.basis,
                "cue_kgco2e_per_kwh": _text(one.cue),
                "ref": _text(one.ref),
            }
            for one in found.rooms
        ],
        "water": [
            {"site": one.site, "cubic_metres": f"{one.cubic_metres:f}", "wue_litres_per_kwh": _text(one.wue)}
            for one in found.water
        ],
        "services": [
            {
                "service_category": one.service_category or "all",
                "unit": one.unit,
                "units": f"{one.units:f}",
                "operational_kgco2e": _text(Decimal(one.operational_g) / 1000),
                "embodied_kgco2e": _text(Decimal(one.embodied_g) / 1000),
                "sci_gco2e_per_unit": _text(one.grams_per_unit),
            }
            for one in found.services
        ],
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.quantize(_DIGITS):f}"


def _show(report: Report, found: Indicators) -> None:
    click.echo(f"{report.organisation}, {report.first_month} to {report.last_month}, {report.state}")
    words = [
        (name.replace("_", " "), "not known" if value is None else figure(Decimal(value), 3))
        for name, value in _intensities(report).items()
    ]
    echo_table(("intensity", "value"), words)
    if found.rooms:
        click.echo()
        heads = ("site", "space", "ICT kWh", "PUE", "CUE kg/kWh", "REF", "PUE rests on")
        echo_table(heads, [_room(one) for one in found.rooms])
    for water in found.water:
        click.echo(f"\nWUE of {water.site}: {_short(water.wue)} litres per kWh, at most: the water is the building's")
    for one in found.services:
        each = mass_words(one.grams_per_unit / 1000)
        parts = (
            f"{mass_words(Decimal(one.operational_g) / 1000)} operation, {mass_words(Decimal(one.embodied_g) / 1000)}"
        )
        click.echo(f"\nSCI: {each} CO2e per {one.unit} ({one.service_category or 'all ICT'}: {parts} embodied)")


def _room(one: Room) -> tuple[str, ...]:
    return (
        one.site,
        one.space,
        figure(kwh_exact(one.it_uj), 3),
        _short(one.pue),
        _short(one.cue),
        _short(one.ref),
        one.basis,
    )


def _short(value: Decimal | None) -> str:
    return "-" if value is None else figure(value, 3)
