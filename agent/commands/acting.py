"""What the commands that change a host share: being root, showing a plan, and doing it."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from agent.errors import AgentError, ConfigurationError
from agent.install.actions import Action
from agent.install.host import Facts, Host
from agent.install.plan import AGENT_TOML, apply, pending
from agent.settings import AgentSettings, load_agent

F = TypeVar("F", bound=Callable[..., Any])

dry_run_option = click.option("--dry-run", is_flag=True, help="Show everything that would be done, and do nothing.")
below_option = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("/"),
    show_default=True,
    help="Act on the system below this directory (an image); nothing is started there.",
)
"""`--root DIRECTORY`."""
keep_settings_option = click.option(
    "--keep-settings", is_flag=True, help="Leave the settings in /etc/ictagent, as the removal of a package does."
)


def require_one_of_them(*, purge: bool, keep_settings: bool) -> None:
    """Raise UsageError where everything was to go and something to stay."""
    if purge and keep_settings:
        raise click.UsageError("--purge deletes everything and --keep-settings keeps something: give one of them")


def require_root(what: str, *, dry_run: bool) -> None:
    """Raise AgentError for another user than root, unless nothing is to be changed."""
    if not dry_run and os.geteuid() != 0:
        raise AgentError(f"{what} changes the system: run it as root (sudo), or with --dry-run to see what it would do")


def carry_out(host: Host, plan: Sequence[Action], *, dry_run: bool, nothing: str) -> list[Action]:
    """Show the acts that are left, and do them unless it is a dry run. Gives what was left to do."""
    left = pending(host, plan)
    if not left:
        click.echo(nothing)
    elif dry_run:
        click.echo("would, in this order:")
        for action in left:
            click.echo(f"- {action.describe()}")
        click.echo("nothing was changed")
    else:
        apply(host, left, lambda text: click.echo(f"- {text}"))
    return left


def installed_settings(host: Host) -> AgentSettings | None:
    """The settings of the agent that is installed on a host, or None where none is."""
    if not host.path(AGENT_TOML).exists():
        return None
    return load_agent(directory=host.path(AGENT_TOML).parent).settings


def disabled_sources(host: Host) -> tuple[str, ...]:
    """The energy sources that the host's configuration switches off."""
    try:
        settings = installed_settings(host)
    except ConfigurationError:
        # The command that reads it for its own sake says what is wrong with it.
        return ()
    return settings.disabled_sources if settings else ()


def manager_words(facts: Facts) -> str:
    """How to look at a service's messages on this host."""
    if facts.manager == "systemd":
        return "journalctl --unit ictagent-agent.service"
    return {"launchd": "/Library/Logs/ictagent-agent.log"}.get(facts.manager, "the system log, under ictagent-agent")
