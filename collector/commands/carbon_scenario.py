"""`ictagent carbon scenario`: what would be if, saved by name and laid beside the plan."""

import time
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.base_year import GRAMS_PER_TONNE
from carbon.calendar import financial_year_label
from carbon.errors import CarbonError
from carbon.pathway import SHAPES, Shape
from carbon.scenario import Chosen, Scenario
from carbon.wording import mass_words
from collector.commands.carbon_options import NUMBER, ORGANISATION, STATE
from collector.commands.carbon_pathway import body_of
from collector.commands.carbon_years import YEAR
from collector.commands.common import actor, database_of, plain_errors
from collector.errors import BadRequest
from collector.plans import Planned, planned
from collector.register_queries import find_organisation
from collector.scenarios import find_scenario, remove_scenario, save_scenario, scenarios
from collector.taking import Who

PLAN = "the plan"


@click.group()
def scenario() -> None:
    """What would be if: another target, shape, trend or set of measures, beside the plan.

    \b
    Examples:
      ictagent carbon scenario add "all measures" --measures all
      ictagent carbon scenario compare
    """


@scenario.command(
    epilog="\b\nExamples:\n"
    '  ictagent carbon scenario add "all measures" --measures all\n'
    '  ictagent carbon scenario add "five years later" --year FY2035 --tonnes 20 --shape linear\n'
    '  ictagent carbon scenario add "growth" --trend 0.05'
)
@click.argument("name")
@click.option("--shape", type=click.Choice(list(SHAPES)), help="Of the pathway; the plan's without.")
@click.option("--year", type=YEAR, help="The target's financial year; the plan's without.")
@click.option("--tonnes", type=NUMBER, help="The target in tCO2e; the plan's without.")
@click.option("--trend", type=Decimal, help="Yearly change of energy, such as -0.03; the organisation's own without.")
@click.option(
    "--measures",
    type=click.Choice(["none", "accepted", "all"]),
    default="accepted",
    show_default=True,
    help="Which are counted on.",
)
@ORGANISATION
@STATE
def add(
    name: str,
    shape: Shape | None,
    year: int | None,
    tonnes: Decimal | None,
    trend: Decimal | None,
    measures: Chosen,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Save a scenario; one of the same name is replaced."""
    grams = None if tonnes is None else int(tonnes * GRAMS_PER_TONNE)
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        try:
            body = Scenario(shape, year, grams, trend, measures)
        except CarbonError as error:
            raise BadRequest(str(error), "correct it") from error
        save_scenario(connection, organisation_id, name, body, Who(actor(), int(time.time())))
    click.echo(f"scenario {name} is saved", err=True)


@scenario.command("list", epilog="\b\nExamples:\n  ictagent carbon scenario list")
@ORGANISATION
@STATE
@output_option()
def list_(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """All scenarios with what differs from the plan."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        found = scenarios(connection, organisation_id)
    if output == "json":
        echo_json(
            [
                {"name": name, **{k: v if v is None else str(v) for k, v in asdict(one).items()}}
                for name, one in found.items()
            ]
        )
    elif found:
        echo_table(("scenario", "what differs"), [(name, _differs(one)) for name, one in found.items()])
    else:
        click.echo("there are none", err=True)


@scenario.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon scenario compare\n"
    '  ictagent carbon scenario compare "all measures" growth --output json'
)
@click.argument("names", nargs=-1)
@ORGANISATION
@STATE
@output_option()
def compare(names: tuple[str, ...], organisation: str | None, state_directory: Path | None, output: str) -> None:
    """Scenarios beside the plan: all of them, or those named."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors():
        with database.read() as connection:
            organisation_id, *_ = find_organisation(connection, organisation)
            wanted = {name: find_scenario(connection, organisation_id, name) for name in names} or scenarios(
                connection, organisation_id
            )
        found = {PLAN: planned(database, organisation_id, now)}
        found |= {name: planned(database, organisation_id, now, one) for name, one in wanted.items()}
    if output == "json":
        echo_json({name: body_of(one) for name, one in found.items()})
        return
    heads = ("scenario", "target", "with measures in that year", "missed by", "arrives", "emitted on the way")
    echo_table(heads, [(name, *_row(one)) for name, one in found.items()])


@scenario.command(epilog="\b\nExamples:\n  ictagent carbon scenario remove growth")
@click.argument("name")
@ORGANISATION
@STATE
def remove(name: str, organisation: str | None, state_directory: Path | None) -> None:
    """Take a scenario away; what it was stays in the audit log."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        remove_scenario(connection, organisation_id, name, Who(actor(), int(time.time())))
    click.echo(f"scenario {name} is gone", err=True)


def _differs(one: Scenario) -> str:
    parts = [f"measures: {one.measures}"] if one.measures != "accepted" else []
    if one.shape is not None:
        parts.append(one.shape)
    if one.target_year is not None:
        parts.append(f"by {financial_year_label(one.target_year)}")
    if one.target_g is not None:
        parts.append(f"to {mass_words(Decimal(one.target_g) / 1000)}")
    if one.trend is not None:
        parts.append(f"energy {one.trend:+.1%} a year")
    return ", ".join(parts) or "nothing"


def _row(found: Planned) -> tuple[str, ...]:
    plan = found.plan
    target = plan.target
    last = next((one for one in plan.years if one.year == target.target_year), None)
    left = None if last is None else last.residual_g
    gap = plan.gap_with_measures_g
    on_the_way = sum(one.residual_g or 0 for one in plan.years if target.base_year < one.year <= target.target_year)
    arrives = plan.arrival_with_measures
    return (
        f"{mass_words(Decimal(target.target_g) / 1000) if target.target_g else '0'} in {financial_year_label(target.target_year)}",
        "" if left is None else mass_words(Decimal(left) / 1000),
        "" if gap is None else mass_words(Decimal(gap) / 1000) if gap > 0 else "met",
        "" if arrives is None else financial_year_label(arrives),
        mass_words(Decimal(on_the_way) / 1000),
    )
