"""`ictagent collector device`: the keys of hosts, and how to take one away."""

import time
from dataclasses import asdict
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from agent.errors import AgentError
from collector.commands.common import actor, database_of, plain_errors
from collector.estate import find_device
from collector.keys import list_keys, revoke_keys

_STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")


@click.group()
def device() -> None:
    """Hosts' keys: their state and end, and how to take one away. DEVICE is a device's id, or a host name.

    \b
    Examples:
      ictagent collector device list
      ictagent collector device revoke web01 --reason "stolen"
    """


@device.command("list", epilog="\b\nExample:\n  ictagent collector device list --output json")
@_STATE
@output_option()
def list_devices(state_directory: Path | None, output: str) -> None:
    """Every key with its device, state and end; those that end first at the top."""
    with database_of(state_directory) as database, plain_errors(), database.read() as connection:
        found = list_keys(connection, int(time.time()))
    if output == "json":
        echo_json([asdict(one) for one in found])
    elif not found:
        click.echo("no host has enrolled yet: ictagent collector token create", err=True)
    else:
        rows = [
            (one.device_id, one.host_name, one.key_id, one.state, _day(one.expires_at), one.reason) for one in found
        ]
        echo_table(("device", "host", "key", "state", "ends (UTC)", "reason"), rows)


@device.command(epilog='\b\nExample:\n  ictagent collector device revoke web01 --reason "stolen"')
@click.argument("name", metavar="DEVICE")
@click.option("--reason", default="", help="Why, as the audit log and `list` show it.")
@_STATE
def revoke(name: str, reason: str, state_directory: Path | None) -> None:
    """Revoke the keys of a device: its next request is refused. What it reported stays."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        device_id = find_device(connection, name)
        revoked = revoke_keys(connection, device_id, actor(), reason, int(time.time()))
        if not revoked:
            raise AgentError(f"the device {device_id} has no key to revoke; see `ictagent collector device list`")
    click.echo(f"revoked of device {device_id}: key {', '.join(revoked)}")


def _day(unix_seconds: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(unix_seconds))
