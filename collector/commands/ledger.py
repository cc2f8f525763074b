"""`ictagent ledger`: the half-hours of a device as the ledger has them, and suppliers' files."""

import datetime
from pathlib import Path

import click
from sqlalchemy import select

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import day_bounds
from carbon.units import kwh
from carbon.wording import fixed
from collector.commands.common import database_of, plain_errors
from collector.commands.ledger_bills import bills
from collector.commands.ledger_files import import_file, list_files, undo
from collector.commands.ledger_maps import maps
from collector.database.schema import meter
from collector.device_energy import ledger_rows, rules_of
from collector.estate import find_device
from collector.ledger import AMOUNTS
from collector.segments import load_segments
from collector.supply_meters import SUPPLIER


@click.group()
def ledger() -> None:
    """Read the half-hour ledger, and take over half-hours and bills of suppliers.

    \b
    Examples:
      ictagent ledger show web01 --day 2026-11-23
      ictagent ledger import october.csv --site "Town Hall" --dry-run
    """


for one in (import_file, list_files, undo, bills, maps):
    ledger.add_command(one)


@ledger.command(epilog="\b\nExample:\n  ictagent ledger show web01 --day 2026-11-23 --output json")
@click.argument("device")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Local day; today without it.")
@click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
@output_option()
def show(device: str, day: datetime.datetime | None, state_directory: Path | None, output: str) -> None:
    """The rows of a device's accounting meters, or of a supply meter by its MPAN, in one local day, with what each rests on."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        device_id = find_device(connection, device)
        rules = rules_of(connection, device_id)
        now = int(datetime.datetime.now(datetime.UTC).timestamp())
        start, end = day_bounds(day.date() if day else rules.day(now - now % 1800), rules.time_zone)
        segments = load_segments(connection, start, end, [device_id])
        ids = {meter_id for segment in segments for meter_id in segment.meter_ids}
        if not segments:  # a supply meter stands for no device
            mine = (meter.c.device_id == device_id) & (meter.c.source == SUPPLIER)
            ids.update(connection.execute(select(meter.c.id).where(mine)).scalars())
        names = dict(connection.execute(select(meter.c.id, meter.c.name).where(meter.c.id.in_(ids))).all())
        rows = [
            {"meter": names[row["meter_id"]], **row}
            for by_time in ledger_rows(connection, ids, start, end).values()
            for row in by_time.values()
        ]
    rows.sort(key=lambda row: (row["half_hour"], row["meter"]))
    if output == "json":
        echo_json(rows)
        return
    if not rows:
        click.echo("no half-hour of this day is written; the newest is written five minutes after its end", err=True)
        return
    header = ("half-hour (UTC)", "meter", "kWh", "low", "high", "method", "covered s", "spread s", "revision")
    table = [
        (
            f"{datetime.datetime.fromtimestamp(row['half_hour'], datetime.UTC):%Y-%m-%d %H:%M}",
            row["meter"],
            fixed(kwh(row["measured_uj"] + row["estimated_uj"]), 6),
            *(fixed(kwh(row[name]), 6) for name in AMOUNTS[2:4]),
            row["method"],
            row["covered_seconds"],
            row["spread_seconds"],
            row["revision"],
        )
        for row in rows
    ]
    echo_table(header, table)
