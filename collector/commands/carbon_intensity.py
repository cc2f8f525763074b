"""`ictagent carbon intensity`: the grid's carbon intensity by half-hour, and the sites' time-specific CO2."""

import datetime
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from agent.commands.common import echo_json, echo_table, output_option
from agent.files import text_or_empty
from carbon.calendar import day_bounds, local_day
from carbon.grid_intensity import TimeSpecific
from carbon.wording import figure
from collector.commands.carbon_options import DAY, ORGANISATION, STATE
from collector.commands.carbon_period import Months, months_of, period_options
from collector.commands.common import actor, database_of, echo_csv, moment, plain_errors, settings_in
from collector.database.audit import audit
from collector.errors import BadRequest
from collector.grid_intensity.answers import Slot
from collector.grid_intensity.client import IntensityClient
from collector.grid_intensity.fetching import ask, between
from collector.grid_intensity.joined import site_months
from collector.grid_intensity.places import outwards
from collector.grid_intensity.series import append_series
from collector.grid_intensity.store import NATIONAL, kept, regions, tries
from collector.register_queries import find_organisation

_GAPS_SHOWN = 10


@click.group()
def intensity() -> None:
    """The grid's carbon intensity by half-hour (NESO), and what the sites' half-hours make with it. CO2 alone.

    \b
    Examples:
      ictagent carbon intensity status
      ictagent carbon intensity fetch --from 2026-04-01 --to 2026-10-31
      ictagent carbon intensity show --from FY2026
    """


@intensity.command(epilog="\b\nExample:\n  ictagent carbon intensity status --output json")
@STATE
@output_option()
def status(state_directory: Path | None, output: str) -> None:
    """What is kept of each region, its gaps, how the last asking went, and which site is of which region."""
    now = int(time.time())
    asked = settings_in(state_directory).grid_intensity
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        found, known, places, told = (
            kept(connection, now),
            regions(connection),
            outwards(connection, now),
            tries(connection),
        )
    names = dict(known.values()) | {NATIONAL: "Great Britain"}
    unknown = sum(1 for outward in places.values() if not outward)
    if output == "json":
        rows = [
            {
                "region": one.region,
                "name": names.get(one.region, ""),
                "first": moment(one.first),
                "last": moment(one.last),
                "slots": one.slots,
                "measured": one.measured,
                "gaps": [{"first": moment(first), "last": moment(last)} for first, last in one.gaps],
            }
            for one in found
        ]
        asking = {
            subject: {
                **asdict(one),
                "tried_at": moment(one.tried_at),
                "answered_at": moment(one.answered_at) if one.answered_at else None,
            }
            for subject, one in told.items()
        }
        outward_names = {outward: name for outward, (_, name) in known.items()}
        echo_json({"on": asked, "regions": rows, "asked": asking, "postcodes": outward_names, "sites_without": unknown})
        return
    if not asked:
        click.echo("off: nothing is asked; set grid_intensity = true in [collector]", err=True)
    if found:
        table = [
            (
                names.get(one.region, one.region),
                moment(one.first),
                moment(one.last),
                one.slots,
                sum((last - first) // 1800 + 1 for first, last in one.gaps),
            )
            for one in found
        ]
        echo_table(("region", "first", "last", "half-hours", "missing"), table)
    for one in found:
        for first, last in one.gaps[:_GAPS_SHOWN]:
            click.echo(f"gap of {names.get(one.region, one.region)}: {moment(first)} to {moment(last + 1800)}")
        if len(one.gaps) > _GAPS_SHOWN:
            click.echo(f"and {len(one.gaps) - _GAPS_SHOWN} more: see --output json")
    for subject, tried in told.items():
        if tried.problem:
            before = f"last answered {moment(tried.answered_at)}" if tried.answered_at else "never answered"
            click.echo(f"{subject}, {moment(tried.tried_at)}: {tried.problem} ({before})")
        if odd := [
            f"{number} {words}"
            for number, words in (
                (tried.rows_left_out, "rows left out"),
                (tried.slots_with_two_values, "half-hours came with two values"),
            )
            if number
        ]:
            click.echo(f"{subject}: {', '.join(odd)}")
    if unknown:
        click.echo(f"without a postcode, and so without a region: {unknown} of {len(places)} sites", err=True)


@intensity.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon intensity fetch --from 2026-04-01 --to 2026-10-31 --dry-run\n"
    "  ictagent carbon intensity fetch --from 2026-04-01"
)
@click.option("--from", "first", type=DAY, required=True, help="First local day.")
@click.option("--to", "last", type=DAY, help="Last local day; today without.")
@click.option("--dry-run", is_flag=True, help="Say what is missing, and ask nobody.")
@ORGANISATION
@STATE
@output_option()
def fetch(
    first: datetime.datetime,
    last: datetime.datetime | None,
    dry_run: bool,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Ask for what is missing of some days, of Great Britain and of every region with a site; at most 14 days a call.

    What cannot be had now is said, and the command ends with 1: run it again, it asks for nothing twice.
    """
    settings = settings_in(state_directory)
    with database_of(state_directory) as database, plain_errors():
        if not settings.grid_intensity and not dry_run:
            raise BadRequest("the grid's intensity is off", "set grid_intensity = true in [collector]")
        with database.read() as connection:
            time_zone = find_organisation(connection, organisation)[2]
            start, end = _days(first, last, time_zone)
            wanted = between(connection, start, end, int(time.time()))
        told = [(one.outward or NATIONAL, moment(one.start), moment(one.end)) for one in wanted]
        heads = ("of", "from", "to")
        if dry_run:
            if output == "json":
                echo_json([dict(zip(heads, row, strict=True)) for row in told])
            else:
                echo_table(heads, told)
                click.echo(f"{len(told)} calls; nobody was asked (--dry-run)", err=True)
            return
        collector_id = text_or_empty(settings.state_directory / "collector-id")

        def write(handler: Callable[[Connection], list[Slot]]) -> list[Slot]:
            with database.write() as connection:
                return handler(connection)

        def series(connection: Connection, region: str, slots: Sequence[Slot]) -> None:
            if collector_id:
                append_series(connection, collector_id, int(time.time()), region, slots)

        with IntensityClient(settings.grid_intensity_url, settings.grid_intensity_proxy) as client:
            done = ask(client, write, wanted, lambda: int(time.time()), series)
        with database.write() as connection:
            detail = {"from": moment(start), "to": moment(end), "calls": done.calls, "half_hours": done.slots}
            audit(connection, int(time.time()), actor(), "carbon.intensity.fetch", NATIONAL, detail)
    if output == "json":
        echo_json({**detail, "problems": done.problems})
    else:
        click.echo(f"{done.calls} calls, {done.slots} half-hours with a new value")
        for problem in done.problems:
            click.echo(problem, err=True)
    if done.problems:
        raise click.exceptions.Exit(1)


@intensity.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon intensity show --from FY2026\n"
    "  ictagent carbon intensity show --from 2026-10 --output csv > time-specific.csv"
)
@period_options
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def show(
    first: Months | None,
    last: Months | None,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Time-specific CO2 of each site and month: its half-hours times the grid's intensity, with their coverage.

    CO2 alone, of combustion alone, losses included: never to be added to, or put beside as if the same as, figures made
    with factor sets. Devices by class profile and homes have no half-hours and are not in it.
    """
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, _, time_zone = find_organisation(connection, organisation)
        first_month, last_month = months_of(first, last, local_day(now - now % 1800, time_zone))
        found = site_months(connection, organisation_id, first_month, last_month, now)
    rows = [
        {
            "site": one.site,
            "month": one.month,
            "region": one.region,
            "kwh": f"{one.national.kwh:f}",
            **_figures("national", one.national),
            **_figures("regional", one.regional),
        }
        for one in found
    ]
    if output == "json":
        echo_json(rows)
    elif output == "csv":
        heads = (
            "site",
            "month",
            "region",
            "kwh",
            *_figures("national", TimeSpecific()),
            *_figures("regional", TimeSpecific()),
        )
        echo_csv(heads, [list(row.values()) for row in rows])
    elif not rows:
        click.echo("the ledger has no half-hours of that time", err=True)
    else:
        table = [
            (
                one.site or "-",
                one.month,
                figure(one.national.kwh, 3),
                *_short(one.national),
                one.region or "-",
                *_short(one.regional),
            )
            for one in found
        ]
        national = ("g/kWh", "kg CO2", "covered")
        echo_table(("site", "month", "kWh", *national, "region", *(f"its {name}" for name in national)), table)
        click.echo("CO2 alone, losses included: another kind of figure than those of factor sets", err=True)


def _figures(name: str, one: TimeSpecific) -> dict[str, Any]:
    coverage, mean = one.coverage, one.grams_per_kwh
    return {
        f"{name}_grams": one.grams,
        f"{name}_kwh_covered": f"{one.matched_kwh:f}",
        f"{name}_coverage": "" if coverage is None else f"{coverage:.6f}",
        f"{name}_grams_per_kwh": "" if mean is None else f"{mean:.3f}",
    }


def _short(one: TimeSpecific) -> tuple[str, str, str]:
    if one.grams_per_kwh is None:
        return "", "", "0%"
    return f"{one.grams_per_kwh:.0f}", figure(one.kg, 3), f"{one.coverage or 0:.0%}"


def _days(first: datetime.datetime, last: datetime.datetime | None, time_zone: str) -> tuple[int, int]:
    now = int(time.time())
    until = last.date() if last else local_day(now - now % 1800, time_zone)
    if until < first.date():
        raise click.UsageError(f"--from {first:%Y-%m-%d} lies after --to {until}")
    return day_bounds(first.date(), time_zone)[0], day_bounds(until, time_zone)[1]
