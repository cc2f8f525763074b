"""`ictagent collector install`: the collector as a service of this machine."""

import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import click

from agent.commands.acting import (
    below_option,
    carry_out,
    dry_run_option,
    keep_settings_option,
    require_one_of_them,
    require_root,
)
from agent.errors import AgentError, ConfigurationError
from agent.install.host import Host, check_program, facts_of
from agent.install.plan import COLLECTOR_TOML, WantedCollector, collector_of, install_collector
from agent.install.plan import uninstall as uninstall_plan
from agent.settings import LOOPBACK
from collector.commands.common import listen_address, load_collector

LISTEN_SECONDS = 60.0


@click.command(
    epilog="\b\nExamples:\n  ictagent collector install --dry-run\n"
    "  ictagent collector install --listen 0.0.0.0:8420 --certificate-file /etc/ssl/collector.pem \\\n"
    "    --certificate-key-file /etc/ssl/private/collector.key"
)
@click.option("--listen", help="Address and port; every address but loopback needs a certificate.")
@click.option("--database", help="PostgreSQL URL; without it SQLite in the state directory.")
@click.option("--certificate-file", help="TLS certificate chain (PEM).")
@click.option("--certificate-key-file", help="Its private key (PEM); root's own, the service gets a copy.")
@dry_run_option
@below_option
def install(
    listen: str | None,
    database: str | None,
    certificate_file: str | None,
    certificate_key_file: str | None,
    dry_run: bool,
    root: Path,
) -> None:
    """Install the collector as a service: user, directories, settings, unit; start it, and wait until it answers.

    A second run with the same options changes nothing. What is not given stays as it is installed.
    """
    require_root("ictagent collector install", dry_run=dry_run)
    wanted = WantedCollector(listen, database, certificate_file, certificate_key_file)
    host = Host(root)
    _check(host, wanted)
    facts = facts_of(host)
    plan = install_collector(facts, wanted)
    if host.live and not dry_run:
        check_program(facts.program)
    carry_out(host, plan, dry_run=dry_run, nothing="nothing to change: the collector is installed like this already")
    if host.live and not dry_run:
        address = load_collector(directory=host.path(COLLECTOR_TOML).parent).settings.listen
        _wait_until_it_listens(*listen_address(address))
        click.echo(f"the collector listens at {address}")


@click.command(epilog="\b\nExamples:\n  ictagent collector uninstall --dry-run\n  ictagent collector uninstall --purge")
@click.option("--purge", is_flag=True, help="Delete its database and its user as well.")
@keep_settings_option
@dry_run_option
@below_option
def uninstall(purge: bool, keep_settings: bool, dry_run: bool, root: Path) -> None:
    """Stop the collector and delete its settings and unit. Data stay unless --purge is given."""
    require_one_of_them(purge=purge, keep_settings=keep_settings)
    require_root("ictagent collector uninstall", dry_run=dry_run)
    host = Host(root)
    facts = facts_of(host)
    plan = uninstall_plan(facts, collector_of(facts), None, purge=purge, keep_settings=keep_settings)
    carry_out(host, plan, dry_run=dry_run, nothing="nothing to do: no collector is installed here")


def _check(host: Host, wanted: WantedCollector) -> None:
    """Raise ConfigurationError for what could not start, before anything is changed."""
    flags = {
        name: value
        for name, value in (
            ("listen", wanted.listen),
            ("database", wanted.database),
            ("certificate_file", wanted.certificate_file),
            ("certificate_key_file", wanted.certificate_key_file),
        )
        if value is not None
    }
    if wanted.database and urlsplit(wanted.database).password:
        raise ConfigurationError(
            "--database must hold no password, which every user of this machine could read: name a file that the user "
            "ictagent-collector can read, postgresql://USER@HOST/NAME?passfile=FILE (libpq's form, HOST:PORT:NAME:USER:PASSWORD)"
        )
    load_collector(flags, directory=host.path(COLLECTOR_TOML).parent)
    for name, path in (
        ("--certificate-file", wanted.certificate_file),
        ("--certificate-key-file", wanted.certificate_key_file),
    ):
        if path and not (Path(path).is_absolute() and Path(path).is_file()):
            raise ConfigurationError(f"{name} {path} must be the whole path of a file that is there")
        if path and not path.isprintable():
            # In the unit a new line would be a setting of its own.
            raise ConfigurationError(f"{name} {path!r} holds a character that no unit can: give the file another name")


def _wait_until_it_listens(name: str, port: int) -> None:
    """Return when a connection is taken. Raises AgentError."""
    if name in ("0.0.0.0", "[::]"):  # noqa: S104  # every address: loopback is one of them
        name = LOOPBACK[0] if name == "0.0.0.0" else LOOPBACK[1]  # noqa: S104  # the same
    deadline = time.monotonic() + LISTEN_SECONDS
    while True:
        try:
            with socket.create_connection((name.strip("[]"), port), timeout=5):
                return
        except OSError as error:
            if time.monotonic() >= deadline:
                raise AgentError(
                    f"nothing listens at {name}:{port} after {LISTEN_SECONDS:.0f} s ({error}): see "
                    "journalctl --unit ictagent-collector.service"
                ) from error
        time.sleep(0.2)
