"""`ictagent estate space list|set`: spaces of sites, their kind and their PUE with its source and dates."""

import datetime
import time
from dataclasses import asdict
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import day_bounds
from carbon.errors import CarbonError
from carbon.spaces import Pue
from carbon.wording import counted
from collector.commands.common import actor, collector_id, database_of, plain_errors
from collector.database.estate import SPACE_KINDS
from collector.device_energy import rules_of
from collector.errors import BadRequest
from collector.estate_version import touch
from collector.spaces import find_space, set_kind, set_pue, spaces

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")


@click.group()
def space() -> None:
    """Spaces of sites: what kind of room it is, and its PUE.

    \b
    Examples:
      ictagent estate space list
      ictagent estate space set "County Hall" "Room 2" --pue 1.6 --low 1.5 --high 1.7 \\
          --source "metered, survey of May 2026" --from 2026-04-01
    """


@space.command("list", epilog="\b\nExample:\n  ictagent estate space list --output json")
@_STATE
@output_option()
def list_spaces(state_directory: Path | None, output: str) -> None:
    """Every space with the PUE that applies now, and where it comes from."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        rows = spaces(connection, int(time.time()))
    rows = sorted(rows, key=lambda row: (counted(row.site), counted(row.space)))
    if output == "json":
        echo_json([asdict(row) for row in rows])
        return
    table = [
        (row.site, row.space, row.kind, f"{row.pue:g}", f"{row.low:g} to {row.high:g}", row.source) for row in rows
    ]
    echo_table(("site", "space", "kind", "PUE", "range", "source"), table)


@space.command(
    "set",
    epilog="\b\nExamples:\n"
    '  ictagent estate space set "County Hall" "Room 2" --kind data_room\n'
    '  ictagent estate space set "County Hall" "Room 2" --pue 1.6 --source "metered, survey of May 2026"',
)
@click.argument("site")
@click.argument("name")
@click.option("--kind", type=click.Choice(SPACE_KINDS), help="What kind of space it is, from now on.")
@click.option("--pue", type=float, help="Its own PUE: all energy of the space over that of its ICT.")
@click.option("--low", type=float, help="Lower bound of the PUE; without it the PUE itself.")
@click.option("--high", type=float, help="Upper bound of the PUE; without it the PUE itself.")
@click.option("--source", help="Where the PUE comes from, for the auditor. Needed with --pue.")
@click.option(
    "--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="Local day from which it holds; today without."
)
@_STATE
def set_space(
    site: str,
    name: str,
    kind: str | None,
    pue: float | None,
    low: float | None,
    high: float | None,
    source: str | None,
    since: datetime.datetime | None,
    state_directory: Path | None,
) -> None:
    """Say what kind of space it is, or give it a PUE of its own with its source. The past before --from stays."""
    if kind is None and pue is None:
        raise click.UsageError("nothing to set: give --kind or --pue")
    if pue is not None and not source:
        raise click.UsageError("a PUE needs its --source: an auditor will ask")
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        space_id = find_space(connection, site, name)
        if kind is not None:
            set_kind(connection, space_id, kind, now)
            touch(connection)
        if pue is not None:
            rules = rules_of(connection)
            day = since.date() if since else rules.day(now - now % 1800)
            begins = day_bounds(day, rules.time_zone)[0]
            if begins > now:
                raise BadRequest(f"--from {day} lies ahead", "give a PUE from the day on which it holds")
            wanted = _pue(pue, pue if low is None else low, pue if high is None else high, source or "")
            set_pue(connection, space_id, wanted, begins, now, actor(), collector_id(state_directory))
    click.echo(f"{name} at {site} is set")


def _pue(value: float, low: float, high: float, source: str) -> Pue:
    try:
        return Pue(value, low, high, source)
    except CarbonError as error:
        raise BadRequest(str(error), "give --low and --high around --pue, all at least 1") from error
