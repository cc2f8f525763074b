"""`ictagent carbon measure find`: let the rules look for what could save energy in the data of the last weeks."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from agent.commands.common import echo_json, echo_table, output_option
from carbon.measures.measure import Measure
from carbon.units import UJ_PER_KWH, kwh_exact
from carbon.wording import energy_words
from collector.commands.carbon_options import ORGANISATION, STATE
from collector.commands.common import actor, database_of, plain_errors
from collector.measures.finding import RULES, find_measures
from collector.measures.kept import exclusions, is_excluded, keep_found
from collector.register_queries import find_organisation
from collector.taking import Who


@click.command(
    epilog="\b\nExamples:\n  ictagent carbon measure find --dry-run\n  ictagent carbon measure find --rule out_of_hours"
)
@click.option(
    "--rule", "rules", type=click.Choice(list(RULES)), multiple=True, help="This rule alone; may be repeated."
)
@click.option("--dry-run", is_flag=True, help="Show what is found, keep nothing.")
@ORGANISATION
@STATE
@output_option()
def find(
    rules: tuple[str, ...], dry_run: bool, organisation: str | None, state_directory: Path | None, output: str
) -> None:
    """Find measures in the data up to yesterday, and keep them.

    One that is known already gets the new figures; what was decided about it stays. What rules leave out is not kept.
    """
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors():
        with database.read() as connection:
            organisation_id, _, time_zone = find_organisation(connection, organisation)
            found = find_measures(connection, organisation_id, time_zone, now, rules)
            found = _not_excluded(connection, organisation_id, found)
        new = known = 0
        if not dry_run:
            everything = [one for measures in found.values() for one in measures]
            with database.write() as connection:
                new, known = keep_found(connection, organisation_id, everything, Who(actor(), now))
    if output == "json":
        bodies = [_body(one) for measures in found.values() for one in measures]
        echo_json({"found": bodies, "new": new, "known": known, "dry_run": dry_run})
        return
    rows = [(one.rule, one.title, _saved(one), one.confidence) for measures in found.values() for one in measures]
    if rows:
        echo_table(("rule", "measure", "saves a year", "confidence"), rows)
    for name, measures in found.items():
        if not measures:
            click.echo(f"{name}: nothing found in {RULES[name].days} days", err=True)
    click.echo("nothing was kept" if dry_run else f"{new} are new, {known} were known", err=True)


def _not_excluded(
    connection: Connection, organisation_id: int, found: Mapping[str, Sequence[Measure]]
) -> dict[str, list[Measure]]:
    left_out = exclusions(connection, organisation_id)
    return {name: [one for one in measures if not is_excluded(one, left_out)] for name, measures in found.items()}


def _saved(one: Measure) -> str:
    return energy_words(one.total_uj / UJ_PER_KWH)


def _body(one: Measure) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "title": one.title,
        "saved_kwh": f"{kwh_exact(one.total_uj):f}",
        "confidence": one.confidence,
        "why": one.why,
        "devices": sorted(one.saved_uj),
    }
