"""`ictagent snmp events`: what devices told by traps and informs."""

import csv
import datetime
import re
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from collector.commands.common import database_of, moment, plain_errors
from collector.snmp.devices import find_polled, polled_devices
from collector.snmp.traps.record import Event, events_of
from collector.tables.csv_file import spreadsheet_cell

_UNITS = {"m": 60, "h": 3600, "d": 86_400}


def since_when(_context: click.Context, _option: click.Parameter, text: str) -> int:
    """A time as Unix seconds: `90m`, `24h`, `7d` ago, or a day or time in ISO 8601 (UTC where no offset is given)."""
    if not text:
        return 0
    if found := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return int(time.time()) - int(found[1]) * _UNITS[found[2]]
    try:
        parsed = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no time such as 24h, 7d or 2026-11-01") from error
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.UTC)).timestamp())


@click.command(
    epilog="\b\nExamples:\n  ictagent snmp events\n  ictagent snmp events ups-1 --since 7d\n"
    "  ictagent snmp events --since 2026-11-01 --output csv > events.csv"
)
@click.argument("host", required=False)
@click.option("--since", callback=since_when, default="", help="From then on: 90m, 24h, 7d, or a day or time (UTC).")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="How many at most.")
@click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
@output_option("table", "json", "csv")
def events(host: str | None, since: int, limit: int, state_directory: Path | None, output: str) -> None:
    """What polled devices told by traps and informs, the newest first: of HOST (an id, a name or an address), or of all."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        wanted = None if host is None else [find_polled(connection, host).device_id]
        found = events_of(connection, wanted, limit, since)
        named = {one.device_id: one.name or one.host for one in polled_devices(connection)}
    if output == "json":
        echo_json([asdict(one) for one in found])
        return
    header = ("at", "last", "device", "severity", "code", "times", "what", "notification")
    rows = [_row(replace(one, device_id=named.get(one.device_id, one.device_id))) for one in found]
    if output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([spreadsheet_cell(cell) for cell in row] for row in rows)
    elif not rows:
        click.echo("no event; traps are heard where the setting snmp_trap_listen says so", err=True)
    else:
        echo_table(header, rows)


def _row(event: Event) -> tuple[str, ...]:
    times = str(event.count)
    place = (moment(event.at), moment(event.last_at), event.device_id)
    return (*place, event.severity, event.code, times, event.detail, event.oid)
