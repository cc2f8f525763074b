"""`ictagent carbon measure verify`: what measures saved in truth, 90 days after they were carried out."""

import time
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import local_day
from carbon.units import UJ_PER_KWH, kwh_exact
from carbon.wording import energy_words
from collector.commands.carbon_options import ORGANISATION, STATE
from collector.commands.common import database_of, plain_errors
from collector.measures.kept import find_measure, measures_of
from collector.measures.verify import verified
from collector.register_queries import find_organisation


@click.command(
    epilog="\b\nExamples:\n  ictagent carbon measure verify\n  ictagent carbon measure verify 4 --output json"
)
@click.argument("number", type=int, required=False)
@ORGANISATION
@STATE
@output_option()
def verify(number: int | None, organisation: str | None, state_directory: Path | None, output: str) -> None:
    """What measures that are carried out saved in truth, or why that is not known yet.

    The 90 days before against the 90 days after, working days and weekends apart, of devices that were read.
    """
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, _, time_zone = find_organisation(connection, organisation)
        today = local_day(now - now % 1800, time_zone)
        if number is None:
            kept = [one for one in measures_of(connection, organisation_id, today) if one.done_on]
        else:
            kept = [find_measure(connection, organisation_id, number, today)]
        found = [(one, verified(connection, one, time_zone, today)) for one in kept]
    if output == "json":
        echo_json(
            [
                {
                    "id": one.id,
                    "title": one.measure.title,
                    "done_on": one.done_on,
                    "expected_kwh": f"{kwh_exact(one.measure.total_uj):f}",
                    "verified_kwh": None if saving.a_year_uj is None else f"{kwh_exact(saving.a_year_uj):f}",
                    "why_not": saving.reason,
                }
                for one, saving in found
            ]
        )
    elif found:
        rows = [
            (
                one.id,
                one.measure.title,
                one.done_on,
                energy_words(one.measure.total_uj / UJ_PER_KWH),
                saving.reason if saving.a_year_uj is None else energy_words(saving.a_year_uj / UJ_PER_KWH),
            )
            for one, saving in found
        ]
        echo_table(("number", "measure", "carried out on", "was to save a year", "saves a year"), rows)
    else:
        click.echo("no measure is carried out", err=True)
