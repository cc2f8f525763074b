"""Plans: from the facts of a host and what is wanted, the acts in their order. Nothing here reads or changes anything.

`pending` says which acts of a plan are left to do on a host; --dry-run shows them, the real run does them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from agent.errors import AgentError
from agent.install import initscript, launchd, systemd, windows
from agent.install.actions import (
    ROOT,
    Action,
    MakeDirectory,
    MakeUser,
    RemoveEmptyDirectory,
    RemoveFile,
    RemoveTree,
    RemoveUser,
    WriteFile,
)
from agent.install.control import Enable, ReloadManager, Start, Stop, definition_path
from agent.install.enrolment import Enrol, GiveKeyBack, KeyState, PinAuthority
from agent.install.host import Facts, Host
from agent.install.service import CONFIGURATION, Service, agent_service, collector_needs, collector_service
from agent.install.toml_text import Plain, with_settings
from agent.settings import AgentSettings
from agent.sources.needs import NOTHING

KEY = CONFIGURATION / "key"
AUTHORITY = CONFIGURATION / "ca.pem"
AGENT_TOML = CONFIGURATION / "agent.toml"
COLLECTOR_TOML = CONFIGURATION / "collector.toml"


@dataclass(frozen=True, slots=True)
class WantedAgent:
    """What `ictagent install` was asked for. `ca_content` is what the file of `--ca` holds, `fingerprint` the authority
    that the token pins."""

    collector: str
    token_file: Path | None = None
    site: str = ""
    space: str = ""
    ca: str = ""
    ca_content: bytes = b""
    fingerprint: str = ""
    proxy: str = ""


@dataclass(frozen=True, slots=True)
class WantedCollector:
    """What `ictagent collector install` was asked for; None leaves a setting as it is."""

    listen: str | None = None
    database: str | None = None
    certificate_file: str | None = None
    certificate_key_file: str | None = None


def pending(host: Host, plan: Sequence[Action]) -> list[Action]:
    """The acts of a plan that are not done yet, in order."""
    left: list[Action] = []
    for action in plan:
        if not action.done(host, left):
            left.append(action)
    return left


def apply(host: Host, actions: Sequence[Action], say: Callable[[str], None]) -> None:
    """Do them, each said before it is done. Raises AgentError naming the act that failed."""
    for action in actions:
        say(action.describe())
        try:
            action.apply(host)
        except OSError as error:
            raise AgentError(f"{action.describe().splitlines()[0]}: {error}") from error


def agent_of(facts: Facts) -> Service:
    """The agent's service on this host."""
    return _here(facts, agent_service(facts.program, facts.needs, credentials=facts.credentials))


def collector_of(facts: Facts, certificate_key: str = "") -> Service:
    """The collector's service on this host."""
    credentials = {"tls-key": certificate_key} if certificate_key and facts.credentials else {}
    return _here(facts, collector_service(facts.program, credentials, collector_needs(facts.collector_toml)))


def key_paths(service: Service) -> tuple[PurePath, ...]:
    """Where an installed agent's key is, the renewed one first."""
    return (service.state_directory / "key", KEY)


def settings_of(wanted: WantedAgent) -> AgentSettings:
    """How the collector is spoken to as wanted."""
    ca = wanted.ca
    if wanted.ca_content or wanted.fingerprint:
        ca = str(AUTHORITY)
    return AgentSettings(collector=wanted.collector, ca=ca, proxy=wanted.proxy)


def install_agent(facts: Facts, wanted: WantedAgent, key: KeyState) -> list[Action]:
    """Everything that makes this host report. Raises AgentError where a token is needed and none was given."""
    service = agent_of(facts)
    settings = settings_of(wanted)
    enrolling = key in ("none", "refused")
    if enrolling and wanted.token_file is None and facts.live:
        why = "has no key yet" if key == "none" else "has a key that the collector refuses"
        raise AgentError(f"this host {why}: give --token-file, with a token from `ictagent collector token create`")
    plan: list[Action] = [*_user(facts, service), *_directories(service)]
    if wanted.ca_content:
        plan.append(WriteFile(AUTHORITY, wanted.ca_content, notes=("the authority that --ca names",)))
    elif wanted.fingerprint:
        plan.append(PinAuthority(replace(settings, ca=""), wanted.fingerprint, AUTHORITY))
    values: dict[str, Plain | None] = {
        "collector": wanted.collector,
        "ca": settings.ca or None,
        "proxy": wanted.proxy or None,
        "state_directory": str(service.state_directory),
        "key_file": None if facts.credentials else str(KEY),
    }
    plan.append(_settings_file(AGENT_TOML, "agent", facts.agent_toml, values))
    if key == "refused":
        plan.append(RemoveFile(service.state_directory / "key", "the collector refuses it"))
    if wanted.token_file is not None:
        mode, group = (0o600, ROOT) if facts.credentials else (0o640, service.user)
        plan.append(Enrol(settings, wanted.token_file, wanted.site, wanted.space, KEY, mode, group, enrolling))
    plan += _definition(facts, service)
    if enrolling and wanted.token_file is None:
        return plan  # an image: without a key there is nothing to start
    return [*plan, *_started(facts, service, (AGENT_TOML, AUTHORITY, KEY))]


def install_collector(facts: Facts, wanted: WantedCollector) -> list[Action]:
    """Everything that makes this machine take reports."""
    service = collector_of(facts, wanted.certificate_key_file or "")
    key = wanted.certificate_key_file
    if key and service.credentials:
        key = systemd.credential_path(service, "tls-key")
    given = {
        "listen": wanted.listen,
        "database": wanted.database,
        "certificate_file": wanted.certificate_file,
        "certificate_key_file": key,
    }
    values: dict[str, Plain | None] = {"state_directory": str(service.state_directory)}
    values |= {name: value for name, value in given.items() if value is not None}
    return [
        *_user(facts, service),
        *_directories(service),
        _settings_file(COLLECTOR_TOML, "collector", facts.collector_toml, values),
        *_definition(facts, service),
        *_started(facts, service, (COLLECTOR_TOML,)),
    ]


def upgrade(facts: Facts, services: Sequence[Service]) -> list[Action]:
    """Definitions as this release writes them; what runs is started again where it or its definition is older."""
    plan: list[Action] = []
    for service in services:
        path = definition_path(service, facts.manager)
        plan += [*_definition(facts, service), Start(service, facts.manager, (path,), only_if_running=True)]
    return plan


def uninstall(
    facts: Facts, service: Service, settings: AgentSettings | None, *, purge: bool, keep_settings: bool = False
) -> list[Action]:
    """Everything of a service gone but its data; with `purge` the data and the user too.

    With the agent's settings its key is given back, after its last report and before it is deleted. `keep_settings` is
    for packages, whose removal leaves settings in /etc until they are purged.
    """
    agent = service.name == "ictagent-agent"
    path = definition_path(service, facts.manager)
    plan: list[Action] = [Stop(service, facts.manager)]
    if settings is not None:
        plan.append(GiveKeyBack(settings, key_paths(service)))
    plan.append(RemoveFile(path))
    if facts.manager == "systemd":
        plan.append(ReloadManager(path))
    if agent:
        plan += [RemoveFile(one) for one in reversed(key_paths(service))]
    if not keep_settings:
        plan += [RemoveFile(one) for one in ((AUTHORITY, AGENT_TOML) if agent else (COLLECTOR_TOML,))]
    plan.append(RemoveEmptyDirectory(CONFIGURATION))
    if purge:
        holds = "reports that wait, counters, status" if agent else "the database: estate, ledger, keys"
        plan.append(RemoveTree(service.state_directory, holds))
        if facts.manager in ("systemd", "openrc", "sysv"):
            plan.append(RemoveUser(service.user, service.state_directory))
    return plan


def _here(facts: Facts, service: Service) -> Service:
    if facts.manager == "launchd":
        return replace(service, user=launchd.user_name(service))
    return service


def _user(facts: Facts, service: Service) -> list[Action]:
    """Windows' LocalService is there already."""
    if facts.manager == "windows":
        return []
    return [MakeUser(service.user, service.state_directory, facts.nologin)]


def _directories(service: Service) -> list[Action]:
    state = service.state_directory
    return [
        *_ancestors(CONFIGURATION),
        MakeDirectory(CONFIGURATION, 0o755),
        *_ancestors(state),
        MakeDirectory(state, 0o700, service.user),
    ]


def _ancestors(path: PurePath) -> list[Action]:
    """The system's own directories above a path, which an image may lack."""
    return [MakeDirectory(parent, 0o755, as_it_is=True) for parent in reversed(path.parents) if parent != parent.parent]


def _settings_file(path: PurePath, section: str, text: str, values: dict[str, Plain | None]) -> WriteFile:
    """For everybody to read: agent and collector read each other's file, and secrets stand in neither."""
    shown = tuple(f"{name} = {value}" for name, value in values.items() if value is not None)
    changed = with_settings(text, section, values)
    return WriteFile(path, changed.encode(), notes=(f"[{section}]", *shown), kept=True)


def _definition(facts: Facts, service: Service) -> list[Action]:
    """The file that tells the service manager of the service."""
    path = definition_path(service, facts.manager)
    content, mode, notes = _content(facts, service)
    plan: list[Action] = [*_ancestors(path), WriteFile(path, content, mode, notes=notes)]
    if facts.manager == "systemd":
        plan.append(ReloadManager(path))
    return plan


def _content(facts: Facts, service: Service) -> tuple[bytes, int, tuple[str, ...]]:
    notes = _allowed(service)
    if facts.manager == "systemd":
        return systemd.unit_text(service).encode(), 0o644, notes
    if facts.manager == "openrc":
        return initscript.openrc_script(service).encode(), 0o755, notes
    if facts.manager == "sysv":
        return initscript.sysv_script(service).encode(), 0o755, notes
    if facts.manager == "launchd":
        return launchd.plist_bytes(service), 0o644, notes
    return windows.task_xml(service), 0o644, (f"runs as LocalService: {' '.join(service.command)}",)


def _allowed(service: Service) -> tuple[str, ...]:
    """What the service may do beyond an ordinary user, in words."""
    needs = service.needs
    lines = [f"runs `{' '.join(service.command)}` as {service.user}"]
    if needs == NOTHING:
        lines.append("capabilities: none; devices: none")
    else:
        lines.append(f"capabilities: {', '.join(sorted(needs.capabilities)) or 'none'}")
        lines.append(f"devices: {', '.join(sorted(needs.devices)) or 'none'}")
        if needs.groups:
            lines.append(f"groups: {', '.join(sorted(needs.groups))}")
        if needs.programs:
            lines.append(f"runs the programs: {', '.join(sorted(needs.programs))}")
        if needs.processes:
            lines.append("sees the processes of other users: the guests of this host")
    lines += [f"gets {path} as the credential `{name}`" for name, path in sorted(service.credentials.items())]
    return tuple(lines)


def _started(facts: Facts, service: Service, made_of: tuple[PurePath, ...]) -> list[Action]:
    definition = definition_path(service, facts.manager)
    start = Start(service, facts.manager, (definition, *made_of))
    # launchd and the task scheduler start with the machine whatever they were told of.
    return [start] if facts.manager in ("launchd", "windows") else [Enable(service, facts.manager), start]
