"""`ictagent run`: the agent in the foreground, as its service runs it."""

from dataclasses import replace

import click

from agent.commands.common import log_to_stderr, set_log_level
from agent.errors import ConfigurationError
from agent.settings import load_agent


@click.command(
    epilog="\b\nExamples:\n  ictagent run --collector https://collector.example:8420 --token-file /root/token\n"
    "  ictagent run        with /etc/ictagent/agent.toml"
)
@click.option("--collector", help="The collector's address.")
@click.option("--token-file", help="File with the enrolment token; needed once.")
@click.option("--state-directory", help="Where the spool, the key and counters are kept.")
@click.option("--interval-seconds", type=float, help="Seconds between samples.")
@click.option("--report-seconds", type=float, help="Seconds between reports.")
@click.option("--log-level", help="debug, info, warning or error.")
def run(**flags: str | float | None) -> None:
    """Sample this host, keep reports in the spool, and send them to the collector, until a signal ends it.

    SIGHUP reads the log level from the configuration again; every other setting needs a restart.
    """
    settings = load_agent(flags).settings
    if not settings.collector:
        raise ConfigurationError('no collector is set: write `collector = "https://..."` under [agent], or --collector')
    log_to_stderr(settings.log_level)
    from agent.loop import Agent  # noqa: PLC0415  # `--help` and a wrong configuration need none of it

    def read_again() -> str:
        try:
            now = load_agent(flags).settings
        except ConfigurationError as error:
            return f"the configuration is wrong and was left aside: {error}"
        set_log_level(now.log_level)
        rest = "" if replace(now, log_level=settings.log_level) == settings else "; other changes need a restart"
        return f"the log level is {now.log_level}{rest}"

    Agent(settings, reload=read_again).run()
