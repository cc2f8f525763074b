"""What a service is, whatever runs it: the one description from which units, scripts, plists and tasks are made."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from agent.sources.needs import NOTHING, Needs

CONFIGURATION = PurePosixPath("/etc/ictagent")
EXIT_CONFIGURATION = 78
"""A wrong configuration does not become right by starting again (EX_CONFIG of sysexits.h)."""
TRAP_PORT, PRIVILEGED_BELOW = 162, 1024
PRIVILEGED_PORTS = Needs(capabilities=frozenset({"CAP_NET_BIND_SERVICE"}))
WATCHDOG_SECONDS = 180
"""Three times the longest interval between samples."""


@dataclass(frozen=True, slots=True)
class Service:
    """One of ictagent's services.

    `credentials` are files that only root may read, by the name under which the service gets them; `needs` is what
    its energy sources need beyond an ordinary user. `just_in_time` is for a process that makes code while it runs.
    """

    name: str
    title: str
    user: str
    command: tuple[str, ...]
    state_directory: PurePosixPath
    memory_max: str
    tasks_max: int
    needs: Needs = NOTHING
    credentials: dict[str, str] = field(default_factory=dict)
    just_in_time: bool = False
    open_files: int = 1024

    @property
    def unit(self) -> str:
        return f"{self.name}.service"


def agent_service(program: Sequence[str], needs: Needs, *, credentials: bool) -> Service:
    """The agent. `credentials` is whether the service manager can hand over the key."""
    return Service(
        name="ictagent-agent",
        title="ictagent agent: use, energy and carbon of this host",
        user="ictagent",
        command=(*program, "run"),
        state_directory=PurePosixPath("/var/lib/ictagent"),
        memory_max="256M",
        tasks_max=64,
        needs=needs,
        credentials={"key": str(CONFIGURATION / "key")} if credentials else {},
    )


def collector_needs(settings: str) -> Needs:
    """What the collector needs by the text of its settings: traps come to port 162, which an ordinary user may not open."""
    try:
        places = tomllib.loads(settings)["collector"]["snmp_trap_listen"]
        if not isinstance(places, list):
            return NOTHING
        ports = [int(one.rpartition(":")[2]) if one.count(":") == 1 or "]:" in one else TRAP_PORT for one in places]
    except (ValueError, AttributeError, TypeError, KeyError):
        return NOTHING  # the collector says at its start what is wrong
    return PRIVILEGED_PORTS if any(0 < port < PRIVILEGED_BELOW for port in ports) else NOTHING


def collector_service(program: Sequence[str], credentials: dict[str, str], needs: Needs = NOTHING) -> Service:
    """The collector. Its charts are drawn by vl-convert, whose JavaScript engine makes code while it runs."""
    return Service(
        name="ictagent-collector",
        title="ictagent collector: reports of agents, energy ledger and pages",
        user="ictagent-collector",
        command=(*program, "collector", "run"),
        state_directory=PurePosixPath("/var/lib/ictagent-collector"),
        memory_max="4G",
        tasks_max=512,
        needs=needs,
        credentials=credentials,
        just_in_time=True,
        open_files=65536,
    )
