"""`ictagent snmp discover`: which devices of a network answer, and what they are; with `--add` they are polled.

With `--neighbours` it is told instead what polled devices see at their ports, and nothing is asked without `--add`.
"""

import asyncio
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from collector.commands import snmp_neighbours
from collector.commands.common import actor, database_of, plain_errors, settings_in
from collector.database.audit import audit
from collector.database.engine import Database
from collector.errors import CollectorError
from collector.organisation import read_organisation
from collector.settings import CollectorSettings, credentials_directory
from collector.snmp.client import Credential
from collector.snmp.devices import NewDevice, add_device
from collector.snmp.discovery import MOST_ADDRESSES, Discovered, Discovery, Found, addresses_of
from collector.snmp.named_credentials import named, names
from collector.snmp.refusals import Refusals, refusals_in
from collector.snmp.same_device import Known, known_devices, same_among
from collector.snmp.suggestions import suggestions


@dataclass(slots=True)
class _Proposal:
    """A device that was found: new, or the same as one that is known or was found before it."""

    found: Found
    same: Known | None = None
    by: str = ""
    added: str = ""
    problem: str = ""

    def told(self) -> str:
        """What is to be known of it, in a cell of the table."""
        if self.same is not None:
            which = f"device {self.same.device_id}, polled at" if self.same.device_id else "the same as"
            perhaps = "perhaps " if self.by == "name" else ""
            return f"{perhaps}{which} {self.same.host} (by {self.by})"
        return self.problem or (f"added as {self.added}" if self.added else "new")


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose a device that is added is, by name, and at which site; either may be ""."""

    organisation: str
    site: str


@click.command(
    epilog="\b\nExamples:\n  ictagent snmp discover 10.1.0.0/24\n"
    "  ictagent snmp discover 10.1.0.0/24 --credential switches --credential ups --add --site 'County Hall'\n"
    "  ictagent snmp discover 10.2.0.0/24 --add --organisation 'Example District Council'\n"
    "  ictagent snmp discover --neighbours"
)
@click.argument("network", required=False)
@click.option(
    "--neighbours", is_flag=True, help="Tell what polled devices see at their ports and nobody polls; no NETWORK then."
)
@click.option(
    "--credential",
    "wanted",
    multiple=True,
    help="Name of a credential; several are tried in this order. Default: all there are, SNMPv3 first, then by name.",
)
@click.option("--add", "adding", is_flag=True, help="Have the collector poll what is new.")
@click.option("--organisation", default="", help="Whose they are, with --add; the first organisation's without.")
@click.option("--site", default="", help="Site where they stand, with --add.")
@click.option("--port", type=click.IntRange(1, 65535), default=161, show_default=True, help="UDP port.")
@click.option(
    "--rate",
    type=click.IntRange(1, 1000),
    default=50,
    show_default=True,
    help="Questions a second, over all addresses together.",
)
@click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
@output_option()
def discover(
    network: str | None,
    neighbours: bool,
    wanted: tuple[str, ...],
    adding: bool,
    organisation: str,
    site: str,
    port: int,
    rate: int,
    state_directory: Path | None,
    output: str,
) -> None:
    """Look for devices in NETWORK, such as 10.1.0.0/24, and say what each is. Addresses that are polled are left out.

    The network must lie within one of the setting snmp_networks, and have 1024 addresses at most. A v3 user that a device
    refuses is not tried there again within a day, so that none is locked. A device that is polled at another address is
    told as such, and neither moved nor added.

    Neighbours are known by LLDP and CDP, as of the last inventory of each device. They are asked with --add alone, at
    their management address, if that lies within one of snmp_networks.
    """
    if (network is None) != neighbours:
        raise click.UsageError("give a NETWORK, or --neighbours")
    if (site or organisation) and not adding:
        raise click.UsageError("--site and --organisation are for --add")
    new_at = _Place(organisation, site) if adding else None
    settings = settings_in(state_directory)
    with plain_errors():
        if network is None:
            _neighbours(settings, wanted, new_at, port, rate, state_directory, output)
            return
    credentials = _credentials(credentials_directory(settings), wanted)
    with plain_errors():
        addresses = addresses_of(network, settings.snmp_networks)
        with database_of(state_directory) as database, refusals_in(Path(settings.state_directory)) as refusals:
            asked, proposals, found = _asked(database, refusals, credentials, network, addresses, port, rate, new_at)
    _show(output, network, asked, len(addresses) - asked, proposals, found)


def _asked(
    database: Database,
    refusals: Refusals,
    credentials: Sequence[Credential],
    subject: str,
    addresses: Sequence[str],
    port: int,
    rate: int,
    new_at: _Place | None,
) -> tuple[int, list[_Proposal], Discovered]:
    """Ask addresses, and with `new_at` have what is new polled: how many were asked, and what came."""
    with database.write() as connection:
        if new_at is not None and new_at.organisation:
            # Not only when minutes of asking are over.
            read_organisation(connection, new_at.organisation)
        detail = {"credentials": [one.name for one in credentials], "port": port}
        audit(connection, int(time.time()), actor(), "snmp.discover", subject, detail)
    with database.read() as connection:
        known = known_devices(connection)
    polled = _addresses(known, port)
    asked = [one for one in addresses if one not in polled]
    discovery = Discovery(credentials, refusals, port, rate, _progress(len(asked)))
    found = asyncio.run(discovery.run(asked))
    proposals = _proposals(found.found, known, port)
    if new_at is not None:
        for one in proposals:
            if one.same is None:
                _add(database, one, port, new_at)
    return len(asked), proposals, found


def _neighbours(
    settings: CollectorSettings,
    wanted: Sequence[str],
    new_at: _Place | None,
    port: int,
    rate: int,
    state_directory: Path | None,
    output: str,
) -> None:
    """Tell what polled devices see; with `new_at` ask what may be asked of it, and have it polled."""
    told: dict[str, str] = {}
    with database_of(state_directory) as database:
        with database.read() as connection:
            found = suggestions(connection, settings.snmp_networks)
        addresses = list(dict.fromkeys(one.allowed for one in found if one.allowed))
        if new_at is not None and len(addresses) > MOST_ADDRESSES:
            addresses = addresses[:MOST_ADDRESSES]
            click.echo(f"the first {MOST_ADDRESSES} are asked; run it again for the others", err=True)
        if new_at is not None and addresses:
            credentials = _credentials(credentials_directory(settings), wanted)
            with refusals_in(Path(settings.state_directory)) as refusals:
                _, proposals, answers = _asked(
                    database, refusals, credentials, "neighbours", addresses, port, rate, new_at
                )
            told = answers.problems | {one.found.address: one.told() for one in proposals}
    snmp_neighbours.show(output, found, told, new_at is not None)


def _credentials(directory: Path, wanted: Sequence[str]) -> list[Credential]:
    """In the order in which they are tried. v3 first: a community crosses the network in the clear."""
    found = [named(directory, one) for one in dict.fromkeys(wanted or names(directory))]
    return found if wanted else sorted(found, key=lambda one: one.version != "v3")


def _addresses(known: Sequence[Known], port: int) -> set[str]:
    """The addresses that are polled on a port; those of names as the names say now."""
    found: set[str] = set()
    for one in known:
        if one.port != port:
            continue
        found.add(one.host)
        try:
            found.update(str(place[4][0]) for place in socket.getaddrinfo(one.host, port, type=socket.SOCK_DGRAM))
        except (OSError, UnicodeError):
            continue
    return found


def _progress(addresses: int) -> Callable[[int, int], None]:
    """Tells how far it is, where somebody sees it."""
    if not sys.stderr.isatty():
        return lambda *_: None

    def tell(asked: int, found: int) -> None:
        click.echo(f"\r{asked} of {addresses} addresses asked, {found} answered", err=True, nl=asked == addresses)

    return tell


def _proposals(found: Sequence[Found], known: Sequence[Known], port: int) -> list[_Proposal]:
    """What to make of each: a device with several addresses is proposed once, at the first of them."""
    proposals: list[_Proposal] = []
    before = list(known)
    for one in found:
        proposal = _Proposal(one)
        if same := same_among(one.identity, before):
            proposal.same, proposal.by = same
        else:
            before.append(Known("", one.address, port, one.identity))
        proposals.append(proposal)
    return proposals


def _add(database: Database, proposal: _Proposal, port: int, new_at: _Place) -> None:
    """Have a device polled. What hinders one does not hinder the others."""
    found = proposal.found
    # The first poll says what kind it is.
    new = NewDevice(found.address, port, found.credential, organisation=new_at.organisation, site=new_at.site)
    try:
        with database.write() as connection:
            proposal.added = add_device(connection, new, actor())
    except CollectorError as error:
        proposal.problem = f"not added: {error.message}"


def _show(
    output: str, network: str, asked: int, left_out: int, proposals: Sequence[_Proposal], found: Discovered
) -> None:
    if output == "json":
        devices = [_as_json(one) for one in proposals]
        problems = [{"address": address, "message": message} for address, message in found.problems.items()]
        counts = {"network": network, "asked": asked, "polled_already": left_out}
        echo_json({**counts, "devices": devices, "problems": problems})
        return
    for address, message in found.problems.items():
        click.echo(f"{address}: {message}", err=True)
    rows = [_row(one) for one in proposals]
    if rows:
        header = ("address", "kind", "vendor", "hardware", "name", "serial", "credential", "")
        echo_table(header, rows)
    else:
        click.echo(f"nothing new answers in {network} ({asked} addresses asked, {left_out} polled already)")


def _row(one: _Proposal) -> tuple[str, ...]:
    identity = one.found.identity
    texts = (identity.kind, identity.vendor, identity.hardware, identity.name, identity.serial)
    return (one.found.address, *(text or "-" for text in texts), one.found.credential, one.told())


def _as_json(one: _Proposal) -> dict[str, object]:
    same = None
    if one.same is not None:
        same = {"device_id": one.same.device_id or None, "host": one.same.host, "by": one.by}
    return {
        "address": one.found.address,
        "credential": one.found.credential,
        **asdict(one.found.identity),
        "same_as": same,
        "added": one.added or None,
        "problem": one.problem,
    }
