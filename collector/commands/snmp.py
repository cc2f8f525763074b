"""`ictagent snmp`: devices that are polled: add, remove, list, test; `read` is in snmp_read."""

import asyncio
import csv
import time
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import click

from agent.commands.common import echo_json, echo_table, output_option
from agent.errors import AgentError
from collector.commands.common import actor, collector_id, database_of, plain_errors, settings_in, split_address
from collector.commands.snmp_discover import discover
from collector.commands.snmp_events import events
from collector.commands.snmp_path import path
from collector.commands.snmp_read import read
from collector.database.estate import SPACE_KINDS
from collector.errors import BadRequest, CollectorError
from collector.settings import credentials_directory
from collector.snmp.client import Endpoint, SnmpClient
from collector.snmp.devices import (
    NewDevice,
    add_device,
    find_polled,
    polled_devices,
    remove_device,
    restore_device,
)
from collector.snmp.named_credentials import named
from collector.snmp.opening import open_client
from collector.snmp.profile_files import profiles
from collector.snmp.reader import read_device

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
_COLUMNS = tuple(one.name for one in fields(NewDevice))


@click.group()
def snmp() -> None:
    """Network devices, UPSs and PDUs that the collector polls.

    \b
    Examples:
      ictagent snmp read 10.1.2.3
      ictagent snmp discover 10.1.0.0/24
      ictagent snmp add 10.1.2.3 --credential switches --site "County Hall"
      ictagent snmp add --file devices.csv --dry-run
      ictagent snmp list
      ictagent snmp test 10.1.2.3
      ictagent snmp events --since 24h
    """


snmp.add_command(discover)
snmp.add_command(events)
snmp.add_command(path)
snmp.add_command(read)


@snmp.command(
    "add",
    epilog="\b\nExamples:\n  ictagent snmp add 10.1.2.3 --credential switches --site 'County Hall'\n"
    "  ictagent snmp add --file devices.csv --dry-run\n"
    "  ictagent snmp add 10.1.2.4 --organisation 'Example District Council' --site Depot",
)
@click.argument("host", required=False)
@click.option("--file", "file", type=click.Path(path_type=Path), help="CSV with a row each.")
@click.option("--credential", default="public", show_default=True, help="Name of the credential it is asked with.")
@click.option("--name", default="", help="Name to show; else the device's own.")
@click.option("--organisation", default="", help="Whose it is; the first organisation's without.")
@click.option("--site", default="", help="Site where it stands.")
@click.option("--space", default="", help="Space of that site.")
@click.option("--space-kind", type=click.Choice(SPACE_KINDS), help="Kind of a space that is new.")
@click.option(
    "--managed/--no-managed",
    default=True,
    show_default=True,
    help="Whether the access points that it manages become devices of the estate.",
)
@click.option("--dry-run", is_flag=True, help="Check and say what would be added; add nothing.")
@_STATE
def add(
    host: str | None,
    file: Path | None,
    credential: str,
    name: str,
    organisation: str,
    site: str,
    space: str,
    space_kind: str | None,
    managed: bool,
    dry_run: bool,
    state_directory: Path | None,
) -> None:
    """Have the collector poll a device, HOST or HOST:PORT, or every row of a CSV file.

    The file's columns are those of this command, by name: host (needed), port, credential, name, organisation, site,
    space, space_kind, power_seconds, utilisation_seconds, inventory_seconds, timeout_seconds, retries, managed (yes or
    no). A row without credential or organisation has that of the option. A wrong row is named with its line, and then
    nothing is added.
    """
    if (host is None) == (file is None):
        raise click.UsageError("give a HOST, or a --file")
    if file is not None:
        wanted_devices = _rows(file, {"credential": credential, "organisation": organisation})
    else:
        address, port = split_address(host or "")
        wanted_devices = [
            (
                0,
                NewDevice(
                    address,
                    port,
                    credential,
                    name,
                    organisation=organisation,
                    site=site,
                    space=space,
                    space_kind=space_kind or "",
                    managed=managed,
                ),
            )
        ]
    directory = credentials_directory(settings_in(state_directory))
    for one in {device.credential for _, device in wanted_devices}:
        named(directory, one)
    added: list[tuple[str, NewDevice]] = []
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        for line, device in wanted_devices:
            try:
                added.append((add_device(connection, device, actor()), device))
            except CollectorError as error:
                where = f"{file}, line {line}: " if line else ""
                raise BadRequest(f"{where}{error.message}; nothing was added", error.remedy) from error
        if dry_run:
            connection.rollback()
    for device_id, device in added:
        click.echo(f"{'would add' if dry_run else f'device {device_id}:'} {device.host}:{device.port}")


def _rows(file: Path, otherwise: Mapping[str, str]) -> list[tuple[int, NewDevice]]:
    """The rows of a CSV file with their lines; what a row leaves empty is `otherwise`'s.

    Raises AgentError naming what is wrong and where.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(f"{file} cannot be read as UTF-8 text ({type(error).__name__})") from error
    reader = csv.DictReader(text.splitlines())
    unknown = sorted(set(reader.fieldnames or []) - set(_COLUMNS) - {"kind"})
    if "host" not in (reader.fieldnames or []) or unknown:
        what = f"the column {unknown[0]!r} is not known" if unknown else "there is no column host"
        raise AgentError(f"{file}: {what}; columns: {', '.join(_COLUMNS)}")
    found = []
    for row in reader:
        given = {name: text.strip() for name, text in row.items() if name and text and text.strip()}
        values: dict[str, Any] = {**otherwise, **given}
        try:
            for name in ("port", "power_seconds", "utilisation_seconds", "inventory_seconds", "retries"):
                if name in values:
                    values[name] = int(values[name])
            if "managed" in values:
                values["managed"] = _yes(values["managed"])
            if "timeout_seconds" in values:
                values["timeout_seconds"] = float(values["timeout_seconds"])
            found.append((reader.line_num, NewDevice(**values)))
        except (ValueError, TypeError) as error:
            raise AgentError(f"{file}, line {reader.line_num}: {error}; nothing was added") from error
    return found


def _yes(word: str) -> bool:
    """A yes or no of a CSV file. Raises ValueError."""
    if word.lower() not in ("yes", "no"):
        raise ValueError(f"managed must be yes or no, and is {word[:20]!r}")
    return word.lower() == "yes"


@snmp.command(
    "remove", epilog="\b\nExamples:\n  ictagent snmp remove 10.1.2.3\n  ictagent snmp remove --undo 4f0a1b2c3d4e"
)
@click.argument("device")
@click.option("--undo", is_flag=True, help="Poll a removed device again, by its device id.")
@_STATE
def remove(device: str, undo: bool, state_directory: Path | None) -> None:
    """Poll a device no longer, and retire it; its history stays. DEVICE is an id, a name or an address."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        if undo:
            restore_device(connection, device, actor(), collector_id(state_directory))
            click.echo(f"device {device} is polled again")
            return
        found = find_polled(connection, device)
        remove_device(connection, found.device_id, actor(), collector_id(state_directory))
    click.echo(
        f"device {found.device_id} ({found.host}) is polled no longer; undo: ictagent snmp remove --undo {found.device_id}"
    )


@snmp.command("list", epilog="\b\nExample:\n  ictagent snmp list --output json")
@click.option("--removed", is_flag=True, help="Those that were removed.")
@_STATE
@output_option()
def list_devices(removed: bool, state_directory: Path | None, output: str) -> None:
    """Every polled device with how its last poll went, and with several collectors which one polls it."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        rows = polled_devices(connection, removed=removed)
    if output == "json":
        echo_json([asdict(row) for row in rows])
        return
    now = int(time.time())
    several = any(row.polled_by for row in rows)
    table = [
        (
            row.device_id,
            f"{row.host}:{row.port}",
            row.name,
            row.kind,
            row.state,
            "never" if row.last_ok_at is None else f"{now - row.last_ok_at} s ago",
            *((row.polled_by,) if several else ()),
            row.last_error,
        )
        for row in rows
    ]
    columns = (
        "device",
        "address",
        "name",
        "kind",
        "state",
        "last read",
        *(("polled by",) if several else ()),
        "problem",
    )
    echo_table(columns, table)


@snmp.command("test", epilog="\b\nExample:\n  ictagent snmp test 10.1.2.3")
@click.argument("device")
@_STATE
def test(device: str, state_directory: Path | None) -> None:
    """Read a polled device once, as the collector would, and say which profiles hold. Nothing is stored."""
    with database_of(state_directory) as database, plain_errors():
        with database.read() as connection:
            found = find_polled(connection, device)
        credential = named(credentials_directory(settings_in(state_directory)), found.credential)
        client = open_client(Endpoint(found.host, found.port, found.timeout_seconds, found.retries), credential)
        asyncio.run(_tried(client))


async def _tried(client: SnmpClient) -> None:
    try:
        found = await read_device(client)
    finally:
        await client.close()
    device = found.device
    click.echo(f"device: {' '.join(filter(None, (device.identity.vendor, device.identity.hardware))) or 'not known'}")
    click.echo(f"profiles: {', '.join(device.profiles) or 'none'}")
    click.echo(f"readings: {len(device.readings)}, interfaces: {len(found.interfaces)}")
    for one in found.diagnoses:
        click.echo(f"{one.code}: {one.words}", err=True)


@snmp.command("profiles", epilog="\b\nExample:\n  ictagent snmp profiles --output json")
@output_option()
def list_profiles(output: str) -> None:
    """The device families that can be read, by the MIBs they are read by."""
    rows = [
        {"name": one.name, "title": one.title, "kind": one.kind, "vendor": one.vendor, "mib": list(one.mib)}
        for one in profiles().values()
    ]
    if output == "json":
        echo_json(rows)
        return
    table = [(row["name"], row["kind"], row["vendor"], ", ".join(row["mib"]), row["title"]) for row in rows]
    echo_table(("profile", "kind", "vendor", "MIB", "title"), sorted(table))
