"""`ictagent config check|show`: what the configuration says, and where each value comes from."""

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import click

from agent.commands.common import echo_json, echo_table, output_option
from agent.errors import AgentError
from agent.settings import CONFIGURATION_DIRECTORY, SECTIONS, Loaded, load_agent

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
      ictagent config show --section collector
    """


@config.command()
@_DIRECTORY
def check(directory: Path) -> None:
    """Exit 0 if the configuration can be used, 78 with the reason if not."""
    load_agent(directory=directory)
    # A host has the collector's modules and none of what they need.
    if importlib.util.find_spec("sqlalchemy") is not None:
        _load("collector", directory)
    click.echo("the configuration is good")


@config.command()
@_DIRECTORY
@click.option(
    "--section", type=click.Choice(SECTIONS), default="agent", show_default=True, help="Whose settings are shown."
)
@output_option()
def show(directory: Path, section: str, output: str) -> None:
    """Every setting in effect, and whether a file, the environment or the default gave it. Secrets are only in files."""
    loaded = _load(section, directory)
    rows = [(name, getattr(loaded.settings, name), origin) for name, origin in loaded.origins.items()]
    if output == "json":
        echo_json({name: {"value": _plain(value), "origin": origin} for name, value, origin in rows})
    else:
        echo_table(("setting", "value", "from"), rows)


def _load(section: str, directory: Path) -> Loaded[Any]:
    """The settings of a section. The collector's are imported by name: a host has none of its parts."""
    if section == "agent":
        return load_agent(directory=directory)
    try:
        module = importlib.import_module("collector.commands.common")
    except ModuleNotFoundError as error:
        raise AgentError(f"the collector is not installed here ({error.name} is missing)") from error
    loaded: Loaded[Any] = module.load_collector(directory=directory)
    return loaded


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value
