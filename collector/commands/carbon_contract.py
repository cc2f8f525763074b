"""`ictagent carbon contract`: contracts of supply and what proves them, for market-based Scope 2."""

import datetime
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from agent.commands.common import echo_json, echo_table
from agent.commands.common import output_option as output
from collector.commands.carbon_market_rates import rates
from collector.commands.carbon_options import DAY, DOCUMENT, NUMBER, ORGANISATION, REASON, STATE
from collector.commands.common import actor, database_of, moment, plain_errors
from collector.contracts import (
    KeptContract,
    NewContract,
    NewRego,
    add_contract,
    add_mix,
    add_rego,
    contracts,
    end_contract,
    find_contract,
    withdraw_evidence,
)
from collector.documents import read_document
from collector.register_queries import find_organisation
from collector.taking import Who


@click.group()
def contract() -> None:
    """Contracts of electricity supply with their evidence, by which Scope 2 is market-based.

    \b
    Examples:
      ictagent carbon contract add "Corporate 2025" --supplier "Acme Energy" --from 2025-04-01 --document contract.pdf
      ictagent carbon contract rego "Corporate 2025" --year 2025 --quantity-kwh 900000 --supplied-kwh 1200000 \\
        --retired-on 2026-07-01 --kg-per-kwh 0 --document regos.pdf
      ictagent carbon contract rates --from FY2025
    """


contract.add_command(rates)


@contract.command(
    epilog="\b\nExample:\n"
    '  ictagent carbon contract add "Corporate 2025" --supplier "Acme Energy" --from 2025-04-01 '
    '--site "Town Hall" --site Library --document contract.pdf'
)
@click.argument("name")
@click.option("--supplier", required=True, help="Who supplies.")
@click.option("--tariff", default="", help="The tariff's name at the supplier; default: none.")
@click.option("--from", "first", type=DAY, required=True, help="First day of supply.")
@click.option("--to", "last", type=DAY, help="Last day of supply; it goes on without.")
@click.option("--site", "sites", multiple=True, help="A site that it supplies; all sites without. Repeatable.")
@DOCUMENT
@ORGANISATION
@STATE
def add(
    name: str,
    supplier: str,
    tariff: str,
    first: datetime.datetime,
    last: datetime.datetime | None,
    sites: tuple[str, ...],
    document: Path,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Keep a contract. By itself it proves nothing of where its electricity comes from: add certificates or a mix."""
    new = NewContract(name, supplier, tariff, sites, first.date(), last.date() if last else None)
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id = find_organisation(connection, organisation)[0]
        add_contract(connection, organisation_id, new, read_document(document), _who())
    click.echo(f"{name} is kept; add what proves its electricity: ictagent carbon contract rego, or mix")


@contract.command(
    epilog="\b\nExample:\n"
    '  ictagent carbon contract rego "Corporate 2025" --year 2025 --quantity-kwh 900000 --supplied-kwh 1200000 '
    "--retired-on 2026-07-01 --kg-per-kwh 0 --document regos.pdf"
)
@click.argument("name")
@click.option("--year", type=int, required=True, help="The year of the certificates: 1 April of it to 31 March.")
@click.option(
    "--quantity-kwh", type=NUMBER, required=True, help="What certificates were retired for the contract, kWh."
)
@click.option("--supplied-kwh", type=NUMBER, required=True, help="All that the contract supplied in that year, kWh.")
@click.option("--retired-on", type=DAY, required=True, help="When they were retired.")
@click.option("--kg-per-kwh", type=NUMBER, required=True, help="The factor that the evidence states, kgCO2e per kWh.")
@DOCUMENT
@ORGANISATION
@STATE
def rego(
    name: str,
    year: int,
    quantity_kwh: Decimal,
    supplied_kwh: Decimal,
    retired_on: datetime.datetime,
    kg_per_kwh: Decimal,
    document: Path,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Certificates (REGO) retired for a contract: they cover a part of each of its months of that year, up to all of it."""
    new = NewRego(year, quantity_kwh, supplied_kwh, retired_on.date(), kg_per_kwh)
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id = find_organisation(connection, organisation)[0]
        made = add_rego(connection, organisation_id, name, new, read_document(document), _who())
    click.echo(f"evidence {made}: certificates of {min(Decimal(1), quantity_kwh / supplied_kwh):.1%} of {name}")


@contract.command(
    epilog="\b\nExample:\n"
    '  ictagent carbon contract mix "Corporate 2025" --from 2024-04-01 --to 2025-03-31 --kg-per-kwh 0.142 '
    "--document fuel-mix.pdf"
)
@click.argument("name")
@click.option("--from", "first", type=DAY, required=True, help="First day of the disclosed period.")
@click.option("--to", "last", type=DAY, required=True, help="Its last day.")
@click.option("--kg-per-kwh", type=NUMBER, required=True, help="The disclosed factor, kgCO2e per kWh.")
@DOCUMENT
@ORGANISATION
@STATE
def mix(
    name: str,
    first: datetime.datetime,
    last: datetime.datetime,
    kg_per_kwh: Decimal,
    document: Path,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """The supplier's disclosed mix of the contract's tariff, for what certificates do not cover."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id = find_organisation(connection, organisation)[0]
        period, proof = (first.date(), last.date()), read_document(document)
        made = add_mix(connection, organisation_id, name, period, kg_per_kwh, proof, _who())
    click.echo(f"evidence {made}: the disclosed mix of {name}, {kg_per_kwh} kgCO2e per kWh")


@contract.command("list", epilog="\b\nExample:\n  ictagent carbon contract list --output json")
@ORGANISATION
@STATE
@output()
def list_contracts(organisation: str | None, state_directory: Path | None, output: str) -> None:
    """Every contract with its sites, days and evidence."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        found = contracts(connection, find_organisation(connection, organisation)[0])
    if output == "json":
        echo_json([_json(one) for one in found])
        return
    if not found:
        click.echo("there is no contract: ictagent carbon contract add NAME", err=True)
        return
    table = [
        (
            one.row.name,
            one.row.supplier,
            one.row.tariff,
            one.row.first_day,
            one.row.last_day or "",
            ", ".join(one.sites) or "all",
            sum(1 for piece in one.evidence if piece.withdrawn_at is None),
        )
        for one in found
    ]
    echo_table(("contract", "supplier", "tariff", "from", "to", "sites", "evidence"), table)


@contract.command(epilog='\b\nExample:\n  ictagent carbon contract show "Corporate 2025"')
@click.argument("name")
@ORGANISATION
@STATE
@output()
def show(name: str, organisation: str | None, state_directory: Path | None, output: str) -> None:
    """A contract with all its evidence, what was withdrawn too."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        found = find_contract(connection, find_organisation(connection, organisation)[0], name)
    if output == "json":
        echo_json(_json(found))
        return
    row = found.row
    click.echo(f"{row.name}: {row.supplier} {row.tariff}".strip())
    click.echo(f"from {row.first_day} to {row.last_day or 'today and on'}; sites: {', '.join(found.sites) or 'all'}")
    click.echo(f"document {row.document}, SHA-256 {row.document_sha256}; {row.actor}, {moment(row.added_at)}")
    table = [
        (
            one.id,
            one.kind.replace("_", " "),
            f"{one.first_day} to {one.last_day}",
            one.kg_per_kwh,
            f"{one.quantity_kwh} of {one.supplied_kwh} kWh, retired {one.retired_on}" if one.kind == "rego" else "",
            one.document,
            one.document_sha256[:12],
            "" if one.withdrawn_at is None else f"withdrawn: {one.withdrawn_reason}",
        )
        for one in found.evidence
    ]
    if table:
        echo_table(("evidence", "kind", "period", "kg/kWh", "quantity", "document", "SHA-256", ""), table)
    else:
        click.echo("no evidence: its kilowatt-hours take the residual mix, or the location's factor", err=True)


@contract.command(
    epilog='\b\nExample:\n  ictagent carbon contract end "Corporate 2025" --on 2026-09-30 --reason "change of supplier"'
)
@click.argument("name")
@click.option("--on", "last", type=DAY, required=True, help="Last day of supply.")
@REASON
@ORGANISATION
@STATE
def end(
    name: str, last: datetime.datetime, reason: str, organisation: str | None, state_directory: Path | None
) -> None:
    """Let a contract end: the days after it are without it. Its evidence stays."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id = find_organisation(connection, organisation)[0]
        end_contract(connection, organisation_id, name, last.date(), reason, _who())
    click.echo(f"{name} ends on {last:%Y-%m-%d}")


@contract.command(epilog='\b\nExample:\n  ictagent carbon contract withdraw 3 --reason "the certificates were resold"')
@click.argument("evidence_id", metavar="EVIDENCE", type=int)
@REASON
@ORGANISATION
@STATE
def withdraw(evidence_id: int, reason: str, organisation: str | None, state_directory: Path | None) -> None:
    """Let certificates or a mix count no longer; they stay in the list. To correct one: withdraw it and add it anew."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id = find_organisation(connection, organisation)[0]
        withdraw_evidence(connection, organisation_id, evidence_id, reason, _who())
    click.echo(f"evidence {evidence_id} is withdrawn")


def _json(one: KeptContract) -> dict[str, Any]:
    evidence = [{**row._asdict(), "added_at": moment(row.added_at)} for row in one.evidence]
    return {**one.row._asdict(), "added_at": moment(one.row.added_at), "sites": list(one.sites), "evidence": evidence}


def _who() -> Who:
    return Who(actor(), int(time.time()))
