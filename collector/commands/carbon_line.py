"""`ictagent carbon line`: emissions that are not of metered electricity, by hand or from a file, with their evidence."""

import time
from decimal import Decimal
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.errors import FactorError
from carbon.other_lines import LINE_KINDS
from carbon.units import kilograms
from collector.commands.carbon_options import DOCUMENT, ORGANISATION, REASON, STATE, number
from collector.commands.common import actor, database_of, echo_csv, moment, plain_errors
from collector.documents import read_document
from collector.factors import factor_sets
from collector.other_lines import NewLine, add_lines, kept_lines, parts_of, read_lines, same_list, undo_lines, year_rule
from collector.register_queries import find_organisation
from collector.taking import Who


@click.group()
def line() -> None:
    """Diesel, refrigerants, water, waste of electrical items; and travel avoided, a memo that is never netted.

    \b
    Examples:
      ictagent carbon line add diesel --month 2025-11 --amount 400 --document delivery.pdf
      ictagent carbon line list --output csv
    """


@line.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon line add diesel --month 2025-11 --amount 400 --document delivery.pdf\n"
    '  ictagent carbon line add refrigerant_r410a --month 2026-02 --amount 1.2 --site "County Hall" --document job.pdf\n'
    "  ictagent carbon line add travel_avoided --month 2026-01 --amount 41000 --kg-per-unit 0.16 "
    '--factor-source "travel survey 2025" --document survey.pdf'
)
@click.argument("kind", type=click.Choice(list(LINE_KINDS)))
@click.option("--month", required=True, help="Of which month, such as 2025-11.")
@click.option(
    "--amount", type=number, required=True, help="How much, in the kind's unit: `carbon line kinds` tells it."
)
@click.option("--name", default="", help="What it was, in your words.")
@click.option("--site", default="", help="Where.")
@click.option("--kg-per-unit", type=number, help="A factor of your own in kgCO2e per unit, where the sets have none.")
@click.option("--factor-source", default="", help="Where that factor is from.")
@click.option("--note", default="", help="Anything else.")
@DOCUMENT
@ORGANISATION
@STATE
def add(
    kind: str,
    month: str,
    amount: Decimal,
    name: str,
    site: str,
    kg_per_unit: Decimal | None,
    factor_source: str,
    note: str,
    document: Path,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Enter one line by hand."""
    who = Who(actor(), int(time.time()))
    with database_of(state_directory) as database, plain_errors():
        new = NewLine(month, kind, amount, name, site, kg_per_unit, factor_source, note)
        evidence = read_document(document)
        with database.write() as connection:
            organisation_id, *_ = find_organisation(connection, organisation)
            entry = add_lines(connection, organisation_id, [new], evidence, who)
    _say_kept(entry, 1)


@line.command(
    "import",
    epilog="\b\nExamples:\n"
    "  ictagent carbon line import water-2025.csv --dry-run\n"
    "  ictagent carbon line import water-2025.csv --document bills.zip",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--document", type=click.Path(path_type=Path), help="The evidence of what the file says; the file itself without."
)
@click.option("--dry-run", is_flag=True, help="Read and check, and write nothing.")
@ORGANISATION
@STATE
def import_lines(
    file: Path, document: Path | None, dry_run: bool, organisation: str | None, state_directory: Path | None
) -> None:
    """Take lines over from a CSV or workbook with the columns month, kind and amount.

    A cell that cannot be taken refuses the file, and is named. The same file again changes nothing.
    """
    who = Who(actor(), int(time.time()))
    with database_of(state_directory) as database, plain_errors():
        lines = read_lines(file)
        own = read_document(file)
        evidence = own if document is None else read_document(document)
        if dry_run:
            months = sorted(one.month for one in lines)
            click.echo(f"{len(lines)} lines, {months[0]} to {months[-1]}; nothing was written (--dry-run)")
            return
        with database.write() as connection:
            organisation_id, *_ = find_organisation(connection, organisation)
            before = same_list(connection, organisation_id, own.sha256)
            if before is not None:
                click.echo(f"the same file was imported as {before}: nothing was changed", err=True)
                return
            entry = add_lines(connection, organisation_id, lines, evidence, who, own.sha256)
    _say_kept(entry, len(lines))


@line.command("list", epilog="\b\nExample:\n  ictagent carbon line list --output csv > lines.csv")
@click.option("--all", "everything", is_flag=True, help="Those that were undone too.")
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def list_lines(everything: bool, organisation: str | None, state_directory: Path | None, output: str) -> None:
    """Every line with what it emits, by which factor, and its evidence."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        rule, sets = year_rule(connection, organisation_id), factor_sets(connection)
        found = []
        for row in kept_lines(connection, organisation_id, withdrawn=everything):
            kind = LINE_KINDS[row.kind]
            told = (row.entry_id, row.month, row.kind, row.name, row.site or "", row.amount, kind.unit)
            proof = (row.document, row.document_sha256, row.actor, moment(row.added_at), row.withdrawn_reason or "")
            try:
                for one in parts_of(row, rule, sets):
                    scope = "memo" if kind.memo else one.scope
                    found.append((*told, f"{kilograms(one.grams):f}", scope, one.category, one.basis, *proof))
            except FactorError as error:
                found.append((*told, "", "", "", f"no factor: {error}", *proof))
    heads = (
        *("entry", "month", "kind", "name", "site", "amount", "unit", "kgco2e", "scope", "category", "basis"),
        *("document", "sha256", "by", "added", "undone"),
    )
    if output == "json":
        echo_json([dict(zip(heads, row, strict=True)) for row in found])
    elif output == "csv":
        echo_csv(heads, found)
    elif found:
        echo_table(heads[:12], [row[:12] for row in found])
    else:
        click.echo("there are no other lines", err=True)


@line.command(epilog="\b\nExample:\n  ictagent carbon line kinds")
@output_option()
def kinds(output: str) -> None:
    """What can be entered, in which unit, and where it counts."""
    heads = ("kind", "unit", "what", "counts as")
    rows = []
    for one in LINE_KINDS.values():
        places = one.parts or (("", one.scope, one.category),)
        words = " and ".join(f"Scope {scope}" + (f", category {cat}" if cat else "") for _, scope, cat in places)
        rows.append((one.key, one.unit, one.words, "a memo, in no total" if one.memo else words))
    if output == "json":
        echo_json([dict(zip(heads, row, strict=True)) for row in rows])
    else:
        echo_table(heads, rows)


@line.command(epilog='\b\nExample:\n  ictagent carbon line undo 3 --reason "entered twice"')
@click.argument("entry", type=int)
@REASON
@ORGANISATION
@STATE
def undo(entry: int, reason: str, organisation: str | None, state_directory: Path | None) -> None:
    """Take an entry's lines back, by its number in the list. They stay in the database, marked undone."""
    who = Who(actor(), int(time.time()))
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        undo_lines(connection, organisation_id, entry, reason, who)
    click.echo(f"{entry} is undone", err=True)


def _say_kept(entry: int, lines: int) -> None:
    click.echo(
        f"{lines} line{'s' * (lines != 1)} kept as {entry}; take them back with: ictagent carbon line undo {entry} --reason WHY",
        err=True,
    )
