"""`ictagent uninstall`: the agent gone from this host; its data too with --purge."""

from pathlib import Path

import click

from agent.commands.acting import (
    below_option,
    carry_out,
    dry_run_option,
    installed_settings,
    keep_settings_option,
    require_one_of_them,
    require_root,
)
from agent.errors import ConfigurationError, TransportError
from agent.install.enrolment import KEEP_KEY_REMEDY
from agent.install.host import Host, facts_of
from agent.install.plan import agent_of
from agent.install.plan import uninstall as uninstall_plan
from agent.settings import AgentSettings


@click.command(
    epilog="\b\nExamples:\n  ictagent uninstall --dry-run\n  ictagent uninstall\n  ictagent uninstall --purge"
)
@click.option("--purge", is_flag=True, help="Delete its data and its user as well.")
@click.option("--keep-key", is_flag=True, help="Do not revoke the key at the collector, for one that is gone.")
@keep_settings_option
@dry_run_option
@below_option
def uninstall(purge: bool, keep_key: bool, keep_settings: bool, dry_run: bool, root: Path) -> None:
    """Stop the agent, revoke its key at the collector, and delete its settings, key and unit.

    Data stay in /var/lib/ictagent unless --purge is given; what the collector has of this host stays there.
    """
    require_one_of_them(purge=purge, keep_settings=keep_settings)
    require_root("ictagent uninstall", dry_run=dry_run)
    host = Host(root)
    facts = facts_of(host)
    settings = None if keep_key else _settings(host)
    plan = uninstall_plan(facts, agent_of(facts), settings, purge=purge, keep_settings=keep_settings)
    try:
        carry_out(host, plan, dry_run=dry_run, nothing="nothing to do: no agent is installed here")
    except TransportError as error:
        raise TransportError(f"the key could not be revoked: {error}; {KEEP_KEY_REMEDY}") from error


def _settings(host: Host) -> AgentSettings | None:
    """How to speak to the collector. A configuration that is wrong must not keep the agent here for ever."""
    try:
        return installed_settings(host)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{error}; mend it, or leave the key to the collector's people with --keep-key"
        ) from error
