"""`ictagent carbon pcf`: product carbon footprints by model, with their documents."""

import datetime
import time
from decimal import Decimal
from pathlib import Path
from typing import cast

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.embodied_sources import CATEGORY_OF_CLASS, SOURCE_KINDS, SourceKind, medians
from collector.commands.carbon_options import DAY, DOCUMENT, ORGANISATION, REASON, STATE, number
from collector.commands.common import actor, database_of, echo_csv, moment, plain_errors
from collector.documents import read_document
from collector.product_footprints import (
    NewFootprint,
    add_footprint,
    documents,
    read_footprints,
    same_footprint,
    undo_footprint,
)
from collector.register_queries import find_organisation
from collector.taking import Who


@click.group()
def pcf() -> None:
    """Documents of what making a model emits: makers' footprints, rules by parts, factors by price.

    \b
    Examples:
      ictagent carbon pcf add --vendor Dell --model "Latitude 5440" --class laptop --total 286 --use 61 \\
        --date 2024-03-01 --document latitude-5440.pdf
      ictagent carbon pcf list
    """


@pcf.command(
    epilog="\b\nExamples:\n"
    '  ictagent carbon pcf add --vendor Dell --model "Latitude 5440" --class laptop --total 286 --use 61 --transport 18 '
    "--end-of-life 2 --date 2024-03-01 --document latitude-5440.pdf\n"
    "  ictagent carbon pcf add --kind spend --class switch --total 310 --date 2025-01-31 --document reckoning.xlsx"
)
@click.option("--kind", type=click.Choice(SOURCE_KINDS), default="pcf", show_default=True, help="What the document is.")
@click.option("--vendor", default="", help="The maker, as the register has it.")
@click.option("--model", default="", help="The model, as the register has it; of spend a class will do.")
@click.option("--class", "device_class", default="", help="The class of devices.")
@click.option("--total", type=number, required=True, help="kgCO2e of one device over its whole life.")
@click.option("--use", type=number, help="Of which use, in kgCO2e; needed of a maker's footprint.")
@click.option("--transport", type=number, help="Of which transport, where it is told apart.")
@click.option("--end-of-life", type=number, help="Of which end of life, where it is told apart.")
@click.option("--date", "date", type=DAY, required=True, help="The document's date.")
@DOCUMENT
@ORGANISATION
@STATE
def add(
    kind: str,
    vendor: str,
    model: str,
    device_class: str,
    total: Decimal,
    use: Decimal | None,
    transport: Decimal | None,
    end_of_life: Decimal | None,
    date: datetime.datetime,
    document: Path,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Enter one document. Of several about a model the newest holds."""
    told = (total, use, transport, end_of_life, date.date().isoformat())
    with database_of(state_directory) as database, plain_errors():
        new = NewFootprint(cast(SourceKind, kind), vendor, model, device_class, *told)
        evidence = read_document(document)
        with database.write() as connection:
            organisation_id, *_ = find_organisation(connection, organisation)
            number_ = add_footprint(connection, organisation_id, new, evidence, Who(actor(), int(time.time())))
    click.echo(f"kept as {number_}; take it back with: ictagent carbon pcf undo {number_} --reason WHY", err=True)


@pcf.command(
    "import",
    epilog="\b\nExamples:\n"
    "  ictagent carbon pcf import models.csv --documents pcf/ --dry-run\n"
    "  ictagent carbon pcf import models.csv --documents pcf/",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--documents",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the documents are; else beside the file.",
)
@click.option("--dry-run", is_flag=True, help="Read and check, and write nothing.")
@ORGANISATION
@STATE
def import_footprints(
    file: Path, folder: Path | None, dry_run: bool, organisation: str | None, state_directory: Path | None
) -> None:
    """Take a table of models over, each row with the name of its document. What stands already is left alone."""
    who, new = Who(actor(), int(time.time())), 0
    with database_of(state_directory) as database, plain_errors():
        rows = [(one, read_document(path)) for one, path in read_footprints(file, folder or file.parent)]
        with database.write() as connection:
            organisation_id, *_ = find_organisation(connection, organisation)
            for one, document in rows:
                if not same_footprint(connection, organisation_id, one, document.sha256):
                    new += 1
                    if not dry_run:
                        add_footprint(connection, organisation_id, one, document, who)
    click.echo(f"{len(rows)} models, {new} of them new" + ("; nothing was written (--dry-run)" if dry_run else ""))


@pcf.command(
    "list",
    epilog="\b\nExamples:\n  ictagent carbon pcf list\n  ictagent carbon pcf list --all --output csv > models.csv",
)
@click.option("--all", "everything", is_flag=True, help="Those that were undone too.")
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def list_footprints(everything: bool, organisation: str | None, state_directory: Path | None, output: str) -> None:
    """Every document, and the packaged medians for classes whose products compare."""
    heads = (
        *("id", "kind", "vendor", "model", "class", "total", "use", "transport", "end of life", "date", "document"),
        *("sha256", "added", "by", "undone"),
    )
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        rows = [
            (
                *(
                    row.id,
                    row.kind,
                    row.vendor,
                    row.model,
                    row.device_class,
                    row.total_kg,
                    row.use_kg,
                    row.transport_kg,
                ),
                *(row.end_of_life_kg, row.document_date, row.document, row.document_sha256, moment(row.added_at)),
                *(row.actor, row.withdrawn_reason or ""),
            )
            for row in documents(connection, organisation_id, withdrawn=everything)
        ]
    packaged = [
        (name, one.products, f"{one.p10:f}", f"{one.median:f}", f"{one.p90:f}")
        for name, category in CATEGORY_OF_CLASS.items()
        if (one := medians().get(category)) is not None
    ]
    names = ("class", "products", "10%", "median", "90%")
    if output == "json":
        made = [dict(zip(heads, row, strict=True)) for row in rows]
        echo_json({"documents": made, "medians": [dict(zip(names, row, strict=True)) for row in packaged]})
    elif output == "csv":
        echo_csv(heads, rows)
    else:
        if rows:
            echo_table(heads[:11], [row[:11] for row in rows])
            click.echo()
        click.echo("packaged medians, kgCO2e of one device without use:")
        echo_table(names, packaged)


@pcf.command(epilog='\b\nExample:\n  ictagent carbon pcf undo 4 --reason "of another model"')
@click.argument("number_", metavar="ID", type=int)
@REASON
@ORGANISATION
@STATE
def undo(number_: int, reason: str, organisation: str | None, state_directory: Path | None) -> None:
    """Take a document back: the next best source holds."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        undo_footprint(connection, organisation_id, number_, reason, Who(actor(), int(time.time())))
    click.echo(f"{number_} is undone", err=True)
