"""`ictagent carbon verify`: a published report on its collector, or an evidence pack anywhere, with no database."""

import time
from pathlib import Path
from typing import Any

import click

from agent.commands.common import echo_json, output_option
from agent.errors import AgentError
from carbon.evidence.pack import pack_sha256
from carbon.evidence.verify import PackError, Problem, unzipped
from carbon.evidence.verify import verify as verify_files
from carbon.units import kilograms
from collector.commands.carbon_options import ORGANISATION, STATE
from collector.commands.common import database_of, plain_errors
from collector.commands.progress import progress_bar
from collector.publishing import latest
from collector.register_queries import find_organisation
from collector.verifying import changed_since, verify_published


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon verify                                  what was published last\n"
    "  ictagent carbon verify 1\n"
    "  ictagent carbon verify --pack ict-2024-evidence.zip     anywhere, with no database"
)
@click.argument("number", type=int, required=False)
@click.option("--pack", type=click.Path(dir_okay=False, path_type=Path), help="A pack's file; no database is opened.")
@ORGANISATION
@STATE
@output_option()
def verify(
    number: int | None, pack: Path | None, organisation: str | None, state_directory: Path | None, output: str
) -> None:
    """Reckon a report anew: every atom from its energy and factor row, every figure from its atoms, to the gram.

    On the collector the ledger's rows, as they were then, are read again and compared too. Exit 1 where anything differs.
    """
    if pack is not None and number is not None:
        raise click.UsageError("give a number or --pack, not both")
    body, words, problems = _alone(pack) if pack is not None else _on_collector(number, organisation, state_directory)
    body["problems"] = [{"file": one.file, "place": one.place, "message": one.message} for one in problems]
    if output == "json":
        echo_json(body)
    else:
        for line in words:
            click.echo(line)
        for one in problems:
            click.echo(f"DIFFERS {': '.join(part for part in (one.file, one.place, one.message) if part)}")
    if problems:
        raise AgentError(f"it does not hold: {len(problems)} difference{'s' * (len(problems) != 1)}")


def _alone(pack: Path) -> tuple[dict[str, Any], list[str], list[Problem]]:
    try:
        files = unzipped(pack.read_bytes())
        found = verify_files(files)
    except OSError as error:
        raise AgentError(f"{pack} cannot be read: {error.strerror}") from error
    except PackError as error:
        raise AgentError(f"{pack.name} does not hold: {error}") from error
    name = pack_sha256(files)
    body = {"pack_sha256": name, "atoms": found.atoms, "figures": found.figures, "electricity_g": found.total_g}
    words = [
        f"pack {name}",
        f"reckoned anew: {found.atoms:,} atoms and {found.figures:,} figures of {kilograms(found.total_g)} kg CO2e",
    ]
    if not found.problems:
        words.append("it holds, to the gram")
        words.append(
            "that it is the published one: compare the pack's SHA-256 with the one that its publisher told you"
        )
    return body, words, list(found.problems)


def _on_collector(
    number: int | None, organisation: str | None, state_directory: Path | None
) -> tuple[dict[str, Any], list[str], list[Problem]]:
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        number = number if number is not None else latest(connection, organisation_id).id
        with progress_bar("reading the ledger") as progress:
            found = verify_published(connection, organisation_id, number, progress)
        changed = None if found.problems else changed_since(connection, organisation_id, number, int(time.time()))
    late = sum(changed for _, changed in found.late)
    body: dict[str, Any] = {
        "id": number,
        "atoms": found.pack.atoms,
        "figures": found.pack.figures,
        "electricity_g": found.pack.total_g,
        "ledger_months": found.ledger_months,
        "ledger_rows": found.ledger_rows,
        "late_half_hours": late,
        "changed_figures": None if changed is None else len(changed.figures),
        "notes": list(found.notes),
    }
    words = [
        f"report {number}",
        f"reckoned anew: {found.pack.atoms:,} atoms and {found.pack.figures:,} figures of "
        f"{kilograms(found.pack.total_g)} kg CO2e",
        f"compared by SHA-256: {found.ledger_rows:,} ledger rows in {found.ledger_months:,} meter-months",
        *found.notes,
    ]
    if late:
        words.append(f"{late:,} half-hours came or changed since, and are not in it")
    if changed is not None:
        words.append(
            f"reckoned from today's ledger, estate and factors, {len(changed.figures):,} figures would be others: "
            f"ictagent carbon restate {number} --dry-run lists them"
            if changed.figures or changed.old_total_g != changed.new_total_g
            else "reckoned from today's ledger, estate and factors: every figure is the same"
        )
        words.append("it holds, to the gram")
    return body, words, list(found.problems)
