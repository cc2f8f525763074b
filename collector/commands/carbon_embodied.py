"""`ictagent carbon embodied`: what making the register's devices emits, in one of two views."""

import datetime
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import cast

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import financial_year_label
from carbon.device_classes import CLASSES
from carbon.embodied import SERVICE_LIFE_YEARS, Charge, EmbodiedView, View, by
from carbon.units import kilograms
from carbon.wording import mass_words
from collector.commands.carbon_options import ORGANISATION, REASON, STATE, number
from collector.commands.carbon_period import Months, financial_year_of, months_of, period_options
from collector.commands.common import actor, database_of, echo_csv, plain_errors
from collector.embodied import embodied as embodied_of
from collector.product_footprints import lives, set_life
from collector.register_queries import find_organisation
from collector.taking import Who

BY: dict[str, Callable[[Charge], str]] = {
    "class": lambda one: one.item.device_class,
    "site": lambda one: one.item.site,
    "directorate": lambda one: one.item.directorate,
    "year": lambda one: financial_year_label(financial_year_of(one.month)),
    "month": lambda one: one.month,
    "vendor": lambda one: one.item.vendor,
    "model": lambda one: f"{one.item.vendor} {one.item.model}".strip(),
    "source": lambda one: one.source.source,
}
_WORDS = {
    "inventory": "Scope 3, category 2: cradle-to-gate, whole in the month of acquisition",
    "management": "straight line over the service life, the remainder at disposal; beside the inventory, never added",
}


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon embodied --from FY2025\n"
    "  ictagent carbon embodied --view management --by site --from FY2024 --to FY2025\n"
    "  ictagent carbon embodied --by source --output csv"
)
@click.option(
    "--view",
    type=click.Choice(list(_WORDS)),
    default="inventory",
    show_default=True,
    help="Which; they are never added.",
)
@click.option("--by", "key", type=click.Choice(list(BY)), default="class", show_default=True, help="What to add up by.")
@period_options
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def embodied(
    view: str,
    key: str,
    first: Months | None,
    last: Months | None,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Embodied carbon of the register's devices, by the best source of each, and how many have none."""
    now = int(time.time())
    months = months_of(first, last, datetime.datetime.fromtimestamp(now, datetime.UTC).date())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        found = embodied_of(connection, organisation_id, cast(View, view), *months, now)
    heads = (key, "devices", "kgco2e", "low_kgco2e", "high_kgco2e")
    rows = [_row(name, charges) for name, charges in by(found.charges, BY[key]).items()]
    if output == "csv":
        echo_csv(heads, rows)
    elif output == "json":
        made = [dict(zip(heads, row, strict=True)) for row in rows]
        without = [
            {"class": name, "why": why, "devices": count} for (name, why), count in sorted(found.without.items())
        ]
        told = {"view": view, "from": months[0], "to": months[1], "kgco2e": f"{kilograms(found.grams):f}"}
        echo_json({**told, "rows": made, "without": without})
    else:
        _table(found, rows, key, months)


def _row(name: str, charges: list[Charge]) -> tuple[str, int, str, str, str]:
    devices = {one.item.id: one.item.quantity for one in charges}
    sums = (sum(getattr(one, part) for one in charges) for part in ("grams", "low_g", "high_g"))
    whole, low, high = (f"{kilograms(one):f}" for one in sums)
    return (name, sum(devices.values()), whole, low, high)


def _table(found: EmbodiedView, rows: list[tuple[str, int, str, str, str]], key: str, months: Months) -> None:
    click.echo(f"embodied carbon, {found.view} view, {months[0]} to {months[1]} ({_WORDS[found.view]})\n")
    if rows:
        shown = [
            (
                name or "(not known)",
                devices,
                mass_words(Decimal(whole)),
                f"{mass_words(Decimal(low))} to {mass_words(Decimal(high))}",
            )
            for name, devices, whole, low, high in rows
        ]
        echo_table((key, "devices", "CO2e", "range of the sources"), shown)
        click.echo(f"\nin all {mass_words(kilograms(found.grams))} CO2e")
    else:
        click.echo("nothing in these months", err=True)
    for (name, why), count in sorted(found.without.items()):
        click.echo(f"not in it: {count} x {CLASSES[name].words}: {why}", err=True)


def _words(kilograms_: str) -> str:
    return mass_words(Decimal(kilograms_))


@click.group()
def life() -> None:
    """How long devices of a class are kept: the years over which the management view spreads them.

    \b
    Examples:
      ictagent carbon life list
      ictagent carbon life set laptop 5 --reason "replacement policy 2025"
    """


@life.command("list", epilog="\b\nExample:\n  ictagent carbon life list --output json")
@ORGANISATION
@STATE
@output_option()
def list_lives(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """Every class with its service life, and whether it is yours or assumed."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        own = lives(connection, organisation_id)
    heads = ("class", "years", "source")
    rows = [
        (name, own[name].years, f"{own[name].reason}, {own[name].actor}")
        if name in own
        else (name, f"{years:f}", "assumed")
        for name, years in SERVICE_LIFE_YEARS.items()
    ]
    if output == "json":
        echo_json([dict(zip(heads, row, strict=True)) for row in rows])
    else:
        echo_table(heads, rows)


@life.command("set", epilog='\b\nExample:\n  ictagent carbon life set laptop 5 --reason "replacement policy 2025"')
@click.argument("device_class", metavar="CLASS")
@click.argument("years", type=number)
@REASON
@ORGANISATION
@STATE
def set_lives(
    device_class: str, years: Decimal, reason: str, organisation: str | None, state_directory: Path | None
) -> None:
    """Say how many years devices of a class are kept."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        set_life(connection, organisation_id, device_class, years, reason, Who(actor(), int(time.time())))
    click.echo(f"{device_class}: {years} years", err=True)
