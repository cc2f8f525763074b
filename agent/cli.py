"""The root command: a table of name, help and place. A command's module is imported only when it is called."""

import importlib
import sys
from typing import Any

import click

import agent
from agent.errors import AgentError, ConfigurationError

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("collector.commands.up:up", "Agent, collector and pages on this machine, at once."),
    "sample": ("agent.commands.sample:sample", "Show what this host tells: inventory, use, energy."),
    "doctor": ("agent.commands.doctor:doctor", "Check every energy source and the way to the collector."),
    "run": ("agent.commands.run:run", "Run the agent: sample, spool, send."),
    "install": ("agent.commands.install:install", "Install the agent as a service of this host."),
    "upgrade": ("agent.commands.upgrade:upgrade", "Bring installed services to this release."),
    "uninstall": ("agent.commands.uninstall:uninstall", "Take the agent off this host."),
    "status": ("agent.commands.status:status", "Whether the agent runs and is heard."),
    "config": ("agent.commands.config:config", "Check or show the configuration."),
    "collector": ("collector.commands.root:collector", "Run and look after the collector."),
    "estate": ("collector.commands.estate:estate", "Devices: where they stand and whose they are."),
    "snmp": ("collector.commands.snmp:snmp", "Network devices, UPSs and PDUs over SNMP."),
    "ledger": ("collector.commands.ledger:ledger", "Read the half-hour ledger."),
    "carbon": ("collector.commands.carbon:carbon", "Factors, footprint and reports."),
}
EXIT_CONFIGURATION = 78


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module_name, _, attribute = COMMANDS[cmd_name][0].partition(":")
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"`ictagent {cmd_name}` needs the collector's parts ({error.name} is missing): "
                "install ictagent[collector], or the package ictagent-collector"
            ) from error
        command: click.Command = getattr(module, attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            _say(f"configuration: {error}")
            sys.exit(EXIT_CONFIGURATION)
        except AgentError as error:
            _say(str(error))
            sys.exit(1)


def _say(problem: str) -> None:
    """Why a command failed; a service's is an error in the journal too."""
    from agent.service import stderr_is_the_journal  # noqa: PLC0415  # only what fails needs it

    click.echo(f"{'<3>' if stderr_is_the_journal() else ''}ictagent: {problem}", err=True)


@click.group(cls=LazyGroup)
@click.version_option(agent.__version__, prog_name="ictagent")
def main() -> None:
    """What ICT there is, how busy it is, how much energy it uses, and what carbon that is.

    \b
    Examples:
      ictagent up                      everything on this machine, no configuration
      ictagent sample --output json    what this host tells, once
      ictagent doctor                  why a figure is measured or estimated
    """
