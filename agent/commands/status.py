"""`ictagent status`: whether this host's agent runs and is heard, and what to do if not."""

import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

import agent
from agent.choice import chosen_words
from agent.commands.common import echo_json, echo_table, output_option
from agent.errors import AgentError, ConfigurationError
from agent.install.host import Host, facts_of
from agent.install.plan import agent_of
from agent.settings import default_state_directory, load_agent
from agent.status import AgentStatus, read_status

SILENT_SECONDS = 300
"""Without a report for as long, the collector calls a host silent. With rarer reports: two of them missed."""
KEY_ENDS_SOON_SECONDS = 14 * 86_400


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether all is well; if not, what is wrong and what to do."""

    good: bool
    finding: str
    remedy: str = ""


@click.command(epilog="\b\nExamples:\n  ictagent status\n  ictagent status --output json")
@click.option(
    "--state-directory",
    type=click.Path(path_type=Path),
    help="The agent's state; default: as configured, or installed.",
)
@output_option()
def status(state_directory: Path | None, output: str) -> None:
    """Version, last report, spool, rejected reports, sources, key and service of the agent on this host.

    Exit 0 when it runs and was heard within five minutes, 1 when not, with the remedy.
    """
    wrong = ""
    directory = state_directory or default_state_directory()
    try:
        directory = state_directory or load_agent().settings.state_directory
    except ConfigurationError as error:
        wrong = str(error)
    try:
        said = read_status(directory)
    except OSError as error:
        raise AgentError(
            f"{directory} cannot be read: {error.strerror}; run this as root, or as the agent's user"
        ) from error
    unit = {} if state_directory else _unit_of_this_host()
    running = _runs(said, unit)
    verdict = judge(said, running, int(time.time()), installed=bool(unit))
    if wrong:
        verdict = Verdict(False, f"the configuration is wrong: {wrong}", "correct it, and restart the agent")
    if output == "json":
        echo_json(_json(said, unit, running, verdict))
    else:
        echo_table(("what", ""), _rows(said, unit, running, int(time.time())))
        click.echo(f"\n{verdict.finding}" + (f"; {verdict.remedy}" if verdict.remedy else ""))
    sys.exit(0 if verdict.good else 1)


def judge(said: AgentStatus | None, running: bool, now: int, *, installed: bool = False) -> Verdict:
    """What a person should make of it. `installed` is whether systemd knows the service."""
    if not running:
        remedy = "ictagent install, or ictagent run"
        if installed:
            remedy = "systemctl start ictagent-agent; if it ends again: journalctl --unit ictagent-agent.service"
        return Verdict(False, "no agent has run here" if said is None else "the agent is not running", remedy)
    if said is None:
        return Verdict(False, "the agent runs and has said nothing yet", "look again in a minute")
    patience = max(SILENT_SECONDS, int(2.5 * said.report_seconds))
    problem = said.last_problem or "the agent did not say why"
    if said.last_report_at is None and now - said.started_at <= patience:
        if said.last_problem:
            return Verdict(False, f"no report was taken yet: {problem}", "reports are kept; ictagent doctor")
        return Verdict(True, "the agent has just begun")
    if now - said.written_at > patience:
        return Verdict(
            False, f"the agent runs and has said nothing for {_ago(now - said.written_at)}", "ictagent doctor"
        )
    if said.last_report_at is None:
        return Verdict(False, f"no report was ever taken: {problem}", "reports are kept; ictagent doctor")
    if now - said.last_report_at > patience:
        silent = f"no report was taken for {_ago(now - said.last_report_at)}: {problem}"
        return Verdict(False, silent, "reports are kept; ictagent doctor")
    return Verdict(True, "all is well")


def _unit_of_this_host() -> dict[str, str]:
    """What systemd knows of the agent's unit; empty without systemd or unit."""
    host = Host()
    try:
        facts = facts_of(host)
    except AgentError:
        return {}
    if facts.manager != "systemd":
        return {}
    properties = host.unit_properties(agent_of(facts).unit)
    return properties if properties.get("LoadState") == "loaded" else {}


def _runs(said: AgentStatus | None, unit: dict[str, str]) -> bool:
    if unit:
        return unit.get("ActiveState") in ("active", "reloading")
    if said is None or said.stopped_at is not None:
        return False
    try:
        os.kill(said.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _rows(said: AgentStatus | None, unit: dict[str, str], running: bool, now: int) -> list[tuple[str, str]]:
    rows = [("service", _service_words(unit)), ("running", "yes" if running else "no")]
    if said is None:
        return [("version", agent.__version__), *rows]
    older = "" if said.version == agent.__version__ else f" (installed: {agent.__version__}; ictagent upgrade)"
    rows = [("version", said.version + older), *rows, ("collector", said.collector)]
    if said.last_report_at is None:
        rows.append(("last report", "none yet"))
    else:
        rows.append(("last report", f"{_utc(said.last_report_at)}, {_ago(now - said.last_report_at)} ago"))
    rows.append(("problem", said.last_problem or "none"))
    rows.append(("spool", f"reports waiting: {said.spool_reports}, bytes: {said.spool_bytes}"))
    rows.append(("rejected reports", str(said.rejected_reports)))
    rows.append(("dropped reports", str(said.dropped_reports)))
    rows.append(("key", _key_words(said, now)))
    rows.append(("power comes from", chosen_words(said.choice)))
    for source in said.sources:
        reason = f": {source.reason}" if source.reason else ""
        rows.append((f"source {source.source}", f"{source.outcome}{reason}"))
    if now - said.written_at > max(SILENT_SECONDS, int(2.5 * said.report_seconds)):
        rows.append(("as of", f"{_utc(said.written_at)}: this is old"))
    return rows


def _service_words(unit: dict[str, str]) -> str:
    if not unit:
        return "not installed as a service of systemd"
    return f"{unit.get('ActiveState')} ({unit.get('SubState')}), {unit.get('UnitFileState')}"


def _key_words(said: AgentStatus, now: int) -> str:
    if not said.key_id:
        return "none yet"
    if said.key_expires_at is None:
        return f"{said.key_id}, its end is not known yet"
    soon = ", soon" if said.key_expires_at - now < KEY_ENDS_SOON_SECONDS else ""
    return f"{said.key_id}, until {_utc(said.key_expires_at)}{soon}"


def _json(said: AgentStatus | None, unit: dict[str, str], running: bool, verdict: Verdict) -> dict[str, Any]:
    return {
        "installed_version": agent.__version__,
        "running": running,
        "unit": {"active": unit.get("ActiveState"), "sub": unit.get("SubState"), "enabled": unit.get("UnitFileState")},
        "agent": None if said is None else asdict(said),
        **asdict(verdict),
    }


def _utc(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))


def _ago(seconds: int) -> str:
    seconds = max(0, seconds)
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
