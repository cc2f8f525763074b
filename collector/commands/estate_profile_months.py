"""`ictagent estate profile months`: energy by class profiles, by month and any key, office and home apart."""

import csv
import datetime
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection, select

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import local_day
from carbon.device_classes import CLASSES
from carbon.units import kwh, kwh_exact
from carbon.wording import figure
from collector.class_energy import ClassEnergy, by_month, days_over
from collector.commands.common import database_of, plain_errors
from collector.database.schema import site, space
from collector.poe_fed import OTHERWISE, WHY, FedDays, fed_by_month
from collector.register_queries import find_organisation
from collector.tables.csv_file import spreadsheet_cell

_MONTH = click.DateTime(["%Y-%m"])
BY = ("month", "class", "site", "space", "directorate", "category", "school")


@dataclass(slots=True)
class _Sum:
    """Device-days and microjoules, by class, as their bounds need it."""

    device_days: Fraction = Fraction(0)
    office_uj: int = 0
    home_uj: int = 0
    bounds: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    """By class and bound, how far it lies from the amount."""

    def add(self, one: ClassEnergy) -> None:
        energy = one.energy
        self.device_days += one.device_days
        self.office_uj += energy.office_uj
        self.home_uj += energy.home_uj
        for name in _BOUNDS:
            amount = energy.office_uj if name.startswith("office") else energy.home_uj
            self.bounds[one.device_class, name] += abs(getattr(energy, name) - amount)

    def bound(self, name: str) -> int:
        """A bound in microjoules.

        All devices of a class are off in the same way, because they share what is assumed; classes are independent
        (carbon reference section 7). So widths add up within a class, and in quadrature across classes.
        """
        width = math.isqrt(sum(each**2 for (_, one), each in self.bounds.items() if one == name))
        amount = self.office_uj if name.startswith("office") else self.home_uj
        return amount - width if "low" in name else amount + width


_BOUNDS = ("office_low_uj", "office_high_uj", "home_low_uj", "home_high_uj")
_AMOUNTS = ("office_uj", "office_low_uj", "office_high_uj", "home_uj", "home_low_uj", "home_high_uj")


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent estate profile months --from 2026-04 --to 2026-10\n"
    "  ictagent estate profile months --by site --by class --output csv > profiles.csv"
)
@click.option("--from", "first", type=_MONTH, help="First month, such as 2026-04; this month without.")
@click.option("--to", "last", type=_MONTH, help="Last month; this month without.")
@click.option(
    "--by",
    "names",
    type=click.Choice(BY),
    multiple=True,
    help="What to add up by; month and class without. Repeatable.",
)
@click.option("--organisation", help="Whose; the first organisation's without.")
@click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
@output_option("table", "json", "csv")
def months(
    first: datetime.datetime | None,
    last: datetime.datetime | None,
    names: tuple[str, ...],
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Energy of devices that nobody reads by their class's profile, in kWh; what is used at home is apart.

    Days that are over count, and devices that are read do not. Bounds are at 95%: of a class all devices
    together, of several classes as independent of each other.
    """
    by, now = names or ("month", "class"), int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, _, time_zone = find_organisation(connection, organisation)
        this = f"{local_day(now - now % 1800, time_zone):%Y-%m}"
        last_month = f"{last:%Y-%m}" if last else this
        first_month = f"{first:%Y-%m}" if first else last_month
        if first_month > last_month:
            raise click.UsageError(f"--from {first_month} lies after --to {last_month}")
        found = by_month(connection, organisation_id, first_month, last_month, now)
        fed = _fed(
            fed_by_month(connection, organisation_id, time_zone, *days_over(first_month, last_month, now, time_zone))
        )
        keys = _keys(connection)
    sums: dict[tuple[str, ...], _Sum] = defaultdict(_Sum)
    whole = _Sum()
    for one in found:
        sums[tuple(keys[name](one) for name in by)].add(one)
        whole.add(one)
    rows = sorted(sums.items())
    if output == "json":
        made = [{**dict(zip(by, key, strict=True)), **_json(row)} for key, row in rows]
        echo_json({"from": first_month, "to": last_month, "rows": made, "total": _json(whole), "at_poe_ports": fed})
    elif output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([*by, *_json(whole)])
        for key, row in rows:
            writer.writerow([*map(spreadsheet_cell, key), *_json(row).values()])
    elif not rows and not fed:
        click.echo("no device needs a profile then: import a register, or give numbers with `count`", err=True)
    else:
        _show(by, rows, whole)
        for each in fed:
            days = f"{each['device_days']:,} device-days of {CLASSES[each['class']].words}"
            click.echo(f"{each['month']}: {days} are not profiled: {WHY}")
        if fed:
            click.echo(OTHERWISE)


def _fed(rows: Sequence[FedDays]) -> list[dict[str, Any]]:
    """Device-days that lie in switches' readings by count of their PoE ports, by month and class: whole ones."""
    sums: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for row in rows:
        sums[row.month, row.device_class] += row.device_days
    return [{"month": month, "class": name, "device_days": int(days)} for (month, name), days in sorted(sums.items())]


def _keys(connection: Connection) -> dict[str, Callable[[ClassEnergy], str]]:
    """How a row is named by each key."""
    sites: dict[int | None, str] = dict(connection.execute(select(site.c.id, site.c.name)).all())
    spaces: dict[int | None, str] = dict(connection.execute(select(space.c.id, space.c.name)).all())
    return {
        "month": lambda one: one.month,
        "class": lambda one: one.device_class,
        "site": lambda one: sites.get(one.site_id, ""),
        "space": lambda one: " / ".join((sites.get(one.site_id, ""), spaces[one.space_id])) if one.space_id else "",
        "directorate": lambda one: one.directorate,
        "category": lambda one: one.service_category,
        "school": lambda one: "yes" if one.school else "no",
    }


def _json(one: _Sum) -> dict[str, Any]:
    """Device-days, and kWh to the microjoule."""
    amounts = {name.replace("_uj", "_kwh"): f"{kwh_exact(_amount(one, name)):f}" for name in _AMOUNTS}
    return {"device_days": f"{float(one.device_days):.10g}", **amounts}


def _show(by: Sequence[str], rows: Sequence[tuple[tuple[str, ...], _Sum]], whole: _Sum) -> None:
    table = [(*(part or "-" for part in key), *_figures(one)) for key, one in rows]
    table.append(("total", *("" for _ in by[1:]), *_figures(whole)))
    echo_table((*by, "device-days", "office kWh", "range", "home kWh", "range"), table)


def _figures(one: _Sum) -> tuple[str, ...]:
    office, office_low, office_high, home, home_low, home_high = (
        figure(kwh(_amount(one, name)), 3) for name in _AMOUNTS
    )
    home_range = f"{home_low} to {home_high}" if one.home_uj else ""
    return f"{float(one.device_days):,.0f}", office, f"{office_low} to {office_high}", home, home_range


def _amount(one: _Sum, name: str) -> int:
    return one.bound(name) if name in _BOUNDS else int(getattr(one, name))
