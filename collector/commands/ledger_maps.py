"""`ictagent ledger map list|show|save`: how suppliers' files are read, by name."""

import time
from dataclasses import asdict
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from collector.commands.common import actor, database_of, moment, plain_errors
from collector.commands.ledger_options import STATE
from collector.errors import NotFound
from collector.half_hourly.mapping import read_mapping
from collector.supplier_maps import save_mapping, saved_mappings


@click.group("map")
def maps() -> None:
    """Keep how a supplier's files are read, for `ledger import --map NAME`.

    \b
    Example:
      ictagent ledger map save npower npower.toml
    """


@maps.command("save", epilog="\b\nExample:\n  ictagent ledger map save npower npower.toml")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@STATE
def save(name: str, file: Path, state_directory: Path | None) -> None:
    """Keep the mapping of a TOML file by a name, in place of one that was there."""
    with database_of(state_directory) as database, plain_errors():
        mapping = read_mapping(file)
        with database.write() as connection:
            save_mapping(connection, name, mapping, actor(), int(time.time()))
    click.echo(f"saved; use it with: ictagent ledger import FILE --map {name}")


@maps.command("show", epilog="\b\nExample:\n  ictagent ledger map show npower > npower.toml")
@click.argument("name")
@STATE
def show(name: str, state_directory: Path | None) -> None:
    """Write a mapping as TOML."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        saved = {one.name: one for one in saved_mappings(connection)}
        if name not in saved:
            raise NotFound(f"there is no mapping {name}", "see `ictagent ledger map list`")
    click.echo(saved[name].mapping.to_toml(), nl=False)


@maps.command("list", epilog="\b\nExample:\n  ictagent ledger map list --output json")
@STATE
@output_option()
def list_maps(state_directory: Path | None, output: str) -> None:
    """The mappings that are saved."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        saved = saved_mappings(connection)
    if output == "json":
        echo_json([asdict(one) for one in saved])
        return
    if not saved:
        click.echo("no mapping is saved; files are read as their headers tell", err=True)
        return
    rows = [
        (one.name, "; ".join(one.mapping.to_toml().split("\n")).strip("; "), moment(one.saved_at), one.actor)
        for one in saved
    ]
    echo_table(("name", "mapping", "saved at", "by"), rows)
