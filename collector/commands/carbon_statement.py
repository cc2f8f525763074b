"""`ictagent carbon statement`: what providers say that their services emit."""

import datetime
import time
from decimal import Decimal
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.report import OtherLine
from carbon.units import kilograms
from collector.commands.carbon_options import ORGANISATION, REASON, STATE, number
from collector.commands.carbon_period import Months, months_of, period_options
from collector.commands.common import actor, database_of, echo_csv, moment, plain_errors
from collector.documents import read_document
from collector.register_queries import find_organisation
from collector.service_lines import service_lines
from collector.services import find_service
from collector.statements.kept import Factor, add_statement, same_statement, statements, undo_statement
from collector.statements.layouts import LAYOUTS, read_statement
from collector.taking import Who


@click.group()
def statement() -> None:
    """Providers' statements, with their own scopes, basis and method: Scope 3, never mixed with our factors.

    \b
    Examples:
      ictagent carbon statement import azure.csv --provider microsoft --service Azure
      ictagent carbon statement show --from FY2025
    """


@statement.command(
    "import",
    epilog="\b\nExamples:\n"
    "  ictagent carbon statement import azure.csv --provider microsoft --service Azure --dry-run\n"
    "  ictagent carbon statement import aws.csv --provider aws --service Websites --account 111122223333\n"
    '  ictagent carbon statement import hall.xlsx --provider colocation --service "Hall B"\n'
    "  ictagent carbon statement import paid.csv --provider spend --service Payroll --kg-per-pound 0.21 \\\n"
    '    --factor-source "Defra supply chain factors 2022, computer services"',
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--provider", "layout", type=click.Choice(list(LAYOUTS)), required=True, help="The layout of the file.")
@click.option("--service", "name", required=True, help="Of which service in the list.")
@click.option(
    "--account", "accounts", multiple=True, help="Take this account, subscription or project alone; may be given again."
)
@click.option("--kg-per-pound", type=number, help="Of spend: kgCO2e per pound.")
@click.option("--factor-source", default="", help="Of spend: where that factor is from, and for which prices.")
@click.option("--dry-run", is_flag=True, help="Read and check, and write nothing.")
@ORGANISATION
@STATE
@output_option()
def import_statement(
    file: Path,
    layout: str,
    name: str,
    accounts: tuple[str, ...],
    kg_per_pound: Decimal | None,
    factor_source: str,
    dry_run: bool,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Take a statement over. A later one takes the place of an earlier one for the days of which both tell.

    A cell that cannot be taken refuses the file, and is named. The same file again changes nothing.
    """
    if (kg_per_pound is None) == bool(factor_source):
        raise click.UsageError("--kg-per-pound and --factor-source belong together")
    factor = None if kg_per_pound is None else Factor(kg_per_pound, factor_source)
    with database_of(state_directory) as database, plain_errors():
        read = read_statement(file, layout, accounts)
        document = read_document(file)
        with database.write() as connection:
            organisation_id, *_ = find_organisation(connection, organisation)
            service = find_service(connection, organisation_id, name)
            before = same_statement(connection, service.id, read, document, factor)
            number_ = before
            if before is None and not dry_run:
                number_ = add_statement(connection, service, read, document, Who(actor(), int(time.time())), factor)
    months = sorted({one.month for one in read.figures})
    if output == "json":
        told = {"id": number_, "same": before is not None, "dry_run": dry_run, "method": read.method, "months": months}
        echo_json({**told, "figures": len(read.figures), "figures_of_others": read.figures_of_others})
        return
    click.echo(
        f"{len(read.figures)} figures of {name}, {months[0]} to {months[-1]}; method: {read.method or 'none told'}"
    )
    if read.figures_of_others:
        click.echo(f"{read.figures_of_others} figures of other accounts are left out")
    if before is not None:
        click.echo(f"the same file was imported as {before}: nothing was changed", err=True)
    elif dry_run:
        click.echo("nothing was written (--dry-run)", err=True)
    else:
        again = f"ictagent carbon statement undo {number_} --reason WHY"
        click.echo(f"kept as {number_}; take it back with: {again}", err=True)


@statement.command("list", epilog="\b\nExample:\n  ictagent carbon statement list")
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def list_statements(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """Every file that was taken over, those that were undone too."""
    heads = ("id", "service", "layout", "method", "document", "sha256", "added", "by", "undone")
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        rows = [
            (
                *(row.id, row.service, row.layout, row.method, row.document, row.document_sha256),
                *(moment(row.added_at), row.actor, row.withdrawn_reason or ""),
            )
            for row in statements(connection, organisation_id)
        ]
    if output == "json":
        echo_json([dict(zip(heads, row, strict=True)) for row in rows])
    elif output == "csv":
        echo_csv(heads, rows)
    elif rows:
        echo_table(heads, [(*row[:5], f"{row[5][:12]}...", *row[6:]) for row in rows])
    else:
        click.echo("no statements were imported", err=True)


@statement.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon statement show --from FY2025\n"
    "  ictagent carbon statement show --from 2025-04 --to 2025-06 --output csv > cloud.csv"
)
@period_options
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def show(
    first: Months | None, last: Months | None, organisation: str | None, state_directory: Path | None, output: str
) -> None:
    """Emissions by the statements that hold, and every service and time without one."""
    heads = ("month", "service", "name", "category", "amount", "unit", "kgco2e", "memo", "basis", "document", "sha256")
    months = months_of(first, last, datetime.datetime.now(datetime.UTC).date())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        found = service_lines(connection, organisation_id, *months)
    rows = [_row(one) for one in sorted(found.lines, key=lambda one: (one.service, one.month))]
    if output == "json":
        lines = [dict(zip(heads, row, strict=True)) for row in rows]
        echo_json(
            {
                "from": months[0],
                "to": months[1],
                "lines": lines,
                "not_reported": found.not_reported,
                "twice": found.twice,
            }
        )
        return
    if output == "csv":
        echo_csv(heads, rows)
    elif rows:
        echo_table(heads[:9], [row[:9] for row in rows])
        total = sum(one.grams for one in found.lines if not one.memo)
        click.echo(f"\nin all {kilograms(total):,f} kgCO2e, without memos")
    for one in found.not_reported:
        click.echo(f"not reported: {one}", err=True)
    for one in found.twice:
        click.echo(one, err=True)
    if not rows and not found.not_reported:
        click.echo("no services are in the list for these months", err=True)


def _row(one: OtherLine) -> tuple[str, ...]:
    told = (one.month, one.service, one.name, one.scope_3_category, f"{one.amount:f}", one.unit)
    memo = "memo" if one.memo else ""
    return (*told, f"{kilograms(one.grams):f}", memo, one.basis, one.evidence, one.evidence_sha256)


@statement.command(epilog='\b\nExample:\n  ictagent carbon statement undo 3 --reason "the draft"')
@click.argument("statement_id", metavar="ID", type=int)
@REASON
@ORGANISATION
@STATE
def undo(statement_id: int, reason: str, organisation: str | None, state_directory: Path | None) -> None:
    """Take a statement back: what it took the place of holds again. It stays in the list."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        undo_statement(connection, organisation_id, statement_id, reason, Who(actor(), int(time.time())))
    click.echo(f"{statement_id} is undone", err=True)
