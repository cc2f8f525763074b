"""`ictagent estate totals|coverage`: the estate's energy by any key, and how much of the estate is known."""

import csv
import datetime
import sys
import time
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from agent.commands.common import echo_json, echo_table, output_option
from carbon.calendar import local_day
from carbon.poe_ports import FED_CLASSES
from carbon.uncertainty import CONFIDENCE
from carbon.wording import figure, percent
from collector.commands.common import database_of, plain_errors
from collector.estate_coverage import CoverageRow, estate_coverage
from collector.estate_totals import EstateTotal, EstateTotals, Range, estate_totals, figures, kwh
from collector.poe_fed import OTHERWISE, WHY, fed_words
from collector.register_queries import find_organisation
from collector.tables.csv_file import spreadsheet_cell

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
_ORGANISATION = click.option("--organisation", help="One organisation alone.")
_MONTH = click.DateTime(["%Y-%m"])
BY = {
    "month": "month",
    "organisation": "organisation",
    "site": "site",
    "space": "space",
    "directorate": "directorate",
    "class": "device_class",
    "category": "service_category",
    "school": "school",
}
"""What `--by` may name, and the field of a row that it is."""


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent estate totals                                 this month by site\n"
    "  ictagent estate totals --by class --from 2026-04 --to 2026-10\n"
    "  ictagent estate totals --by site --by month --output csv > sites.csv"
)
@click.option(
    "--by", "names", type=click.Choice(list(BY)), multiple=True, help="What to add up by; may be given again."
)
@click.option("--from", "first", type=_MONTH, help="First month, such as 2026-04; this month without.")
@click.option("--to", "last", type=_MONTH, help="Last month; the first, or this month.")
@_ORGANISATION
@_STATE
@output_option("table", "json", "csv")
def totals(
    names: tuple[str, ...],
    first: datetime.datetime | None,
    last: datetime.datetime | None,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Energy of the whole estate in kWh, each kilowatt-hour once.

    Measured and estimated are of devices with readings, unexplained is what meters of ICT read beyond their known
    devices, profile is by class profiles, overhead is cooling and losses by PUE. Homes are apart. Ranges are at 95%.
    """
    keys = names or ("site",)
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        first_month, last_month, ids = _range(connection, first, last, organisation, now)
        found = estate_totals(connection, first_month, last_month, now, ids)
    rows = found.by(*(BY[name] for name in keys))
    if output == "json":
        echo_json(
            {
                "from": first_month,
                "to": last_month,
                "confidence": CONFIDENCE,
                "rows": [{**_named(keys, key), **amounts(total)} for key, total in rows.items()],
                "total": amounts(_sum(found)),
                "schools_left_out": [amounts(total) for total in _left_out(found)],
            }
        )
    elif output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([*keys, *amounts(EstateTotal())])
        for key, total in rows.items():
            writer.writerow([*(spreadsheet_cell(_word(one)) for one in key), *amounts(total).values()])
    else:
        _show(keys, rows, found, first_month, last_month)


def _range(
    connection: Connection,
    first: datetime.datetime | None,
    last: datetime.datetime | None,
    organisation: str | None,
    now: int,
) -> tuple[str, str, list[int] | None]:
    organisation_id, _, time_zone = find_organisation(connection, organisation)
    this = f"{local_day(now - now % 1800, time_zone):%Y-%m}"
    first_month = f"{first:%Y-%m}" if first else f"{last:%Y-%m}" if last else this
    last_month = f"{last:%Y-%m}" if last else this
    if last_month < first_month:
        raise click.UsageError(f"--from {first_month} lies after --to {last_month}")
    return first_month, last_month, None if organisation is None else [organisation_id]


def amounts(total: EstateTotal) -> dict[str, str]:
    """A row's figures: kWh to the microjoule with their ranges, and the part of the time with readings."""
    return {**figures(total), "confidence": CONFIDENCE, "time_coverage": f"{total.time_coverage:.6f}"}


def _named(names: tuple[str, ...], key: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(names, key, strict=True))


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _sum(found: EstateTotals) -> EstateTotal:
    whole = EstateTotal()
    for total in found.rows.values():
        whole += total
    return whole


def _left_out(found: EstateTotals) -> list[EstateTotal]:
    whole = EstateTotal()
    for total in found.left_out.values():
        whole += total
    return [whole] if found.left_out else []


def _show(
    names: tuple[str, ...],
    rows: dict[tuple[Any, ...], EstateTotal],
    found: EstateTotals,
    first_month: str,
    last_month: str,
) -> None:
    if not rows:
        click.echo("nothing is known of that time", err=True)
        return
    table = [(*(_word(one) or "-" for one in key), *_figures(total)) for key, total in rows.items()]
    table.append((*("total" if place == 0 else "" for place in range(len(names))), *_figures(_sum(found))))
    click.echo(f"kWh, {first_month} to {last_month}" if first_month != last_month else f"kWh, {first_month}")
    heads = ("measured", "estimated", "unexplained", "profile", "all ICT", "overhead", "homes", "time covered")
    echo_table((*names, *heads), table)
    whole = _sum(found)
    click.echo(f"\nall ICT: {_with_range(whole, 'ict')}; with overhead: {_with_range(whole, 'with_overhead')}")
    click.echo(f"homes, apart: {_with_range(whole, 'home')} (ranges at {CONFIDENCE})")
    for total in _left_out(found):
        click.echo(f"\nschools are outside of the boundary: {figure(float(kwh(total.it_uj)), 3)} kWh are left out")


def _figures(total: EstateTotal) -> tuple[str, ...]:
    order = ("measured_uj", "estimated_uj", "unexplained_uj", "profile_uj")
    amounts = (_short(getattr(total, name)) for name in order)
    coverage = percent(total.time_coverage) if total.possible_seconds else ""
    low, high = total.range_uj("ict")
    it = f"{_short(total.it_uj)} ({_short(low)} to {_short(high)})"
    return (*amounts, it, _short(total.overhead_uj), _short(total.home_uj), coverage)


def _with_range(total: EstateTotal, of: Range) -> str:
    low, high = total.range_uj(of)
    return f"{_short(total.amount_uj(of))} kWh, {_short(low)} to {_short(high)}"


def _short(amount_uj: int) -> str:
    return figure(float(kwh(amount_uj)), 3)


@click.command(
    epilog="\b\nExamples:\n  ictagent estate coverage\n  ictagent estate coverage --month 2026-10 --output csv"
)
@click.option("--month", type=_MONTH, help="At the end of this month; now without.")
@_ORGANISATION
@_STATE
@output_option("table", "json", "csv")
def coverage(
    month: datetime.datetime | None, organisation: str | None, state_directory: Path | None, output: str
) -> None:
    """Registered devices in use by class: measured, estimated, by class profile, absent; and what was seen beside them.

    Time covered is the part of the month for which there are readings, of devices that can be read.
    """
    now = int(time.time())
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        _, at, ids = _range(connection, None, month, organisation, now)
        rows = estate_coverage(connection, at, now, ids)
        times = estate_totals(connection, at, at, now, ids).by("organisation", "device_class")
    heads = (
        "organisation",
        "class",
        "registered",
        "measured",
        "estimated",
        "profile",
        "absent",
        "seen, not registered",
        "time covered",
        "measured at PoE ports",
    )
    table = [(*_coverage(row), _time(times.get((row.organisation, row.device_class))), row.fed) for row in rows]
    if output == "json":
        names = [head.replace(", ", "_").replace(" ", "_").lower() for head in heads]
        echo_json([dict(zip(names, row, strict=True)) for row in table])
    elif output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows([spreadsheet_cell("" if cell is None else str(cell)) for cell in row] for row in table)
    elif table:
        shown = [(*row[:-2], "" if row[-2] is None else percent(row[-2])) for row in table]
        echo_table(heads[:-1], shown)
        if fed := fed_words({name: sum(one.fed for one in rows if one.device_class == name) for name in FED_CLASSES}):
            click.echo(f"\nmeasured by their switches alone: {fed}, as {WHY}\n{OTHERWISE}")
    else:
        click.echo("no register has been imported, and no device was seen", err=True)


def _time(total: EstateTotal | None) -> float | None:
    """The part of the time with readings, 0 to 1; None of devices that cannot be read."""
    return None if total is None or not total.possible_seconds else round(total.time_coverage, 6)


def _coverage(row: CoverageRow) -> tuple[Any, ...]:
    return (
        row.organisation,
        row.device_class,
        row.registered,
        row.measured,
        row.estimated,
        row.profile,
        row.absent,
        row.seen_not_registered,
    )
