"""`ictagent carbon measure exclude`, `include` and `exclusions`: what rules never propose."""

from pathlib import Path

import click
from sqlalchemy import Connection

from agent.commands.common import echo_json, echo_table, output_option
from collector.commands.carbon_options import ORGANISATION, REASON, STATE
from collector.commands.common import database_of, plain_errors
from collector.commands.measure_edit import edit, who
from collector.measures.kept import exclude, exclusions, include
from collector.register_queries import find_organisation


@click.command(
    "exclude",
    epilog="\b\nExamples:\n"
    '  ictagent carbon measure exclude out_of_hours --device 3f2a --reason "council chamber, evening meetings"\n'
    '  ictagent carbon measure exclude poe_out_of_hours --reason "door controllers everywhere"',
)
@click.argument("rule")
@click.option("--device", default="", help="The device, by its id; everything without.")
@REASON
@ORGANISATION
@STATE
def exclude_(rule: str, device: str, reason: str, organisation: str | None, state_directory: Path | None) -> None:
    """Let a rule never propose a device, or anything, again."""

    def change(connection: Connection, organisation_id: int) -> None:
        exclude(connection, organisation_id, rule, device, reason, who())

    edit(organisation, state_directory, change, f"{rule} leaves {device or 'everything'} out")


@click.command(
    "include", epilog='\b\nExamples:\n  ictagent carbon measure include 2 --reason "the chamber has a timer now"'
)
@click.argument("number", type=int)
@REASON
@ORGANISATION
@STATE
def include_(number: int, reason: str, organisation: str | None, state_directory: Path | None) -> None:
    """Take an exclusion back, by its number in `exclusions`."""

    def change(connection: Connection, organisation_id: int) -> None:
        include(connection, organisation_id, number, reason, who())

    edit(organisation, state_directory, change, f"exclusion {number} is taken back")


@click.command("exclusions", epilog="\b\nExamples:\n  ictagent carbon measure exclusions")
@ORGANISATION
@STATE
@output_option()
def exclusions_(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """What rules leave out."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        found = exclusions(connection, organisation_id)
    rows = [(row.id, row.rule, row.device_id or "everything", row.reason) for row in found.values()]
    if output == "json":
        echo_json([dict(zip(("id", "rule", "device", "reason"), row, strict=True)) for row in rows])
    else:
        echo_table(("number", "rule", "device", "reason"), rows)
