"""`ictagent carbon explain --figure`: one published figure, walked back to its factor rows and ledger rows."""

import textwrap
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from agent.commands.common import echo_json, echo_table
from carbon.units import kilograms, kwh
from collector.commands.common import database_of, echo_csv, moment, plain_errors
from collector.figure_walk import Step, Walk, half_hours, walk
from collector.ledger_evidence import HASHED
from collector.power_view import device_names
from collector.publishing import latest
from collector.register_queries import find_organisation

_SHOWN = 20
"""Device-months that a table shows; JSON and CSV hold all."""


def explain_figure(
    figure: str, number: int | None, organisation: str | None, state_directory: Path | None, output: str
) -> None:
    """Show the walk: as tables, as JSON with every device-month, or as CSV of the half-hours beneath."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        number = number if number is not None else latest(connection, organisation_id).id
        found = walk(connection, organisation_id, number, figure)
        if output == "csv":
            heads = ("device", "meter", *HASHED)
            echo_csv(heads, ([row[name] for name in heads] for row in half_hours(connection, found)))
            return
        names = device_names(connection, {step.row.activity.subject.device for step in found.steps})
    if output == "json":
        echo_json(_body(found))
    else:
        _show(found, names)


def _body(found: Walk) -> dict[str, Any]:
    return {
        "report": found.report,
        "figure": found.figure,
        "grams": found.grams,
        "device_months": [_step_body(step) for step in found.steps],
    }


def _step_body(step: Step) -> dict[str, Any]:
    activity, market = step.row.activity, step.row.market
    names = ("measured_uj", "estimated_uj", "filled_uj", "overhead_uj", "covered_seconds", "possible_seconds", "source")
    return {
        **asdict(activity.subject),
        **{name: getattr(activity, name) for name in names},
        "pue": activity.pue.value,
        "pue_source": activity.pue.source,
        "grams": step.grams,
        "market": None if market is None else {"kg_per_kwh": str(market.kg_per_kwh), "evidence": market.evidence},
        "factors": [asdict(one) for one in step.factors],
        "ledger": [asdict(one) for one in step.ledger],
    }


def _show(found: Walk, names: Mapping[str, str]) -> None:
    click.echo(f"report {found.report}, {found.figure}: {kilograms(found.grams)} kg CO2e")
    click.echo(f"\n{len(found.steps)} device-months, the largest first:")
    heads = ("month", "who", "site", "kWh measured", "estimated", "filled", "PUE adds", "kg CO2e", "measured by")
    echo_table(heads, [_line(step, names) for step in found.steps[:_SHOWN]])
    factors = dict.fromkeys(one for step in found.steps for one in step.factors)
    if factors:
        click.echo("\nfactor rows:")
        echo_table(
            ("line", "kg CO2e per kWh", "set", "version", "row", "cell", "file's SHA-256"),
            [
                (*(one.line, one.kg_per_kwh, one.factor_set, one.version), one.row_id, one.cell, one.file_sha256)
                for one in factors
            ],
        )
    rates = dict.fromkeys(step.row.market for step in found.steps if step.row.market is not None)
    if found.figure.endswith("/s2_market") and rates:
        click.echo("\ncontract factors:")
        echo_table(("kg CO2e per kWh", "evidence"), [(str(one.kg_per_kwh), one.evidence) for one in rates])
    ledger = [one for step in found.steps[:_SHOWN] for one in step.ledger]
    if ledger:
        click.echo("\nledger rows:")
        echo_table(
            ("month", "device", "meter", "half-hours", "kWh", "from", "revisions", "SHA-256"),
            [
                (
                    *(one.month, names.get(one.device, one.device), f"{one.meter} {one.meter_name}", one.half_hours),
                    f"{kwh(one.measured_uj + one.estimated_uj):.3f}",
                    moment(int(one.rows.partition("*")[0])),
                    ", ".join(sorted({run.rpartition("@")[2] for run in one.rows.split()}, key=int)),
                    one.sha256[:16],
                )
                for one in ledger
            ],
        )
    if len(found.steps) > _SHOWN:
        click.echo(f"\n{len(found.steps) - _SHOWN} more: --output json has all, --output csv their half-hours")


def _line(step: Step, names: Mapping[str, str]) -> tuple[object, ...]:
    activity = step.row.activity
    subject = activity.subject
    energies = (activity.measured_uj, activity.estimated_uj, activity.filled_uj, activity.overhead_uj)
    who = names.get(subject.device, subject.device) or f"{subject.asset_class} by profile ({subject.supply})"
    return (
        *(subject.month, who, subject.site),
        *(f"{kwh(one):.3f}" for one in energies),
        kilograms(step.grams),
        textwrap.shorten(activity.source, 48, placeholder=" ..."),
    )
