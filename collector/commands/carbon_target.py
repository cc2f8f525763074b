"""`ictagent carbon target` and `carbon offset`: where the organisation wants to be by when, and what it buys beside it."""

import time
from decimal import Decimal
from pathlib import Path

import click

from agent.commands.common import echo_json, output_option
from carbon.base_year import GRAMS_PER_TONNE
from carbon.calendar import financial_year_label
from carbon.pathway import SHAPES, Shape
from collector.commands.carbon_options import DOCUMENT, NUMBER, ORGANISATION, REASON, STATE
from collector.commands.carbon_years import YEAR
from collector.commands.common import actor, database_of, plain_errors
from collector.documents import read_document
from collector.register_queries import find_organisation
from collector.taking import Who
from collector.targets import NewTarget, add_offset, offsets_of, set_target, target_of, withdraw_offset


def _grams(tonnes: Decimal, name: str) -> int:
    grams = tonnes * GRAMS_PER_TONNE
    if grams != grams.to_integral_value():
        raise click.BadParameter(f"{tonnes} tonnes are no whole grams", param_hint=name)
    return int(grams)


@click.group()
def target() -> None:
    """The target: tCO2e at most from a financial year on, and the shape of the way there from the base year.

    \b
    Examples:
      ictagent carbon target set FY2030 0 --reason "council decision of 2019"
      ictagent carbon target show
    """


@target.command(
    "set",
    epilog="\b\nExamples:\n"
    '  ictagent carbon target set FY2030 20 --reason "net zero: 95% less, the rest removed"\n'
    '  ictagent carbon target set FY2030 20 --shape constant_rate --reason "as the council\'s plan"\n'
    '  ictagent carbon target set FY2030 20 --shape budget --budget 900 --reason "carbon budget 2026"',
)
@click.argument("year", type=YEAR)
@click.argument("tonnes", type=NUMBER)
@click.option("--shape", type=click.Choice(list(SHAPES)), default="linear", show_default=True, help="Of the pathway.")
@click.option("--rate", type=NUMBER, help="Of contraction or constant rate, a year: 0.042 is 4.2%.")
@click.option("--budget", type=NUMBER, help="Of a budget: tCO2e of all years after the base year together.")
@REASON
@ORGANISATION
@STATE
def set_(
    year: int,
    tonnes: Decimal,
    shape: Shape,
    rate: Decimal | None,
    budget: Decimal | None,
    reason: str,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Set the target, against the base year that holds. The one before stays in the record."""
    new = NewTarget(year, _grams(tonnes, "TONNES"), shape, rate, None if budget is None else _grams(budget, "--budget"))
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        set_target(connection, organisation_id, new, reason, Who(actor(), int(time.time())))
    click.echo(f"target: {tonnes} tCO2e from {financial_year_label(year)} on, {shape}", err=True)


@target.command(epilog="\b\nExamples:\n  ictagent carbon target show\n  ictagent carbon target show --output json")
@ORGANISATION
@STATE
@output_option()
def show(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """The target that holds, its base year, and offsets."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, name, _ = find_organisation(connection, organisation)
        found, shape = target_of(connection, organisation_id)
        offsets = offsets_of(connection, organisation_id)
    if output == "json":
        echo_json(
            {
                "organisation": name,
                "base_year": found.base_year,
                "base_g": found.base_g,
                "target_year": found.target_year,
                "target_g": found.target_g,
                "shape": shape,
                "rate": None if found.rate is None else str(found.rate),
                "budget_g": found.budget_g,
                "offsets_g": offsets,
            }
        )
        return
    click.echo(f"{name}: from {_tonnes(found.base_g)} in {financial_year_label(found.base_year)}")
    click.echo(f"to {_tonnes(found.target_g)} from {financial_year_label(found.target_year)} on: {SHAPES[shape]}")
    for year, grams in sorted(offsets.items()):
        click.echo(f"offsets for {financial_year_label(year)}: {_tonnes(grams)}, taken off nothing")


def _tonnes(grams: int) -> str:
    return f"{Decimal(grams) / GRAMS_PER_TONNE:f} tCO2e"


@click.group()
def offset() -> None:
    """Offsets bought for a financial year: they stand beside the footprint and are taken off nothing.

    \b
    Examples:
      ictagent carbon offset add FY2030 12 --standard "Woodland Carbon Code" --document certificate.pdf
      ictagent carbon offset withdraw 3 --reason "retired twice"
    """


@offset.command(
    epilog="\b\nExamples:\n"
    '  ictagent carbon offset add FY2030 12 --standard "Woodland Carbon Code" --document certificate.pdf'
)
@click.argument("year", type=YEAR)
@click.argument("tonnes", type=NUMBER)
@click.option("--standard", required=True, help="By which standard it was certified.")
@DOCUMENT
@ORGANISATION
@STATE
def add(
    year: int,
    tonnes: Decimal,
    standard: str,
    document: Path,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Keep an offset with its certificate."""
    with database_of(state_directory) as database, plain_errors():
        evidence = read_document(document)
        with database.write() as connection:
            organisation_id, *_ = find_organisation(connection, organisation)
            who = Who(actor(), int(time.time()))
            number = add_offset(connection, organisation_id, year, _grams(tonnes, "TONNES"), standard, evidence, who)
    click.echo(f"offset {number}: {tonnes} tCO2e for {financial_year_label(year)}", err=True)


@offset.command(epilog='\b\nExamples:\n  ictagent carbon offset withdraw 3 --reason "retired twice"')
@click.argument("number", type=int)
@REASON
@ORGANISATION
@STATE
def withdraw(number: int, reason: str, organisation: str | None, state_directory: Path | None) -> None:
    """Let an offset count no longer."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        withdraw_offset(connection, organisation_id, number, reason, Who(actor(), int(time.time())))
    click.echo(f"offset {number} counts no longer", err=True)
