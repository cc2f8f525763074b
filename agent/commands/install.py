"""`ictagent install`: this host reports from now on, and after every start of the machine."""

import time
from pathlib import Path
from typing import Any

import click

from agent.clock import Clock
from agent.commands.acting import (
    below_option,
    carry_out,
    disabled_sources,
    dry_run_option,
    installed_settings,
    manager_words,
    require_root,
)
from agent.enrol import read_token
from agent.errors import AgentError, TransportError
from agent.install.actions import Action
from agent.install.control import Start
from agent.install.enrolment import key_state, last_heard
from agent.install.host import Facts, Host, check_program, facts_of
from agent.install.plan import WantedAgent, agent_of, install_agent, key_paths, settings_of
from agent.settings import AgentSettings, check_agent
from agent.transport import Transport

FIRST_REPORT_SECONDS = 90.0
POWER_SECONDS = 20.0
"""A first report has no power yet: it is a mean over the time to the second, which comes a second later."""


@click.command(
    epilog="\b\nExamples:\n"
    "  ictagent install --collector https://collector.example:8420 --token-file token --dry-run\n"
    "  ictagent install --collector https://collector.example:8420 --token-file token --site Library"
)
@click.option("--collector", help="The collector's address; default: that of an installation which is here already.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="File with the enrolment token; needed unless this host has a key.",
)
@click.option("--site", default="", help="Site at which this host stands.")
@click.option("--space", default="", help="Space of the site, such as a data room.")
@click.option("--ca", help="Whom to trust for TLS: system, or a file with the authority's certificate (PEM).")
@click.option("--proxy", help="HTTP proxy to the collector.")
@dry_run_option
@below_option
def install(
    collector: str | None,
    token_file: Path | None,
    site: str,
    space: str,
    ca: str | None,
    proxy: str | None,
    dry_run: bool,
    root: Path,
) -> None:
    """Install the agent as a service: user, directories, settings, key, unit; start it, and wait for its first report.

    A second run with the same options changes nothing. Without systemd it writes a script for OpenRC or System V init.
    """
    require_root("ictagent install", dry_run=dry_run)
    host = Host(root)
    wanted = _wanted(host, collector, token_file, site, space, ca, proxy)
    settings = settings_of(wanted)
    check_agent(settings)
    facts = facts_of(host, disabled_sources(host))
    service = agent_of(facts)
    asked = _before_it_is_pinned(wanted, host)
    state = key_state(host, asked, key_paths(service))
    plan = install_agent(facts, wanted, state)
    if not dry_run:
        if host.live:
            check_program(facts.program)
        if host.live or token_file is not None:
            _require_collector(asked, wanted)
    before = _heard_at(host, asked, facts) if host.live else None
    left = carry_out(host, plan, dry_run=dry_run, nothing="nothing to change: the agent is installed like this already")
    if dry_run:
        return
    if host.live:
        _wait_for_report(host, settings, facts, before if _restarted(left) else None)
    elif token_file is None and state == "none":
        click.echo("not enrolled: run `ictagent install` with a token on the machine itself")


def _wanted(
    host: Host,
    collector: str | None,
    token_file: Path | None,
    site: str,
    space: str,
    ca: str | None,
    proxy: str | None,
) -> WantedAgent:
    """What was asked for; what was not is as it is installed."""
    present = installed_settings(host)
    address = collector or (present.collector if present else "")
    if present and present.collector != address:
        present = None  # whom to trust and the way there were those of another collector
    if not address:
        raise click.UsageError("--collector is needed: the collector's address, such as https://collector.example:8420")
    content, fingerprint = b"", ""
    if ca is None:
        ca = present.ca if present else ""
    elif ca not in ("", "system"):
        content = _certificate(Path(ca))
    if token_file is not None:
        token = read_token(token_file)
        fingerprint = token.fingerprint if not ca and address.startswith("https:") else ""
    if proxy is None:
        proxy = present.proxy if present else ""
    return WantedAgent(address, token_file, site, space, ca, content, fingerprint, proxy)


def _certificate(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AgentError(f"the authority's certificate {path} cannot be read: {error.strerror}") from error
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise AgentError(f"{path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
    return content


def _before_it_is_pinned(wanted: WantedAgent, host: Host) -> AgentSettings:
    """How the collector is asked before the authority is in its place: by the file that was given."""
    settings = settings_of(wanted)
    changes: dict[str, Any] = {}
    if wanted.ca_content:
        changes["ca"] = wanted.ca
    elif wanted.fingerprint and not Path(settings.ca).exists() and host.live:
        changes["ca"] = ""
    return AgentSettings(collector=settings.collector, proxy=settings.proxy, **{"ca": settings.ca, **changes})


def _require_collector(settings: AgentSettings, wanted: WantedAgent) -> None:
    """Raise where no collector answers: better before anything is changed than after."""
    if wanted.fingerprint:
        return  # its authority is fetched and compared by the plan, before anything is sent
    transport = Transport(settings, Clock())
    try:
        answer = transport.request("GET", "/healthz")
    except TransportError as error:
        raise AgentError(f"{error}; nothing was changed") from error
    finally:
        transport.close()
    if answer.status != 200:
        raise AgentError(f"{settings.collector} answers {answer.status} and is no collector; nothing was changed")


def _restarted(left: list[Action]) -> bool:
    return any(isinstance(action, Start) for action in left)


def _heard_at(host: Host, settings: AgentSettings, facts: Facts) -> int | None:
    """When the collector last heard of this host, by its own clock."""
    try:
        heard = last_heard(host, settings, key_paths(agent_of(facts))).get("last_report_at")
    except TransportError:
        return None
    return heard if isinstance(heard, int) else None


def _wait_for_report(host: Host, settings: AgentSettings, facts: Facts, before: int | None) -> None:
    """Print the first report as the collector has it. Raises AgentError when none arrives.

    `before` is what was heard last before the service was started again; a report must be newer.
    """
    paths = key_paths(agent_of(facts))
    deadline = time.monotonic() + FIRST_REPORT_SECONDS
    heard: dict[str, Any] = {}
    arrived: float | None = None
    problem = "it was not heard of"
    while time.monotonic() < deadline:
        try:
            heard = last_heard(host, settings, paths)
        except TransportError as error:
            problem = str(error)
        at = heard.get("last_report_at")
        if isinstance(at, int) and (before is None or at > before):
            arrived = arrived or time.monotonic()
            if heard.get("power_watts") is not None or time.monotonic() - arrived > POWER_SECONDS:
                click.echo(f"first sample: {_sample_words(heard)}")
                return
        time.sleep(0.5)
    if arrived is not None:
        click.echo(f"first sample: {_sample_words(heard)}")
        return
    raise AgentError(
        f"no report of this host reached {settings.collector} within {FIRST_REPORT_SECONDS:.0f} s: {problem}. The service "
        f"is installed; see `ictagent status`, and {manager_words(facts)}"
    )


def _sample_words(heard: dict[str, Any]) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(heard["last_report_at"]))
    where = f"device {heard.get('device_id')} at the collector, {at} UTC"
    watts = heard.get("power_watts")
    if not isinstance(watts, (int, float)):
        return f"{where}; its power is not known yet"
    low, high = heard.get("power_low_watts"), heard.get("power_high_watts")
    span = f", {low:.3g} to {high:.3g}" if isinstance(low, (int, float)) and isinstance(high, (int, float)) else ""
    return f"{where}: {watts:.3g} W ({heard.get('method') or 'method not known'}{span})"
