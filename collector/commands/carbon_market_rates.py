"""`ictagent carbon contract rates`: the market-based factor of each site and month, with the rungs it rests on."""

import time
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import local_day
from carbon.market import RUNGS
from carbon.units import kwh_exact
from carbon.wording import figure
from collector.commands.carbon_options import ORGANISATION, STATE
from collector.commands.carbon_period import Months, financial_year_of, months_of, period_options
from collector.commands.common import database_of, echo_csv, plain_errors
from collector.market_based import bought, location_of, market_based_of
from collector.register_queries import find_organisation


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon contract rates --from FY2025\n"
    "  ictagent carbon contract rates --from 2025-04 --to 2025-09 --output csv > market-based.csv"
)
@period_options
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def rates(
    first: Months | None,
    last: Months | None,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """What a kilowatt-hour is by contract, by site and month, and how the ICT's kilowatt-hours lie on the rungs.

    Certificates are matched over their year, so all its months are read. Homes and sites on their landlord's supply have
    no contract of ours.
    """
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, _, time_zone = find_organisation(connection, organisation)
        first_month, last_month = months_of(first, last, local_day(now - now % 1800, time_zone))
        years = f"{financial_year_of(first_month)}-04", f"{financial_year_of(last_month) + 1}-03"
        use = bought(connection, organisation_id, *years, now)
        found = market_based_of(connection, organisation_id, use, location_of(connection, organisation_id))
    wanted = [one for (_, month), one in found.items() if first_month <= month <= last_month]
    cells = [
        (
            one.site,
            one.month,
            f"{kwh_exact(one.energy_uj):f}",
            f"{one.kg_per_kwh:f}",
            part.rung,
            f"{float(part.share):.6f}",
            f"{kwh_exact(part.energy_uj):f}",
            f"{part.kg_per_kwh:f}",
            part.evidence_id,
            part.label,
        )
        for one in wanted
        for part in one.parts
    ]
    heads = ("site", "month", "kwh", "kg_per_kwh", "rung", "share", "rung_kwh", "rung_kg_per_kwh", "evidence", "label")
    if output == "json":
        echo_json([dict(zip(heads, row, strict=True)) for row in cells])
    elif output == "csv":
        echo_csv(heads, cells)
    elif not wanted:
        click.echo("nothing is known of that time", err=True)
    else:
        table = [
            (one.site or "-", one.month, figure(kwh_exact(one.energy_uj), 3), figure(one.kg_per_kwh, 4), one.evidence)
            for one in wanted
        ]
        echo_table(("site", "month", "ICT kWh", "kg/kWh", "by"), table)
        if any(part.rung == "location" for one in wanted for part in one.parts):
            click.echo(f"where a site has no evidence: {RUNGS['location']}", err=True)
