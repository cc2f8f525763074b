"""What the collector's commands share: settings, the database, errors in one line."""

import datetime
import ipaddress
import os
import pwd
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.errors import AgentError, ConfigurationError
from agent.files import text_or_empty
from agent.settings import CONFIGURATION_DIRECTORY, LOG_LEVELS, LOOPBACK, Loaded, check_url, load
from collector.database.engine import Database, open_database
from collector.database.migrate import migrate
from collector.errors import CollectorError
from collector.people.configuration import check_login
from collector.settings import CollectorSettings
from collector.snmp.address import split_port
from collector.snmp.traps.address import of_listen
from collector.tables.csv_file import write_csv

LONGEST_KEY_DAYS = 3650
MOST_ENROLMENTS_PER_MINUTE = 100_000
_SERVER_NAME = re.compile(r"[A-Za-z0-9_*]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")


@contextmanager
def plain_errors() -> Iterator[None]:
    """The collector's errors as the command line shows them: the message and the remedy in one line."""
    try:
        yield
    except CollectorError as error:
        raise AgentError("; ".join(part for part in (error.message, error.remedy) if part)) from error


def collector_settings(flags: dict[str, Any] | None = None) -> CollectorSettings:
    """The collector's settings, checked against each other."""
    return load_collector(flags).settings


def load_collector(
    flags: dict[str, Any] | None = None, directory: Path = CONFIGURATION_DIRECTORY
) -> Loaded[CollectorSettings]:
    """The collector's settings with where each comes from. Raises ConfigurationError for values that cannot work."""
    loaded = load("collector", CollectorSettings, flags, directory=directory)
    settings = loaded.settings
    host, port = listen_address(settings.listen)
    if bool(settings.certificate_file) != bool(settings.certificate_key_file):
        raise ConfigurationError("certificate_file and certificate_key_file belong together")
    _check_tls(settings)
    if host not in LOOPBACK and not settings.certificate_file and settings.tls != "own":
        raise ConfigurationError(
            f'listening on {host}:{port} needs TLS: set tls = "own", or certificate_file and certificate_key_file'
        )
    if not 1 <= settings.key_days <= LONGEST_KEY_DAYS:
        raise ConfigurationError(f"key_days must lie between 1 and {LONGEST_KEY_DAYS}")
    if not 1 <= settings.enrolments_per_minute <= MOST_ENROLMENTS_PER_MINUTE:
        raise ConfigurationError(f"enrolments_per_minute must lie between 1 and {MOST_ENROLMENTS_PER_MINUTE}")
    for network in settings.snmp_networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise ConfigurationError(f"snmp_networks: {error}; write one such as 10.1.0.0/16") from error
    for place in settings.snmp_trap_listen:
        of_listen(place)
    check_login(settings)
    check_url(settings.grid_intensity_url, "grid_intensity_url")
    proxy = settings.grid_intensity_proxy
    if proxy and not re.fullmatch(r"http://[^/@ ]+/?", proxy):
        raise ConfigurationError(f"grid_intensity_proxy {proxy!r} is no proxy such as http://proxy.example:3128")
    if settings.log_level not in LOG_LEVELS:
        raise ConfigurationError(f"log_level {settings.log_level!r} is not one of {', '.join(LOG_LEVELS)}")
    return loaded


def _check_tls(settings: CollectorSettings) -> None:
    if settings.tls not in ("", "own"):
        raise ConfigurationError(f"tls {settings.tls!r} is not known: write own, or leave it empty")
    if settings.tls and settings.certificate_file:
        raise ConfigurationError("tls = own and certificate_file exclude each other")
    if settings.server_names and not settings.tls:
        raise ConfigurationError("server_names are for tls = own; a certificate of yours has its own names")
    for name in settings.server_names:
        if not _SERVER_NAME.fullmatch(name):
            raise ConfigurationError(f"server_names: {name!r} is no host name or address, such as collector.example")


def listen_address(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8420` or `[::1]:8420`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) < 65536:
        raise ConfigurationError(f"listen {text!r} is not an address and port such as 127.0.0.1:8420")
    return host, int(port)


def split_address(text: str) -> tuple[str, int]:
    """Host and port of HOST, HOST:PORT, [IPv6]:PORT or a bare IPv6 address."""
    host, port = split_port(text)
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise AgentError(f"{text!r} is no address such as 10.1.2.3:161")
    return host, int(port or 161)


def settings_in(state_directory: Path | None) -> CollectorSettings:
    """The collector's settings for a command, with another state directory where one is given."""
    return collector_settings({} if state_directory is None else {"state_directory": state_directory})


@contextmanager
def database_of(state_directory: Path | None) -> Iterator[Database]:
    """The collector's database, migrated, for one command."""
    settings = settings_in(state_directory)
    with plain_errors():
        where = settings.database or settings.state_directory / "ictagent.db"
        if isinstance(where, Path) and not where.exists():
            raise AgentError(f"there is no database {where}: run the collector first, or give --state-directory")
        database = open_database(where)
        try:
            migrate(database)
            yield database
        finally:
            database.close()


def collector_id(state_directory: Path | None) -> str:
    """The collector whose outbox a command adds to: the one of this state directory."""
    directory = state_directory or collector_settings().state_directory
    if found := text_or_empty(directory / "collector-id"):
        return found
    raise AgentError(f"no collector has run with {directory} yet: run it first, or give --state-directory")


def echo_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV to stdout; texts cannot act as formulae."""
    write_csv(sys.stdout, header, rows)


def moment(at: int) -> str:
    """Unix seconds as ISO 8601, UTC."""
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def actor() -> str:
    """Who runs the command, for the audit log: by the system's word, not by LOGNAME, which says what its user likes."""
    number = os.getuid()
    try:
        return f"cli:{pwd.getpwuid(number).pw_name}"
    except KeyError:
        # A container may run as a user that its /etc/passwd does not know.
        return f"cli:{number}"
