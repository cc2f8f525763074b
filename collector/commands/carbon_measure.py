"""`ictagent carbon measure`: what could save energy, who sees to it, what was decided, and what it came to."""

import datetime
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import local_day
from carbon.units import UJ_PER_KWH
from carbon.wording import energy_words
from collector.commands.carbon_measure_exclude import exclude_, exclusions_, include_
from collector.commands.carbon_measure_find import find
from collector.commands.carbon_measure_verify import verify
from collector.commands.carbon_options import DAY, NUMBER, ORGANISATION, REASON, STATE
from collector.commands.common import database_of, echo_csv, plain_errors
from collector.commands.measure_edit import edit, who
from collector.commands.measure_worth import WORTH_HEADS, WORTH_NAMES, worth_body, worth_cells, worth_lines
from collector.measures.kept import (
    KeptMeasure,
    add_measure,
    by_hand,
    find_measure,
    measures_of,
    set_done,
    set_owner,
    set_state,
)
from collector.measures.worth import rates_of, worth_of
from collector.power_view import device_names
from collector.register_queries import find_organisation

_NUMBER = click.argument("number", type=int)


@click.group()
def measure() -> None:
    """Measures on the way to the target: found in the data or entered by hand.

    \b
    Examples:
      ictagent carbon measure find
      ictagent carbon measure list
      ictagent carbon measure accept 4
      ictagent carbon measure dismiss 5 --reason "it is the fire brigade's standby" --until 2027-03-31
    """


for command in (find, verify, exclude_, include_, exclusions_):
    measure.add_command(command)
_PRICE = click.option("--pence-per-kwh", type=NUMBER, help="The contract's price of electricity; no pounds without.")
_YEARS = click.option(
    "--years", type=click.IntRange(1, 60), default=5, show_default=True, help="Over which the cost of a tonne is told."
)


@measure.command(
    "list",
    epilog="\b\nExamples:\n  ictagent carbon measure list --pence-per-kwh 27.4\n"
    "  ictagent carbon measure list --state accepted --output csv",
)
@click.option("--state", type=click.Choice(["open", "accepted", "dismissed"]), help="Of this state alone.")
@_PRICE
@_YEARS
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def list_(
    state: str | None,
    pence_per_kwh: Decimal | None,
    years: int,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Measures, accepted ones first, then by what they save a year.

    Carbon stands in two columns that are never added: by the grid average the footprint falls, by the long-run marginal
    the saving is appraised.
    """
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, _, time_zone = find_organisation(connection, organisation)
        today = _today(time_zone)
        kept = [one for one in measures_of(connection, organisation_id, today) if state in (None, one.state)]
        rates = rates_of(connection, organisation_id, today)
    worths = [worth_of(one.measure, rates, pence_per_kwh, years) for one in kept]
    bodies = [_body(one) | worth_body(worth) for one, worth in zip(kept, worths, strict=True)]
    if output == "json":
        echo_json(bodies)
    elif output == "csv":
        names = [name for name in _body_names() if name != "devices"]
        echo_csv(names, [[body[name] for name in names] for body in bodies])
    elif kept:
        rows = [
            (one.id, one.measure.title, _saved(one), *worth_cells(worth), one.measure.confidence, one.state, one.owner)
            for one, worth in zip(kept, worths, strict=True)
        ]
        echo_table(("number", "measure", "saves a year", *WORTH_HEADS, "confidence", "state", "owner"), rows)
    else:
        click.echo("there are none", err=True)


@measure.command(epilog="\b\nExamples:\n  ictagent carbon measure show 4")
@_NUMBER
@_PRICE
@_YEARS
@ORGANISATION
@STATE
@output_option()
def show(
    number: int,
    pence_per_kwh: Decimal | None,
    years: int,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """One measure: why, of which devices, what it is worth, what was decided."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, _, time_zone = find_organisation(connection, organisation)
        kept = find_measure(connection, organisation_id, number, _today(time_zone))
        names = device_names(connection, kept.measure.saved_uj)
        rates = rates_of(connection, organisation_id, _today(time_zone))
    worth = worth_of(kept.measure, rates, pence_per_kwh, years)
    if output == "json":
        labels = {"footprint_factor": rates.footprint_label, "appraisal_factor": rates.appraisal_label}
        echo_json(_body(kept) | worth_body(worth) | labels)
        return
    click.echo(f"{kept.measure.title} (measure {kept.id}, {kept.state}{f' until {kept.until}' if kept.until else ''})")
    click.echo(f"why: {kept.measure.why or 'entered by hand'}; confidence {kept.measure.confidence}")
    for what, words in (("reason", kept.reason), ("owner", kept.owner), ("carried out on", kept.done_on)):
        if words:
            click.echo(f"{what}: {words}")
    for line in worth_lines(worth, rates, years):
        click.echo(line)
    rows = [
        (names.get(device, device), energy_words(saved / UJ_PER_KWH)) for device, saved in kept.measure.saved_uj.items()
    ]
    echo_table(("device", "saves a year"), rows)


@measure.command(
    epilog="\b\nExamples:\n"
    '  ictagent carbon measure add "close the second data room" --kwh 42000 --confidence medium --owner facilities\n'
    '  ictagent carbon measure add "newer hosts" --kwh 9000 --device 3f2a --cost 12000 --embodied-kg 2400'
)
@click.argument("title")
@click.option("--kwh", type=NUMBER, required=True, help="What it saves a year.")
@click.option("--device", "devices", multiple=True, help="Of which device, by its id; may be given again.")
@click.option(
    "--confidence", type=click.Choice(["high", "medium", "low"]), default="low", show_default=True, help="How sure."
)
@click.option("--why", default="", help="What it rests on.")
@click.option("--owner", default="", help="Who sees to it.")
@click.option("--cost", type=NUMBER, help="What it costs once, in pounds.")
@click.option("--embodied-kg", type=NUMBER, default=Decimal(0), help="What new equipment for it holds, in kgCO2e.")
@ORGANISATION
@STATE
def add(
    title: str,
    kwh: Decimal,
    devices: tuple[str, ...],
    confidence: str,
    why: str,
    owner: str,
    cost: Decimal | None,
    embodied_kg: Decimal,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Enter a measure by hand."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        pence = None if cost is None else int((cost * 100).to_integral_value())
        new = by_hand(title, int(kwh * UJ_PER_KWH), devices, confidence, why, int(embodied_kg * 1000), pence)
        organisation_id, *_ = find_organisation(connection, organisation)
        number = add_measure(connection, organisation_id, new, owner, who())
    click.echo(f"measure {number}: {title}", err=True)


@measure.command(epilog="\b\nExamples:\n  ictagent carbon measure accept 4")
@_NUMBER
@ORGANISATION
@STATE
def accept(number: int, organisation: str | None, state_directory: Path | None) -> None:
    """Count on a measure in the plan."""

    def change(connection: Connection, organisation_id: int) -> None:
        set_state(connection, organisation_id, number, "accepted", who())

    edit(organisation, state_directory, change, f"measure {number} is accepted")


@measure.command(
    epilog='\b\nExamples:\n  ictagent carbon measure dismiss 5 --reason "standby of the fire brigade" --until 2027-03-31'
)
@_NUMBER
@REASON
@click.option("--until", type=DAY, help="Until which day; for always without.")
@ORGANISATION
@STATE
def dismiss(
    number: int,
    reason: str,
    until: datetime.datetime | None,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Decide against a measure; after its day it is open again."""
    day = until.date().isoformat() if until else ""

    def change(connection: Connection, organisation_id: int) -> None:
        set_state(connection, organisation_id, number, "dismissed", who(), reason, day)

    edit(organisation, state_directory, change, f"measure {number} is dismissed{f' until {day}' if day else ''}")


@measure.command("open", epilog="\b\nExamples:\n  ictagent carbon measure open 5")
@_NUMBER
@ORGANISATION
@STATE
def reopen(number: int, organisation: str | None, state_directory: Path | None) -> None:
    """Take acceptance or dismissal back."""

    def change(connection: Connection, organisation_id: int) -> None:
        set_state(connection, organisation_id, number, "open", who())

    edit(organisation, state_directory, change, f"measure {number} is open")


@measure.command(epilog='\b\nExamples:\n  ictagent carbon measure owner 4 "facilities"')
@_NUMBER
@click.argument("owner")
@ORGANISATION
@STATE
def owner(number: int, owner: str, organisation: str | None, state_directory: Path | None) -> None:
    """Say who sees to a measure."""

    def change(connection: Connection, organisation_id: int) -> None:
        set_owner(connection, organisation_id, number, owner, who())

    edit(organisation, state_directory, change, f"measure {number}: {owner}")


@measure.command(
    epilog="\b\nExamples:\n  ictagent carbon measure done 4 --on 2026-09-01\n  ictagent carbon measure done 4 --undo"
)
@_NUMBER
@click.option("--on", "day", type=DAY, help="From which day on it is carried out; today without.")
@click.option("--undo", is_flag=True, help="It was not carried out after all.")
@ORGANISATION
@STATE
def done(
    number: int,
    day: datetime.datetime | None,
    undo: bool,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Say that a measure is carried out: 90 days later its saving is verified."""

    def change(connection: Connection, organisation_id: int) -> None:
        _, _, time_zone = find_organisation(connection, organisation)
        on = None if undo else day.date() if day else _today(time_zone)
        set_done(connection, organisation_id, number, on, who())

    edit(organisation, state_directory, change, f"measure {number} is {'not ' if undo else ''}carried out")


def _today(time_zone: str) -> datetime.date:
    now = int(time.time())
    return local_day(now - now % 1800, time_zone)


def _saved(kept: KeptMeasure) -> str:
    return energy_words(kept.measure.total_uj / UJ_PER_KWH)


def _body(kept: KeptMeasure) -> dict[str, Any]:
    one = kept.measure
    return {
        "id": kept.id,
        "rule": one.rule,
        "title": one.title,
        "saved_kwh": f"{Decimal(one.total_uj) / UJ_PER_KWH:f}",
        "confidence": one.confidence,
        "why": one.why,
        "embodied_kgco2e": f"{Decimal(one.embodied_g) / 1000:f}",
        "cost_pounds": None if one.cost_pence is None else f"{Decimal(one.cost_pence) / 100:f}",
        "state": kept.state,
        "reason": kept.reason,
        "until": kept.until,
        "owner": kept.owner,
        "done_on": kept.done_on,
        "devices": sorted(one.saved_uj),
    }


def _body_names() -> list[str]:
    names = ("id", "rule", "title", "saved_kwh", "confidence", "why", "embodied_kgco2e", "cost_pounds")
    return [*names, "state", "reason", "until", "owner", "done_on", "devices", *WORTH_NAMES]
