"""Which devices refused a v3 user of late: remembered in a file of the state directory, so that discovery locks nobody out.

An entry stands for a device, by its engine id and its address: whichever is the same, it is the same device.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from agent.errors import AgentError
from agent.files import write_durably

STANDING_SECONDS = 24 * 3600
FILE = "snmp-refused.json"


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    """A try that failed, or of which it is not known how it ended."""

    at: int
    engine: str
    address: str
    user: str


class Refusals:
    """The tries of the last day that failed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: list[_Entry] = []
        if path.exists():
            try:
                self._entries = msgspec.json.decode(path.read_bytes(), type=list[_Entry])
            except (OSError, msgspec.DecodeError) as error:
                # Without it a user might be tried once too often.
                raise AgentError(f"{path} cannot be read ({type(error).__name__}): see whose it is") from error
        now = int(time.time())
        # A clock that was once far ahead must not make an entry stand for ever.
        self._entries = [one for one in self._entries if abs(now - one.at) < STANDING_SECONDS]

    def standing(self, engine: str, address: str) -> str:
        """The user that the device refused, or ""."""
        return next((one.user for one in self._entries if one.engine == engine or one.address == address), "")

    def note(self, engine: str, address: str, user: str) -> None:
        """Write down that a user is tried."""
        self._entries.append(_Entry(int(time.time()), engine, address, user))
        self._write()

    def withdraw(self, engine: str, address: str) -> None:
        """The try did not fail."""
        self._entries = [one for one in self._entries if (one.engine, one.address) != (engine, address)]
        self._write()

    def _write(self) -> None:
        rows: list[Any] = msgspec.to_builtins(self._entries)
        try:
            write_durably(self._path, json.dumps(rows, indent=1).encode())
            _give_to_owner(self._path)
        except OSError as error:
            raise AgentError(
                f"{self._path} cannot be written ({error.strerror}): no user is tried without it"
            ) from error


def _give_to_owner(path: Path) -> None:
    """What root has made, the next run, by the collector's own user, must be able to use. Raises OSError."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextmanager
def refusals_in(directory: Path) -> Iterator[Refusals]:
    """The refusals of a state directory, for one run at a time. Raises AgentError."""
    try:
        lock = os.open(directory / "snmp-discover.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        _give_to_owner(directory / "snmp-discover.lock")
    except OSError as error:
        raise AgentError(f"the state directory {directory} cannot be used: {error.strerror}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AgentError("another discovery is running: wait until it has ended") from error
        yield Refusals(directory / FILE)
    finally:
        os.close(lock)
