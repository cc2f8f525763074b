"""`ictagent carbon residual`: UK residual mixes, the rung below contracts of market-based Scope 2."""

import datetime
import time
from decimal import Decimal
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from collector.commands.carbon_options import DAY, NUMBER, REASON, STATE
from collector.commands.common import actor, database_of, moment, plain_errors
from collector.documents import read_document
from collector.market_based import add_residual_mix, residual_mixes, withdraw_residual_mix
from collector.taking import Who


@click.group()
def residual() -> None:
    """UK residual mixes: what is left of the grid's electricity when all that was claimed by contract is taken off.

    \b
    Examples:
      ictagent carbon residual import residual-mix-2024.pdf --from 2024-01-01 --to 2024-12-31 --kg-per-kwh 0.35 \\
        --source "AIB, European Residual Mixes 2024, table 2"
      ictagent carbon residual list
    """


@residual.command(
    "import",
    epilog="\b\nExample:\n"
    "  ictagent carbon residual import residual-mix-2024.pdf --from 2024-01-01 --to 2024-12-31 --kg-per-kwh 0.35 "
    '--source "AIB, European Residual Mixes 2024, table 2"',
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--from", "first", type=DAY, required=True, help="First day of the mix's period.")
@click.option("--to", "last", type=DAY, required=True, help="Its last day.")
@click.option("--kg-per-kwh", type=NUMBER, required=True, help="The factor as FILE prints it, in kgCO2e per kWh.")
@click.option("--source", required=True, help="Who publishes it, and where in FILE it stands.")
@STATE
def import_mix(
    file: Path,
    first: datetime.datetime,
    last: datetime.datetime,
    kg_per_kwh: Decimal,
    source: str,
    state_directory: Path | None,
) -> None:
    """Keep a residual mix as FILE, its publication, prints it; the file's SHA-256 is kept beside it."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        period, who = (first.date(), last.date()), Who(actor(), int(time.time()))
        made = add_residual_mix(connection, period, kg_per_kwh, source, read_document(file), who)
    click.echo(f"residual mix {made}: {kg_per_kwh} kgCO2e per kWh from {first:%Y-%m-%d} to {last:%Y-%m-%d}")


@residual.command("list", epilog="\b\nExample:\n  ictagent carbon residual list --output json")
@STATE
@output_option()
def list_mixes(state_directory: Path | None, output: str) -> None:
    """Every residual mix, what was withdrawn too."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        rows = residual_mixes(connection)
    if output == "json":
        echo_json([{**row._asdict(), "added_at": moment(row.added_at)} for row in rows])
    elif not rows:
        click.echo("no residual mix: what no contract covers takes the location's factor, labelled so", err=True)
    else:
        table = [
            (
                row.id,
                f"{row.first_day} to {row.last_day}",
                row.kg_per_kwh,
                row.source,
                row.document,
                row.document_sha256[:12],
                "" if row.withdrawn_at is None else f"withdrawn: {row.withdrawn_reason}",
            )
            for row in rows
        ]
        echo_table(("id", "period", "kg/kWh", "source", "document", "SHA-256", ""), table)


@residual.command(epilog='\b\nExample:\n  ictagent carbon residual withdraw 1 --reason "a corrected mix came out"')
@click.argument("mix_id", metavar="ID", type=int)
@REASON
@STATE
def withdraw(mix_id: int, reason: str, state_directory: Path | None) -> None:
    """Let a residual mix count no longer; it stays in the list."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        withdraw_residual_mix(connection, mix_id, reason, Who(actor(), int(time.time())))
    click.echo(f"residual mix {mix_id} is withdrawn")
