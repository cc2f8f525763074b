"""What commands that change a measure or what rules leave out share."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from collector.commands.common import actor, database_of, plain_errors
from collector.register_queries import find_organisation
from collector.taking import Who


def edit(
    organisation: str | None, state_directory: Path | None, change: Callable[[Connection, int], Any], said: str
) -> None:
    """Change something of an organisation, and say so."""
    with database_of(state_directory) as database, plain_errors(), database.write() as connection:
        organisation_id, *_ = find_organisation(connection, organisation)
        change(connection, organisation_id)
    click.echo(said, err=True)


def who() -> Who:
    """Who does it, and when."""
    return Who(actor(), int(time.time()))
