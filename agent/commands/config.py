"""`ictagent config check|show`: what the configuration says, and where each value comes from."""

from pathlib import Path

import click

from agent.commands.common import echo_json, echo_table, output_option
from agent.settings import CONFIGURATION_DIRECTORY, load_agent

_DIRECTORY = click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default=CONFIGURATION_DIRECTORY,
    show_default=True,
    help="Folder of the configuration files.",
)


@click.group()
def config() -> None:
    """Check or show the configuration.

    \b
    Examples:
      ictagent config check
      ictagent config show --output json
    """


@config.command()
@_DIRECTORY
def check(directory: Path) -> None:
    """Exit 0 if the configuration can be used, 78 with the reason if not."""
    load_agent(directory=directory)
    click.echo("the configuration is good")


@config.command()
@_DIRECTORY
@output_option()
def show(directory: Path, output: str) -> None:
    """Every setting in effect, and whether a file, the environment or the default gave it. Secrets are only in files."""
    loaded = load_agent(directory=directory)
    rows = [(name, getattr(loaded.settings, name), origin) for name, origin in loaded.origins.items()]
    if output == "json":
        echo_json({name: {"value": _plain(value), "origin": origin} for name, value, origin in rows})
    else:
        echo_table(("setting", "value", "from"), rows)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value
