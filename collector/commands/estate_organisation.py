"""`ictagent estate organisation`: what the organisation settles for its figures."""

import time
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.factors import YEAR_RULES
from collector.commands.common import actor, database_of, plain_errors
from collector.organisation import OrganisationEdit, read_organisation, set_organisation


@click.command(
    epilog="\b\nExamples:\n  ictagent estate organisation\n"
    '  ictagent estate organisation --name "Example County Council" --year-rule majority'
)
@click.option("--name", help="The organisation's name, as reports show it.")
@click.option(
    "--time-zone", help="Whose days and months count, such as Europe/London; until the first half-hour is written."
)
@click.option(
    "--year-rule",
    type=click.Choice(list(YEAR_RULES)),
    help="Which factor set applies; until the first half-hour is written.",
)
@click.option(
    "--count-host-missing/--leave-host-missing",
    default=None,
    help="Whether virtual machines whose host is not known enter the totals.",
)
@click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
@output_option()
def organisation(
    name: str | None,
    time_zone: str | None,
    year_rule: str | None,
    count_host_missing: bool | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Show, and with options set, what the organisation settles: name, local days, year rule, lone guests."""
    wanted = OrganisationEdit(name, time_zone, year_rule, count_host_missing)
    with database_of(state_directory) as database, plain_errors():
        if wanted != OrganisationEdit():
            with database.write() as connection:
                set_organisation(connection, wanted, actor(), int(time.time()))
        with database.read() as connection:
            row = read_organisation(connection)
    values = {
        "name": row.name,
        "time_zone": row.time_zone,
        "year_rule": row.year_rule,
        "count_host_missing": row.count_host_missing,
    }
    if output == "json":
        echo_json(values)
    else:
        echo_table(("setting", "value"), list(values.items()))
        click.echo(f"\n{row.year_rule}: {YEAR_RULES[row.year_rule]}")
