"""`ictagent doctor`: why a figure is measured or estimated, and whether everything on the way works."""

import contextlib
import importlib.util
import os
import sys
import time
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import click

from agent.choice import better_words, chosen_words
from agent.clock import Clock
from agent.commands.common import SETTLE_SECONDS, echo_json, echo_table, output_option, root_option
from agent.errors import ConfigurationError, EnrolmentError, TransportError
from agent.files import text_or_empty, there
from agent.inventory import read_inventory
from agent.keys import read_keys
from agent.report import Choice, Guest, Inventory, SourceState
from agent.sampler import Sampler
from agent.settings import CONFIGURATION_DIRECTORY, AgentSettings, load_agent
from agent.status import read_status
from agent.transport import Transport

TOLERATED_OFFSET_SECONDS = 30
INSTALLED_KEY = CONFIGURATION_DIRECTORY / "key"
STALE_REPORTS = 3
"""A status older than so many reports is of an agent that runs no more."""
NAMED_GUESTS = 10
_AS_OWNER = "run this command as root, or as the agent's user"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `result` is ok, note (nothing to mend) or failed (with a remedy)."""

    subject: str
    result: str
    finding: str
    remedy: str = ""


@click.command(epilog="\b\nExamples:\n  ictagent doctor\n  ictagent doctor --output json")
@output_option()
@root_option
def doctor(output: str, root: Path) -> None:
    """Check every energy source, the configuration, the spool, and the way to the collector.

    Exit 0 when nothing failed, 1 otherwise. What a machine does not have is no failure.
    """
    sampler = Sampler(root, _settings_of_sources(root))
    sampler.settle(SETTLE_SECONDS)
    sampler.sample(with_inventory=False)
    time.sleep(0.2)
    taken = sampler.sample(with_inventory=False)
    sampler.close()
    checks = [_machine(read_inventory(root)), *map(_source, taken.sources), *_guests(taken.guests)]
    checks += _choice(taken.choice)
    checks += [*_configuration(), _import_name()]
    failed = any(check.result == "failed" for check in checks)
    if output == "json":
        echo_json({"checks": [asdict(check) for check in checks], "failed": failed})
    else:
        rows = [(check.subject, check.result, check.finding) for check in checks]
        echo_table(("what", "result", "finding"), rows)
        for check in checks:
            if check.remedy:
                click.echo(f"\n{check.subject}: {check.remedy}")
    sys.exit(1 if failed else 0)


def _settings_of_sources(root: Path) -> AgentSettings | None:
    """What the running agent's sources are told; a wrong configuration is a finding of its own."""
    try:
        return load_agent().settings if root == Path("/") else None
    except ConfigurationError:
        return None


def _machine(inventory: Inventory) -> Check:
    kind = inventory.platform.replace("_", " ")
    of = f" of {inventory.hypervisor}" if inventory.hypervisor else ""
    where = f" in {inventory.cloud}" if inventory.cloud else ""
    finding = f"{kind}{of}{where}"
    if inventory.platform == "virtual_machine":
        finding += ": it has no energy sensors of its own, its energy is a share of its host's"
    elif inventory.platform == "container":
        finding += ": run the agent on the host instead, which sees the sensors and everything that draws power"
    return Check("machine", "ok" if inventory.platform == "physical" else "note", finding)


def _source(state: SourceState) -> Check:
    results = {"data": "ok", "absent": "note", "off": "note", "failed": "failed"}
    if state.outcome == "data":
        finding = f"gives data, but {state.reason}" if state.reason else "gives data"
    else:
        finding = f"{state.outcome}: {state.reason}"
    return Check(f"source {state.source}", results[state.outcome], finding, state.remedy)


def _guests(guests: list[Guest]) -> list[Check]:
    """How many guests run here, and how large they are together."""
    if not guests:
        return []
    names = ", ".join(sorted(guest.name for guest in guests)[:NAMED_GUESTS])
    more = f" and {len(guests) - NAMED_GUESTS} more" if len(guests) > NAMED_GUESTS else ""
    vcpus, memory = sum(guest.vcpus for guest in guests), sum(guest.memory_bytes for guest in guests) / 2**30
    size = f"together {vcpus:g} processors and {memory:.1f} GiB of memory configured"
    return [Check("guests", "ok", f"{len(guests)}: {names}{more}; {size}")]


def _choice(choice: Choice) -> list[Check]:
    """What power is taken from, then a line for each better way that this host does not offer."""
    chosen = Check("power comes from", "ok" if choice.basis == "machine" else "note", chosen_words(choice))
    return [
        chosen,
        *(Check(f"not from {better_words(rung)}", "note", reason) for rung, reason in choice.why_not.items()),
    ]


def _configuration() -> list[Check]:
    try:
        settings = load_agent().settings
    except ConfigurationError as error:
        return [Check("configuration", "failed", str(error), "correct the file or variable it names")]
    return [
        Check("configuration", "ok", "good"),
        _state(settings),
        *_spool(settings),
        *_sending(settings),
        *_collector(settings),
    ]


def _state(settings: AgentSettings) -> Check:
    directory = settings.state_directory
    nearest = next(path for path in (directory, *directory.parents) if there(path))
    if os.access(nearest, os.W_OK | os.X_OK):
        return Check("state directory", "ok", f"{directory} can be written")
    return Check("state directory", "failed", f"{directory} cannot be written", f"{_AS_OWNER}, or set state_directory")


def _spool(settings: AgentSettings) -> list[Check]:
    spool = settings.state_directory / "spool"
    try:
        if not spool.is_dir():
            return [Check("spool", "note", "empty: this agent has not run yet")]
        waiting = _sizes(spool)
        rejected = len(os.listdir(spool / "rejected"))
    except OSError as error:
        return [Check("spool", "failed", f"{error.filename} cannot be read: {error.strerror}", _AS_OWNER)]
    checks = [
        Check("spool", "ok", f"reports waiting: {len(waiting)}, bytes: {sum(waiting)} of {settings.spool_limit_bytes}")
    ]
    if rejected:
        checks.append(
            Check(
                "rejected reports",
                "failed",
                f"{rejected} reports were refused or unreadable; they are kept in {spool / 'rejected'}",
                "bring agent and collector to the same release, then delete them",
            )
        )
    return checks


def _sending(settings: AgentSettings) -> list[Check]:
    """What the agent that runs says hinders it now."""
    try:
        status = read_status(settings.state_directory)
    except OSError as error:
        return [Check("sending", "failed", f"its status cannot be read: {error.strerror}", _AS_OWNER)]
    if status is None or status.stopped_at is not None or not status.last_problem:
        return []
    if time.time() - status.written_at > STALE_REPORTS * status.report_seconds:
        return []
    return [Check("sending", "failed", status.last_problem, "reports are kept meanwhile; the finding says what to do")]


def _sizes(spool: Path) -> list[int]:
    """The size of each report that waits. A running agent takes some away meanwhile."""
    found = []
    for name in os.listdir(spool):
        if name.endswith(".json.gz"):
            with contextlib.suppress(FileNotFoundError):
                found.append((spool / name).stat().st_size)
    return found


def _collector(settings: AgentSettings) -> list[Check]:
    if not settings.collector:
        return [Check("collector", "note", "none is configured")]
    transport = Transport(settings, Clock())
    try:
        health = transport.request("GET", "/healthz")
        if health.status != 200 or health.body.get("status") != "ok":
            finding = f"{settings.collector} answers {health.status} and is no collector"
            return [Check("collector", "failed", finding, "correct its address, or look at the proxy before it")]
        checks = [Check("collector", "ok", f"{settings.collector} answers"), *_offset(health.date)]
        try:
            keys = read_keys(settings)
        except EnrolmentError as error:
            return [*checks, Check("key", "failed", str(error), _AS_OWNER)]
        # The service is handed this one; only root may look at it.
        keys = keys or [key for key in (text_or_empty(INSTALLED_KEY),) if key]
        if not keys:
            return [*checks, Check("key", "note", "this host is not enrolled yet")]
        return [*checks, _key(transport, keys)]
    except TransportError as error:
        return [Check("collector", "failed", str(error), "start it, or correct its address")]
    finally:
        transport.close()


def _key(transport: Transport, keys: list[str]) -> Check:
    """Whether the collector takes one of this host's keys, and for how long."""
    for key in keys:
        answer = transport.request("GET", "/v1/whoami", headers=transport.identified(key))
        if answer.status == 200:
            device, left = f"accepted: device {answer.body.get('device_id')}", answer.body.get("expires_in_seconds")
            days = f", {left // 86_400} days left" if isinstance(left, int) else ""
            if answer.body.get("copy") is True:
                finding = "this host is a copy with another one's key: its reports are kept, and not taken"
                return Check("key", "failed", finding, "give it a token of its own (token_file)")
            return Check("key", "ok", device + days)
        if answer.status not in (401, 403):
            break
    return Check("key", "failed", answer.error, "enrol the host again, with a new token")


def _offset(date: str) -> list[Check]:
    try:
        offset = time.time() - parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return []
    if abs(offset) <= TOLERATED_OFFSET_SECONDS:
        return [Check("clock", "ok", "agrees with the collector's")]
    return [Check("clock", "failed", f"{offset:+.0f} s from the collector's", "keep time by NTP")]


def _import_name() -> Check:
    """Graphite's storage daemon is imported as `carbon` too: in one environment one hides the other."""
    found = importlib.util.find_spec("carbon")
    if found is None:
        return Check("environment", "ok", "base install")
    folder = Path(next(iter(found.submodule_search_locations or [""])))
    # A data file: packages hold no sources.
    if (folder / "data" / "power_model.json").exists():
        return Check("environment", "ok", "all parts are ictagent's own")
    return Check(
        "environment",
        "failed",
        f"the name `carbon` belongs to another program ({folder})",
        "install ictagent into an environment of its own (package, pipx, image)",
    )
