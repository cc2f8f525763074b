"""Options that commands of `ictagent ledger` share: where data are, whose meters, and how a supplier's file is taken."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from collector.supply_meters import READING_POINTS

Command = TypeVar("Command", bound=Callable[..., Any])

STATE = click.option("--state-directory", type=click.Path(path_type=Path), help="Where the collector's data are kept.")
ORGANISATION = click.option("--organisation", help="Whose meters they are; the first organisation's without.")
_TAKING = (
    click.option(
        "--map", "map_name", metavar="NAME|FILE", help="How the file is read: a saved mapping, or a TOML file."
    ),
    click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing."),
    click.option("--site", help="Where the file's new meters stand."),
    click.option(
        "--purpose", type=click.Choice(list(READING_POINTS)), help="What new meters feed; without it whole_building."
    ),
    ORGANISATION,
    STATE,
)


def taking_options(command: Command) -> Command:
    """The options of a command that takes a supplier's file over."""
    for option in reversed(_TAKING):
        command = option(command)
    return command
