"""`ictagent snmp read`: one device, asked once and shown."""

import asyncio
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from collector.commands.common import plain_errors, split_address
from collector.snmp.client import AuthProtocol, Credential, Endpoint, PrivProtocol
from collector.snmp.credentials import AUTH_PROTOCOLS, PRIV_PROTOCOLS, by_community, by_user
from collector.snmp.interfaces import Interface
from collector.snmp.opening import open_client
from collector.snmp.reader import LiveReading, as_json, read_device

LONGEST_TIMEOUT_SECONDS, MOST_RETRIES = 60.0, 10
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog="\b\nExamples:\n  ictagent snmp read 10.1.2.3\n  ictagent snmp read switch1.example --community-file community\n"
    "  ictagent snmp read [2001:db8::7]:161 --v3-user reader --v3-auth-file auth --v3-priv-file priv --output json"
)
@click.argument("host", metavar="HOST[:PORT]")
@click.option("--community-file", type=_FILE, help="File with the community; default: `public`.")
@click.option(
    "--version", "version", type=click.Choice(["v1", "v2c"]), default="v2c", show_default=True, help="With a community."
)
@click.option("--v3-user", help="User of SNMPv3, which the files below belong to.")
@click.option("--v3-auth-file", type=_FILE, help="File with the authentication password.")
@click.option("--v3-priv-file", type=_FILE, help="File with the privacy password.")
@click.option(
    "--v3-auth-protocol",
    type=click.Choice(AUTH_PROTOCOLS),
    default="SHA-256",
    show_default=True,
    help="As in the device.",
)
@click.option(
    "--v3-priv-protocol",
    type=click.Choice(PRIV_PROTOCOLS),
    default="AES-128",
    show_default=True,
    help="As in the device; -C: Cisco's way to long keys.",
)
@click.option("--v3-context", default="", help="SNMPv3 context, which few devices have.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, LONGEST_TIMEOUT_SECONDS),
    default=2.0,
    show_default=True,
    help="Seconds to wait for an answer.",
)
@click.option(
    "--retries", type=click.IntRange(0, MOST_RETRIES), default=2, show_default=True, help="How often to ask again."
)
@output_option()
def read(
    host: str,
    community_file: Path | None,
    version: str,
    v3_user: str | None,
    v3_auth_file: Path | None,
    v3_priv_file: Path | None,
    v3_auth_protocol: AuthProtocol,
    v3_priv_protocol: PrivProtocol,
    v3_context: str,
    timeout: float,
    retries: int,
    output: str,
) -> None:
    """Ask a device what it is, how busy it is and what it draws, and show it. Nothing is stored.

    What could not be read of a device that answers is said among the diagnoses. The JSON is described in docs/snmp.md.
    """
    if v3_user and community_file:
        raise click.UsageError("--community-file is for v1 and v2c, --v3-user for v3: give one of them")
    if not v3_user and (v3_auth_file or v3_priv_file or v3_context):
        raise click.UsageError("--v3-auth-file, --v3-priv-file and --v3-context need --v3-user")
    credential = by_community(community_file, version)
    if v3_user:
        credential = by_user(v3_user, v3_auth_file, v3_priv_file, v3_auth_protocol, v3_priv_protocol, v3_context)
    with plain_errors():
        address, port = split_address(host)
        found = asyncio.run(_read(Endpoint(address, port, timeout, retries), credential))
    if output == "json":
        echo_json(as_json(found))
    else:
        _show(found)


async def _read(endpoint: Endpoint, credential: Credential) -> LiveReading:
    client = open_client(endpoint, credential)
    try:
        return await read_device(client)
    finally:
        await client.close()


def _show(found: LiveReading) -> None:
    device, identity, power = found.device, found.device.identity, found.device.power
    rows: list[tuple[str, object]] = [
        ("name", identity.name),
        ("kind", identity.kind),
        ("vendor", identity.vendor),
        ("hardware", identity.hardware),
        ("members", ", ".join(one or "?" for one in identity.members) if len(identity.members) > 1 else ""),
        ("version", identity.version),
        ("serial", identity.serial),
        ("description", " ".join(identity.sys_description.split())),
        ("sysObjectID", identity.sys_object_id),
        ("profiles", ", ".join(device.profiles)),
    ]
    if power.watts is not None:
        how = f"{power.basis}, estimated" if power.estimated and not power.basis.startswith("estimate") else power.basis
        rows.append(("power", f"{power.watts:.6g} W ({how})"))
        if power.low_watts is not None and power.high_watts is not None:
            rows.append(("between", f"{power.low_watts:.4g} and {power.high_watts:.4g} W"))
    else:
        rows.append(("power", "not told"))
    if power.loss_watts is not None:
        rows.append(("own loss", f"{power.loss_watts:.6g} W"))
    if power.poe_watts is not None:
        rows.append(("PoE given", f"{power.poe_watts:.6g} W"))
    echo_table(("device", ""), [(name, value or "-") for name, value in rows])
    if device.readings:
        click.echo()
        table = [(one.quantity, f"{one.value:.6g}", one.unit, one.role, one.name, one.oid) for one in device.readings]
        echo_table(("reading", "value", "unit", "role", "name", "OID"), table)
    if device.processors or device.memory:
        click.echo()
        busy = [("processor", f"{one.percent:g}%", one.name, "", one.oid) for one in device.processors]
        busy += [
            ("memory", f"{one.percent:g}%", one.name, _of(one.used_bytes, one.total_bytes), one.oid)
            for one in device.memory
        ]
        echo_table(("utilisation", "used", "name", "bytes", "OID"), busy)
    if found.interfaces:
        click.echo()
        echo_table(
            ("interface", "name", "alias", "speed", "state", "in octets", "out octets"),
            list(map(_row, found.interfaces)),
        )
    for one in found.diagnoses:
        click.echo(f"{one.code}: {one.words}", err=True)


def _of(used: int | None, total: int | None) -> str:
    return "" if used is None or total is None else f"{used} of {total}"


def _row(one: Interface) -> tuple[object, ...]:
    speed = "" if one.speed_bits is None else f"{one.speed_bits / 1e6:g} Mbit/s"
    state = "off" if one.admin_up is False else {True: "up", False: "down", None: ""}[one.oper_up]
    octets = ("" if counted is None else counted for counted in (one.in_octets, one.out_octets))
    return (one.index, one.name, one.alias, speed, state, *octets)
