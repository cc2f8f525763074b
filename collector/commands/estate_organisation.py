"""`ictagent estate organisation`: what the organisation settles for its figures."""

import datetime
import time
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import day_bounds, local_day
from carbon.factors import YEAR_RULES
from collector.commands.common import actor, database_of, plain_errors
from collector.database.sites import POE_RULES, SCHOOLS
from collector.organisation import (
    OrganisationEdit,
    add_organisation,
    read_organisation,
    schools_at,
    set_boundary,
    set_organisation,
)
from collector.people.organisations import names_of
from collector.poe_ports import poe_rule_at, set_poe_rule


@click.command(
    epilog="\b\nExamples:\n  ictagent estate organisation\n"
    '  ictagent estate organisation --name "Example County Council" --year-rule majority\n'
    '  ictagent estate organisation --add "Example District Council"\n'
    '  ictagent estate organisation --schools out --reason "they report for themselves" --from 2026-04-01\n'
    '  ictagent estate organisation --poe-rule off --reason "most ports feed cameras"'
)
@click.option("--organisation", "which", help="Which one, where there are several; the first without.")
@click.option("--add", help="Add an organisation of this name, with the settings of the first.")
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
@click.option("--schools", type=click.Choice(SCHOOLS), help="Whether devices of schools are in the figures.")
@click.option(
    "--poe-rule",
    type=click.Choice(POE_RULES),
    help="Whether telephones and access points are counted at PoE ports, in place of their profile.",
)
@click.option("--reason", default="", help="Why, for the auditor; with --schools and --poe-rule.")
@click.option(
    "--from",
    "since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Local day from which --schools and --poe-rule hold; today without.",
)
@click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
@output_option()
def organisation(
    which: str | None,
    add: str | None,
    name: str | None,
    time_zone: str | None,
    year_rule: str | None,
    count_host_missing: bool | None,
    schools: str | None,
    poe_rule: str | None,
    reason: str,
    since: datetime.datetime | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Show, and with options set, what an organisation settles: name, local days, year rule, lone guests, schools,
    and whether devices are counted at PoE ports.

    Where there are several, the others are named.
    """
    if (schools or poe_rule) and not reason:
        raise click.UsageError(f"{'--schools' if schools else '--poe-rule'} needs its --reason: an auditor will ask")
    now = int(time.time())
    wanted = OrganisationEdit(name, time_zone, year_rule, count_host_missing)
    with database_of(state_directory) as database, plain_errors():
        if wanted != OrganisationEdit():
            with database.write() as connection:
                set_organisation(connection, wanted, actor(), now, which)
        if add is not None:
            with database.write() as connection:
                add_organisation(connection, add, actor(), now)
        with database.read() as connection:
            row = read_organisation(connection, add or name or which)
        if schools or poe_rule:
            day = since.date() if since else local_day(now - now % 1800, row.time_zone)
            begins = day_bounds(day, row.time_zone)[0]
            if begins > now:
                raise click.UsageError(f"--from {day} lies ahead")
            with database.write() as connection:
                if schools:
                    set_boundary(connection, row.id, schools, reason, begins, actor(), now)
                if poe_rule:
                    set_poe_rule(connection, row.id, poe_rule, reason, begins, actor(), now)
        with database.read() as connection:
            standing = schools_at(connection, row.id, now)
            rule = poe_rule_at(connection, row.id, now)
            others = [one for one in names_of(connection, None) if one != row.name]
    values = {
        "name": row.name,
        "time_zone": row.time_zone,
        "year_rule": row.year_rule,
        "count_host_missing": row.count_host_missing,
        "schools": standing,
        "poe_rule": rule,
        "others": others,
    }
    if output == "json":
        echo_json(values)
    else:
        rows = {name: _words(value) for name, value in values.items() if value != []}
        echo_table(("setting", "value"), list(rows.items()))
        click.echo(f"\n{row.year_rule}: {YEAR_RULES[row.year_rule]}")


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)
