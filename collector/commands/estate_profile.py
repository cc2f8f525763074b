"""`ictagent estate profile`: class profiles, what holds since when, and numbers of devices that no register has."""

import csv
import datetime
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import day_bounds, local_day
from carbon.class_profiles import ClassProfile
from carbon.device_classes import CLASSES
from carbon.wording import figure
from collector.class_counts import CountKey, class_counts, place_ids, set_count, undo_count
from collector.class_profiles import (
    FIGURES,
    ProfileStretch,
    profile_at,
    profile_stretches,
    reset_profile,
    set_profile,
    undo_profile,
)
from collector.class_quality import Quality, profile_quality
from collector.commands.common import actor, database_of, plain_errors
from collector.commands.estate_profile_months import months
from collector.errors import BadRequest, NotFound
from collector.register_queries import find_organisation
from collector.tables.csv_file import spreadsheet_cell

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
_ORGANISATION = click.option("--organisation", help="Whose profiles; the first organisation's without.")
_CLASS = click.argument("device_class", metavar="CLASS", type=click.Choice(list(CLASSES)))
_DAY = click.DateTime(["%Y-%m-%d"])
_FROM = click.option("--from", "since", type=_DAY, help="Local day from which it holds; today without.")
_SET_ON = click.option("--from", "since", type=_DAY, required=True, help="The day from which it was set.")
_SITE = click.option("--site", default="", help="Of one site.")
_SPACE = click.option("--space", default="", help="Of one space of the site.")
_DIRECTORATE = click.option("--directorate", default="", help="Of one directorate.")
_COMPARED_DAYS = 90


@click.group()
def profile() -> None:
    """Class profiles: the energy of laptops, screens and whatever else nobody reads, from hours and watts.

    \b
    Examples:
      ictagent estate profile list
      ictagent estate profile set laptop --hours-active 4 --home-share 0.5 --source "staff survey" --from 2026-04-01
      ictagent estate profile months --from 2026-04 --to 2026-10
    """


profile.add_command(months)


@profile.command("list", epilog="\b\nExample:\n  ictagent estate profile list --output csv")
@_ORGANISATION
@_STATE
@output_option("table", "json", "csv")
def list_profiles(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """The profile of every class that holds now, beside what devices of the class used that were read in 90 days."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, _, time_zone = find_organisation(connection, organisation)
        held = {name: profile_at(all_, now) for name, all_ in profile_stretches(connection, organisation_id).items()}
        today = local_day(now - now % 1800, time_zone)
        first = today - datetime.timedelta(days=_COMPARED_DAYS)
        read = profile_quality(connection, organisation_id, first, today, now)
    rows = [
        _listed(name, one.profile, one, read.get(name), today.year)
        for name, one in held.items()
        if one.profile is not None
    ]
    if output == "json":
        echo_json(rows)
        return
    columns = ("class", "office_kwh_a_year", "home_kwh_a_year", "low", "high", "whose")
    read_columns = ("read_devices", "read_kwh_a_month", "profile_kwh_a_month", "read_to_profile")
    if output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([*columns, *read_columns, "source"])
        for row in rows:
            texts = ["" if row[name] is None else row[name] for name in (*columns, *read_columns)]
            writer.writerow([*texts, spreadsheet_cell(row["source"])])
        return
    table = [
        (
            row["class"],
            figure(row["office_kwh_a_year"], 3),
            figure(row["home_kwh_a_year"], 3),
            f"x {row['low']:g} to {row['high']:g}",
            row["whose"],
            _beside(row),
        )
        for row in rows
    ]
    echo_table(("class", "kWh a year", "at home", "band", "whose", "those that are read"), table)


def _listed(name: str, held: ClassProfile, stretch: ProfileStretch, read: Quality | None, year: int) -> dict[str, Any]:
    kwh = float(held.year_wh(year)) / 1000
    home = kwh * held.home_share
    return {
        "class": name,
        "office_kwh_a_year": round(kwh - home, 3),
        "home_kwh_a_year": round(home, 3),
        "low": held.low_factor,
        "high": held.high_factor,
        "whose": "own" if stretch.own else "packaged",
        "read_devices": read.devices if read else 0,
        "read_kwh_a_month": round(read.read_month_kwh, 3) if read else None,
        "profile_kwh_a_month": round(read.profile_month_kwh, 3) if read else None,
        "read_to_profile": round(read.ratio, 3) if read and read.ratio is not None else None,
        "source": held.source,
    }


def _beside(row: dict[str, Any]) -> str:
    """What devices that were read say of the profile."""
    if not row["read_devices"]:
        return ""
    said = (
        f"{row['read_devices']} used {figure(row['read_kwh_a_month'], 3)} kWh a month each"
        f", the profile says {figure(row['profile_kwh_a_month'], 3)}"
    )
    ratio = row["read_to_profile"]
    inside = ratio is not None and row["low"] <= ratio <= row["high"]
    return said if inside else f"{said}: outside of its band"


@profile.command(epilog="\b\nExample:\n  ictagent estate profile show laptop")
@_CLASS
@_ORGANISATION
@_STATE
@output_option()
def show(device_class: str, organisation: str | None, state_directory: Path | None, output: str) -> None:
    """A class's profile with its hours and watts, and all that held before."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, _, time_zone = find_organisation(connection, organisation)
        stretches = profile_stretches(connection, organisation_id).get(device_class, [])
        if not stretches:
            raise NotFound(f"{device_class} has no profile", "give it one with `ictagent estate profile set`")
    if output == "json":
        echo_json([_stretch_json(one, time_zone) for one in stretches])
        return
    year = local_day(now - now % 1800, time_zone).year
    if (held := profile_at(stretches, now).profile) is not None:
        _show_profile(held, year)
    echo_table(
        ("from", "until", "whose", "kWh a year", "source"),
        [
            (
                _day(one.since, time_zone) or "always",
                _day(one.until, time_zone) if one.until else "still",
                "own" if one.own else "packaged",
                figure(float(one.profile.year_wh(year)) / 1000, 3) if one.profile else "none",
                one.profile.source if one.profile else "",
            )
            for one in stretches
        ],
    )


def _show_profile(held: ClassProfile, year: int) -> None:
    hours = {"active": held.hours_active, "idle": held.hours_idle, "asleep": held.hours_asleep}
    hours["off"] = round(24 - sum(hours.values()), 6)
    states = [
        (state, f"{getattr(held, f'watts_{state}'):g}", f"{each:g}", "24" if held.other_days == state else "")
        for state, each in hours.items()
    ]
    echo_table(("state", "watts", "hours of a working day", "hours of another day"), states)
    click.echo(
        f"\n{held.working_days} working days: {figure(float(held.year_wh(year)) / 1000, 3)} kWh in {year}"
        f", {held.home_share:.0%} of it at home; x {held.low_factor:g} to {held.high_factor:g} at 95%"
        f"\nsource: {held.source}\n"
    )


def _stretch_json(one: ProfileStretch, time_zone: str) -> dict[str, Any]:
    return {
        "from": _day(one.since, time_zone) or None,
        "until": _day(one.until, time_zone) if one.until else None,
        "own": one.own,
        "profile": asdict(one.profile) if one.profile else None,
    }


@profile.command(
    "set",
    epilog="\b\nExamples:\n"
    '  ictagent estate profile set laptop --hours-active 4 --source "staff survey 2026" --from 2026-04-01\n'
    '  ictagent estate profile set desk_phone --watts-active 0 --watts-idle 0 --source "in the switches\' readings"',
)
@_CLASS
@click.option("--watts-active", type=float, help="Watts at the plug in use.")
@click.option("--watts-idle", type=float, help="Watts while on and waiting (short idle).")
@click.option("--watts-asleep", type=float, help="Watts asleep.")
@click.option("--watts-off", type=float, help="Watts off and plugged in.")
@click.option("--hours-active", type=float, help="Hours in use on a working day.")
@click.option("--hours-idle", type=float, help="Hours on and waiting on a working day.")
@click.option("--hours-asleep", type=float, help="Hours asleep on a working day; the rest it is off.")
@click.option("--working-days", type=int, help="Working days a year.")
@click.option("--other-days", type=click.Choice(["off", "asleep", "idle"]), help="What it is on other days.")
@click.option("--home-share", type=float, help="The part of its energy that is used at home, 0 to 1.")
@click.option("--low-factor", type=float, help="Lower bound of a year's energy at 95%, as a factor of it.")
@click.option("--high-factor", type=float, help="Upper bound of a year's energy at 95%, as a factor of it.")
@click.option("--source", required=True, help="Where the figures come from, for the auditor.")
@_FROM
@_ORGANISATION
@_STATE
def set_class(
    device_class: str,
    source: str,
    since: datetime.datetime | None,
    organisation: str | None,
    state_directory: Path | None,
    **figures: Any,
) -> None:
    """Give a class a profile of your own; what is not given stays as it is. The past before --from stays."""
    changes = {name: figures[name] for name in FIGURES if figures[name] is not None}
    if not changes:
        raise click.UsageError("nothing to set: give watts, hours, days, the home's share or the band")
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, begins = _when(connection, organisation, since, now)
        made = set_profile(
            connection, organisation_id, device_class, {**changes, "source": source}, begins, actor(), now
        )
    year = datetime.datetime.fromtimestamp(now, datetime.UTC).year
    click.echo(f"{device_class} uses {figure(float(made.year_wh(year)) / 1000, 3)} kWh a year now")


@profile.command(epilog="\b\nExample:\n  ictagent estate profile reset laptop --from 2026-04-01")
@_CLASS
@_FROM
@_ORGANISATION
@_STATE
def reset(
    device_class: str, since: datetime.datetime | None, organisation: str | None, state_directory: Path | None
) -> None:
    """Let the packaged profile of a class hold again from a day on. The past before it stays."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, begins = _when(connection, organisation, since, now)
        reset_profile(connection, organisation_id, device_class, begins, actor(), now)
    click.echo(f"{device_class} has the packaged profile again")


@profile.command(epilog="\b\nExample:\n  ictagent estate profile undo laptop --from 2026-04-01")
@_CLASS
@_SET_ON
@_ORGANISATION
@_STATE
def undo(device_class: str, since: datetime.datetime, organisation: str | None, state_directory: Path | None) -> None:
    """Take back what was set or reset from a day on: what held before it holds on."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, begins = _when(connection, organisation, since, now)
        undo_profile(connection, organisation_id, device_class, begins, actor(), now)
    click.echo(f"what was set of {device_class} from {since:%Y-%m-%d} on is taken back")


@profile.command(epilog="\b\nExample:\n  ictagent estate profile counts --output csv")
@_ORGANISATION
@_STATE
@output_option("table", "json", "csv")
def counts(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """Numbers of devices that were given by class, with their dates."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, _, time_zone = find_organisation(connection, organisation)
        found = class_counts(connection, organisation_id)
    columns = ("class", "site", "space", "directorate", "count", "from", "until", "source")
    rows = [
        dict(
            zip(
                columns,
                (
                    one.key.device_class,
                    one.site,
                    one.space,
                    one.key.directorate,
                    one.devices,
                    _day(one.since, time_zone),
                    _day(one.until, time_zone) if one.until else None,
                    one.source,
                ),
                strict=True,
            )
        )
        for one in found
    ]
    if output == "json":
        echo_json(rows)
    elif output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([spreadsheet_cell("" if cell is None else str(cell)) for cell in row.values()])
    elif not rows:
        click.echo("no number was given; a class that the register has needs none", err=True)
    else:
        echo_table(columns, [tuple("still" if cell is None else cell for cell in row.values()) for row in rows])


@profile.command(
    epilog="\b\nExamples:\n"
    '  ictagent estate profile count laptop 5000 --source "licence count" --from 2026-04-01\n'
    '  ictagent estate profile count monitor 800 --site "Town Hall" --source "walk-round of May 2026"\n'
    '  ictagent estate profile count laptop 0 --source "in the register now" --from 2026-10-01'
)
@_CLASS
@click.argument("number", type=click.IntRange(0, 10_000_000))
@_SITE
@_SPACE
@_DIRECTORATE
@click.option("--source", required=True, help="Where the number comes from, for the auditor.")
@_FROM
@_ORGANISATION
@_STATE
def count(
    device_class: str,
    number: int,
    site: str,
    space: str,
    directorate: str,
    source: str,
    since: datetime.datetime | None,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Say how many devices of a class there are, where the register does not have the class. 0 ends a number.

    Numbers of different sites, spaces and directorates add up, and one without any of them adds to them. Devices that
    are read are taken for some of them. Once a register has the class, its own devices count from its day on.
    """
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, begins = _when(connection, organisation, since, now)
        place = place_ids(connection, organisation_id, site, space, make_site=True)
        key = CountKey(organisation_id, device_class, *place, directorate)
        set_count(connection, key, number, source, begins, actor(), now)
        profiled = any(one.profile for one in profile_stretches(connection, organisation_id).get(device_class, ()))
    click.echo(f"{number} of {device_class}")
    if not profiled:
        click.echo(f"{device_class} has no profile: give it one with `ictagent estate profile set`", err=True)


@profile.command(epilog="\b\nExample:\n  ictagent estate profile uncount laptop --from 2026-04-01")
@_CLASS
@_SITE
@_SPACE
@_DIRECTORATE
@_SET_ON
@_ORGANISATION
@_STATE
def uncount(
    device_class: str,
    site: str,
    space: str,
    directorate: str,
    since: datetime.datetime,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Take back a number that was given from a day on: what held before it holds on."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, begins = _when(connection, organisation, since, now)
        place = place_ids(connection, organisation_id, site, space)
        undo_count(connection, CountKey(organisation_id, device_class, *place, directorate), begins, actor(), now)
    click.echo(f"the number of {device_class} from {since:%Y-%m-%d} on is taken back")


def _when(
    connection: Connection, organisation: str | None, since: datetime.datetime | None, now: int
) -> tuple[int, int]:
    """The organisation, and when a local day of it begins (Unix seconds); today without one."""
    organisation_id, _, time_zone = find_organisation(connection, organisation)
    day = since.date() if since else local_day(now - now % 1800, time_zone)
    begins = day_bounds(day, time_zone)[0]
    if begins > now:
        raise BadRequest(f"--from {day} lies ahead", "give the day from which it holds")
    return organisation_id, begins


def _day(at: int | None, time_zone: str) -> str:
    return f"{local_day(at - at % 1800, time_zone)}" if at else ""
