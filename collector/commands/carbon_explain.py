"""`ictagent carbon explain`: why the footprint changed from one period to another, by causes that add up to the gram."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from agent.commands.common import echo_json, echo_table, output_option
from carbon.explain import CAUSES, Identity
from carbon.explain_words import verdict
from carbon.figures import DIMENSIONS
from carbon.units import kilograms
from carbon.wording import mass_words
from collector.commands.carbon_figure import explain_figure
from collector.commands.carbon_options import ORGANISATION, STATE
from collector.commands.carbon_period import POSSIBLE, Months, read_period
from collector.commands.common import database_of, echo_csv, plain_errors
from collector.explanation import Explained, by_dimension, explained, largest
from collector.power_view import device_names
from collector.register_queries import find_organisation


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon explain --from FY2024 --to FY2025\n"
    "  ictagent carbon explain --from 2025-06 --to 2026-06 --top 5\n"
    "  ictagent carbon explain --from FY2024 --to FY2025 --by site --output csv > why.csv\n"
    '  ictagent carbon explain --figure "site=County Hall/s2_generation"\n'
    "  ictagent carbon explain --figure total/all --report 1 --output csv > half-hours.csv"
)
@click.option("--from", "before", callback=read_period, metavar="PERIOD", help=f"Earlier: {POSSIBLE}.")
@click.option("--to", "after", callback=read_period, metavar="PERIOD", help="Later, in the same form.")
@click.option(
    "--figure", metavar="ID", help="Instead: walk a published figure back, named as in the pack's figures.csv."
)
@click.option("--report", "number", type=int, help="With --figure: of which published report; the last one's without.")
@click.option("--by", "dimension", type=click.Choice(list(DIMENSIONS)), help="The causes of each part too.")
@click.option(
    "--top", type=click.IntRange(0, 1000), default=0, help="Of each cause so many devices that are most of it."
)
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def explain(
    before: Months | None,
    after: Months | None,
    figure: str | None,
    number: int | None,
    dimension: str | None,
    top: int,
    organisation: str | None,
    state_directory: Path | None,
    output: str,
) -> None:
    """Why the footprint changed: devices, measuring, coverage, gaps, PUE, the grid; each with its part of the change.

    Whole months are compared that both periods have. The parts add up to the change to the gram.

    With --figure, one figure of a published report is walked back instead: to its device-months, the factor rows of the
    Government's file, and the ledger's rows as they were published (csv: every half-hour).
    """
    if figure is not None:
        if before is not None or after is not None or dimension is not None or top:
            raise click.UsageError("--figure stands alone, with --report at most")
        explain_figure(figure, number, organisation, state_directory, output)
        return
    if before is None or after is None:
        raise click.UsageError("give --from and --to, or --figure")
    if number is not None:
        raise click.UsageError("--report belongs to --figure")
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, _, _ = find_organisation(connection, organisation)
        found = explained(connection, organisation_id, before, after, int(time.time()))
        parts = by_dimension(found, dimension) if dimension else {}
        most = _most(connection, found, top)
    if output == "json":
        echo_json(_body(found, dimension, parts, most))
    elif output == "csv":
        _echo_csv(found, dimension, parts)
    else:
        _show(found, dimension, parts, most)


def _most(connection: Connection, found: Explained, top: int) -> dict[str, list[tuple[str, int]]]:
    """By cause, of whom it is most, by name."""
    by_cause = {cause: largest(found, cause, top) for cause in CAUSES} if top else {}
    ids = {identity[1] for rows in by_cause.values() for identity, _ in rows if identity[0] == "device"}
    names = device_names(connection, ids)
    return {cause: [(_name(one, names), grams) for one, grams in rows] for cause, rows in by_cause.items() if rows}


def _name(identity: Identity, names: Mapping[str, str]) -> str:
    """What a subject is called: a device by its name, a class by its place, a line by its own."""
    if identity[0] == "device":
        return names.get(identity[1], identity[1])
    if identity[0] == "profile":
        _, _, _, site, _, _, asset_class, _, supply = identity
        return f"{asset_class} by profile, {'at home' if supply == 'home' else site or 'no site'}"
    if identity[0] == "line":
        return identity[1]
    return f"beyond the known devices of {identity[1]}"


def _body(
    found: Explained, dimension: str | None, parts: dict[str, dict[str, int]], most: dict[str, list[tuple[str, int]]]
) -> dict[str, Any]:
    whole = found.explanation
    body: dict[str, Any] = {
        "organisation": found.before.organisation,
        "months": [{"before": before, "after": after} for before, after in found.months.items()],
        "before_g": whole.before_g,
        "after_g": whole.after_g,
        "change_g": whole.change_g,
        "causes_g": whole.causes,
        "words": verdict(whole),
        "year_rule": found.after.year_rule,
        "states": [found.before.state, found.after.state],
    }
    if dimension:
        body["by"] = {"dimension": dimension, "parts_g": parts}
    if most:
        body["largest"] = {
            cause: [{"name": name, "grams": grams} for name, grams in rows] for cause, rows in most.items()
        }
    return body


def _echo_csv(found: Explained, dimension: str | None, parts: dict[str, dict[str, int]]) -> None:
    of = parts or {"": found.explanation.causes}
    rows = [(value, cause, words, kilograms(of[value][cause])) for value in of for cause, words in CAUSES.items()]
    echo_csv((dimension or "part", "cause", "words", "kgco2e"), rows)


def _show(
    found: Explained, dimension: str | None, parts: dict[str, dict[str, int]], most: dict[str, list[tuple[str, int]]]
) -> None:
    whole, firsts, lasts = found.explanation, list(found.months), list(found.months.values())
    click.echo(f"{found.before.organisation}: {firsts[0]} to {firsts[-1]} against {lasts[0]} to {lasts[-1]}")
    click.echo(f"year rule: {found.after.year_rule}; figures are {found.before.state} and {found.after.state}\n")
    rows = [("before", "", kilograms(whole.before_g))]
    rows += [(cause, words, kilograms(whole.causes[cause])) for cause, words in CAUSES.items() if whole.causes[cause]]
    rows += [("after", "", kilograms(whole.after_g)), ("change", "", kilograms(whole.change_g))]
    echo_table(("cause", "what it is", "kg CO2e"), rows)
    if dimension:
        click.echo()
        causes = [cause for cause in CAUSES if whole.causes[cause]]
        table = [
            (value or "-", *(kilograms(of[cause]) for cause in causes), kilograms(sum(of.values())))
            for value, of in parts.items()
        ]
        echo_table((dimension, *causes, "change"), table)
    for cause, subjects in most.items():
        click.echo(f"\n{CAUSES[cause]}:")
        for name, grams in subjects:
            click.echo(f"  {'+' if grams > 0 else '-'}{mass_words(abs(grams) / 1000)}  {name}")
    click.echo(f"\n{verdict(whole)}")
