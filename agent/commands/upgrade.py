"""`ictagent upgrade`: services as this release has them; state, keys and settings stay."""

from pathlib import Path, PurePosixPath

import click

from agent.commands.acting import below_option, carry_out, disabled_sources, dry_run_option, require_root
from agent.errors import AgentError
from agent.install.control import definition_path
from agent.install.host import Facts, Host, check_program, facts_of
from agent.install.plan import agent_of, collector_of
from agent.install.plan import upgrade as upgrade_plan
from agent.install.service import Service
from agent.install.systemd import unit_path


@click.command(epilog="\b\nExamples:\n  ictagent upgrade --dry-run\n  ictagent upgrade")
@dry_run_option
@below_option
def upgrade(dry_run: bool, root: Path) -> None:
    """Write the units of the services that are installed as this release has them, and start again those that run.

    For after a new release was put in place; packages do it by themselves. What was stopped stays stopped.
    """
    require_root("ictagent upgrade", dry_run=dry_run)
    host = Host(root)
    facts = facts_of(host, disabled_sources(host))
    services = _installed(host, facts)
    if not services:
        raise AgentError("no service of ictagent is installed here: ictagent install")
    if host.live and not dry_run:
        check_program(facts.program)
    carry_out(host, upgrade_plan(facts, services), dry_run=dry_run, nothing="nothing to change: it is up to date")


def _installed(host: Host, facts: Facts) -> list[Service]:
    services = (agent_of(facts), collector_of(facts, _certificate_key(host)))
    return [one for one in services if host.path(definition_path(one, facts.manager)).exists()]


def _certificate_key(host: Host) -> str:
    """The file that the collector's present unit hands over as its TLS key: named there, when it was installed."""
    path: PurePosixPath = unit_path(collector_of(Facts("systemd", ("ictagent",), "/bin/false")))
    if not host.path(path).exists():
        return ""
    lines = host.path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    begin = "LoadCredential=tls-key:"
    return next((line.removeprefix(begin) for line in lines if line.startswith(begin)), "")
