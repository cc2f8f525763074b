"""`ictagent estate`: devices, where they stand and whose they are; spaces and the organisation beside them."""

import datetime
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from agent.choice import RUNGS
from agent.commands.common import echo_json, echo_table, output_option
from carbon.wording import figure
from collector.commands.common import actor, collector_id, database_of, plain_errors
from collector.commands.estate_meter import meter
from collector.commands.estate_organisation import organisation
from collector.commands.estate_profile import profile
from collector.commands.estate_register import export, import_register, list_imports, reconcile, undo
from collector.commands.estate_site import site
from collector.commands.estate_space import space
from collector.commands.estate_totals import coverage, totals
from collector.commands.estate_tree import show_tree
from collector.database.estate import SPACE_KINDS
from collector.estate import Placement, find_device, place
from collector.estate import retire as retire_device
from collector.queries import DeviceRow, device_detail, devices

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")


@click.group()
def estate() -> None:
    """Devices: where they stand and whose they are. DEVICE is a device id or a host name.

    \b
    Examples:
      ictagent estate list
      ictagent estate set web01 --site "County Hall" --space "Room 2" --kind data_room
      ictagent estate retire web01
    """


estate.add_command(site)
estate.add_command(space)
estate.add_command(organisation)
estate.add_command(meter)
estate.add_command(profile)
for _command in (import_register, list_imports, undo, export, reconcile, totals, coverage):
    estate.add_command(_command)


@estate.command("list", epilog="\b\nExample:\n  ictagent estate list --output json")
@click.option("--retired", is_flag=True, help="The retired ones instead.")
@_STATE
@output_option()
def list_devices(retired: bool, state_directory: Path | None, output: str) -> None:
    """All devices in use, silent ones first."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        rows = devices(connection, retired=retired)
    if output == "json":
        echo_json([_row_json(row) for row in rows])
        return
    if not rows:
        click.echo("no device is retired" if retired else "no device has enrolled yet", err=True)
        return
    table = [
        (
            row.device_id,
            row.host_name,
            row.site,
            row.space,
            "" if row.power_watts is None else f"{figure(row.power_watts, 3)} W",
            row.method,
            "retired" if retired else "silent" if row.silent else "heard",
        )
        for row in rows
    ]
    echo_table(("device", "name", "site", "space", "power", "method", "state"), table)


def _row_json(row: DeviceRow) -> dict[str, Any]:
    return {**asdict(row), "silent": row.silent, "host_missing": row.host_missing}


@estate.command(
    epilog="\b\nExamples:\n  ictagent estate show web01\n  ictagent estate show --tree\n"
    '  ictagent estate show --tree --site "County Hall" --month 2026-10'
)
@click.argument("device", required=False)
@click.option("--tree", is_flag=True, help="Instead of a device: what feeds what, and how each part's energy is known.")
@click.option("--site", help="Of the tree only this site.")
@click.option("--month", type=click.DateTime(["%Y-%m"]), help="The tree's month; this one without.")
@click.option("--organisation", "organisation_name", help="The tree's organisation; the first without.")
@click.option("--guests", is_flag=True, help="With each virtual machine's part of its host.")
@_STATE
@output_option()
def show(
    device: str | None,
    tree: bool,
    site: str | None,
    month: datetime.datetime | None,
    organisation_name: str | None,
    guests: bool,
    state_directory: Path | None,
    output: str,
) -> None:
    """One device with inventory, sources and diagnoses; or with --tree the metering tree of a month."""
    if tree == (device is not None):
        raise click.UsageError("give a DEVICE, or --tree")
    if tree:
        with database_of(state_directory) as database, plain_errors():
            show_tree(database, site, month, organisation_name, guests, output)
        return
    if site or month or organisation_name or guests:
        raise click.UsageError("--site, --month, --organisation and --guests belong to --tree")
    assert device is not None  # noqa: S101  # one of the two
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        detail = device_detail(connection, find_device(connection, device))
    if output == "json":
        echo_json({**asdict(detail), "row": _row_json(detail.row)})
        return
    facts = {**asdict(detail.row), **detail.inventory}
    echo_table(("fact", "value"), [(name, value) for name, value in facts.items() if value not in ("", None, [])])
    if detail.choice:
        click.echo(f"\nchosen: {RUNGS[detail.choice['basis']]}  {' + '.join(detail.choice['meters'])}".rstrip())
        for rung, reason in detail.choice["why_not"].items():
            click.echo(f"  not {RUNGS[rung]}: {reason}")
    click.echo()
    sources = [(one["source"], one["outcome"], one["reason"], one["remedy"]) for one in detail.sources]
    echo_table(("source", "outcome", "reason", "remedy"), sources)
    for one in detail.diagnoses:
        click.echo(f"\n{one['code']}: {one['detail']}; {one['remedy']}")


@estate.command(
    "set",
    epilog="\b\nExamples:\n"
    '  ictagent estate set web01 --site "County Hall" --space "Room 2" --kind data_room\n'
    '  ictagent estate set web01 --owner "Digital services" --directorate Resources\n'
    '  ictagent estate set web01 --space ""     in no space any more',
)
@click.argument("device")
@click.option("--site", help="Site; made if it is new. Empty text: none.")
@click.option("--space", help="Space of the site; made if it is new, with --kind.")
@click.option("--kind", type=click.Choice(SPACE_KINDS), help="What kind of space it is.")
@click.option("--owner", help="Who answers for the device.")
@click.option("--directorate", help="The directorate that uses it.")
@_STATE
def set_place(
    device: str,
    site: str | None,
    space: str | None,
    kind: str | None,
    owner: str | None,
    directorate: str | None,
    state_directory: Path | None,
) -> None:
    """Say where a device stands and whose it is, from now on. The past keeps what was true then."""
    wanted = Placement(site, space, kind, owner, directorate)
    if wanted == Placement():
        raise click.UsageError("nothing to set: give --site, --space, --kind, --owner or --directorate")
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        device_id = find_device(connection, device)
        place(connection, device_id, wanted, actor(), int(time.time()))
    click.echo(f"{device_id} is set")


@estate.command(epilog="\b\nExamples:\n  ictagent estate retire web01\n  ictagent estate retire web01 --undo")
@click.argument("device")
@click.option("--undo", is_flag=True, help="Take it back into use.")
@_STATE
def retire(device: str, undo: bool, state_directory: Path | None) -> None:
    """Take a device out of use from now on; its past stays counted."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        device_id = find_device(connection, device)
        retire_device(connection, device_id, actor(), int(time.time()), collector_id(state_directory), undo=undo)
    click.echo(f"{device_id} is {'in use again' if undo else 'retired'}")
