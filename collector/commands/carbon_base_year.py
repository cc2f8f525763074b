"""`ictagent carbon base-year`: the value against which a target is told, and whether it must be recalculated."""

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.base_year import GRAMS_PER_TONNE, THRESHOLD, BaseYear
from carbon.calendar import financial_year_label
from carbon.errors import CarbonError
from collector.base_years import KeptBaseYear, base_year_of, base_years, set_base_year
from collector.commands.carbon_options import DOCUMENT, NUMBER, ORGANISATION, STATE
from collector.commands.carbon_years import YEAR
from collector.commands.common import actor, database_of, moment, plain_errors
from collector.documents import read_document
from collector.errors import BadRequest
from collector.register_queries import find_organisation
from collector.taking import Who


@click.group("base-year")
def base_year() -> None:
    """The base year: its emissions in tCO2e by your word, with method, evidence, and the threshold of recalculation.

    \b
    Examples:
      ictagent carbon base-year set FY2018 412.5 --method "bills of the data rooms" --document baseline.pdf
      ictagent carbon base-year show
    """


@base_year.command(
    "set",
    epilog="\b\nExamples:\n"
    '  ictagent carbon base-year set FY2018 412.5 --method "bills of the data rooms" --document baseline.pdf\n'
    '  ictagent carbon base-year set FY2010 1900 --method "council baseline, ICT share 12%" --document 2010.pdf '
    '--reason "the target is against 2010/11"',
)
@click.argument("year", type=YEAR)
@click.argument("tonnes", type=NUMBER)
@click.option("--method", required=True, help="What was counted, and how.")
@click.option(
    "--threshold",
    type=NUMBER,
    default=THRESHOLD,
    show_default=True,
    help="From which part of it on a change of counting calls for a recalculation.",
)
@click.option("--reason", default="", help="Why it is another than before; needed where one holds.")
@DOCUMENT
@ORGANISATION
@STATE
def set_year(
    year: int,
    tonnes: Decimal,
    method: str,
    threshold: Decimal,
    reason: str,
    document: Path,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Enter a base year: tCO2e, with evidence. Years before the first factor set are entered in the same way."""
    who = Who(actor(), int(time.time()))
    grams = tonnes * GRAMS_PER_TONNE
    if grams != grams.to_integral_value():
        raise click.BadParameter(f"{tonnes} tonnes are no whole grams", param_hint="TONNES")
    with database_of(state_directory) as database, plain_errors():
        evidence = read_document(document)
        try:
            base = BaseYear(year, int(grams), method, threshold)
        except CarbonError as error:
            raise BadRequest(str(error), "correct it") from error
        with database.write() as connection:
            organisation_id, *_ = find_organisation(connection, organisation)
            set_base_year(connection, organisation_id, base, reason, evidence, who)
    click.echo(f"base year {financial_year_label(year)}: {tonnes} tCO2e", err=True)


@base_year.command(epilog="\b\nExamples:\n  ictagent carbon base-year show\n  ictagent carbon base-year show --all")
@click.option("--all", "everything", is_flag=True, help="Those before it too.")
@ORGANISATION
@STATE
@output_option()
def show(everything: bool, organisation: str | None, state_directory: Path | None, output: str) -> None:
    """The base year that holds, with its evidence."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        rows = base_years(connection, organisation_id) if everything else [base_year_of(connection, organisation_id)]
    if output == "json":
        echo_json([_values(one) for one in rows])
        return
    for number, one in enumerate(rows):
        if number:
            click.echo()
        echo_table(("base year", financial_year_label(one.base.year)), list(_values(one).items())[1:])


def _values(one: KeptBaseYear) -> dict[str, Any]:
    base = one.base
    return {
        "financial_year": financial_year_label(base.year),
        "tco2e": f"{Decimal(base.value_g) / GRAMS_PER_TONNE:f}",
        "method": base.method,
        "recalculation_threshold": f"{base.threshold:f}",
        "reason": one.reason,
        "document": one.document.name,
        "document_sha256": one.document.sha256,
        "added": moment(one.added_at),
        "by": one.actor,
    }
