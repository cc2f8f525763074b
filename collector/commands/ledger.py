"""`ictagent ledger show`: the half-hours of a device as the ledger has them."""

import datetime
from pathlib import Path

import click
from sqlalchemy import select

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import day_bounds
from carbon.units import kwh
from collector.commands.common import database_of, plain_errors
from collector.database.schema import meter
from collector.device_energy import ledger_rows, rules_of
from collector.estate import find_device
from collector.ledger import AMOUNTS
from collector.segments import load_segments


@click.group()
def ledger() -> None:
    """Read the half-hour ledger.

    \b
    Example:
      ictagent ledger show web01 --day 2026-11-23
    """


@ledger.command(epilog="\b\nExample:\n  ictagent ledger show web01 --day 2026-11-23 --output json")
@click.argument("device")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Local day; today without it.")
@click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
@output_option()
def show(device: str, day: datetime.datetime | None, state_directory: Path | None, output: str) -> None:
    """The rows of a device's accounting meters in one local day, with what each rests on."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        device_id = find_device(connection, device)
        rules = rules_of(connection, device_id)
        now = int(datetime.datetime.now(datetime.UTC).timestamp())
        start, end = day_bounds(day.date() if day else rules.day(now - now % 1800), rules.time_zone)
        segments = load_segments(connection, start, end, [device_id])
        ids = {meter_id for segment in segments for meter_id in segment.meter_ids}
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
            f"{kwh(row['measured_uj'] + row['estimated_uj']):.6f}",
            *(f"{kwh(row[name]):.6f}" for name in AMOUNTS[2:4]),
            row["method"],
            row["covered_seconds"],
            row["spread_seconds"],
            row["revision"],
        )
        for row in rows
    ]
    echo_table(header, table)
