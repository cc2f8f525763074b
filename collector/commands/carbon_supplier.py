"""`ictagent carbon supplier`: who supplies, what they promise, and how their devices stand beside each other."""

import datetime
import time
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from carbon.league import Standing
from carbon.units import kilograms, kwh_exact
from carbon.wording import figure, mass_words
from collector.commands.carbon_options import DAY, ORGANISATION, STATE
from collector.commands.carbon_period import Months, period_options
from collector.commands.carbon_reading import read_report
from collector.commands.common import actor, database_of, echo_csv, moment, plain_errors
from collector.database.lines import PCF_STATES, SUPPLIES
from collector.documents import read_document
from collector.register_queries import find_organisation
from collector.supplier_league import supplier_league
from collector.suppliers import FIELDS, Supplier, find_supplier, set_supplier, suppliers
from collector.taking import Who

_NAMES = ("supplier", *FIELDS, "vendors", "document", "sha256", "as at", "by")


@click.group()
def supplier() -> None:
    """Suppliers of goods and services: contracts, carbon plans, footprints asked for, and a league of their devices.

    \b
    Examples:
      ictagent carbon supplier set "Acme IT" --vendor Dell --contract C-2024-17 --pcf-state asked --next 2026-09-30
      ictagent carbon supplier league --from FY2025
    """


@supplier.command(
    "set",
    epilog="\b\nExamples:\n"
    '  ictagent carbon supplier set "Acme IT" --supplies goods --vendor Dell --vendor HP --contract C-2024-17 '
    "--contract-end 2028-03-31\n"
    '  ictagent carbon supplier set "Acme IT" --carbon-plan "net zero plan 2025, PPN 06/21" --target-year 2040 '
    "--document plan.pdf\n"
    '  ictagent carbon supplier set "Acme IT" --pcf-state asked --pcf-date 2026-06-01 --next 2026-09-30',
)
@click.argument("name")
@click.option("--supplies", type=click.Choice(SUPPLIES), help="Goods, services or both.")
@click.option(
    "--vendor", "vendors", multiple=True, help="A maker whose devices it sells; again for more. They replace all."
)
@click.option("--contract", help="The contract's number or name.")
@click.option("--contract-end", type=DAY, help="When it ends.")
@click.option("--carbon-plan", help="Its carbon reduction plan: title, or where it is published.")
@click.option("--target-year", type=click.IntRange(2020, 2100), help="By which year it says that it is at net zero.")
@click.option("--pcf-state", type=click.Choice(PCF_STATES), help="Product carbon footprints of what it sells.")
@click.option("--pcf-date", type=DAY, help="When they were received, or asked for.")
@click.option("--next", "next_date", type=DAY, help="When to look at it again.")
@click.option("--note", help="Anything else.")
@click.option("--document", type=click.Path(path_type=Path), help="Evidence of plan, target or footprint.")
@ORGANISATION
@STATE
def set_(
    name: str,
    supplies: str | None,
    vendors: tuple[str, ...],
    contract: str | None,
    contract_end: datetime.datetime | None,
    carbon_plan: str | None,
    target_year: int | None,
    pcf_state: str | None,
    pcf_date: datetime.datetime | None,
    next_date: datetime.datetime | None,
    note: str | None,
    document: Path | None,
    organisation: str | None,
    state_directory: Path | None,
) -> None:
    """Add a supplier, or say what is new of it; what is not given stays. What stood before is in the audit log."""
    days = (contract_end, pcf_date, next_date)
    ends, asked, again = (None if one is None else one.date().isoformat() for one in days)
    year = None if target_year is None else str(target_year)
    given = (supplies, contract, ends, carbon_plan, year, pcf_state, asked, again, note)
    changes = {field: value for field, value in zip(FIELDS, given, strict=True) if value is not None}
    with database_of(state_directory) as database, plain_errors():
        evidence = None if document is None else read_document(document)
        with database.write() as connection:
            organisation_id, *_ = find_organisation(connection, organisation)
            who = Who(actor(), int(time.time()))
            set_supplier(connection, organisation_id, name, changes, vendors or None, evidence, who)
    click.echo(f"{name} is in the register", err=True)


@supplier.command(
    "list", epilog="\b\nExamples:\n  ictagent carbon supplier list\n  ictagent carbon supplier list --due"
)
@click.option("--due", is_flag=True, help="Those whose next date has come, or whose contract is over.")
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def list_suppliers(due: bool, organisation: str | None, state_directory: Path | None, output: str) -> None:
    """Every supplier as it stands."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        found = suppliers(connection, organisation_id)
    if due:
        found = [one for one in found if any(len(day) > 0 and day <= today for day in _dates(one))]
    rows = [_row(one) for one in found]
    if output == "json":
        echo_json([_told(one) for one in found])
    elif output == "csv":
        echo_csv(_NAMES, rows)
    elif rows:
        shown = ("supplier", "supplies", "contract", "contract_end", "target_year", "pcf_state", "next_date", "vendors")
        echo_table(
            [name.replace("_", " ") for name in shown],
            [[dict(zip(_NAMES, row, strict=True))[name] for name in shown] for row in rows],
        )
    else:
        click.echo("nothing is due" if due else "no suppliers are in the register", err=True)


@supplier.command(epilog='\b\nExample:\n  ictagent carbon supplier show "Acme IT"')
@click.argument("name")
@ORGANISATION
@STATE
@output_option()
def show(name: str, organisation: str | None, state_directory: Path | None, output: str) -> None:
    """All that is known of one supplier."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        told = _told(find_supplier(connection, organisation_id, name))
    if output == "json":
        echo_json(told)
        return
    for key, value in told.items():
        words = ", ".join(value) if isinstance(value, list) else value
        if words:
            click.echo(f"{key.replace('_', ' ')}: {words}")


@supplier.command(
    epilog="\b\nExamples:\n"
    "  ictagent carbon supplier league --from FY2025\n"
    "  ictagent carbon supplier league --from FY2024 --to FY2025 --output csv > league.csv"
)
@period_options
@ORGANISATION
@STATE
@output_option("table", "json", "csv")
def league(
    first: Months | None, last: Months | None, organisation: str | None, state_directory: Path | None, output: str
) -> None:
    """Devices in use, kWh, CO2e, embodied carbon and age by supplier; makers without one by their own name.

    kWh and CO2e add up to the report's. A class by profile is divided by the number of its devices.
    """
    report = read_report(first, last, organisation, state_directory)
    now = int(time.time())
    today = datetime.datetime.fromtimestamp(now, datetime.UTC).date()
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        found = supplier_league(connection, organisation_id, report, today, now)
    heads = ("supplier", "devices", "kwh", "kgco2e", "embodied_kgco2e", "mean_age_years", "devices_with_a_date")
    rows = [_standing(one) for one in found]
    if output == "json":
        made = [dict(zip(heads, row, strict=True)) for row in rows]
        echo_json({"from": report.first_month, "to": report.last_month, "rows": made})
    elif output == "csv":
        echo_csv(heads, rows)
    elif rows:
        shown = [
            (
                *(one.supplier or "(not known)", one.devices, figure(kwh_exact(one.energy_uj), 3)),
                *(mass_words(kilograms(one.grams)), mass_words(kilograms(one.embodied_g))),
                "" if one.age_years is None else f"{float(one.age_years):.1f}",
            )
            for one in found
        ]
        echo_table(("supplier", "devices", "kWh", "CO2e of use", "embodied (management)", "mean age, years"), shown)
        click.echo(f"\n{report.first_month} to {report.last_month}; use and embodied carbon are not added", err=True)
    else:
        click.echo("no devices in these months", err=True)


def _standing(one: Standing) -> tuple[str, int, str, str, str, str, int]:
    age = "" if one.age_years is None else f"{float(one.age_years):.2f}"
    carbon = (f"{kilograms(one.grams):f}", f"{kilograms(one.embodied_g):f}")
    return (one.supplier, one.devices, f"{kwh_exact(one.energy_uj):f}", *carbon, age, one.dated)


def _dates(one: Supplier) -> tuple[str, str]:
    return one.row.next_date, one.row.contract_end


def _row(one: Supplier) -> tuple[str, ...]:
    row = one.row
    fields = (getattr(row, name) for name in FIELDS)
    proof = (row.document, row.document_sha256, moment(row.added_at), row.actor)
    return (row.name, *fields, "; ".join(one.vendors), *proof)


def _told(one: Supplier) -> dict[str, str | list[str]]:
    return {**dict(zip(_NAMES, _row(one), strict=True)), "vendors": list(one.vendors)}
