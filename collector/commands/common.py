"""What the collector's commands share: settings, the database, errors in one line."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.errors import AgentError, ConfigurationError
from agent.files import text_or_empty
from agent.settings import CONFIGURATION_DIRECTORY, LOG_LEVELS, LOOPBACK, Loaded, load
from collector.database.engine import Database, open_database
from collector.database.migrate import migrate
from collector.errors import CollectorError
from collector.people.configuration import check_login
from collector.settings import CollectorSettings


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
    if host not in LOOPBACK and not settings.certificate_file:
        raise ConfigurationError(f"listening on {host}:{port} needs TLS: set certificate_file and certificate_key_file")
    check_login(settings)
    if settings.log_level not in LOG_LEVELS:
        raise ConfigurationError(f"log_level {settings.log_level!r} is not one of {', '.join(LOG_LEVELS)}")
    return loaded


def listen_address(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8420` or `[::1]:8420`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) < 65536:
        raise ConfigurationError(f"listen {text!r} is not an address and port such as 127.0.0.1:8420")
    return host, int(port)


@contextmanager
def database_of(state_directory: Path | None) -> Iterator[Database]:
    """The collector's database, migrated, for one command."""
    flags = {} if state_directory is None else {"state_directory": state_directory}
    settings = collector_settings(flags)
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


def actor() -> str:
    """Who runs the command, for the audit log."""
    return f"cli:{getpass.getuser()}"
