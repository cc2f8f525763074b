"""`ictagent estate meter`: what meters of the power path measure and where, what they feed, and alarms of the tree."""

import datetime
import inspect
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import day_bounds
from carbon.units import kwh_exact
from carbon.wording import fixed
from collector.commands.common import actor, database_of, echo_csv, moment, plain_errors
from collector.commands.snmp_path import link as snmp_link
from collector.commands.snmp_path import unlink as snmp_unlink
from collector.database.metering import ACCOUNTING, PURPOSES, READING_POINTS
from collector.device_energy import rules_of
from collector.meter_places import find_meter, meters, place_of, say, take_back
from collector.metering import metering
from collector.power_view import device_names

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Check and say what would be done; change nothing.")
_DAY = click.DateTime(["%Y-%m-%d"])
_MOST_NAMES = 4


@click.group()
def meter() -> None:
    """Meters of the power path: of UPSs, PDUs, outlets, rooms, supplies.

    METER is its number, DEVICE for all that passes through it, DEVICE:PLACE, or an MPAN.

    \b
    Examples:
      ictagent estate meter list
      ictagent estate meter feed ups-1 pdu-1
      ictagent estate meter set meter-3 --point room_incomer
      ictagent estate meter set 1012345678901 --purpose whole_building --site "County Hall"
    """


@meter.command("list", epilog="\b\nExamples:\n  ictagent estate meter list\n  ictagent estate meter list --all")
@click.option("--all", "everything", is_flag=True, help="Outlets and ports that feed nothing known too.")
@_STATE
@output_option("table", "json", "csv")
def list_meters(everything: bool, state_directory: Path | None, output: str) -> None:
    """Meters with what they measure, whether they account, and what they feed now."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        found = meters(connection, int(time.time()), everything=everything)
    if output == "json":
        echo_json([asdict(one) for one in found])
        return
    header = ("meter", "device", "place", "purpose", "point", "accounting", "site", "space", "feeds", "reason")
    rows = [
        (
            str(one.id),
            one.device,
            one.name,
            one.purpose,
            one.reading_point,
            one.accounting,
            one.site,
            one.space,
            _some(one.feeds),
            one.reason,
        )
        for one in found
    ]
    if output == "csv":
        echo_csv(header, rows)
    elif rows:
        echo_table(header, rows)
    else:
        click.echo("no device has a meter of what it feeds", err=True)


def _some(names: Sequence[str]) -> str:
    """The first names of many, and how many there are: a UPS may feed dozens of devices."""
    if len(names) <= _MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[: _MOST_NAMES - 1])} and {len(names) - _MOST_NAMES + 1} more"


@meter.command(
    "set",
    epilog="\b\nExamples:\n  ictagent estate meter set meter-3 --point room_incomer --from 2026-04-01\n"
    '  ictagent estate meter set ups-1 --accounting always --reason "all that hangs on it is linked"\n'
    "  ictagent estate meter set ups-1 --undo",
)
@click.argument("meter")
@click.option(
    "--purpose", type=click.Choice(PURPOSES), help="What it measures: ICT alone, a whole building, generation."
)
@click.option(
    "--point", type=click.Choice(READING_POINTS), help="Where it reads: what of a room's PUE it holds already."
)
@click.option("--site", help="Site for what it measures beyond its parts. Empty text: its device's place again.")
@click.option("--space", help="Space of the site.")
@click.option("--accounting", type=click.Choice(ACCOUNTING), help="Whether it accounts for what it feeds.")
@click.option("--reason", help="Why, for the auditor. Needed where --accounting overrules.")
@click.option("--from", "since", type=_DAY, help="Local day from which it holds; now without.")
@click.option("--undo", is_flag=True, help="Take back what was said last.")
@_DRY_RUN
@_STATE
def set_meter(
    meter: str,
    purpose: str | None,
    point: str | None,
    site: str | None,
    space: str | None,
    accounting: str | None,
    reason: str | None,
    since: datetime.datetime | None,
    undo: bool,
    dry_run: bool,
    state_directory: Path | None,
) -> None:
    """Say what a meter measures and where. What is not given stays; the past before --from stays."""
    given: dict[str, Any] = {"purpose": purpose, "reading_point": point, "accounting": accounting, "reason": reason}
    changes = {name: value for name, value in given.items() if value is not None}
    if space and not site:
        raise click.UsageError("a space belongs to a site: give --site as well")
    if undo == bool(changes or site is not None):
        raise click.UsageError("give what is to be set, or --undo")
    now = int(time.time())
    with _change(state_directory, dry_run) as connection:
        meter_id = find_meter(connection, meter)
        if undo:
            take_back(connection, meter_id, actor(), now)
        else:
            if site is not None:
                place = place_of(connection, meter_id, site, space) if site else (None, None)
                changes |= {"site_id": place[0], "space_id": place[1]}
            begins = now if since is None else day_bounds(since.date(), rules_of(connection).time_zone)[0]
            changed = say(connection, meter_id, changes, begins, actor(), now)
    if undo:
        click.echo(f"meter {meter_id}: {'would be ' if dry_run else ''}as before")
    else:
        click.echo(f"meter {meter_id}: {'would be set' if dry_run else 'is set' if changed else 'is so already'}")


@meter.command(
    "alarms",
    epilog="\b\nExample:\n  ictagent estate meter alarms --from 2026-11-01 --to 2026-11-20",
)
@click.option("--from", "first", type=_DAY, help="First local day; a week ago without.")
@click.option("--to", "last", type=_DAY, help="Last local day; today without.")
@_STATE
@output_option("table", "json", "csv")
def list_alarms(
    first: datetime.datetime | None, last: datetime.datetime | None, state_directory: Path | None, output: str
) -> None:
    """Where parts were more than their meter measured: a link is wrong, or a meter is."""
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        today = rules_of(connection).day(now - now % 1800)
        begins = first.date() if first else today - datetime.timedelta(days=7)
        ends = last.date() if last else today
        if ends < begins:
            raise click.UsageError("--to lies before --from")
        alarms = metering(connection, begins, ends, now).alarms
        names = device_names(connection, {one.device_id for one in alarms})
        places = {one.id: one.name for one in meters(connection, now, everything=True)}
    if output == "json":
        echo_json([asdict(one) for one in alarms])
        return
    header = ("meter", "device", "place", "from", "to", "measured kWh", "parts kWh")
    rows: Sequence[Sequence[object]] = [
        (
            one.meter_id,
            names[one.device_id],
            places.get(one.meter_id, ""),
            moment(one.start),
            moment(one.end),
            *(
                fixed(kwh_exact(amount), 3) if output == "table" else f"{kwh_exact(amount):.3f}"
                for amount in (one.measured_uj, one.parts_uj)
            ),
        )
        for one in alarms
    ]
    if output == "csv":
        echo_csv(header, rows)
    elif rows:
        echo_table(header, rows)
    else:
        click.echo("there is none", err=True)


@contextmanager
def _change(state_directory: Path | None, dry_run: bool) -> Iterator[Connection]:
    """A transaction, which a dry run undoes."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        yield connection
        if dry_run:
            connection.rollback()


def _same_as(command: click.Command, name: str, instead: str, epilog: str) -> click.Command:
    """A command of `ictagent snmp path` under a name of this group: devices need not be polled to feed others."""
    return click.Command(
        name,
        params=command.params,
        callback=command.callback,
        help=f"{inspect.cleandoc(command.help or '')}\n\nThe same as `{instead}`.",
        epilog=epilog,
    )


meter.add_command(
    _same_as(
        snmp_link,
        "feed",
        "ictagent snmp path link",
        "\b\nExamples:\n  ictagent estate meter feed ups-1 pdu-1 --from 2026-04-01\n"
        "  ictagent estate meter feed pdu-1 web01 --place outlet/7",
    )
)
meter.add_command(
    _same_as(
        snmp_unlink,
        "unfeed",
        "ictagent snmp path unlink",
        "\b\nExamples:\n  ictagent estate meter unfeed 3 --to 2026-11-02\n  ictagent estate meter unfeed 3 --as-if-never",
    )
)
