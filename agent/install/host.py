"""The host on which something is installed: what is true of it (facts), and the few ways to change it.

With another root than `/` only what lies in files is changed: users by `useradd --prefix`, units by `systemctl --root`.
Nothing is started there.
"""

import contextlib
import grp
import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

import psutil

import agent
from agent.errors import AgentError
from agent.files import text_or_empty
from agent.install.systemd import CREDENTIALS_SINCE
from agent.sources import needs_of
from agent.sources.needs import NOTHING, Needs

Manager = Literal["systemd", "openrc", "sysv", "launchd", "windows"]

_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108  # named, not used
"""What ProtectHome= and PrivateTmp= take out of a service's sight."""
_COMMAND_SECONDS = 240
_NOLOGIN = ("/usr/sbin/nologin", "/sbin/nologin", "/usr/bin/false", "/bin/false")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan depends on. `program` is how ictagent is called, `credentials` whether the service manager can hand a
    service files that only root may read, `agent_toml` and `collector_toml` the settings' text now (empty: none).
    """

    manager: Manager
    program: tuple[str, ...]
    nologin: str
    needs: Needs = NOTHING
    live: bool = True
    credentials: bool = True
    agent_toml: str = ""
    collector_toml: str = ""


class Host:
    """Paths below a root, owners, and commands."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root
        self.live = root.resolve() == Path("/")

    def path(self, path: PurePath) -> Path:
        """A path of the host below its root."""
        return self.root / str(path).lstrip("/")

    def user_id(self, name: str) -> int | None:
        """The number of a user, or None."""
        if self.live:
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name).pw_uid
            return None
        return self._number("etc/passwd", name)

    def group_id(self, name: str) -> int | None:
        if self.live:
            with contextlib.suppress(KeyError):
                return grp.getgrnam(name).gr_gid
            return None
        return self._number("etc/group", name)

    def user_home(self, name: str) -> str | None:
        """The home directory of a user, or None."""
        if self.live:
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name).pw_dir
            return None
        fields = self._fields("etc/passwd", name)
        return fields[5] if len(fields) > 5 else None

    def _number(self, table: str, name: str) -> int | None:
        fields = self._fields(table, name)
        return int(fields[2]) if len(fields) > 2 and fields[2].isdecimal() else None

    def _fields(self, table: str, name: str) -> list[str]:
        """From the table of a host that does not run; empty where the name is not in it."""
        lines = (line.split(":") for line in text_or_empty(self.root / table).splitlines())
        return next((fields for fields in lines if fields[0] == name), [])

    def run(self, *command: str) -> str:
        """Run a program as root and give its output. Raises AgentError with what it said."""
        try:
            done = subprocess.run(  # noqa: S603  # fixed programs with words of ours, no shell
                command, check=False, capture_output=True, text=True, timeout=_COMMAND_SECONDS, stdin=subprocess.DEVNULL
            )
        except FileNotFoundError as error:
            raise AgentError(f"{command[0]} is missing on this host: install it") from error
        except subprocess.TimeoutExpired as error:
            raise AgentError(f"`{' '.join(command)}` did not end within {_COMMAND_SECONDS} s") from error
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split())
            raise AgentError(f"`{' '.join(command)}` failed ({done.returncode}): {said or 'it gave no reason'}")
        return done.stdout

    def asks(self, *command: str) -> bool:
        """Whether a program that only looks answers yes (exit status 0)."""
        try:
            done = subprocess.run(command, check=False, capture_output=True, timeout=_COMMAND_SECONDS)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    def unit_properties(self, unit: str) -> dict[str, str]:
        """What systemd knows of a unit: LoadState, ActiveState, SubState, UnitFileState, MainPID, NeedDaemonReload."""
        names = "LoadState,ActiveState,SubState,UnitFileState,MainPID,NeedDaemonReload,Result"
        try:
            text = self.run("systemctl", "show", unit, f"--property={names}")
        except AgentError:
            return {}
        return dict(line.partition("=")[::2] for line in text.splitlines() if "=" in line)

    def program_is_newer(self, unit: str) -> bool:
        """Whether the program on disk was changed after the unit's process had started."""
        pid = self.unit_properties(unit).get("MainPID", "0")
        try:
            started = psutil.Process(int(pid)).create_time()
        except (psutil.Error, ValueError):
            return False
        return program_file().stat().st_ctime > started


def program_file() -> Path:
    """A file that every release replaces: the program itself where it carries its interpreter, else our package."""
    return Path(sys.executable) if getattr(sys, "frozen", False) else Path(agent.__file__)


def program() -> tuple[str, ...]:
    """How this ictagent is called: the program that carries its interpreter, the command beside it, or `-m agent`."""
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    beside = Path(sys.executable).with_name("ictagent")
    return (str(beside),) if os.access(beside, os.X_OK) else (sys.executable, "-m", "agent")


def manager_of(host: Host) -> Manager:
    """The host's service manager. Raises AgentError where none is known."""
    if sys.platform == "darwin":
        return "launchd"
    if sys.platform == "win32":
        return "windows"
    if (host.root / "run/systemd/system").is_dir():
        return "systemd"
    if not host.live and any((host.root / place / "systemd/systemd").exists() for place in ("usr/lib", "lib")):
        return "systemd"
    if (host.root / "sbin/openrc-run").exists() or (host.root / "usr/sbin/openrc-run").exists():
        return "openrc"
    # Debian's containers have the folder too, and no init to read it.
    if (host.root / "etc/init.d").is_dir() and (host.root / "etc/inittab").exists():
        return "sysv"
    raise AgentError(
        "no service manager was found here (systemd, OpenRC, System V init): run `ictagent run` under whatever "
        "keeps programs running on this host"
    )


def facts_of(host: Host, disabled_sources: Collection[str] = (), manager: Manager | None = None) -> Facts:
    """Everything a plan needs to know of this host. Raises AgentError where no service manager is known."""
    manager = manager or manager_of(host)
    return Facts(
        manager=manager,
        program=program(),
        nologin=next((shell for shell in _NOLOGIN if (host.root / shell[1:]).exists()), _NOLOGIN[-1]),
        needs=needs_of(host.root, disabled_sources),
        live=host.live,
        credentials=manager == "systemd" and _systemd_version() >= CREDENTIALS_SINCE,
        agent_toml=_whole_text(host.root / "etc/ictagent/agent.toml"),
        collector_toml=_whole_text(host.root / "etc/ictagent/collector.toml"),
    )


def _whole_text(path: Path) -> str:
    """A configuration file as it is, or nothing. Raises AgentError for one that is there and cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(f"{path} cannot be read: {error}") from error


def _systemd_version() -> int:
    """systemd's release, 0 where it does not say."""
    if shutil.which("systemctl") is None:
        return 0
    done = subprocess.run(["systemctl", "--version"], check=False, capture_output=True, text=True)  # noqa: S607
    words = done.stdout.split()
    return int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0


def check_program(program: tuple[str, ...]) -> None:
    """Raise AgentError where the service, an ordinary user behind ProtectHome= and PrivateTmp=, could not run the program."""
    path = Path(program[0])
    places = [parent for place in (path, path.resolve()) for parent in place.parents]
    for parent in places:
        if str(parent) in _HIDDEN:
            raise AgentError(f"{path} lies below {parent}, which a service cannot see: install ictagent below /opt")
    for parent in places:
        if not parent.stat().st_mode & stat.S_IXOTH:
            raise AgentError(f"{parent} is closed to other users, so the service could not run {path}: open it")
