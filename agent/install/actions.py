"""The acts of which plans are made. Each says what it will touch, whether that is so already, and does it.

`done` is asked with the acts that come before it in the same plan and are still to be done: a service whose unit is about
to be written must be started again though it runs.
"""

import contextlib
import os
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Protocol

from agent.errors import AgentError
from agent.files import write_durably
from agent.install.host import Host

ROOT = "root"


class Action(Protocol):
    """One act."""

    def describe(self) -> str:
        """What it touches, complete: it is what --dry-run shows and what the real run says."""

    def done(self, host: Host, pending: Sequence["Action"]) -> bool:
        """Whether nothing is left to do."""

    def apply(self, host: Host) -> None:
        """Do it. Raises AgentError or OSError."""


@dataclass(frozen=True, slots=True)
class MakeUser:
    """A system user with a group of its own, no password and no shell."""

    name: str
    home: PurePath
    shell: str

    def describe(self) -> str:
        return f"create the system user and group {self.name} (home {self.home}, shell {self.shell}, no password)"

    def done(self, host: Host, pending: Sequence[Action]) -> bool:  # noqa: ARG002  # the shape is Action's
        return host.user_id(self.name) is not None

    def apply(self, host: Host) -> None:
        if shutil.which("useradd"):
            prefix = [] if host.live else ["--prefix", str(host.root)]
            group = ["--gid", self.name] if host.group_id(self.name) is not None else ["--user-group"]
            options = ["--system", *group, "--home-dir", str(self.home), "--no-create-home", "--shell", self.shell]
            host.run("useradd", *prefix, *options, self.name)
            return
        # BusyBox (Alpine) has these instead.
        if host.group_id(self.name) is None:
            host.run("addgroup", "-S", self.name)
        host.run("adduser", "-S", "-D", "-H", "-h", str(self.home), "-s", self.shell, "-G", self.name, self.name)


@dataclass(frozen=True, slots=True)
class RemoveUser:
    """The system user that `MakeUser` made, with its group. One of the same name with another home is somebody else's."""

    name: str
    home: PurePath

    def describe(self) -> str:
        return f"delete the user and group {self.name}"

    def done(self, host: Host, pending: Sequence[Action]) -> bool:  # noqa: ARG002  # the shape is Action's
        if host.user_id(self.name) is None:
            return host.group_id(self.name) is None
        return host.user_home(self.name) != str(self.home)

    def apply(self, host: Host) -> None:
        prefix = [] if host.live else ["--prefix", str(host.root)]
        shadow = bool(shutil.which("userdel"))
        if host.user_id(self.name) is not None:
            host.run(*(["userdel", *prefix] if shadow else ["deluser"]), self.name)
        # Whether the group goes with its user depends on the system (USERGROUPS_ENAB).
        if host.group_id(self.name) is not None:
            host.run(*(["groupdel", *prefix] if shadow else ["delgroup"]), self.name)


@dataclass(frozen=True, slots=True)
class MakeDirectory:
    """A directory with this mode and owner; one of the system's own, `as_it_is`, is made where it is missing and else
    left alone."""

    path: PurePath
    mode: int
    owner: str = ROOT
    as_it_is: bool = False

    def describe(self) -> str:
        return f"create the directory {self.path} ({self.mode:04o}, {self.owner}:{self.owner})"

    def done(self, host: Host, pending: Sequence[Action]) -> bool:
        path = host.path(self.path)
        if self.as_it_is:
            return path.is_dir()
        made_anew = any(isinstance(one, MakeUser) and one.name == self.owner for one in pending)
        return path.is_dir() and not made_anew and _is_as(host, self.path, self.mode, self.owner, self.owner)

    def apply(self, host: Host) -> None:
        path = host.path(self.path)
        path.mkdir(exist_ok=True, mode=self.mode)
        path.chmod(self.mode)
        os.chown(path, *_ids(host, self.owner, self.owner))


@dataclass(frozen=True, slots=True)
class WriteFile:
    """A file with this content. `notes` are what a reader should know of it before it is written. `kept`: one that is
    there already keeps its owner and mode, which somebody may have chosen."""

    path: PurePath
    content: bytes
    mode: int = 0o644
    owner: str = ROOT
    group: str = ROOT
    notes: tuple[str, ...] = field(default=())
    kept: bool = False

    def describe(self) -> str:
        notes = "".join(f"\n    {note}" for note in self.notes)
        return f"write {self.path} ({self.mode:04o}, {self.owner}:{self.group}){notes}"

    def done(self, host: Host, pending: Sequence[Action]) -> bool:  # noqa: ARG002  # the shape is Action's
        path = host.path(self.path)
        if not path.is_file() or not (self.kept or _is_as(host, self.path, self.mode, self.owner, self.group)):
            return False
        return path.read_bytes() == self.content

    def apply(self, host: Host) -> None:
        path = host.path(self.path)
        if self.kept and path.is_file():
            before = path.stat()
            write_durably(path, self.content, 0o600)
            os.chown(path, before.st_uid, before.st_gid)
            path.chmod(stat.S_IMODE(before.st_mode))
            return
        write_with(host, self.path, self.content, self.mode, self.owner, self.group)


@dataclass(frozen=True, slots=True)
class RemoveFile:
    path: PurePath
    why: str = ""

    def describe(self) -> str:
        return f"delete {self.path}" + (f" ({self.why})" if self.why else "")

    def done(self, host: Host, pending: Sequence[Action]) -> bool:  # noqa: ARG002  # the shape is Action's
        return not os.path.lexists(host.path(self.path))

    def apply(self, host: Host) -> None:
        host.path(self.path).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class RemoveTree:
    """A directory with all that is in it."""

    path: PurePath
    holds: str

    def describe(self) -> str:
        return f"delete {self.path} with everything in it: {self.holds}"

    def done(self, host: Host, pending: Sequence[Action]) -> bool:  # noqa: ARG002  # the shape is Action's
        return not os.path.lexists(host.path(self.path))

    def apply(self, host: Host) -> None:
        shutil.rmtree(host.path(self.path))


@dataclass(frozen=True, slots=True)
class RemoveEmptyDirectory:
    path: PurePath

    def describe(self) -> str:
        return f"delete the directory {self.path} if nothing is left in it"

    def done(self, host: Host, pending: Sequence[Action]) -> bool:
        path = host.path(self.path)
        if not path.is_dir():
            return True
        leaving = {one.path.name for one in pending if isinstance(one, RemoveFile) and one.path.parent == self.path}
        return bool(set(os.listdir(path)) - leaving)

    def apply(self, host: Host) -> None:
        # Somebody may have put a file there meanwhile: then it stays.
        with contextlib.suppress(OSError):
            host.path(self.path).rmdir()


def write_with(host: Host, path: PurePath, content: bytes, mode: int, owner: str, group: str) -> None:
    """A file with its owner and mode from the beginning: a secret is at no moment readable by others."""
    target = host.path(path)
    write_durably(target, content, 0o600)
    os.chown(target, *_ids(host, owner, group))
    target.chmod(mode)


def _ids(host: Host, owner: str, group: str) -> tuple[int, int]:
    user = 0 if owner == ROOT else host.user_id(owner)
    of_group = 0 if group == ROOT else host.group_id(group)
    if user is None or of_group is None:
        raise AgentError(f"there is no user {owner} or group {group} on this host")
    return user, of_group


def _is_as(host: Host, path: PurePath, mode: int, owner: str, group: str) -> bool:
    found = host.path(path).lstat()
    if stat.S_IMODE(found.st_mode) != mode:
        return False
    user = 0 if owner == ROOT else host.user_id(owner)
    of_group = 0 if group == ROOT else host.group_id(group)
    return (found.st_uid, found.st_gid) == (user, of_group)
