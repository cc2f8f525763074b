"""`ictagent carbon fills`: the gap log, with what stands in a report for each device's silence and by which method."""

from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.units import kwh_exact
from carbon.wording import figure
from collector.commands.carbon_options import ORGANISATION, STATE
from collector.commands.carbon_period import Months, period_options
from collector.commands.carbon_reading import read_report
from collector.commands.common import echo_csv

_HEADS = ("device", "month", "method", "half_hours", "kwh", "low_kwh", "high_kwh")


@click.command(
    epilog="\b\nExamples:\n  ictagent carbon fills --from FY2024\n"
    "  ictagent carbon fills --from 2025-10 --output csv > gaps.csv"
)
@period_options
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def fills(
    first: Months | None, last: Months | None, organisation: str | None, state_directory: Path | None, output: str
) -> None:
    """What stands for gaps in the report of a period: half-hours by device, month and method, with energy and band.

    `excluded` are half-hours that nothing stands for: no reading within 28 days, and no class profile.
    """
    found = read_report(first, last, organisation, state_directory)
    amounts = [(one.energy_uj, one.low_uj, one.high_uj) for one in found.fills]
    keys = [(one.device, one.month, one.method, one.half_hours) for one in found.fills]
    exact = [(*key, *(f"{kwh_exact(amount):f}" for amount in of)) for key, of in zip(keys, amounts, strict=True)]
    if output == "json":
        echo_json([dict(zip(_HEADS, row, strict=True)) for row in exact])
    elif output == "csv":
        echo_csv(_HEADS, exact)
    elif not exact:
        click.echo("there are no gaps", err=True)
    else:
        short = [
            (*key, *(figure(kwh_exact(amount), 3) for amount in of)) for key, of in zip(keys, amounts, strict=True)
        ]
        echo_table((*_HEADS[:3], "half-hours", "kWh", "low", "high"), short)
